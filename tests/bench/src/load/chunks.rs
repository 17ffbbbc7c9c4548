//! The changes in a sync message, found by their frames alone.
//!
//! A message carries each change by itself, or many one after the other. A change begins with
//! four fixed bytes, its checksum (the first bytes of its hash, also if it is compressed), what
//! it is, and its length.

use super::LoadError;
use super::ledger::Mark;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE: u8 = 1;
const COMPRESSED_CHANGE: u8 = 2;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The changes, by the beginnings of their hashes.
    pub(super) marks: Vec<Mark>,
    /// There is something else besides, such as a whole document.
    pub(super) other: bool,
}

/// Looks through `bytes`, which hold whole chunks, and adds what is there to `found`.
pub(super) fn find(mut bytes: &[u8], found: &mut Found) -> Result<(), LoadError> {
    while !bytes.is_empty() {
        let (chunk, rest) = split(bytes)
            .ok_or_else(|| LoadError::message("a chunk of changes is cut off or is none"))?;
        match chunk.kind {
            CHANGE | COMPRESSED_CHANGE => found.marks.push(chunk.checksum),
            _ => found.other = true,
        }
        bytes = rest;
    }
    Ok(())
}

struct Chunk {
    kind: u8,
    checksum: Mark,
}

fn split(bytes: &[u8]) -> Option<(Chunk, &[u8])> {
    let bytes = bytes.strip_prefix(&MAGIC)?;
    let (checksum, bytes) = bytes.split_first_chunk::<4>()?;
    let (kind, bytes) = bytes.split_first()?;
    let (len, bytes) = number(bytes)?;
    let rest = bytes.get(usize::try_from(len).ok()?..)?;
    let chunk = Chunk {
        kind: *kind,
        checksum: *checksum,
    };
    Some((chunk, rest))
}

/// Reads a number of seven bits a byte, low ones first; returns what follows, too.
pub(super) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// Appends a number as [`number`] reads it.
pub(super) fn put_number(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use automerge::transaction::Transactable as _;
    use automerge::{Automerge, ROOT};

    use super::*;

    /// A document of three changes, the last one long enough to be compressed.
    fn document() -> Automerge {
        let mut document = Automerge::new();
        for text in ["a".to_owned(), "b".to_owned(), "c".repeat(5_000)] {
            let mut transaction = document.transaction();
            transaction.put(ROOT, "key", text).expect("a map takes it");
            transaction.commit();
        }
        document
    }

    #[test]
    fn changes_are_found_by_the_beginning_of_their_hash() {
        let mut changes = document().get_changes(&[]);
        let hashes: Vec<_> = changes.iter().map(|change| change.hash()).collect();
        let bytes: Vec<u8> = changes
            .iter_mut()
            .flat_map(|change| change.bytes().to_vec())
            .collect();
        let mut found = Found::default();
        find(&bytes, &mut found).expect("whole chunks");
        let marks: Vec<_> = found.marks.iter().map(|mark| mark.to_vec()).collect();
        let hashes: Vec<_> = hashes.iter().map(|hash| hash.0[..4].to_vec()).collect();
        assert_eq!(marks, hashes);
        assert!(!found.other);
        assert!(bytes.len() < 1_000, "one is compressed: {}", bytes.len());
    }

    #[test]
    fn a_whole_document_is_something_else_and_a_cut_is_refused() {
        let bytes = document().save();
        let mut found = Found::default();
        find(&bytes, &mut found).expect("one chunk");
        assert!(found.other && found.marks.is_empty());
        assert!(find(&bytes[..bytes.len() - 1], &mut found).is_err());
    }

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX)] {
            let mut bytes = Vec::new();
            put_number(value, &mut bytes);
            bytes.push(9);
            assert_eq!(number(&bytes), Some((value, &[9][..])));
        }
        assert_eq!(number(&[0x80]), None);
    }
}
