//! Rules of passing changes on to many peers, which are automerge's own and know nothing of us.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod common;
#[path = "fan_out/hub.rs"]
mod hub;

use std::collections::HashSet;

use automerge::sync::Message;
use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, ROOT};
use hub::Hub;
use plainsync_core::limits::{ANSWER_MS_MAX, LOG_BYTES_MAX, MESSAGES_AHEAD_MAX, ORPHAN_BYTES_MAX};
use proptest::prelude::*;

#[test]
fn s3_each_peer_is_sent_each_change_once_and_its_own_never() {
    let mut hub = Hub::new(5);
    hub.settle();
    for round in 0..20 {
        hub.clients[round % 3].edit("a knight");
        hub.clients[(round + 1) % 3].edit("a dragon");
        hub.settle();
    }
    hub.check_converged();
    for client in &hub.clients {
        let own: HashSet<_> = client
            .doc
            .get_changes_meta(&[])
            .iter()
            .filter(|change| *change.actor == *client.doc.get_actor())
            .map(|change| change.hash)
            .collect();
        for (hash, times) in &client.sent {
            assert_eq!(*times, 1, "{hash} was sent to {} again", client.id);
            assert!(!own.contains(hash), "{} was sent its own", client.id);
        }
        let all = client.doc.get_changes_meta(&[]).len();
        assert_eq!(
            client.sent.len() + own.len() + 1,
            all,
            "the first is made by all, or sent whole"
        );
    }
}

/// S6: what gathers while a peer has not answered goes in one message.
#[test]
fn s6_one_message_is_on_its_way_and_the_rest_gathers() {
    let mut hub = Hub::new(2);
    hub.settle();
    for _ in 0..50 {
        hub.clients[0].edit("a knight");
        while hub.deliver(0) {}
        hub.save();
        while hub.clients[0].hear() {}
    }
    assert_eq!(
        hub.clients[1].inbox.len(),
        1,
        "the first is not answered yet"
    );
    hub.clients[1].hear();
    hub.deliver(1);
    assert_eq!(hub.clients[1].inbox.len(), 1, "all others in one");
    hub.settle();
    hub.check_converged();
}

/// A hub of two clients, the second of which takes so many messages ahead of its answer.
fn hub_with_one_that_takes(ahead: u32) -> Hub {
    let mut hub = Hub::new(2);
    hub.clients[1].ahead = ahead;
    hub.connect(1);
    hub.settle();
    hub
}

impl Hub {
    /// The first client edits so often, and each edit reaches the hub's disk.
    fn edit_alone(&mut self, times: usize) {
        for _ in 0..times {
            self.clients[0].edit("a knight");
            while self.deliver(0) {}
            self.save();
            while self.clients[0].hear() {}
        }
    }
}

/// S6: a peer that takes messages ahead of its answer is sent so many, and no more.
#[test]
fn s6_who_takes_many_messages_before_it_answers_is_sent_as_many() {
    let mut hub = hub_with_one_that_takes(4);
    hub.edit_alone(50);
    assert_eq!(hub.clients[1].inbox.len(), 4);
    for _ in 0..3 {
        hub.clients[1].hear();
    }
    hub.clients[1].outbox.drain(1..); // One answer, to the first.
    hub.deliver(1);
    assert_eq!(
        hub.clients[1].inbox.len(),
        2,
        "one was unheard, and all others come in one"
    );
    hub.settle();
    hub.check_converged();

    let mut hub = hub_with_one_that_takes(u32::MAX);
    hub.edit_alone(100);
    assert_eq!(hub.clients[1].inbox.len(), MESSAGES_AHEAD_MAX as usize);
    hub.settle();
    hub.check_converged();
}

/// S3: an answer to what came before does not hide that the last message never arrived.
#[test]
fn s3_the_last_of_many_messages_is_missed() {
    let mut hub = hub_with_one_that_takes(4);
    hub.edit_alone(3);
    assert_eq!(hub.clients[1].inbox.len(), 3);
    hub.clients[1].inbox.pop_back(); // Lost.
    hub.settle();
    hub.tick(ANSWER_MS_MAX + 1);
    hub.settle();
    hub.check_converged();
}

/// S3: a message that never arrived is noticed, and histories are compared.
#[test]
fn s3_a_peer_that_does_not_answer_is_compared_with() {
    let mut hub = Hub::new(2);
    hub.settle();
    hub.clients[0].edit("a knight");
    hub.deliver(0);
    hub.save();
    assert_eq!(hub.clients[1].inbox.len(), 1);
    hub.clients[1].inbox.clear(); // Lost.
    hub.tick(ANSWER_MS_MAX);
    assert!(hub.clients[1].inbox.is_empty(), "it may be slow");
    hub.tick(1);
    hub.settle();
    hub.check_converged();
}

/// S3: what is no longer at hand is sent after comparing.
#[test]
fn s3_a_peer_that_is_far_behind_catches_up() {
    let mut hub = Hub::new(2);
    hub.settle();
    for nth in 0..(LOG_BYTES_MAX / 100_000 + 2) {
        // Texts that do not pack.
        let text: String = (0..100_000_u32)
            .map(|at| {
                char::from(
                    b'a' + ((at.wrapping_mul(2_654_435_761) >> 13) as usize * (nth + 3) % 26) as u8,
                )
            })
            .collect();
        hub.clients[0].edit(&text);
        while hub.deliver(0) {}
        hub.save();
        while hub.clients[0].hear() {}
    }
    hub.settle();
    hub.check_converged();
}

