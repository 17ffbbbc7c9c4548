//! Rules of conversations with peers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod common;

use common::device;
use plainsync_core::id::PeerId;
use plainsync_core::replica::{Effect, Input, Replica};
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;
use serde_json::json;

/// The frames among the effects of one input.
fn step(replica: &mut Replica, input: Input) -> Vec<Frame> {
    let effects = replica.step(Millis(0), input).unwrap();
    let sends = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send { frame, .. } => Some(frame),
        _ => None,
    });
    sends.collect()
}

/// S2, B5: the peer speaks again while its change is still on the way to our disk. It must
/// hear afterwards that the change is there, or it waits for ever.
#[test]
fn s2_a_peer_that_speaks_before_its_change_is_durable_still_hears_that_it_is() {
    let (mut server, mut tab) = (device(1).replica, device(2));
    let (to_tab, to_server) = (PeerId::new("tab").unwrap(), PeerId::new("server").unwrap());
    let connected = |peer: &PeerId, dial| Input::Connected {
        peer: peer.clone(),
        dial,
        server: dial,
    };
    let received = |peer: &PeerId, frame| Input::Received {
        peer: peer.clone(),
        frame,
    };
    step(&mut server, connected(&to_tab, false));
    let mut from_tab = step(&mut tab.replica, connected(&to_server, true));
    tab.insert("record-of-the-tab", json!({"prompt": "a knight"}));
    from_tab.extend(step(&mut tab.replica, Input::Tick));
    // Everything travels as it is made; only the server's disk is slow.
    while !from_tab.is_empty() {
        let mut from_server = Vec::new();
        for frame in from_tab.drain(..) {
            from_server.extend(step(&mut server, received(&to_tab, frame)));
        }
        for frame in from_server {
            from_tab.extend(step(&mut tab.replica, received(&to_server, frame)));
        }
    }
    assert_eq!(tab.replica.waiting().edits, 1, "nothing is durable yet");
    // Meanwhile the tab says once more what it has.
    let hello = tab.replica.document().clone();
    let mut restarted = device(2).replica;
    restarted.restore(&[hello.save()]).unwrap();
    for frame in step(&mut restarted, connected(&to_server, true)) {
        assert!(step(&mut server, received(&to_tab, frame)).is_empty());
    }
    for frame in step(&mut server, Input::Persisted { seq: 1 }) {
        step(&mut tab.replica, received(&to_server, frame));
    }
    let waiting = tab.replica.waiting();
    assert!(waiting.edits == 0 && waiting.server_has_it, "{waiting:?}");
}
