//! Several clients and one server in one process, on a network and disks that fail.
//!
//! Replicas are the real engine. The network delays frames, cuts connections at any moment
//! and loses what was on its way; a process may crash, which loses everything that its disk
//! had not confirmed. Every run follows from its seed.
//!
//! **Invariant checked throughout:** what was acknowledged to a client survives every crash
//! of the server (S2).

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;
use serde_json::json;

use crate::chance::Chance;

/// A process: a replica, and what its disk has.
struct Node {
    name: usize,
    starts: u8,
    replica: Replica,
    /// Chunks that are synced to disk.
    disk: Vec<Vec<u8>>,
    /// Written, not synced yet: number and bytes.
    unsynced: Vec<(u64, Vec<u8>)>,
    edits: u64,
}

/// A connection between a client and the server, with the frames on their way.
struct Link {
    to_server: VecDeque<Frame>,
    to_client: VecDeque<Frame>,
}

/// The whole system.
pub struct Sim {
    chance: Chance,
    now: u64,
    /// The server is the first.
    nodes: Vec<Node>,
    links: BTreeMap<usize, Link>,
    /// Every record whose insertion was acknowledged by the server's disk.
    acknowledged: Vec<Key>,
    trace: u64,
}

const SERVER: usize = 0;

fn peer(name: usize) -> PeerId {
    PeerId::new(format!("node-{name}")).expect("a short name without control characters")
}

fn boot(name: usize, starts: u8, disk: &[Vec<u8>]) -> Replica {
    let mut actor = [0; 16];
    actor[0] = u8::try_from(name).expect("few nodes");
    actor[1] = starts; // Another actor at each start, as hosts draw them.
    let mut replica = Replica::new(ReplicaConfig {
        document: DocumentId::from_random([9; 16]),
        schema: Schema::job_history(),
        device: format!("{name:016x}")
            .parse()
            .expect("16 hexadecimal digits"),
        author: None,
        actor,
        peer: peer(name),
    });
    replica.restore(disk).expect("the disk holds whole chunks");
    replica
}

impl Sim {
    /// A server and `clients` clients that know nothing yet.
    #[must_use]
    pub fn new(seed: u64, clients: usize) -> Self {
        let nodes = (0..=clients)
            .map(|name| Node {
                name,
                starts: 1,
                replica: boot(name, 1, &[]),
                disk: Vec::new(),
                unsynced: Vec::new(),
                edits: 0,
            })
            .collect();
        Self {
            chance: Chance::new(seed),
            now: 1_800_000_000_000,
            nodes,
            links: BTreeMap::new(),
            acknowledged: Vec::new(),
            trace: 0,
        }
    }

    /// A digest of everything that happened: equal for equal seeds.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// Lets one random thing happen.
    pub fn step(&mut self) {
        self.now += self.chance.below(500);
        let client =
            1 + usize::try_from(self.chance.below(self.nodes.len() as u64 - 1)).unwrap_or(0);
        let what = self.chance.below(100);
        self.trace = self.trace.rotate_left(5) ^ (what << 8) ^ client as u64 ^ self.now;
        match what {
            0..25 => self.edit(client),
            25..70 => self.deliver(client),
            70..78 => self.sync_disk(SERVER),
            78..85 => self.sync_disk(client),
            85..93 => self.connect(client),
            93..96 => self.cut(client),
            96..98 => self.crash(client),
            _ => self.crash(SERVER),
        }
    }

    /// Connects everybody and lets frames flow until nothing is on its way.
    pub fn heal(&mut self) {
        for client in 1..self.nodes.len() {
            self.connect(client);
        }
        for _ in 0..100_000 {
            for name in 0..self.nodes.len() {
                self.sync_disk(name);
            }
            let busy: Vec<usize> = self
                .links
                .iter()
                .filter(|(_, link)| !link.to_server.is_empty() || !link.to_client.is_empty())
                .map(|(client, _)| *client)
                .collect();
            if busy.is_empty() {
                return;
            }
            for client in busy {
                self.deliver(client);
            }
        }
        panic!("S3: the network does not come to rest");
    }

