//! What another device has published, on its way into the document.
//!
//! Such a file comes once, and whoever wrote it cannot be told: what is wrong in it is left out,
//! and all the rest is taken in (S4). All of it is tried on one copy first. Only if that fails,
//! part after part is tried on a copy of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, AutomergeError};

use super::Arrivals;
use super::apart::single_changes;
use super::careful::Failure;
use crate::document::Document;
use crate::document::restore::{RestoreError, guarded};
use crate::session::SessionError;

impl Arrivals {
    /// Takes in what another replica kept of this history. Chunks whose changes are known change
    /// nothing; a refused one does not keep the others out. What is new is part of the history
    /// afterwards, but not of the view: the caller takes it in there.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]: why the first of the refused chunks was.
    pub(crate) fn absorb(
        &mut self,
        document: &mut Document,
        chunks: &[Vec<u8>],
    ) -> Result<(), RestoreError> {
        let mut outcome = Ok(());
        let mut passed = Vec::with_capacity(chunks.len());
        for (index, chunk) in chunks.iter().enumerate() {
            match guarded(chunk) {
                Ok(()) => passed.push((index, chunk)),
                Err(reason) => outcome = outcome.and(Err((index, reason))),
            }
        }
        let mut copy = document.automerge().clone();
        let all = || {
            passed
                .iter()
                .try_for_each(|(_, chunk)| load(&mut copy, chunk))
        };
        if let Ok(Ok(())) = catch_unwind(AssertUnwindSafe(all)) {
            *document.automerge_mut() = copy;
        } else {
            for (index, chunk) in passed {
                self.careful = self.careful.max(1);
                let taken = self.absorb_one(document, chunk);
                outcome = outcome.and(taken.map_err(|error| (index, error.to_string())));
            }
        }
        // What waited for it is free now; that what waits may be refused is not its fault.
        let _later = self.settle(document, Vec::new(), None);
        outcome.map_err(|(index, reason)| RestoreError::Unreadable { index, reason })
    }

    fn absorb_one(&mut self, document: &mut Document, chunk: &[u8]) -> Result<(), SessionError> {
        match self.on(document, |doc| load(doc, chunk)) {
            Err(Failure::Refused(_)) => match single_changes(chunk) {
                Some(Ok(changes)) => self.settle(document, changes, None).1,
                Some(Err(reason)) => Err(SessionError::Refused(reason)),
                None => self.take_saved(document, chunk, None),
            },
            taken => taken.map_err(SessionError::from),
        }
    }
}

fn load(doc: &mut Automerge, chunk: &[u8]) -> Result<(), AutomergeError> {
    doc.load_incremental(chunk).map(drop)
}
