//! A document as it was when its last batch became durable: what requests read.
//!
//! A snapshot is made for every batch, so it holds no more than a list of rows, in stretches that
//! are shared with the snapshots before and after it: one edit makes one stretch anew. Looking a
//! row up is a walk along the list: tens of microseconds at 10,000 rows, where an index made for
//! every batch would cost milliseconds.

use std::sync::{Arc, OnceLock};

use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::query::{self, Found, Query, QueryError};
use plainsync_core::stats::Stats;
use plainsync_core::view::Row;

/// Rows of one stretch: few enough to be made anew for an edit, many enough that there are few.
const STRETCH_ROWS: usize = 128;

/// One durable version.
#[derive(Debug)]
pub struct Snapshot {
    /// All of [`STRETCH_ROWS`], but for the last.
    stretches: Vec<Arc<[Arc<Row>]>>,
    next_number: u64,
    stats: OnceLock<Stats>,
    /// The newest changes, in hexadecimal, sorted: the name of this version.
    pub heads: Vec<String>,
    /// When the newest change was made, in seconds since the Unix epoch.
    pub saved_at: i64,
}

impl Snapshot {
    /// `document` as it is now. What it has in common with `before` is shared with that.
    pub(super) fn of(document: &Document, before: Option<&Self>) -> Self {
        let before = before.map_or(&[][..], |before| &before.stretches);
        Self {
            stretches: stretches(document.view().all(), before),
            next_number: document.view().next_number(),
            stats: OnceLock::new(),
            heads: hex_heads(document),
            saved_at: document.newest_seconds(),
        }
    }

    /// Every row, binned and purged ones included, oldest record first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.stretches.iter().flat_map(|stretch| stretch.iter())
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

/// `rows` in stretches, those of `before` where they hold the same rows.
fn stretches<'r>(
    rows: impl Iterator<Item = &'r Arc<Row>>,
    before: &[Arc<[Arc<Row>]>],
) -> Vec<Arc<[Arc<Row>]>> {
    let mut all = Vec::with_capacity(before.len() + 1);
    let mut stretch: Vec<&Arc<Row>> = Vec::with_capacity(STRETCH_ROWS);
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        stretch.clear();
        stretch.extend(rows.by_ref().take(STRETCH_ROWS));
        let same = before.get(all.len()).filter(|old| {
            let mut pairs = old.iter().zip(&stretch);
            old.len() == stretch.len() && pairs.all(|(old, new)| Arc::ptr_eq(old, new))
        });
        // A row's own counter is touched only where a stretch is new.
        all.push(match same {
            Some(same) => Arc::clone(same),
            None => stretch.iter().map(|row| Arc::clone(row)).collect(),
        });
    }
    all
}

/// The heads of `document` as they stand in files: hexadecimal, sorted.
pub(super) fn hex_heads(document: &Document) -> Vec<String> {
    document.heads().iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use plainsync_core::id::DocumentId;
    use plainsync_core::plain::import::ImportOptions;
    use plainsync_core::schema::Schema;
    use serde_json::json;

    use super::*;

    #[test]
    fn s2_a_snapshot_shares_all_but_what_changed_with_the_one_before() {
        let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
        let mut import = |jobs: usize, wide: usize| {
            let width = |n| if n == wide { 65 } else { 64 };
            let job = |n| json!({"id": format!("job-{n}"), "createdAt": n, "width": width(n)});
            let list = json!({"jobs": (1..=jobs).map(job).collect::<Vec<_>>()});
            let options = ImportOptions::default();
            document
                .import(list.to_string().as_bytes(), &options)
                .expect("taken in");
            document.clone()
        };
        let jobs = STRETCH_ROWS * 3 + 1;
        let first = Snapshot::of(&import(jobs, 0), None);
        for (jobs, wide) in [(jobs, STRETCH_ROWS + 1), (jobs + 1, STRETCH_ROWS + 1)] {
            let now = import(jobs, wide);
            let next = Snapshot::of(&now, Some(&first));
            assert!(next.all().eq(now.view().all()), "all rows, in order");
            assert_eq!(next.all().count(), jobs);
            let is_shared = |nth: usize| Arc::ptr_eq(&first.stretches[nth], &next.stretches[nth]);
            let shared: Vec<bool> = (0..4).map(is_shared).collect();
            assert_eq!(shared, [true, false, true, jobs == STRETCH_ROWS * 3 + 1]);
        }
    }
}
