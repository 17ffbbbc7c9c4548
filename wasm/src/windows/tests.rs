#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use serde_json::{Value, json};

use super::*;

struct Stage {
    replica: Replica,
    windows: Windows,
    edits: usize,
}

impl Stage {
    fn new() -> Self {
        let replica = Replica::new(ReplicaConfig {
            document: DocumentId::from_random([7; 16]),
            schema: Schema::job_history(),
            device: DeviceId::from_random([1; 8]),
            author: None,
            actor: [9; 16],
            peer: PeerId::new("tab").unwrap(),
        });
        let mut windows = Windows::default();
        windows.begin(replica.document().view());
        Self {
            replica,
            windows,
            edits: 0,
        }
    }

    /// Applies one edit and returns what the page is told.
    fn edit(&mut self, edit: Value) -> Vec<Value> {
        self.edits += 1;
        let id = format!("edit-number-{}", self.edits);
        let stamped = json!({ "id": id, "at": 1_700_000_000_000_u64, "edit": edit });
        let input = Input::Edit(serde_json::from_value(stamped).unwrap());
        for effect in self.replica.step(Millis(1_700_000_000_000), input).unwrap() {
            if let Effect::Changed { keys, .. } = effect {
                self.windows.touch(keys, Origin::Local);
            }
        }
        self.look()
    }

    fn look(&mut self) -> Vec<Value> {
        let mut told = Vec::new();
        self.windows
            .look(self.replica.document().view(), &mut |json| {
                told.push(serde_json::from_str(&json).unwrap());
            });
        told
    }

    fn tell(&mut self, sub: u32, told: &mut Vec<Value>) {
        let view = self.replica.document().view();
        let mut post = |json: String| told.push(serde_json::from_str(&json).unwrap());
        self.windows.tell_window(sub, view, &mut post);
    }

    fn insert(&mut self, key: &str, prompt: &str) -> Vec<Value> {
        self.edit(json!({ "type": "insert", "key": key, "record": { "prompt": prompt } }))
    }
}

fn of<'a>(told: &'a [Value], kind: &str) -> Vec<&'a Value> {
    told.iter()
        .filter(|message| message["type"] == kind)
        .collect()
}

#[test]
fn b8_a_window_is_told_only_when_its_rows_differ() {
    let mut stage = Stage::new();
    stage.windows.watch(
        1,
        Query {
            q: "dragon".to_owned(),
            ..Query::default()
        },
    );
    assert_eq!(of(&stage.look(), "page")[0]["total"], 0);
    assert!(of(&stage.insert("key-of-a-knight", "knight"), "page").is_empty());
    let told = stage.insert("key-of-a-dragon", "dragon");
    assert_eq!(of(&told, "page")[0]["rows"][0]["job"]["prompt"], "dragon");
    assert!(stage.look().is_empty());
    stage.windows.forget(1);
    assert!(of(&stage.insert("key-of-another", "dragon"), "page").is_empty());
}

#[test]
fn b8_a_window_is_told_only_the_rows_that_it_lacks() {
    let mut stage = Stage::new();
    for nth in 0..10 {
        stage.insert(&format!("key-number-{nth}"), "knight");
    }
    let query = Query {
        offset: 2,
        limit: Some(3),
        ..Query::default()
    };
    stage.windows.watch(1, query);
    let keys_of = |page: &Value| {
        let numbers = page["keys"].as_array().unwrap().iter();
        let number = |key: &Value| key.as_str().unwrap()["key-number-".len()..].to_owned();
        numbers.map(number).collect::<Vec<_>>().join(" ")
    };
    let told = stage.look();
    let page = of(&told, "page")[0];
    assert_eq!(
        (keys_of(page).as_str(), &page["offset"]),
        ("7 6 5", &json!(2))
    );
    assert_eq!(page["rows"].as_array().unwrap().len(), 3);

    let edit = json!({ "type": "change", "key": "key-number-6", "set": { "prompt": "wyvern" } });
    let told = stage.edit(edit);
    let page = of(&told, "page")[0];
    assert_eq!(keys_of(page), "7 6 5", "all that stand there");
    assert_eq!(page["rows"][0]["job"]["prompt"], "wyvern");
    assert_eq!(
        page["rows"].as_array().unwrap().len(),
        1,
        "and only the row that changed"
    );

    let told = stage.edit(json!({ "type": "remove", "keys": ["key-number-9"] }));
    let page = of(&told, "page")[0];
    assert_eq!(
        (keys_of(page).as_str(), &page["total"]),
        ("6 5 4", &json!(9))
    );
    assert_eq!(page["rows"][0]["key"], "key-number-4");
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);

    let mut told = Vec::new();
    stage.windows.shift(1, 4, 3);
    stage.tell(1, &mut told);
    let page: &Value = of(&told, "page")[0];
    assert_eq!(
        (keys_of(page).as_str(), &page["offset"]),
        ("4 3 2", &json!(4))
    );
    assert_eq!(
        page["rows"].as_array().unwrap().len(),
        2,
        "the row it had is not told again"
    );

    stage.windows.shift(1, 4, 6);
    stage.windows.shift(1, 4, 3);
    stage.tell(1, &mut told);
    assert_eq!(
        keys_of(&told[1]),
        "4 3 2",
        "who moves a window waits for it"
    );
    stage.tell(1, &mut told);
    assert_eq!(told.len(), 2);
}

#[test]
fn changes_say_what_came_changed_and_went() {
    let mut stage = Stage::new();
    let key = "key-of-a-dragon";
    let told = stage.insert(key, "dragon");
    let change = of(&told, "change")[0];
    assert_eq!(change["added"][0]["key"], key);
    assert_eq!(change["origin"], "local");
    let told = stage.edit(json!({ "type": "change", "key": key, "set": { "prompt": "wyvern" } }));
    assert_eq!(
        of(&told, "change")[0]["updated"][0]["job"]["prompt"],
        "wyvern"
    );
    let told = stage.edit(json!({ "type": "remove", "keys": [key] }));
    assert_eq!(of(&told, "change")[0]["removed"][0]["key"], key);
    assert_eq!(of(&told, "stats")[0]["stats"]["bin"], 1);
    let told = stage.edit(json!({ "type": "restore", "keys": [key] }));
    assert_eq!(of(&told, "change")[0]["added"][0]["key"], key);
}

#[test]
fn b8_large_changes_come_in_parts() {
    let mut stage = Stage::new();
    for nth in 0..CHANGE_ROWS_MAX + 1 {
        stage.edits += 1;
        let id = format!("edit-number-{nth}-of-many");
        let edit = json!({ "id": id, "at": 0, "edit": { "type": "insert", "key": format!("key-number-{nth}"), "record": {} } });
        let input = Input::Edit(serde_json::from_value(edit).unwrap());
        stage.replica.step(Millis(0), input).unwrap();
    }
    stage.windows.touch_all(stage.replica.document().view());
    let told = stage.look();
    let sizes: Vec<usize> = of(&told, "change")
        .iter()
        .map(|change| change["added"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [CHANGE_ROWS_MAX, 1]);
}

#[test]
fn a_query_that_cannot_be_read_says_so_once() {
    let mut stage = Stage::new();
    stage.windows.watch(
        1,
        Query {
            q: "\"open".to_owned(),
            ..Query::default()
        },
    );
    let told = stage.look();
    assert!(
        of(&told, "page-failed")[0]["message"]
            .as_str()
            .unwrap()
            .contains("quote")
    );
    assert_eq!(of(&told, "page-failed")[0]["at"], 1);
    assert!(stage.look().is_empty());
}
