//! Frames of the automerge-repo WebSocket protocol, version 1: one CBOR map per message.
//!
//! ```
//! use plainsync_core::id::PeerId;
//! use plainsync_core::wire::{Frame, PROTOCOL};
//!
//! let join = Frame::Join {
//!     sender: PeerId::new("tab-1")?,
//!     storage_id: None,
//!     ephemeral: true,
//!     ahead: 0,
//!     versions: vec![PROTOCOL.to_owned()],
//! };
//! assert_eq!(Frame::decode(&join.encode())?, join);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | kind | who sends it | fields |
//! |---|---|---|
//! | `join` | the client, first | `senderId`, `peerMetadata{storageId?, isEphemeral, messagesAhead?}`, `supportedProtocolVersions` |
//! | `peer` | the server, in answer | `senderId`, `targetId`, `peerMetadata`, `selectedProtocolVersion` |
//! | `request`, `sync` | both | `senderId`, `targetId`, `documentId`, `data`: an automerge sync message |
//! | `doc-unavailable` | both, in answer to `request` | `senderId`, `targetId`, `documentId` |
//! | `ephemeral` | both, relayed | `senderId`, `targetId`, `documentId`, `count`, `sessionId`, `data` |
//! | `leave` | both | `senderId` |
//! | `error` | both, before closing | `message` |
//!
//! What we write is plain: definite lengths, untagged byte strings. What we read is what other
//! encoders make of the same: indefinite lengths, byte strings tagged 64, whole numbers written
//! as floats, absent values as `null` or `undefined`, unknown keys, unknown kinds.
//!
//! **Invariant:** any bytes at all give a frame or a [`FrameError`]; nothing panics, recurses
//! past [`FRAME_DEPTH_MAX`], or reserves memory that the bytes received do not fill.

#[cfg(feature = "fan-out")]
mod carried;
mod cbor;
mod read;
#[cfg(test)]
mod tests;
mod write;

use crate::id::{DocumentId, IdError, PeerId};
#[cfg(doc)]
use crate::limits::FRAME_DEPTH_MAX;

/// The protocol version that we speak.
pub const PROTOCOL: &str = "1";

/// One message of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// A client introduces itself.
    Join {
        /// What the client calls itself.
        sender: PeerId,
        /// Names the storage behind the client, if it keeps any.
        storage_id: Option<String>,
        /// Whether the client forgets everything when it closes.
        ephemeral: bool,
        /// Messages that it takes before it has answered the first of them: `messagesAhead`, a word of
        /// ours that others ignore. Zero, and unsaid: one, as the protocol has it.
        ahead: u32,
        /// Protocol versions that it speaks; [`PROTOCOL`] when it names none.
        versions: Vec<String>,
    },
    /// A server accepts a client.
    Peer {
        /// What the server calls itself.
        sender: PeerId,
        /// The client.
        target: PeerId,
        /// Names the storage behind the server, if it keeps any.
        storage_id: Option<String>,
        /// Whether the server forgets everything when it closes.
        ephemeral: bool,
        /// Messages that it sends before the first of them is answered: so the client may answer many
        /// with one. Zero, and unsaid: one.
        ahead: u32,
        /// The protocol version chosen.
        version: String,
    },
    /// The first sync message about a document: also asks to be told if it is unknown.
    Request {
        /// The document asked for.
        document: DocumentId,
        /// Who sends this.
        sender: PeerId,
        /// For whom it is.
        target: PeerId,
        /// An automerge sync message.
        data: Vec<u8>,
    },
    /// A sync message about a document.
    Sync {
        /// The document.
        document: DocumentId,
        /// Who sends this.
        sender: PeerId,
        /// For whom it is.
        target: PeerId,
        /// An automerge sync message.
        data: Vec<u8>,
    },
    /// The sender does not have the document, nor does anyone whom it asked.
    DocUnavailable {
        /// The document asked for.
        document: DocumentId,
        /// Who sends this.
        sender: PeerId,
        /// For whom it is.
        target: PeerId,
    },
    /// A message that is passed on and kept nowhere, such as presence.
    Ephemeral {
        /// The document that it is about.
        document: DocumentId,
        /// Who made it; relays keep this.
        sender: PeerId,
        /// For whom it is.
        target: PeerId,
        /// Grows with each message of one session: a relay passes each on once.
        count: u64,
        /// The sender's session.
        session: String,
        /// The message: CBOR of the application's.
        data: Vec<u8>,
    },
    /// The sender goes.
    Leave {
        /// Who goes.
        sender: PeerId,
    },
    /// The sender closes the connection, and says why.
    Error {
        /// The reason, for people.
        message: String,
    },
    /// A kind that we do not know: to be ignored.
    Unknown {
        /// What it calls itself.
        kind: String,
    },
}

impl Frame {
    /// The frame's `type`, as it stands on the wire.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Frame::Join { .. } => "join",
            Frame::Peer { .. } => "peer",
            Frame::Request { .. } => "request",
            Frame::Sync { .. } => "sync",
            Frame::DocUnavailable { .. } => "doc-unavailable",
            Frame::Ephemeral { .. } => "ephemeral",
            Frame::Leave { .. } => "leave",
            Frame::Error { .. } => "error",
            Frame::Unknown { kind } => kind,
        }
    }

    /// The document that the frame is about, if it is about one.
    #[must_use]
    pub fn document(&self) -> Option<DocumentId> {
        match self {
            Frame::Request { document, .. }
            | Frame::Sync { document, .. }
            | Frame::DocUnavailable { document, .. }
            | Frame::Ephemeral { document, .. } => Some(*document),
            _ => None,
        }
    }
}

/// Why a frame was refused.
///
/// The bytes after a refused frame are a new frame, so a host may go on; but a peer that sent
/// one of these will not send what it meant again, which is why sessions close the socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is larger than any we take.
    #[error("the frame is {len_bytes} bytes; the limit is {max_bytes}")]
    TooLarge {
        /// Size found, in bytes.
        len_bytes: usize,
        /// Size allowed, in bytes.
        max_bytes: usize,
    },
    /// The bytes are not one CBOR map.
    #[error("the frame is not one CBOR map, at byte {at}: {reason}")]
    Malformed {
        /// Where, in bytes from the start.
        at: usize,
        /// What was found there.
        reason: String,
    },
    /// Arrays, maps or tags are nested too deeply.
    #[error("the frame is nested more than {max} deep, at byte {at}")]
    TooDeep {
        /// Where, in bytes from the start.
        at: usize,
        /// Depth allowed.
        max: usize,
    },
    /// A field that this kind of frame needs is not there.
    #[error("a {kind:?} frame needs the field {field:?}")]
    Missing {
        /// The frame's kind.
        kind: String,
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A field is there with a value that it cannot have.
    #[error("the field {field:?} of a frame holds {found}; {expected} is expected")]
    Field {
        /// The field's name on the wire.
        field: &'static str,
        /// What was found.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A text or byte string is longer than that field may be.
    #[error("the field {field:?} of a frame is {len} long; the limit is {max}")]
    FieldTooLong {
        /// The field's name on the wire.
        field: &'static str,
        /// Length found: bytes, or items of an array.
        len: usize,
        /// Length allowed.
        max: usize,
    },
    /// A name in a frame is not well formed.
    #[error("the field {field:?} of a frame is refused: {source}")]
    Id {
        /// The field's name on the wire.
        field: &'static str,
        /// What is wrong with it.
        source: IdError,
    },
}
