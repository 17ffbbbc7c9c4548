//! The actor's side of the shared folder (F11): what it publishes for other devices, and what
//! theirs bring.

use std::time::Instant;

use plainsync_core::document::Document;
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::{ImportError, ImportOptions};
use plainsync_core::replica::Input;
use tracing::{error, info, warn};

use super::Actor;
use super::batch::{Answer, Batch, CopyTaken};
use crate::document::error::DocumentError;
use crate::document::inspect::inspect;
use crate::document::journal::Record;
use crate::document::keeper::{Order, Pace, Publishing};
use crate::document::origin::ImportOrigin;
use crate::document::projection::ContentHash;
use crate::document::shared::copies::{Kinship, kinship};
use crate::document::shared::{Arrived, Contents};

/// Records that wait to be published take no more memory than this, in bytes; past it the
/// published journal is written anew.
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Each failure in a row doubles the wait, up to this many times.
const DOUBLINGS_MAX: u32 = 5;

/// What is to be published, and when.
#[derive(Debug, Default)]
pub(super) struct Share {
    records: Vec<Record>,
    bytes: usize,
    /// When something was first and last added.
    dirty: Option<(Instant, Instant)>,
    /// The published journal is to be written anew.
    whole: bool,
    /// An order is being carried out.
    busy: bool,
    failures: u32,
    retry_at: Option<Instant>,
}

impl Share {
    /// `records` are durable: they are to be published.
    pub(super) fn add(&mut self, records: Vec<Record>) {
        self.touch();
        self.bytes += records
            .iter()
            .map(|record| record.bytes.len())
            .sum::<usize>();
        self.records.extend(records);
        if self.bytes > WAITING_BYTES_MAX {
            self.everything();
        }
    }

    /// All is to be published anew.
    pub(super) fn everything(&mut self) {
        self.touch();
        self.whole = true;
        self.records.clear();
        self.bytes = 0;
    }

    fn touch(&mut self) {
        let now = Instant::now();
        self.dirty = Some((self.dirty.map_or(now, |(first, _)| first), now));
    }

    pub(super) fn due(&self, pace: &Pace) -> Option<Instant> {
        let (first, last) = self.dirty.filter(|_| !self.busy)?;
        let quiet = (last + pace.quiet).min(first + pace.busy);
        Some(self.retry_at.map_or(quiet, |retry| quiet.max(retry)))
    }

    /// Whether something waits to be published, or is being.
    pub(super) fn is_pending(&self) -> bool {
        self.busy || (self.dirty.is_some() && self.failures == 0)
    }
}

impl Actor {
    /// Orders what is due to be published.
    pub(super) fn tend_share(&mut self) {
        let due = self.share.due(&self.pace);
        if due.is_some_and(|due| due <= Instant::now()) {
            self.order_share();
        }
    }

    pub(super) fn order_share(&mut self) {
        let Some(version) = self.version() else {
            return;
        };
        let share = &mut self.share;
        (share.dirty, share.busy, share.bytes) = (None, true, 0);
        let records = std::mem::take(&mut share.records);
        let whole = std::mem::take(&mut share.whole);
        // A copy takes milliseconds in which no edit is taken; it is rarely needed.
        let document = whole.then(|| self.document().cloned().map(Box::new));
        self.file.order(match document.flatten() {
            Some(document) => Order::PublishWhole { document, version },
            None => Order::Publish { records, version },
        });
    }

    pub(super) fn published(&mut self, done: Publishing) {
        let share = &mut self.share;
        share.busy = false;
        match done {
            Publishing::Done => (share.failures, share.retry_at) = (0, None),
            Publishing::NeedsWhole => {
                share.everything();
                self.order_share();
            }
            Publishing::Failed(reason) => {
                if share.failures == 0 {
                    warn!(
                        name = self.shared.name,
                        "{reason}; other devices that share the folder wait for it"
                    );
                }
                let wait = self.pace.retry * 2_u32.pow(share.failures.min(DOUBLINGS_MAX));
                share.failures += 1;
                share.retry_at = Some(Instant::now() + wait);
                share.everything();
            }
        }
    }

