//! The actor's side of the JSON file: when it is written, and what becomes of what others
//! write there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use plainsync_core::document::Document;
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions};
use plainsync_core::replica::Input;
use tracing::{error, info, warn};

use super::Actor;
use super::batch::{Answer, Batch, TakenIn};
use crate::document::disk::{Disk, write_whole};
use crate::document::error::DocumentError;
use crate::document::handle::render;
use crate::document::inbox::{Message, Reply};
use crate::document::inspect::{Version, inspect};
use crate::document::keeper::{Order, Pace, Report, note_text};
use crate::document::origin::ImportOrigin;
use crate::document::projection::{ContentHash, Found, Projection};
use crate::document::snapshot::hex_heads;
use crate::document::state::{FileAnswer, FileCondition, FileState};

/// After a write the file rests for this many times what the write took.
const REST_FACTOR: u32 = 4;

/// Longest rest after a write.
const REST_MAX: Duration = Duration::from_secs(30);

/// Longest time that a stop waits for the file.
const FINISH_MAX: Duration = Duration::from_secs(20);

/// What the actor knows of its JSON file and of the thread that keeps it.
pub(in crate::document) struct FileSide {
    disk: Arc<dyn Disk>,
    archive: PathBuf,
    orders: Option<Sender<Order>>,
    keeper: Option<JoinHandle<()>>,
    /// When the document first and last changed since the file was ordered.
    dirty: Option<(Instant, Instant)>,
    /// An order is being carried out.
    writing: bool,
    /// Until when the file rests after a costly write.
    rest_until: Instant,
    /// Until when nothing is tried after a failure.
    retry_at: Instant,
    failures: u32,
    failed: Option<String>,
    missing: bool,
    left_alone: Option<LeftAlone>,
    /// Content was met while the disk was failing: it is to be offered again.
    recheck_when_well: bool,
}

/// Content that is neither taken in nor replaced.
struct LeftAlone {
    bytes: Vec<u8>,
    hash: ContentHash,
    state: FileState,
    /// The heads that it waits for.
    waits_for: Vec<String>,
}

impl FileSide {
    pub(in crate::document) fn new(
        disk: Arc<dyn Disk>,
        archive: PathBuf,
        orders: Sender<Order>,
    ) -> Self {
        let now = Instant::now();
        Self {
            disk,
            archive,
            orders: Some(orders),
            keeper: None,
            dirty: None,
            writing: false,
            rest_until: now,
            retry_at: now,
            failures: 0,
            failed: None,
            missing: false,
            left_alone: None,
            recheck_when_well: false,
        }
    }

    /// The thread to wait for at the end.
    pub(in crate::document) fn set_keeper(&mut self, keeper: JoinHandle<()>) {
        self.keeper = Some(keeper);
    }

    /// The document is ahead of the file.
    pub(super) fn mark_dirty(&mut self) {
        let now = Instant::now();
        self.dirty = Some((self.dirty.map_or(now, |(first, _)| first), now));
    }

    /// Content is to be offered again once the disk is well.
    pub(super) fn recheck(&mut self) {
        self.recheck_when_well = true;
    }

    /// When the file is to be written, if it is to be.
    pub(super) fn due(&self, pace: &Pace) -> Option<Instant> {
        let (first, last) = self.dirty?;
        if self.writing || self.left_alone.is_some() {
            return None;
        }
        let quiet = (last + pace.quiet).min(first + pace.busy);
        Some(quiet.max(self.rest_until).max(self.retry_at))
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order); // A keeper that has ended keeps nothing.
        }
    }
}

