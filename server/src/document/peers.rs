//! The connections of one document, as its actor sees them: whom to send to, and how each ended.
//!
//! **Invariant:** sending never waits. A peer whose queue is full is dropped, and finds out
//! by the end of that queue (S6). Where all of them together read too slowly, the one that
//! has read least is dropped.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use plainsync_core::id::PeerId;
use plainsync_core::wire::Frame;
use tokio::sync::mpsc;
use tracing::{debug, info};

use super::outgoing::{OUTBOUND_ALL_BYTES_MAX, OUTBOUND_BYTES_MAX, Outgoing, Unread};
use crate::metrics::{Metrics, Refusal};

/// Tells one connection of a peer from its next one.
pub(super) type Token = u64;

/// Why a connection was closed by the document; shared with the connection's handle.
pub(super) type End = Arc<OnceLock<String>>;

struct Peer {
    token: Token,
    outbound: mpsc::Sender<Outgoing>,
    unread: Unread,
    end: End,
}

/// A frame that is ready to be sent.
pub(super) struct Encoded {
    bytes: Vec<u8>,
    /// So many it carries.
    changes: u64,
}

impl Encoded {
    pub(super) fn of(frame: &Frame) -> Self {
        Self {
            bytes: frame.encode(),
            changes: frame.changes(),
        }
    }
}

/// See the module's text.
pub(super) struct Peers {
    peers: HashMap<PeerId, Peer>,
    /// Counts for all of them.
    unread: Unread,
    metrics: Metrics,
}

impl Peers {
    /// None yet; what is sent to them is counted in `metrics`.
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            peers: HashMap::new(),
            unread: Unread::default(),
            metrics,
        }
    }

    /// Adds a connection; an older one of the same peer is closed, and `true` returned.
    pub(super) fn add(
        &mut self,
        peer: PeerId,
        token: Token,
        outbound: mpsc::Sender<Outgoing>,
        end: End,
    ) -> bool {
        let replaced = self.close(&peer, "the same peer has connected again");
        let entry = Peer {
            token,
            outbound,
            unread: self.unread.of_another(),
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

    /// Queues `frame` for `peer`. Returns whose connections had to be dropped for it.
    pub(super) fn send(&mut self, peer: &PeerId, frame: Encoded) -> Vec<PeerId> {
        let dropped = self.queue(peer, frame.bytes);
        if self.is_open(peer) {
            self.metrics.sent(frame.changes);
        }
        dropped
    }

    fn queue(&mut self, peer: &PeerId, bytes: Vec<u8>) -> Vec<PeerId> {
        let mut dropped = self.make_room(bytes.len());
        let Some(found) = self.peers.get(peer) else {
            return dropped; // It has left; the engine hears of that separately.
        };
        let unread = found.unread.bytes();
        let reason = if unread > 0 && unread + bytes.len() > OUTBOUND_BYTES_MAX {
            format!("{unread} bytes wait for it; at most {OUTBOUND_BYTES_MAX} may")
        } else {
            match found.outbound.try_send(found.unread.count(bytes)) {
                Ok(()) => return dropped,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    format!("{} messages wait for it", found.outbound.max_capacity())
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    self.close(peer, "it does not read any more");
                    dropped.push(peer.clone());
                    return dropped;
                }
            }
        };
        self.drop_slow(peer, &reason);
        dropped.push(peer.clone());
        dropped
    }

    /// Drops those that have read least until `len` bytes more may wait.
    fn make_room(&mut self, len: usize) -> Vec<PeerId> {
        let mut dropped = Vec::new();
        if self.unread.all_bytes() + len <= OUTBOUND_ALL_BYTES_MAX {
            return dropped;
        }
        loop {
            let unread = self.peers.values().map(|peer| peer.unread.bytes());
            let all: usize = unread.sum();
            if all == 0 || all + len <= OUTBOUND_ALL_BYTES_MAX {
                return dropped;
            }
            let slowest = self
                .peers
                .iter()
                .max_by_key(|(_, peer)| peer.unread.bytes());
            let Some(slowest) = slowest.map(|(peer, _)| peer.clone()) else {
                return dropped;
            };
            let reason =
                format!("{all} bytes wait for all peers; at most {OUTBOUND_ALL_BYTES_MAX} may");
            self.drop_slow(&slowest, &reason);
            dropped.push(slowest);
        }
    }

    fn drop_slow(&mut self, peer: &PeerId, what_waits: &str) {
        let reason = format!("it reads too slowly: {what_waits}; it may connect again");
        self.metrics.refused(Refusal::Limits);
        info!(%peer, "dropped: {reason}");
        self.close(peer, &reason);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::outgoing::OUTBOUND_BYTES_MAX;

    const MIB: usize = 1024 * 1024;

    fn peer(nth: usize) -> PeerId {
        PeerId::new(format!("peer-{nth}")).expect("a short name")
    }

    fn add(peers: &mut Peers, nth: usize) -> (mpsc::Receiver<Outgoing>, End) {
        let (outbound, queue) = mpsc::channel(256);
        let end = End::default();
        peers.add(peer(nth), nth as Token, outbound, Arc::clone(&end));
        (queue, end)
    }

    #[test]
    fn s6_the_bytes_that_wait_for_one_peer_are_bounded() {
        let mut peers = Peers::new(Metrics::default());
        let (mut queue, end) = add(&mut peers, 1);
        assert!(
            peers
                .queue(&peer(1), vec![0; OUTBOUND_BYTES_MAX])
                .is_empty()
        );
        drop(queue.try_recv().expect("queued")); // It reads.
        assert!(
            peers
                .queue(&peer(1), vec![0; 2 * OUTBOUND_BYTES_MAX])
                .is_empty(),
            "one frame always"
        );
        assert_eq!(peers.queue(&peer(1), vec![0; 1]), [peer(1)]);
        assert_eq!(
            end.get().map(String::as_str),
            Some(
                "it reads too slowly: 134217728 bytes wait for it; at most 67108864 may; it may connect again"
            )
        );
    }

    #[test]
    fn s6_where_all_read_too_slowly_who_has_read_least_is_dropped() {
        let mut peers = Peers::new(Metrics::default());
        let queues: Vec<_> = (0..10).map(|nth| add(&mut peers, nth)).collect();
        for nth in 0..9 {
            assert!(
                peers
                    .queue(&peer(nth), vec![0; (20 + nth) * MIB])
                    .is_empty()
            );
        }
        // 216 MiB wait; 60 more are too much, and number 8 has 28 of them.
        assert_eq!(peers.queue(&peer(9), vec![0; 60 * MIB]), [peer(8)]);
        let reason = queues[8].1.get().expect("it was told");
        assert!(
            reason.contains("bytes wait for all peers; at most 268435456 may"),
            "{reason}"
        );
        drop(queues);
        assert_eq!(peers.unread.all_bytes(), 0);
    }
}