    /// Takes in what another device has published.
    pub(super) fn take_arrived(&mut self, arrived: Arrived, batch: &mut Batch) {
        if self.may_write().is_err() {
            self.file.recheck();
            return;
        }
        self.file.has_neighbours = true;
        let Arrived { name, chunks } = arrived;
        let Ok(done) = self.step(Input::Absorb { chunks }, batch) else {
            return; // `batch` knows that the engine failed.
        };
        let (changes, refused) = done.absorbed;
        if let Some(refused) = refused {
            warn!(
                name = self.shared.name,
                journal = name,
                "a part of another device's history was refused: {refused}"
            );
        }
        batch.answers.push(Answer::Absorbed { name, changes });
    }

    /// Looks at this device's own published journal, which somebody else has touched: what is
    /// new in it is taken in, and what it lacks is written again.
    pub(super) fn take_own_published(&mut self, bytes: &[u8], batch: &mut Batch) {
        let contents = Contents::read(bytes, 0);
        let document = self.config.document;
        let header = contents.header.as_ref();
        let ours = header.is_some_and(|header| header.document == document);
        if self.may_write().is_err() || !ours {
            self.share.everything();
            return;
        }
        let whole = contents.whole;
        let chunks = contents.chunks;
        let absorb = Input::Absorb {
            chunks: chunks.clone(),
        };
        if self.step(absorb, batch).is_err() || !whole {
            self.share.everything();
            return;
        }
        batch.answers.push(Answer::OwnPublished { chunks });
    }

    /// What was in the own published journal is durable here: is it all that there is?
    pub(super) fn own_published_taken(&mut self, chunks: &[Vec<u8>]) {
        let Some(document) = self.document() else {
            return self.share.everything();
        };
        let mut copy = Document::new(*document.id(), document.schema().clone());
        let complete = copy.restore(chunks).is_ok() && copy.heads() == document.heads();
        if complete && self.share.dirty.is_none() {
            self.file.order(Order::PublishedComplete);
        } else {
            self.share.everything();
        }
    }

    /// Takes in a conflict copy (F10); it stays where it is until it can be.
    pub(super) fn take_copy(
        &mut self,
        path: std::path::PathBuf,
        bytes: Vec<u8>,
        hash: ContentHash,
        batch: &mut Batch,
    ) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Ok(inspected) = inspect(&bytes) else {
            return; // Half arrived, perhaps: it is offered again when it changes.
        };
        let carried = inspected.version.and_then(|version| version.document);
        let certain = kinship(&self.shared.name, &name) == Some(Kinship::Certain);
        if !certain && !carried.is_some_and(|document| self.has_lived_here(&document)) {
            return; // Somebody's own copy.
        }
        if self.may_write().is_err() {
            self.file.recheck();
            return;
        }
        let import = Input::Import {
            text: bytes,
            options: ImportOptions::default(),
        };
        match self.step(import, batch) {
            Ok(done) => {
                self.file.parked_copies.remove(&path);
                batch.answers.push(Answer::Copied(CopyTaken {
                    path,
                    hash,
                    report: done.report,
                }));
            }
            Err(DocumentError::Import(ImportError::Parked { .. })) => {
                self.file.parked_copies.insert(path);
            }
            Err(error) => error!(
                name = self.shared.name,
                copy = name,
                "{} is not merged: {error}; it is left where it is",
                ImportOrigin::ConflictCopy
            ),
        }
    }

    /// Whether `document` is this one, or another history of a file in this folder.
    fn has_lived_here(&self, document: &DocumentId) -> bool {
        let own_folder = self.file.archive.ancestors().nth(2);
        let folder = own_folder.map(|own_folder| own_folder.join(document.to_string()));
        *document == self.shared.id
            || folder.is_some_and(|folder| self.file.disk.look(&folder).is_ok())
    }

    /// The conflict copy is in the document, durably: it may go.
    pub(super) fn copy_taken(&mut self, taken: CopyTaken) {
        let CopyTaken { path, hash, report } = taken;
        info!(
            name = self.shared.name,
            copy = %path.display(),
            added = report.added,
            changed = report.changed,
            removed = report.removed,
            conflicting = report.conflicting,
            "merged {}; it is in the archive now",
            ImportOrigin::ConflictCopy
        );
        self.tell(&ImportOrigin::ConflictCopy.to_string(), &report);
        self.file.order(Order::Archive { path, hash });
    }
}
