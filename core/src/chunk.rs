//! Chunks: bytes framed so that a reader knows which of them are whole.
//!
//! A journal is chunks one after the other; a browser keeps one chunk per key, as text.
//!
//! ```text
//!  0         4           8              12            12 + length
//!  ├─────────┼───────────┼──────────────┼─────────────┤
//!  │ length  │ check of  │ check of the │ payload     │   all numbers little-endian u32;
//!  │         │ length    │ payload      │             │   a check is a CRC-32C
//!  └─────────┴───────────┴──────────────┴─────────────┘
//! ```
//!
//! The length has a check of its own, so two things that look alike to a plain
//! length-and-checksum frame are told apart: a chunk cut short by a crash (the length is right,
//! the bytes are not all there) and a damaged length, which would otherwise hide every
//! later chunk. A run of zeros, as some file systems leave it after a crash, is no chunk.
//!
//! ```
//! use plainsync_core::chunk;
//!
//! let mut journal = chunk::encode(b"first")?;
//! journal.extend(chunk::encode(b"second")?);
//! journal.truncate(journal.len() - 1); // A crash in the middle of a write.
//!
//! let mut chunks = chunk::read(&journal);
//! assert_eq!(chunks.next().map(|c| c.map(|c| c.bytes)), Some(Ok(&b"first"[..])));
//! let broken = chunks.next().expect("something follows").expect_err("but it is torn");
//! assert_eq!((broken.at, broken.next), (17, None));
//! # Ok::<(), chunk::TooLarge>(())
//! ```
//!
//! **Invariant:** a payload is handed out only if it is, byte for byte, what was framed. The
//! checks find damage, not forgery.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crc::{CRC_32_ISCSI, Crc, Table};

use crate::limits::{CHUNK_BYTES_MAX, CHUNK_SEARCH_BYTES, CHUNK_SEARCHES_MAX};

/// CRC-32C, with the small table: larger ones would be noticed in what a page downloads.
static CHECK: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// The CRC-32C of `bytes`.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    CHECK.checksum(bytes)
}

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 12;

/// A payload that no chunk can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of {len_bytes} bytes is too large; the limit is {CHUNK_BYTES_MAX}")]
pub struct TooLarge {
    /// Size of the payload, in bytes.
    pub len_bytes: usize,
}

/// A whole chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Where it begins, in bytes from the start of what is read.
    pub at: usize,
    /// Its payload.
    pub bytes: &'a [u8],
}

impl Chunk<'_> {
    /// The first byte after it: where the next one begins.
    #[must_use]
    pub fn end(&self) -> usize {
        self.at + HEADER_BYTES + self.bytes.len()
    }
}

/// Where reading stopped, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chunk at byte {at} {reason}")]
pub struct Broken {
    /// Where the chunk begins that is not whole: all before it is.
    pub at: usize,
    /// What is wrong with it.
    pub reason: Reason,
    /// Where the next whole chunk begins, if there is one.
    ///
    /// Without one, this is the torn tail of a crash, which may be cut off; with one, whole
    /// chunks follow the damage, and cutting here would lose them.
    pub next: Option<usize>,
}

/// What is wrong with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes end before the chunk does.
    #[error("is cut short: it needs {need_bytes} bytes and {have_bytes} are there")]
    Torn {
        /// Bytes it needs, as far as is known.
        need_bytes: usize,
        /// Bytes there are.
        have_bytes: usize,
    },
    /// The length does not fit its check.
    #[error("has a damaged length")]
    Length,
    /// The payload does not fit its check.
    #[error("has {len_bytes} bytes of damaged contents")]
    Payload {
        /// Its length, in bytes.
        len_bytes: usize,
    },
    /// The length is more than a chunk may have, although it fits its check.
    #[error("claims {len_bytes} bytes; the limit is {CHUNK_BYTES_MAX}")]
    TooLarge {
        /// Length found, in bytes.
        len_bytes: usize,
    },
}

/// Frames `payload`.
///
/// # Errors
///
/// [`TooLarge`]: it has more than [`CHUNK_BYTES_MAX`] bytes.
pub fn encode(payload: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let mut out = Vec::with_capacity(HEADER_BYTES + payload.len().min(CHUNK_BYTES_MAX));
    append(&mut out, payload)?;
    Ok(out)
}

/// Frames `payload` at the end of `out`; on an error `out` is as it was.
///
/// # Errors
///
/// [`TooLarge`]: it has more than [`CHUNK_BYTES_MAX`] bytes.
pub fn append(out: &mut Vec<u8>, payload: &[u8]) -> Result<(), TooLarge> {
    let too_large = TooLarge {
        len_bytes: payload.len(),
    };
    if payload.len() > CHUNK_BYTES_MAX {
        return Err(too_large);
    }
    let length = u32::try_from(payload.len())
        .map_err(|_| too_large)?
        .to_le_bytes();
    out.extend(length);
    out.extend(checksum(&length).to_le_bytes());
    out.extend(checksum(payload).to_le_bytes());
    out.extend(payload);
    Ok(())
}

/// Reads chunks from the start of `bytes`: each whole one in order, then at most one [`Broken`].
#[must_use]
pub fn read(bytes: &[u8]) -> Chunks<'_> {
    read_from(bytes, 0)
}

/// Reads from byte `at`; offsets still count from the start.
#[must_use]
pub fn read_from(bytes: &[u8], at: usize) -> Chunks<'_> {
    let searches = bytes.len().saturating_mul(CHUNK_SEARCHES_MAX);
    Chunks {
        bytes,
        at,
        stopped: false,
        left_bytes: searches.saturating_add(CHUNK_SEARCH_BYTES),
    }
}