impl Actor {
    /// Looks at the file before anything is served: what a crash left, and what others wrote.
    ///
    /// `note` is what the last run noted of its last projection.
    pub(in crate::document) fn start(&mut self, projection: &Projection, note: &str) {
        let mut batch = Batch::default();
        let strays = projection.strays().unwrap_or_else(|error| {
            warn!(file = %projection.file().display(), %error, "leftovers beside the file could not be looked for");
            Vec::new()
        });
        let mut taken = Vec::new();
        for (path, bytes) in strays {
            match self.take_stray(&bytes, &mut batch) {
                Ok(()) => taken.push((path, None)),
                Err(reason) => taken.push((path, Some((bytes, reason)))),
            }
        }
        match projection.find() {
            Ok(Found::Settled) => {}
            Ok(Found::Missing) => self.file.mark_dirty(),
            Ok(Found::Other(bytes)) => {
                let hash = ContentHash::of(&bytes);
                if self
                    .document()
                    .is_some_and(|now| note_text(hash, &hex_heads(now)) == note)
                {
                    self.file.order(Order::Settled(hash));
                    self.shared
                        .file_bytes
                        .store(bytes.len() as u64, Ordering::Relaxed);
                } else {
                    self.take_file(bytes, hash, ImportOptions::default(), None, &mut batch);
                }
            }
            Err(error) => self.take_report(Report::Unread(error.to_string()), &mut batch),
        }
        self.commit(batch);
        if self.may_write().is_ok() {
            for (path, refused) in taken {
                self.clear_stray(&path, refused);
            }
        }
        self.show_file_state();
    }

    fn take_stray(&mut self, bytes: &[u8], batch: &mut Batch) -> Result<(), String> {
        inspect(bytes).map_err(|error| error.to_string())?;
        let import = Input::Import {
            text: bytes.to_vec(),
            options: ImportOptions::default(),
        };
        self.step(import, batch)
            .map_err(|error| error.to_string())?;
        info!(
            name = self.shared.name,
            "took in {}",
            ImportOrigin::Leftover
        );
        Ok(())
    }

    /// Removes a leftover that is in the document, archives one that could not be taken in.
    fn clear_stray(&self, path: &std::path::Path, refused: Option<(Vec<u8>, String)>) {
        let cleared = match refused {
            None => self.file.disk.remove(path),
            Some((bytes, reason)) => self.archive(&bytes).and_then(|kept| {
                warn!(kept = %kept.display(), "{} could not be taken in: {reason}", ImportOrigin::Leftover);
                self.file.disk.remove(path)
            }),
        };
        if let Err(error) = cleared {
            warn!(path = %path.display(), %error, "a leftover could not be cleared away");
        }
    }

    fn archive(&self, bytes: &[u8]) -> std::io::Result<PathBuf> {
        let [a, b, c, d, ..] = ContentHash::of(bytes).0;
        let name = format!("{}.{a:02x}{b:02x}{c:02x}{d:02x}", self.shared.name);
        let path = self.file.archive.join(name);
        self.file.disk.create_folders(&self.file.archive)?;
        write_whole(&*self.file.disk, &path, bytes, None)?;
        Ok(path)
    }

    pub(super) fn take_report(&mut self, report: Report, batch: &mut Batch) {
        match report {
            Report::Found { bytes, hash } => {
                self.take_file(bytes, hash, ImportOptions::default(), None, batch);
            }
            Report::Missing => {
                warn!(
                    name = self.shared.name,
                    "the file is gone; it is written again"
                );
                self.file.missing = true;
                self.file.left_alone = None;
                self.file.mark_dirty();
            }
            Report::Written { len, took } => {
                self.shared.file_bytes.store(len, Ordering::Relaxed);
                let file = &mut self.file;
                (file.writing, file.missing) = (false, false);
                (file.failures, file.failed) = (0, None);
                file.rest_until = Instant::now() + (took * REST_FACTOR).min(REST_MAX);
            }
            Report::Postponed => {
                self.file.writing = false;
                self.file.mark_dirty();
                self.file.retry_at = Instant::now() + self.pace.poll;
            }
            Report::Failed(reason) => {
                self.file.writing = false;
                self.file.mark_dirty();
                let wait = self.pace.retry * 2_u32.pow(self.file.failures.min(5));
                self.file.retry_at = Instant::now() + wait;
                self.file.failures += 1;
                self.file_failed(reason);
            }
            Report::Unread(reason) => self.file_failed(reason),
            Report::ReadAgain => self.file.failed = None,
        }
        self.show_file_state();
    }

    fn file_failed(&mut self, reason: String) {
        if self.file.failed.as_ref() != Some(&reason) {
            error!(
                name = self.shared.name,
                "{reason}; edits are safe in the journal"
            );
        }
        self.file.failed = Some(reason);
    }

