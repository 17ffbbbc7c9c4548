//! The disk, as far as a document uses it: every file operation of this folder goes through
//! [`Disk`], so that a test can make any one of them fail.
//!
//! [`RealDisk`] is the machine's; [`ShadowDisk`] shows it and never writes to it;
//! [`faulty::FaultyDisk`] wraps another one and fails where it is told to;
//! [`power::PowerDisk`] forgets what was not synced.
//!
//! **Invariant:** nothing here retries. An operation that failed has failed, and what it may
//! have half done is the caller's to put right.

pub mod faulty;
pub mod power;
mod real;
mod release;
mod shadow;

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use real::RealDisk;
use sha2::{Digest as _, Sha256};
pub use shadow::ShadowDisk;

use super::way::{PIECE_BYTES, give_way, is_behind};

/// What is known of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Length in bytes.
    pub len: u64,
    /// When its content changed last, as the file system says.
    pub modified: Option<SystemTime>,
    /// Which file it is, where file systems number them; else 0.
    pub inode: u64,
    /// Permission bits, where there are any.
    pub mode: Option<u32>,
}

/// The file operations that a document needs.
///
/// All of them block; none may be called on a thread that serves sockets.
pub trait Disk: Send + Sync + 'static {
    /// The whole content of `path`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// What `path` is, symlinks followed.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::NotFound`] when there is nothing.
    fn look(&self, path: &Path) -> io::Result<Look>;

    /// The names in `folder`, in no meaningful order.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Makes `folder` and the folders above it where they are missing. After a crash they may
    /// be missing again: [`make_folders`] makes them durable.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn create_folders(&self, folder: &Path) -> io::Result<()>;

    /// Makes `path`, which must not exist yet, with these permission bits if any are given.
    ///
    /// # Errors
    ///
    /// Those of the file system; [`io::ErrorKind::AlreadyExists`].
    fn create(&self, path: &Path, mode: Option<u32>) -> io::Result<Box<dyn DiskFile>>;

    /// Opens `path` for appending, made if absent, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives `from` the name `to`, in place of what has it.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives `from` the name `to`, which nobody has.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] when somebody has it by now, where the system can tell;
    /// else those of the file system.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Exchanges two files in one step: each has the other's name afterwards.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] where the system or the file system has no such step,
    /// with nothing changed; else those of the file system.
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()>;

    /// Removes the file `path`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in `folder` durable.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Takes the exclusive lock on `path`, made if absent. `None`: another process has it.
    ///
    /// The lock lasts as long as the returned file is open.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn lock(&self, path: &Path) -> io::Result<Option<File>>;
}

/// One open file.
pub trait DiskFile: Send {
    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    ///
    /// Those of the file system; a part of `bytes` may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `len` bytes; later writes go after them.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn cut(&mut self, len: u64) -> io::Result<()>;

    /// Makes content and permissions durable.
    ///
    /// # Errors
    ///
    /// Those of the file system. After one, what was written since the last success may be
    /// lost although a repeated call succeeds: this descriptor is of no more use.
    fn sync(&mut self) -> io::Result<()>;

    /// Makes the content durable, and of the rest only what reading it back needs.
    ///
    /// # Errors
    ///
    /// As [`DiskFile::sync`].
    fn sync_data(&mut self) -> io::Result<()>;

    /// What the open file is.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    fn look(&self) -> io::Result<Look>;
}

/// Makes `folder` and the folders above it where they are missing, durably.
///
/// # Errors
///
/// Those of the file system; some of the folders may have been made.
pub fn make_folders(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    let missing: Vec<_> = folder
        .ancestors()
        .take_while(|path| *path != Path::new("") && disk.look(path).is_err())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    disk.create_folders(folder)?;
    // From the top, so that what is durable can always be reached.
    for made in missing.into_iter().rev() {
        disk.sync_folder(folder_of(made))?;
    }
    Ok(())
}

