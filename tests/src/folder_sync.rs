//! A folder syncer as several kinds behave: a cloud with revisions, and machines that upload and
//! download one file at a time, in any order.
//!
//! A file that changed on both sides is kept twice: the machine's own content gets the name of a
//! conflict copy. Downloads may be torn (half of it first), late (an older revision first) or
//! repeated. Files are only copied: nothing here knows what is in them.
//!
//! ```
//! use plainsync_tests::chance::Chance;
//! use plainsync_tests::folder_sync::Cloud;
//!
//! let (ours, theirs) = (tempfile::tempdir()?, tempfile::tempdir()?);
//! std::fs::write(ours.path().join("a.txt"), "hello")?;
//! let mut cloud = Cloud::new(vec![ours.path().into(), theirs.path().into()]);
//! while cloud.sync_all() > 0 {}
//! assert_eq!(std::fs::read(theirs.path().join("a.txt"))?, b"hello");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::chance::Chance;

/// Earlier revisions of a file that a late download may bring.
const REVISIONS_KEPT: usize = 3;

/// What the cloud has of one file: its revisions, the last one newest. `None` is a deletion.
#[derive(Debug, Default)]
struct Stored {
    newest: u64,
    kept: Vec<(u64, Option<Vec<u8>>)>,
}

/// What a machine had of one file when it was last in step.
#[derive(Clone, Debug, Default, PartialEq)]
struct InStep {
    revision: u64,
    content: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Machine {
    folder: PathBuf,
    in_step: BTreeMap<String, InStep>,
}

/// See the module's text.
#[derive(Debug)]
pub struct Cloud {
    files: BTreeMap<String, Stored>,
    machines: Vec<Machine>,
    copies: u64,
    /// Conflict copies made so far.
    pub conflicts: u64,
    /// Downloads that came torn, late or twice.
    pub faults: u64,
}

impl Cloud {
    /// An empty cloud for machines that share these folders.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        let machines = folders.into_iter().map(|folder| Machine {
            folder,
            in_step: BTreeMap::new(),
        });
        Self {
            files: BTreeMap::new(),
            machines: machines.collect(),
            copies: 0,
            conflicts: 0,
            faults: 0,
        }
    }

    /// Moves one file of one machine, whichever way it has to go, perhaps badly.
    pub fn step(&mut self, chance: &mut Chance) {
        let machine = usize::try_from(chance.below(self.machines.len() as u64)).expect("small");
        let out_of_step = self.out_of_step(machine);
        if out_of_step.is_empty() {
            self.repeat(machine, chance);
            return;
        }
        let nth = usize::try_from(chance.below(out_of_step.len() as u64)).expect("small");
        let fault = chance.below(12);
        self.sync(machine, &out_of_step[nth], Some(fault));
    }

    /// Brings every file of every machine in step, once; returns how many were not.
    pub fn sync_all(&mut self) -> usize {
        let mut moved = 0;
        for machine in 0..self.machines.len() {
            for path in self.out_of_step(machine) {
                self.sync(machine, &path, None);
                moved += 1;
            }
        }
        moved
    }

    /// The files that differ from the cloud's, by what the machine knows.
    fn out_of_step(&self, machine: usize) -> Vec<String> {
        let found = &self.machines[machine];
        let mut paths = BTreeSet::new();
        list(&found.folder, &found.folder, &mut paths);
        paths.extend(self.files.keys().cloned());
        let out = paths.into_iter().filter(|path| {
            let known = found.in_step.get(path).cloned().unwrap_or_default();
            let newest = self.files.get(path).map_or(0, |stored| stored.newest);
            known.revision != newest || read(&found.folder, path) != known.content
        });
        out.collect()
    }

    fn sync(&mut self, machine: usize, path: &str, fault: Option<u64>) {
        let found = &mut self.machines[machine];
        let stored = self.files.entry(path.to_owned()).or_default();
        let known = found.in_step.get(path).cloned().unwrap_or_default();
        let here = read(&found.folder, path);
        let (changed_here, changed_there) =
            (here != known.content, known.revision != stored.newest);
        let there = stored.kept.last().and_then(|(_, content)| content.clone());
        if changed_here && (!changed_there || there == here) {
            if there != here {
                stored.newest += 1;
                stored.kept.push((stored.newest, here.clone()));
                if stored.kept.len() > REVISIONS_KEPT {
                    stored.kept.remove(0);
                }
            }
            let in_step = InStep {
                revision: stored.newest,
                content: here,
            };
            found.in_step.insert(path.to_owned(), in_step);
            return;
        }
        if let (true, Some(here)) = (changed_here, &here) {
            // Both sides changed: the machine's own content is kept under another name.
            self.copies += 1;
            let copy = conflict_name(path, self.copies);
            write(&found.folder, &copy, here);
            self.conflicts += 1;
        }
        let mut revision = stored.newest;
        let mut content = there;
        match fault {
            Some(0) if !changed_here => {
                // Late: an older revision comes first.
                if let Some((older, then)) = stored
                    .kept
                    .iter()
                    .find(|(older, _)| *older > known.revision && *older < stored.newest)
                {
                    (revision, content) = (*older, then.clone());
                    self.faults += 1;
                }
            }
            Some(1) => {
                // Torn: half of it is there for a while, and then it is tried again.
                if let Some(whole) = &content {
                    let half = whole[..whole.len() / 2].to_vec();
                    write(&found.folder, path, &half);
                    let in_step = InStep {
                        revision: known.revision,
                        content: Some(half),
                    };
                    found.in_step.insert(path.to_owned(), in_step);
                    self.faults += 1;
                    return;
                }
            }
            Some(2) => {
                // Under a temporary name first, as Syncthing writes.
                if let Some(whole) = &content {
                    let temporary = found.folder.join(".syncthing.arriving.tmp");
                    fs::write(&temporary, whole).expect("a temporary file");
                    let _ = fs::remove_file(&temporary);
                }
            }
            _ => {}
        }
        match &content {
            Some(content) => write(&found.folder, path, content),
            None => drop(fs::remove_file(found.folder.join(path))),
        }
        found
            .in_step
            .insert(path.to_owned(), InStep { revision, content });
    }

    /// Downloads a file again that is in step.
    fn repeat(&mut self, machine: usize, chance: &mut Chance) {
        let found = &self.machines[machine];
        let nth = usize::try_from(chance.below(found.in_step.len().max(1) as u64)).expect("small");
        if let Some((path, known)) = found.in_step.iter().nth(nth)
            && let Some(content) = &known.content
        {
            write(&found.folder, path, content);
            self.faults += 1;
        }
    }
}

