//! Rules of conversations with peers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod common;

use automerge::sync::{ChunkList, Message, MessageVersion};
use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, Change, ChangeHash, ROOT, ReadDoc as _};
use common::{Device, device};
use plainsync_core::id::{DocumentId, PeerId};
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
        ahead: 1,
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

/// A client of automerge-repo that writes as `actor`, with the document that `server` has.
fn foreign(server: &Device, actor: &[u8]) -> Automerge {
    let mut doc = Automerge::load(&server.document().save()).unwrap();
    doc.set_actor(ActorId::from(actor));
    doc
}

/// One edit of its own, as a change.
fn writes(doc: &mut Automerge, key: &str, value: &str) -> Change {
    let (_, jobs) = doc.get(ROOT, "jobs").unwrap().unwrap();
    let (_, job) = doc.get(&jobs, "record-1").unwrap().unwrap();
    let mut tx = doc.transaction();
    tx.put(&job, key, value).unwrap();
    let hash = tx.commit().0.unwrap();
    doc.get_change_by_hash(&hash).unwrap()
}

fn frame(changes: &[&Change], heads: Vec<ChangeHash>) -> Frame {
    let chunks: Vec<Vec<u8>> = (changes.iter())
        .map(|change| change.raw_bytes().to_vec())
        .collect();
    let message = Message {
        heads,
        need: Vec::new(),
        have: Vec::new(),
        changes: ChunkList::from(chunks),
        flags: None,
        version: MessageVersion::V1,
    };
    Frame::Sync {
        document: DocumentId::from_random([7; 16]),
        sender: PeerId::new("foreign").unwrap(),
        target: PeerId::new("server").unwrap(),
        data: message.encode(),
    }
}

/// A server with one record and these peers.
fn server(peers: &[&str]) -> Device {
    let mut server = device(1);
    server.insert("record-1", json!({"prompt": "a knight"}));
    for peer in peers {
        let peer = PeerId::new(*peer).unwrap();
        let input = Input::Connected {
            peer,
            dial: false,
            server: false,
            ahead: 1,
        };
        server.replica.step(Millis(0), input).unwrap();
    }
    server
}

/// `peer` sends `frame`: how many bytes are to be written, what is sent to it then, and why it
/// was closed, if it was.
fn sends(server: &mut Device, peer: &str, frame: Frame) -> (usize, Vec<Frame>, Option<String>) {
    let peer = PeerId::new(peer).unwrap();
    let (mut bytes_written, mut frames, mut closed) = (0, Vec::new(), None);
    let mut inputs = vec![Input::Received {
        peer: peer.clone(),
        frame,
    }];
    while let Some(input) = inputs.pop() {
        for effect in server.replica.step(Millis(0), input).unwrap() {
            match effect {
                Effect::Persist { seq, bytes, .. } => {
                    bytes_written += bytes.len();
                    inputs.push(Input::Persisted { seq });
                }
                Effect::Send { peer: to, frame } if to == peer => frames.push(frame),
                Effect::Close {
                    peer: who, reason, ..
                } => {
                    assert_eq!(who, peer, "only who sent it is closed");
                    closed = Some(reason);
                }
                _ => {}
            }
        }
    }
    (bytes_written, frames, closed)
}

fn value(server: &Device, name: &str) -> serde_json::Value {
    server.field(&plainsync_core::edit::Key("record-1".to_owned()), name)
}

/// S4: two clients are copies of each other. What came first stays, the other is told and closed,
/// and what others wrote is taken in from the same frame, before and after the copy's change.
#[test]
fn s4_of_a_cloned_client_the_first_change_stays_and_others_go_on() {
    let mut server = server(&["first", "second", "third"]);
    let (mut one, mut two) = (foreign(&server, b"same"), foreign(&server, b"same"));
    let mut other = foreign(&server, b"other");
    let mut late = foreign(&server, b"late");
    let (first, cloned) = (
        writes(&mut one, "a", "first"),
        writes(&mut two, "a", "cloned"),
    );
    let hangs = writes(&mut two, "b", "hangs on it");
    let before = writes(&mut other, "c", "third party");
    let after = writes(&mut other, "d", "third party again");
    late.apply_changes([cloned.clone()]).unwrap();
    let follows = writes(&mut late, "e", "follows it");
    assert_eq!(first.seq(), cloned.seq());

    let (written, _, closed) = sends(&mut server, "first", frame(&[&first], vec![first.hash()]));
    assert!(written > 0 && closed.is_none(), "{closed:?}");
    let all = [&before, &cloned, &hangs, &follows, &after];
    let (written, _, closed) = sends(&mut server, "second", frame(&all, Vec::new()));
    assert!(written > 0, "what others wrote is kept");
    let reason = closed.unwrap();
    let actor = ActorId::from(b"same").to_hex_string();
    let sentence = "came first: a copied client needs an actor of its own";
    assert_eq!(
        reason,
        format!("another change 1 of actor {actor} {sentence}")
    );
    for (name, expected) in [
        ("a", json!("first")),
        ("b", json!(null)),
        ("c", json!("third party")),
        ("d", json!("third party again")),
        ("e", json!(null)),
    ] {
        assert_eq!(value(&server, name), expected, "{name}");
    }
    // The first of the two and everybody else go on, and are acknowledged.
    let next = writes(&mut one, "a", "first again");
    for (peer, change) in [
        ("first", next),
        ("third", writes(&mut other, "c", "goes on")),
    ] {
        let heads = vec![change.hash()];
        let (written, frames, closed) = sends(&mut server, peer, frame(&[&change], heads));
        assert!(written > 0 && closed.is_none(), "{peer}: {closed:?}");
        assert!(!frames.is_empty(), "{peer} is acknowledged");
    }
    assert_eq!(value(&server, "a"), json!("first again"));
    assert_eq!(value(&server, "c"), json!("goes on"));
}

