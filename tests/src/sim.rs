//! Several clients and one server in one process, on a network and disks that fail.
//!
//! Replicas are the real engine. The network (`network.rs`) delays, loses, doubles, reorders,
//! cuts short and garbles frames, and parts clients from the server; a process may crash or its
//! disk may fail, which loses what was not confirmed; clocks are years apart. What replicas show
//! is held against the reference model ([`crate::model`]) after each edit and each restart, and of
//! all replicas at rest. Every run follows from its seed.
//!
//! **Invariant checked throughout:** what was acknowledged to a client survives every crash
//! of the server (S2).

mod breakage;
mod edits;
mod faults;
mod network;
mod node;

use std::collections::BTreeSet;

use automerge::ChangeHash;
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::replica::{Effect, Input};
use plainsync_core::wire::Frame;

pub use self::breakage::Breakage;
use self::edits::Drawing;
use self::network::Network;
use self::node::{Node, number, peer};
use crate::chance::Chance;
use crate::model::{Model, Seen, Shown, Violation, must};

const SERVER: usize = 0;

/// Arrivals after which the network must have come to rest.
const ARRIVALS_MAX: usize = 3_000;

/// Longer than a peer waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 6_000;

/// The whole system.
pub struct Sim {
    chance: Chance,
    now: u64,
    /// The server is the first.
    nodes: Vec<Node>,
    network: Network,
    model: Model,
    /// Versions that the server acknowledged to a client.
    acknowledged: BTreeSet<ChangeHash>,
    breakage: Option<Breakage>,
    edits: u64,
    trace: u64,
    counts: Counts,
}

/// What happened in a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Edits that made a change.
    pub edits: u64,
    /// Frames that arrived.
    pub arrivals: u64,
    /// Connections that a replica closed because of what came.
    pub closed: u64,
    /// Crashes and failed disks.
    pub crashes: u64,
    /// Fields that stood in conflict at rest.
    pub conflicts: u64,
    /// Conflicts at rest in which the newest clock is shown …
    pub newest_won: u64,
    /// … and those in which it is not.
    pub newest_lost: u64,
}

impl Sim {
    /// A server and `clients` clients that know nothing yet.
    #[must_use]
    pub fn new(seed: u64, clients: usize) -> Self {
        let mut chance = Chance::new(seed);
        let nodes = (0..=clients)
            .map(|name| Node::new(name, chance.draw()))
            .collect();
        Self {
            chance,
            now: 1_800_000_000_000,
            nodes,
            network: Network::default(),
            model: Model::default(),
            acknowledged: BTreeSet::new(),
            breakage: None,
            edits: 0,
            trace: 0,
            counts: Counts::default(),
        }
    }

    /// Breaks a rule from now on.
    #[must_use]
    pub fn broken(mut self, breakage: Breakage) -> Self {
        self.breakage = Some(breakage);
        self
    }