/// Writes `bytes` to `path` so that it holds all of them or what it held before, durably.
///
/// # Errors
///
/// Those of the file system; `path` is as it was, unless the last step, the folder's own
/// `fsync`, is the one that failed.
pub fn write_whole(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: Option<u32>,
) -> io::Result<()> {
    replace_whole(disk, path, bytes, mode)?;
    disk.sync_folder(folder_of(path))
}

/// As [`write_whole`], but after a crash `path` may have its old content still: for what is
/// followed by a `fsync` of the folder anyway.
///
/// # Errors
///
/// Those of the file system; `path` is as it was.
pub fn replace_whole(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: Option<u32>,
) -> io::Result<()> {
    let temp = temp_beside(path)?;
    let written = (|| {
        let mut file = disk.create(&temp, mode)?;
        append_in_pieces(&mut *file, bytes)?;
        file.sync()?;
        disk.rename(&temp, path)
    })();
    if written.is_err() {
        // A leftover is untidy, not wrong; the error that led here is what counts.
        let _ = disk.remove(&temp);
    }
    written
}

/// Writes all of `bytes` at the end of `file`. On a thread that gives way it has all but the last piece
/// reach the disk on the way: a journal that is synced meanwhile has to wait for what others wrote,
/// and so waits for one piece, not for all of the file.
///
/// # Errors
///
/// Those of the file system; a part of `bytes` may have been written.
pub fn append_in_pieces(file: &mut dyn DiskFile, bytes: &[u8]) -> io::Result<()> {
    if !is_behind() {
        return file.append(bytes);
    }
    let mut pieces = bytes.chunks(PIECE_BYTES).peekable();
    while let Some(piece) = pieces.next() {
        give_way();
        if pieces.peek().is_none() {
            return file.append(piece);
        }
        file.append(piece)?;
        file.sync_data()?;
    }
    Ok(())
}

/// What the name of a file ends with that is still being written.
pub const TEMP_SUFFIX: &str = ".plainsync-tmp";

/// Removes what crashes left in `folder` of files that were being written and whose names begin with `prefix`.
pub fn sweep(disk: &dyn Disk, folder: &Path, prefix: &str) {
    for found in disk.list(folder).unwrap_or_default() {
        let name = found.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(TEMP_SUFFIX) {
            let _ = disk.remove(&folder.join(&found)); // Untidy at worst.
        }
    }
}

/// A name in the folder of `path` that nobody else has: a dot, the file's name, chance.
///
/// # Errors
///
/// When the system has no randomness to give.
pub fn temp_beside(path: &Path) -> io::Result<PathBuf> {
    let chance = u64::from_le_bytes(random()?);
    let name = path
        .file_name()
        .map_or_else(Default::default, |name| name.to_string_lossy());
    Ok(path.with_file_name(format!(".{name}.{chance:016x}{TEMP_SUFFIX}")))
}

/// Random bytes from the system.
///
/// # Errors
///
/// When the system has none to give.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let replayed = REPLAYED.with_borrow_mut(|seed| {
        let seed = seed.as_mut()?;
        for byte in &mut bytes {
            *seed = Sha256::digest(*seed).into();
            *byte = seed[0];
        }
        Some(())
    });
    if replayed.is_none() {
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    }
    Ok(bytes)
}

thread_local! {
    /// What [`random`] follows from on this thread, in simulations.
    static REPLAYED: RefCell<Option<[u8; 32]>> = const { RefCell::new(None) };
}

/// From now on, everything random on this thread follows from `seed`: only for simulations
/// that must run alike again.
pub fn replay_random(seed: u64) {
    let seed = Sha256::digest(seed.to_le_bytes()).into();
    REPLAYED.with_borrow_mut(|replayed| *replayed = Some(seed));
}

/// The folder that holds `path`.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_a_large_file_is_written_whole_in_pieces() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large");
        for len in [0, 1, PIECE_BYTES, PIECE_BYTES + 1] {
            let bytes: Vec<u8> = (0..len).map(|n| n.to_le_bytes()[1]).collect();
            write_whole(&RealDisk, &path, &bytes, None).expect("written");
            assert!(RealDisk.read(&path).expect("read") == bytes, "{len} bytes");
        }
    }
}
