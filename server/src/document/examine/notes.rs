//! The small notes of the private state, lock files, and what old clients hold.
//!
//! | file | if it is not as it was written |
//! |---|---|
//! | `lock`, `server`, `projected`, `projected.next`, `written` | harmless: written anew by whoever opens the folder |
//! | `offered`, `offer`, `clients` | something is forgotten, and nothing of the history is lost |

use std::path::Path;

use plainsync_core::chunk::{self, Reason};

use super::{Cure, Examined, Severity, read};
use crate::access;
use crate::document::actor::{OFFER, OFFERED};
use crate::document::disk::Disk;
use crate::document::keeper::NEXT;
use crate::document::note::unseal;
use crate::document::place::Place;
use crate::document::written::WRITTEN;

/// What is said of notes that only save work.
const WORK: &str = "harmless: it only saves work at a start, and the next one writes it anew";

impl Examined {
    /// Each note against its sum.
    pub(super) fn notes(&mut self, disk: &dyn Disk, place: &Place) {
        let lock = if self.is_held {
            "it does not say who holds it; the next one who does writes it anew"
        } else {
            "harmless: nobody holds it, and the next one who does writes it anew"
        };
        self.hint(disk, &place.own_folder().join("lock"), lock);
        self.hint(disk, &place.folder_state.join("lock"), lock);
        let server =
            "commands do not find the server by it; the next one that starts writes it anew";
        self.hint(disk, &place.folder_state.join(access::NAME), server);
        let projected = place.state.join("projected");
        self.hint(disk, &projected, WORK);
        self.hint(disk, &projected.with_extension(NEXT), WORK);
        let written = "until it is written anew, a file without its version is compared with the backup and the kept versions";
        self.hint(disk, &place.state.join(WRITTEN), written);
        for (name, what) in [
            (
                OFFERED,
                "which older versions were offered is forgotten, and one may be offered again",
            ),
            (OFFER, "what was on offer about the file is forgotten"),
        ] {
            let path = place.state.join(name);
            if let Some(reason) = broken(disk, &path) {
                self.damage(&path, format!("{reason}; {what}"), Cure::Remove);
            }
        }
        self.clients(disk, &place.state.join("clients"));
    }

    /// A note on which nothing depends.
    fn hint(&mut self, disk: &dyn Disk, path: &Path, what: &str) {
        if let Some(reason) = broken(disk, path) {
            self.add(
                Severity::Note,
                path,
                format!("{reason}; {what}"),
                Cure::Opening,
            );
        }
    }

    /// What old clients hold, each record against its sum.
    fn clients(&mut self, disk: &dyn Disk, path: &Path) {
        let Ok(bytes) = disk.read(path) else {
            return;
        };
        let mut chunks = chunk::read(&bytes);
        while let Some(next) = chunks.next() {
            let Err(broken) = next else { continue };
            let is_torn = matches!(broken.reason, Reason::Torn { .. }) && broken.next.is_none();
            if !(self.is_held && is_torn) {
                let what = format!(
                    "a record {}; what old clients hold is forgotten, and their next lists only add and update",
                    broken.reason
                );
                self.damage_at(path, Some(broken.at as u64), what, Cure::Remove);
            }
            let Some(at) = broken.next else { break };
            chunks.go_on(at);
        }
    }
}

/// Why the note at `path` cannot be believed, if it is there and not empty, as a crash leaves it.
fn broken(disk: &dyn Disk, path: &Path) -> Option<String> {
    match read(disk, path) {
        Ok(Some(bytes)) if !bytes.is_empty() => {
            let error = unseal(&bytes).err()?;
            Some(error.to_string())
        }
        Ok(_) => None,
        Err(error) => Some(format!("it cannot be read: {error}")),
    }
}
