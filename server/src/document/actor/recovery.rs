//! When the disk or the engine fails: back to what is durable.
//!
//! After a failed write the replica is thrown away, because it holds changes that are not on
//! disk; every connection is closed, because peers may have been told nothing of them and
//! must send them again; and for a while nothing is accepted, so that a full disk is not
//! answered with a storm of retries.

use std::time::Instant;

use plainsync_core::document::RestoreError;
use plainsync_core::replica::{Replica, ReplicaConfig};
use tracing::{error, info};

use super::Actor;
use crate::document::disk::random;
use crate::document::edit_ids::EditIds;
use crate::document::error::DocumentError;
use crate::document::journal::{Kind, Record};

/// Each failure in a row doubles the wait, up to this many times.
const DOUBLINGS_MAX: u32 = 5;

/// Whether the disk takes what it is given.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// What failed, and until when nothing is tried.
    sick: Option<(String, Instant)>,
    /// Failures since the last success.
    failures: u32,
}

impl Health {
    /// Until when nothing is accepted.
    pub(super) fn until(&self) -> Option<Instant> {
        self.sick.as_ref().map(|(_, until)| *until)
    }

    pub(super) fn writes_work(&mut self) {
        self.failures = 0;
    }

    /// What failed, while nothing is accepted.
    pub(super) fn reason(&self) -> Option<&str> {
        self.sick.as_ref().map(|(reason, _)| reason.as_str())
    }
}

impl Actor {
    /// Whether edits are accepted.
    pub(super) fn may_write(&self) -> Result<(), DocumentError> {
        match self.health.reason() {
            None if self.replica.is_some() => Ok(()),
            _ => Err(self.read_only()),
        }
    }

    pub(super) fn read_only(&self) -> DocumentError {
        DocumentError::ReadOnly {
            name: self.shared.name.clone(),
            reason: self.health.reason().unwrap_or("its disk failed").to_owned(),
        }
    }

    /// After a failed write: nothing since the last durable batch counts.
    pub(super) fn fall_back(&mut self, reason: &str) {
        error!(
            name = self.shared.name,
            "the disk failed: {reason}; going back to what is durable"
        );
        self.replica = None;
        self.be_sick(reason);
        self.show_file_state(); // Before anybody is sent away to try again.
        self.peers.close_all(&format!(
            "what was sent could not be saved ({reason}); connect again later"
        ));
        self.recover();
    }

    /// After the engine failed: all that was gathered is on disk, so nothing is lost.
    pub(super) fn restore_after_failure(&mut self) {
        error!(
            name = self.shared.name,
            "the engine failed; the document is restored from disk"
        );
        self.peers
            .close_all("the document was restored from disk; connect again");
        self.replica = None;
        self.recover();
    }

    /// After the engine failed on what one peer sent, who is closed: all that was gathered is on
    /// disk, so the others are told nothing else than what they were told, and go on (S4).
    pub(super) fn restore_around(&mut self) {
        error!(
            name = self.shared.name,
            "the engine failed on what a peer sent; the document is restored from disk"
        );
        let failed = self.replica.take();
        self.recover();
        match (&mut self.replica, failed) {
            (Some(replica), Some(failed)) => {
                replica.go_on_from(failed, |peer| self.peers.is_open(peer));
            }
            _ => self
                .peers
                .close_all("the document was restored from disk; connect again"),
        }
    }

    /// Tries the disk again when its time has come.
    pub(super) fn tend_health(&mut self) {
        if self
            .health
            .until()
            .is_none_or(|until| until > Instant::now())
        {
            return;
        }
        if self.replica.is_none() || !self.journal.is_open() {
            self.recover();
        }
        if self.replica.is_some() && self.journal.is_open() {
            self.health.sick = None;
            info!(
                name = self.shared.name,
                "the disk answers again; edits are accepted"
            );
            self.show_file_state();
        }
    }

    /// A replica of what is on disk; on failure the document stays without one.
    fn recover(&mut self) {
        let restored = self
            .journal
            .recover()
            .map_err(|error| error.to_string())
            .and_then(|records| restore(&self.config, records).map_err(|error| error.to_string()));
        match restored {
            Ok((replica, edits)) => {
                self.replica = Some(replica);
                self.edits = edits;
                self.publish();
                self.file.mark_dirty();
            }
            Err(reason) => {
                error!(
                    name = self.shared.name,
                    "what is durable cannot be read: {reason}"
                );
                self.be_sick(&reason);
            }
        }
        self.show_file_state();
    }

    fn be_sick(&mut self, reason: &str) {
        let wait = self.pace.retry * 2_u32.pow(self.health.failures.min(DOUBLINGS_MAX));
        self.health.failures += 1;
        self.health.sick = Some((reason.to_owned(), Instant::now() + wait));
    }
}

/// A new replica that holds `records`, and the edits in them.
pub(in crate::document) fn restore(
    config: &ReplicaConfig,
    records: Vec<Record>,
) -> Result<(Replica, EditIds), RestoreError> {
    let mut config = config.clone();
    // Without chance the old actor id is used again, after what it had made durable: still
    // one history, as nothing of it that was not durable has been sent (S4).
    config.actor = random().unwrap_or(config.actor);
    let mut replica = Replica::new(config);
    let mut edits = EditIds::default();
    let mut chunks = Vec::with_capacity(records.len());
    for record in records {
        if record.kind == Kind::Snapshot || !record.bytes.is_empty() {
            chunks.push(record.bytes);
        }
        record.edits.into_iter().for_each(|edit| edits.insert(edit));
    }
    replica.restore(&chunks)?;
    Ok((replica, edits))
}
