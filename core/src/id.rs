//! Names of documents, devices and peers, and keys derived from content.
//!
//! Each is a type of its own, so that none can be passed for another, and each is checked
//! when it is made: an id that exists is well formed.
//!
//! ```
//! use plainsync_core::id::DocumentId;
//!
//! let id = DocumentId::from_random([7; 16]);
//! assert_eq!(id.url(), format!("automerge:{id}"));
//! assert_eq!(id.to_string().parse(), Ok(id));
//! assert_eq!(id.url().parse(), Ok(id));
//! ```
//!
//! **Invariant:** nothing here draws randomness; the host supplies it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::limits::{DOCUMENT_ID_BYTES_MAX, PEER_ID_BYTES_MAX};

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is longer than any id of its kind.
    #[error("the {what} is {len_bytes} bytes long; the limit is {max_bytes}")]
    TooLong {
        /// Which kind of id was expected.
        what: &'static str,
        /// Length found, in bytes.
        len_bytes: usize,
        /// Length allowed, in bytes.
        max_bytes: usize,
    },
    /// The text is empty.
    #[error("the {what} is empty")]
    Empty {
        /// Which kind of id was expected.
        what: &'static str,
    },
    /// The text is not base58 with a checksum, or it was mistyped.
    #[error("{text:?} is not a document id: {reason}")]
    Document {
        /// The text found.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The text is not 16 lowercase hexadecimal digits.
    #[error("{text:?} is not a device id: 16 digits of 0-9 and a-f are expected")]
    Device {
        /// The text found.
        text: String,
    },
    /// A peer's name holds a control character, which could forge lines of a log.
    #[error("the peer id {text:?} holds a control character")]
    Control {
        /// The text found.
        text: String,
    },
}

/// What precedes a document's id in its URL.
const URL_PREFIX: &str = "automerge:";

/// A document: 16 bytes, written as base58 with a checksum, as automerge-repo does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentId([u8; 16]);

impl DocumentId {
    /// A new id from 16 random bytes of the host's.
    #[must_use]
    pub const fn from_random(bytes: [u8; 16]) -> DocumentId {
        DocumentId(bytes)
    }

    /// The id whose bytes these are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> DocumentId {
        DocumentId(bytes)
    }

    /// The id's 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the bare text form, as it stands in frames and file names.
    ///
    /// # Errors
    ///
    /// - [`IdError::TooLong`], [`IdError::Document`]: the text is no document id.
    pub fn from_text(text: &str) -> Result<DocumentId, IdError> {
        if text.len() > DOCUMENT_ID_BYTES_MAX {
            return Err(IdError::TooLong {
                what: "document id",
                len_bytes: text.len(),
                max_bytes: DOCUMENT_ID_BYTES_MAX,
            });
        }
        let refused = |reason: String| IdError::Document {
            text: text.to_owned(),
            reason,
        };
        let bytes = bs58::decode(text)
            .into_vec()
            .map_err(|error| refused(error.to_string()))?;
        let checked = bytes.split_last_chunk();
        let (bytes, sum) = checked.ok_or_else(|| refused("it is too short".to_owned()))?;
        if *sum != checksum(bytes) {
            return Err(refused(
                "its checksum does not fit: was it mistyped?".to_owned(),
            ));
        }
        let len_bytes = bytes.len();
        let bytes = bytes
            .try_into()
            .map_err(|_| refused(format!("it holds {len_bytes} bytes instead of 16")))?;
        Ok(DocumentId(bytes))
    }

    /// The URL by which automerge-repo clients open the document: `automerge:<id>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{URL_PREFIX}{self}")
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.to_vec();
        bytes.extend(checksum(&self.0));
        f.write_str(&bs58::encode(bytes).into_string())
    }
}

/// What base58check puts behind `bytes`: the beginning of the SHA-256 of their SHA-256.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let digest = Sha256::digest(Sha256::digest(bytes));
    [digest[0], digest[1], digest[2], digest[3]]
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({self})")
    }
}

impl FromStr for DocumentId {
    type Err = IdError;

    /// Reads the text form or the URL.
    fn from_str(text: &str) -> Result<DocumentId, IdError> {
        DocumentId::from_text(text.strip_prefix(URL_PREFIX).unwrap_or(text))
    }
}

impl TryFrom<String> for DocumentId {
    type Error = IdError;

    fn try_from(text: String) -> Result<DocumentId, IdError> {
        text.parse()
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> String {
        id.to_string()
    }
}

/// A server install or a browser profile: 8 bytes, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(u64);

impl DeviceId {
    /// A new id from 8 random bytes of the host's.
    #[must_use]
    pub const fn from_random(bytes: [u8; 8]) -> DeviceId {
        DeviceId(u64::from_be_bytes(bytes))
    }

    /// The id's 8 bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({self})")
    }
}

impl FromStr for DeviceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<DeviceId, IdError> {
        let digits =
            text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = if digits {
            u64::from_str_radix(text, 16).ok()
        } else {
            None
        };
        number.map(DeviceId).ok_or_else(|| IdError::Device {
            text: text.chars().take(64).collect(),
        })
    }
}

impl TryFrom<String> for DeviceId {
    type Error = IdError;

    fn try_from(text: String) -> Result<DeviceId, IdError> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> String {
        id.to_string()
    }
}

/// What one end of a connection calls itself: 1 to [`PEER_ID_BYTES_MAX`] bytes of text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerId(String);

impl PeerId {
    /// Takes `name` as a peer's id.
    ///
    /// # Errors
    ///
    /// - [`IdError::Empty`], [`IdError::TooLong`], [`IdError::Control`].
    pub fn new(name: impl Into<String>) -> Result<PeerId, IdError> {
        let name = name.into();
        if name.is_empty() {
            return Err(IdError::Empty { what: "peer id" });
        }
        if name.len() > PEER_ID_BYTES_MAX {
            return Err(IdError::TooLong {
                what: "peer id",
                len_bytes: name.len(),
                max_bytes: PEER_ID_BYTES_MAX,
            });
        }
        if name.chars().any(char::is_control) {
            return Err(IdError::Control { text: name });
        }
        Ok(PeerId(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PeerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<PeerId, IdError> {
        PeerId::new(text)
    }
}

impl TryFrom<String> for PeerId {
    type Error = IdError;

    fn try_from(text: String) -> Result<PeerId, IdError> {
        PeerId::new(text)
    }
}

impl From<PeerId> for String {
    fn from(id: PeerId) -> String {
        id.0
    }
}

/// A key that anyone who holds the same parts derives alike: `prefix` and 22 characters of
/// `[A-Za-z0-9_-]`.
///
/// For records and runs that come from a file without a key of their own: two devices that
/// read the same file must call them the same. The parts are hashed with their lengths, so
/// `["ab", "c"]` and `["a", "bc"]` give different keys, as do different prefixes.
#[must_use]
pub fn derived_key(prefix: &str, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(prefix.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    // 16 bytes make 22 characters.
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(&digest[..16]))
}

#[cfg(test)]
mod tests;
