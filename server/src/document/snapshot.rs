//! A document as it was when its last batch became durable: what requests read.

use std::sync::{Arc, OnceLock};

use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::query::{self, Found, Query, QueryError};
use plainsync_core::stats::Stats;
use plainsync_core::view::{Row, View};

/// One durable version. Rows are shared with the versions before and after it.
#[derive(Debug)]
pub struct Snapshot {
    /// The rows, with their labels, in the document's order.
    pub view: View,
    /// The newest changes, in hexadecimal, sorted: the name of this version.
    pub heads: Vec<String>,
    /// When the newest change was made, in seconds since the Unix epoch.
    pub saved_at: i64,
    stats: OnceLock<Stats>,
}

impl Snapshot {
    pub(super) fn of(document: &Document) -> Self {
        Self {
            view: document.view().clone(),
            heads: hex_heads(document),
            saved_at: document.newest_seconds(),
            stats: OnceLock::new(),
        }
    }

    /// The rows of the list, oldest record first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.view.rows()
    }

    /// The row with this key, wherever it is.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<Row>> {
        self.view.get(key)
    }

    /// The row with this key or, failing that, this label.
    #[must_use]
    pub fn find(&self, key_or_label: &str) -> Option<&Arc<Row>> {
        self.view
            .get(&Key(key_or_label.to_owned()))
            .or_else(|| self.view.by_label(key_or_label))
    }

    /// The rows that `query` asks for.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: the query cannot be read.
    pub fn query(&self, query: &Query) -> Result<Found, QueryError> {
        query::run(&self.view, query)
    }

    /// The counters of this version; counted when first asked for.
    pub fn stats(&self) -> &Stats {
        self.stats.get_or_init(|| Stats::of(&self.view))
    }

    /// The next number to give, `lastJobId` in the file.
    #[must_use]
    pub fn last_job_id(&self) -> u64 {
        self.view.next_number()
    }
}

/// The heads of `document` as they stand in files: hexadecimal, sorted.
pub(super) fn hex_heads(document: &Document) -> Vec<String> {
    document.heads().iter().map(ToString::to_string).collect()
}
