//! A disk that loses its power: what was not synced may be gone, torn or there without what
//! was written before it.
//!
//! ```
//! use std::path::Path;
//! use plainsync::document::disk::{Disk as _, power::PowerDisk};
//!
//! # fn main() -> std::io::Result<()> {
//! let folder = tempfile::tempdir()?;
//! let disk = PowerDisk::new(folder.path())?;
//! let path = folder.path().join("never-synced.json");
//! disk.create(&path, None)?.append(b"{}")?;
//! disk.restart(&mut |_| 0)?; // Chance takes the first, worst choice: all of it is gone.
//! assert!(!path.exists());
//! # Ok(()) }
//! ```
//!
//! The model is the weakest that POSIX allows: `fsync` of a file makes its content durable but
//! not its name, `fsync` of a folder makes names durable but not content, and of what is not
//! durable any part may be on the disk, later parts without earlier ones. One change of names
//! (a rename, an exchange) happens whole or not at all, as journalling file systems have it.
//! The same questions to a disk are asked in "All File Systems Are Not Created Equal" (Pillai
//! and others, OSDI 2014).
//!
//! **Invariant:** until [`PowerDisk::restart`] the folder below is what a process would see.
//! Files that others write there count as durable.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, Look, RealDisk, folder_of};

/// Draws a number below the one given: the chance that decides what survives.
pub type Chance<'a> = &'a mut dyn FnMut(usize) -> usize;

/// See the module's text. Clones are one disk.
#[derive(Clone)]
pub struct PowerDisk {
    root: PathBuf,
    model: Arc<Mutex<Model>>,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Folder,
    File(usize),
}

/// One change of names, which happens whole or not at all.
type Step = Vec<(PathBuf, Option<Entry>)>;

enum Write {
    Append(Vec<u8>),
    Cut(usize),
}

#[derive(Default)]
struct Content {
    durable: Vec<u8>,
    /// What was written since the last `fsync`, in order.
    unsynced: Vec<Write>,
    mode: Option<u32>,
}

#[derive(Default)]
struct Model {
    contents: Vec<Content>,
    /// The names that processes see.
    live: BTreeMap<PathBuf, Entry>,
    /// The names that are certainly on the disk.
    durable: BTreeMap<PathBuf, Entry>,
    /// How the first came from the second.
    pending: Vec<Step>,
    operations: usize,
    goes_at: Option<usize>,
}

impl PowerDisk {
    /// The disk that holds `root` and all below it; what is there is durable.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn new(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        let model = Arc::default();
        Ok(Self { root, model })
    }

    /// The power goes before the `nth` operation that changes something, counted from 1: it and
    /// everything after it, reads included, fails.
    pub fn goes_at(&self, nth: usize) {
        self.model().goes_at = Some(nth);
    }

    /// How many operations have changed something, or tried to.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.model().operations
    }

    /// The power is back: the folder below becomes one of the states that the disk may be in.
    /// `chance` decides which; 0 is always the one with the least in it.
    ///
    /// # Errors
    ///
    /// Those of the file system below.
    pub fn restart(&self, chance: Chance<'_>) -> io::Result<()> {
        let mut model = self.model();
        let names = model.surviving_names(chance);
        let mut contents = Vec::new();
        for content in &model.contents {
            contents.push(content.surviving(chance));
        }
        for entry in fs::read_dir(&self.root)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(&path)?;
            } else {
                fs::remove_file(&path)?;
            }
        }
        for (path, entry) in &names {
            match *entry {
                Entry::Folder => fs::create_dir_all(path)?,
                Entry::File(which) => {
                    let mode = model.contents[which].mode;
                    RealDisk.create(path, mode)?.append(&contents[which])?;
                }
            }
        }
        *model = Model::default();
        Ok(())
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model, to change something in it, while there is power.
    fn changing(&self) -> io::Result<MutexGuard<'_, Model>> {
        let mut model = self.model();
        model.operations += 1;
        model.powered()?;
        Ok(model)
    }
}

