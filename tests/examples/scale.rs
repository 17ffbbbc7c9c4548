//! How long the engine takes at a size: `cargo run --release -p plainsync-tests --example scale -- 10000`.
#![allow(
    clippy::print_stdout,
    reason = "this is how a measuring program speaks"
)]

use std::time::Instant;

use plainsync_core::document::{Authorship, Document};
use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::{ImportBase, ImportOptions};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use serde_json::json;

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let made = work();
    println!(
        "{what:<44} {:>9.2} ms",
        start.elapsed().as_secs_f64() * 1000.0
    );
    made
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs: usize = std::env::args()
        .nth(1)
        .map_or(Ok(1_000), |text| text.parse())?;
    println!("{jobs} jobs");
    let list: Vec<_> = (1..=jobs)
        .map(|n| {
            json!({"id": format!("job-{n}"), "prompt": format!("a knight number {n}"), "width": 64, "height": 64,
                "seed": null, "status": "success", "result": null, "error": null, "startTime": n, "endTime": n + 1,
                "duration": 1.5, "createdAt": n})
        })
        .collect();
    let file = json!({"jobs": list, "lastJobId": jobs + 1})
        .to_string()
        .into_bytes();
    let id = DocumentId::from_random([7; 16]);
    let mut document = Document::new(id, Schema::job_history());
    let options = ImportOptions::default();
    timed("import into an empty document", || {
        document.import(&file, &options)
    })?;
    let author = Authorship {
        device: "0000000000000001".parse()?,
        name: None,
    };
    document.set_actor([1; 16], &author);
    let saved = timed("save", || document.save());
    let mut loaded = Document::new(id, Schema::job_history());
    timed("load, with the view", || loaded.restore(&[saved]))?;
    let text = timed("export", || document.export(&|_| None));
    timed("import of the unchanged file", || {
        document.import(&text, &options)
    })?;
    let edited = String::from_utf8(text)?.replacen("number 5\"", "number five\"", 1);
    timed("import of one field, by its version", || {
        document.import(edited.as_bytes(), &options)
    })?;
    let unversioned = ImportOptions {
        base: ImportBase::Unknown,
        ..ImportOptions::default()
    };
    timed("the same list without a version", || {
        document.import(&file, &unversioned)
    })?;
    timed("again, with what was held before known", || {
        document.import(&file, &unversioned)
    })?;
    let key = document.view().rows().next().ok_or("no row")?.key.clone();
    for nth in 0..3 {
        let set = json!({"width": 100 + nth})
            .as_object()
            .cloned()
            .unwrap_or_default();
        let edit = Edit::Change {
            key: key.clone(),
            set,
            unset: Vec::new(),
        };
        let stamped = StampedEdit {
            id: EditId(format!("edit-{nth}")),
            at: Millis(1_800_000_000_000),
            edit,
        };
        timed("one edit", || document.edit(&stamped))?;
    }
    let keys = document.view().rows().map(|row| row.key.clone()).collect();
    let clear = StampedEdit {
        id: EditId("clear".to_owned()),
        at: Millis(1_800_000_000_000),
        edit: Edit::Remove { keys },
    };
    timed("clear", || document.edit(&clear))?;
    Ok(())
}
