//! What the metrics look up of a document when they are read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::mpsc::{Sender, WeakSender};

use super::{DocumentHandle, Shared, lock};
use crate::document::outgoing::Outgoing;
use crate::document::peers::Token;
use crate::metrics::Moment;

/// The queues of a document's peers, without holding any of them open.
type Queues = HashMap<Token, WeakSender<Outgoing>>;

/// What the actor tells of itself as it goes.
#[derive(Default)]
pub(super) struct Told {
    journal_bytes: AtomicU64,
    /// Since when the JSON lacks something.
    behind: Mutex<Option<Instant>>,
    queues: Mutex<Queues>,
}

impl Shared {
    /// Tells how long the journal is, and since when the JSON lacks something.
    pub(in crate::document) fn show_moment(&self, journal_bytes: u64, behind: Option<Instant>) {
        let told = &self.told;
        told.journal_bytes.store(journal_bytes, Ordering::Relaxed);
        *lock(&told.behind) = behind;
    }
}

impl Told {
    pub(super) fn add(&self, token: Token, outbound: &Sender<Outgoing>) {
        self.queues().insert(token, outbound.downgrade());
    }

    pub(super) fn remove(&self, token: Token) {
        self.queues().remove(&token);
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        lock(&self.queues)
    }
}

impl DocumentHandle {
    /// How the document does at the moment.
    #[must_use]
    pub fn moment(&self) -> Moment {
        let told = &self.shared.told;
        let waiting = |queue: &WeakSender<Outgoing>| {
            let queue = queue.upgrade()?;
            Some(queue.max_capacity() - queue.capacity())
        };
        Moment {
            name: self.shared.name.clone(),
            inbox: self.inbox.waiting(),
            outbound: told.queues().values().filter_map(waiting).collect(),
            journal_bytes: told.journal_bytes.load(Ordering::Relaxed),
            file_bytes: self.shared.file_bytes.load(Ordering::Relaxed),
            lag: lock(&told.behind).map_or_else(Default::default, |since| since.elapsed()),
        }
    }
}
