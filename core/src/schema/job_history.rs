//! The job history's fields: the format that the old dashboard and its server wrote.

use serde_json::{Map, Value};

use super::Schema;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn schema() -> Schema {
    let run_fields = names(&[
        "status",
        "result",
        "error",
        "startTime",
        "endTime",
        "duration",
    ]);
    let mut defaults = Map::new();
    defaults.insert("seed".to_owned(), Value::Null);
    defaults.insert("status".to_owned(), Value::from("idle"));
    for field in run_fields.iter().skip(1) {
        defaults.insert(field.clone(), Value::Null);
    }
    Schema {
        collection: "jobs".to_owned(),
        label_field: "id".to_owned(),
        label_prefix: "job-".to_owned(),
        counter: Some("lastJobId".to_owned()),
        created_field: "createdAt".to_owned(),
        run_fields,
        field_order: names(&[
            "id",
            "prompt",
            "width",
            "height",
            "seed",
            "status",
            "result",
            "error",
            "startTime",
            "endTime",
            "duration",
            "createdAt",
            "isRotation",
            "rotationData",
        ]),
        text_fields: names(&["id", "prompt", "seed", "error", "error_message"]),
        references: vec![names(&["rotationData", "sourceJobId"])],
        defaults,
        format_version: Some("1.0".to_owned()),
    }
}
