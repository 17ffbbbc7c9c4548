//! What the guard costs beside what it guards:
//! `cargo run --release -p plainsync-tests --example guard -- 10000`, or without `--release`.
#![allow(
    clippy::print_stdout,
    reason = "this is how a measuring program speaks"
)]

use std::hint::black_box;
use std::time::Instant;

use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, Change, ROOT};
use plainsync_core::document::{Authorship, Document};
use plainsync_core::guard::{Limits, check};
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::ImportOptions;
use plainsync_core::schema::Schema;
use serde_json::json;

/// Prints how long `work` takes in the middle of `rounds` rounds.
fn timed(what: &str, rounds: usize, mut work: impl FnMut()) {
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{what:<52} {:>12.3?}", times[rounds / 2]);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs: usize = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |text| text.parse())?;
    let list: Vec<_> = (1..=jobs)
        .map(|n| {
            json!({"id": format!("job-{n}"), "prompt": format!("a knight number {n}"), "width": 64, "height": 64,
                "seed": null, "status": "success", "result": null, "error": null, "startTime": n, "endTime": n + 1,
                "duration": 1.5, "createdAt": n})
        })
        .collect();
    let text = json!({"jobs": list, "lastJobId": jobs + 1}).to_string();
    let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
    let authorship = Authorship {
        device: "0000000000000001".parse()?,
        name: None,
    };
    document.set_actor([1; 16], &authorship);
    let changes = document
        .import(text.as_bytes(), &ImportOptions::default())?
        .changes;
    let saved = document.save();
    let found = check(&saved, &Limits::PEER)?;
    println!("{jobs} jobs, saved: {} bytes, {found:?}", saved.len());
    timed("guard: the saved document", 9, || {
        black_box(check(&saved, &Limits::PEER).is_ok());
    });
    timed("automerge: load of it", 9, || {
        black_box(Automerge::load(&saved).is_ok());
    });
    let all: Vec<u8> = (changes
        .iter()
        .flat_map(|change| change.raw_bytes().to_vec()))
    .collect();
    println!("its {} changes: {} bytes", changes.len(), all.len());
    timed("guard: the import's changes", 9, || {
        black_box(check(&all, &Limits::PEER).is_ok());
    });
    let mut first = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
    first.set_actor([2; 16], &authorship);
    let empty = Automerge::load(&first.save())?;
    timed("automerge: load_incremental of them", 9, || {
        black_box(empty.clone().load_incremental(&all).is_ok());
    });

    let mut loaded = Automerge::load(&saved)?.with_actor(ActorId::from([3; 16]));
    let before = loaded.get_heads();
    let base = loaded.clone();
    let mut tx = loaded.transaction();
    for nth in 0..12 {
        tx.put(ROOT, format!("field-{nth}"), format!("a value {nth}"))?;
    }
    tx.commit();
    let edit = loaded.get_changes(&before).remove(0);
    let edit = edit.raw_bytes().to_vec();
    println!("an edit of 12 fields: {} bytes", edit.len());
    timed("guard: the edit", 1_001, || {
        black_box(check(&edit, &Limits::PEER).is_ok());
    });
    timed("automerge: parse of the edit alone", 1_001, || {
        black_box(Change::from_bytes(edit.clone()).is_ok());
    });
    let mut clones = vec![base; 21];
    let mut each = clones.iter_mut();
    timed("automerge: load_incremental of the edit", 21, || {
        if let Some(doc) = each.next() {
            black_box(doc.load_incremental(&edit).is_ok());
        }
    });
    Ok(())
}