    /// Takes in what is at the file's name, or leaves it alone and says why.
    fn take_file(
        &mut self,
        bytes: Vec<u8>,
        hash: ContentHash,
        options: ImportOptions,
        reply: Option<Reply<()>>,
        batch: &mut Batch,
    ) {
        if let Err(error) = self.may_write() {
            self.file.recheck();
            refuse(reply, error);
            return;
        }
        let version = match inspect(&bytes) {
            Ok(inspected) => inspected.version,
            Err(error) => {
                let (name, text) = (&self.shared.name, error.to_string());
                let detail = format!("{name} is not readable JSON: {text}");
                let error = DocumentError::Import(ImportError::Text {
                    line: error.line,
                    column: error.column,
                    reason: error.reason,
                });
                self.leave_alone(FileCondition::Unparsable, detail, (bytes, hash), None);
                refuse(reply, error);
                return;
            }
        };
        let import = Input::Import {
            text: bytes.clone(),
            options,
        };
        match self.step(import, batch) {
            Ok(done) => {
                let ours = version.filter(|version| version.document == Some(self.shared.id));
                batch.answers.push(Answer::File(TakenIn {
                    hash,
                    heads: ours.map(|version| version.heads),
                    report: done.report,
                    reply,
                }));
            }
            Err(error) => {
                let condition = match &error {
                    DocumentError::Import(ImportError::Parked { .. }) => FileCondition::Parked,
                    DocumentError::Import(ImportError::RemovesMost { .. }) => {
                        FileCondition::AwaitingAnswer
                    }
                    _ => FileCondition::Unparsable,
                };
                let detail = format!("{} is not taken in: {error}", self.shared.name);
                self.leave_alone(condition, detail, (bytes, hash), version);
                refuse(reply, error);
            }
        }
    }

    fn leave_alone(
        &mut self,
        condition: FileCondition,
        detail: String,
        (bytes, hash): (Vec<u8>, ContentHash),
        version: Option<Version>,
    ) {
        error!(
            name = self.shared.name,
            "{detail}; the file is left as it is, and edits are kept in the journal"
        );
        self.file.order(Order::Refused(hash));
        self.file.left_alone = Some(LeftAlone {
            bytes,
            hash,
            state: FileState::new(condition, detail),
            waits_for: version.map(|version| version.heads).unwrap_or_default(),
        });
        self.show_file_state();
    }

    /// The content is in the document, durably: from here on it may be replaced.
    pub(super) fn file_taken_in(&mut self, taken: TakenIn) {
        self.file.order(Order::Settled(taken.hash));
        self.file.left_alone = None;
        self.file.missing = false;
        let report = &taken.report;
        let changed = report.added + report.changed + report.removed + report.restored > 0;
        if changed {
            info!(
                name = self.shared.name,
                added = report.added,
                changed = report.changed,
                removed = report.removed,
                restored = report.restored,
                stale = report.stale,
                "took in {}",
                ImportOrigin::HandEdit
            );
        }
        let current = self.document().map(hex_heads);
        if current.is_some() && taken.heads == current {
            // Spaces at most: rewriting it would only fight with whoever formats it (F11).
            info!(
                name = self.shared.name,
                "the file is at the newest version; it is left as it is"
            );
        } else {
            self.file.mark_dirty();
        }
        if let Some(reply) = taken.reply {
            drop(reply.send(Ok(()))); // Who asked may have given up waiting.
        }
        self.show_file_state();
    }

    /// Offers a parked file again if what it waited for has arrived (F6).
    pub(super) fn recheck_parked(&mut self) {
        let arrived = self.file.left_alone.as_ref().is_some_and(|left| {
            left.state.state == FileCondition::Parked
                && self
                    .document()
                    .is_some_and(|document| has_heads(document, &left.waits_for))
        });
        if arrived {
            self.file.order(Order::Recheck);
        }
    }

