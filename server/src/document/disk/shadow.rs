//! A disk that is only looked at: what is written to it stays in memory and ends with it.
//!
//! Documents open on it as on the machine's own disk, with the same code: what they would
//! write can be read back, and nothing of it happened.
//!
//! ```
//! use plainsync::document::disk::{Disk as _, ShadowDisk, write_whole};
//!
//! let disk = ShadowDisk::new();
//! let path = std::env::temp_dir().join("never-there");
//! write_whole(&disk, &path, b"words", None)?;
//! assert_eq!(disk.read(&path)?, b"words");
//! assert!(!path.exists());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **Invariant:** nothing here changes, makes or removes a file or a folder of the machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::real::RealDisk;
use super::{Disk, DiskFile, Look, folder_of};

/// Where the numbers of files begin that are only here: no file system counts this far.
const FIRST_INODE: u64 = 1 << 62;

/// See the module's text.
pub struct ShadowDisk {
    real: RealDisk,
    changed: Mutex<BTreeMap<PathBuf, Entry>>,
    next_inode: AtomicU64,
}

/// What a name has become.
#[derive(Clone)]
enum Entry {
    File(Content),
    Folder,
    Gone,
}

/// A file that is only here.
#[derive(Clone)]
struct Content {
    bytes: Arc<Mutex<Vec<u8>>>,
    inode: u64,
    mode: Option<u32>,
}

impl ShadowDisk {
    /// The machine's disk as it is, and as it stays.
    #[must_use]
    pub fn new() -> Self {
        Self {
            real: RealDisk,
            changed: Mutex::default(),
            next_inode: AtomicU64::new(FIRST_INODE),
        }
    }

    /// Lets `path` seem not to be there.
    pub fn hide(&self, path: &Path) {
        self.changed().insert(path.to_owned(), Entry::Gone);
    }

    /// Lets `path` seem to hold `bytes`.
    pub fn show(&self, path: &Path, bytes: Vec<u8>) {
        let content = self.content(bytes, Some(0o600));
        self.changed().insert(path.to_owned(), Entry::File(content));
    }

