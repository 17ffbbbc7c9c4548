//! Hints that something happened in the folders of a document.
//!
//! What the operating system says is gathered for [`GATHER`] and passed on as one
//! [`Order::Look`]; what happened, and whether anything did, is found out by looking.
//!
//! **Invariant:** nothing is believed because of an event, and nothing is missed for ever for
//! want of one: the keeper looks by itself, too, only less often.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify_debouncer_full::notify::{Config, EventKind, RecommendedWatcher, RecursiveMode};
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
        let tell = move |found: DebounceEventResult| {
            // Looking is an event, too: what only read a file is not worth another look.
            let is_news = found.map_or(true, |events| {
                events
                    .iter()
                    .any(|event| !matches!(event.kind, EventKind::Access(_)))
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
