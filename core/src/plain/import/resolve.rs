//! Which record each entry of a file is (D7, F6).
//!
//! With a version, a label names the record that showed it there. Without one, label and
//! creation time together do, among all records ever: a file from before a removal must not
//! bring a second copy. What matches nothing is a new record, under a key that every device
//! derives alike.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::document::Moment;
use crate::edit::Key;
use crate::id::derived_key;
use crate::limits::CLAIMANTS_MAX;
use crate::plain::file::FileRecord;
use crate::plain::json::Node;
use crate::value::same_as_parsed;
use crate::view::Row;

/// What one entry of a file is.
pub(super) struct Found<'b> {
    /// The record's key.
    pub(super) key: Cow<'b, Key>,
    /// Its row at the version at which the file was written; none for a new record.
    pub(super) row: Option<&'b Arc<Row>>,
}

/// Rows that entries have been found to be, by address: all are of one view.
type Taken = HashSet<*const Row>;

/// What each record is, in the file's order; no key twice.
pub(super) fn keys<'b>(
    base: &'b Moment<'_>,
    records: &[FileRecord],
    versioned: bool,
) -> Vec<Found<'b>> {
    let mut taken = Taken::with_capacity(records.len());
    let mut found: Vec<Option<&Arc<Row>>> = vec![None; records.len()];
    // Copies of one entry: the one that fits best is the record, the others are new.
    for fit in [Fit::Created, Fit::Label] {
        for (row, record) in found.iter_mut().zip(records) {
            if row.is_none() {
                *row = find(base, record, versioned, fit, &taken);
                taken.extend(row.map(Arc::as_ptr));
            }
        }
    }
    let mut made: HashSet<Key> = HashSet::new();
    let mut occurrences: HashMap<String, usize> = HashMap::new();
    let mut unused = |record| loop {
        let key = new_key(base, record, &mut occurrences);
        let row = base.view().get(&key);
        let is_taken = row.is_some_and(|row| taken.contains(&Arc::as_ptr(row)));
        if !is_taken && made.insert(key.clone()) {
            let key = Cow::Owned(key);
            break Found { key, row };
        }
    };
    let known = |row: &'b Arc<Row>| Found {
        key: Cow::Borrowed(&row.key),
        row: Some(row),
    };
    found
        .into_iter()
        .zip(records)
        .map(|(row, record)| row.map_or_else(|| unused(record), known))
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Label and creation time are those of the record.
    Created,
    /// The label is, and nothing says that it is another record.
    Label,
}

fn find<'b>(
    base: &'b Moment<'_>,
    record: &FileRecord,
    versioned: bool,
    fit: Fit,
    taken: &Taken,
) -> Option<&'b Arc<Row>> {
    let schema = base.document().schema();
    let label = record.get(&schema.label_field)?.text();
    let shown = base.view().by_label(&label).into_iter();
    let claimed = base.view().claimants(&label).filter(|_| !versioned);
    let claimed = claimed.take(CLAIMANTS_MAX);
    let fits = |row: &&Arc<Row>| {
        let created = &schema.created_field;
        match (row.job.get(created), record.get(created)) {
            (Some(ours), Some(theirs)) if same_as_parsed(theirs, ours) => true,
            // Somebody corrected the time by hand: still the record that showed the label.
            (Some(_), Some(_)) => fit == Fit::Label && versioned && row.is_listed(),
            _ => fit == Fit::Label,
        }
    };
    shown
        .chain(claimed)
        .filter(|row| !taken.contains(&Arc::as_ptr(row)))
        .find(fits)
}

/// A key from what identifies the record: label and creation time, or all of it where there
/// is no creation time; equal entries of one file are counted.
fn new_key(
    base: &Moment<'_>,
    record: &FileRecord,
    occurrences: &mut HashMap<String, usize>,
) -> Key {
    let schema = base.document().schema();
    let label = record
        .get(&schema.label_field)
        .map(|label| label.text().into_owned())
        .unwrap_or_default();
    let identity = match record.get(&schema.created_field).map(Node::to_value) {
        Some(created) if !created.is_null() => crate::value::to_text(&created),
        _ => crate::value::to_text(&Value::Object(record.to_fields())),
    };
    let nth = occurrences
        .entry(format!("{label} {identity}"))
        .or_insert(0);
    *nth += 1;
    let nth = (*nth as u64).to_le_bytes();
    Key(derived_key(
        "k",
        &[label.as_bytes(), identity.as_bytes(), &nth],
    ))
}
