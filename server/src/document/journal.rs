//! What a document acknowledges from: an append-only file of checksummed records.
//!
//! ```text
//! journal = chunk*                      each framed by plainsync_core::chunk
//! chunk   = length | checksum | record  see journal/record.rs
//! ```
//!
//! [`Journal::append`] returns when its records are on disk. After a crash the file may end
//! in half a record: [`Journal::open`] copies what follows the last whole record aside and
//! cuts it off. Damage with whole records after it is no crash: those are kept, and the
//! file is written anew without the damage. After a failed write or `fsync` the descriptor is dropped, and
//! [`Journal::recover`] goes back to what was durable, on a new one.
//!
//! **Invariant:** bytes that [`Journal::append`] did not return `Ok` for are never read back as
//! acknowledged, and bytes that it did return `Ok` for are never cut.

mod record;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use plainsync_core::chunk;
use prometheus_client::metrics::histogram::Histogram;
use tracing::{error, info, warn};

pub use record::{Kind, Record};

use super::disk::{Disk, DiskFile, folder_of, random, temp_beside, write_whole};

/// A journal larger than this takes no more records, in bytes. Compaction keeps it far below.
pub const JOURNAL_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A journal below this is left alone, in bytes.
const COMPACT_BYTES_MIN: u64 = 1024 * 1024;

/// A journal is compacted when it has grown to this many times its snapshot.
const COMPACT_GROWTH: u64 = 4;

/// At its start a server compacts a journal of more records than this, whatever its size.
const COMPACT_RECORDS_AT_START: usize = 2_000;

/// Why a journal cannot be read, written or compacted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file system refused.
    #[error("cannot {what} the journal {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The journal.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A record that is whole but of a kind that this program does not know.
    #[error("the journal {path} holds a record at byte {offset} of a kind this version does not know; a newer plainsync wrote it", path = path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Where the record begins, in bytes.
        offset: u64,
    },
    /// The journal ended before what had been made durable.
    #[error("the journal {path} has {len_bytes} bytes, but {durable_bytes} had been made durable; something else wrote to it", path = path.display())]
    Shorter {
        /// The journal.
        path: PathBuf,
        /// Length found, in bytes.
        len_bytes: u64,
        /// Length expected, in bytes.
        durable_bytes: u64,
    },
    /// The journal would pass its limit; nothing was written.
    #[error("the journal {path} would hold {len_bytes} bytes; the limit is {max_bytes}", path = path.display())]
    Full {
        /// The journal.
        path: PathBuf,
        /// Length it would have, in bytes.
        len_bytes: u64,
        /// Length allowed, in bytes.
        max_bytes: u64,
    },
    /// A record is larger than a chunk may be; nothing was written.
    #[error("a record for the journal {path} does not fit: {reason}", path = path.display())]
    TooLarge {
        /// The journal.
        path: PathBuf,
        /// What the limit is.
        reason: String,
    },
    /// The journal failed earlier and has not been recovered.
    #[error("the journal {path} failed earlier and takes nothing until it is recovered", path = path.display())]
    Closed {
        /// The journal.
        path: PathBuf,
    },
    /// A compacted journal did not read back as the document; the old one stays.
    #[error("the compacted journal does not give the document back ({reason}); {path} stays as it was", path = path.display())]
    Unfaithful {
        /// The journal.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
}

/// What was cut out of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where the first record begins that was not whole, in bytes.
    pub offset: u64,
    /// How much followed from there, in bytes.
    pub len: u64,
    /// How many whole records were found after it, and kept.
    pub kept: usize,
    /// Where a copy of all from `offset` on lies.
    pub aside: PathBuf,
}

/// What a journal held.
#[derive(Debug, Default)]
pub struct Recovered {
    /// All whole records, oldest first.
    pub records: Vec<Record>,
    /// What was cut off, if anything.
    pub torn: Option<Torn>,
}

/// What a stretch of bytes holds.
#[derive(Default)]
struct Scanned {
    /// All whole records.
    records: Vec<Record>,
    /// Where the last of them ends that has no damage before it, in bytes.
    len: usize,
    /// How many of them have damage before them.
    after_damage: usize,
    /// Where the last snapshot ends, in bytes; 0 without one.
    snapshot_len: u64,
}

/// An open journal.
pub struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// `None` once a write or `fsync` has failed, until [`Journal::recover`].
    file: Option<Box<dyn DiskFile>>,
    durable_len: u64,
    snapshot_len: u64,
    records: usize,
    /// Where the time of each sync is noted, in seconds.
    syncs: Option<Histogram>,
}

