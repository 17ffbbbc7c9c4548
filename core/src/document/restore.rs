//! Building a document again from what a host kept: saved documents and changes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Automerge;

use super::Document;
use crate::plain::held::Held;
use crate::view::View;

/// What [`Document::restore`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Changes that the document has now and had not before.
    pub changes: usize,
}

/// Why chunks could not be taken in. The document is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The bytes are no automerge document or change.
    #[error("chunk {index} holds no readable history: {reason}")]
    Unreadable {
        /// Which chunk, counted from 0.
        index: usize,
        /// What the merge library says.
        reason: String,
    },
    /// A whole document, but not this one.
    #[error("chunk {index} is the history of another document")]
    OtherDocument {
        /// Which chunk, counted from 0.
        index: usize,
    },
    /// The merge library failed on these bytes.
    #[error("the history cannot be read: the merge library failed on it")]
    Panicked,
}

/// Changes past which every record is read again instead of asking each change what it wrote.
const RESTORED_CHANGES_MAX: usize = 1_000;

/// Automerge's chunk header: 4 bytes magic, 4 bytes checksum, 1 byte kind.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const KIND_AT: usize = 8;
const KIND_DOCUMENT: u8 = 0;

impl Document {
    /// Takes in chunks that were kept: results of [`Document::save`] and of earlier edits, in
    /// any order. Chunks that are known already change nothing.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]: a chunk is not part of this document's history; nothing was taken in.
    pub fn restore(&mut self, chunks: &[Vec<u8>]) -> Result<Restored, RestoreError> {
        let restored = catch_unwind(AssertUnwindSafe(|| self.restored(chunks)));
        let (doc, changes) = restored.unwrap_or(Err(RestoreError::Panicked))?;
        let before = self.heads();
        *self.automerge_mut() = doc; // Also where nothing is new yet: orphans wait inside.
        if changes > RESTORED_CHANGES_MAX {
            self.rebuild();
        } else if changes > 0 {
            let news = self.changes_since(&before);
            self.take_in(&news);
        }
        Ok(Restored { changes })
    }

    /// As [`Document::restore`], for chunks that others wrote: the guard looks at them first.
    ///
    /// What this device wrote itself is not guarded: it was when it came, and a history that has
    /// grown past a limit must open.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]: a chunk is not part of this document's history, or is hostile; nothing
    /// was taken in.
    #[cfg(feature = "fan-out")]
    pub fn restore_of_others(&mut self, chunks: &[Vec<u8>]) -> Result<Restored, RestoreError> {
        for (index, chunk) in chunks.iter().enumerate() {
            guarded(chunk).map_err(|reason| RestoreError::Unreadable { index, reason })?;
        }
        self.restore(chunks)
    }

    /// This document with the history that `doc` holds instead of its own.
    pub(crate) fn holding(&self, doc: Automerge) -> Self {
        let mut other = Self {
            doc,
            last_own: None,
            view: View::default(),
            held: Held::default(),
            schema: self.schema.clone(),
            collection: self.collection.clone(),
            ..*self
        };
        other.rebuild();
        other
    }

    fn restored(&self, chunks: &[Vec<u8>]) -> Result<(Automerge, usize), RestoreError> {
        let (actor, author) = (self.doc.get_actor().clone(), self.doc.get_author().cloned());
        let mut doc = self.doc.clone();
        let mut before = doc.get_heads();
        let unreadable = |index, error: automerge::AutomergeError| RestoreError::Unreadable {
            index,
            reason: error.to_string(),
        };
        let mut rest = Vec::new();
        let mut rest_index = 0;
        for (index, chunk) in chunks.iter().enumerate() {
            if !chunk.starts_with(&MAGIC) {
                let reason = "it does not begin as an automerge chunk".to_owned();
                return Err(RestoreError::Unreadable { index, reason });
            }
            if chunk.get(KIND_AT) != Some(&KIND_DOCUMENT) {
                rest_index = index;
                rest.extend_from_slice(chunk);
                continue;
            }
            let mut loaded = Automerge::load(chunk).map_err(|error| unreadable(index, error))?;
            if loaded.get_change_meta_by_hash(&self.first_change).is_none() {
                return Err(RestoreError::OtherDocument { index });
            }
            if doc.get_heads() == [self.first_change] {
                // Loading is several times faster than merging. What was saved of the empty
                // one is its orphans: changes that came before those that they follow.
                rest.extend(std::mem::replace(&mut doc, loaded).save());
                before = vec![self.first_change];
            } else {
                doc.merge(&mut loaded)
                    .map_err(|error| unreadable(index, error))?;
            }
        }
        if !rest.is_empty() {
            doc.load_incremental(&rest)
                .map_err(|error| unreadable(rest_index, error))?;
        }
        doc.set_author(author); // Draws a random actor if it is another one: ours comes after.
        doc.set_actor(actor);
        let changes = doc.get_changes_meta(&before).len();
        Ok((doc, changes))
    }
}

/// Refuses what automerge should not see.
#[cfg(feature = "fan-out")]
pub(crate) fn guarded(chunk: &[u8]) -> Result<(), String> {
    if chunk.is_empty() {
        return Err("it is empty".to_owned());
    }
    let checked = crate::guard::check(chunk, &crate::guard::Limits::PEER);
    checked.map(drop).map_err(|error| error.to_string())
}
