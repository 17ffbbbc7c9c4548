//! The connections of one document, as its actor sees them: whom to send to, and how each ended.
//!
//! **Invariant:** sending never waits. A peer whose queue is full is dropped, and finds out
//! by the end of that queue (S6).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use plainsync_core::id::PeerId;
use tokio::sync::mpsc;
use tracing::{debug, info};

/// Tells one connection of a peer from its next one.
pub(super) type Token = u64;

/// Why a connection was closed by the document; shared with the connection's handle.
pub(super) type End = Arc<OnceLock<String>>;

struct Peer {
    token: Token,
    outbound: mpsc::Sender<Vec<u8>>,
    end: End,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Peers {
    peers: HashMap<PeerId, Peer>,
}

impl Peers {
    /// Adds a connection; an older one of the same peer is closed, and `true` returned.
    pub(super) fn add(
        &mut self,
        peer: PeerId,
        token: Token,
        outbound: mpsc::Sender<Vec<u8>>,
        end: End,
    ) -> bool {
        let replaced = self.close(&peer, "the same peer has connected again");
        let entry = Peer {
            token,
            outbound,
            end,
        };
        self.peers.insert(peer, entry);
        replaced
    }

    /// Whether this very connection is still open.
    pub(super) fn has(&self, peer: &PeerId, token: Token) -> bool {
        self.peers
            .get(peer)
            .is_some_and(|found| found.token == token)
    }

    /// Whether there is a connection of this peer.
    pub(super) fn is_open(&self, peer: &PeerId) -> bool {
        self.peers.contains_key(peer)
    }

    /// Whether there is any connection.
    pub(super) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Queues `bytes` for `peer`; `false` if that connection had to be dropped.
    pub(super) fn send(&mut self, peer: &PeerId, bytes: Vec<u8>) -> bool {
        let Some(found) = self.peers.get(peer) else {
            return true; // It has left; the engine hears of that separately.
        };
        match found.outbound.try_send(bytes) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                let waiting = found.outbound.max_capacity();
                let reason = format!(
                    "it reads too slowly: {waiting} messages wait for it; it may connect again"
                );
                info!(%peer, "dropped: {reason}");
                self.close(peer, &reason);
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                self.close(peer, "it does not read any more");
                false
            }
        }
    }

    /// Ends the connection of `peer` for `reason`; `false` if there is none.
    pub(super) fn close(&mut self, peer: &PeerId, reason: &str) -> bool {
        let Some(found) = self.peers.remove(peer) else {
            return false;
        };
        debug!(%peer, "connection to the document closed: {reason}");
        let _ = found.end.set(reason.to_owned()); // The first reason stands.
        true
    }

    /// Ends every connection for `reason`.
    pub(super) fn close_all(&mut self, reason: &str) {
        for (_, found) in self.peers.drain() {
            let _ = found.end.set(reason.to_owned());
        }
    }
}
