//! Who else has the document open, as far as presence messages tell.
//!
//! A presence message is CBOR, `{"__presence": {"type": "heartbeat" | "goodbye" | …}}`, as automerge-repo's
//! clients send it. Ours say nothing but that we are here.

use std::collections::HashMap;

use plainsync_core::id::PeerId;
use plainsync_core::time::Millis;

/// How often we say that we are here, in milliseconds.
pub const HEARTBEAT_MS: u64 = 15_000;
/// A peer not heard from for this long is gone, in milliseconds.
const ALIVE_MS: u64 = 45_000;
/// Peers remembered at most; beyond it the count stops growing.
const PEERS_MAX: usize = 1_000;

/// `{"__presence": {"type": "heartbeat"}}`
pub const HEARTBEAT: &[u8] = b"\xa1\x6a__presence\xa1\x64type\x69heartbeat";
/// `{"__presence": {"type": "goodbye"}}`
pub const GOODBYE: &[u8] = b"\xa1\x6a__presence\xa1\x64type\x67goodbye";

/// The peers heard from.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    heard: HashMap<PeerId, Millis>,
}

impl Peers {
    /// A presence message arrived. Returns whether its sender is new: it may not know of us.
    pub fn hear(&mut self, now: Millis, sender: PeerId, data: &[u8]) -> bool {
        if is_goodbye(data) {
            self.heard.remove(&sender);
            return false;
        }
        if self.heard.len() >= PEERS_MAX && !self.heard.contains_key(&sender) {
            return false;
        }
        self.heard.insert(sender, now).is_none()
    }

    /// How many peers are here at `now`; forgets those that fell silent.
    pub fn count(&mut self, now: Millis) -> usize {
        self.heard.retain(|_, heard| now.since(*heard) < ALIVE_MS);
        self.heard.len()
    }

    /// The connection is gone: nobody is known to be there.
    pub fn clear(&mut self) {
        self.heard.clear();
    }
}

/// Whether a presence message is the sender's last. Looks for the words where CBOR has them as text.
fn is_goodbye(data: &[u8]) -> bool {
    data.windows(b"\x67goodbye".len())
        .any(|part| part == b"\x67goodbye")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> PeerId {
        PeerId::new(name).expect("a name")
    }

    #[test]
    fn b5_peers_are_those_heard_from_lately() {
        let mut peers = Peers::default();
        assert!(peers.hear(Millis(0), peer("tab-1"), HEARTBEAT));
        assert!(!peers.hear(Millis(10_000), peer("tab-1"), HEARTBEAT));
        assert!(peers.hear(Millis(20_000), peer("tab-2"), HEARTBEAT));
        assert_eq!(peers.count(Millis(30_000)), 2);
        assert_eq!(peers.count(Millis(56_000)), 1);
        assert!(!peers.hear(Millis(57_000), peer("tab-2"), GOODBYE));
        assert_eq!(peers.count(Millis(57_000)), 0);
    }

    #[test]
    fn b5_a_flood_of_names_is_not_remembered() {
        let mut peers = Peers::default();
        for nth in 0..PEERS_MAX + 10 {
            peers.hear(Millis(0), peer(&format!("peer-{nth}")), HEARTBEAT);
        }
        assert_eq!(peers.count(Millis(1)), PEERS_MAX);
    }
}