impl Journal {
    /// Opens the journal at `path`, made if absent, and reads it.
    ///
    /// Everything returned is durable: it may be acknowledged again.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Io`]: the file system refused.
    /// - [`JournalError::Newer`]: the journal is not ours to cut.
    pub fn open(disk: Arc<dyn Disk>, path: PathBuf) -> Result<(Self, Recovered), JournalError> {
        let mut journal = Self {
            disk,
            path,
            file: None,
            durable_len: 0,
            snapshot_len: 0,
            records: 0,
            syncs: None,
        };
        let bytes = match journal.disk.read(&journal.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(journal.io("read", error)),
        };
        let scanned = journal.scan(&bytes)?;
        journal.durable_len = scanned.len as u64;
        let torn = match bytes.get(scanned.len..) {
            Some(tail) if !tail.is_empty() => Some(journal.set_aside(&scanned, tail)?),
            _ => None,
        };
        if torn.as_ref().is_some_and(|torn| torn.kept > 0) {
            journal.rewrite(&scanned.records)?;
        }
        journal.reopen()?;
        let records = journal.adopt(scanned);
        Ok((journal, Recovered { records, torn }))
    }

    /// From now on the time of each sync is noted in `histogram`, in seconds.
    pub fn note_syncs_in(&mut self, histogram: Histogram) {
        self.syncs = Some(histogram);
    }

