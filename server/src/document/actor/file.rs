//! The actor's side of the JSON file: when it is written, and how it does.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use plainsync_core::document::Document;
use plainsync_core::plain::import::ImportOptions;
use tracing::{error, warn};

use super::Actor;
use super::batch::Batch;
use super::offer::Offered;
use crate::document::disk::Disk;
use crate::document::inbox::Message;
use crate::document::keeper::{Order, Pace, Report};
use crate::document::projection::ContentHash;
use crate::document::snapshot::Version;
use crate::document::state::{FileCondition, FileState};
use crate::document::watcher::Watcher;

/// Longest rest after a write.
const REST_MAX: Duration = Duration::from_secs(30);

/// Longest time that a stop waits for the file.
const FINISH_MAX: Duration = Duration::from_secs(20);

/// What the actor knows of its JSON file and of the thread that keeps it.
pub(in crate::document) struct FileSide {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) archive: PathBuf,
    orders: Option<Sender<Order>>,
    keeper: Option<JoinHandle<()>>,
    watcher: Option<Watcher>,
    /// When the document first and last changed since the file was ordered.
    dirty: Option<(Instant, Instant)>,
    /// An order is being carried out.
    writing: bool,
    /// Since when the document is ahead of what was ordered, and since when that is ahead of the file.
    behind: (Option<Instant>, Option<Instant>),
    /// Until when the file rests after a costly write.
    rest_until: Instant,
    /// Until when nothing is tried after a failure.
    retry_at: Instant,
    failures: u32,
    failed: Option<String>,
    pub(super) missing: bool,
    pub(super) left_alone: Option<LeftAlone>,
    /// Content was met while the disk was failing: it is to be offered again.
    recheck_when_well: bool,
    /// Conflict copies that wait for the changes they were made from.
    pub(super) parked_copies: BTreeSet<PathBuf>,
    /// Which older versions were offered.
    pub(super) offered: Offered,
    /// Other devices share the folder.
    pub(super) has_neighbours: bool,
    /// Hashes of what was written last: a file that a crash left behind is no version put back.
    pub(super) written: String,
}

/// Content that is neither taken in nor replaced.
pub(super) struct LeftAlone {
    pub(super) bytes: Vec<u8>,
    pub(super) hash: ContentHash,
    pub(super) state: FileState,
    /// The heads that it waits for.
    pub(super) waits_for: Vec<String>,
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
            watcher: None,
            dirty: None,
            writing: false,
            behind: (None, None),
            rest_until: now,
            retry_at: now,
            failures: 0,
            failed: None,
            missing: false,
            left_alone: None,
            recheck_when_well: false,
            parked_copies: BTreeSet::new(),
            offered: Offered::default(),
            has_neighbours: false,
            written: String::new(),
        }
    }

    /// Which older versions were offered before.
    pub(in crate::document) fn set_offered(&mut self, offered: Offered) {
        self.offered = offered;
    }

    /// Whoever orders the keeper to look.
    pub(in crate::document) fn set_watcher(&mut self, watcher: Option<Watcher>) {
        self.watcher = watcher;
    }

    /// The sending end of the keeper's orders, while there is one.
    pub(in crate::document) fn orders(&self) -> Option<Sender<Order>> {
        self.orders.clone()
    }

    /// The thread to wait for at the end.
    pub(in crate::document) fn set_keeper(&mut self, keeper: JoinHandle<()>) {
        self.keeper = Some(keeper);
    }

    /// The document is ahead of the file because another device's history arrived through the
    /// folder; that device has written the file, too, and it is probably under way.
    pub(super) fn mark_following(&mut self, pace: &Pace) {
        let then = Instant::now() + pace.follow;
        self.dirty.get_or_insert((then, then));
        self.behind.0.get_or_insert_with(Instant::now);
    }

    /// The document is ahead of the file.
    pub(super) fn mark_dirty(&mut self) {
        let now = Instant::now();
        self.dirty = Some((self.dirty.map_or(now, |(first, _)| first.min(now)), now));
        self.behind.0.get_or_insert(now);
    }

    /// Since when the file lacks something.
    pub(super) fn behind_since(&self) -> Option<Instant> {
        let (now, ordered) = self.behind;
        ordered.or(now)
    }

    /// What was ordered is not written: it is to be ordered again.
    fn not_written(&mut self) {
        self.writing = false;
        self.behind = (self.behind.1.or(self.behind.0), None);
        self.mark_dirty();
    }

    /// What waits to be written has waited long enough.
    pub(super) fn hurry(&mut self, pace: &Pace) {
        let long_ago = Instant::now().checked_sub(pace.busy);
        if let (Some((first, _)), Some(long_ago)) = (&mut self.dirty, long_ago) {
            *first = long_ago;
        }
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

    pub(super) fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order); // A keeper that has ended keeps nothing.
        }
    }
}

