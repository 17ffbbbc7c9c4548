//! A disk that fails when told to: for tests of what happens then.
//!
//! ```
//! use std::io;
//! use std::path::Path;
//! use plainsync::document::disk::{Disk as _, RealDisk};
//! use plainsync::document::disk::faulty::{FaultyDisk, Operation};
//!
//! let disk = FaultyDisk::new(RealDisk);
//! disk.fail(Operation::Read, "lost.json", io::ErrorKind::PermissionDenied);
//! assert!(disk.read(Path::new("lost.json")).is_err());
//! assert_eq!(disk.failures(), 1);
//! ```
//!
//! **Invariant:** an injected failure leaves the file below as a real one may: a failed write
//! has written half, a failed `sync` or rename has changed nothing.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Disk, DiskFile, Look};

/// What can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Reading a whole file.
    Read,
    /// Making a new file or opening one for appending.
    Open,
    /// Appending bytes.
    Write,
    /// Cutting a file.
    Cut,
    /// `fsync` of a file.
    Sync,
    /// `fsync` of a folder.
    SyncFolder,
    /// Giving a file another name.
    Rename,
    /// Exchanging two files.
    Exchange,
    /// Removing a file.
    Remove,
    /// Making folders.
    Folder,
}

struct Fault {
    operation: Operation,
    name_part: String,
    kind: io::ErrorKind,
    times: usize,
}

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Plan {
    faults: Vec<Fault>,
    hooks: Vec<(Operation, String, Hook)>,
    failures: usize,
    /// Operations that changed something, or tried to.
    changes: usize,
    /// Which of them fails, and how.
    fails_at: Option<(usize, io::ErrorKind)>,
    skips_syncs: bool,
}

/// A disk in front of another one that fails as planned. Clones share one plan.
#[derive(Clone)]
pub struct FaultyDisk {
    below: Arc<dyn Disk>,
    plan: Arc<Mutex<Plan>>,
}

impl FaultyDisk {
    /// A disk that does what `below` does until it is told to fail.
    #[must_use]
    pub fn new(below: impl Disk) -> Self {
        Self {
            below: Arc::new(below),
            plan: Arc::default(),
        }
    }

    /// Makes every `fsync` do nothing: for tests of many small cases that end without a crash.
    #[must_use]
    pub fn without_syncs(self) -> Self {
        self.plan().skips_syncs = true;
        self
    }

    /// From now on, `operation` fails on every path that contains `name_part`.
    pub fn fail(&self, operation: Operation, name_part: &str, kind: io::ErrorKind) {
        self.fail_times(operation, name_part, kind, usize::MAX);
    }

    /// The next `times` times, `operation` fails on a path that contains `name_part`.
    pub fn fail_times(
        &self,
        operation: Operation,
        name_part: &str,
        kind: io::ErrorKind,
        times: usize,
    ) {
        self.plan().faults.push(Fault {
            operation,
            name_part: name_part.to_owned(),
            kind,
            times,
        });
    }

    /// Runs `hook` just before the next `operation` on a path that contains `name_part`: what
    /// another process may do in that moment.
    pub fn before(
        &self,
        operation: Operation,
        name_part: &str,
        hook: impl FnOnce() + Send + 'static,
    ) {
        let hook = (operation, name_part.to_owned(), Box::new(hook) as Hook);
        self.plan().hooks.push(hook);
    }

    /// The `nth` operation from the beginning that changes something fails, counted from 1: for
    /// tests that try every one of them.
    pub fn fail_nth(&self, nth: usize, kind: io::ErrorKind) {
        self.plan().fails_at = Some((nth, kind));
    }

    /// How many operations have changed something, or tried to.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.plan().changes
    }

    /// Forgets every planned failure and hook.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        plan.hooks.clear();
        plan.fails_at = None;
    }

    /// How many operations have failed as planned.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.plan().failures
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, operation: Operation, path: &Path) -> io::Result<()> {
        let name = path.to_string_lossy();
        let mut plan = self.plan();
        let hook = plan
            .hooks
            .iter()
            .position(|(on, part, _)| *on == operation && name.contains(part));
        if let Some(hook) = hook {
            let (_, _, hook) = plan.hooks.remove(hook);
            drop(plan); // The hook may use this disk.
            hook();
            plan = self.plan();
        }
        if operation != Operation::Read {
            plan.changes += 1;
            if let Some((nth, kind)) = plan.fails_at
                && nth == plan.changes
            {
                plan.failures += 1;
                return Err(io::Error::from(kind));
            }
        }
        let fault = plan.faults.iter_mut().find(|fault| {
            fault.operation == operation && fault.times > 0 && name.contains(&fault.name_part)
        });
        let Some(fault) = fault else { return Ok(()) };
        fault.times -= 1;
        let kind = fault.kind;
        plan.failures += 1;
        Err(io::Error::from(kind))
    }

    fn wrap(&self, path: &Path, below: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile {
            disk: self.clone(),
            path: path.to_owned(),
            below,
        })
    }
}

impl Disk for FaultyDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.check(Operation::Read, path)?;
        self.below.read(path)
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        self.below.look(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.below.list(folder)
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        self.check(Operation::Folder, folder)?;
        self.below.create_folders(folder)
    }

    fn create(&self, path: &Path, mode: Option<u32>) -> io::Result<Box<dyn DiskFile>> {
        self.check(Operation::Open, path)?;
        Ok(self.wrap(path, self.below.create(path, mode)?))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.check(Operation::Open, path)?;
        Ok(self.wrap(path, self.below.open_append(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Operation::Rename, to)?;
        self.below.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Operation::Rename, to)?;
        self.below.rename_new(from, to)
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        self.check(Operation::Exchange, other)?;
        self.below.exchange(one, other)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.check(Operation::Remove, path)?;
        self.below.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.check(Operation::SyncFolder, folder)?;
        if self.plan().skips_syncs {
            return Ok(());
        }
        self.below.sync_folder(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        self.check(Operation::Open, path)?;
        self.below.lock(path)
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
    below: Box<dyn DiskFile>,
}

impl DiskFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.disk.check(Operation::Write, &self.path) {
            self.below.append(&bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.below.append(bytes)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.disk.check(Operation::Cut, &self.path)?;
        self.below.cut(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.check(Operation::Sync, &self.path)?;
        if self.disk.plan().skips_syncs {
            return Ok(());
        }
        self.below.sync()
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.disk.check(Operation::Sync, &self.path)?;
        if self.disk.plan().skips_syncs {
            return Ok(());
        }
        self.below.sync_data()
    }

    fn look(&self) -> io::Result<Look> {
        self.below.look()
    }
}
