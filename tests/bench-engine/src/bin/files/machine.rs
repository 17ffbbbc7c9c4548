//! A served folder with a made-up history in it, on a disk that counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plainsync::document::{DocumentHandle, DocumentsConfig, Pace};
use plainsync_bench_engine::counted::CountedDisk;
use plainsync_bench_engine::fixed::Failed;
use plainsync_bench_engine::jobs::{self, Images};
use plainsync_core::edit::{Key, StampedEdit};

/// The folder, and what is measured on its disk.
pub(crate) struct Machine {
    /// The folder that is served.
    pub(crate) folder: PathBuf,
    /// Its disk.
    pub(crate) disk: CountedDisk,
    state: PathBuf,
}

impl Machine {
    /// A folder called `name` below `root` with a history of so many jobs.
    pub(crate) fn new(
        root: &Path,
        name: &str,
        jobs: usize,
        images: Images,
    ) -> Result<Self, Failed> {
        let machine = Self {
            folder: root.join(name).join("dashboards"),
            disk: CountedDisk::default(),
            state: root.join(name).join("state"),
        };
        std::fs::create_dir_all(&machine.folder)?;
        std::fs::write(machine.file(), jobs::list(jobs, images))?;
        Ok(machine)
    }

    /// The JSON.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("job_history.json")
    }

    /// The private journal of its document, once that was opened.
    pub(crate) fn journal(&self) -> Result<PathBuf, Failed> {
        let mut folders = vec![self.state.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name == "journal") {
                    return Ok(path);
                }
            }
        }
        Err("no journal".into())
    }

    /// How it is opened.
    pub(crate) fn config(&self, pace: Pace) -> DocumentsConfig {
        DocumentsConfig {
            state: Some(self.state.clone()),
            pace,
            disk: Arc::new(self.disk.clone()),
            ..DocumentsConfig::new(&self.folder)
        }
    }
}

/// A pace that leaves the file alone: edits are journalled, and nothing else happens.
pub(crate) fn never() -> Pace {
    let hours = Duration::from_secs(24 * 3_600);
    Pace {
        poll: hours,
        quiet: hours,
        busy: hours,
        follow: hours,
        ..Pace::default()
    }
}

/// A pace at which the file is written again as soon as it is written.
pub(crate) fn over_and_over() -> Pace {
    Pace {
        quiet: Duration::ZERO,
        busy: Duration::ZERO,
        follow: Duration::ZERO,
        rest_factor: 0,
        ..Pace::default()
    }
}

/// The keys of all jobs that `document` shows.
pub(crate) fn keys(document: &DocumentHandle) -> Vec<Key> {
    let snapshot = document.snapshot();
    snapshot.rows().map(|row| row.key.clone()).collect()
}

/// The edit with this number: each of another job, to another value.
pub(crate) fn edit(keys: &[Key], nth: usize) -> StampedEdit {
    jobs::set_height(
        &format!("edit-{nth:08}"),
        &keys[nth * 7 % keys.len()],
        1_000 + nth,
    )
}