/// The name that one of five syncers gives to a conflict copy of `path`.
fn conflict_name(path: &str, nth: u64) -> String {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let dot = path[at..].rfind('.').map_or(path.len(), |dot| at + dot);
    let (stem, extension) = path.split_at(dot);
    match nth % 5 {
        0 => format!("{stem} (Ann's conflicted copy 2026-01-31 {nth}){extension}"),
        1 => format!("{stem}.sync-conflict-20260131-{nth:06}-ABCDEFG{extension}"),
        2 => format!("{stem}-DESKTOP-{nth}{extension}"),
        3 => format!("{stem} ({nth}){extension}"),
        _ => format!("{stem} {nth}{extension}"),
    }
}

fn list(root: &Path, folder: &Path, paths: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            list(root, &path, paths);
            continue;
        }
        let relative = path.strip_prefix(root).expect("below it");
        let text = relative.to_string_lossy().into_owned();
        // A lock holds on one machine; syncers are told to leave it alone.
        if text != ".plainsync/lock" {
            paths.insert(text);
        }
    }
}

fn read(folder: &Path, path: &str) -> Option<Vec<u8>> {
    fs::read(folder.join(path)).ok()
}

fn write(folder: &Path, path: &str, content: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    // In place by some syncers, by another name by others: as it comes.
    if content.len().is_multiple_of(2) {
        let temporary = path.with_file_name("~syncthing~arriving.tmp");
        fs::write(&temporary, content).expect("it is written");
        fs::rename(&temporary, &path).expect("it gets its name");
    } else {
        fs::write(&path, content).expect("it is written");
    }
}
