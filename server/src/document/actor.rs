//! The actor of one open document: a thread that owns its replica and its journal.
//!
//! ```text
//! loop {
//!     under load, let the inbox fill                       (gather.rs)
//!     drain it: each message → Replica::step → effects, gathered in a Batch
//!     images, then journal records → disk, one fsync            (commit.rs)
//!     Replica::step(Persisted) → sends; answer callers; publish the snapshot
//!     tend: the JSON when it is due, the disk's recovery, compaction   (file.rs, recovery.rs)
//! }
//! ```
//!
//! It runs on a thread of its own because all of this blocks: merging takes the processor,
//! the journal waits for the disk, and while it waits the inbox gathers the next batch.
//!
//! **Invariant:** no answer, frame or snapshot tells of a change that is not on disk (S2).

mod batch;
mod commit;
mod file;
mod gather;
mod list;
mod offer;
mod recovery;
mod share;
mod take;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plainsync_core::document::RestoreError;
use plainsync_core::edit::{Edit, Key, StampedEdit};
use plainsync_core::id::PeerId;
use plainsync_core::plain::import::{ImportOptions, ImportReport};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig, StepError};
use plainsync_core::session::Cause;
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;
use tokio::sync::oneshot;
use tracing::warn;

use self::batch::{Answer, Batch};
pub(super) use self::file::FileSide;
use self::gather::Gather;
pub(super) use self::offer::{OFFER, OFFERED, Offered};
use self::recovery::Health;
pub(super) use self::recovery::restore;
use self::share::Share;
pub(super) use self::take::has_heads;
use super::clients::Clients;
use super::edit_ids::EditIds;
use super::error::DocumentError;
use super::handle::{EditOutcome, Shared};
use super::identity::Identity;
use super::inbox::{Envelope, Message, Reply};
use super::journal::{Journal, Kind, Record};
use super::keeper::Pace;
use super::origin::ImportOrigin;
use super::peers::{Encoded, Peers};
use crate::metrics::{Merged, Refusal, Source};

/// Most messages that share one `fsync`.
const BATCH_MESSAGES_MAX: usize = 512;

/// Journal bytes after which a batch takes no more messages.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How often the engine hears that time has passed while anybody is connected.
const TICK: Duration = Duration::from_secs(1);

/// Longest sleep without anything to do.
const IDLE: Duration = Duration::from_secs(60);

/// See the module's text.
pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    /// What replicas are made of; each gets an actor id of its own.
    pub(super) config: ReplicaConfig,
    /// `None` while the history cannot be read from a failing disk.
    pub(super) replica: Option<Replica>,
    pub(super) journal: Journal,
    /// What the private state beside the journal says of the document.
    identity: Identity,
    pub(super) inbox: Receiver<Envelope>,
    pub(super) edits: EditIds,
    pub(super) clients: Clients,
    pub(super) file: FileSide,
    pub(super) pace: Pace,
    share: Share,
    peers: Peers,
    health: Health,
    gather: Gather,
    next_tick: Instant,
    stop: Option<oneshot::Sender<()>>,
    abandoned: bool,
}

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) config: ReplicaConfig,
    pub(super) replica: Replica,
    pub(super) journal: Journal,
    pub(super) identity: Identity,
    pub(super) inbox: Receiver<Envelope>,
    pub(super) edits: EditIds,
    pub(super) clients: Clients,
    pub(super) file: FileSide,
    pub(super) pace: Pace,
}

/// What one input did to the document.
#[derive(Default)]
struct Done {
    keys: BTreeSet<Key>,
    report: ImportReport,
    /// How many changes of another device were new, and why a part was refused.
    absorbed: (usize, Option<RestoreError>),
}

impl Actor {
    pub(super) fn new(parts: Parts) -> Self {
        let metrics = parts.shared.metrics.clone();
        Self {
            shared: parts.shared,
            config: parts.config,
            replica: Some(parts.replica),
            journal: parts.journal,
            identity: parts.identity,
            inbox: parts.inbox,
            edits: parts.edits,
            clients: parts.clients,
            file: parts.file,
            pace: parts.pace,
            share: Share::default(),
            peers: Peers::new(metrics),
            health: Health::default(),
            gather: Gather::default(),
            next_tick: Instant::now(),
            stop: None,
            abandoned: false,
        }
    }

