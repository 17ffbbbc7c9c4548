//! Every limit of the engine, with its unit: the last word of each name but `MAX`.
//!
//! A limit is met before the work that it bounds begins: a length is compared before
//! anything of that length is reserved, and depth is counted while descending. What
//! passes a limit is refused with an error that names both numbers.

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Largest WebSocket frame taken from a peer or sent to one, in bytes.
pub const FRAME_BYTES_MAX: usize = 16 * MIB;

/// Deepest nesting of arrays, maps and tags inside one frame.
pub const FRAME_DEPTH_MAX: usize = 32;

/// Longest text field of a frame that we read (kind, version, session, message), in bytes.
pub const FRAME_TEXT_BYTES_MAX: usize = 4 * KIB;

/// Most protocol versions that one `join` may offer.
pub const FRAME_VERSIONS_MAX: usize = 16;

/// Largest presence message relayed between peers, in bytes.
pub const EPHEMERAL_BYTES_MAX: usize = 256 * KIB;

/// Longest name by which a peer calls itself, in bytes of UTF-8.
pub const PEER_ID_BYTES_MAX: usize = 256;

/// Longest text form of a document id that is looked at, in bytes. A real one has at most 28.
pub const DOCUMENT_ID_BYTES_MAX: usize = 48;

/// Largest payload of one framed chunk in a journal or a browser's storage, in bytes.
///
/// Larger than a frame, because a compacted document is one chunk too.
pub const CHUNK_BYTES_MAX: usize = 64 * MIB;

/// Most bytes that a reader of chunks checks in vain, for each byte there is and besides
/// [`CHUNK_SEARCH_BYTES`], until it looks for no more whole chunks inside damaged ones.
///
/// Damage costs at most three; chunks that were forged to claim each other, the square of all.
pub const CHUNK_SEARCHES_MAX: usize = 8;

/// See [`CHUNK_SEARCHES_MAX`].
pub const CHUNK_SEARCH_BYTES: usize = 16 * MIB;

/// Largest JSON text that is parsed, in bytes.
pub const JSON_BYTES_MAX: usize = 256 * MIB;

/// Deepest nesting of arrays and objects in JSON that is parsed.
///
/// Far below what overflows a stack anywhere, a browser's worker included.
pub const JSON_DEPTH_MAX: usize = 64;

/// Deepest nesting of arrays and objects in a field: the file around it has three levels more,
/// its own object, the list and the record, and must be read again.
pub const VALUE_DEPTH_MAX: usize = JSON_DEPTH_MAX - 3;

/// Most values (numbers, texts, lists, …) in JSON that is parsed.
///
/// A value takes up to 80 bytes of memory for as little as 2 bytes of text.
pub const JSON_VALUES_MAX: usize = 8_000_000;

/// Longest text in JSON that is parsed, in bytes: more than the largest image as a data URL.
///
/// It is met before the text is copied, so that a file of one long text costs no memory twice.
pub const JSON_TEXT_BYTES_MAX: usize = 12 * MIB;

/// Longest number written in JSON that is parsed, in bytes.
///
/// The exact decimal form of any double has fewer than 800 digits.
pub const JSON_NUMBER_BYTES_MAX: usize = KIB;

/// Longest text kept in a document as text, in bytes. Images are kept outside it.
pub const TEXT_BYTES_MAX: usize = MIB;

/// Largest image kept by its content address, in bytes.
pub const BLOB_BYTES_MAX: usize = 8 * MIB;

/// Most records in one document, the bin included.
pub const DOCUMENT_RECORDS_MAX: usize = 100_000;

/// Longest key of a record, in bytes.
pub const KEY_BYTES_MAX: usize = 64;

/// Most records of one label that an entry of a file without a version is compared with. Records
/// past them are found by the key that follows from the entry alone, or are new.
pub const CLAIMANTS_MAX: usize = 200;

/// Longest query text, in bytes.
pub const QUERY_BYTES_MAX: usize = 4 * KIB;

/// Most words and terms of a query: each is looked for in every row.
pub const QUERY_TERMS_MAX: usize = 64;

/// Most rows returned at once.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Most fields that one record may have, runs and nested ones not counted.
pub const RECORD_FIELDS_MAX: usize = 1_000;

/// Most values (numbers, texts, lists, …) in one record that is written or imported, and in all
/// fields of a file outside its records. A list of the pixels of a picture of 256 by 256 fits.
///
/// A change of an import that may hold [`IMPORT_OPS_PER_CHANGE`] already, and then takes the place of
/// so many values by as many others, stays within [`CHANGE_ROWS_MAX`].
pub const RECORD_VALUES_MAX: usize = 70_000;

