//! Bytes into frames.
//!
//! Two passes over the map. The first steps over every value, which proves the whole frame
//! well formed and shallow, and notes where the known fields stand. The second reads only the
//! fields that this kind of frame has, so an unknown kind may use their names for anything.

use minicbor::data::Type;

use super::cbor::Reader;
use super::{Frame, FrameError, PROTOCOL};
use crate::id::{DocumentId, PeerId};
use crate::limits::{EPHEMERAL_BYTES_MAX, FRAME_BYTES_MAX};

/// The fields of all kinds of frames, by their names on the wire.
const FIELDS: [&str; 11] = [
    "type",
    "senderId",
    "targetId",
    "peerMetadata",
    "supportedProtocolVersions",
    "selectedProtocolVersion",
    "documentId",
    "data",
    "count",
    "sessionId",
    "message",
];

/// The fields of `peerMetadata`.
#[cfg(feature = "fan-out")]
const METADATA: [&str; 3] = ["storageId", "isEphemeral", "messagesAhead"];
#[cfg(not(feature = "fan-out"))]
const METADATA: [&str; 2] = ["storageId", "isEphemeral"]; // A page answers when it can, whatever the server sends ahead.

impl Frame {
    /// Reads one frame.
    ///
    /// # Errors
    ///
    /// - [`FrameError::TooLarge`]: more than [`FRAME_BYTES_MAX`].
    /// - [`FrameError::Malformed`], [`FrameError::TooDeep`]: not one CBOR map, or too nested.
    /// - The others: a known kind of frame lacks a field or has one that it cannot have.
    pub fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            let len_bytes = bytes.len();
            return Err(FrameError::TooLarge {
                len_bytes,
                max_bytes: FRAME_BYTES_MAX,
            });
        }
        let mut reader = Reader::new(bytes);
        let found = reader.fields(FIELDS, 0)?;
        if reader.position() < bytes.len() {
            let at = reader.position();
            return Err(FrameError::Malformed {
                at,
                reason: "more bytes follow the map".into(),
            });
        }
        let fields = Fields { bytes, at: found };
        let kind = fields.text("type", "?")?;
        match kind.as_str() {
            "join" => join(&fields, &kind),
            "peer" => peer(&fields, &kind),
            "request" => Ok(Frame::Request {
                document: fields.document(&kind)?,
                sender: fields.peer("senderId", &kind)?,
                target: fields.peer("targetId", &kind)?,
                data: fields.data(&kind, FRAME_BYTES_MAX)?,
            }),
            "sync" => Ok(Frame::Sync {
                document: fields.document(&kind)?,
                sender: fields.peer("senderId", &kind)?,
                target: fields.peer("targetId", &kind)?,
                data: fields.data(&kind, FRAME_BYTES_MAX)?,
            }),
            "doc-unavailable" => Ok(Frame::DocUnavailable {
                document: fields.document(&kind)?,
                sender: fields.peer("senderId", &kind)?,
                target: fields.peer("targetId", &kind)?,
            }),
            "ephemeral" => Ok(Frame::Ephemeral {
                document: fields.document(&kind)?,
                sender: fields.peer("senderId", &kind)?,
                target: fields.peer("targetId", &kind)?,
                count: fields.count(&kind)?,
                session: fields.text("sessionId", &kind)?,
                data: fields.data(&kind, EPHEMERAL_BYTES_MAX)?,
            }),
            "leave" => Ok(Frame::Leave {
                sender: fields.peer("senderId", &kind)?,
            }),
            "error" => Ok(Frame::Error {
                message: fields.text("message", &kind)?,
            }),
            _ => Ok(Frame::Unknown { kind }),
        }
    }
}

fn join(fields: &Fields<'_>, kind: &str) -> Result<Frame, FrameError> {
    let (storage_id, ephemeral, ahead) = fields.metadata()?;
    Ok(Frame::Join {
        sender: fields.peer("senderId", kind)?,
        storage_id,
        ephemeral,
        ahead,
        versions: fields.versions()?,
    })
}

