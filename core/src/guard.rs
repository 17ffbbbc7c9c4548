//! The guard: refuses hostile bytes before the merge library sees them.
//!
//! Automerge's chunks are small claims about much memory: 69 bytes may say that they hold 20
//! million operations, 2 MB may inflate to 6 GB, and both are believed before anything is checked.
//! So bytes from outside are walked here first. Chunk by chunk the guard reads the header and
//! the checksum, inflates what is compressed up to a limit, and sums the run lengths that each
//! column claims, without making a single row of them.
//!
//! ```
//! use plainsync_core::guard::{self, Limits};
//!
//! let refused = guard::check(b"no chunk at all", &Limits::PEER).expect_err("it is none");
//! assert_eq!(refused.to_string(), "chunk 1 at byte 0 does not begin as an automerge chunk");
//! ```
//!
//! [`check`] takes chunks one after the other, as journals, snapshots and files hold them;
//! [`check_message`] takes a sync message. What passes may still be nonsense, which automerge then
//! refuses, or panics on; but it costs memory and time in proportion to the limits.
//!
//! **Invariant:** no input makes the guard panic, and what it reserves itself is at most what one
//! compressed part may inflate to.

mod chunks;
mod columns;
mod error;
mod message;
mod reader;

use crate::limits::{
    CHANGE_ACTORS_MAX, CHANGE_ROWS_MAX, CHANGE_UNPACKED_BYTES_MAX, HISTORY_ACTORS_MAX,
    HISTORY_ROWS_MAX, HISTORY_UNPACKED_BYTES_MAX, NEW_ACTORS_MAX, ROWS_PER_BYTE_MAX,
    SPARSE_ROWS_MAX,
};

pub use error::{Claim, Fault, GuardError, MessageFault, Part};
pub use message::check_message;

/// What may be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// By one change, compressed or not.
    pub change: Bounds,
    /// By one saved document, or one bundle of changes.
    pub document: Bounds,
    /// Most operations of all chunks that are checked at once.
    pub total_rows: u64,
    /// Most bytes that all of them unpack to.
    pub total_unpacked_bytes: u64,
    /// Most changes in them that are the first of their actor.
    pub total_new_actors: u64,
}

/// What may be claimed by one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most rows of any column: operations, what they write over, changes, parents.
    pub rows: u64,
    /// Most actors.
    pub actors: u64,
    /// Most bytes that come out of compressed parts and repeated texts.
    pub unpacked_bytes: u64,
}

impl Limits {
    /// For what comes from anybody else: peers, and the files of other devices.
    pub const PEER: Self = Self {
        change: Bounds {
            rows: CHANGE_ROWS_MAX,
            actors: CHANGE_ACTORS_MAX,
            unpacked_bytes: CHANGE_UNPACKED_BYTES_MAX,
        },
        document: Bounds {
            rows: HISTORY_ROWS_MAX,
            actors: HISTORY_ACTORS_MAX,
            unpacked_bytes: HISTORY_UNPACKED_BYTES_MAX,
        },
        total_rows: HISTORY_ROWS_MAX,
        total_unpacked_bytes: HISTORY_UNPACKED_BYTES_MAX,
        total_new_actors: NEW_ACTORS_MAX,
    };

    /// Those of `len_bytes` in all: few bytes may claim less than many.
    fn for_bytes(&self, len_bytes: u64) -> Self {
        let by_length = len_bytes.saturating_mul(ROWS_PER_BYTE_MAX);
        let rows_max = by_length.saturating_add(SPARSE_ROWS_MAX);
        let mut limits = *self;
        limits.document.rows = limits.document.rows.min(rows_max);
        limits.total_rows = limits.total_rows.min(rows_max);
        limits
    }
}

/// What was counted, so that callers can keep budgets over several calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Chunks.
    pub chunks: u64,
    /// Changes in them.
    pub changes: u64,
    /// Operations in them. A saved document holds no operation for a deletion.
    pub rows: u64,
    /// Actors that they name; one named by two chunks counts twice.
    pub actors: u64,
    /// Changes that are the first of their actor; those of saved documents are not counted.
    pub new_actors: u64,
    /// Bytes that come out of compressed parts and repeated texts.
    pub unpacked_bytes: u64,
}

/// Counts what the chunks in `bytes` claim, one chunk after the other to the end.
///
/// # Errors
///
/// [`GuardError::Chunk`]: which chunk is damaged, or claims more than `limits` allow.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<Summary, GuardError> {
    let mut total = Summary::default();
    let limits = limits.for_bytes(columns::len_of(bytes));
    check_more(bytes, 0, &limits, &mut total)?;
    Ok(total)
}

/// Adds what `bytes`, which stand at `offset` of something larger, claim to `total`.
fn check_more(
    bytes: &[u8],
    offset: usize,
    limits: &Limits,
    total: &mut Summary,
) -> Result<(), GuardError> {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let len = chunks::count(rest, limits, total).map_err(|fault| GuardError::Chunk {
            chunk: total.chunks.saturating_add(1),
            at: offset.saturating_add(at),
            fault,
        })?;
        at = at.saturating_add(len);
    }
    Ok(())
}
