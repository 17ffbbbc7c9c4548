//! Changes that peers send, on their way into the document.
//!
//! With the feature `fan-out`, a message's changes are taken apart (`apart.rs`): what is kept and
//! passed on are the bytes that arrived. Without it they are asked of the merge library again,
//! which is slow and takes no code.

#[cfg(feature = "fan-out")]
mod absorb;
#[cfg(feature = "fan-out")]
mod apart;
#[cfg(feature = "fan-out")]
mod careful;

use automerge::Change;
use automerge::sync::ChunkList;

use crate::document::Document;
#[cfg(feature = "fan-out")]
use crate::fan_out::SessionNumber;
use crate::session::SessionError;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// Changes that wait for those that they follow.
    #[cfg(feature = "fan-out")]
    waiting: Vec<apart::Orphan>,
    /// So many messages of peers are tried on a copy before they are believed.
    #[cfg(feature = "fan-out")]
    careful: u32,
}

impl Arrivals {
    /// Applies the changes of one message of a peer. Returns those that are new to the document, also where
    /// others were refused; the view has not taken them in yet.
    pub(crate) fn take(
        &mut self,
        document: &mut Document,
        chunks: &ChunkList,
        #[cfg(feature = "fan-out")] from: SessionNumber,
    ) -> (Vec<Change>, Result<(), SessionError>) {
        #[cfg(feature = "fan-out")]
        if let Some(taken) = self.take_apart(document, chunks, from) {
            return taken;
        }
        self.take_whole(
            document,
            chunks,
            #[cfg(feature = "fan-out")]
            from,
        )
    }

    /// Lets the merge library read them.
    fn take_whole(
        &mut self,
        document: &mut Document,
        chunks: &ChunkList,
        #[cfg(feature = "fan-out")] from: SessionNumber,
    ) -> (Vec<Change>, Result<(), SessionError>) {
        let before = document.heads();
        let mut outcome = Ok(());
        for chunk in chunks.iter() {
            #[cfg(not(feature = "fan-out"))]
            let loaded = (document.automerge_mut().load_incremental(chunk))
                .map_err(|error| SessionError::Refused(error.to_string()));
            #[cfg(feature = "fan-out")]
            let loaded = match self.on(document, |doc| doc.load_incremental(chunk)) {
                Err(careful::Failure::Refused(_)) => {
                    self.take_saved(document, chunk, Some(from)).map(|()| 0)
                }
                loaded => loaded.map_err(SessionError::from),
            };
            outcome = outcome.and(loaded.map(drop));
        }
        #[cfg(feature = "fan-out")]
        let _later = self.settle(document, Vec::new(), None); // What waits is not this message's fault.
        let changes = if document.heads() == before {
            Vec::new()
        } else {
            document.changes_since(&before)
        };
        (changes, outcome)
    }
}
