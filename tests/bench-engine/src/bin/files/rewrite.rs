//! The JSON is rewritten after an edit: export, and what makes the replacement safe.

use std::path::Path;
use std::sync::Arc;

use plainsync::document::blobs::Blobs;
use plainsync::document::inspect::inspect;
use plainsync::document::projection::{ContentHash, Projection, Replaced};
use plainsync_bench_engine::counted::{Asked, CountedDisk};
use plainsync_bench_engine::fixed::{Failed, ROUNDS};
use plainsync_bench_engine::jobs::{self, Images};
use plainsync_bench_engine::report::Report;
use plainsync_bench_engine::samples::{Samples, milliseconds, timed};
use plainsync_core::plain::import::ImportOptions;

use crate::machine::edit;

/// Jobs in the file.
const JOBS: usize = 10_000;

/// How long rewriting a file without images may take, in milliseconds.
const REWRITE_MS_MAX: f64 = 150.0;

/// Measures a file without images, and one with an image for each job.
pub(crate) fn measure(report: &mut Report, folder: &Path) -> Result<(), Failed> {
    for images in [Images::None, Images::Inlined] {
        rewritten(report, &folder.join(format!("{images:?}")), images)?;
    }
    Ok(())
}

/// The times of all rounds.
#[derive(Default)]
struct Parts {
    whole: Samples,
    export: Samples,
    hash: Samples,
    write: Samples,
    sync: Samples,
    check: Samples,
    read: Samples,
    rename: Samples,
    rest: Samples,
}

fn rewritten(report: &mut Report, folder: &Path, images: Images) -> Result<(), Failed> {
    std::fs::create_dir_all(folder)?;
    let disk = CountedDisk::default();
    let blobs = Blobs::new(
        Arc::new(disk.clone()),
        &folder.join("blobs"),
        &folder.join("job_history.images"),
    );
    let mut document = jobs::empty(1)?;
    let list = jobs::list(JOBS, images);
    let imported = document.import(&list, &ImportOptions::default())?;
    blobs.put_all(&imported.blobs)?;
    let keys = jobs::keys(&document);
    let file = folder.join("job_history.json");
    let mut projection = Projection::new(Arc::new(disk.clone()), file, *document.id());
    let mut parts = Parts::default();
    let mut bytes = 0;
    for round in 0..=ROUNDS {
        document.edit(&edit(&keys, round))?;
        disk.reset();
        let (text, export) = timed(|| {
            document.export(&|hash| {
                blobs
                    .get(hash)
                    .ok()
                    .flatten()
                    .map(|(_, bytes)| bytes.into())
            })
        });
        disk.reset();
        let (_, hash) = timed(|| ContentHash::of(&text)); // The keeper notes it before it writes.
        let heads: Vec<_> = document.heads().iter().map(ToString::to_string).collect();
        let (replaced, replace) = timed(|| projection.replace(&text, &heads));
        assert_eq!(replaced?, Replaced::Written);
        if round == 0 {
            continue; // There was no file to replace and to keep.
        }
        let (checked, check) = timed(|| inspect(&text));
        checked?;
        bytes = text.len();
        parts.whole.push(export + hash + replace);
        parts.export.push(export);
        parts.hash.push(hash);
        parts.check.push(check);
        let mut rest = milliseconds(replace) - milliseconds(check);
        for (samples, asked) in [
            (&mut parts.write, &[Asked::Write][..]),
            (&mut parts.sync, &[Asked::Sync, Asked::SyncFolder]),
            (&mut parts.read, &[Asked::Read]),
            (&mut parts.rename, &[Asked::Name, Asked::Exchange]),
        ] {
            let took = asked.iter().map(|asked| disk.took(*asked)).sum();
            samples.push(took);
            rest -= milliseconds(took);
        }
        parts.rest.push_figure(rest);
    }
    tell(report, images, bytes, &parts);
    Ok(())
}

fn tell(report: &mut Report, images: Images, bytes: usize, parts: &Parts) {
    let mib = bytes as f64 / 1024.0 / 1024.0;
    report.title(&format!(
        "The JSON of {JOBS} jobs is rewritten after an edit, {mib:.1} MiB"
    ));
    match images {
        Images::None => {
            let words = "from document to the file replaced on disk";
            report.bounded(words, parts.whole.median(), REWRITE_MS_MAX, "ms");
        }
        Images::Inlined => {
            let words = "the same with an image of 4 KiB inlined for each job";
            report.spread(words, &parts.whole);
        }
    }
    report.part("export", &parts.export);
    report.part("its hash", &parts.hash);
    report.part("writing it and the backup", &parts.write);
    report.part("fsync of both, and of their folder", &parts.sync);
    report.part("parsing what was written once more", &parts.check);
    report.part(
        "reading what is there, what was written, what was displaced",
        &parts.read,
    );
    report.part("renames", &parts.rename);
    report.part(
        "the rest: comparing, hashing what was displaced",
        &parts.rest,
    );
}
