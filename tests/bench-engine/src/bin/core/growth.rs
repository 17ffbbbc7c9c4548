//! Growth curves: each piece of the engine's work at every size, in one table.

use std::cell::Cell;

use plainsync_bench_engine::fixed::{Failed, ROUNDS};
use plainsync_bench_engine::jobs::{self, Images};
use plainsync_bench_engine::report::{Report, number};
use plainsync_bench_engine::samples::Samples;
use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::plain::import::ImportOptions;

use crate::pair::Pair;

/// Changes of a batch, and edits between two versions that are compared.
const BATCH_EDITS: usize = 100;

/// What is measured, in the order of the table.
const WORK: [&str; 11] = [
    "bulk import into an empty document",
    "save",
    "load, with the view",
    "copy, as who writes the file gets one",
    "export",
    "import of the unchanged file",
    "import of one hand-edited field",
    "one local edit",
    "merge of one remote change",
    "merge of a batch of 100 changes",
    "diff of versions 100 edits apart",
];

/// Prints medians at each of `sizes`, and how often each grows tenfold.
pub(crate) fn measure(report: &Report, sizes: &[usize]) -> Result<(), Failed> {
    report.title(&format!("Growth: medians of {ROUNDS} rounds, ms"));
    let mut columns = Vec::new();
    for size in sizes {
        columns.push(column(*size)?);
    }
    let growths = sizes
        .windows(2)
        .map(|pair| format!("{}/{}", short(pair[1]), short(pair[0])));
    let heads = sizes.iter().map(|size| format!("{} jobs", short(*size)));
    report.row("", &heads.chain(growths).collect::<Vec<_>>());
    for (nth, work) in WORK.iter().enumerate() {
        let medians: Vec<f64> = columns.iter().map(|column| column[nth].median()).collect();
        let growths = medians
            .windows(2)
            .map(|pair| format!("{:.1}x", pair[1] / pair[0]));
        let cells = medians.iter().map(|median| number(*median));
        report.row(work, &cells.chain(growths).collect::<Vec<_>>());
    }
    Ok(())
}

fn short(size: usize) -> String {
    match size / 1_000 {
        0 => size.to_string(),
        thousands => format!("{thousands}k"),
    }
}

fn column(size: usize) -> Result<[Samples; WORK.len()], Failed> {
    let [
        mut imports,
        mut saves,
        mut loads,
        mut copies,
        mut exports,
        mut unchanged,
        mut by_hand,
        mut edits,
        mut merges,
        mut batches,
        mut diffs,
    ] = <[Samples; WORK.len()]>::default();
    let (list, options) = (jobs::list(size, Images::None), ImportOptions::default());
    let mut document = jobs::empty(1)?;
    for round in 0..ROUNDS {
        let mut new = jobs::empty(1)?;
        imports.measure(|| new.import(&list, &options))?;
        if round == 0 {
            document = new;
        }
    }
    let keys = jobs::keys(&document);
    let mut writer = Writer {
        keys: &keys,
        nth: Cell::new(0),
    };
    writer.edit(&mut document)?; // The first of an actor costs more: see `actors`.
    for round in 0..ROUNDS {
        let saved = saves.measure(|| document.save());
        let mut loaded = jobs::empty(2)?;
        loads.measure(|| loaded.restore(&[saved]))?;
        drop(copies.measure(|| document.clone()));
        let file = exports.measure(|| document.export(&|_| None));
        unchanged.measure(|| document.import(&file, &options))?;
        let edited = jobs::edited_by_hand(&file, writer.number(round), "by hand")?;
        by_hand.measure(|| document.import(&edited, &options))?;
        let before = document.heads();
        for _ in 0..BATCH_EDITS {
            edits.measure(|| writer.edit(&mut document))?;
        }
        let now = document.heads();
        let diff = diffs.measure(|| document.diff(&before, &now));
        assert_eq!(
            diff.records.len(),
            BATCH_EDITS.min(size),
            "each in another job"
        );
    }
    let mut pair = Pair::new(&document.save())?;
    for _ in 0..ROUNDS {
        merges.push(pair.merge(1, &mut writer)?);
        batches.push(pair.merge(BATCH_EDITS, &mut writer)?);
    }
    Ok([
        imports, saves, loads, copies, exports, unchanged, by_hand, edits, merges, batches, diffs,
    ])
}

/// Makes edits, each of another job and to another value.
pub(crate) struct Writer<'k> {
    keys: &'k [Key],
    nth: Cell<usize>,
}

impl Writer<'_> {
    /// The next edit.
    pub(crate) fn next(&self) -> plainsync_core::edit::StampedEdit {
        let nth = self.nth.get();
        self.nth.set(nth + 1);
        let key = &self.keys[nth % self.keys.len()];
        jobs::set_height(&format!("edit-{nth}"), key, 1_000 + nth)
    }

    fn edit(&mut self, document: &mut Document) -> Result<(), Failed> {
        document.edit(&self.next())?;
        Ok(())
    }

    /// The number of a job for hand edits.
    fn number(&self, round: usize) -> usize {
        (self.keys.len() / 2 + round * 7) % self.keys.len() + 1
    }
}
