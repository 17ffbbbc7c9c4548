//! One field edited by hand: how long until it is merged, in the engine alone and through a
//! server's actor, which reads the file and journals the change.

use std::path::Path;

use plainsync::document::stepped::Stepped;
use plainsync_bench_engine::counted::{Asked, Of};
use plainsync_bench_engine::fixed::{Failed, ROUNDS};
use plainsync_bench_engine::jobs::{self, Images};
use plainsync_bench_engine::report::Report;
use plainsync_bench_engine::samples::{Samples, milliseconds, timed};
use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::plain::import::ImportOptions;

use crate::machine::{Machine, edit, never};

/// Jobs, and how long an import may take, in milliseconds.
const BOUNDS: [(usize, f64); 2] = [(1_000, 20.0), (10_000, 150.0)];

/// Edits that others made since the file was written.
const EDITS_SINCE: [usize; 3] = [0, 1, 100];

/// Turns after which a file has been taken in, or never will be.
const TURNS_MAX: usize = 10;

/// Measures both ways at both sizes.
pub(crate) fn measure(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    for (jobs, bound) in BOUNDS {
        report.title(&format!(
            "One field edited by hand, {jobs} jobs: from accepted bytes to merged document and view"
        ));
        in_engine(report, jobs, bound)?;
    }
    for (jobs, bound) in BOUNDS {
        report.title(&format!(
            "The same through the actor, {jobs} jobs: from the file on disk to taken in, no waiting"
        ));
        through_actor(report, &folder.join(jobs.to_string()), jobs, bound)?;
    }
    Ok(())
}

fn words(edits: usize) -> String {
    let s = if edits == 1 { "" } else { "s" };
    format!("{edits} edit{s} of others since")
}

fn in_engine(report: &mut Report, jobs: usize, bound: f64) -> Result<(), Failed> {
    let mut document = jobs::document(jobs)?;
    let keys = jobs::keys(&document);
    let mut nth = 0;
    let mut samples = <[Samples; EDITS_SINCE.len()]>::default();
    for round in 0..ROUNDS {
        for (variant, edits) in EDITS_SINCE.iter().enumerate() {
            let file = document.export(&|_| None);
            let edited = jobs::edited_by_hand(&file, number(jobs, round), &format!("{edits}"))?;
            edit_apart(&mut document, &keys, &mut nth, *edits)?;
            let options = ImportOptions::default();
            let import = || document.import(&edited, &options);
            let done = samples[variant].measure(import)?;
            assert_eq!((done.report.changed, done.report.removed), (1, 0));
        }
    }
    for (edits, samples) in EDITS_SINCE.iter().zip(&samples) {
        report.bounded(&words(*edits), samples.median(), bound, "ms");
    }
    Ok(())
}

fn edit_apart(
    document: &mut Document,
    keys: &[Key],
    nth: &mut usize,
    edits: usize,
) -> Result<(), Failed> {
    for _ in 0..edits {
        document.edit(&edit(keys, *nth))?;
        *nth += 1;
    }
    Ok(())
}

/// A job in the middle of the list, another one each round.
fn number(jobs: usize, round: usize) -> usize {
    (jobs / 2 + round * 7) % jobs + 1
}

/// The times of one variant.
#[derive(Default)]
struct Parts {
    whole: Samples,
    journal: Samples,
    journal_syncs: Samples,
    reads: Samples,
    other_disk: Samples,
    turns: Samples,
}

fn through_actor(
    report: &mut Report,
    folder: &Path,
    jobs: usize,
    bound: f64,
) -> Result<(), Failed> {
    let machine = Machine::new(folder, "import", jobs, Images::None)?;
    let mut stepped = Stepped::open(&machine.config(never()))?;
    settle(&mut stepped);
    let keys = jobs::keys(stepped.document().ok_or("no history")?);
    let mut nth = 0;
    let mut all = <[Parts; EDITS_SINCE.len()]>::default();
    for round in 0..ROUNDS {
        for (parts, edits) in all.iter_mut().zip(EDITS_SINCE) {
            let file = std::fs::read(machine.file())?;
            let typed = format!("{edits} {round}");
            let edited = jobs::edited_by_hand(&file, number(jobs, round), &typed)?;
            for _ in 0..edits {
                stepped.edit(edit(&keys, nth))?;
                nth += 1;
            }
            std::fs::write(machine.file(), edited)?;
            machine.disk.reset();
            let before = heads(&stepped);
            let (turns, took) = timed(|| {
                (1..=TURNS_MAX).find(|_| {
                    stepped.turn();
                    heads(&stepped) != before
                })
            });
            parts
                .turns
                .push_figure(turns.ok_or("the file was not taken in")? as f64);
            parts.whole.push(took);
            let sync = machine.disk.tally(Asked::Sync, Of::Journal);
            parts.journal.push(sync.took);
            parts.journal_syncs.push_figure(sync.count as f64);
            parts.reads.push(machine.disk.took(Asked::Read));
            let named = milliseconds(sync.took) + milliseconds(machine.disk.took(Asked::Read));
            let rest = milliseconds(machine.disk.took_all()) - named;
            parts.other_disk.push_figure(rest);
            settle(&mut stepped);
        }
    }
    for (edits, parts) in EDITS_SINCE.iter().zip(&all) {
        report.bounded(&words(*edits), parts.whole.median(), bound, "ms");
        let syncs = parts.journal_syncs.median();
        report.part(&format!("{syncs} fsync of the journal"), &parts.journal);
        report.part("reading the file and what lies beside it", &parts.reads);
        report.part(
            "other writes (notes, the file of the version before)",
            &parts.other_disk,
        );
    }
    Ok(())
}

fn heads(stepped: &Stepped) -> Vec<automerge::ChangeHash> {
    stepped.document().map(Document::heads).unwrap_or_default()
}

/// Until file and published journal are written.
fn settle(stepped: &mut Stepped) {
    for _ in 0..TURNS_MAX / 2 {
        stepped.turn();
    }
}