    /// A digest of everything that happened: equal for equal seeds.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.trace
    }

    /// How much happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Lets one random thing happen.
    ///
    /// # Errors
    ///
    /// [`Violation`]: a rule is broken.
    pub fn step(&mut self) -> Result<(), Violation> {
        self.now += self.chance.below(500);
        let client = 1 + self.below(self.nodes.len() - 1);
        let what = self.chance.below(1000);
        self.mix(what << 8 ^ client as u64 ^ self.now);
        match what {
            0..150 => self.edit(client),
            150..170 => self.edit(SERVER),
            170..690 => {
                let busy = self.network.busy();
                let nth = self.below(busy.len().max(1));
                busy.get(nth)
                    .map_or(Ok(()), |client| self.deliver(*client, true))
            }
            690..800 => self.sync_disk(SERVER),
            800..870 => self.sync_disk(client),
            870..945 => self.connect(client),
            945..951 => self.cut(client),
            951..957 => self.part(),
            957..970 => self.tick(),
            970..978 => self.crash(client, true),
            978..984 => self.crash(SERVER, true),
            // A disk failed: back to what it is known to have.
            984..992 => self.crash(SERVER, false),
            _ => self.crash(client, false),
        }
    }

    /// Connects everybody and lets frames flow until nothing is on its way and nothing comes
    /// when time passes; then all must agree.
    ///
    /// # Errors
    ///
    /// [`Violation`]: it does not come to rest, or a rule is broken at rest.
    pub fn settle(&mut self) -> Result<(), Violation> {
        self.network.part(BTreeSet::new());
        let (mut arrivals, mut quiet) = (0, 0);
        while quiet < 2 {
            for client in 1..self.nodes.len() {
                self.connect(client)?;
            }
            for name in 0..self.nodes.len() {
                self.sync_disk(name)?;
            }
            let busy = self.network.busy();
            if busy.is_empty() {
                quiet += 1;
                self.now += PATIENCE_MS;
                for name in 0..self.nodes.len() {
                    self.input(name, Input::Tick)?;
                }
                continue;
            }
            quiet = 0;
            for client in busy {
                self.deliver(client, false)?;
                arrivals += 1;
            }
            must(arrivals < ARRIVALS_MAX, "S3", || {
                "the network does not come to rest".to_owned()
            })?;
        }
        self.check_rest()
    }

    /// S3 and D1: all replicas show the same file, the one that the model says, and every client
    /// knows that the server has all.
    fn check_rest(&mut self) -> Result<(), Violation> {
        let files: Vec<String> = self.nodes.iter().map(|node| self.export(node)).collect();
        let heads = self.nodes[SERVER].replica.document().heads();
        for node in &self.nodes {
            let name = node.name;
            must(node.replica.document().heads() == heads, "S3", || {
                format!("node {name} has another history")
            })?;
            must(files[name] == files[SERVER], "D1", || {
                format!("node {name} has another file")
            })?;
            if name != SERVER {
                let waiting = node.replica.waiting();
                must(waiting.edits == 0 && waiting.server_has_it, "S3", || {
                    format!("node {name} believes that {waiting:?}")
                })?;
            }
            self.check(name)?;
        }
        self.check_acknowledged()?;
        let file = files[SERVER].bytes();
        let digest = file.fold(0, |sum: u64, byte| sum.wrapping_mul(31) ^ u64::from(byte));
        self.mix(digest);
        self.count_conflicts();
        Ok(())
    }

    fn count_conflicts(&mut self) {
        let document = self.nodes[SERVER].replica.document();
        for row in document
            .view()
            .all()
            .filter(|row| !row.conflicts.is_empty())
        {
            for conflict in document.conflicts(&row.key) {
                self.counts.conflicts += 1;
                let newest = conflict.values.iter().max_by_key(|side| side.at);
                let shown = conflict.values.last();
                if newest.map(|side| side.at) == shown.map(|side| side.at) {
                    self.counts.newest_won += 1;
                } else {
                    self.counts.newest_lost += 1;
                }
            }
        }
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.chance.below(end as u64)).unwrap_or(0)
    }

    fn mix(&mut self, what: u64) {
        self.trace = self.trace.rotate_left(5).wrapping_mul(0x9e37_79b9) ^ what;
    }

    fn shown(&self, name: usize) -> Shown {
        let mut shown = self.nodes[name].shown();
        if let Some(breakage) = self.breakage {
            breakage.show(&mut shown);
        }
        shown
    }

    fn export(&self, node: &Node) -> String {
        let mut text = node.export();
        if self.breakage == Some(Breakage::ExportsOwnClock) {
            text += &node.clock(self.now).0.to_string();
        }
        text
    }

    fn seen(&self, name: usize) -> Seen {
        let document = self.nodes[name].replica.document();
        self.model.seen(|hash| document.has(&[*hash]))
    }

    /// What node `name` shows follows from the edits that it has.
    fn check(&self, name: usize) -> Result<(), Violation> {
        let checked = self.model.check(&self.seen(name), &self.shown(name));
        checked.map_err(|violation| violation.at(name))
    }

    fn check_acknowledged(&self) -> Result<(), Violation> {
        let server = self.nodes[SERVER].replica.document();
        let lost = self.acknowledged.iter().find(|hash| !server.has(&[**hash]));
        must(lost.is_none(), "S2", || {
            format!("{lost:?} was acknowledged and is gone")
        })
    }

    fn edit(&mut self, name: usize) -> Result<(), Violation> {
        self.edits += 1;
        let shown = self.shown(name);
        let document = self.nodes[name].replica.document();
        let drawing = Drawing {
            shown: &shown,
            document,
            name,
            made: self.edits,
        };
        let edit = drawing.edit(&mut self.chance);
        let past = self.model.seen(|hash| document.has(&[*hash]));
        self.model.check_keys(&past, &shown)?;
        let heads = document.heads();
        let at = self.nodes[name].clock(self.now).0;
        let mut done = edit.clone();
        if let Some(breakage) = self.breakage {
            breakage.edit(&mut done);
        }
        self.input_edit(name, done, format!("edit-{}", self.edits))?;
        let after = self.shown(name);
        let now = self.nodes[name].replica.document().heads();
        let hash = (now != heads).then(|| now.first().copied()).flatten();
        self.counts.edits += u64::from(hash.is_some());
        self.model.note(hash, past, at, &edit, (&shown, &after))?;
        let seen = self.seen(name);
        for key in edits::keys_of(&edit) {
            let checked = self.model.check_record(&seen, &after, key);
            checked.map_err(|violation| violation.at(name))?;
        }
        if self.breakage == Some(Breakage::AppliesEditsTwice) && self.chance.once_in(4) {
            let mut again = edit;
            if let Edit::Insert { key, .. } = &mut again {
                *key = Key(format!("{key}-again"));
            }
            self.input_edit(name, again, format!("again-{}", self.edits))?;
        }
        Ok(())
    }

    fn input_edit(&mut self, name: usize, edit: Edit, id: String) -> Result<(), Violation> {
        let at = self.nodes[name].clock(self.now);
        self.input(
            name,
            Input::Edit(StampedEdit {
                id: EditId(id),
                at,
                edit,
            }),
        )
    }

    fn deliver(&mut self, client: usize, faults: bool) -> Result<(), Violation> {
        let Some(arrival) = self.network.arrive(client, &mut self.chance, faults) else {
            return Ok(());
        };
        let silent = self.breakage == Some(Breakage::LosesFramesSilently);
        if silent && self.chance.once_in(20) {
            return Ok(());
        }
        self.counts.arrivals += 1;
        let (from, to) = if arrival.to_server {
            (client, SERVER)
        } else {
            (SERVER, client)
        };
        match arrival.bytes.as_deref().map(Frame::decode) {
            Some(Ok(frame)) => {
                let newest = self.nodes[to].replica.document().newest_seconds();
                let frame = match self.breakage {
                    Some(breakage) => breakage.frame(frame, newest),
                    None => frame,
                };
                self.input(
                    to,
                    Input::Received {
                        peer: peer(from),
                        frame,
                    },
                )?;
            }
            Some(Err(_)) => {
                self.counts.closed += 1; // As sockets do with what is no frame.
                self.cut(client)?;
            }
            None => {}
        }
        if arrival.breaks {
            self.cut(client)
        } else {
            Ok(())
        }
    }

    fn input(&mut self, name: usize, input: Input) -> Result<(), Violation> {
        let now = self.nodes[name].clock(self.now);
        let effects = match self.nodes[name].replica.step(now, input) {
            Ok(effects) => effects,
            Err(error) => return must(false, "D3", || format!("node {name} refused: {error}")),
        };
        for effect in effects {
            match effect {
                Effect::Persist { seq, bytes, .. } => {
                    self.nodes[name].unsynced.push((seq, bytes));
                    if name == SERVER && self.breakage == Some(Breakage::AcknowledgesBeforeSync) {
                        self.input(name, Input::Persisted { seq })?;
                    }
                }
                Effect::Send { peer: to, frame } => {
                    let honest = self.breakage != Some(Breakage::AcknowledgesBeforeSync);
                    let speaks = honest && !self.nodes[name].unsynced.is_empty();
                    must(!speaks, "S2", || {
                        format!("node {name} speaks of what its disk does not have")
                    })?;
                    let client = if name == SERVER { number(&to) } else { name };
                    self.network.send(client, name != SERVER, &frame);
                }
                Effect::ServerHas { heads } => {
                    self.acknowledged.extend(heads.iter().copied());
                    self.nodes[name].server_has = heads;
                }
                Effect::Close { peer: to, .. } => {
                    self.counts.closed += 1;
                    let client = if name == SERVER { number(&to) } else { name };
                    self.cut(client)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
