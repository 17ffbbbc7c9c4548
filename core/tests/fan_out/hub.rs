//! A server's replica in the middle of clients that speak automerge's own sync protocol.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "test support: a failed step fails the test"
)]

use std::collections::{BTreeMap, VecDeque};

use automerge::sync::{Message, State, SyncDoc as _};
use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, Change, ChangeHash, ROOT};
use plainsync_core::id::PeerId;
use plainsync_core::replica::{Effect, Input, Replica};
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;

use crate::common::device;

/// A standard client: automerge's document and its side of the sync protocol.
pub struct Client {
    pub id: PeerId,
    pub doc: Automerge,
    pub state: State,
    pub edits: u64,
    pub inbox: VecDeque<Vec<u8>>,
    pub outbox: VecDeque<Vec<u8>>,
    /// How often each change was sent to it.
    pub sent: BTreeMap<ChangeHash, usize>,
    pub connected: bool,
    /// Messages that it takes before it answers the first of them.
    pub ahead: u32,
}

impl Client {
    pub fn new(number: u8) -> Self {
        let mut doc = Automerge::new();
        doc.set_actor(ActorId::from([number; 16]));
        Self {
            id: PeerId::new(format!("client-{number}")).unwrap(),
            doc,
            state: State::new(),
            edits: 0,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            sent: BTreeMap::new(),
            connected: false,
            ahead: 1,
        }
    }

    pub fn edit(&mut self, text: &str) {
        self.edits += 1;
        let edits = self.edits;
        let edited = self.doc.transact::<_, _, automerge::AutomergeError>(|tx| {
            tx.put(ROOT, format!("{}-{}", self.id, edits % 7), text)?;
            tx.put(ROOT, "everybody", edits)
        });
        edited.unwrap();
        self.speak();
    }

    pub fn speak(&mut self) {
        if self.connected {
            let message = self.doc.generate_sync_message(&mut self.state);
            self.outbox.extend(message.map(Message::encode));
        }
    }

    pub fn hear(&mut self) -> bool {
        let Some(data) = self.inbox.pop_front() else {
            return false;
        };
        let message = Message::decode(&data).unwrap();
        for chunk in message.changes.iter() {
            if let Ok(change) = Change::try_from(chunk) {
                *self.sent.entry(change.hash()).or_default() += 1;
            }
        }
        self.doc
            .receive_sync_message(&mut self.state, message)
            .unwrap();
        self.speak();
        true
    }
}

pub struct Hub {
    pub replica: Replica,
    pub now: u64,
    pub unsaved: Option<u64>,
    pub clients: Vec<Client>,
    pub closed: Vec<String>,
}

impl Hub {
    pub fn new(clients: u8) -> Self {
        let mut hub = Self {
            replica: device(200).replica,
            now: 0,
            unsaved: None,
            clients: (1..=clients).map(Client::new).collect(),
            closed: Vec::new(),
        };
        for client in 0..hub.clients.len() {
            hub.connect(client);
        }
        hub
    }

    pub fn step(&mut self, input: Input) {
        for effect in self.replica.step(Millis(self.now), input).unwrap() {
            match effect {
                Effect::Persist { seq, .. } => self.unsaved = Some(seq),
                Effect::Send {
                    peer,
                    frame: Frame::Sync { data, .. },
                } => {
                    assert!(self.unsaved.is_none(), "S2: sent before it was durable");
                    let client = self.clients.iter_mut().find(|client| client.id == peer);
                    client.unwrap().inbox.push_back(data);
                }
                Effect::Close { reason, .. } => self.closed.push(reason),
                _ => {}
            }
        }
    }

    pub fn connect(&mut self, client: usize) {
        let (peer, ahead) = (self.clients[client].id.clone(), self.clients[client].ahead);
        self.step(Input::Disconnected { peer: peer.clone() });
        self.step(Input::Connected {
            peer,
            dial: false,
            server: false,
            ahead,
        });
        let client = &mut self.clients[client];
        (client.connected, client.state) = (true, State::new());
        (client.inbox, client.outbox) = Default::default();
        client.speak();
    }

    /// The next frame of a client reaches the hub.
    pub fn deliver(&mut self, client: usize) -> bool {
        let (id, document) = (
            self.clients[client].id.clone(),
            *self.replica.document().id(),
        );
        let Some(data) = self.clients[client].outbox.pop_front() else {
            return false;
        };
        let frame = Frame::Sync {
            document,
            sender: id.clone(),
            target: PeerId::new("hub").unwrap(),
            data,
        };
        self.step(Input::Received { peer: id, frame });
        true
    }

    pub fn save(&mut self) -> bool {
        let Some(seq) = self.unsaved.take() else {
            return false;
        };
        self.step(Input::Persisted { seq });
        true
    }

    /// Everything travels until nobody has anything to say.
    pub fn settle(&mut self) {
        loop {
            let mut moved = self.save();
            for client in 0..self.clients.len() {
                moved |= self.deliver(client);
                moved |= self.save();
                moved |= self.clients[client].hear();
            }
            if !moved {
                break;
            }
        }
    }

    pub fn tick(&mut self, ms: u64) {
        self.now += ms;
        self.step(Input::Tick);
    }

    pub fn check_converged(&self) {
        let heads = self.replica.document().heads();
        for client in &self.clients {
            let mut theirs = client.doc.get_heads();
            theirs.sort_unstable();
            assert_eq!(theirs, heads, "S3: {} is behind", client.id);
        }
        assert!(self.closed.is_empty(), "{:?}", self.closed);
    }
}
