//! What one edit costs the journal: it must not grow with the document.

use std::path::Path;
use std::time::Instant;

use plainsync::document::Documents;
use plainsync_bench_engine::counted::{Asked, Of};
use plainsync_bench_engine::fixed::Failed;
use plainsync_bench_engine::jobs::Images;
use plainsync_bench_engine::report::Report;
use plainsync_bench_engine::samples::{Samples, milliseconds};
use plainsync_core::edit::Key;

use crate::machine::{Machine, edit, keys, never};

/// Jobs of the two documents.
const JOBS: [usize; 2] = [100, 10_000];

/// Edits of each, by turns.
const EDITS: usize = 400;

/// Each cost of the large one may be so many times the small one's.
const RATIO_MAX: f64 = 1.5;

/// One document, and what its edits cost.
struct Measured {
    machine: Machine,
    documents: Documents,
    keys: Vec<Key>,
    bytes: Samples,
    append: Samples,
    without_disk: Samples,
    whole: Samples,
}

/// Measures both documents, by turns.
pub(crate) async fn measure(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    report.title(&format!(
        "One edit, from asked to acknowledged, {} and {} jobs by turns",
        JOBS[0], JOBS[1]
    ));
    let mut small = open(folder, JOBS[0]).await?;
    let mut large = open(folder, JOBS[1]).await?;
    for nth in 0..EDITS {
        for one in [&mut small, &mut large] {
            one.edit(nth).await?;
        }
    }
    for (jobs, one) in JOBS.iter().zip([&small, &large]) {
        let bytes = one.bytes.median();
        report.figure(
            &format!("{jobs} jobs: appended to the journal"),
            bytes,
            "bytes",
        );
        report.spread(&format!("{jobs} jobs: append and fsync"), &one.append);
        report.spread(
            &format!("{jobs} jobs: everything but the disk"),
            &one.without_disk,
        );
        report.spread(
            &format!("{jobs} jobs: from asked to acknowledged"),
            &one.whole,
        );
    }
    let ratio = |of: fn(&Measured) -> &Samples| of(&large).median() / of(&small).median();
    let parts: [(&str, f64); 3] = [
        ("bytes appended, ratio", ratio(|one| &one.bytes)),
        ("append and fsync, ratio", ratio(|one| &one.append)),
        ("from asked to acknowledged, ratio", ratio(|one| &one.whole)),
    ];
    for (words, ratio) in parts {
        report.bounded(words, ratio, RATIO_MAX, "x");
    }
    let rest = ratio(|one| &one.without_disk);
    report.figure("everything but the disk, ratio", rest, "x");
    for one in [small, large] {
        one.documents.shutdown().await;
    }
    Ok(())
}

async fn open(folder: &Path, jobs: usize) -> Result<Measured, Failed> {
    let machine = Machine::new(folder, &jobs.to_string(), jobs, Images::None)?;
    let documents = Documents::open(machine.config(never())).await?;
    let keys = keys(documents.default());
    Ok(Measured {
        machine,
        documents,
        keys,
        bytes: Samples::default(),
        append: Samples::default(),
        without_disk: Samples::default(),
        whole: Samples::default(),
    })
}

impl Measured {
    async fn edit(&mut self, nth: usize) -> Result<(), Failed> {
        let edit = edit(&self.keys, nth);
        self.machine.disk.reset();
        let started = Instant::now();
        self.documents.default().edit(edit).await?;
        let took = started.elapsed();
        let tally = |asked| self.machine.disk.tally(asked, Of::Journal);
        let (write, sync) = (tally(Asked::Write), tally(Asked::Sync));
        assert_eq!((write.count, sync.count), (1, 1), "one edit, one fsync");
        self.bytes.push_figure(write.bytes as f64);
        let append = write.took + sync.took;
        self.append.push(append);
        self.whole.push(took);
        let rest = milliseconds(took) - milliseconds(append);
        self.without_disk.push_figure(rest);
        Ok(())
    }
}