    pub(super) fn take_answer(&mut self, answer: FileAnswer, reply: Reply<()>, batch: &mut Batch) {
        let Some(left) = self.file.left_alone.take() else {
            let name = self.shared.name.clone();
            refuse(Some(reply), DocumentError::NoQuestion { name });
            return;
        };
        match answer {
            FileAnswer::Take => {
                let base = match left.state.state {
                    FileCondition::Parked => ImportBase::Unknown,
                    _ => ImportBase::FromText,
                };
                let options = ImportOptions {
                    base,
                    may_remove_most: true,
                    ..ImportOptions::default()
                };
                self.take_file(left.bytes, left.hash, options, Some(reply), batch);
            }
            FileAnswer::Replace => match self.archive(&left.bytes) {
                Ok(kept) => {
                    info!(name = self.shared.name, kept = %kept.display(), "the file is replaced; what was there is kept");
                    self.file.order(Order::Settled(left.hash));
                    self.file.mark_dirty();
                    drop(reply.send(Ok(()))); // Who asked may have given up waiting.
                }
                Err(error) => {
                    let reason = format!("{} cannot be archived: {error}", self.shared.name);
                    self.file.left_alone = Some(left);
                    refuse(Some(reply), DocumentError::NotSaved { reason });
                }
            },
        }
        self.show_file_state();
    }

    /// Orders the file when it is due.
    pub(super) fn tend_file(&mut self) {
        if self
            .file
            .due(&self.pace)
            .is_some_and(|due| due <= Instant::now())
        {
            self.order_file();
        }
    }

    fn order_file(&mut self) {
        let Some(document) = self.document() else {
            return;
        };
        let (document, blobs) = (document.clone(), self.shared.blobs.clone());
        let heads = hex_heads(&document);
        (self.file.dirty, self.file.writing) = (None, true);
        self.file.order(Order::Write {
            render: Box::new(move || render(&document, &blobs).map_err(|error| error.to_string())),
            heads,
        });
    }

    /// Brings the file up to date for the last time (S7).
    pub(super) fn finish_file(&mut self) {
        let give_up = Instant::now() + FINISH_MAX;
        while self.file.writing || self.file.dirty.is_some() {
            let may_order = self.may_write().is_ok() && self.file.left_alone.is_none();
            if !self.file.writing {
                let now = Instant::now();
                if !may_order || self.file.failed.is_some() || now > give_up {
                    let state = self.shared.file_state();
                    warn!(
                        name = self.shared.name, state = ?state.state,
                        "stopping with edits that are in the journal and not in the file; the next start writes them"
                    );
                    break;
                }
                if self.file.retry_at <= now {
                    self.order_file();
                }
            }
            let wait = if self.file.writing {
                FINISH_MAX
            } else {
                self.pace.stable
            };
            if let Ok(envelope) = self.inbox.recv_timeout(wait)
                && matches!(envelope.message, Message::File(_))
            {
                self.work(envelope); // Anything else came after the stop: its sender hears so.
            } else if self.file.writing && Instant::now() > give_up {
                break;
            }
        }
        self.end_keeper();
    }

    /// Ends the keeper's thread; what it does now, it finishes.
    pub(super) fn end_keeper(&mut self) {
        self.file.orders = None;
        if let Some(keeper) = self.file.keeper.take()
            && keeper.join().is_err()
        {
            error!(
                name = self.shared.name,
                "the thread that keeps the file ended badly"
            );
        }
    }

    /// Publishes how the file does.
    pub(super) fn show_file_state(&mut self) {
        let file = &mut self.file;
        let sick = self.health.reason();
        let state = if let Some(reason) = sick {
            let detail = format!("edits are refused for the moment: {reason}");
            FileState::new(FileCondition::ReadOnly, detail)
        } else if let Some(left) = &file.left_alone {
            left.state.clone()
        } else if let Some(reason) = &file.failed {
            FileState::new(FileCondition::NotWritten, reason.clone())
        } else if file.missing {
            FileState::new(
                FileCondition::Missing,
                "the file is gone; it is written again",
            )
        } else {
            FileState::default()
        };
        if sick.is_none() && std::mem::take(&mut file.recheck_when_well) {
            file.order(Order::Recheck);
        }
        self.shared.set_file_state(state);
    }

    fn document(&self) -> Option<&Document> {
        self.replica
            .as_ref()
            .map(plainsync_core::replica::Replica::document)
    }
}

/// Whether `document` has all of `heads`.
pub(in crate::document) fn has_heads(document: &Document, heads: &[String]) -> bool {
    let parsed: Result<Vec<_>, _> = heads.iter().map(|head| head.parse()).collect();
    parsed.is_ok_and(|heads| document.has(&heads))
}

fn refuse(reply: Option<Reply<()>>, error: DocumentError) {
    if let Some(reply) = reply {
        drop(reply.send(Err(error))); // Who asked may have given up waiting.
    }
}
