//! Images: data URL ⇄ content address.
//!
//! A document never holds image bytes. A data URL in a record is replaced by a reference,
//! `blob:sha256-<64 hex>`, and the bytes are kept outside by that name; an export puts
//! the data URL back, letter for letter.
//!
//! ```
//! use plainsync_core::blob;
//! use serde_json::json;
//!
//! let gif = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
//! let mut job = json!({"prompt": gif, "result": gif});
//! let blobs = blob::externalize(&mut job, &["prompt"]);
//! assert_eq!(job["result"], blobs[0].hash.to_string());
//! assert_eq!(job["prompt"], gif); // Text that a person typed stays text.
//!
//! blob::inline(&mut job, &["prompt"], |hash| {
//!     (*hash == blobs[0].hash).then(|| blobs[0].bytes.as_slice().into())
//! });
//! assert_eq!(job["result"], gif);
//! ```
//!
//! **Invariant:** only a data URL that comes back exactly is taken out: one that is written
//! any other way, or whose bytes are not the image that it claims, stays the text it was.

mod address;
mod media;
mod walk;

pub use address::{BlobRef, BlobRefError, LINKED_FOLDER_ENDING};
pub use media::{Mime, sniff};
pub use walk::{externalize, inline, refs, show};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits::BLOB_BYTES_MAX;

/// An image taken out of a data URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its content address.
    pub hash: BlobRef,
    /// What its first bytes say it is.
    pub mime: Mime,
    /// The image file, at most [`BLOB_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// Takes image bytes as they are; `None` if they are no image we know, or too large.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Blob> {
        if bytes.len() > BLOB_BYTES_MAX {
            return None;
        }
        let mime = sniff(&bytes)?;
        Some(Blob {
            hash: BlobRef::of(&bytes),
            mime,
            bytes,
        })
    }

    /// The data URL that gives exactly this blob.
    #[must_use]
    pub fn to_data_url(&self) -> String {
        to_data_url(self.mime, &self.bytes)
    }
}

/// Takes the image out of a canonical data URL, `data:image/<type>;base64,<padded base64>`.
///
/// `None` unless [`to_data_url`] gives back exactly `text`, the bytes begin as the declared
/// type does, and they are at most [`BLOB_BYTES_MAX`].
#[must_use]
pub fn from_data_url(text: &str) -> Option<Blob> {
    let (mime, encoded) = text.strip_prefix("data:")?.split_once(";base64,")?;
    let mime = Mime::from_name(mime)?;
    if encoded.len() > BLOB_BYTES_MAX.div_ceil(3) * 4 {
        return None;
    }
    // This engine takes one spelling for each bytes: padded, no other letters, no stray bits.
    let blob = Blob::from_bytes(STANDARD.decode(encoded).ok()?)?;
    (blob.mime == mime).then_some(blob)
}

/// The canonical data URL of an image.
#[must_use]
pub fn to_data_url(mime: Mime, bytes: &[u8]) -> String {
    let mut url = String::with_capacity(32 + bytes.len().div_ceil(3) * 4);
    url.push_str("data:");
    url.push_str(mime.as_str());
    url.push_str(";base64,");
    STANDARD.encode_string(bytes, &mut url);
    url
}

#[cfg(test)]
mod tests;
