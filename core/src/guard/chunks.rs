//! Walks one automerge chunk: its header, its checksum, and where its columns are.
//!
//! ```text
//!  0       4          8      9
//!  ├───────┼──────────┼──────┼────────┬──────┐
//!  │ magic │ checksum │ kind │ length │ data │   the checksum is the first 4 bytes of the SHA-256
//!  └───────┴──────────┴──────┴────────┴──────┘   of kind, length and data
//!
//!  0  document           actors, heads, columns of changes and of operations, bytes of both
//!  1  change             parents, actor, numbers, message, other actors, columns, their bytes
//!  2  compressed change  the same, deflated; its checksum is that of the change
//!  3  bundle             parents, actors, columns of changes with bytes, of operations with bytes
//! ```

use sha2::{Digest, Sha256};

use super::columns::{self, Allowed, Column};
use super::reader::{Damaged, Reader};
use super::{Bounds, Claim, Fault, Limits, Part, Summary};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const DOCUMENT: u8 = 0;
const CHANGE: u8 = 1;
const COMPRESSED: u8 = 2;
const BUNDLE: u8 = 3;

/// Length of a change's hash, in bytes.
const HASH_BYTES: u64 = 32;

/// Automerge keeps one clock for this many changes, with a number of 4 bytes for each actor.
const CHANGES_PER_CLOCK: u64 = 16;
const CLOCK_ACTOR_BYTES: u64 = 4;

/// Most bytes that such clocks may take: 1 GiB, as 10,000 actors over 430,000 changes do.
const CLOCK_BYTES_MAX: u64 = 1 << 30;

/// Counts what the chunk at the start of `bytes` claims into `total`; returns its length.
pub(super) fn count(bytes: &[u8], limits: &Limits, total: &mut Summary) -> Result<usize, Fault> {
    let mut reader = Reader::new(bytes);
    if !bytes.starts_with(&MAGIC) {
        return Err(Fault::NoChunk);
    }
    let cut_short = |_: Damaged| Fault::CutShort;
    reader.take(4).map_err(cut_short)?;
    let checksum = reader.take(4).map_err(cut_short)?;
    let kind = reader.byte().map_err(cut_short)?;
    let data = reader.prefixed().map_err(cut_short)?;
    let (bounds, hashed_kind) = match kind {
        CHANGE => (limits.change, CHANGE),
        COMPRESSED => (limits.change, CHANGE),
        DOCUMENT | BUNDLE => (limits.document, kind),
        kind => return Err(Fault::Kind { kind }),
    };
    let mut found = Summary::default();
    let mut inflated = Vec::new();
    let data = if kind == COMPRESSED {
        // Also what all chunks have left: a thousand compressed ones inflate to no more.
        let left = limits
            .total_unpacked_bytes
            .saturating_sub(total.unpacked_bytes);
        let bounds = Bounds {
            unpacked_bytes: bounds.unpacked_bytes.min(left),
            ..bounds
        };
        columns::inflate(data, &mut inflated, &bounds, &mut found.unpacked_bytes)?;
        &inflated
    } else {
        data
    };
    if hash_start(hashed_kind, data) != checksum {
        return Err(Fault::Checksum);
    }
    match kind {
        DOCUMENT => document(data, bounds, &mut found),
        BUNDLE => bundle(data, bounds, &mut found),
        _ => change(data, bounds, &mut found),
    }?;
    add(total, &found, limits)?;
    Ok(reader.at())
}

