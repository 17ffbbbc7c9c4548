//! One replica of one document: inputs in, effects out.
//!
//! The same [`Replica`] runs in the server, in every tab and in tests. It opens no socket and
//! no file: the host feeds [`Replica::step`] what happened, performs the [`Effect`]s, and
//! says when something is durable.
//!
//! ```text
//! loop {
//!     inputs of the inbox → step → effects
//!     write the bytes of every Persist, sync them to disk once
//!     step(Persisted { seq of the last }) → sends
//!     perform sends and closes, publish the view
//! }
//! ```
//!
//! **Invariant:** a message leaves only while all that the replica holds is durable, so a
//! peer never hears of a change that a crash could take back (S2).

mod io;
mod peers;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use automerge::{Change, ChangeHash};
use litemap::LiteMap;

pub use self::io::{Effect, Input, StepError, Waiting};
use crate::arrivals::Arrivals;
use crate::document::{Authorship, Document, RestoreError, Restored};
use crate::edit::{EditError, EditId, Key, StampedEdit};
#[cfg(feature = "fan-out")]
use crate::fan_out::{Log, SessionNumber};
use crate::id::{DeviceId, DocumentId, PeerId};
use crate::plain::import::{ImportError, ImportOptions};
use crate::schema::Schema;
use crate::session::Session;
use crate::time::Millis;

/// What a replica is made of.
#[derive(Clone, Debug)]
pub struct ReplicaConfig {
    /// Which document.
    pub document: DocumentId,
    /// What its records are.
    pub schema: Arc<Schema>,
    /// This server or browser profile.
    pub device: DeviceId,
    /// The person or program whose edits these are.
    pub author: Option<String>,
    /// Drawn by the host, new at each start; enters the history with the first edit (S4).
    pub actor: [u8; 16],
    /// How this replica calls itself in frames.
    pub peer: PeerId,
}

/// One replica. See the module's text for the loop around it.
#[derive(Debug)]
pub struct Replica {
    config: ReplicaConfig,
    document: Document,
    sessions: LiteMap<PeerId, Box<Session>>,
    arrivals: Arrivals,
    /// What came last, for peers that follow.
    #[cfg(feature = "fan-out")]
    log: Log,
    #[cfg(feature = "fan-out")]
    last_session: SessionNumber,
    /// The number of the last [`Effect::Persist`].
    seq: u64,
    /// The number of the last one that is durable.
    durable: u64,
    /// The newest of our changes that the server is known to have on disk.
    server_heads: Vec<ChangeHash>,
    /// The newest presence message of each sender's session, so that none is relayed twice.
    presence: HashMap<(PeerId, String), u64>,
    poisoned: bool,
}

impl Replica {
    /// A replica that holds nothing yet.
    #[must_use]
    pub fn new(config: ReplicaConfig) -> Self {
        let mut document = Document::new(config.document, Arc::clone(&config.schema));
        let author = Authorship {
            device: config.device,
            name: config.author.clone(),
        };
        document.set_actor(config.actor, &author);
        let server_heads = document.heads();
        Self {
            config,
            document,
            sessions: LiteMap::new(),
            arrivals: Arrivals::default(),
            #[cfg(feature = "fan-out")]
            log: Log::default(),
            #[cfg(feature = "fan-out")]
            last_session: 0,
            seq: 0,
            durable: 0,
            server_heads,
            presence: HashMap::new(),
            poisoned: false,
        }
    }

    /// Takes in chunks that are durable already: bytes of earlier [`Effect::Persist`]s and
    /// results of [`Document::save`], in any order. Also for what another tab wrote. Follow it
    /// with [`Input::Tick`], so that peers hear of it.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]: nothing was taken in.
    pub fn restore(&mut self, chunks: &[Vec<u8>]) -> Result<Restored, RestoreError> {
        let restored = self.document.restore(chunks)?;
        #[cfg(feature = "fan-out")]
        for (_, session) in self.sessions.iter_mut() {
            session.lose(); // The log does not tell of it.
        }
        Ok(restored)
    }

    /// Says what the server was known to have when this was last kept ([`Effect::ServerHas`]).
    pub fn set_server_heads(&mut self, heads: &[ChangeHash]) {
        let known = heads.iter().filter(|hash| self.document.has(&[**hash]));
        self.server_heads.extend(known);
    }

    /// The document as it is now.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Which values fields held before, and other questions that build an index on demand.
    pub fn document_mut(&mut self) -> &mut Document {
        &mut self.document
    }

