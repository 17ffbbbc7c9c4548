//! The JSON file as a document's projection: how it is replaced, and how it is told whether
//! somebody else wrote it.
//!
//! A [`Projection`] remembers the hash of the content that is settled: on disk, and in the
//! document. [`Projection::replace`] replaces that content and no other: whatever else it
//! finds stays where it is until somebody has taken it in and called
//! [`Projection::settle`].
//!
//! ```text
//! new bytes ─▶ .name.<chance>.plainsync-tmp ─ read back, fsync ─▶ .name.<chance>.plainsync-swap
//!           ─ exchange with name ─▶ what was displaced is the settled content: removed
//!                                   it is not: exchanged back, nothing was replaced
//! ```
//!
//! A `-tmp` file is always ours, so a leftover is removed. A `-swap` file may be what
//! somebody saved in the moment of a crash, so a leftover is read ([`Projection::strays`]).
//!
//! **Invariant:** the file holds its old content or its new one, whole, at every moment; its
//! mode and the symlink that leads to it stay.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plainsync_core::id::DocumentId;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::backup::backup_text;
use super::disk::{
    Disk, Look, TEMP_SUFFIX, append_in_pieces, folder_of, replace_whole, temp_beside,
};
use super::inspect::inspect;
use super::place::resolve_links;
use super::way::{FreedInSteps, is_same, pieces};

/// What a name ends with while it is exchanged with the JSON's.
const SWAP_SUFFIX: &str = ".plainsync-swap";

/// What the name of the previous version ends with.
pub(super) const BACKUP_SUFFIX: &str = ".backup";

