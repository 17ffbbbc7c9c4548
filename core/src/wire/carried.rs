//! How many changes a frame carries, from their headers alone: nothing is decoded.
//!
//! ```text
//! message = version | hashes | hashes | list of have | list of bytes | …
//! have    = hashes | bytes                 hashes = list of 32 bytes
//! list    = count | item*                  bytes  = length | chunk*
//! chunk   = magic (4) | checksum (4) | type (1) | length | …
//! ```
//!
//! One peer gets each change as bytes of its own, another all of them as one.

use super::Frame;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// Bytes of a chunk's magic, checksum and type.
const CHUNK_HEAD_BYTES: u64 = 9;

impl Frame {
    /// How many changes it carries. A history that is sent whole counts as one; what cannot be read
    /// carries none.
    #[must_use]
    pub fn changes(&self) -> u64 {
        match self {
            Self::Request { data, .. } | Self::Sync { data, .. } => count(data).unwrap_or_default(),
            _ => 0,
        }
    }
}

fn count(message: &[u8]) -> Option<u64> {
    let mut rest = message.get(1..)?;
    skip_hashes(&mut rest)?; // The heads.
    skip_hashes(&mut rest)?; // What is needed.
    for _ in 0..number(&mut rest)? {
        skip_hashes(&mut rest)?;
        let bloom = number(&mut rest)?;
        skip(&mut rest, bloom, 1)?;
    }
    let mut changes = 0;
    for _ in 0..number(&mut rest)? {
        let bytes = usize::try_from(number(&mut rest)?).ok()?;
        let (mut chunks, after) = rest.split_at_checked(bytes)?;
        rest = after;
        while !chunks.is_empty() {
            skip(&mut chunks, CHUNK_HEAD_BYTES, 1)?;
            let body = number(&mut chunks)?;
            skip(&mut chunks, body, 1)?;
            changes += 1;
        }
    }
    Some(changes)
}

fn skip_hashes(rest: &mut &[u8]) -> Option<()> {
    let hashes = number(rest)?;
    skip(rest, hashes, HASH_BYTES)
}

fn skip(rest: &mut &[u8], items: u64, item_bytes: usize) -> Option<()> {
    let bytes = usize::try_from(items).ok()?.checked_mul(item_bytes)?;
    *rest = rest.get(bytes..)?;
    Some(())
}

/// An unsigned LEB128 number.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use automerge::sync::{State, SyncDoc as _};
    use automerge::{AutoCommit, transaction::Transactable as _};

    use super::*;

    /// Says after each message between two documents how many changes it carried.
    fn exchange(from: &mut AutoCommit, to: &mut AutoCommit) -> Vec<u64> {
        let (mut ours, mut theirs) = (State::new(), State::new());
        let mut carried = Vec::new();
        loop {
            let message = from.sync().generate_sync_message(&mut ours);
            let answer = to.sync().generate_sync_message(&mut theirs);
            if message.is_none() && answer.is_none() {
                return carried;
            }
            if let Some(message) = message {
                carried.push(count(&message.clone().encode()).expect("a message"));
                to.sync()
                    .receive_sync_message(&mut theirs, message)
                    .expect("it is taken");
            }
            if let Some(answer) = answer {
                from.sync()
                    .receive_sync_message(&mut ours, answer)
                    .expect("it is taken");
            }
        }
    }

    #[test]
    fn s8_changes_in_a_message_are_counted() {
        let mut one = AutoCommit::new();
        for n in 0..100 {
            one.put(automerge::ROOT, "n", n).expect("a map");
            one.commit();
        }
        let mut two = one.fork();
        exchange(&mut one, &mut two);
        for n in 0..5 {
            one.put(automerge::ROOT, "n", n).expect("a map");
            one.commit();
        }
        assert_eq!(exchange(&mut one, &mut two).iter().sum::<u64>(), 5);
        let whole = exchange(&mut one, &mut AutoCommit::new());
        let carried: u64 = whole.iter().sum();
        assert!((1..=2).contains(&carried), "a history sent whole is one");
    }

    #[test]
    fn s4_what_is_no_message_carries_nothing() {
        for bytes in [
            &[][..],
            &[0x42],
            &[0x42, 0xff, 0xff, 0xff, 0xff],
            &[0xff; 40],
        ] {
            assert_eq!(count(bytes), None);
        }
    }
}
