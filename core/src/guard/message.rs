//! Walks a sync message: what its sender has and needs, and the chunks in it.
//!
//! ```text
//!  kind (66 or 67), heads, needs: lists of hashes
//!  haves: a list of (hashes, filter)     a filter: entries, bits of each, probes of each, its bits
//!  changes: a list of bytes, each whole chunks
//!  flags, which are not looked at
//! ```
//!
//! A filter of 60 bytes may ask for 4 billion probes of each change, and automerge reserves
//! memory for as many: that aborts the process.

use super::columns::len_of;
use super::reader::{Damaged, Reader};
use super::{GuardError, Limits, MessageFault, Summary, check_more};

const KIND_ONE: u8 = 66;
const KIND_TWO: u8 = 67;
const HASH_BYTES: u64 = 32;

/// Most descriptions of what the peer has: all known programs send one or none.
const HAVES_MAX: u64 = 16;

/// Most probes of a filter for each change: all known programs write 7.
const FILTER_PROBES_MAX: u64 = 32;

/// Counts what the chunks in the sync message `bytes` claim.
///
/// # Errors
///
/// [`GuardError`]: the message or a chunk in it is damaged, or claims more than `limits` allow.
pub fn check_message(bytes: &[u8], limits: &Limits) -> Result<Summary, GuardError> {
    let limits = limits.for_bytes(len_of(bytes));
    let mut total = Summary::default();
    let mut reader = Reader::new(bytes);
    around(&mut reader).map_err(|fault| GuardError::Message {
        at: reader.at(),
        fault,
    })?;
    let damaged = |at| GuardError::Message {
        at,
        fault: MessageFault::Damaged,
    };
    let count = reader.unsigned().map_err(|_| damaged(reader.at()))?;
    for _ in 0..count {
        let chunks = reader.prefixed().map_err(|_| damaged(reader.at()))?;
        let offset = reader.at().saturating_sub(chunks.len());
        check_more(chunks, offset, &limits, &mut total)?;
    }
    Ok(total)
}

/// Reads what stands before the chunks.
fn around(reader: &mut Reader<'_>) -> Result<(), MessageFault> {
    let damaged = |_: Damaged| MessageFault::Damaged;
    let kind = reader.byte().map_err(damaged)?;
    if kind != KIND_ONE && kind != KIND_TWO {
        return Err(MessageFault::Kind { kind });
    }
    hashes(reader)?; // Heads.
    hashes(reader)?; // Needs.
    let found = reader.unsigned().map_err(damaged)?;
    if found > HAVES_MAX {
        let max = HAVES_MAX;
        return Err(MessageFault::Haves { found, max });
    }
    for _ in 0..found {
        hashes(reader)?;
        filter(reader.prefixed().map_err(damaged)?)?;
    }
    Ok(())
}

fn hashes(reader: &mut Reader<'_>) -> Result<(), MessageFault> {
    let damaged = |_: Damaged| MessageFault::Damaged;
    let count = reader.unsigned().map_err(damaged)?;
    let len = count.checked_mul(HASH_BYTES).ok_or(MessageFault::Damaged)?;
    reader.take(len).map(drop).map_err(damaged)
}

fn filter(bytes: &[u8]) -> Result<(), MessageFault> {
    if bytes.is_empty() {
        return Ok(());
    }
    let damaged = |_: Damaged| MessageFault::Damaged;
    let mut reader = Reader::new(bytes);
    let entries = reader.unsigned().map_err(damaged)?;
    let bits = reader.unsigned().map_err(damaged)?;
    let probes = reader.unsigned().map_err(damaged)?;
    if probes > FILTER_PROBES_MAX || (bits == 0 && entries > 0) {
        let max = FILTER_PROBES_MAX;
        return Err(MessageFault::Filter {
            entries,
            bits,
            probes,
            max,
        });
    }
    let len = entries.saturating_mul(bits).div_ceil(8);
    reader.take(len).map(drop).map_err(damaged)
}