impl Model {
    fn powered(&self) -> io::Result<()> {
        match self.goes_at {
            Some(nth) if self.operations >= nth => Err(io::Error::other("the power is gone")),
            _ => Ok(()),
        }
    }

    /// What is at `path`, which others may have put there or taken away.
    fn entry(&mut self, path: &Path) -> io::Result<Option<Entry>> {
        let Ok(metadata) = fs::metadata(path) else {
            self.live.remove(path);
            self.durable.remove(path);
            return Ok(None);
        };
        if let Some(entry) = self.live.get(path) {
            return Ok(Some(*entry));
        }
        let entry = if metadata.is_dir() {
            Entry::Folder
        } else {
            self.contents.push(Content {
                durable: RealDisk.read(path)?,
                unsynced: Vec::new(),
                mode: RealDisk.look(path)?.mode,
            });
            Entry::File(self.contents.len() - 1)
        };
        self.live.insert(path.to_owned(), entry);
        self.durable.insert(path.to_owned(), entry);
        Ok(Some(entry))
    }

    fn step(&mut self, step: Step) {
        for (path, entry) in &step {
            put(&mut self.live, path, *entry);
        }
        self.pending.push(step);
    }

    fn new_file(&mut self, path: &Path, mode: Option<u32>) -> usize {
        self.contents.push(Content {
            mode,
            ..Content::default()
        });
        let which = self.contents.len() - 1;
        self.step(vec![(path.to_owned(), Some(Entry::File(which)))]);
        which
    }

    /// Makes durable what changed names in `folder`, and what that builds on.
    fn sync_names(&mut self, folder: &Path) {
        let mut named = BTreeSet::new();
        let (mut synced, mut left) = (Vec::new(), Vec::new());
        for step in self.pending.drain(..).rev() {
            let counts = step
                .iter()
                .any(|(path, _)| folder_of(path) == folder || named.contains(path));
            if counts {
                named.extend(step.iter().map(|(path, _)| path.clone()));
                synced.push(step);
            } else {
                left.push(step);
            }
        }
        left.reverse();
        self.pending = left;
        for (path, entry) in synced.into_iter().rev().flatten() {
            put(&mut self.durable, &path, entry);
        }
    }

    fn surviving_names(&mut self, chance: Chance<'_>) -> BTreeMap<PathBuf, Entry> {
        let mut names = self.durable.clone();
        // Nothing, a beginning, all, or any part.
        let way = chance(4);
        let first = chance(self.pending.len() + 1);
        for (nth, step) in self.pending.iter().enumerate() {
            let survives = match way {
                0 => false,
                1 => nth < first,
                2 => true,
                _ => chance(2) == 1,
            };
            if survives {
                for (path, entry) in step {
                    put(&mut names, path, *entry);
                }
            }
        }
        let folders: BTreeSet<_> = names
            .iter()
            .filter(|(_, entry)| **entry == Entry::Folder)
            .map(|(path, _)| path.clone())
            .collect();
        let known = |path: &Path| !self.live.contains_key(path) && !folders.contains(path);
        names.retain(|path, _| {
            // A folder that the model never saw made was there before.
            path.ancestors()
                .skip(1)
                .all(|above| folders.contains(above) || known(above))
        });
        names
    }
}

impl Content {
    fn apply(content: &mut Vec<u8>, write: &Write) {
        match write {
            Write::Append(bytes) => content.extend_from_slice(bytes),
            Write::Cut(len) => content.truncate(*len),
        }
    }

    fn surviving(&self, chance: Chance<'_>) -> Vec<u8> {
        let mut content = self.durable.clone();
        if self.unsynced.is_empty() {
            return content;
        }
        let way = chance(4);
        let writes = match way {
            0 => 0,
            1 => chance(self.unsynced.len() + 1),
            _ => self.unsynced.len(),
        };
        for write in &self.unsynced[..writes] {
            Self::apply(&mut content, write);
        }
        let unsure = self.durable.len().min(content.len());
        match way {
            // Torn inside what was not synced.
            1 if content.len() > unsure => {
                content.truncate(unsure + chance(content.len() - unsure + 1));
            }
            // The length is there, a part of the content is not.
            3 if content.len() > unsure => {
                let from = unsure + chance(content.len() - unsure);
                let to = from + 1 + chance(content.len() - from);
                content[from..to].fill(0);
            }
            _ => {}
        }
        content
    }
}