    /// S3 and D1: all replicas show the same file, and every client knows that the server has all.
    pub fn assert_converged(&self) {
        let files: Vec<String> = self
            .nodes
            .iter()
            .map(|node| {
                let bytes = node.replica.document().export(&|_| None::<Cow<'_, [u8]>>);
                String::from_utf8(bytes).expect("JSON is text")
            })
            .collect();
        for node in &self.nodes[1..] {
            assert_eq!(
                files[node.name], files[SERVER],
                "S3: node {} differs",
                node.name
            );
            let waiting = node.replica.waiting();
            assert_eq!(
                waiting.edits, 0,
                "B5: node {} believes that edits wait",
                node.name
            );
            assert!(
                waiting.server_has_it,
                "B5: node {} does not know",
                node.name
            );
        }
    }

    fn edit(&mut self, name: usize) {
        let (dice, node) = (self.chance.draw(), &mut self.nodes[name]);
        node.edits += 1;
        let keys: Vec<Key> = node
            .replica
            .document()
            .view()
            .all()
            .map(|row| row.key.clone())
            .collect();
        let pick = |n: u64| {
            keys.get(usize::try_from(n).unwrap_or(0) % keys.len().max(1))
                .cloned()
        };
        let edit = match (dice % 5, pick(dice >> 8)) {
            (1 | 2, Some(key)) => {
                let value = json!({"width": dice >> 32 & 7, "prompt": format!("by {name}")});
                let set = value.as_object().cloned().unwrap_or_default();
                Edit::Change {
                    key,
                    set,
                    unset: Vec::new(),
                }
            }
            (3, Some(key)) => Edit::Remove { keys: vec![key] },
            (4, Some(key)) => Edit::Restore { keys: vec![key] },
            _ => {
                let key = Key(format!("key-{name}-{}-{}", node.starts, node.edits));
                let record = json!({"prompt": "new"})
                    .as_object()
                    .cloned()
                    .unwrap_or_default();
                Edit::Insert {
                    key,
                    record,
                    order: None,
                }
            }
        };
        let id = EditId(format!("{name}-{}-{}", node.starts, node.edits));
        let stamped = StampedEdit {
            id,
            at: Millis(self.now),
            edit,
        };
        self.input(name, Input::Edit(stamped));
    }

    fn deliver(&mut self, client: usize) {
        let to_server = self.chance.once_in(2);
        let Some(link) = self.links.get_mut(&client) else {
            return;
        };
        let first = if to_server {
            &mut link.to_server
        } else {
            &mut link.to_client
        };
        let (frame, to_server) = match first.pop_front() {
            Some(frame) => (Some(frame), to_server),
            None if to_server => (link.to_client.pop_front(), false),
            None => (link.to_server.pop_front(), true),
        };
        let Some(frame) = frame else { return };
        let (from, to) = if to_server {
            (client, SERVER)
        } else {
            (SERVER, client)
        };
        // Through bytes, as on a socket.
        let frame = Frame::decode(&frame.encode()).expect("our own frame");
        self.input(
            to,
            Input::Received {
                peer: peer(from),
                frame,
            },
        );
    }

    fn connect(&mut self, client: usize) {
        if self.links.contains_key(&client) {
            return;
        }
        let link = Link {
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
        };
        self.links.insert(client, link);
        self.input(
            SERVER,
            Input::Connected {
                peer: peer(client),
                dial: false,
                server: false,
            },
        );
        self.input(
            client,
            Input::Connected {
                peer: peer(SERVER),
                dial: true,
                server: true,
            },
        );
    }

    fn cut(&mut self, client: usize) {
        if self.links.remove(&client).is_some() {
            self.input(SERVER, Input::Disconnected { peer: peer(client) });
            self.input(client, Input::Disconnected { peer: peer(SERVER) });
        }
    }

    /// Confirms what was written so far.
    fn sync_disk(&mut self, name: usize) {
        let node = &mut self.nodes[name];
        let Some((seq, _)) = node.unsynced.last() else {
            return;
        };
        let seq = *seq;
        node.disk
            .extend(node.unsynced.drain(..).map(|(_, bytes)| bytes));
        self.input(name, Input::Persisted { seq });
        if name == SERVER {
            let view = self.nodes[SERVER].replica.document().view();
            self.acknowledged = view.all().map(|row| row.key.clone()).collect();
        }
    }

    /// Kills the process: what its disk had not confirmed is gone, connections too.
    fn crash(&mut self, name: usize) {
        let lost: Vec<usize> = self
            .links
            .keys()
            .copied()
            .filter(|client| name == SERVER || *client == name)
            .collect();
        for client in lost {
            self.links.remove(&client);
            let (other, gone) = if name == SERVER {
                (client, SERVER)
            } else {
                (SERVER, client)
            };
            self.input(other, Input::Disconnected { peer: peer(gone) });
        }
        let node = &mut self.nodes[name];
        node.unsynced.clear();
        node.starts += 1;
        node.replica = boot(name, node.starts, &node.disk);
        if name == SERVER {
            for key in &self.acknowledged {
                let view = self.nodes[SERVER].replica.document().view();
                assert!(
                    view.get(key).is_some(),
                    "S2: {key} was acknowledged and is gone"
                );
            }
        }
    }

    fn input(&mut self, name: usize, input: Input) {
        let effects = match self.nodes[name].replica.step(Millis(self.now), input) {
            Ok(effects) => effects,
            // A restore of what is not in the bin, a purge …: refused, and nothing changed.
            Err(error) => panic!("node {name} refused: {error}"),
        };
        for effect in effects {
            match effect {
                Effect::Persist { seq, bytes, .. } => self.nodes[name].unsynced.push((seq, bytes)),
                Effect::Send { peer: to, frame } => {
                    assert!(
                        self.nodes[name].unsynced.is_empty(),
                        "S2: node {name} speaks of what its disk does not have"
                    );
                    let client = if name == SERVER { number(&to) } else { name };
                    if let Some(link) = self.links.get_mut(&client) {
                        let queue = if name == SERVER {
                            &mut link.to_client
                        } else {
                            &mut link.to_server
                        };
                        queue.push_back(frame);
                    }
                }
                Effect::Close { reason, .. } => panic!("node {name} closes: {reason}"),
                _ => {}
            }
        }
    }
}

fn number(peer: &PeerId) -> usize {
    peer.as_str()
        .trim_start_matches("node-")
        .parse()
        .expect("the simulator's own names")
}
