//! The history beside the JSON: how machines converge that share a folder and no network (F11).
//!
//! ```text
//! .plainsync/<document>/<device>.journal = header | snapshot | changes*
//! header = {"document": …, "file": …, "collection": …, "from"?: …} as JSON
//! ```
//!
//! Each is a record of [`super::journal`], framed and checksummed alike. A file holds all that its
//! device has, what it learned from others included, so any one of them is a whole history.
//!
//! | file | what it does |
//! |---|---|
//! | `published.rs` | keeps this device's own file |
//! | `neighbours.rs` | reads those of the others |
//! | `copies.rs` | knows the names of conflict copies and of syncers' temporary files |
//!
//! **Invariant:** a device writes its own file and no other; whatever state a file is found in,
//! its whole records are used and the rest is waited for.

pub mod copies;
mod neighbours;
mod published;

use std::io;
use std::path::Path;

use plainsync_core::chunk;
use plainsync_core::id::{DeviceId, DocumentId};
use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::identity::{From, Identity};
use super::journal::{Kind, Record};

pub(super) use neighbours::{Arrived, Neighbours};
pub(super) use published::Published;

/// What the name of a published journal ends with.
pub(super) const JOURNAL_SUFFIX: &str = ".journal";

/// What a published journal begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Whose history it is.
    pub document: DocumentId,
    /// The JSON's own name: several documents may lie in one folder.
    pub file: String,
    /// The root field that holds the records.
    pub collection: String,
    /// The version of another document that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
}

impl Header {
    pub(super) fn new(identity: &Identity, file: &str) -> Self {
        Self {
            document: identity.document,
            file: file.to_owned(),
            collection: identity.collection.clone(),
            from: identity.from.clone(),
        }
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            document: self.document,
            collection: self.collection.clone(),
            from: self.from.clone(),
        }
    }

    fn record(&self) -> io::Result<Record> {
        Ok(Record {
            kind: Kind::Header,
            edits: Vec::new(),
            bytes: serde_json::to_vec(self)?,
        })
    }
}

/// The whole records of a published journal, however it arrived.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// `None`: it has not arrived yet.
    pub header: Option<Header>,
    /// Saved documents and changes.
    pub chunks: Vec<Vec<u8>>,
    /// Nothing in it is damaged or cut short.
    pub whole: bool,
    /// Where the first snapshot ends, in bytes; 0 without one.
    pub snapshot_len: u64,
}

impl Contents {
    /// Reads the whole records from byte `at` on.
    pub(super) fn read(bytes: &[u8], at: usize) -> Self {
        let mut contents = Self {
            whole: true,
            ..Self::default()
        };
        let mut chunks = chunk::read_from(bytes, at);
        while let Some(next) = chunks.next() {
            match next {
                Ok(chunk) => contents.take(Record::decode(chunk.bytes), chunk.end() as u64),
                Err(broken) => {
                    contents.whole = false;
                    let Some(at) = broken.next else { break };
                    chunks.go_on(at);
                }
            }
        }
        contents
    }

    fn take(&mut self, record: Option<Record>, end: u64) {
        match record {
            // A newer program's: what we know of the file is still of use.
            None => self.whole = false,
            Some(record) if record.kind == Kind::Header => {
                self.header = serde_json::from_slice(&record.bytes).ok();
            }
            Some(record) => {
                if record.kind == Kind::Snapshot && self.snapshot_len == 0 {
                    self.snapshot_len = end;
                }
                self.chunks.push(record.bytes);
            }
        }
    }
}

/// Every history that is published in `own_folder` (`.plainsync`) for the JSON called `file`, by
/// id, each once. What cannot be read is not there yet.
pub(super) fn published_for(disk: &dyn Disk, own_folder: &Path, file: &str) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for folder in disk.list(own_folder).unwrap_or_default() {
        let Ok(document) = DocumentId::from_text(&folder.to_string_lossy()) else {
            continue;
        };
        let folder = own_folder.join(folder);
        for name in disk.list(&folder).unwrap_or_default() {
            if device_of(&name.to_string_lossy()).is_none() {
                continue;
            }
            let bytes = disk.read(&folder.join(&name)).unwrap_or_default();
            let header = Contents::read(&bytes, 0).header;
            if let Some(header) = header.filter(|found| found.document == document)
                && header.file == file
            {
                headers.push(header);
                break;
            }
        }
    }
    headers.sort_by_key(|header| header.document);
    headers
}

/// Whose journal has this name.
pub(super) fn device_of(name: &str) -> Option<DeviceId> {
    name.strip_suffix(JOURNAL_SUFFIX)?.parse().ok()
}