/// Iterator over the chunks of a byte string; made by [`read`].
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
    stopped: bool,
    /// How many more may be checked in vain.
    left_bytes: usize,
}

impl<'a> Chunks<'a> {
    /// Reads on behind what is broken, at [`Broken::next`].
    pub fn go_on(&mut self, next: usize) {
        (self.at, self.stopped) = (next, false);
    }

    /// The chunk that begins at byte `at`.
    fn look(&mut self, at: usize) -> Result<Chunk<'a>, Reason> {
        let found = chunk_at(self.bytes, at);
        if let Err(Reason::Payload { len_bytes }) = found {
            self.left_bytes = self.left_bytes.saturating_sub(len_bytes);
        }
        found
    }

    /// The first whole chunk after a broken one at byte `at`.
    ///
    /// A damaged payload says where it ends. If no chunk begins there, or the length is damaged,
    /// or later chunks were appended to a torn one, every byte is tried: only one in 2³² passes
    /// the check of its length by chance, and then the payload's check is asked too.
    fn next_whole(&mut self, at: usize, reason: Reason) -> Option<usize> {
        if let Reason::Payload { len_bytes } = reason {
            let next = at + HEADER_BYTES + len_bytes;
            if self.look(next).is_ok() {
                return Some(next);
            }
        }
        let last = self.bytes.len().checked_sub(HEADER_BYTES)?;
        (at + 1..=last).find(|next| self.left_bytes > 0 && self.look(*next).is_ok())
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stopped || self.at >= self.bytes.len() {
            return None;
        }
        let at = self.at;
        Some(match self.look(at) {
            Ok(chunk) => {
                self.at = chunk.end();
                Ok(chunk)
            }
            Err(reason) => {
                self.stopped = true;
                Err(Broken {
                    at,
                    reason,
                    next: self.next_whole(at, reason),
                })
            }
        })
    }
}

/// The chunk that begins at byte `at`.
fn chunk_at(bytes: &[u8], at: usize) -> Result<Chunk<'_>, Reason> {
    let rest = bytes.get(at..).unwrap_or_default();
    let torn = |need_bytes| Reason::Torn {
        need_bytes,
        have_bytes: rest.len(),
    };
    let (header, rest_of_it) = rest
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or_else(|| torn(HEADER_BYTES))?;
    let word =
        |n: usize| u32::from_le_bytes([header[n], header[n + 1], header[n + 2], header[n + 3]]);
    if checksum(&header[..4]) != word(4) {
        return Err(Reason::Length);
    }
    let len_bytes = usize::try_from(word(0)).unwrap_or(usize::MAX);
    if len_bytes > CHUNK_BYTES_MAX {
        return Err(Reason::TooLarge { len_bytes });
    }
    let payload = rest_of_it
        .get(..len_bytes)
        .ok_or_else(|| torn(HEADER_BYTES + len_bytes))?;
    if checksum(payload) != word(8) {
        return Err(Reason::Payload { len_bytes });
    }
    Ok(Chunk { at, bytes: payload })
}

/// The first character of a text form: which alphabet follows.
const BASE64: char = '1';

/// Why a stored text is no chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text is of no form that we write.
    #[error("the stored text is no chunk of ours: it begins with {found:?}")]
    Form {
        /// Its first character, if it has any.
        found: Option<char>,
    },
    /// Characters were changed or lost.
    #[error("the stored text is damaged: {0}")]
    Letters(String),
    /// The chunk in it is not whole.
    #[error("the stored text is damaged: {0}")]
    Broken(#[from] Broken),
    /// More follows the chunk.
    #[error("the stored text holds {len_bytes} bytes after its chunk")]
    Trailing {
        /// How many bytes follow.
        len_bytes: usize,
    },
    /// The text is longer than that of any chunk.
    #[error("the stored text has {len} characters; the limit is {max}")]
    TooLong {
        /// Length found.
        len: usize,
        /// Length allowed.
        max: usize,
    },
}

/// Longest text of a chunk, in characters.
const TEXT_LEN_MAX: usize = 1 + (HEADER_BYTES + CHUNK_BYTES_MAX).div_ceil(3) * 4;

/// `payload` as text with a checksum, for a store that keeps only text.
///
/// # Errors
///
/// [`TooLarge`]: it has more than [`CHUNK_BYTES_MAX`] bytes.
pub fn to_text(payload: &[u8]) -> Result<String, TooLarge> {
    let chunk = encode(payload)?;
    let mut text = String::with_capacity(1 + chunk.len().div_ceil(3) * 4);
    text.push(BASE64);
    STANDARD_NO_PAD.encode_string(chunk, &mut text);
    Ok(text)
}

/// The payload of a text that [`to_text`] wrote.
///
/// # Errors
///
/// [`TextError`]: the text is not, letter for letter, what was written.
pub fn from_text(text: &str) -> Result<Vec<u8>, TextError> {
    if text.len() > TEXT_LEN_MAX {
        return Err(TextError::TooLong {
            len: text.len(),
            max: TEXT_LEN_MAX,
        });
    }
    let Some(letters) = text.strip_prefix(BASE64) else {
        return Err(TextError::Form {
            found: text.chars().next(),
        });
    };
    let mut bytes = STANDARD_NO_PAD
        .decode(letters)
        .map_err(|error| TextError::Letters(error.to_string()))?;
    let end = chunk_at(&bytes, 0)
        .map_err(|reason| Broken {
            at: 0,
            reason,
            next: None,
        })?
        .end();
    if end < bytes.len() {
        return Err(TextError::Trailing {
            len_bytes: bytes.len() - end,
        });
    }
    bytes.drain(..HEADER_BYTES);
    Ok(bytes)
}

#[cfg(test)]
mod tests;
