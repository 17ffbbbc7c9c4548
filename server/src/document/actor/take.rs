//! What others write into the JSON: taken in, or left alone with a reason.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use plainsync_core::document::Document;
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions, ImportReport};
use plainsync_core::plain::made_from::MadeFrom;
use plainsync_core::replica::Input;
use tracing::{error, info, warn};

use super::Actor;
use super::batch::{Answer, Batch, TakenIn};
use super::file::LeftAlone;
use crate::document::disk::{make_folders, write_whole};
use crate::document::error::DocumentError;
use crate::document::inbox::Reply;
use crate::document::inspect::{Version, inspect};
use crate::document::keeper::{Keeper, Order, Report, note_text};
use crate::document::origin::ImportOrigin;
use crate::document::projection::{ContentHash, Found};
use crate::document::snapshot::hex_heads;
use crate::document::state::{FileAnswer, FileCondition, FileState};
use crate::metrics::Refusal;

impl Actor {
    /// Looks at the file before anything is served: what a crash left, and what others wrote.
    ///
    /// `note` is what the last run noted of its last projection; `joined` are the contents of
    /// other histories of the same file.
    pub(in crate::document) fn start(
        &mut self,
        keeper: &mut Keeper,
        note: &str,
        joined: Vec<Vec<u8>>,
    ) {
        self.file.written = format!("{note}{}", keeper.read_next_note());
        let (arrived, own) = keeper.first_look();
        for arrived in arrived {
            let mut batch = Batch::default();
            self.take_arrived(arrived, &mut batch);
            self.commit(batch);
        }
        let mut batch = Batch::default();
        self.take_own_published(&own, &mut batch);
        self.commit(batch);
        for text in joined {
            let mut batch = Batch::default();
            let options = ImportOptions::default();
            if let Err(error) = self.step(Input::Import { text, options }, &mut batch) {
                warn!(
                    name = self.shared.name,
                    "another history of the file is not taken in: {error}"
                );
            }
            self.commit(batch);
        }
        let projection = keeper.projection();
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
            Ok(Found::Missing) => {
                // It was written here once, and is gone: not a document that is just being made.
                let was_there = !self.file.written.is_empty();
                if was_there
                    && self
                        .document()
                        .is_some_and(|now| now.view().rows().count() > 0)
                {
                    self.offer_fresh();
                }
                self.file.mark_dirty();
            }
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
            Err(error) => {
                let unread = Report::unread(projection.file(), &error);
                self.take_report(unread, &mut batch);
            }
        }
        self.commit(batch);
        // A server that is killed again and again must get to it some time.
        self.file.hurry(&self.pace);
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
    fn clear_stray(&self, path: &Path, refused: Option<(Vec<u8>, String)>) {
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
        let name = format!("{}.{}", self.shared.name, ContentHash::of(bytes).short());
        let path = self.file.archive.join(name);
        make_folders(&*self.file.disk, &self.file.archive)?;
        write_whole(&*self.file.disk, &path, bytes, None)?;
        Ok(path)
    }

    /// Takes in what is at the file's name, or leaves it alone and says why.
    pub(super) fn take_file(
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
        let (mut version, saved_seconds) = match inspect(&bytes) {
            Ok(inspected) => (inspected.version, inspected.saved_seconds),
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
        let mut options = options;
        if options.base == ImportBase::FromText
            && let Some(from) = self.made_from(&bytes)
        {
            if from.distance.differing == 0 {
                // It is just that version: an older one is offered (F9).
                version = Some(Version {
                    document: Some(self.shared.id),
                    heads: from.heads.iter().map(ToString::to_string).collect(),
                    is_backup: false,
                    saved_seconds,
                });
            }
            options.base = from.base;
        }
        let import = Input::Import {
            text: bytes.clone(),
            options,
        };
        match self.step(import, batch) {
            Ok(done) => {
                if let Some(version) = &version
                    && version.document == Some(self.shared.id)
                    && !version.is_backup
                {
                    self.shared.written.add(&version.heads); // By another device, or before a crash.
                }
                let older = version.filter(|version| self.is_older(version, &done.report, hash));
                batch.answers.push(Answer::File(TakenIn {
                    hash,
                    older,
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

    /// The version that a file was made from which does not say it (F6).
    fn made_from(&self, text: &[u8]) -> Option<MadeFrom> {
        let made = self.shared.written.made(self.document()?, text);
        made.ok().flatten() // What cannot be read is refused with the reason when it is taken in.
    }

    /// Whether a file that brought nothing is an older version that somebody put back (F9).
    fn is_older(&self, version: &Version, report: &ImportReport, hash: ContentHash) -> bool {
        let nothing = !report.is_change();
        let ours = version.document == Some(self.shared.id) && !version.is_backup;
        let now = self.document().map(hex_heads);
        let left_by_a_crash = self.file.written.contains(&hash.to_string());
        nothing && ours && now.as_ref() != Some(&version.heads) && !left_by_a_crash
    }

    fn leave_alone(
        &mut self,
        condition: FileCondition,
        detail: String,
        (bytes, hash): (Vec<u8>, ContentHash),
        version: Option<Version>,
    ) {
        if condition == FileCondition::Unparsable {
            self.shared.metrics.refused(Refusal::Unreadable);
        }
        error!(
            name = self.shared.name,
            "{detail}; the file is left as it is, and edits are kept in the journal"
        );
        self.file.order(Order::Refused(hash));
        self.file.missing = false;
        self.file.left_alone = Some(LeftAlone {
            bytes,
            hash,
            state: FileState::new(condition, detail),
            waits_for: version.map(|version| version.heads).unwrap_or_default(),
        });
        self.show_file_state();
    }

    /// Content that was left alone is gone, and what was taken in before is there again: it may be replaced.
    pub(super) fn file_as_before(&mut self) {
        if self.file.left_alone.take().is_some() {
            info!(
                name = self.shared.name,
                "the file is as it was before; it follows the document again"
            );
            self.file.order(Order::NothingRefused); // The refusal may have come after the look.
            self.file.mark_dirty();
        }
    }

    /// The content is in the document, durably: from here on it may be replaced.
    pub(super) fn file_taken_in(&mut self, taken: TakenIn) {
        self.file.order(Order::Settled(taken.hash));
        if self.file.left_alone.take().is_some() {
            info!(
                name = self.shared.name,
                "the file was taken in after all; it follows the document again"
            );
        }
        self.file.missing = false;
        let report = &taken.report;
        if report.is_change() {
            info!(
                name = self.shared.name,
                added = report.added,
                changed = report.changed,
                removed = report.removed,
                restored = report.restored,
                fields = report.fields,
                stale = report.stale,
                conflicting = report.conflicting,
                "took in {}",
                ImportOrigin::HandEdit
            );
            self.tell(&ImportOrigin::HandEdit.to_string(), report);
        }
        if let Some(older) = &taken.older {
            self.offer_older(older);
        }
        self.file.mark_dirty(); // Only what says something else is replaced.
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
        if arrived || !std::mem::take(&mut self.file.parked_copies).is_empty() {
            self.file.order(Order::Recheck);
        }
    }

    pub(super) fn take_answer(&mut self, answer: FileAnswer, reply: Reply<()>, batch: &mut Batch) {
        if let FileAnswer::Return | FileAnswer::Fresh | FileAnswer::Dismiss = answer {
            self.take_offer(answer, reply, batch);
            return;
        }
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
            _ => match self.archive(&left.bytes) {
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