/// The SHA-256 of a file's content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut sum = Sha256::new();
        pieces(bytes).for_each(|piece| sum.update(piece));
        Self(sum.finalize().into())
    }

    /// Its first eight digits, for names of files.
    #[must_use]
    pub fn short(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why the JSON was not replaced. What was there is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The file system refused.
    #[error("{path} cannot be written: {source} ({step})", path = path.display())]
    Io {
        /// The JSON.
        path: PathBuf,
        /// Which step failed.
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// What was written does not read back as it was meant.
    #[error("{path} is not replaced: what was written for it does not read back as JSON ({reason})", path = path.display())]
    Unfaithful {
        /// The JSON.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

/// What is at the JSON's name.
#[derive(Debug)]
pub enum Found {
    /// Nothing.
    Missing,
    /// The settled content.
    Settled,
    /// Something that is not settled.
    Other(Vec<u8>),
}

/// What [`Projection::replace`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The file has the new content, durably.
    Written,
    /// It had it already; spaces and the order of fields may differ.
    Same,
    /// Content that is not settled is there; nothing was replaced.
    Other,
}

/// One JSON file.
pub struct Projection {
    disk: Arc<dyn Disk>,
    file: PathBuf,
    document: DocumentId,
    settled: Option<ContentHash>,
    /// What was written last.
    written: Option<ContentHash>,
    /// What the file looked like when it was written last.
    left: Option<Look>,
    /// A rename was done and the folder could not be synced after it.
    folder_unsynced: bool,
    /// What others saved while the file was being replaced, oldest first, until it is asked for.
    displaced: Vec<Vec<u8>>,
}

impl Projection {
    /// The JSON `file` of `document`; nothing at its name is settled yet.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, file: PathBuf, document: DocumentId) -> Self {
        Self {
            disk,
            file,
            document,
            settled: None,
            written: None,
            left: None,
            folder_unsynced: false,
            displaced: Vec::new(),
        }
    }

    /// The JSON as it was named.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The hash of the content that is on disk and in the document, if any is.
    #[must_use]
    pub fn settled(&self) -> Option<ContentHash> {
        self.settled
    }

    /// The content with this hash is in the document now: it may be replaced.
    pub fn settle(&mut self, hash: ContentHash) {
        self.settled = Some(hash);
    }

    /// What others saved in the moments in which [`Projection::replace`] put another content in its place,
    /// oldest first. It was put back; but who read the file meanwhile has not seen it, and may have
    /// saved over it.
    pub fn take_displaced(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.displaced)
    }

    /// What is at the JSON's name.
    ///
    /// # Errors
    ///
    /// Those of the file system; that nothing is there is none.
    pub fn find(&self) -> io::Result<Found> {
        match self.disk.read(&resolve_links(&self.file)?) {
            Ok(bytes) if self.settled == Some(ContentHash::of(&bytes)) => {
                drop(FreedInSteps(bytes));
                Ok(Found::Settled)
            }
            Ok(bytes) => Ok(Found::Other(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Missing),
            Err(error) => Err(error),
        }
    }

    /// What is known of the JSON without reading it; `None` if nothing is there.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn look(&self) -> io::Result<Option<Look>> {
        match self.disk.look(&resolve_links(&self.file)?) {
            Ok(look) => Ok(Some(look)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether [`Projection::replace`] would leave alone what is there, as far as can be told
    /// before there is anything to replace it by: it is not settled, and not the version at `heads`.
    #[must_use]
    pub fn is_other(&self, heads: &[String]) -> bool {
        // Content that changed without looking different is found by `replace`.
        if self.left.is_some() && self.look().ok().flatten() == self.left {
            return false;
        }
        let Ok(Found::Other(bytes)) = self.find() else {
            return false;
        };
        let version = inspect(&bytes).ok().and_then(|inspected| inspected.version);
        version.is_none_or(|version| version.heads != heads)
    }

    /// Replaces the settled content, or nothing at all, by `next`, the version at `heads`.
    ///
    /// The version that is replaced becomes the backup first (F2).
    ///
    /// # Errors
    ///
    /// [`ProjectionError`]; the file has its old content, whole.
    pub fn replace(&mut self, next: &[u8], heads: &[String]) -> Result<Replaced, ProjectionError> {
        let path =
            resolve_links(&self.file).map_err(|source| self.io("resolving symlinks", source))?;
        let io = |step| {
            let path = path.clone();
            move |source| ProjectionError::Io { path, step, source }
        };
        let old = match self.disk.read(&path) {
            Ok(bytes) => Some(FreedInSteps(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io("reading what is there")(error)),
        };
        let mut mode = None;
        if let Some(old) = &old {
            if is_same(old, next) {
                self.settled = Some(ContentHash::of(next));
                if self.folder_unsynced {
                    self.sync_folder(&path)?;
                }
                return Ok(Replaced::Same);
            }
            if self.settled != Some(ContentHash::of(old)) {
                return Ok(Replaced::Other);
            }
            // Written once and replaced by the same under another id: two machines do not know
            // yet that they have one file.
            let is_repeated = self.written == Some(ContentHash::of(next));
            if says_the_same(old, next, &self.document, heads, is_repeated) {
                return Ok(Replaced::Same);
            }
            mode = self.disk.look(&path).map_err(io("reading its mode"))?.mode;
            self.back_up(&path, old, heads, mode)
                .map_err(io("writing the backup"))?;
        }
        let temp = temp_beside(&path).map_err(io("naming a temporary file"))?;
        let written = self.write_checked(&path, &temp, next, mode);
        let placed = written.and_then(|()| match old {
            Some(_) => self.exchange(&path, &temp, next),
            None => match self.disk.rename_new(&temp, &path) {
                Ok(()) => Ok(Replaced::Written),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Replaced::Other),
                Err(error) => Err(io("renaming")(error)),
            },
        });
        if !matches!(placed, Ok(Replaced::Written)) {
            let _ = self.disk.remove(&temp); // Gone already, or untidy at worst: it is ours.
            return placed;
        }
        self.settled = Some(ContentHash::of(next));
        self.written = self.settled;
        self.left = self.look().ok().flatten();
        self.sync_folder(&path)?;
        placed
    }

    fn write_checked(
        &self,
        path: &Path,
        temp: &Path,
        next: &[u8],
        mode: Option<u32>,
    ) -> Result<(), ProjectionError> {
        let io = |source| self.io("writing a temporary file in its folder", source);
        let mut file = self.disk.create(temp, mode).map_err(io)?;
        append_in_pieces(&mut *file, next).map_err(io)?;
        let back = FreedInSteps(self.disk.read(temp).map_err(io)?);
        let unfaithful = |reason| ProjectionError::Unfaithful {
            path: path.to_owned(),
            reason,
        };
        if !is_same(&back, next) {
            return Err(unfaithful("the bytes differ".to_owned()));
        }
        inspect(&back).map_err(|error| unfaithful(error.to_string()))?;
        file.sync().map_err(io)
    }

    /// Puts `temp` in the place of what is at `path`, if that is still the settled content.
    fn exchange(
        &mut self,
        path: &Path,
        temp: &Path,
        next: &[u8],
    ) -> Result<Replaced, ProjectionError> {
        let disk = Arc::clone(&self.disk);
        let file = self.file.clone();
        let io = |source| ProjectionError::Io {
            path: file.clone(),
            step: "renaming",
            source,
        };
        let swap = swap_name(temp);
        disk.rename(temp, &swap).map_err(io)?;
        let undone = |error| {
            let _ = disk.remove(&swap); // Ours still: the exchange did not happen.
            Err(io(error))
        };
        match disk.exchange(&swap, path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                // The last look before a plain rename: the moment between cannot be closed here. Reading
                // takes longer than that, so it must look the same before and after.
                let before = self.look();
                let there = disk.read(path).map(FreedInSteps);
                let is_settled =
                    there.as_ref().ok().map(|bytes| ContentHash::of(bytes)) == self.settled;
                let is_unmoved = matches!((before, self.look()), (Ok(a), Ok(b)) if a == b);
                if !is_settled || !is_unmoved {
                    let _ = disk.remove(&swap);
                    return Ok(Replaced::Other);
                }
                return match disk.rename(&swap, path) {
                    Ok(()) => Ok(Replaced::Written),
                    Err(error) => undone(error),
                };
            }
            Err(error) => return undone(error),
        }
        let displaced = disk.read(&swap).map(FreedInSteps);
        if displaced.as_ref().ok().map(|bytes| ContentHash::of(bytes)) == self.settled {
            let _ = disk.remove(&swap); // A leftover is read again at the next start.
            return Ok(Replaced::Written);
        }
        // Somebody saved in the moment between our look and the exchange: it is theirs again.
        self.displaced
            .extend(displaced.ok().map(FreedInSteps::keep));
        disk.exchange(&swap, path).map_err(io)?;
        match disk.read(&swap) {
            Ok(bytes) if is_same(&bytes, next) => {
                let _ = disk.remove(&swap);
            }
            second => {
                warn!(
                    path = %path.display(), aside = %swap.display(),
                    "the file was saved twice while it was being replaced; the second is kept aside, too, until the next start"
                );
                self.displaced.extend(second.ok());
            }
        }
        Ok(Replaced::Other)
    }

    fn back_up(
        &self,
        path: &Path,
        old: &[u8],
        heads: &[String],
        mode: Option<u32>,
    ) -> io::Result<()> {
        // Only a version that parses: what does not is replaced on somebody's word, who has
        // it in the archive, and the older backup is worth more (F2).
        let Ok(text) = backup_text(old, &self.document, heads) else {
            return Ok(());
        };
        let text = FreedInSteps(text);
        replace_whole(&*self.disk, &backup_path(path), &text, mode)
    }

    fn sync_folder(&mut self, path: &Path) -> Result<(), ProjectionError> {
        self.folder_unsynced = true;
        self.disk
            .sync_folder(folder_of(path))
            .map_err(|source| self.io("syncing its folder", source))?;
        self.folder_unsynced = false;
        Ok(())
    }

    /// What a crash left beside the JSON that may be somebody's content, and where; removes
    /// what is only a half-written file of ours.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn strays(&self) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        let path = resolve_links(&self.file)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (ours, backup) = (format!(".{name}."), format!(".{name}{BACKUP_SUFFIX}."));
        let mut strays = Vec::new();
        for found in self.disk.list(folder_of(&path))? {
            let found_name = found.to_string_lossy();
            let at = path.with_file_name(&found);
            if is_temporary(&found_name, &ours, SWAP_SUFFIX) {
                strays.push((at.clone(), self.disk.read(&at)?));
            } else if [&ours, &backup]
                .iter()
                .any(|prefix| is_temporary(&found_name, prefix, TEMP_SUFFIX))
            {
                self.disk.remove(&at)?;
            }
        }
        Ok(strays)
    }

    fn io(&self, step: &'static str, source: io::Error) -> ProjectionError {
        ProjectionError::Io {
            path: self.file.clone(),
            step,
            source,
        }
    }
}

/// Whether `old` is the version at `heads` too, laid out in another way: rewriting it would only
/// fight with whoever formats it, and with other machines that share the folder (F11).
fn says_the_same(
    old: &[u8],
    next: &[u8],
    document: &DocumentId,
    heads: &[String],
    is_repeated: bool,
) -> bool {
    let version = inspect(old).ok().and_then(|inspected| inspected.version);
    let Some(version) = version else { return false };
    // Of a history that is not here, as long as a syncer has not brought it: only that counts
    // which people see.
    let is_foreign = version.document.is_some_and(|found| found != *document);
    if !(is_foreign && is_repeated || version.heads == heads) {
        return false;
    }
    let value = |bytes| {
        let mut value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        if let Some(root) = value.as_object_mut().filter(|_| is_foreign) {
            root.retain(|name, _| name != "sync" && name != "savedAt");
        }
        Some(value)
    };
    value(old).is_some_and(|old| Some(old) == value(next))
}

/// Where the previous version of the JSON at `path` is kept.
#[must_use]
pub fn backup_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(BACKUP_SUFFIX);
    path.with_file_name(name)
}

/// Whether `name` is `prefix`, 16 digits, `suffix`.
fn is_temporary(name: &str, prefix: &str, suffix: &str) -> bool {
    name.strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(suffix))
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn swap_name(temp: &Path) -> PathBuf {
    let name = temp.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(TEMP_SUFFIX).unwrap_or(&name);
    temp.with_file_name(format!("{stem}{SWAP_SUFFIX}"))
}

#[cfg(test)]
mod tests;
