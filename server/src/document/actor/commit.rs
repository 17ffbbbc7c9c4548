//! Making a batch durable, and only then telling anybody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use plainsync_core::edit::Key;
use plainsync_core::plain::base::Handed;
use plainsync_core::plain::import::ImportReport;
use plainsync_core::replica::Input;
use tracing::{info, warn};

use super::Actor;
use super::batch::{Answer, Batch};
use super::now;
use crate::document::disk::{folder_of, make_folders};
use crate::document::error::DocumentError;
use crate::document::handle::EditOutcome;
use crate::document::journal::{Kind, Record};
use crate::document::origin::ImportOrigin;
use crate::document::snapshot::Snapshot;
use crate::metrics::Source;

impl Actor {
    /// Writes the batch with one `fsync`, then sends, publishes and answers.
    pub(super) fn commit(&mut self, mut batch: Batch) {
        if batch.is_empty() {
            return;
        }
        if let Err(reason) = self.save(&batch) {
            let refused = std::mem::take(&mut batch.answers);
            self.fall_back(&reason);
            self.clients.read(); // What they were about to hold is not.
            for answer in refused {
                match answer {
                    Answer::File(_) | Answer::Absorbed { .. } | Answer::Copied(_) => {
                        self.file.recheck();
                    }
                    Answer::OwnPublished { .. } => self.share.everything(),
                    _ => {}
                }
                answer.refuse(DocumentError::NotSaved {
                    reason: reason.clone(),
                });
            }
            return;
        }
        let news = !batch.records.is_empty();
        for edit in batch.edits.drain(..) {
            self.edits.insert(edit);
        }
        if news {
            self.health.writes_work();
            self.share.add(std::mem::take(&mut batch.records));
            if batch.only_followed() {
                self.file.mark_following(&self.pace);
            } else {
                self.file.mark_dirty();
            }
            for _ in 0..batch.received {
                self.shared.metrics.edited(Source::Sync);
            }
            self.show_moment();
        }
        if batch.poisoned && batch.by_peer {
            self.restore_around();
        } else if batch.poisoned {
            self.restore_after_failure();
        }
        if news && batch.poisoned {
            self.publish();
        } else if news {
            self.publish_changed(&batch.keys); // Before peers hear of it: who asks on hearing sees it.
        }
        let to_say = match (batch.seq, batch.poisoned) {
            (Some(seq), false) => Some(Input::Persisted { seq }),
            (_, true) => Some(Input::Tick), // To those whose conversations went on.
            (None, false) => None,
        };
        if let Some(to_say) = to_say {
            if !self.peers.is_empty() {
                self.gather.speak(Instant::now());
            }
            let mut spoken = Batch::default();
            self.step_quietly(to_say, &mut spoken);
            if spoken.poisoned {
                self.restore_after_failure();
                self.publish();
            }
        }
        if news && self.replica.is_some() {
            self.recheck_parked();
        }
        for answer in batch.answers {
            self.answer(answer);
        }
    }

    /// Images first, then the records that refer to them.
    fn save(&mut self, batch: &Batch) -> Result<(), String> {
        if !batch.blobs.is_empty() {
            self.shared
                .blobs
                .put_all(&batch.blobs)
                .map_err(|error| error.to_string())?;
        }
        if batch.records.is_empty() {
            return Ok(());
        }
        if self.journal.is_removed() {
            self.make_state_anew()?;
        }
        self.journal
            .append(&batch.records)
            .map_err(|error| error.to_string())
    }

    /// Shows what is looked up when the metrics are read.
    pub(super) fn show_moment(&self) {
        let behind = self.file.behind_since();
        self.shared.show_moment(self.journal.len_bytes(), behind);
    }

    pub(super) fn publish(&self) {
        if let Some(replica) = &self.replica {
            self.shared.publish(Snapshot::of(replica.document()));
        }
    }

