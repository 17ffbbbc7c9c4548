//! The content address of an image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Mime;

/// What a reference begins with in a document.
const SCHEME: &str = "blob:";
/// What the name begins with after the scheme, and alone in a path.
const ALGORITHM: &str = "sha256-";

/// How the name of a folder ends that holds linked images (F12).
pub const LINKED_FOLDER_ENDING: &str = ".images";

/// The text is no content address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an image is named blob:sha256- or sha256- followed by 64 digits of 0-9 and a-f")]
pub struct BlobRefError;

/// An image by the SHA-256 of its bytes, written `blob:sha256-<64 hex>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobRef([u8; 32]);

impl BlobRef {
    /// The address of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> BlobRef {
        BlobRef(Sha256::digest(bytes).into())
    }

    /// The address whose hash this is.
    #[must_use]
    pub const fn from_hash(hash: [u8; 32]) -> BlobRef {
        BlobRef(hash)
    }

    /// The SHA-256 itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name for paths and file names: `sha256-<64 hex>`.
    #[must_use]
    pub fn name(&self) -> String {
        let mut text = String::with_capacity(ALGORITHM.len() + 64);
        text.push_str(ALGORITHM);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        text
    }

    /// Reads a name as [`BlobRef::name`] writes it.
    ///
    /// # Errors
    ///
    /// [`BlobRefError`] for anything else.
    pub fn from_name(name: &str) -> Result<BlobRef, BlobRefError> {
        BlobRef::from_digits(name.strip_prefix(ALGORITHM).ok_or(BlobRefError)?)
    }

    /// Reads a link to a file that is called after its image (F12):
    /// `<any folder>.images/<64 hex>.<ending>`.
    ///
    /// # Errors
    ///
    /// [`BlobRefError`] for anything else.
    pub fn from_link(link: &str) -> Result<BlobRef, BlobRefError> {
        let (folder, file) = link.rsplit_once('/').ok_or(BlobRefError)?;
        let (digits, ending) = file.split_once('.').ok_or(BlobRefError)?;
        let known = Mime::ALL.iter().any(|mime| mime.extension() == ending);
        if !known || !folder.ends_with(LINKED_FOLDER_ENDING) {
            return Err(BlobRefError);
        }
        BlobRef::from_digits(digits)
    }

    fn from_digits(digits: &str) -> Result<BlobRef, BlobRefError> {
        let digits = digits.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return Err(BlobRefError);
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(BlobRef(hash))
    }
}

/// The value of one lowercase hexadecimal digit.
fn nibble(digit: u8) -> Result<u8, BlobRefError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(BlobRefError),
    }
}

impl fmt::Display for BlobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEME)?;
        f.write_str(&self.name())
    }
}

impl fmt::Debug for BlobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobRef({})", self.name())
    }
}

impl FromStr for BlobRef {
    type Err = BlobRefError;

    /// Reads a reference as it stands in a document.
    fn from_str(text: &str) -> Result<BlobRef, BlobRefError> {
        BlobRef::from_name(text.strip_prefix(SCHEME).ok_or(BlobRefError)?)
    }
}

impl TryFrom<String> for BlobRef {
    type Error = BlobRefError;

    fn try_from(text: String) -> Result<BlobRef, BlobRefError> {
        text.parse()
    }
}

impl From<BlobRef> for String {
    fn from(hash: BlobRef) -> String {
        hash.to_string()
    }
}