    /// Works until it is stopped or nobody can ask for anything any more.
    pub(super) fn run(mut self) {
        while self.stop.is_none() && !self.abandoned {
            let wait = self
                .next_deadline()
                .saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(wait) {
                Ok(first) => {
                    thread::sleep(self.gather.wait(Instant::now()));
                    self.work(first);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tend();
        }
        match self.stop.take() {
            Some(reply) if !self.abandoned => {
                self.drain();
                let _ = reply.send(()); // Who asked may have given up waiting.
            }
            _ => self.end_keeper(),
        }
    }

    /// What waits, without waiting for it.
    pub(super) fn next_message(&self) -> Option<Envelope> {
        self.inbox.try_recv().ok()
    }

    /// One batch: `first` and what waits behind it.
    pub(super) fn work(&mut self, first: Envelope) {
        let mut batch = Batch::default();
        let mut places = Vec::new();
        let mut next = Some(first);
        while let Some(envelope) = next {
            places.push(envelope.place);
            self.take(envelope.message, &mut batch);
            let full = places.len() >= BATCH_MESSAGES_MAX || batch.bytes() >= BATCH_BYTES_MAX;
            let ends = full || batch.poisoned || self.stop.is_some() || self.abandoned;
            next = if ends {
                None
            } else {
                self.inbox.try_recv().ok()
            };
        }
        self.shared.metrics.batched(places.len());
        if !self.abandoned {
            self.commit(batch);
        }
    }

    /// Finishes what was asked before the stop, then the file.
    fn drain(&mut self) {
        self.peers.close_all("the server is stopping");
        while let Ok(envelope) = self.inbox.try_recv() {
            self.work(envelope);
        }
        self.finish_file();
    }

    fn take(&mut self, message: Message, batch: &mut Batch) {
        match message {
            Message::Edit { edit, reply } => self.take_edit(edit, reply, batch),
            Message::Import {
                text,
                options,
                origin,
                reply,
            } => self.take_import(text, options, origin, reply, batch),
            Message::List {
                text,
                named,
                client,
                reply,
            } => self.take_list(text, named, client, reply, batch),
            Message::Load { client, reply } => batch.answers.push(Answer::Load { client, reply }),
            Message::Copy { reply } => batch.answers.push(Answer::Copy { reply }),
            Message::Connected {
                peer,
                token,
                ahead,
                outbound,
                end,
            } => {
                if let Err(error) = self.may_write() {
                    let _ = end.set(error.to_string()); // Dropping `outbound` shows it.
                    return;
                }
                if self.peers.add(peer.clone(), token, outbound, end) {
                    let gone = Input::Disconnected { peer: peer.clone() };
                    self.step_quietly(gone, batch);
                }
                let connected = Input::Connected {
                    peer,
                    dial: false,
                    server: false,
                    ahead,
                };
                self.step_quietly(connected, batch);
            }
            Message::Received { peer, token, frame } => {
                if !self.peers.has(&peer, token) {
                    return; // It was closed while this frame waited.
                }
                let (culprit, before) = (peer.clone(), batch.records.len());
                let taken = self.step(Input::Received { peer, frame }, batch);
                batch.received += usize::from(batch.records.len() > before);
                if taken.is_err() {
                    self.shared.metrics.refused(Refusal::Failure);
                    warn!(peer = %culprit, "a peer sent what the engine failed on");
                    batch.by_peer = batch.poisoned;
                    self.peers
                        .close(&culprit, "the engine failed on what it sent");
                }
            }
            Message::Disconnected { peer, token } => {
                if self.peers.has(&peer, token) {
                    self.peers.close(&peer, "it left");
                    self.step_quietly(Input::Disconnected { peer }, batch);
                }
            }
            Message::BlobArrived => self.file.mark_dirty(),
            Message::File(report) => self.take_report(report, batch),
            Message::Answer { answer, reply } => self.take_answer(answer, reply, batch),
            Message::Stop { reply } => self.stop = Some(reply),
            Message::Abandon => self.abandoned = true,
        }
    }

    fn take_edit(&mut self, edit: StampedEdit, reply: Reply<EditOutcome>, batch: &mut Batch) {
        let (id, keys) = (edit.id.0.clone(), keys_of(&edit.edit));
        let source = match &edit.edit {
            Edit::Progress { .. } => Source::Runner,
            _ => Source::Http,
        };
        let answer = |reply, keys, repeated| Answer::Edit {
            reply,
            keys,
            repeated,
            source,
        };
        if self.edits.contains(&id) || batch.edits.contains(&id) {
            batch.answers.push(answer(reply, keys, true));
            return;
        }
        let done = self
            .may_write()
            .and_then(|()| self.step(Input::Edit(edit), batch));
        match done {
            Ok(done) => {
                batch.edits.push(id);
                let others: Vec<_> = done
                    .keys
                    .into_iter()
                    .filter(|key| !keys.contains(key))
                    .collect();
                let keys = [keys, others].concat();
                batch.answers.push(answer(reply, keys, false));
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn take_import(
        &mut self,
        text: Vec<u8>,
        options: ImportOptions,
        origin: ImportOrigin,
        reply: Reply<ImportReport>,
        batch: &mut Batch,
    ) {
        let done = self
            .may_write()
            .and_then(|()| self.step(Input::Import { text, options }, batch));
        match done {
            Ok(Done { report, .. }) => batch.answers.push(Answer::Import {
                reply,
                report,
                origin,
            }),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// Lets the engine take one input; what it wants done is done or gathered in `batch`.
    fn step(&mut self, input: Input, batch: &mut Batch) -> Result<Done, DocumentError> {
        let Some(replica) = &mut self.replica else {
            return Err(self.read_only());
        };
        if batch.poisoned {
            return Err(DocumentError::Engine);
        }
        let (merged, began) = (what_merges(&input), Instant::now());
        let stepped = replica.step(now(), input);
        if let Some(merged) = merged {
            self.shared.metrics.merged(merged, began.elapsed());
        }
        match stepped {
            Ok(effects) => Ok(self.perform(effects, batch)),
            Err(StepError::Edit(error)) => Err(error.into()),
            Err(StepError::Import(error)) => Err(error.into()),
            Err(_) => {
                batch.poisoned = true;
                Err(DocumentError::Engine)
            }
        }
    }

    /// As [`Actor::step`], for inputs that nobody waits for.
    fn step_quietly(&mut self, input: Input, batch: &mut Batch) {
        let _ = self.step(input, batch); // `batch` knows if the engine failed.
    }

    fn perform(&mut self, effects: Vec<Effect>, batch: &mut Batch) -> Done {
        let mut done = Done::default();
        let mut sends = Vec::new();
        let mut dropped = Vec::new();
        for effect in effects {
            match effect {
                Effect::Blobs(blobs) => batch.blobs.extend(blobs),
                Effect::Persist { seq, bytes, edits } => {
                    batch.seq = Some(seq);
                    batch.records.push(Record {
                        kind: Kind::Changes,
                        edits: edits.into_iter().map(|edit| edit.0).collect(),
                        bytes,
                    });
                }
                Effect::Send { peer, frame } => {
                    sends.push((peer, Encoded::of(&frame)));
                }
                Effect::Close {
                    peer,
                    reason,
                    cause,
                } => {
                    dropped.extend(self.send_all(&mut sends)); // What was said before comes before.
                    self.shared.metrics.refused(refusal(cause));
                    warn!(%peer, "connection refused: {reason}");
                    self.peers.close(&peer, &reason);
                }
                Effect::Changed { keys, .. } => {
                    batch.keys.extend(keys.iter().cloned());
                    done.keys.extend(keys);
                }
                Effect::Imported(report) => done.report = report,
                Effect::Absorbed { changes, refused } => done.absorbed = (changes, refused),
                // The rest is for replicas in browsers.
                _ => {}
            }
        }
        dropped.extend(self.send_all(&mut sends));
        for peer in dropped {
            self.step_quietly(Input::Disconnected { peer }, batch);
        }
        done
    }

    /// Queues what `sends` holds, one after the other: queueing wakes who writes to the socket, and
    /// whoever wakes once for many does not fall asleep between them. Returns whose connections had
    /// to be dropped.
    fn send_all(&mut self, sends: &mut Vec<(PeerId, Encoded)>) -> Vec<PeerId> {
        let queued = sends
            .drain(..)
            .map(|(peer, encoded)| self.peers.send(&peer, encoded));
        queued.flatten().collect()
    }

    /// What is due without having been asked for.
    pub(super) fn tend(&mut self) {
        if self.abandoned {
            return;
        }
        self.tend_health();
        if !self.peers.is_empty() && self.next_tick <= Instant::now() {
            self.next_tick = Instant::now() + TICK;
            let mut batch = Batch::default();
            self.step_quietly(Input::Tick, &mut batch);
            self.commit(batch);
        }
        self.tend_share();
        self.tend_file();
        self.tend_journal();
        self.show_moment();
    }

    fn next_deadline(&self) -> Instant {
        let tick = (!self.peers.is_empty()).then_some(self.next_tick);
        let file = self
            .replica
            .as_ref()
            .and_then(|_| self.file.due(&self.pace));
        let share = self
            .replica
            .as_ref()
            .and_then(|_| self.share.due(&self.pace));
        [tick, self.health.until(), share, file]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| Instant::now() + IDLE)
    }
}

/// What the time that `input` takes counts as, if it is counted.
fn what_merges(input: &Input) -> Option<Merged> {
    match input {
        Input::Received {
            frame: Frame::Request { .. } | Frame::Sync { .. },
            ..
        } => Some(Merged::Sync),
        Input::Edit(_) => Some(Merged::Edit),
        Input::Import { .. } => Some(Merged::Import),
        _ => None,
    }
}

fn refusal(cause: Cause) -> Refusal {
    match cause {
        Cause::Unreadable => Refusal::Unreadable,
        Cause::Limit => Refusal::Limits,
        Cause::Protocol => Refusal::Protocol,
        _ => Refusal::Guard,
    }
}

/// The records that an edit is about.
fn keys_of(edit: &Edit) -> Vec<Key> {
    match edit {
        Edit::Insert { key, .. }
        | Edit::Change { key, .. }
        | Edit::Progress { key, .. }
        | Edit::Resolve { key, .. } => vec![key.clone()],
        Edit::Remove { keys }
        | Edit::Restore { keys }
        | Edit::Purge { keys }
        | Edit::Run { keys, .. } => keys.clone(),
        _ => Vec::new(),
    }
}

/// The machine's time.
pub(super) fn now() -> Millis {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
