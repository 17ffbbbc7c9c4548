//! What is offered about the file and never done by itself: going back to an older version that
//! was put there (F9), and starting fresh where it was deleted (F7).

use std::path::PathBuf;

use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::replica::Input;
use tracing::{info, warn};

use super::batch::{Answer, Batch};
use super::{Actor, now};
use crate::document::disk::{random, write_whole};
use crate::document::error::DocumentError;
use crate::document::inbox::Reply;
use crate::document::inspect::Version;
use crate::document::state::{FileAnswer, Offer, OfferKind, TookIn};
use plainsync_core::plain::import::ImportReport;

/// Versions remembered as offered; the oldest are forgotten first.
const OFFERED_MAX: usize = 500;

/// Where other devices share the folder, a version less than this behind is one that a syncer
/// brought late, in seconds between the newest changes of both.
const LATE_SECONDS_MAX: i64 = 600;

/// Which versions were offered: each is once, across restarts too.
#[derive(Debug, Default)]
pub(in crate::document) struct Offered {
    path: PathBuf,
    versions: Vec<String>,
}

impl Offered {
    /// As `text` says, which was read from `path`.
    pub(in crate::document) fn new(path: PathBuf, text: &str) -> Self {
        let versions = text.lines().map(str::to_owned).collect();
        Self { path, versions }
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
        let text = offered.versions[skipped..].join("\n") + "\n";
        if let Err(error) = write_whole(
            &*self.file.disk,
            &offered.path,
            text.as_bytes(),
            Some(0o600),
        ) {
            warn!(%error, "it was not noted which version was offered; it may be offered again");
        }
        let detail = format!(
            "an older version of {} was put back; it is not taken for a wish to go back, but can be",
            self.shared.name
        );
        info!(name = self.shared.name, heads = ?version.heads, "{detail}");
        self.shared.set_offer(Some(Offer {
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
        self.shared.set_offer(Some(Offer {
            kind: OfferKind::StartFresh,
            heads: Vec::new(),
            detail,
        }));
    }

    /// Does what was offered, or lets it be.
    pub(super) fn take_offer(&mut self, answer: FileAnswer, reply: Reply<()>, batch: &mut Batch) {
        let edit = match (answer, self.shared.offer()) {
            (FileAnswer::Dismiss, Some(_)) => {
                self.shared.set_offer(None);
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