/// S4: within one frame nobody can tell which of two was first; one is kept, the peer is closed,
/// and third parties' changes are kept as well.
#[test]
fn s4_a_frame_with_both_branches_of_a_cloned_client_keeps_one() {
    let mut server = server(&["both"]);
    let (mut one, mut two) = (foreign(&server, b"same"), foreign(&server, b"same"));
    let (left, right) = (
        writes(&mut one, "a", "left"),
        writes(&mut two, "a", "right"),
    );
    let third = writes(&mut foreign(&server, b"other"), "c", "third party");
    let (_, _, closed) = sends(
        &mut server,
        "both",
        frame(&[&left, &right, &third], Vec::new()),
    );
    assert!(closed.unwrap().contains("a copied client"));
    assert_eq!(value(&server, "a"), json!("left"));
    assert_eq!(value(&server, "c"), json!("third party"));
}

/// S4: the copy comes inside a whole saved document, which the merge library refuses as a whole.
#[test]
fn s4_a_saved_document_with_a_cloned_branch_gives_what_others_wrote() {
    let mut server = server(&["first", "second"]);
    let (mut one, mut two) = (foreign(&server, b"same"), foreign(&server, b"same"));
    let first = writes(&mut one, "a", "first");
    writes(&mut two, "a", "cloned");
    let third = writes(&mut foreign(&server, b"other"), "c", "third party");
    two.apply_changes([third]).unwrap();
    sends(&mut server, "first", frame(&[&first], Vec::new()));
    let mut message = match frame(&[], Vec::new()) {
        Frame::Sync { data, .. } => Message::decode(&data).unwrap(),
        other => panic!("{other:?}"),
    };
    message.changes = ChunkList::from(vec![two.save()]);
    let whole = Frame::Sync {
        document: DocumentId::from_random([7; 16]),
        sender: PeerId::new("foreign").unwrap(),
        target: PeerId::new("server").unwrap(),
        data: message.encode(),
    };
    let (written, _, closed) = sends(&mut server, "second", whole);
    assert!(written > 0);
    assert!(closed.unwrap().contains("a copied client"));
    assert_eq!(value(&server, "a"), json!("first"));
    assert_eq!(value(&server, "c"), json!("third party"));
}

/// S4, S2: a change that waits for others is on no disk, so it holds nobody's place.
#[test]
fn s4_a_change_that_waits_does_not_keep_its_actors_own_out() {
    let mut server = server(&["forger", "owner"]);
    let (mut forged, mut owner) = (foreign(&server, b"same"), foreign(&server, b"same"));
    let mut unknown = foreign(&server, b"unknown");
    let missing = writes(&mut unknown, "z", "never sent");
    forged.apply_changes([missing]).unwrap();
    let orphan = writes(&mut forged, "a", "forged");
    let (written, _, closed) = sends(&mut server, "forger", frame(&[&orphan], Vec::new()));
    assert_eq!((written, closed), (0, None));
    let own = writes(&mut owner, "a", "own");
    let heads = vec![own.hash()];
    let (written, frames, closed) = sends(&mut server, "owner", frame(&[&own], heads));
    assert!(written > 0 && closed.is_none(), "{closed:?}");
    assert!(!frames.is_empty(), "it is acknowledged");
    assert_eq!(value(&server, "a"), json!("own"));
}

/// S3: a peer whose change waits is asked for what it waits for, not for the change again.
#[test]
fn s3_what_a_waiting_change_waits_for_is_asked_for() {
    let mut server = server(&["peer"]);
    let mut client = foreign(&server, b"client");
    let first = writes(&mut client, "a", "first");
    let second = writes(&mut client, "b", "second");
    let heads = vec![second.hash()];
    let (_, frames, closed) = sends(&mut server, "peer", frame(&[&second], heads.clone()));
    assert_eq!(closed, None);
    let asked = frames.iter().find_map(|frame| match frame {
        Frame::Sync { data, .. } => Some(Message::decode(data).unwrap().need),
        _ => None,
    });
    assert_eq!(asked, Some(vec![first.hash()]));
    let (written, _, closed) = sends(&mut server, "peer", frame(&[&first], heads));
    assert!(written > 0 && closed.is_none());
    assert_eq!(value(&server, "b"), json!("second"));
}

/// S4, S5: what a peer let wait without end goes with it; it takes nobody else's room.
#[test]
fn s5_what_waits_goes_with_the_peer_that_sent_it() {
    let mut server = server(&["flood", "peer"]);
    let mut flood = foreign(&server, b"flood");
    writes(&mut flood, "a", "never sent");
    let noise: String = (0..700_000_u32)
        .map(|nth| char::from(b'a' + (nth.wrapping_mul(2_654_435_761) >> 27).to_le_bytes()[0] % 26))
        .collect();
    let mut client = foreign(&server, b"client");
    let first = writes(&mut client, "a", "first");
    let second = writes(&mut client, "b", "second");
    let reason = (0..200).find_map(|nth| {
        let orphan = writes(&mut flood, "b", &format!("{nth} {noise}"));
        sends(&mut server, "flood", frame(&[&orphan], Vec::new())).2
    });
    let reason = reason.expect("orphans are bounded");
    assert!(
        reason.contains("wait for others that were never sent"),
        "{reason}"
    );
    for change in [&second, &first] {
        let (_, _, closed) = sends(&mut server, "peer", frame(&[change], vec![second.hash()]));
        assert_eq!(closed, None);
    }
    assert_eq!(value(&server, "b"), json!("second"));
}
