//! What goes into a replica and what comes out of it.

use automerge::ChangeHash;

use crate::blob::Blob;
#[cfg(feature = "fan-out")]
use crate::document::RestoreError;
use crate::edit::{EditError, EditId, Key, StampedEdit};
use crate::id::PeerId;
use crate::plain::import::{ImportError, ImportOptions, ImportReport};
use crate::session::Cause;
use crate::time::Millis;
use crate::wire::Frame;

/// Something that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A connection about this document stands.
    Connected {
        /// Who is at the other end.
        peer: PeerId,
        /// We opened it, so we speak first.
        dial: bool,
        /// What the peer advertises is on its disk: it is a server.
        server: bool,
        /// Messages that it takes before it answers the first of them: many peers wait for one.
        ahead: u32,
    },
    /// A frame about this document arrived.
    Received {
        /// Whose connection it came over.
        peer: PeerId,
        /// The frame.
        frame: Frame,
    },
    /// The connection is gone.
    Disconnected {
        /// Whose.
        peer: PeerId,
    },
    /// Somebody here asks for a change.
    Edit(StampedEdit),
    /// A file, or an old client's whole list, is to be taken in.
    Import {
        /// Its bytes.
        text: Vec<u8>,
        /// Where it comes from and what it was made from.
        options: ImportOptions,
    },
    /// Another device's copy of this document's history was read, from a folder that both share.
    #[cfg(feature = "fan-out")]
    Absorb {
        /// Saved documents and changes, in any order; what is known already changes nothing.
        chunks: Vec<Vec<u8>>,
    },
    /// Everything up to and including this [`Effect::Persist`] is durable.
    Persisted {
        /// Its number.
        seq: u64,
    },
    /// Time has passed.
    Tick,
}

/// Something that the host is to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Keep these images: the change that refers to them follows.
    Blobs(Vec<Blob>),
    /// Make these bytes durable, then say [`Input::Persisted`].
    Persist {
        /// Counted from 1, in order.
        seq: u64,
        /// Automerge changes, one after the other; [`Replica::restore`](super::Replica::restore) takes them back.
        bytes: Vec<u8>,
        /// The edits that they contain.
        edits: Vec<EditId>,
    },
    /// Send this frame.
    Send {
        /// To whom.
        peer: PeerId,
        /// What.
        frame: Frame,
    },
    /// Close this peer's connection. The replica has forgotten it already.
    Close {
        /// Whose.
        peer: PeerId,
        /// A sentence for the peer and the log.
        reason: String,
        /// What it counts as.
        cause: Cause,
    },
    /// These rows changed, or are new, or are gone.
    Changed {
        /// Their records.
        keys: Vec<Key>,
        /// By an edit or import made here.
        local: bool,
    },
    /// What the import did.
    Imported(ImportReport),
    /// What became of [`Input::Absorb`].
    #[cfg(feature = "fan-out")]
    Absorbed {
        /// Changes that were new here.
        changes: usize,
        /// Why a chunk was refused, if one was; the others are in.
        refused: Option<RestoreError>,
    },
    /// The server's durable history contains these changes of ours; worth keeping, so that
    /// the number of waiting edits is right after a restart.
    ServerHas {
        /// Its newest changes that we know.
        heads: Vec<ChangeHash>,
    },
    /// The peer does not have this document.
    Unavailable {
        /// Who.
        peer: PeerId,
    },
    /// Somebody's presence message.
    Presence {
        /// Who sent it first.
        sender: PeerId,
        /// Its payload, CBOR.
        data: Vec<u8>,
    },
}

/// Why an input was refused. The replica is unchanged and usable, except after
/// [`StepError::Poisoned`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The edit was refused.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file was refused.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The merge library failed. Drop this replica and restore another from what is durable.
    #[error("the merge library failed on this input; the replica must be restored from storage")]
    Poisoned,
}

/// What still waits for the server (B5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Changes that the server is not known to have on disk.
    pub edits: usize,
    /// When the oldest of them was made.
    pub oldest_at: Option<Millis>,
    /// The server is connected, and has on disk all that we have.
    pub server_has_it: bool,
}
