//! The machine's disk, counting: how often each operation was asked, and how long all took.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plainsync::document::disk::{Disk, DiskFile, Look, RealDisk};

use crate::samples::Samples;

/// What is asked of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// A whole file is read.
    Read,
    /// A file is written to.
    Write,
    /// A file's content is made durable.
    Sync,
    /// Names are: a folder is made durable.
    SyncFolder,
    /// Names change: made, renamed, removed.
    Name,
    /// Two files change names: so the JSON is replaced.
    Exchange,
}

/// Which file it is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// The private journal, which edits are acknowledged from.
    Journal,
    /// Any other.
    Other,
}

/// How often something was asked, how long it took, and how many bytes it was about.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How often.
    pub count: usize,
    /// How long, all of them together.
    pub took: Duration,
    /// How long each.
    pub times: Samples,
    /// How many bytes.
    pub bytes: usize,
}

/// [`RealDisk`], counting. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct CountedDisk(Arc<Mutex<BTreeMap<(Asked, Of), Tally>>>);

impl CountedDisk {
    /// Forgets what was counted.
    pub fn reset(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// How much `asked` was asked of `of`.
    #[must_use]
    pub fn tally(&self, asked: Asked, of: Of) -> Tally {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(asked, of)).cloned().unwrap_or_default()
    }

    /// How long `asked` took, of whichever file.
    #[must_use]
    pub fn took(&self, asked: Asked) -> Duration {
        self.tally(asked, Of::Journal).took + self.tally(asked, Of::Other).took
    }

    /// How long all that was counted took.
    #[must_use]
    pub fn took_all(&self) -> Duration {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().map(|tally| tally.took).sum()
    }

    fn count<T>(&self, asked: Asked, of: Of, bytes: usize, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        let took = started.elapsed();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = all.entry((asked, of)).or_default();
        tally.count += 1;
        tally.took += took;
        tally.times.push(took);
        tally.bytes += bytes;
        done
    }

    fn opened(&self, file: io::Result<Box<dyn DiskFile>>, path: &Path) -> Opened {
        let (disk, of) = (self.clone(), of(path));
        file.map(|file| Box::new(CountedFile { file, disk, of }) as Box<dyn DiskFile>)
    }
}

type Opened = io::Result<Box<dyn DiskFile>>;

fn of(path: &Path) -> Of {
    if path.file_name().is_some_and(|name| name == "journal") {
        Of::Journal
    } else {
        Of::Other
    }
}

impl Disk for CountedDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.count(Asked::Read, of(path), 0, || RealDisk.read(path))
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        RealDisk.look(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        RealDisk.list(folder)
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        RealDisk.create_folders(folder)
    }

    fn create(&self, path: &Path, mode: Option<u32>) -> Opened {
        let made = self.count(Asked::Name, of(path), 0, || RealDisk.create(path, mode));
        self.opened(made, path)
    }

    fn open_append(&self, path: &Path) -> Opened {
        self.opened(RealDisk.open_append(path), path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.count(Asked::Name, of(to), 0, || RealDisk.rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.count(Asked::Name, of(to), 0, || RealDisk.rename_new(from, to))
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        self.count(Asked::Exchange, of(other), 0, || {
            RealDisk.exchange(one, other)
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.count(Asked::Name, of(path), 0, || RealDisk.remove(path))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.count(Asked::SyncFolder, Of::Other, 0, || {
            RealDisk.sync_folder(folder)
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        RealDisk.lock(path)
    }
}

struct CountedFile {
    file: Box<dyn DiskFile>,
    disk: CountedDisk,
    of: Of,
}

impl DiskFile for CountedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = &mut self.file;
        let write = || file.append(bytes);
        self.disk.count(Asked::Write, self.of, bytes.len(), write)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.file.cut(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = &mut self.file;
        self.disk.count(Asked::Sync, self.of, 0, || file.sync())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let file = &mut self.file;
        let sync = || file.sync_data();
        self.disk.count(Asked::Sync, self.of, 0, sync)
    }

    fn look(&self) -> io::Result<Look> {
        self.file.look()
    }
}
