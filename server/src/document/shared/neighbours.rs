//! The published journals of other devices: read when they change, torn or not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use plainsync_core::chunk;
use plainsync_core::id::{DeviceId, DocumentId};
use tracing::{debug, warn};

use super::copies::is_syncers_own;
use super::{Contents, JOURNAL_SUFFIX};
use crate::document::disk::{Disk, Look, TEMP_SUFFIX};
use crate::document::keeper::settled_look;

/// What a file held when it was read last.
#[derive(Default)]
struct Known {
    /// `None`: it may change without looking different.
    look: Option<Look>,
    /// How much of it has been handed over, in bytes, and the check of that.
    len: usize,
    check: u32,
}

/// What another device has published since the last look.
#[derive(Debug)]
pub(in crate::document) struct Arrived {
    /// The file's name.
    pub name: String,
    /// Saved documents and changes.
    pub chunks: Vec<Vec<u8>>,
}

/// See the module's text.
pub(in crate::document) struct Neighbours {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    document: DocumentId,
    own: String,
    known: BTreeMap<String, Known>,
}

impl Neighbours {
    /// Those in `folder` who are not `own`.
    pub(in crate::document) fn new(
        disk: Arc<dyn Disk>,
        folder: PathBuf,
        document: DocumentId,
        own: DeviceId,
    ) -> Self {
        Self {
            disk,
            folder,
            document,
            own: format!("{own}{JOURNAL_SUFFIX}"),
            known: BTreeMap::new(),
        }
    }

    /// All are to be handed over again.
    pub(in crate::document) fn forget(&mut self) {
        self.known.clear();
    }

    /// What is new since the last look.
    pub(in crate::document) fn look(&mut self) -> Vec<Arrived> {
        let mut arrived = Vec::new();
        for name in self.disk.list(&self.folder).unwrap_or_default() {
            let name = name.to_string_lossy().into_owned();
            let is_ours = name == self.own || name.ends_with(TEMP_SUFFIX);
            if is_ours || !name.ends_with(JOURNAL_SUFFIX) || is_syncers_own(&name) {
                continue;
            }
            let path = self.folder.join(&name);
            let Ok(look) = self.disk.look(&path) else {
                continue; // Gone again: a syncer at work.
            };
            let known = self.known.entry(name.clone()).or_default();
            if known.look.as_ref() == Some(&look) {
                continue;
            }
            let Ok(bytes) = self.disk.read(&path) else {
                continue;
            };
            let contents = known.take(&bytes, look);
            if contents
                .header
                .as_ref()
                .is_some_and(|header| header.document != self.document)
            {
                warn!(path = %path.display(), "this journal is of another document; it is not read");
                continue;
            }
            if !contents.whole {
                debug!(path = %path.display(), "this journal has not arrived whole; what has is used");
            }
            if !contents.chunks.is_empty() {
                let chunks = contents.chunks;
                arrived.push(Arrived { name, chunks });
            }
        }
        arrived
    }
}

impl Known {
    /// What in `bytes` has not been handed over.
    fn take(&mut self, bytes: &[u8], look: Look) -> Contents {
        let grown = bytes
            .get(..self.len)
            .is_some_and(|known| self.len > 0 && chunk::checksum(known) == self.check);
        let contents = Contents::read(bytes, if grown { self.len } else { 0 });
        // After damage the next look begins at the start: what was cut short may be whole then.
        self.len = if contents.whole { bytes.len() } else { 0 };
        self.check = chunk::checksum(&bytes[..self.len]);
        self.look = settled_look(look);
        contents
    }
}