    /// What still waits for the server. Counted when asked: a server never asks.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let server = self.sessions.values().find(|session| session.server);
        let server_agrees = server
            .and_then(|session| session.their_heads())
            .is_some_and(|theirs| self.document.has(theirs));
        let changes = if self.server_heads == self.document.heads() {
            Vec::new()
        } else {
            self.document
                .automerge()
                .get_changes_meta(&self.server_heads)
        };
        let oldest = changes.iter().map(|change| change.timestamp).min();
        Waiting {
            edits: changes.len(),
            oldest_at: oldest.map(|seconds| Millis(seconds.max(0).unsigned_abs() * 1000)),
            server_has_it: changes.is_empty() && server_agrees,
        }
    }

    /// Peers that take part in the conversation about this document.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.sessions
            .values()
            .filter(|session| session.is_open())
            .count()
    }

    /// Takes one input and returns the effects to perform, in order.
    ///
    /// # Errors
    ///
    /// [`StepError`]: the input was refused, nothing changed.
    pub fn step(&mut self, now: Millis, input: Input) -> Result<Vec<Effect>, StepError> {
        if self.poisoned {
            return Err(StepError::Poisoned);
        }
        let stepped = catch_unwind(AssertUnwindSafe(|| self.stepped(now, input)));
        stepped.unwrap_or_else(|_| {
            self.poisoned = true;
            Err(StepError::Poisoned)
        })
    }

    fn stepped(&mut self, now: Millis, input: Input) -> Result<Vec<Effect>, StepError> {
        let mut effects = Vec::new();
        match input {
            #[cfg_attr(not(feature = "fan-out"), allow(unused_variables))]
            Input::Connected {
                peer,
                dial,
                server,
                ahead,
            } => {
                let session = Session::new(dial, server);
                #[cfg(feature = "fan-out")]
                let session = session.taking(ahead);
                self.connected(peer.clone(), session);
                self.speak_to(now, &peer, &mut effects);
            }
            Input::Disconnected { peer } => self.part_from(&peer),
            Input::Received { peer, frame } => self.received(now, peer, frame, &mut effects),
            Input::Edit(edit) => self.edited(&edit, &mut effects)?,
            Input::Import { text, options } => self.imported(&text, &options, &mut effects)?,
            #[cfg(feature = "fan-out")]
            Input::Absorb { chunks } => self.absorbed(&chunks, &mut effects),
            Input::Persisted { seq } => {
                self.durable = self.durable.max(seq.min(self.seq));
                self.speak(now, &mut effects);
            }
            Input::Tick => self.speak(now, &mut effects),
        }
        Ok(effects)
    }

    fn edited(&mut self, edit: &StampedEdit, effects: &mut Vec<Effect>) -> Result<(), EditError> {
        let before = self.document.heads();
        let edited = self.document.edit(edit)?;
        let changes = self.document.changes_since(&before);
        self.note(&changes, None);
        if !edited.blobs.is_empty() {
            effects.push(Effect::Blobs(edited.blobs));
        }
        self.persist(&changes, vec![edit.id.clone()], effects);
        push_changed(effects, edited.keys.into_iter().collect(), true);
        Ok(())
    }

    fn imported(
        &mut self,
        text: &[u8],
        options: &ImportOptions,
        effects: &mut Vec<Effect>,
    ) -> Result<(), ImportError> {
        let imported = self.document.import(text, options)?;
        if !imported.blobs.is_empty() {
            effects.push(Effect::Blobs(imported.blobs));
        }
        self.note(&imported.changes, None);
        self.persist(&imported.changes, Vec::new(), effects);
        push_changed(effects, imported.keys.into_iter().collect(), true);
        effects.push(Effect::Imported(imported.report));
        Ok(())
    }

    #[cfg(feature = "fan-out")]
    fn absorbed(&mut self, chunks: &[Vec<u8>], effects: &mut Vec<Effect>) {
        let before = self.document.heads();
        let refused = self.arrivals.absorb(&mut self.document, chunks).err();
        let changes = if self.document.heads() == before {
            Vec::new()
        } else {
            self.document.changes_since(&before)
        };
        let keys = self.document.take_in(&changes);
        self.note(&changes, None);
        self.persist(&changes, Vec::new(), effects);
        push_changed(effects, keys.into_iter().collect(), false);
        let changes = changes.len();
        effects.push(Effect::Absorbed { changes, refused });
    }

    fn persist(&mut self, changes: &[Change], edits: Vec<EditId>, effects: &mut Vec<Effect>) {
        if changes.is_empty() {
            return;
        }
        self.seq += 1;
        let bytes = changes
            .iter()
            .flat_map(|change| change.raw_bytes().to_vec())
            .collect();
        effects.push(Effect::Persist {
            seq: self.seq,
            bytes,
            edits,
        });
    }
}

fn push_changed(effects: &mut Vec<Effect>, keys: Vec<Key>, local: bool) {
    if !keys.is_empty() {
        effects.push(Effect::Changed { keys, local });
    }
}
