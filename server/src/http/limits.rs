//! The limits of the HTTP side, each with its unit in its name.

use std::time::Duration;

/// Connections open at once; fewer where the system allows fewer open files. A further one takes the
/// place of the one that has waited longest without a request; where none waits, it is answered with
/// 503 and closed.
pub const CONNECTIONS_MAX: usize = 16_384;

/// WebSocket peers among them, so that plain requests always find room.
pub const SYNC_PEERS_MAX: usize = CONNECTIONS_MAX / 4 * 3;

/// Open files that connections leave to everything else; half of all where that is less.
pub const FILES_RESERVED: usize = 512;

/// How long a client may take to send the head of a request, idle time included.
pub const HEAD_READ_MAX: Duration = Duration::from_secs(30);

/// Headers in one request.
pub const HEADERS_MAX: usize = 64;

/// Bytes of a request's head.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;

/// How long a connection that is sent away may take to read the end of its last answer; somebody
/// waits for its place.
pub const SEND_AWAY_MAX: Duration = Duration::from_millis(100);

/// How long a new connection may wait for its place.
pub const PLACE_MAX: Duration = Duration::from_secs(2);

/// Refused clients that are waited for at once until they have read why; others may not read it.
pub const REFUSALS_MAX: usize = 64;

/// How long a refused client may take to read why.
pub const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// How long a TLS handshake may take.
pub const TLS_HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// How long a client may leave what we write unread before its connection is dropped.
pub const WRITE_STALL_MAX: Duration = Duration::from_secs(30);

/// How long a request may take from its head to the start of its answer.
pub const REQUEST_MAX: Duration = Duration::from_secs(60);

/// The same on the old paths, where a request carries a whole list or waits for an image.
pub const SLOW_REQUEST_MAX: Duration = Duration::from_secs(300);

/// How long open requests may go on after a stop was asked for.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);

/// Bytes of an ordinary JSON body: one job, with an image inside.
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a whole list in `POST /save-jobs`.
pub const LIST_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of all bodies being received at once.
pub const BODIES_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How deep JSON in a body may nest.
pub const DEPTH_MAX: usize = 64;

/// Jobs in one page of a list.
pub const PAGE_JOBS_MAX: usize = 1_000;

/// Jobs in one page when the request names no limit.
pub const PAGE_JOBS_DEFAULT: usize = 100;

/// Entries in one page of the log.
pub const PAGE_VERSIONS_MAX: usize = plainsync_core::history::LOG_ENTRIES_MAX;

/// Entries in one page of the log when the request names no limit.
pub const PAGE_VERSIONS_DEFAULT: usize = 50;

/// Records that a difference lists; of the others it tells how many they are.
pub const DIFF_RECORDS_MAX: usize = 1_000;

/// Conflicts listed at once.
pub const CONFLICTS_MAX: usize = 1_000;

/// Characters of a value repeated back in an error.
pub const ECHO_CHARS_MAX: usize = 100;
