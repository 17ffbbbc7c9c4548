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

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use automerge::{Change, ChangeHash};
use litemap::LiteMap;

use crate::blob::Blob;
use crate::document::{Authorship, Document, RestoreError, Restored};
use crate::edit::{EditError, EditId, Key, StampedEdit};
use crate::id::{DeviceId, DocumentId, PeerId};
use crate::limits::EPHEMERAL_SENDERS_MAX;
use crate::plain::import::{ImportError, ImportOptions, ImportReport};
use crate::schema::Schema;
use crate::session::Session;
use crate::time::Millis;
use crate::wire::Frame;

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

/// Something that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input {
    /// A connection about this document stands.
    Connected {
        /// Who is at the other end.
        peer: PeerId,
        /// We opened it, so we speak first.
        dial: bool,
        /// What the peer advertises is on its disk: it is a server.
        server: bool,
    },
    /// A frame about this document arrived.
    Received {
        /// Whose connection it came over.
        peer: PeerId,
        /// The frame.
        frame: Frame,
    },
    /// The connection is gone.
    Disconnected {
        /// Whose.
        peer: PeerId,
    },
    /// Somebody here asks for a change.
    Edit(StampedEdit),
    /// A file, or an old client's whole list, is to be taken in.
    Import {
        /// Its bytes.
        text: Vec<u8>,
        /// Where it comes from and what it was made from.
        options: ImportOptions,
    },
    /// Another device's copy of this document's history was read, from a folder that both share.
    Absorb {
        /// Saved documents and changes, in any order; what is known already changes nothing.
        chunks: Vec<Vec<u8>>,
    },
    /// Everything up to and including this [`Effect::Persist`] is durable.
    Persisted {
        /// Its number.
        seq: u64,
    },
    /// Time has passed.
    Tick,
}

/// Something that the host is to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Keep these images: the change that refers to them follows.
    Blobs(Vec<Blob>),
    /// Make these bytes durable, then say [`Input::Persisted`].
    Persist {
        /// Counted from 1, in order.
        seq: u64,
        /// Automerge changes, one after the other; [`Replica::restore`] takes them back.
        bytes: Vec<u8>,
        /// The edits that they contain.
        edits: Vec<EditId>,
    },
    /// Send this frame.
    Send {
        /// To whom.
        peer: PeerId,
        /// What.
        frame: Frame,
    },
    /// Close this peer's connection. The replica has forgotten it already.
    Close {
        /// Whose.
        peer: PeerId,
        /// A sentence for the peer and the log.
        reason: String,
    },
    /// These rows changed, or are new, or are gone.
    Changed {
        /// Their records.
        keys: Vec<Key>,
        /// By an edit or import made here.
        local: bool,
    },
    /// What the import did.
    Imported(ImportReport),
    /// What became of [`Input::Absorb`].
    Absorbed {
        /// Changes that were new here.
        changes: usize,
        /// Why a chunk was refused, if one was; the others are in.
        refused: Option<RestoreError>,
    },
    /// The server's durable history contains these changes of ours; worth keeping, so that
    /// the number of waiting edits is right after a restart.
    ServerHas {
        /// Its newest changes that we know.
        heads: Vec<ChangeHash>,
    },
    /// The peer does not have this document.
    Unavailable {
        /// Who.
        peer: PeerId,
    },
    /// Somebody's presence message.
    Presence {
        /// Who sent it first.
        sender: PeerId,
        /// Its payload, CBOR.
        data: Vec<u8>,
    },
}

/// Why an input was refused. The replica is unchanged and usable, except after
/// [`StepError::Poisoned`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The edit was refused.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file was refused.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The merge library failed. Drop this replica and restore another from what is durable.
    #[error("the merge library failed on this input; the replica must be restored from storage")]
    Poisoned,
}

/// What still waits for the server (B5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Changes that the server is not known to have on disk.
    pub edits: usize,
    /// When the oldest of them was made.
    pub oldest_at: Option<Millis>,
    /// The server is connected, and has on disk all that we have.
    pub server_has_it: bool,
}

/// One replica. See the module's text for the loop around it.
#[derive(Debug)]
pub struct Replica {
    config: ReplicaConfig,
    document: Document,
    sessions: LiteMap<PeerId, Box<Session>>,
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

    fn stepped(&mut self, _now: Millis, input: Input) -> Result<Vec<Effect>, StepError> {
        let mut effects = Vec::new();
        match input {
            Input::Connected { peer, dial, server } => {
                self.sessions
                    .insert(peer, Box::new(Session::new(dial, server)));
                self.speak(&mut effects);
            }
            Input::Disconnected { peer } => {
                self.sessions.remove(&peer);
            }
            Input::Received { peer, frame } => self.received(peer, frame, &mut effects),
            Input::Edit(edit) => self.edited(&edit, &mut effects)?,
            Input::Import { text, options } => self.imported(&text, &options, &mut effects)?,
            Input::Absorb { chunks } => self.absorbed(&chunks, &mut effects),
            Input::Persisted { seq } => {
                self.durable = self.durable.max(seq.min(self.seq));
                self.speak(&mut effects);
            }
            Input::Tick => self.speak(&mut effects),
        }
        Ok(effects)
    }