fn peer(fields: &Fields<'_>, kind: &str) -> Result<Frame, FrameError> {
    let (storage_id, ephemeral, ahead) = fields.metadata()?;
    Ok(Frame::Peer {
        sender: fields.peer("senderId", kind)?,
        target: fields.peer("targetId", kind)?,
        storage_id,
        ephemeral,
        ahead,
        version: fields.text("selectedProtocolVersion", kind)?,
    })
}

/// Where the known fields of a frame stand that has been stepped through.
struct Fields<'b> {
    bytes: &'b [u8],
    at: [Option<usize>; FIELDS.len()],
}

impl<'b> Fields<'b> {
    /// A reader at the value of `field`, unless that is absent, `null` or `undefined`.
    fn get(&self, field: &'static str) -> Result<Option<Reader<'b>>, FrameError> {
        let index = FIELDS.iter().position(|name| *name == field);
        match index.and_then(|index| self.at[index]) {
            Some(at) => Reader::present(self.bytes, at),
            None => Ok(None),
        }
    }

    fn need(&self, field: &'static str, kind: &str) -> Result<Reader<'b>, FrameError> {
        let missing = || FrameError::Missing {
            kind: kind.to_owned(),
            field,
        };
        self.get(field)?.ok_or_else(missing)
    }

    fn text(&self, field: &'static str, kind: &str) -> Result<String, FrameError> {
        self.need(field, kind)?.text(field)
    }

    fn peer(&self, field: &'static str, kind: &str) -> Result<PeerId, FrameError> {
        PeerId::new(self.text(field, kind)?).map_err(|source| FrameError::Id { field, source })
    }

    fn document(&self, kind: &str) -> Result<DocumentId, FrameError> {
        let field = "documentId";
        DocumentId::from_text(&self.text(field, kind)?)
            .map_err(|source| FrameError::Id { field, source })
    }

    fn data(&self, kind: &str, max: usize) -> Result<Vec<u8>, FrameError> {
        self.need("data", kind)?.data("data", max)
    }

    fn count(&self, kind: &str) -> Result<u64, FrameError> {
        self.need("count", kind)?.whole("count")
    }

    /// `storageId`, `isEphemeral` and `messagesAhead`; a peer that says nothing keeps what it is sent.
    fn metadata(&self) -> Result<(Option<String>, bool, u32), FrameError> {
        let Some(mut reader) = self.get("peerMetadata")? else {
            return Ok((None, false, 0));
        };
        reader.expect("peerMetadata", "a map", |found| {
            matches!(found, Type::Map | Type::MapIndef)
        })?;
        let found = reader.fields(METADATA, 1)?;
        let value = |at: Option<usize>| at.map_or(Ok(None), |at| Reader::present(self.bytes, at));
        let storage_id = value(found[0])?
            .map(|mut reader| reader.text("storageId"))
            .transpose()?;
        let ephemeral = value(found[1])?
            .map(|mut reader| reader.flag("isEphemeral"))
            .transpose()?;
        #[cfg(feature = "fan-out")]
        let ahead = value(found[2])?
            .map(|mut reader| reader.whole("messagesAhead"))
            .transpose()?
            .map_or(0, |ahead| u32::try_from(ahead).unwrap_or(u32::MAX));
        #[cfg(not(feature = "fan-out"))]
        let ahead = 0;
        Ok((storage_id, ephemeral.unwrap_or(false), ahead))
    }

    /// The versions offered; the JS server takes silence for [`PROTOCOL`], and so do we.
    fn versions(&self) -> Result<Vec<String>, FrameError> {
        let field = "supportedProtocolVersions";
        match self.get(field)? {
            Some(mut reader) => reader.texts(field),
            None => Ok(vec![PROTOCOL.to_owned()]),
        }
    }
}