    fn changed(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Entry>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry(&self, path: &Path) -> Option<Entry> {
        self.changed().get(path).cloned()
    }

    fn content(&self, bytes: Vec<u8>, mode: Option<u32>) -> Content {
        Content {
            bytes: Arc::new(Mutex::new(bytes)),
            inode: self.next_inode.fetch_add(1, Ordering::Relaxed),
            mode,
        }
    }

    fn exists(&self, path: &Path) -> bool {
        match self.entry(path) {
            Some(Entry::Gone) => false,
            Some(_) => true,
            None => path.symlink_metadata().is_ok(),
        }
    }

    /// The file at `path`, copied into memory if it was not there yet.
    fn own(&self, path: &Path) -> io::Result<Content> {
        match self.entry(path) {
            Some(Entry::File(content)) => Ok(content),
            Some(Entry::Gone) => Err(io::ErrorKind::NotFound.into()),
            Some(Entry::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => {
                let look = self.real.look(path)?;
                Ok(self.content(self.real.read(path)?, look.mode))
            }
        }
    }
}

impl Default for ShadowDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk for ShadowDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.entry(path) {
            Some(Entry::File(content)) => Ok(content.lock().clone()),
            Some(Entry::Gone) => Err(io::ErrorKind::NotFound.into()),
            Some(Entry::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => self.real.read(path),
        }
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        match self.entry(path) {
            Some(Entry::File(content)) => Ok(content.look()),
            Some(Entry::Gone) => Err(io::ErrorKind::NotFound.into()),
            Some(Entry::Folder) => Ok(Look {
                len: 0,
                modified: None,
                inode: 0,
                mode: None,
            }),
            None => self.real.look(path),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let changed = self.changed();
        let below = || {
            let named = changed.iter().filter(|(path, _)| folder_of(path) == folder);
            named.filter_map(|(path, entry)| Some((path.file_name()?.to_owned(), entry)))
        };
        let mut names = match self.real.list(folder) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_here = matches!(changed.get(folder), Some(Entry::Folder));
                if !is_here && below().next().is_none() {
                    return Err(error);
                }
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        for (name, entry) in below() {
            names.retain(|known| *known != name);
            if !matches!(entry, Entry::Gone) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        let missing = folder.ancestors().take_while(|above| !self.exists(above));
        for above in missing.collect::<Vec<_>>() {
            self.changed().insert(above.to_owned(), Entry::Folder);
        }
        Ok(())
    }

    fn create(&self, path: &Path, mode: Option<u32>) -> io::Result<Box<dyn DiskFile>> {
        if self.exists(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !self.exists(folder_of(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let content = self.content(Vec::new(), mode);
        let entry = Entry::File(content.clone());
        self.changed().insert(path.to_owned(), entry);
        Ok(Box::new(content))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let content = match self.own(path) {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && self.exists(folder_of(path)) =>
            {
                self.content(Vec::new(), Some(0o600))
            }
            other => other?,
        };
        let entry = Entry::File(content.clone());
        self.changed().insert(path.to_owned(), entry);
        Ok(Box::new(content))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let content = self.own(from)?;
        let mut changed = self.changed();
        changed.insert(from.to_owned(), Entry::Gone);
        changed.insert(to.to_owned(), Entry::File(content));
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.exists(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to)
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        let (first, second) = (self.own(one)?, self.own(other)?);
        let mut changed = self.changed();
        changed.insert(one.to_owned(), Entry::File(second));
        changed.insert(other.to_owned(), Entry::File(first));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if !self.exists(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.hide(path);
        Ok(())
    }

    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(()) // There is nothing to make durable.
    }

    /// Only finds out whether somebody has the lock: who looks keeps nobody out.
    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        match File::open(path) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        tempfile::tempfile().map(Some) // What is written to it has no name.
    }
}

impl Content {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Look {
        Look {
            len: self.lock().len() as u64,
            modified: None,
            inode: self.inode,
            mode: self.mode,
        }
    }
}

impl DiskFile for Content {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.lock().extend_from_slice(bytes);
        Ok(())
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.lock()
            .truncate(usize::try_from(len).unwrap_or(usize::MAX));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn look(&self) -> io::Result<Look> {
        Ok(Content::look(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::disk::write_whole;

    /// One step on a disk, as words that can be compared.
    type Step = (&'static str, fn(&dyn Disk, &Path) -> io::Result<String>);

    const STEPS: &[Step] = &[
        ("read", |disk, at| text(disk, &at.join("a"))),
        ("read nothing", |disk, at| text(disk, &at.join("nothing"))),
        ("read a folder", |disk, at| text(disk, at)),
        ("write whole", |disk, at| {
            write_whole(disk, &at.join("b"), b"new", None)?;
            text(disk, &at.join("b"))
        }),
        ("create again", |disk, at| {
            disk.create(&at.join("b"), None).map(|_| String::new())
        }),
        ("append", |disk, at| {
            let mut file = disk.open_append(&at.join("a"))?;
            file.append(b" and more")?;
            let len = file.look()?.len;
            file.cut(5)?;
            Ok(format!("{len} {}", text(disk, &at.join("a"))?))
        }),
        ("append to nothing", |disk, at| {
            disk.open_append(&at.join("c"))?.append(b"c")?;
            text(disk, &at.join("c"))
        }),
        ("rename over", |disk, at| {
            disk.rename(&at.join("c"), &at.join("a"))?;
            text(disk, &at.join("a"))
        }),
        ("rename nothing", |disk, at| {
            disk.rename(&at.join("c"), &at.join("d"))
                .map(|()| String::new())
        }),
        ("rename to what is there", |disk, at| {
            disk.rename_new(&at.join("a"), &at.join("b"))
                .map(|()| String::new())
        }),
        ("exchange", |disk, at| {
            disk.exchange(&at.join("a"), &at.join("b"))?;
            Ok(text(disk, &at.join("a"))? + &text(disk, &at.join("b"))?)
        }),
        ("make folders", |disk, at| {
            disk.create_folders(&at.join("x/y"))?;
            write_whole(disk, &at.join("x/y/z"), b"deep", None)?;
            names(disk, &at.join("x/y"))
        }),
        ("list", |disk, at| names(disk, at)),
        ("remove", |disk, at| {
            disk.remove(&at.join("b"))?;
            names(disk, at)
        }),
        ("remove again", |disk, at| {
            disk.remove(&at.join("b")).map(|()| String::new())
        }),
        ("create in no folder", |disk, at| {
            disk.create(&at.join("nowhere/b"), None)
                .map(|_| String::new())
        }),
        ("append in no folder", |disk, at| {
            disk.open_append(&at.join("nowhere/b"))
                .map(|_| String::new())
        }),
        ("look at what is gone", |disk, at| {
            disk.look(&at.join("b")).map(|look| look.len.to_string())
        }),
        ("look", |disk, at| {
            disk.look(&at.join("a")).map(|look| look.len.to_string())
        }),
        ("list nothing", |disk, at| names(disk, &at.join("nothing"))),
    ];

    fn text(disk: &dyn Disk, path: &Path) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&disk.read(path)?).into_owned())
    }

    fn names(disk: &dyn Disk, folder: &Path) -> io::Result<String> {
        let mut names = disk.list(folder)?;
        names.sort();
        Ok(format!("{names:?}"))
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a"), "first").expect("written");
        folder
    }

    /// It answers as the machine's disk does, step by step, and changes nothing there.
    #[test]
    fn a_shadow_behaves_like_the_disk_and_leaves_it_alone() {
        let (real, shown) = (folder(), folder());
        let shadow = ShadowDisk::new();
        for (name, step) in STEPS {
            let expected = step(&RealDisk, real.path()).map_err(|error| error.kind());
            let found = step(&shadow, shown.path()).map_err(|error| error.kind());
            assert_eq!(found, expected, "{name}");
        }
        let left = names(&RealDisk, shown.path()).expect("listed");
        assert_eq!(left, "[\"a\"]");
        assert_eq!(
            text(&RealDisk, &shown.path().join("a")).expect("read"),
            "first"
        );
    }

    #[test]
    fn f11_a_shadow_sees_a_lock_and_keeps_nobody_out() {
        let folder = folder();
        let path = folder.path().join("lock");
        let shadow = ShadowDisk::new();
        assert!(shadow.lock(&path).expect("asked").is_some());
        assert!(!path.exists(), "asking makes no lock file");
        let held = RealDisk.lock(&path).expect("asked").expect("free");
        assert!(shadow.lock(&path).expect("asked").is_none());
        drop(held);
        let _asked = shadow.lock(&path).expect("asked").expect("free");
        assert!(RealDisk.lock(&path).expect("asked").is_some());
    }
}
