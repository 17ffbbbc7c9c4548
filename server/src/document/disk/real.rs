//! The machine's own disk.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::release::hold;
use super::{Disk, DiskFile, Look};
use crate::document::way::{PIECE_BYTES, give_way};

/// The file system that this process sees.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let found = fs::metadata(path)?;
        let (kind, len) = (found.file_type(), found.len());
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !kind.is_file() {
            // Reading a pipe would wait until somebody writes to it.
            let reason = "it is a pipe, a socket or a device, not a file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let (mut file, mut bytes) = (File::open(path)?, Vec::new());
        bytes.try_reserve_exact(usize::try_from(len).unwrap_or(usize::MAX))?;
        // The file may have changed since; this reads to its end.
        while (&mut file)
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut bytes)?
            > 0
        {
            give_way();
        }
        Ok(bytes)
    }

    fn look(&self, path: &Path) -> io::Result<Look> {
        Ok(look(&fs::metadata(path)?))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name()))
            .collect()
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn create(&self, path: &Path, mode: Option<u32>) -> io::Result<Box<dyn DiskFile>> {
        let file = options(mode).create_new(true).open(path)?;
        if let Some(mode) = mode {
            set_mode(&file, mode)?; // What the process's mask took away.
        }
        Ok(Box::new(RealFile(file)))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = options(Some(0o600)).create(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let replaced = hold(to);
        fs::rename(from, to)?;
        if let Some(held) = replaced {
            held.release();
        }
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match special_rename(from, to, Special::New) {
            // No such step here: a short moment remains in which somebody may take the name.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => match to.try_exists()? {
                true => Err(io::ErrorKind::AlreadyExists.into()),
                false => fs::rename(from, to),
            },
            other => other,
        }
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        special_rename(one, other, Special::Exchange)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = hold(path);
        fs::remove_file(path)?;
        if let Some(held) = removed {
            held.release();
        }
        Ok(())
    }

    #[cfg(unix)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(()) // Folders cannot be opened for this; names are journalled by the file system.
    }

    fn lock(&self, path: &Path) -> io::Result<Option<File>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false) // What it says of its holder must outlive our failed attempt.
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Renames that not every system has.
#[derive(Clone, Copy)]
enum Special {
    New,
    Exchange,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn special_rename(from: &Path, to: &Path, special: Special) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    let flags = match special {
        Special::New => RenameFlags::NOREPLACE,
        Special::Exchange => RenameFlags::EXCHANGE,
    };
    renameat_with(CWD, from, CWD, to, flags).map_err(|error| {
        if [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP].contains(&error) {
            io::ErrorKind::Unsupported.into()
        } else {
            error.into()
        }
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn special_rename(_from: &Path, _to: &Path, _special: Special) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn look(&self) -> io::Result<Look> {
        Ok(look(&self.0.metadata()?))
    }
}

/// Options that append; `mode` is what a file made by them gets.
fn options(mode: Option<u32>) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    if let Some(mode) = mode {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode & 0o7777))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn look(metadata: &Metadata) -> Look {
    use std::os::unix::fs::MetadataExt as _;
    Look {
        len: metadata.len(),
        modified: metadata.modified().ok(),
        inode: metadata.ino(),
        mode: Some(metadata.mode() & 0o7777),
    }
}

#[cfg(not(unix))]
fn look(metadata: &Metadata) -> Look {
    Look {
        len: metadata.len(),
        modified: metadata.modified().ok(),
        inode: 0,
        mode: None,
    }
}
