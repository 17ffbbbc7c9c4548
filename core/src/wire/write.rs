//! Frames into bytes.

use std::convert::Infallible;

use minicbor::Encoder;
use minicbor::encode::Error;

use super::Frame;
use crate::id::{DocumentId, PeerId};

/// What writing into memory gives: minicbor cannot know that it never fails.
type Written = Result<(), Error<Infallible>>;

impl Frame {
    /// The frame as one CBOR map of definite length.
    ///
    /// A frame with more data than a peer takes is encoded all the same: whoever fills it
    /// keeps to [`FRAME_BYTES_MAX`](crate::limits::FRAME_BYTES_MAX).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut map = Map(Encoder::new(Vec::with_capacity(self.room_bytes())));
        let written = map.frame(self);
        debug_assert!(written.is_ok(), "writing into memory cannot fail");
        map.0.into_writer()
    }

    /// About how many bytes the frame takes: its data and a generous rest.
    fn room_bytes(&self) -> usize {
        match self {
            Frame::Request { data, .. }
            | Frame::Sync { data, .. }
            | Frame::Ephemeral { data, .. } => 512 + data.len(),
            _ => 512,
        }
    }
}

/// Writes one map, field by field.
struct Map(Encoder<Vec<u8>>);

impl Map {
    fn frame(&mut self, frame: &Frame) -> Written {
        match frame {
            Frame::Join {
                sender,
                storage_id,
                ephemeral,
                ahead,
                versions,
            } => {
                self.open(4, frame.kind())?;
                self.text("senderId", sender.as_str())?;
                self.metadata(storage_id.as_deref(), *ephemeral, *ahead)?;
                self.0
                    .str("supportedProtocolVersions")?
                    .array(versions.len() as u64)?;
                for version in versions {
                    self.0.str(version)?;
                }
                Ok(())
            }
            Frame::Peer {
                sender,
                target,
                storage_id,
                ephemeral,
                ahead,
                version,
            } => {
                self.open(5, frame.kind())?;
                self.text("senderId", sender.as_str())?;
                self.text("targetId", target.as_str())?;
                self.metadata(storage_id.as_deref(), *ephemeral, *ahead)?;
                self.text("selectedProtocolVersion", version)
            }
            Frame::Request {
                document,
                sender,
                target,
                data,
            }
            | Frame::Sync {
                document,
                sender,
                target,
                data,
            } => {
                self.open(5, frame.kind())?;
                self.about(document, sender, target)?;
                self.data(data)
            }
            Frame::DocUnavailable {
                document,
                sender,
                target,
            } => {
                self.open(4, frame.kind())?;
                self.about(document, sender, target)
            }
            Frame::Ephemeral {
                document,
                sender,
                target,
                count,
                session,
                data,
            } => {
                self.open(7, frame.kind())?;
                self.about(document, sender, target)?;
                self.0.str("count")?.u64(*count)?;
                self.text("sessionId", session)?;
                self.data(data)
            }
            Frame::Leave { sender } => {
                self.open(2, frame.kind())?;
                self.text("senderId", sender.as_str())
            }
            Frame::Error { message } => {
                self.open(2, frame.kind())?;
                self.text("message", message)
            }
            Frame::Unknown { kind } => self.open(1, kind),
        }
    }

    /// Begins a map of `fields` fields, the first of which is its type.
    fn open(&mut self, fields: u64, kind: &str) -> Written {
        self.0.map(fields)?;
        self.text("type", kind)
    }

    /// Three fields: who tells whom about which document.
    fn about(&mut self, document: &DocumentId, sender: &PeerId, target: &PeerId) -> Written {
        self.text("senderId", sender.as_str())?;
        self.text("targetId", target.as_str())?;
        self.text("documentId", &document.to_string())
    }

    fn metadata(&mut self, storage_id: Option<&str>, ephemeral: bool, ahead: u32) -> Written {
        self.0
            .str("peerMetadata")?
            .map(1 + u64::from(storage_id.is_some()) + u64::from(ahead > 0))?;
        if let Some(storage_id) = storage_id {
            self.text("storageId", storage_id)?;
        }
        if ahead > 0 {
            self.0.str("messagesAhead")?.u32(ahead)?;
        }
        self.0.str("isEphemeral")?.bool(ephemeral)?.ok()
    }

    fn data(&mut self, data: &[u8]) -> Written {
        self.0.str("data")?.bytes(data)?.ok()
    }

    fn text(&mut self, name: &str, value: &str) -> Written {
        self.0.str(name)?.str(value)?.ok()
    }
}