    /// Somebody removed the private state of a document that is open: it is written again, with
    /// all that is known here.
    fn make_state_anew(&mut self) -> Result<(), String> {
        let path = self.journal.path().to_owned();
        warn!(
            name = self.shared.name,
            "the journal {} was removed while it was in use; it is written anew",
            path.display()
        );
        let (disk, folder) = (Arc::clone(&self.file.disk), folder_of(&path));
        make_folders(&*disk, folder)
            .and_then(|()| self.identity.keep(&*disk, folder))
            .map_err(|error| format!("{} cannot be made anew: {error}", folder.display()))?;
        self.compact();
        if self.journal.is_removed() || !self.journal.is_open() {
            return Err(format!("{} cannot be made anew", path.display()));
        }
        Ok(())
    }

    /// As [`Actor::publish`], where only the rows at `keys` differ from what was published.
    fn publish_changed(&self, keys: &BTreeSet<Key>) {
        if let Some(replica) = &self.replica {
            let before = self.shared.snapshot();
            (self.shared).publish(before.after(replica.document(), keys));
        }
    }

    fn answer(&mut self, answer: Answer) {
        let Some(replica) = &self.replica else {
            answer.refuse(self.read_only());
            return;
        };
        if let Some(source) = answer.source() {
            self.shared.metrics.edited(source);
        }
        let document = replica.document();
        // Who asked may have given up waiting: then nobody hears it, and that is all.
        match answer {
            Answer::Edit {
                reply,
                keys,
                repeated,
                ..
            } => {
                let rows = keys.iter().filter_map(|key| document.view().get(key));
                let rows = rows.map(Arc::clone).collect();
                drop(reply.send(Ok(EditOutcome { rows, repeated })));
            }
            Answer::Import {
                reply,
                report,
                origin,
            } => {
                self.log_import(&origin, &report);
                self.tell(&origin.to_string(), &report);
                drop(reply.send(Ok(report)));
            }
            Answer::List { reply, taken } => {
                self.clients.keep();
                self.log_import(&ImportOrigin::OldClient, &taken.report);
                drop(reply.send(Ok(taken)));
            }
            Answer::Load { client, reply } => {
                let records = document.view().rows().count();
                let version = Handed::now(document);
                self.clients
                    .gave(&client, &version, records, now().seconds());
                self.clients.keep();
                drop(reply.send(Ok(Box::new(document.clone()))));
            }
            Answer::Copy { reply } => drop(reply.send(Ok(Box::new(document.clone())))),
            Answer::File(taken) => self.file_taken_in(taken),
            Answer::Absorbed { name, changes } => {
                if changes > 0 {
                    info!(
                        name = self.shared.name,
                        journal = name,
                        changes,
                        "took in what another device published"
                    );
                }
            }
            Answer::OwnPublished { chunks } => self.own_published_taken(&chunks),
            Answer::Copied(taken) => self.copy_taken(taken),
            Answer::Offer { reply } => {
                self.set_offer(None);
                drop(reply.send(Ok(())));
            }
        }
    }

    fn log_import(&self, origin: &ImportOrigin, report: &ImportReport) {
        info!(
            name = self.shared.name,
            added = report.added,
            changed = report.changed,
            removed = report.removed,
            restored = report.restored,
            fields = report.fields,
            stale = report.stale,
            conflicting = report.conflicting,
            "took in {origin}"
        );
    }

    /// Makes the journal one snapshot when it has grown.
    pub(super) fn tend_journal(&mut self) {
        if self.health.until().is_none() && self.journal.is_large() {
            self.compact();
        }
    }

    /// Replaces the journal by one snapshot of the document, which must be all durable.
    pub(in crate::document) fn compact(&mut self) {
        let Some(replica) = &self.replica else { return };
        let (document, config) = (replica.document(), self.config.clone());
        let snapshot = Record {
            kind: Kind::Snapshot,
            edits: self.edits.iter().cloned().collect(),
            bytes: document.save(),
        };
        let heads = document.heads();
        let compacted = self.journal.compact(&snapshot, |back| {
            let mut copy = plainsync_core::replica::Replica::new(config);
            copy.restore(std::slice::from_ref(&back.bytes))
                .map_err(|error| error.to_string())?;
            if copy.document().heads() == heads {
                Ok(())
            } else {
                Err("it is of another version".to_owned())
            }
        });
        if let Err(error) = compacted {
            tracing::error!(name = self.shared.name, %error, "the journal was not compacted");
            if !self.journal.is_open() {
                self.fall_back(&error.to_string());
            }
        }
    }
}