/// The first bytes of the hash of a chunk.
fn hash_start(kind: u8, data: &[u8]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    let mut len = columns::len_of(data);
    loop {
        let [low, ..] = len.to_le_bytes();
        len >>= 7;
        if len == 0 {
            hasher.update([low & 0x7f]);
            break;
        }
        hasher.update([low | 0x80]);
    }
    hasher.update(data);
    let hash = hasher.finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn head(_: Damaged) -> Fault {
    Fault::Damaged { part: Part::Head }
}

fn change(data: &[u8], bounds: Bounds, found: &mut Summary) -> Result<(), Fault> {
    let mut reader = Reader::new(data);
    hashes(&mut reader)?;
    reader.prefixed().map_err(head)?; // The actor.
    let nth = reader.unsigned().map_err(head)?; // Which of its changes this is.
    reader.unsigned().map_err(head)?; // The number of its first operation.
    reader.signed().map_err(head)?; // Its time.
    reader.prefixed().map_err(head)?; // What it says of itself.
    let others = actors(&mut reader, &bounds)?;
    let columns = columns::list(&mut reader)?;
    let allowed = Allowed {
        bounds,
        actors: others.saturating_add(1),
        compressed: false,
    };
    let unpacked = &mut found.unpacked_bytes;
    let ops = columns::OPS_OF_CHANGE;
    found.rows = columns::count(&columns, ops, &mut reader, &allowed, unpacked)?;
    found.changes = 1;
    found.new_actors = u64::from(nth == 1);
    found.actors = allowed.actors;
    Ok(()) // What follows is the author's and is not looked at.
}

fn document(data: &[u8], bounds: Bounds, found: &mut Summary) -> Result<(), Fault> {
    let mut reader = Reader::new(data);
    let actors = actors(&mut reader, &bounds)?;
    let heads = hashes(&mut reader)?;
    let of_changes = columns::list(&mut reader)?;
    let of_ops = columns::list(&mut reader)?;
    let allowed = Allowed {
        bounds,
        actors,
        compressed: true,
    };
    changes(&of_changes, &mut reader, &allowed, found)?;
    ops(&of_ops, &mut reader, &allowed, found)?;
    if reader.is_empty() {
        return Ok(()); // Old documents do not say where their heads are.
    }
    let tail = |_: Damaged| Fault::Damaged { part: Part::Tail };
    for _ in 0..heads {
        reader.unsigned().map_err(tail)?;
    }
    if !reader.is_empty() {
        return Err(tail(Damaged));
    }
    Ok(())
}

fn bundle(data: &[u8], bounds: Bounds, found: &mut Summary) -> Result<(), Fault> {
    let mut reader = Reader::new(data);
    hashes(&mut reader)?;
    let allowed = Allowed {
        bounds,
        actors: actors(&mut reader, &bounds)?,
        compressed: true,
    };
    let of_changes = columns::list(&mut reader)?;
    changes(&of_changes, &mut reader, &allowed, found)?;
    let of_ops = columns::list(&mut reader)?;
    ops(&of_ops, &mut reader, &allowed, found)
}

fn changes(
    list: &[Column],
    reader: &mut Reader<'_>,
    allowed: &Allowed,
    found: &mut Summary,
) -> Result<(), Fault> {
    let unpacked = &mut found.unpacked_bytes;
    found.changes = columns::count(list, columns::CHANGES, reader, allowed, unpacked)?;
    found.actors = allowed.actors;
    let clocks = found.changes.div_ceil(CHANGES_PER_CLOCK);
    let clock_bytes = clocks
        .saturating_mul(allowed.actors)
        .saturating_mul(CLOCK_ACTOR_BYTES);
    columns::within(Claim::ClockBytes, clock_bytes, CLOCK_BYTES_MAX)
}

fn ops(
    list: &[Column],
    reader: &mut Reader<'_>,
    allowed: &Allowed,
    found: &mut Summary,
) -> Result<(), Fault> {
    let unpacked = &mut found.unpacked_bytes;
    found.rows = columns::count(list, columns::OPS, reader, allowed, unpacked)?;
    Ok(())
}

/// Reads a list of hashes; returns how many there are.
fn hashes(reader: &mut Reader<'_>) -> Result<u64, Fault> {
    let count = reader.unsigned().map_err(head)?;
    let len = count.checked_mul(HASH_BYTES).ok_or(head(Damaged))?;
    reader.take(len).map_err(head)?;
    Ok(count)
}

/// Reads a list of actors; returns how many there are.
fn actors(reader: &mut Reader<'_>, bounds: &Bounds) -> Result<u64, Fault> {
    let count = reader.unsigned().map_err(head)?;
    columns::within(Claim::Actors, count, bounds.actors)?;
    for _ in 0..count {
        reader.prefixed().map_err(head)?;
    }
    Ok(count)
}

/// Adds what a chunk claims to `total`, if `limits` allow so much.
fn add(total: &mut Summary, found: &Summary, limits: &Limits) -> Result<(), Fault> {
    let sum = Summary {
        chunks: total.chunks.saturating_add(1),
        changes: total.changes.saturating_add(found.changes),
        rows: total.rows.saturating_add(found.rows),
        actors: total.actors.saturating_add(found.actors),
        new_actors: total.new_actors.saturating_add(found.new_actors),
        unpacked_bytes: total.unpacked_bytes.saturating_add(found.unpacked_bytes),
    };
    for (claim, found, max) in [
        (Claim::Rows, sum.rows, limits.total_rows),
        (Claim::NewActors, sum.new_actors, limits.total_new_actors),
        (
            Claim::UnpackedBytes,
            sum.unpacked_bytes,
            limits.total_unpacked_bytes,
        ),
    ] {
        if found > max {
            return Err(Fault::TooManyInAll { claim, found, max });
        }
    }
    *total = sum;
    Ok(())
}