impl Actor {
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
                self.offer_fresh();
                self.file.missing = true;
                self.file.left_alone = None;
                self.file.mark_dirty();
            }
            Report::Written { len, took } => {
                self.shared.file_bytes.store(len, Ordering::Relaxed);
                let file = &mut self.file;
                (file.writing, file.missing) = (false, false);
                file.behind.1 = None;
                (file.failures, file.failed) = (0, None);
                file.rest_until = Instant::now() + (took * self.pace.rest_factor).min(REST_MAX);
            }
            Report::Postponed => {
                self.file.not_written();
                self.file.retry_at = Instant::now() + self.pace.poll.min(self.pace.retry);
            }
            Report::Failed(reason) => {
                self.file.not_written();
                let wait = self.pace.retry * 2_u32.pow(self.file.failures.min(5));
                self.file.retry_at = Instant::now() + wait;
                self.file.failures += 1;
                self.file_failed(reason);
            }
            Report::Unread(reason) => self.file_failed(reason),
            Report::ReadAgain => self.file.failed = None,
            Report::AsBefore => self.file_as_before(),
            Report::Arrived(arrived) => self.take_arrived(arrived, batch),
            Report::OwnPublished(bytes) => self.take_own_published(&bytes, batch),
            Report::Published(done) => self.published(done),
            Report::Superseded => self.shared.supersede(),
            Report::ImageArrived => self.file.mark_dirty(),
            Report::Copy { path, bytes, hash } => self.take_copy(path, bytes, hash, batch),
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
        let Some(version) = self.version() else {
            return;
        };
        (self.file.dirty, self.file.writing) = (None, true);
        self.file.behind = (None, self.file.behind_since());
        self.file.order(Order::Write(version));
    }

    /// Brings the file up to date for the last time (S7).
    pub(super) fn finish_file(&mut self) {
        let give_up = Instant::now() + FINISH_MAX;
        while self.file.writing || self.file.dirty.is_some() || self.share.is_pending() {
            if self.share.due(&self.pace).is_some() && self.may_write().is_ok() {
                self.order_share();
            }
            let may_order = self.may_write().is_ok() && self.file.left_alone.is_none();
            let failed = !may_order || self.file.failed.is_some();
            let waits = self.file.writing || self.share.is_pending();
            if Instant::now() > give_up || (failed && !waits) {
                warn!(
                    name = self.shared.name, state = ?self.shared.file_state().state,
                    "stopping with edits that are in the journal and not in the file; the next start writes them"
                );
                break;
            }
            let orders = may_order && !self.file.writing && self.file.dirty.is_some();
            if orders && self.file.retry_at <= Instant::now() {
                self.order_file();
            }
            match self.inbox.recv_timeout(self.pace.poll.min(self.pace.retry)) {
                Ok(envelope) if matches!(envelope.message, Message::File(_)) => self.work(envelope),
                // Anything else came after the stop: dropping it tells its sender so.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.end_keeper();
    }

    /// Ends the keeper's thread; what it does now, it finishes.
    pub(super) fn end_keeper(&mut self) {
        self.file.watcher = None;
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

    /// The version as it is now, for the keeper to read.
    pub(super) fn version(&self) -> Option<Version> {
        Some(Version {
            heading: self.document()?.heading(),
            snapshot: self.shared.snapshot(),
        })
    }

    pub(in crate::document) fn document(&self) -> Option<&Document> {
        self.replica
            .as_ref()
            .map(plainsync_core::replica::Replica::document)
    }
}
