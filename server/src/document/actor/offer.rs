//! What is offered about the file and never done by itself: going back to an older version that
//! was put there (F9), and starting fresh where it was deleted (F7).
//!
//! ```text
//! <state>/<hash of folder>/<file>/offered    which versions were offered: each is once
//! <state>/<hash of folder>/<file>/offer      what is on offer and was not answered yet
//! ```
//!
//! An offer stands until somebody answers it, also when the server or command that made it has
//! ended: the file that it was about is gone by then.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::replica::Input;
use tracing::{info, warn};

use super::batch::{Answer, Batch};
use super::{Actor, now};
use crate::document::disk::{Disk, random, write_whole};
use crate::document::error::DocumentError;
use crate::document::inbox::Reply;
use crate::document::inspect::Version;
use crate::document::note::{seal, unseal};
use crate::document::state::{FileAnswer, Offer, OfferKind, TookIn};
use plainsync_core::plain::import::ImportReport;

/// The note of versions that were offered, and that of what is on offer.
pub(in crate::document) const OFFERED: &str = "offered";
pub(in crate::document) const OFFER: &str = "offer";

/// Versions remembered as offered; the oldest are forgotten first.
const OFFERED_MAX: usize = 500;

/// Where other devices share the folder, a version less than this behind is one that a syncer
/// brought late, in seconds between the newest changes of both.
const LATE_SECONDS_MAX: i64 = 600;

/// What was offered, and what still is.
#[derive(Debug, Default)]
pub(in crate::document) struct Offered {
    /// Where that is noted.
    state: PathBuf,
    /// Versions that were offered, oldest first.
    versions: Vec<String>,
}

impl Offered {
    /// What the notes in `state` say, and what is on offer. Without them a version may be offered
    /// twice, and that is all.
    pub(in crate::document) fn open(disk: &dyn Disk, state: &Path) -> (Self, Option<Offer>) {
        let note = |name| {
            let bytes = disk.read(&state.join(name)).unwrap_or_default();
            unseal(&bytes).unwrap_or_default().to_owned()
        };
        let lines = note(OFFERED);
        let versions = lines.lines().filter(|line| !line.is_empty());
        let offered = Self {
            state: state.to_owned(),
            versions: versions.map(str::to_owned).collect(),
        };
        (offered, serde_json::from_str(&note(OFFER)).ok())
    }

    fn note(&self, disk: &dyn Disk, name: &str, text: &str) {
        let path = self.state.join(name);
        if let Err(error) = write_whole(disk, &path, &seal(text), Some(0o600)) {
            warn!(file = %path.display(), %error, "it was not noted what is offered; it may be offered again");
        }
    }
}

impl Actor {
    /// The file held `version`, unedited. It is written anew; the version is offered.
    pub(super) fn offer_older(&mut self, version: &Version) {
        let Some(document) = self.document() else {
            return;
        };
        let behind = document.newest_seconds() - version.saved_seconds.unwrap_or(0);
        if self.file.has_neighbours && behind < LATE_SECONDS_MAX {
            return;
        }
        let name = version.heads.join(" ");
        let offered = &mut self.file.offered;
        if offered.versions.contains(&name) {
            return;
        }
        offered.versions.push(name);
        let skipped = offered.versions.len().saturating_sub(OFFERED_MAX);
        let text = offered.versions[skipped..].join("\n");
        offered.note(&*self.file.disk, OFFERED, &text);
        let of = version
            .saved_seconds
            .and_then(|at| Timestamp::from_second(at).ok());
        let of = of.map(|at| format!(", of {at},")).unwrap_or_default();
        let detail = format!(
            "an older version of {}{of} was put back; it is not taken for a wish to go back, but can be",
            self.shared.name
        );
        info!(name = self.shared.name, heads = ?version.heads, "{detail}");
        self.set_offer(Some(Offer {
            kind: OfferKind::OlderVersion,
            heads: version.heads.clone(),
            detail,
        }));
    }

    /// The file was deleted. It is written anew; an empty list is offered.
    pub(super) fn offer_fresh(&self) {
        let detail = format!(
            "{} was deleted; that is no deletion of its jobs, but you can start fresh: all of them go to the bin",
            self.shared.name
        );
        self.set_offer(Some(Offer {
            kind: OfferKind::StartFresh,
            heads: Vec::new(),
            detail,
        }));
    }

    /// Puts something on offer in the place of what was; nothing for `None`.
    pub(super) fn set_offer(&self, offer: Option<Offer>) {
        let (disk, offered) = (&*self.file.disk, &self.file.offered);
        match offer.as_ref().map(serde_json::to_string) {
            Some(Ok(text)) => offered.note(disk, OFFER, &text),
            // One that cannot be removed is offered again at the next start.
            _ => drop(disk.remove(&offered.state.join(OFFER))),
        }
        self.shared.set_offer(offer);
    }

    /// Does what was offered, or lets it be.
    pub(super) fn take_offer(&mut self, answer: FileAnswer, reply: Reply<()>, batch: &mut Batch) {
        let edit = match (answer, self.shared.offer()) {
            (FileAnswer::Dismiss, Some(_)) => {
                self.set_offer(None);
                drop(reply.send(Ok(()))); // Who asked may have given up waiting.
                return;
            }
            (FileAnswer::Return, Some(offer)) if offer.kind == OfferKind::OlderVersion => {
                Edit::Return { heads: offer.heads }
            }
            (FileAnswer::Fresh, Some(offer)) if offer.kind == OfferKind::StartFresh => {
                let rows = self.document().map(|document| document.view().rows());
                let keys = rows.into_iter().flatten().map(|row| row.key.clone());
                Edit::Remove {
                    keys: keys.collect(),
                }
            }
            _ => {
                let name = self.shared.name.clone();
                drop(reply.send(Err(DocumentError::NoQuestion { name })));
                return;
            }
        };
        let done = self.may_write().and_then(|()| {
            let chance: [u8; 8] = random().map_err(|error| DocumentError::NotSaved {
                reason: error.to_string(),
            })?;
            let id = EditId(format!("answer-{:016x}", u64::from_le_bytes(chance)));
            let at = now();
            self.step(Input::Edit(StampedEdit { id, at, edit }), batch)
        });
        match done {
            Ok(_) => batch.answers.push(Answer::Offer { reply }),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// Says what an import did, where it did something.
    pub(super) fn tell(&self, source: &str, report: &ImportReport) {
        let did = report.added + report.changed + report.removed + report.restored;
        if did > 0 {
            self.shared.set_took_in(TookIn {
                source: source.to_owned(),
                at: now().seconds(),
                report: report.clone(),
            });
        }
    }
}