    fn edited(&mut self, edit: &StampedEdit, effects: &mut Vec<Effect>) -> Result<(), EditError> {
        let before = self.document.heads();
        let edited = self.document.edit(edit)?;
        let changes = self.document.changes_since(&before);
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
        self.persist(&imported.changes, Vec::new(), effects);
        push_changed(effects, imported.keys.into_iter().collect(), true);
        effects.push(Effect::Imported(imported.report));
        Ok(())
    }

    fn absorbed(&mut self, chunks: &[Vec<u8>], effects: &mut Vec<Effect>) {
        let before = self.document.heads();
        let refused = self.document.absorb(chunks).err();
        let changes = if self.document.heads() == before {
            Vec::new()
        } else {
            self.document.changes_since(&before)
        };
        let keys = self.document.take_in(&changes);
        self.persist(&changes, Vec::new(), effects);
        push_changed(effects, keys.into_iter().collect(), false);
        let changes = changes.len();
        effects.push(Effect::Absorbed { changes, refused });
    }

    fn received(&mut self, peer: PeerId, frame: Frame, effects: &mut Vec<Effect>) {
        match frame {
            Frame::Request { data, .. } | Frame::Sync { data, .. } => {
                self.synced(peer, &data, effects);
            }
            Frame::Ephemeral {
                document,
                sender,
                target: _,
                count,
                session,
                data,
            } => {
                let last = self.presence.get(&(sender.clone(), session.clone()));
                if sender == self.config.peer || last.is_some_and(|last| *last >= count) {
                    return;
                }
                if self.presence.len() >= EPHEMERAL_SENDERS_MAX {
                    self.presence.clear(); // A message may be relayed twice; none is lost.
                }
                self.presence
                    .insert((sender.clone(), session.clone()), count);
                for (other, open) in self.sessions.iter().map(|(id, s)| (id, s.is_open())) {
                    if open && *other != peer && *other != sender {
                        let frame = Frame::Ephemeral {
                            document,
                            sender: sender.clone(),
                            target: other.clone(),
                            count,
                            session: session.clone(),
                            data: data.clone(),
                        };
                        effects.push(Effect::Send {
                            peer: other.clone(),
                            frame,
                        });
                    }
                }
                effects.push(Effect::Presence { sender, data });
            }
            Frame::DocUnavailable { .. } => effects.push(Effect::Unavailable { peer }),
            _ => {} // The rest is about connections, not documents; what is unknown is ignored.
        }
    }

    fn synced(&mut self, peer: PeerId, data: &[u8], effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&peer) else {
            let reason = "a sync message came before the connection was announced".to_owned();
            effects.push(Effect::Close { peer, reason });
            return;
        };
        let before = self.document.heads();
        let outcome = session.receive(&mut self.document, data);
        // Also after a refusal: what came before it in the message may be in.
        let changes = if self.document.heads() == before {
            Vec::new()
        } else {
            self.document.changes_since(&before)
        };
        let keys = self.document.take_in(&changes);
        self.persist(&changes, Vec::new(), effects);
        push_changed(effects, keys.into_iter().collect(), false);
        if let Err(error) = outcome {
            self.sessions.remove(&peer);
            effects.push(Effect::Close {
                peer,
                reason: error.to_string(),
            });
        }
        self.hear_server(effects);
        self.speak(effects);
    }

    /// Learns from what the server advertises which of our changes are on its disk.
    fn hear_server(&mut self, effects: &mut Vec<Effect>) {
        let advertised: Vec<ChangeHash> = self
            .sessions
            .values()
            .filter(|session| session.server)
            .filter_map(|session| session.their_heads())
            .flatten()
            .copied()
            .collect();
        let known: Vec<ChangeHash> = advertised
            .iter()
            .filter(|hash| self.document.has(&[**hash]))
            .copied()
            .collect();
        let news = known.iter().any(|hash| !self.server_heads.contains(hash));
        if news {
            if known.len() == advertised.len() {
                self.server_heads.clone_from(&known);
            } else {
                self.server_heads.extend(known);
            }
            self.server_heads.sort_unstable();
            self.server_heads.dedup();
            effects.push(Effect::ServerHas {
                heads: self.server_heads.clone(),
            });
        }
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

    /// Sends what peers should hear, if all that it is made of is durable.
    fn speak(&mut self, effects: &mut Vec<Effect>) {
        if self.durable < self.seq {
            return;
        }
        let is_new = self.document.is_new();
        for (peer, session) in self.sessions.iter_mut() {
            let opening = session.is_opening();
            let Some(data) = session.next_message(&self.document) else {
                continue;
            };
            let (document, sender, target) =
                (self.config.document, self.config.peer.clone(), peer.clone());
            let frame = if opening && is_new {
                Frame::Request {
                    document,
                    sender,
                    target,
                    data,
                }
            } else {
                Frame::Sync {
                    document,
                    sender,
                    target,
                    data,
                }
            };
            effects.push(Effect::Send {
                peer: peer.clone(),
                frame,
            });
        }
    }
}

fn push_changed(effects: &mut Vec<Effect>, keys: Vec<Key>, local: bool) {
    if !keys.is_empty() {
        effects.push(Effect::Changed { keys, local });
    }
}
