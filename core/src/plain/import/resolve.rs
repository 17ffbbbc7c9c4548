//! Which record each entry of a file is (D7, F6).
//!
//! With a version, a label names the record that showed it there. Without one, label and
//! creation time together do, among all records ever: a file from before a removal must not
//! bring a second copy. What matches nothing is a new record, under a key that every device
//! derives alike.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::document::Document;
use crate::edit::Key;
use crate::id::derived_key;
use crate::plain::file::FileRecord;
use crate::value::same;
use crate::view::{Row, text_of};

/// The key of each record, in the file's order; no key twice.
pub(super) fn keys(base: &Document, records: &[FileRecord], versioned: bool) -> Vec<Key> {
    let mut taken: BTreeSet<Key> = BTreeSet::new();
    let mut keys: Vec<Option<Key>> = vec![None; records.len()];
    // Copies of one entry: the one that fits best is the record, the others are new.
    for fit in [Fit::Created, Fit::Label] {
        for (key, record) in keys.iter_mut().zip(records) {
            if key.is_none() {
                *key = find(base, &record.fields, versioned, fit, &taken);
                taken.extend(key.clone());
            }
        }
    }
    let mut occurrences: HashMap<String, usize> = HashMap::new();
    keys.into_iter()
        .zip(records)
        .map(|(key, record)| {
            key.unwrap_or_else(|| {
                loop {
                    let key = new_key(base, &record.fields, &mut occurrences);
                    if taken.insert(key.clone()) {
                        break key;
                    }
                }
            })
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Label and creation time are those of the record.
    Created,
    /// The label is, and nothing says that it is another record.
    Label,
}

fn find(
    base: &Document,
    fields: &Map<String, Value>,
    versioned: bool,
    fit: Fit,
    taken: &BTreeSet<Key>,
) -> Option<Key> {
    let label = text_of(fields.get(&base.schema().label_field)?);
    let shown = base.view().by_label(&label).into_iter();
    let claimed = base.view().claimants(&label).filter(|_| !versioned);
    let fits = |row: &&std::sync::Arc<Row>| {
        let created = &base.schema().created_field;
        match (row.job.get(created), fields.get(created)) {
            (Some(ours), Some(theirs)) if same(ours, theirs) => true,
            // Somebody corrected the time by hand: still the record that showed the label.
            (Some(_), Some(_)) => fit == Fit::Label && versioned && row.is_listed(),
            _ => fit == Fit::Label,
        }
    };
    shown
        .chain(claimed)
        .filter(|row| !taken.contains(&row.key))
        .find(fits)
        .map(|row| row.key.clone())
}

/// A key from what identifies the record: label and creation time, or all of it where there
/// is no creation time; equal entries of one file are counted.
fn new_key(
    base: &Document,
    fields: &Map<String, Value>,
    occurrences: &mut HashMap<String, usize>,
) -> Key {
    let schema = base.schema();
    let label = fields
        .get(&schema.label_field)
        .map(text_of)
        .unwrap_or_default();
    let identity = match fields.get(&schema.created_field) {
        Some(created) if !created.is_null() => created.to_string(),
        _ => Value::Object(fields.clone()).to_string(),
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
