//! A document as it was when its last batch became durable: what requests read.
//!
//! A snapshot is made for every batch, so it shares all that did not change with the one before
//! it: its rows are persistent maps, and a batch costs what it changed, at any size.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use imbl::{HashMap, OrdMap};
use plainsync_core::blob::BlobRef;
use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::plain::export::{Heading, Rows};
use plainsync_core::query::{self, Found, Query, QueryError};
use plainsync_core::stats::Stats;
use plainsync_core::view::{Row, RowOrder, blob_refs};

/// One durable version.
#[derive(Debug)]
pub struct Snapshot {
    rows: OrdMap<RowOrder, Arc<Row>>,
    places: HashMap<Key, RowOrder>,
    next_number: u64,
    stats: OnceLock<Stats>,
    /// The newest changes, in hexadecimal, sorted: the name of this version.
    pub heads: Vec<String>,
    /// When the newest change was made, in seconds since the Unix epoch.
    pub saved_at: i64,
}

impl Snapshot {
    /// The document as it is.
    pub(super) fn of(document: &Document) -> Self {
        let placed = document.view().placed();
        let (mut rows, mut places) = (OrdMap::new(), HashMap::new());
        for (place, row) in placed {
            rows.insert(place.clone(), Arc::clone(row));
            places.insert(row.key.clone(), place.clone());
        }
        Self::holding(document, rows, places)
    }

    /// The document as it is, where only the rows at `keys` differ from this snapshot.
    pub(super) fn after<'k>(
        &self,
        document: &Document,
        keys: impl IntoIterator<Item = &'k Key> + Clone,
    ) -> Self {
        let view = document.view();
        let (mut rows, mut places) = (self.rows.clone(), self.places.clone());
        // All that leave their place go first: another may take it.
        for key in keys.clone() {
            if let Some(place) = places.remove(key) {
                rows.remove(&place);
            }
        }
        for key in keys {
            if let (Some(place), Some(row)) = (view.order_of(key), view.get(key)) {
                rows.insert(place.clone(), Arc::clone(row));
                places.insert(key.clone(), place.clone());
            }
        }
        debug_assert!(
            rows.values().eq(view.all()),
            "a row changed that the engine did not name"
        );
        Self::holding(document, rows, places)
    }

    fn holding(
        document: &Document,
        rows: OrdMap<RowOrder, Arc<Row>>,
        places: HashMap<Key, RowOrder>,
    ) -> Self {
        Self {
            rows,
            places,
            next_number: document.view().next_number(),
            stats: OnceLock::new(),
            heads: hex_heads(document),
            saved_at: document.newest_seconds(),
        }
    }

    /// Every row, binned and purged ones included, oldest record first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.rows.values()
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
        self.rows.get(self.places.get(key)?)
    }

    /// The row with this key or, failing that, this label.
    #[must_use]
    pub fn find(&self, key_or_label: &str) -> Option<&Arc<Row>> {
        let by_key = self.get(&Key(key_or_label.to_owned()));
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

impl Rows for Snapshot {
    fn listed(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows()
    }

    fn row(&self, key: &Key) -> Option<&Arc<Row>> {
        self.get(key)
    }
}

/// A version as the keeper's files are made of it: shared with what requests read, so that taking
/// it costs nothing of the actor's time.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// What the file says beside its records.
    pub heading: Heading,
    /// The records.
    pub snapshot: Arc<Snapshot>,
}

impl Version {
    /// Every image that any record refers to, binned ones included.
    pub(super) fn blob_refs(&self) -> HashSet<BlobRef> {
        blob_refs(self.heading.schema(), self.snapshot.all())
    }
}

/// The heads of `document` as they stand in files: hexadecimal, sorted.
pub(super) fn hex_heads(document: &Document) -> Vec<String> {
    document.heads().iter().map(ToString::to_string).collect()
}
