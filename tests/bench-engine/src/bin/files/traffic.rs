//! Edits while the JSON is rewritten over and over: whoever edits must not feel it.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use plainsync::document::{DocumentHandle, Documents};
use plainsync_bench_engine::counted::{Asked, CountedDisk, Of};
use plainsync_bench_engine::fixed::Failed;
use plainsync_bench_engine::jobs::Images;
use plainsync_bench_engine::report::Report;
use plainsync_bench_engine::samples::Samples;
use plainsync_core::edit::Key;

use crate::machine::{Machine, edit, keys, never, over_and_over};

/// Jobs in each document, each with an image.
const JOBS: usize = 10_000;

/// Edits of a round.
const EDITS: usize = 600;

/// Between two edits.
const EVERY: Duration = Duration::from_millis(5);

/// Rounds of each kind, by turns.
const ROUNDS: usize = 7;

/// The p99 under rewriting may be so many times the p99 without.
const P99_RATIO_MAX: f64 = 1.25;

/// Between two looks at a file that is being written.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Longest wait for the last rewrite of a round.
const SETTLED_MAX: Duration = Duration::from_secs(60);

/// More than the end of a file with its heads takes, in bytes.
const TAIL_BYTES: i64 = 4 * 1024;

/// Medians and p99s of all rounds of one kind.
#[derive(Default)]
struct Told {
    medians: Samples,
    p99s: Samples,
    /// The p99s of the journal's fsync alone.
    syncs: Samples,
}

impl Told {
    fn add(&mut self, round: &Samples, disk: &CountedDisk) {
        self.medians.push_figure(round.median());
        self.p99s.push_figure(round.p99());
        let syncs = disk.tally(Asked::Sync, Of::Journal).times;
        self.syncs.push_figure(syncs.p99());
    }

    fn tell(&self, report: &Report, words: &str) {
        report.figure(&format!("{words}: p50"), self.medians.median(), "ms");
        report.figure(&format!("{words}: p99"), self.p99s.median(), "ms");
        report.part("fsync of the journal: p99", &self.syncs);
    }
}

/// Measures one document that never writes its file and one that always does, by turns.
pub(crate) async fn measure(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    report.title(&format!(
        "Acknowledging edits, one every {} ms, {JOBS} jobs with images; medians of {ROUNDS} rounds of {EDITS}",
        EVERY.as_millis()
    ));
    let quiet = Machine::new(folder, "quiet", JOBS, Images::Inlined)?;
    let busy = Machine::new(folder, "busy", JOBS, Images::Inlined)?;
    let without = Documents::open(quiet.config(never())).await?;
    let with = Documents::open(busy.config(over_and_over())).await?;
    let keys = keys(with.default());
    let (mut calm, mut pressed) = (Told::default(), Told::default());
    let mut nth = 0;
    let mut written = Samples::default();
    for _ in 0..ROUNDS {
        settled(with.default(), &busy.file()).await?;
        quiet.disk.reset();
        calm.add(&round(without.default(), &keys, nth).await?, &quiet.disk);
        busy.disk.reset();
        pressed.add(&round(with.default(), &keys, nth).await?, &busy.disk);
        written.push_figure(busy.disk.tally(Asked::Exchange, Of::Other).count as f64);
        nth += EDITS;
    }
    calm.tell(report, "the file is never written");
    pressed.tell(report, "the file is written over and over");
    report.figure("files written a round", written.median(), "");
    let ratio = |of: fn(&Told) -> &Samples| of(&pressed).median() / of(&calm).median();
    report.figure("p50, ratio", ratio(|told| &told.medians), "x");
    report.bounded("p99, ratio", ratio(|told| &told.p99s), P99_RATIO_MAX, "x");
    with.shutdown().await;
    without.shutdown().await;
    Ok(())
}

/// One round: edits are asked for at their times, whether those before were acknowledged or not.
async fn round(document: &DocumentHandle, keys: &[Key], first: usize) -> Result<Samples, Failed> {
    let mut clock = tokio::time::interval(EVERY);
    let mut asked = Vec::new();
    for nth in first..first + EDITS {
        clock.tick().await;
        let (document, edit) = (document.clone(), edit(keys, nth));
        asked.push(tokio::spawn(async move {
            let started = Instant::now();
            document.edit(edit).await.map(|_| started.elapsed())
        }));
    }
    let mut samples = Samples::default();
    for edit in asked {
        samples.push(edit.await??);
    }
    Ok(samples)
}

/// Waits until the file is the version that `document` is at.
async fn settled(document: &DocumentHandle, file: &Path) -> Result<(), Failed> {
    let give_up = Instant::now() + SETTLED_MAX;
    while !ends_with(file, &document.info().heads)? {
        if Instant::now() > give_up {
            return Err("the file was not written".into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Whether the end of `file` names these heads.
fn ends_with(file: &Path, heads: &[String]) -> Result<bool, Failed> {
    let mut file = File::open(file)?;
    let len = i64::try_from(file.metadata()?.len())?;
    file.seek(SeekFrom::End(-TAIL_BYTES.min(len)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    Ok(heads.iter().all(|head| tail.contains(head)))
}
