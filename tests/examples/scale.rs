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

/// How often what varies is measured.
const ROUNDS: usize = 9;

/// Milliseconds from the bytes of an edited file to the merged document and its view, after
/// `edits_since` edits of others.
fn hand_edit(
    document: &mut Document,
    jobs: usize,
    edits_since: usize,
    round: usize,
) -> Result<f64, Box<dyn std::error::Error>> {
    let text = String::from_utf8(document.export(&|_| None))?;
    let nth = (jobs / 2 + round * 7) % jobs + 1;
    let prompt = format!("\"prompt\": \"a knight number {nth}");
    let edited = text.replacen(&prompt, &format!("{prompt}, by hand {edits_since} "), 1);
    assert_ne!(text, edited);
    let keys: Vec<_> = document.view().rows().map(|row| row.key.clone()).collect();
    for nth in 0..edits_since {
        let set = json!({"height": round * 1000 + nth});
        document.edit(&StampedEdit {
            id: EditId(format!("apart-{edits_since}-{round}-{nth}")),
            at: Millis(1_800_000_000_000),
            edit: Edit::Change {
                key: keys[nth * 7 % jobs].clone(),
                set: set.as_object().cloned().unwrap_or_default(),
                unset: Vec::new(),
            },
        })?;
    }
    let start = Instant::now();
    let report = document
        .import(edited.as_bytes(), &ImportOptions::default())?
        .report;
    let elapsed = start.elapsed().as_secs_f64() * 1000.0;
    assert_eq!((report.changed, report.removed), (1, 0));
    Ok(elapsed)
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
    for edits_since in [0, 1, 100] {
        let mut times: Vec<f64> = (0..ROUNDS)
            .map(|round| hand_edit(&mut document, jobs, edits_since, round))
            .collect::<Result<_, _>>()?;
        times.sort_by(f64::total_cmp);
        let what = format!("one field by hand, {edits_since} edits later (median)");
        println!("{what:<44} {:>9.2} ms", times[ROUNDS / 2]);
    }
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
