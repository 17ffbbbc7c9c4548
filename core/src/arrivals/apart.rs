//! A message's changes, taken apart and applied as they are.
//!
//! Asking the merge library for a change again builds it anew, at many times the cost of
//! keeping it. A change whose predecessors are missing waits inside the merge library; that it
//! waits is remembered here, so that it is kept and passed on once they come.
//!
//! **Invariant:** what waits is bounded (S5). A message that would go past it is refused before
//! anything of it is applied.

use std::collections::HashSet;

use automerge::sync::ChunkList;
use automerge::{Change, ChangeHash};

use super::Arrivals;
use crate::document::Document;
use crate::limits::ORPHAN_BYTES_MAX;
use crate::session::SessionError;

/// Automerge's chunk header: 4 bytes magic, 4 bytes checksum, 1 byte kind, then the length.
const HEADER_BYTES: usize = 9;
const KIND_AT: usize = 8;
const KIND_CHANGE: u8 = 1;
const KIND_COMPRESSED_CHANGE: u8 = 2;

impl Arrivals {
    /// As [`Arrivals::take`]; none if there is anything but single changes in the message.
    pub(super) fn take_apart(
        &mut self,
        document: &mut Document,
        chunks: &ChunkList,
    ) -> Option<(Vec<Change>, Result<(), SessionError>)> {
        let mut changes = Vec::new();
        for chunk in chunks.iter() {
            match single_changes(chunk)? {
                Ok(parsed) => changes.extend(parsed),
                Err(reason) => return Some((Vec::new(), Err(SessionError::Refused(reason)))),
            }
        }
        changes.retain(|change| !document.has(&[change.hash()]));
        if changes.is_empty() {
            return Some((changes, Ok(())));
        }
        if let Err(error) = self.remember(document, &changes) {
            return Some((Vec::new(), Err(error)));
        }
        let outcome = document.automerge_mut().apply_changes(changes.clone());
        let outcome = outcome.map_err(|error| SessionError::Refused(error.to_string()));
        changes.retain(|change| document.has(&[change.hash()]));
        self.release(document, &mut changes);
        Some((changes, outcome))
    }

    /// Notes which of `changes` will wait, unless that would be too much.
    fn remember(&mut self, document: &Document, changes: &[Change]) -> Result<(), SessionError> {
        let mut ready: HashSet<ChangeHash> = HashSet::new();
        let mut orphans: Vec<&Change> = Vec::new();
        for change in changes {
            if (change.deps().iter()).all(|dep| ready.contains(dep) || document.has(&[*dep])) {
                ready.insert(change.hash());
            } else {
                orphans.push(change);
            }
        }
        orphans.retain(|orphan| (self.waiting.iter()).all(|known| known.hash() != orphan.hash()));
        if orphans.is_empty() {
            return Ok(());
        }
        let bytes_of = |change: &Change| change.raw_bytes().len();
        let bytes = self.waiting.iter().map(bytes_of).sum::<usize>()
            + orphans.iter().map(|orphan| bytes_of(orphan)).sum::<usize>();
        if bytes > ORPHAN_BYTES_MAX {
            return Err(SessionError::TooManyOrphans { bytes });
        }
        self.waiting.extend(orphans.into_iter().cloned());
        Ok(())
    }

    /// Adds to `changes` what waited and is part of the document now.
    fn release(&mut self, document: &Document, changes: &mut Vec<Change>) {
        if self.waiting.is_empty() {
            return;
        }
        let (freed, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|change| document.has(&[change.hash()]));
        self.waiting = waiting;
        let freed: Vec<Change> = freed;
        let known: HashSet<ChangeHash> = changes.iter().map(Change::hash).collect();
        changes.extend(
            freed
                .into_iter()
                .filter(|change| !known.contains(&change.hash())),
        );
    }
}

/// The changes that `bytes` hold one after the other; none if there is anything else in it.
fn single_changes(mut bytes: &[u8]) -> Option<Result<Vec<Change>, String>> {
    let mut changes = Vec::new();
    while !bytes.is_empty() {
        let kind = *bytes.get(KIND_AT)?;
        if ![KIND_CHANGE, KIND_COMPRESSED_CHANGE].contains(&kind) {
            return None;
        }
        let (len, len_bytes) = unsigned(bytes.get(HEADER_BYTES..)?)?;
        let end = HEADER_BYTES.checked_add(len_bytes)?.checked_add(len)?;
        match Change::try_from(bytes.get(..end)?) {
            Ok(change) => changes.push(change),
            Err(error) => return Some(Err(error.to_string())),
        }
        bytes = &bytes[end..];
    }
    Some(Ok(changes))
}

/// A LEB128 number and how many bytes it takes.
fn unsigned(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number: u64 = 0;
    for (nth, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * nth);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(number).ok()?, nth + 1));
        }
    }
    None
}