    /// How long it is, in bytes: all of it is durable.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.durable_len
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether somebody removed its file: what is written to the open one then ends with the
    /// process. [`Journal::compact`] makes it anew.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        let found = self.disk.look(&self.path);
        self.is_open() && found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Appends `records` and makes them durable together.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Full`], [`JournalError::TooLarge`]: nothing was written.
    /// - [`JournalError::Io`]: none of them counts; the journal takes nothing more until
    ///   [`Journal::recover`] has succeeded.
    /// - [`JournalError::Closed`]: that has not happened yet.
    pub fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        for record in records {
            bytes.extend(self.frame(record)?);
        }
        let len_bytes = self.durable_len + bytes.len() as u64;
        if len_bytes > JOURNAL_BYTES_MAX {
            return Err(JournalError::Full {
                path: self.path.clone(),
                len_bytes,
                max_bytes: JOURNAL_BYTES_MAX,
            });
        }
        let Some(mut file) = self.file.take() else {
            return Err(JournalError::Closed {
                path: self.path.clone(),
            });
        };
        file.append(&bytes)
            .map_err(|error| self.io("write to", error))?;
        let began = Instant::now();
        let synced = file.sync_data();
        if let Some(syncs) = &self.syncs {
            syncs.observe(began.elapsed().as_secs_f64());
        }
        synced.map_err(|error| self.io("sync", error))?;
        self.file = Some(file); // Put back only now: a descriptor that failed is of no use.
        self.durable_len = len_bytes;
        self.records += records.len();
        Ok(())
    }

    /// Goes back to what was durable, on a new descriptor, and reads it.
    ///
    /// # Errors
    ///
    /// As [`Journal::open`]; the journal stays closed.
    pub fn recover(&mut self) -> Result<Vec<Record>, JournalError> {
        self.file = None;
        let bytes = self
            .disk
            .read(&self.path)
            .map_err(|error| self.io("read", error))?;
        let durable = usize::try_from(self.durable_len)
            .ok()
            .and_then(|len| bytes.get(..len));
        let Some(durable) = durable else {
            return Err(self.shorter(bytes.len() as u64));
        };
        let scanned = self.scan(durable)?;
        if scanned.len != durable.len() {
            return Err(self.shorter(scanned.len as u64));
        }
        self.reopen()?;
        Ok(self.adopt(scanned))
    }

    /// Whether the journal takes records: it does until it fails, and after it recovered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Whether the journal has grown enough to be worth compacting while the server runs.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.durable_len > COMPACT_BYTES_MIN.max(self.snapshot_len.saturating_mul(COMPACT_GROWTH))
    }

    /// Whether the journal is worth compacting at a start.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.is_large() || self.records > COMPACT_RECORDS_AT_START
    }

    /// Replaces all records by `snapshot`, durably.
    ///
    /// What was written is read back from disk and shown to `verify` before it takes the
    /// old journal's place.
    ///
    /// # Errors
    ///
    /// - [`JournalError::Unfaithful`]: `verify` refused; the journal is as it was.
    /// - [`JournalError::Io`], [`JournalError::TooLarge`]: the journal is as it was. If it was
    ///   the last step that failed, it is closed until [`Journal::recover`] has succeeded.
    pub fn compact(
        &mut self,
        snapshot: &Record,
        verify: impl FnOnce(&Record) -> Result<(), String>,
    ) -> Result<(), JournalError> {
        let bytes = self.frame(snapshot)?;
        let temp = temp_beside(&self.path).map_err(|error| self.io("compact", error))?;
        let written = self.write_compacted(&temp, &bytes, verify);
        if let Err(error) = written {
            let _ = self.disk.remove(&temp); // A leftover is untidy, not wrong.
            return Err(error);
        }
        // From here on the name belongs to the new file: the old descriptor must not be used.
        self.file = None;
        let before = self.durable_len;
        self.durable_len = bytes.len() as u64;
        self.reopen()?;
        info!(
            path = %self.path.display(),
            bytes_before = before,
            bytes = self.durable_len,
            "journal compacted"
        );
        self.snapshot_len = self.durable_len;
        self.records = 1;
        Ok(())
    }

    fn write_compacted(
        &self,
        temp: &Path,
        bytes: &[u8],
        verify: impl FnOnce(&Record) -> Result<(), String>,
    ) -> Result<(), JournalError> {
        let io = |error| self.io("compact", error);
        let mut file = self.disk.create(temp, Some(0o600)).map_err(io)?;
        file.append(bytes).map_err(io)?;
        let back = self.disk.read(temp).map_err(io)?;
        let verified = match self.scan(&back)?.records.as_slice() {
            [record] => verify(record),
            other => Err(format!("{} records instead of 1", other.len())),
        };
        verified.map_err(|reason| JournalError::Unfaithful {
            path: self.path.clone(),
            reason,
        })?;
        file.sync().map_err(io)?;
        self.disk.rename(temp, &self.path).map_err(io)
    }

    /// A new descriptor at the end of what is durable, everything before it made so.
    fn reopen(&mut self) -> Result<(), JournalError> {
        let opened = (|| {
            let mut file = self.disk.open_append(&self.path)?;
            if file.look()?.len != self.durable_len {
                file.cut(self.durable_len)?;
            }
            // What was read may have been in memory only: a killed process had not synced it.
            file.sync()?;
            self.disk.sync_folder(folder_of(&self.path))?;
            Ok(file)
        })();
        self.file = Some(opened.map_err(|error| self.io("open", error))?);
        Ok(())
    }

    /// Reads the whole records in `bytes`.
    fn scan(&self, bytes: &[u8]) -> Result<Scanned, JournalError> {
        let mut scanned = Scanned::default();
        let mut chunks = chunk::read(bytes);
        let mut damaged = false;
        while let Some(next) = chunks.next() {
            let chunk = match next {
                Ok(chunk) => chunk,
                Err(broken) => {
                    damaged = true;
                    let Some(at) = broken.next else { break };
                    chunks.go_on(at);
                    continue;
                }
            };
            let record = Record::decode(chunk.bytes).ok_or_else(|| JournalError::Newer {
                path: self.path.clone(),
                offset: chunk.at as u64,
            })?;
            if damaged {
                scanned.after_damage += 1;
            } else {
                scanned.len = chunk.end();
            }
            if record.kind == Kind::Snapshot {
                scanned.snapshot_len = chunk.end() as u64;
            }
            scanned.records.push(record);
        }
        Ok(scanned)
    }

    /// Writes the journal anew from `records`.
    fn rewrite(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        for record in records {
            bytes.extend(self.frame(record)?);
        }
        write_whole(&*self.disk, &self.path, &bytes, Some(0o600))
            .map_err(|error| self.io("rewrite", error))?;
        self.durable_len = bytes.len() as u64;
        Ok(())
    }

    fn adopt(&mut self, scanned: Scanned) -> Vec<Record> {
        self.snapshot_len = scanned.snapshot_len;
        self.records = scanned.records.len();
        scanned.records
    }

    fn frame(&self, record: &Record) -> Result<Vec<u8>, JournalError> {
        chunk::encode(&record.encode()).map_err(|error| JournalError::TooLarge {
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }

    fn set_aside(&self, scanned: &Scanned, tail: &[u8]) -> Result<Torn, JournalError> {
        let io = |error| self.io("copy the torn end of", error);
        let (offset, len) = (scanned.len as u64, tail.len() as u64);
        let kept = scanned.after_damage;
        let chance = u32::from_le_bytes(random().map_err(io)?);
        let aside = self
            .path
            .with_file_name(format!("journal.torn-{offset}-{chance:08x}"));
        write_whole(&*self.disk, &aside, tail, Some(0o600)).map_err(io)?;
        let (path, copy) = (self.path.display(), aside.display());
        if kept == 0 {
            warn!(
                %path, offset, bytes = len, %copy,
                "the journal ends in half a record, as a crash leaves it; nothing in it was acknowledged; it is cut off"
            );
        } else {
            error!(
                %path, offset, bytes = len, kept, %copy,
                "the journal is damaged; the whole records after the damage are kept, what was in it is lost unless another device has it"
            );
        }
        Ok(Torn {
            offset,
            len,
            kept,
            aside,
        })
    }

    fn shorter(&self, len_bytes: u64) -> JournalError {
        JournalError::Shorter {
            path: self.path.clone(),
            len_bytes,
            durable_bytes: self.durable_len,
        }
    }

    fn io(&self, what: &'static str, source: io::Error) -> JournalError {
        JournalError::Io {
            what,
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