fn put(names: &mut BTreeMap<PathBuf, Entry>, path: &Path, entry: Option<Entry>) {
    match entry {
        Some(entry) => names.insert(path.to_owned(), entry),
        None => names.remove(path),
    };
}

impl Disk for PowerDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.model().powered()?;
        RealDisk.read(path)
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        self.model().powered()?;
        RealDisk.look(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.model().powered()?;
        RealDisk.list(folder)
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        let mut model = self.changing()?;
        let above: Vec<_> = folder
            .ancestors()
            .take_while(|path| path.starts_with(&self.root))
            .collect();
        for path in above.into_iter().rev() {
            if model.entry(path)?.is_none() {
                RealDisk.create_folders(path)?;
                model.step(vec![(path.to_owned(), Some(Entry::Folder))]);
            }
        }
        Ok(())
    }

    fn create(&self, path: &Path, mode: Option<u32>) -> io::Result<Box<dyn DiskFile>> {
        let mut model = self.changing()?;
        let below = RealDisk.create(path, mode)?;
        let which = model.new_file(path, mode);
        drop(model);
        Ok(Box::new(PowerFile {
            disk: self.clone(),
            which,
            below,
        }))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut model = self.changing()?;
        let found = model.entry(path)?;
        let below = RealDisk.open_append(path)?;
        let which = match found {
            Some(Entry::File(which)) => which,
            _ => model.new_file(path, Some(0o600)),
        };
        drop(model);
        Ok(Box::new(PowerFile {
            disk: self.clone(),
            which,
            below,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut model = self.changing()?;
        let (entry, _) = (model.entry(from)?, model.entry(to)?);
        RealDisk.rename(from, to)?;
        model.step(vec![(from.to_owned(), None), (to.to_owned(), entry)]);
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut model = self.changing()?;
        let entry = model.entry(from)?;
        RealDisk.rename_new(from, to)?;
        model.step(vec![(from.to_owned(), None), (to.to_owned(), entry)]);
        Ok(())
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        let mut model = self.changing()?;
        let (first, second) = (model.entry(one)?, model.entry(other)?);
        RealDisk.exchange(one, other)?;
        model.step(vec![(one.to_owned(), second), (other.to_owned(), first)]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut model = self.changing()?;
        model.entry(path)?;
        RealDisk.remove(path)?;
        model.step(vec![(path.to_owned(), None)]);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.changing()?.sync_names(folder);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        let mut model = self.changing()?;
        let locked = RealDisk.lock(path)?;
        model.entry(path)?;
        Ok(locked)
    }
}

struct PowerFile {
    disk: PowerDisk,
    which: usize,
    below: Box<dyn DiskFile>,
}

impl PowerFile {
    fn write(&mut self, write: Write) -> io::Result<()> {
        let mut model = self.disk.changing()?;
        match &write {
            Write::Append(bytes) => self.below.append(bytes)?,
            Write::Cut(len) => self.below.cut(*len as u64)?,
        }
        if let Some(content) = model.contents.get_mut(self.which) {
            content.unsynced.push(write);
        }
        Ok(())
    }
}

impl DiskFile for PowerFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(Write::Append(bytes.to_vec()))
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.write(Write::Cut(len))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut model = self.disk.changing()?;
        if let Some(content) = model.contents.get_mut(self.which) {
            for write in std::mem::take(&mut content.unsynced) {
                Content::apply(&mut content.durable, &write);
            }
        }
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.sync()
    }

    fn look(&self) -> io::Result<Look> {
        self.below.look()
    }
}
