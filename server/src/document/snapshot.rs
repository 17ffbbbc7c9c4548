//! A document as it was when its last batch became durable: what requests read.
//!
//! A snapshot is made for every batch, so it holds no more than a list of rows, each shared
//! with the snapshots before and after it. Looking one up is a walk along the list: tens of
//! microseconds at 10,000 rows, where an index made for every batch would cost milliseconds.

use std::sync::{Arc, OnceLock};

use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::query::{self, Found, Query, QueryError};
use plainsync_core::stats::Stats;
use plainsync_core::view::Row;

/// One durable version.
#[derive(Debug)]
pub struct Snapshot {
    rows: Vec<Arc<Row>>,
    next_number: u64,
    stats: OnceLock<Stats>,
    /// The newest changes, in hexadecimal, sorted: the name of this version.
    pub heads: Vec<String>,
    /// When the newest change was made, in seconds since the Unix epoch.
    pub saved_at: i64,
}

impl Snapshot {
    pub(super) fn of(document: &Document) -> Self {
        Self {
            rows: document.view().all().cloned().collect(),
            next_number: document.view().next_number(),
            stats: OnceLock::new(),
            heads: hex_heads(document),
            saved_at: document.newest_seconds(),
        }
    }

    /// Every row, binned and purged ones included, oldest record first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.rows.iter()
    }

    /// The rows of the list, oldest record first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.all().filter(|row| row.is_listed())
    }

    /// The rows of the bin, oldest record first.
    pub fn bin(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.all().filter(|row| row.in_bin && !row.purged)
    }

    /// The row with this key, wherever it is.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<Row>> {
        self.all().find(|row| row.key == *key)
    }

    /// The row with this key or, failing that, this label.
    #[must_use]
    pub fn find(&self, key_or_label: &str) -> Option<&Arc<Row>> {
        let by_key = self.all().find(|row| row.key.0 == key_or_label);
        by_key.or_else(|| self.all().find(|row| row.label == key_or_label))
    }

    /// The rows that `query` asks for.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: the query cannot be read.
    pub fn query(&self, query: &Query) -> Result<Found, QueryError> {
        if query.bin {
            query::run_over(self.bin().rev(), query)
        } else {
            query::run_over(self.rows().rev(), query)
        }
    }

    /// The counters of this version; counted when first asked for.
    pub fn stats(&self) -> &Stats {
        self.stats.get_or_init(|| Stats::over(self.all()))
    }

    /// The next number to give, `lastJobId` in the file.
    #[must_use]
    pub fn last_job_id(&self) -> u64 {
        self.next_number
    }
}

/// The heads of `document` as they stand in files: hexadecimal, sorted.
pub(super) fn hex_heads(document: &Document) -> Vec<String> {
    document.heads().iter().map(ToString::to_string).collect()
}