/// S5: changes whose predecessors never come are refused before they fill the memory.
#[test]
fn s5_orphans_are_bounded() {
    let mut hub = Hub::new(1);
    hub.settle();
    let mut stranger = Automerge::new();
    stranger.set_actor(ActorId::from([9; 16]));
    let mut sent = 0;
    while hub.closed.is_empty() {
        let mut text = "x".repeat(1_000_000);
        text.push_str(&sent.to_string());
        let put =
            stranger.transact::<_, _, automerge::AutomergeError>(|tx| tx.put(ROOT, "text", text));
        put.unwrap();
        sent += 1;
        if sent == 1 {
            continue; // The predecessor of all.
        }
        let message = Message {
            heads: stranger.get_heads(),
            need: Vec::new(),
            have: Vec::new(),
            changes: vec![
                stranger
                    .get_last_local_change()
                    .unwrap()
                    .raw_bytes()
                    .to_vec(),
            ]
            .into(),
            flags: None,
            version: automerge::sync::MessageVersion::V1,
        };
        hub.clients[0].outbox = [message.encode()].into();
        hub.deliver(0);
        hub.clients[0].inbox.clear();
        assert!(sent < 20, "orphans are not bounded");
    }
    let reason = &hub.closed[0];
    assert!(reason.contains(&ORPHAN_BYTES_MAX.to_string()), "{reason}");
}

/// S2: an orphan that is set free by a later message is kept and passed on like any other.
#[test]
fn s2_an_orphan_set_free_later_is_kept_and_passed_on() {
    let mut hub = Hub::new(3);
    hub.settle();
    hub.clients[0].edit("first");
    hub.clients[0].edit("second");
    hub.clients[0].outbox.clear();
    let changes = hub.clients[0]
        .doc
        .get_changes(&hub.replica.document().heads());
    let heads = hub.clients[0].doc.get_heads();
    for change in changes.iter().rev() {
        let message = Message {
            heads: heads.clone(),
            need: Vec::new(),
            have: Vec::new(),
            changes: vec![change.raw_bytes().to_vec()].into(),
            flags: None,
            version: automerge::sync::MessageVersion::V1,
        };
        hub.clients[0].outbox.push_back(message.encode());
        hub.deliver(0);
        hub.save();
    }
    assert!(hub.replica.document().has(&heads));
    hub.settle();
    hub.check_converged();
    for client in &hub.clients[1..] {
        assert!(
            changes
                .iter()
                .all(|change| client.sent.contains_key(&change.hash()))
        );
    }
}

#[derive(Clone, Debug)]
enum Event {
    Edit(usize),
    Deliver(usize),
    Hear(usize),
    Save,
    LoseToHub(usize),
    LoseToClient(usize),
    Repeat(usize),
    Swap(usize),
    Reconnect(usize),
    Tick(u64),
}

const CLIENTS: usize = 4;

fn event() -> impl Strategy<Value = Event> {
    let who = 0..CLIENTS;
    prop_oneof![
        6 => who.clone().prop_map(Event::Edit),
        12 => who.clone().prop_map(Event::Deliver),
        12 => who.clone().prop_map(Event::Hear),
        8 => Just(Event::Save),
        1 => who.clone().prop_map(Event::LoseToHub),
        1 => who.clone().prop_map(Event::LoseToClient),
        1 => who.clone().prop_map(Event::Repeat),
        1 => who.clone().prop_map(Event::Swap),
        1 => who.prop_map(Event::Reconnect),
        1 => (0..ANSWER_MS_MAX * 2).prop_map(Event::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// S3: whatever is lost, doubled or reordered, all have all once everybody is connected
    /// again.
    #[test]
    fn s3_peers_converge_whatever_the_network_does(events in prop::collection::vec(event(), 0..300)) {
        let mut hub = Hub::new(CLIENTS as u8);
        for client in CLIENTS / 2..CLIENTS {
            hub.clients[client].ahead = 3;
            hub.connect(client);
        }
        for event in events {
            match event {
                Event::Edit(who) => hub.clients[who].edit("a knight"),
                Event::Deliver(who) => { hub.deliver(who); }
                Event::Hear(who) => { hub.clients[who].hear(); }
                Event::Save => { hub.save(); }
                Event::LoseToHub(who) => { hub.clients[who].outbox.pop_front(); }
                Event::LoseToClient(who) => { hub.clients[who].inbox.pop_front(); }
                Event::Repeat(who) => {
                    let first = hub.clients[who].inbox.front().cloned();
                    hub.clients[who].inbox.extend(first);
                }
                Event::Swap(who) => {
                    let inbox = &mut hub.clients[who].inbox;
                    if inbox.len() > 1 { inbox.swap(0, 1); }
                }
                Event::Reconnect(who) => hub.connect(who),
                Event::Tick(ms) => hub.tick(ms),
            }
        }
        // What was lost on a connection is found when the peer connects again; what our side
        // lost, it finds without that.
        for client in 0..CLIENTS { hub.connect(client); }
        hub.settle();
        hub.check_converged();
    }
}
