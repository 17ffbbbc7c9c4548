//! The document's past as commands ask for it, and the start of a server that has one.

use std::path::Path;

use futures_util::future::try_join_all;
use plainsync::document::Documents;
use plainsync_bench_engine::fixed::{Failed, ROUNDS};
use plainsync_bench_engine::jobs::Images;
use plainsync_bench_engine::report::{Report, number};
use plainsync_bench_engine::samples::{Samples, timed_async};

use crate::machine::{Machine, edit, keys, never};

/// Jobs of the two documents.
const JOBS: [usize; 2] = [1_000, 10_000];

/// Edits of their history: one more record than a start leaves in the journal as it is.
const EDITS: usize = 2_000;

/// Entries of the log's first page.
const LOG_ENTRIES: usize = 50;

/// Edits between two versions that are compared, and that a return goes back.
const EDITS_APART: usize = 100;

/// What is measured, in the order of the table.
const ASKED: [&str; 5] = [
    "log, first 50 entries",
    "diff, 100 edits apart",
    "restore --dry-run, 100 edits",
    "start, journal of 2,001 records",
    "start, journal of one snapshot",
];

/// Measures both sizes and prints one table.
pub(crate) async fn measure(report: &Report, folder: &Path) -> Result<(), Failed> {
    report.title(&format!(
        "History of {EDITS} edits: medians of {ROUNDS} rounds, ms"
    ));
    let small = column(folder, JOBS[0]).await?;
    let large = column(folder, JOBS[1]).await?;
    let heads = JOBS.map(|jobs| format!("{jobs} jobs"));
    report.row("", &[&heads[..], &["ratio".to_owned()]].concat());
    for ((asked, small), large) in ASKED.iter().zip(small).zip(large) {
        let (small, large) = (small.median(), large.median());
        let ratio = format!("{:.1}x", large / small);
        report.row(asked, &[number(small), number(large), ratio]);
    }
    report.note("the first start also makes one snapshot of the journal; both read the JSON");
    Ok(())
}

async fn column(folder: &Path, jobs: usize) -> Result<[Samples; ASKED.len()], Failed> {
    let [mut log, mut diff, mut back, mut records, mut snapshot] =
        <[Samples; ASKED.len()]>::default();
    let machine = Machine::new(folder, &jobs.to_string(), jobs, Images::None)?;
    let documents = Documents::open(machine.config(never())).await?;
    let document = documents.default();
    let keys = keys(document);
    // Asked for together, so that many share one fsync; each is a record of its own.
    try_join_all((0..EDITS).map(|nth| document.edit(edit(&keys, nth)))).await?;
    let before = format!("HEAD~{EDITS_APART}");
    for _ in 0..ROUNDS {
        let (page, took) = timed_async(document.log(None, LOG_ENTRIES)).await;
        assert_eq!(page?.entries.len(), LOG_ENTRIES);
        log.push(took);
        let asked = document.diff(before.clone(), "HEAD".to_owned());
        let (between, took) = timed_async(asked).await;
        assert_eq!(between?.diff.records.len(), EDITS_APART);
        diff.push(took);
        let asked = document.go_back(before.clone(), None, true);
        let (between, took) = timed_async(asked).await;
        assert_eq!(between?.diff.records.len(), EDITS_APART);
        back.push(took);
    }
    documents.shutdown().await;
    let journal = machine.journal()?;
    let bytes = std::fs::read(&journal)?;
    for _ in 0..ROUNDS {
        std::fs::write(&journal, &bytes)?;
        for samples in [&mut records, &mut snapshot] {
            let (documents, took) = timed_async(Documents::open(machine.config(never()))).await;
            samples.push(took);
            documents?.shutdown().await;
        }
    }
    Ok([log, diff, back, records, snapshot])
}
