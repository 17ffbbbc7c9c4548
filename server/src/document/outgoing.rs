//! Frames on their way to a peer, counted as long as anybody holds them.
//!
//! ```text
//! peers.rs ─▶ the peer's queue ─▶ its writer ─▶ the socket
//!          └─────────── counted as unread ────────────┘
//! ```
//!
//! **Invariant:** what peers have not read of one document is at most
//! [`OUTBOUND_ALL_BYTES_MAX`], and of one peer at most [`OUTBOUND_BYTES_MAX`], or one frame.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may wait for one peer that reads slowly.
pub const OUTBOUND_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes that may wait for all peers of one document.
pub const OUTBOUND_ALL_BYTES_MAX: usize = 256 * 1024 * 1024;

/// An encoded frame.
#[derive(Debug)]
pub struct Outgoing {
    bytes: Vec<u8>,
    unread: Unread,
}

/// How many bytes one peer has not read, and all peers of its document.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread {
    own: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

impl Unread {
    /// For another peer of the same document.
    pub(super) fn of_another(&self) -> Self {
        Self {
            own: Arc::default(),
            all: Arc::clone(&self.all),
        }
    }

    /// How many bytes it has not read.
    pub(super) fn bytes(&self) -> usize {
        self.own.load(Ordering::Relaxed)
    }

    /// How many all have not read, those included that are gone and have not been cleared up.
    pub(super) fn all_bytes(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    /// `bytes`, counted until they are dropped.
    pub(super) fn count(&self, bytes: Vec<u8>) -> Outgoing {
        self.own.fetch_add(bytes.len(), Ordering::Relaxed);
        self.all.fetch_add(bytes.len(), Ordering::Relaxed);
        Outgoing {
            bytes,
            unread: self.clone(),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let len = self.bytes.len();
        self.unread.own.fetch_sub(len, Ordering::Relaxed);
        self.unread.all.fetch_sub(len, Ordering::Relaxed);
    }
}

impl AsRef<[u8]> for Outgoing {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Deref for Outgoing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
