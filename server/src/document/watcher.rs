//! Hints that something happened in the folders of a document.
//!
//! What the operating system says is gathered for [`GATHER`] and passed on as one
//! [`Order::Look`]; what happened, and whether anything did, is found out by looking.
//!
//! **Invariant:** nothing is believed because of an event, and nothing is missed for ever for
//! want of one: the keeper looks by itself, too, only less often.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify_debouncer_full::notify::event::ModifyKind;
use notify_debouncer_full::notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};
use tracing::{debug, warn};

use super::keeper::Order;
use super::place::Place;

/// How long events are gathered.
const GATHER: Duration = Duration::from_millis(300);

/// Watches as long as it lives.
pub(super) struct Watcher {
    _debouncer: Debouncer<RecommendedWatcher, NoCache>,
}

impl Watcher {
    /// Watches the folders of the document at `place`, whose own folder is `shared`. `None`: the
    /// system does not allow it, and somebody must look more often.
    pub(super) fn start(place: &Place, shared: &Path, orders: Sender<Order>) -> Option<Self> {
        let ours = Ours::of(place, shared);
        let tell = move |found: DebounceEventResult| {
            let is_news = found.map_or(true, |events| {
                events.iter().any(|event| ours.is_news(event))
            });
            if is_news {
                let _ = orders.send(Order::Look); // A keeper that has ended keeps nothing.
            }
        };
        let debouncer = new_debouncer_opt(GATHER, None, tell, NoCache, Config::default());
        let mut debouncer = debouncer
            .inspect_err(|error| warn!(%error, "the folder cannot be watched; it is looked at every second instead"))
            .ok()?;
        let linked = super::disk::folder_of(&place.file);
        let folders = [
            (place.folder.as_path(), RecursiveMode::NonRecursive),
            (linked, RecursiveMode::NonRecursive),
            (&place.own_folder(), RecursiveMode::NonRecursive),
            (shared, RecursiveMode::Recursive),
        ];
        for (nth, (folder, mode)) in folders.into_iter().enumerate() {
            match debouncer.watch(folder, mode) {
                Ok(()) => {}
                // Made later, perhaps: the keeper looks there by itself.
                Err(error) if nth > 0 => debug!(folder = %folder.display(), %error, "not watched"),
                Err(error) => {
                    warn!(folder = %folder.display(), %error, "the folder cannot be watched; it is looked at every second instead");
                    return None;
                }
            }
        }
        Some(Self {
            _debouncer: debouncer,
        })
    }
}

/// Which events are about one document, of all that happen in its folder.
struct Ours {
    own_folder: PathBuf,
    shared: PathBuf,
    /// How names begin of the file, its backup, and the copies that folder syncers make of it; and
    /// of a link that leads to it, which may come to lead elsewhere, or be replaced.
    stems: [String; 2],
}

impl Ours {
    fn of(place: &Place, shared: &Path) -> Self {
        let link = place.file.file_name().unwrap_or_default();
        let names = [place.name.clone(), link.to_string_lossy().into_owned()];
        Self {
            own_folder: place.own_folder(),
            shared: shared.to_owned(),
            stems: names.map(|name| name.strip_suffix(".json").unwrap_or(&name).to_owned()),
        }
    }

    fn is_news(&self, event: &Event) -> bool {
        if matches!(event.kind, EventKind::Access(_)) {
            return false; // Looking is an event, too: what only read a file is not worth another look.
        }
        event.paths.is_empty()
            || event
                .paths
                .iter()
                .any(|path| self.concerns(path, event.kind))
    }

    /// A folder may hold many documents, and each would look whenever any of them is written.
    fn concerns(&self, path: &Path, kind: EventKind) -> bool {
        if path.starts_with(&self.shared) {
            return true;
        }
        if path.starts_with(&self.own_folder) {
            // What came into it may be another history of the file (F6).
            return matches!(
                kind,
                EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_))
            );
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.stems.iter().any(|stem| name.starts_with(stem))
    }
}

#[cfg(test)]
mod tests {
    use notify_debouncer_full::notify::event::{AccessKind, CreateKind, DataChange};

    use super::*;

    #[test]
    fn only_what_happens_to_the_own_files_is_news() {
        let folder = Path::new("/folder");
        let place = Place {
            file: "/elsewhere/sprites.json".into(), // A link to it.
            folder: folder.to_owned(),
            name: "job_history.json".to_owned(),
            folder_state: "/state".into(),
            state: "/state/job_history.json".into(),
        };
        let ours = Ours::of(&place, &folder.join(".plainsync/one"));
        let (written, made) = (
            EventKind::Modify(ModifyKind::Data(DataChange::Any)),
            EventKind::Create(CreateKind::Any),
        );
        let news = |path: &str, kind| ours.is_news(&Event::new(kind).add_path(folder.join(path)));
        assert!(news("job_history.json", written));
        assert!(!news(
            "job_history.json",
            EventKind::Access(AccessKind::Any)
        ));
        assert!(news("job_history (Ann's conflicted copy).json", made));
        assert!(news(".plainsync/one/0123.journal", written));
        assert!(news(".plainsync/two", made));
        assert!(!news(".plainsync/lock", written));
        assert!(!news("notes.json", written));
        assert!(news("/elsewhere/sprites.json", made));
        assert!(ours.is_news(&Event::new(EventKind::Other)), "no path: look");
    }
}
