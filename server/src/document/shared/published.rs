//! This device's own published journal: appended to, and written anew when it is not as it was
//! left.
//!
//! It is written by the keeper's thread, after the private journal has been synced: nothing is
//! acknowledged from it, so nobody waits for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plainsync_core::chunk;
use plainsync_core::id::DeviceId;
use sha2::{Digest as _, Sha256};

use super::{Contents, Header, JOURNAL_SUFFIX};
use crate::document::disk::{Disk, Look, folder_of, make_folders, sweep, write_whole};
use crate::document::journal::{Kind, Record};

/// A published journal below this is only appended to, in bytes.
const COMPACT_BYTES_MIN: u64 = 1024 * 1024;

/// It is written anew when it has grown to this many times its snapshot.
const COMPACT_GROWTH: u64 = 4;

/// The file as this device left it.
struct Left {
    look: Look,
    len: u64,
    snapshot_len: u64,
    hash: Sha256,
}

/// See the module's text.
pub(in crate::document) struct Published {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    header: Header,
    /// `None`: it is to be written anew.
    left: Option<Left>,
    /// Content that is not ours, was shown already, and what the file looked like before it was read.
    shown: Option<(Option<Look>, Vec<u8>)>,
}

impl Published {
    pub(in crate::document) fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        device: DeviceId,
        header: Header,
    ) -> Self {
        Self {
            disk,
            path: folder.join(format!("{device}{JOURNAL_SUFFIX}")),
            header,
            left: None,
            shown: None,
        }
    }

    pub(in crate::document) fn path(&self) -> &Path {
        &self.path
    }

    /// What is there although this device did not leave it so: once for each content. Nothing
    /// at all is empty content.
    pub(in crate::document) fn found_other(&mut self) -> io::Result<Option<Vec<u8>>> {
        let look = match self.disk.look(&self.path) {
            Ok(look) => Some(look),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let (Some(left), Some(look)) = (&self.left, &look)
            && left.look == *look
        {
            return Ok(None);
        }
        let bytes = match &look {
            Some(_) => self.disk.read(&self.path)?,
            None => Vec::new(),
        };
        if let (Some(left), Some(look)) = (&mut self.left, &look)
            && left.hash.clone().finalize() == Sha256::digest(&bytes)
        {
            left.look = look.clone(); // Copied over itself, or its time was set.
            return Ok(None);
        }
        let is_known = self
            .shown
            .as_ref()
            .is_some_and(|(_, shown)| *shown == bytes);
        self.shown = Some((look, bytes.clone()));
        Ok((!is_known).then_some(bytes))
    }

    /// What was shown last holds all that this device has: it may stay.
    pub(in crate::document) fn adopt_shown(&mut self) {
        // What it looks like now may be that of something else.
        let Some((Some(look), bytes)) = self.shown.take() else {
            return;
        };
        self.left = Some(Left {
            look,
            len: bytes.len() as u64,
            snapshot_len: Contents::read(&bytes, 0).snapshot_len,
            hash: Sha256::new_with_prefix(&bytes),
        });
    }

    /// Appends `records`; `false` if the file must be written anew instead.
    ///
    /// # Errors
    ///
    /// Those of the file system; the file is to be written anew.
    pub(in crate::document) fn append(&mut self, records: &[Record]) -> io::Result<bool> {
        let Some(mut left) = self.left.take() else {
            return Ok(false);
        };
        if left.len > COMPACT_BYTES_MIN.max(left.snapshot_len.saturating_mul(COMPACT_GROWTH)) {
            return Ok(false);
        }
        match self.disk.look(&self.path) {
            Ok(look) if look == left.look => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        let mut bytes = Vec::new();
        for record in records {
            chunk::append(&mut bytes, &shared(record).encode()).map_err(io::Error::other)?;
        }
        let mut file = self.disk.open_append(&self.path)?;
        file.append(&bytes)?;
        file.sync_data()?;
        left.len += bytes.len() as u64;
        left.hash.update(&bytes);
        left.look = file.look()?;
        if left.look.len != left.len {
            return Ok(false); // Somebody else wrote meanwhile.
        }
        self.left = Some(left);
        Ok(true)
    }

    /// Writes the file anew: the header and a saved document.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(in crate::document) fn rewrite(&mut self, saved: Vec<u8>) -> io::Result<()> {
        self.left = None;
        let snapshot = Record {
            kind: Kind::Snapshot,
            edits: Vec::new(),
            bytes: saved,
        };
        let mut bytes = Vec::new();
        for record in [self.header.record()?, snapshot] {
            chunk::append(&mut bytes, &record.encode()).map_err(io::Error::other)?;
        }
        make_folders(&*self.disk, folder_of(&self.path))?;
        write_whole(&*self.disk, &self.path, &bytes, None)?;
        self.shown = None;
        let look = self.disk.look(&self.path)?;
        let len = bytes.len() as u64;
        // Somebody else's by now, if not: looked at again later.
        self.left = (look.len == len).then(|| Left {
            look,
            len,
            snapshot_len: len,
            hash: Sha256::new_with_prefix(&bytes),
        });
        Ok(())
    }

    /// Removes what crashes left of files being written.
    pub(in crate::document) fn sweep(&self) {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        sweep(&*self.disk, folder_of(&self.path), &format!(".{name}."));
    }
}

/// A record as others see it: whose edits it was made of is for this device alone.
fn shared(record: &Record) -> Record {
    Record {
        edits: Vec::new(),
        ..record.clone()
    }
}