/// Most records that one change of an import makes or alters: larger imports are split, so
/// that no change claims more operations than a guard accepts.
pub const IMPORT_RECORDS_PER_CHANGE_MAX: usize = 2_000;

/// Operations after which a change of an import takes no more records, for the same reason: wider
/// records than jobs make more changes. A single record is never split.
pub const IMPORT_OPS_PER_CHANGE: u64 = 50_000;

/// Most versions that are tried as the base of a list that names none.
pub const BASE_VERSIONS_MAX: usize = 8;

/// Most versions that are tried as the base of a file that has lost its own.
pub const WRITTEN_VERSIONS_MAX: usize = 32;

/// New operations that a merge asks, at any size of document, which record each belongs to,
/// instead of reading every record again.
pub const REFRESH_OPS_MIN: usize = 200;

/// Records from which on it is quicker to read all of them at once than one after the other.
pub const BULK_RECORDS_MIN: usize = 200;

/// Most senders of presence messages that are remembered, so that none is relayed twice.
pub const EPHEMERAL_SENDERS_MAX: usize = 10_000;

/// Most changes of one peer that wait for their predecessors, in bytes of all of them.
pub const ORPHAN_BYTES_MAX: usize = 8 * MIB;

/// The same of all peers together.
pub const ORPHANS_BYTES_MAX: usize = 64 * MIB;

/// Messages that are tried on a copy of the document after one made the merge library fail.
pub const CAREFUL_MESSAGES: u32 = 1_000;

/// Most changes that a replica keeps at hand for peers that are behind, in bytes of all of them.
/// A peer further behind is told by comparing histories.
pub const LOG_BYTES_MAX: usize = 4 * MIB;

/// Longest wait for a peer's answer to changes that were sent to it, in milliseconds. After it,
/// histories are compared.
pub const ANSWER_MS_MAX: u64 = 5_000;

/// Most messages that are on their way to a peer before it has answered the first of them, where it
/// takes as many. Whoever takes one gets what gathers meanwhile in the next.
pub const MESSAGES_AHEAD_MAX: u32 = 32;

/// Most rows that any column of one change may claim: operations, and what they write over.
///
/// An import of 10,000 jobs is 140,000 operations, and is split at
/// [`IMPORT_RECORDS_PER_CHANGE_MAX`] records into five changes of 28,000. Automerge takes some
/// 300 to 500 bytes and 4 µs for an operation while it merges it, so a change that claims the most
/// without saying anything costs 80 MB and 0.7 s.
pub const CHANGE_ROWS_MAX: u64 = 200_000;

/// Most rows that any column of a saved document may claim, and all changes that come at once.
///
/// [`DOCUMENT_RECORDS_MAX`] jobs of 14 operations are 1.4 million; twice as many were written
/// again by runs and edits in a long history.
pub const HISTORY_ROWS_MAX: u64 = 4_000_000;

/// Most rows for each byte that arrives, past the first [`SPARSE_ROWS_MAX`]: 1 KB of changes could
/// claim [`HISTORY_ROWS_MAX`], which would cost 1.2 GB and 14 s.
///
/// Saved documents of jobs have 0.15 to 0.4 rows a byte, and English texts by letters 3.
pub const ROWS_PER_BYTE_MAX: u64 = 8;

/// Most rows that all that comes at once may claim, however short it is.
pub const SPARSE_ROWS_MAX: u64 = 400_000;

/// Most changes that come at once and are the first of their actor.
///
/// For each of them automerge numbers all actors in the document again: 0.8 ms at 10,000 jobs.
/// A document that nobody opened so often is sent as one saved document, if it is sent whole.
pub const NEW_ACTORS_MAX: u64 = 20_000;

/// Most actors that one change may name besides its own.
pub const CHANGE_ACTORS_MAX: u64 = 20_000;

/// Most actors in a saved document: one for each time that somebody opened it and edited.
pub const HISTORY_ACTORS_MAX: u64 = 100_000;

/// Most bytes that one change unpacks to: by inflating it, and by the texts that its runs repeat.
///
/// [`IMPORT_RECORDS_PER_CHANGE_MAX`] records of 30 KB each fit.
pub const CHANGE_UNPACKED_BYTES_MAX: u64 = 64 << 20;

/// Most bytes that a saved document unpacks to, and all changes that come at once.
///
/// As much as the largest JSON text that is parsed: [`JSON_BYTES_MAX`].
pub const HISTORY_UNPACKED_BYTES_MAX: u64 = 256 << 20;
