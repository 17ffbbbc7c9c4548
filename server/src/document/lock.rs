//! One server per folder: an exclusive lock held for the process's life.
//!
//! The lock file lies beside the JSON, in `.plainsync/lock`, and says in one line of JSON, with
//! its sum below, who holds it, for the message of a second server. The lock itself is the
//! operating system's, and ends with the process however it ends; what the text says counts only
//! until then.
//!
//! **Invariant:** the lock file is never deleted and never replaced: a lock on a file that has
//! lost its name would exclude nobody.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::note::{seal, unseal};

/// Longest text of a lock file that is read, in bytes.
const HOLDER_BYTES_MAX: u64 = 4096;

/// How long a lock may be held by somebody who only finds out whether it is.
const PROBE_MAX: Duration = Duration::from_millis(200);

/// How often that is tried.
const PROBE_PAUSE: Duration = Duration::from_millis(20);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Where it serves.
    pub url: String,
    /// Since when, as RFC 3339.
    pub since: String,
    /// The command that it runs, if it does not serve: it will be done soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Holder {
    /// This process, from now on, serving at `url`.
    #[must_use]
    pub fn this_process(url: &str) -> Self {
        let now = jiff::Timestamp::now();
        Self {
            pid: std::process::id(),
            url: url.to_owned(),
            since: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            command: None,
        }
    }

    /// This process, from now on, while it runs `command` and serves nobody.
    #[must_use]
    pub fn this_command(command: &str) -> Self {
        Self {
            command: Some(command.to_owned()),
            ..Self::this_process("")
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, since, .. } = self;
        match &self.command {
            Some(command) => write!(
                out,
                "in use by `plainsync {command}` (process {pid}, since {since}); try again when it has ended"
            ),
            None => write!(
                out,
                "already served by process {pid} at {}, since {since}; stop it first, or use its address",
                self.url
            ),
        }
    }
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another server has the folder.
    #[error("{path} is {holder}", path = path.display())]
    Held {
        /// What is locked.
        path: PathBuf,
        /// Who holds it.
        holder: Holder,
    },
    /// Another process has the folder, and its lock file does not say which.
    #[error("{path} is already served by another process; stop it first (its lock file {lock} does not name it)", path = path.display(), lock = lock.display())]
    HeldByUnknown {
        /// What is locked.
        path: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
    /// The lock file cannot be made, locked or written.
    #[error("the lock file {lock} cannot be used: {source}; the folder must be writable and on a file system that has locks", lock = lock.display())]
    Io {
        /// The lock file.
        lock: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A lock that this process holds until the value is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock file `lock` for `holder`; `path` is what the lock stands for in messages.
    ///
    /// # Errors
    ///
    /// - [`LockError::Held`], [`LockError::HeldByUnknown`]: somebody else has it.
    /// - [`LockError::Io`]: the file cannot be used.
    pub fn take(
        disk: &dyn Disk,
        lock: &Path,
        path: &Path,
        holder: &Holder,
    ) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            lock: lock.to_owned(),
            source,
        };
        let give_up = Instant::now() + PROBE_MAX;
        let mut file = loop {
            match disk.lock(lock).map_err(io)? {
                Some(file) => break file,
                None if Instant::now() >= give_up => return Err(held(lock, path)),
                None => thread::sleep(PROBE_PAUSE),
            }
        };
        let line = serde_json::to_string(holder).map_err(|error| io(error.into()))?;
        (|| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(&seal(&line))
        })()
        .map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn held(lock: &Path, path: &Path) -> LockError {
    let mut text = Vec::new();
    let holder = File::open(lock)
        .and_then(|file| file.take(HOLDER_BYTES_MAX).read_to_end(&mut text))
        .ok()
        .and_then(|_| serde_json::from_str(unseal(&text).ok()?).ok());
    match holder {
        Some(holder) => LockError::Held {
            path: path.to_owned(),
            holder,
        },
        None => LockError::HeldByUnknown {
            path: path.to_owned(),
            lock: lock.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::disk::RealDisk;

    fn take(folder: &Path, url: &str) -> Result<Lock, LockError> {
        let holder = Holder::this_process(url);
        Lock::take(&RealDisk, &folder.join("lock"), folder, &holder)
    }

    #[test]
    fn f11_a_second_server_is_refused_and_told_who_holds_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = take(folder.path(), "http://127.0.0.1:8787/").expect("the first lock");
        let refused = take(folder.path(), "http://127.0.0.1:9999/").expect_err("the second lock");
        let text = refused.to_string();
        let pid = std::process::id().to_string();
        for part in [pid.as_str(), "http://127.0.0.1:8787/", "since 20"] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
        drop(first);
        take(folder.path(), "http://127.0.0.1:9999/").expect("the lock ends with its holder");
    }

    #[test]
    fn f11_a_lock_file_that_says_nothing_is_still_a_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let _first = take(folder.path(), "http://127.0.0.1:8787/").expect("the first lock");
        std::fs::write(&path, "half a li").expect("a damaged text");
        let refused = take(folder.path(), "").expect_err("the second lock");
        assert!(
            matches!(refused, LockError::HeldByUnknown { .. }),
            "{refused}"
        );
    }
}
