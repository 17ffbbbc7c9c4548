//! What must hold for any bytes at all: one function for each decoder of bytes from outside.
//!
//! Each takes bytes, panics where a promise is broken, and tells whether the bytes were taken.
//! Two programs call them. The fuzz targets beside this file need a fuzzer's flags and compile
//! nowhere else, so what they hold lives here and not in them; and `core/tests/mutations.rs`
//! includes this file by its path, so every ordinary test run compiles it with the stable
//! compiler, lints it, and holds it against `corpus/` and against mutations of that. It is no
//! part of `core`, because nobody who uses the engine needs it.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    dead_code,
    unreachable_pub,
    reason = "test support, shared by several programs"
)]

mod document;
mod files;
mod sync;

use plainsync_core::chunk::{self, Chunk};
use plainsync_core::wire::{Frame, FrameError};

pub use document::{document, empty, export, id, query};
pub use files::import;
pub use sync::{repair, sync_message};

/// Longest sentence of an error, in bytes: it quotes a name, whose letters may need six each, and is
/// no dump.
const SENTENCE_BYTES_MAX: usize = 2_000;

/// What is refused says so in a sentence that can be shown.
fn says(error: &impl std::fmt::Display) -> String {
    let sentence = error.to_string();
    assert!(!sentence.is_empty());
    assert!(
        sentence.len() <= SENTENCE_BYTES_MAX,
        "a message of {} bytes",
        sentence.len()
    );
    sentence
}

/// A frame is read as one that is written and read again as itself, or refused at a place inside it.
pub fn frame(bytes: &[u8]) -> bool {
    match Frame::decode(bytes) {
        Ok(frame) => {
            let written = frame.encode();
            assert!(frame.changes() <= bytes.len() as u64);
            assert_eq!(Frame::decode(&written).as_ref(), Ok(&frame));
            true
        }
        Err(error) => {
            says(&error);
            match error {
                FrameError::Malformed { at, .. } | FrameError::TooDeep { at, .. } => {
                    assert!(at <= bytes.len(), "byte {at} of {}", bytes.len());
                }
                FrameError::TooLarge { len_bytes, .. } => assert_eq!(len_bytes, bytes.len()),
                _ => {}
            }
            false
        }
    }
}

/// A journal gives chunks that are, byte for byte, what is written for their payload, in order
/// and not overlapping; where it is broken, reading goes on at a whole one. Read as the text that a
/// browser's storage keeps, it is just what is written for its payload, or refused.
pub fn chunk(bytes: &[u8]) -> bool {
    let (mut end, mut whole) = (0, true);
    let mut chunks = chunk::read(bytes);
    while let Some(next) = chunks.next() {
        match next {
            Ok(found) => {
                assert_eq!(found.at, end);
                is_as_written(bytes, found);
                end = found.end();
            }
            Err(broken) => {
                says(&broken);
                whole = false;
                assert_eq!(broken.at, end, "broken where the last whole one ends");
                assert!(chunks.next().is_none(), "nothing after what is broken");
                let Some(next) = broken.next else { break };
                assert!(next > broken.at);
                let found = chunk::read_from(bytes, next).next();
                assert!(matches!(found, Some(Ok(found)) if found.at == next));
                end = next;
                chunks.go_on(next);
            }
        }
    }
    let text = chunk::to_text(bytes).unwrap();
    assert_eq!(chunk::from_text(&text).as_deref(), Ok(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        match chunk::from_text(text) {
            Ok(payload) => assert_eq!(chunk::to_text(&payload).as_deref(), Ok(text)),
            Err(error) => drop(says(&error)),
        }
    }
    whole
}

fn is_as_written(bytes: &[u8], found: Chunk<'_>) {
    let written = chunk::encode(found.bytes).unwrap();
    assert_eq!(bytes.get(found.at..found.end()), Some(&written[..]));
}

/// What holds what a decoder promises.
pub type Holds = fn(&[u8]) -> bool;

/// Every target's name, and what it holds.
pub const ALL: [(&str, Holds); 5] = [
    ("frame", frame),
    ("sync_message", sync_message),
    ("chunk", chunk),
    ("import", import),
    ("query", query),
];

/// Whether a panic in this source file is one of the engine's own, which is never allowed, also
/// where somebody catches it: what is caught is meant for the merge library.
pub fn is_ours(file: &str) -> bool {
    let file = file.replace('\\', "/");
    let of_others = ["/rustc/", "/library/", "/registry/"];
    file.contains("core/src/") && !of_others.iter().any(|other| file.contains(other))
}
