//! Which record each entry of a file is (D7, F6).
//!
//! With a version, a label names the record that showed it there. Without one, label and
//! creation time together do, among all records ever: a file from before a removal must not
//! bring a second copy. What matches nothing is a new record, under a key that every device
//! derives alike.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::document::Moment;
use crate::edit::Key;
use crate::id::derived_key;
use crate::plain::file::FileRecord;
use crate::plain::json::Node;
use crate::value::same_as_parsed;
use crate::view::Row;

/// The key of each record, in the file's order; no key twice.
pub(super) fn keys<'b>(
    base: &'b Moment<'_>,
    records: &[FileRecord],
    versioned: bool,
) -> Vec<Cow<'b, Key>> {
    let mut taken: HashSet<&Key> = HashSet::new();
    let mut found: Vec<Option<&Key>> = vec![None; records.len()];
    // Copies of one entry: the one that fits best is the record, the others are new.
    for fit in [Fit::Created, Fit::Label] {
        for (key, record) in found.iter_mut().zip(records) {
            if key.is_none() {
                *key = find(base, record, versioned, fit, &taken);
                taken.extend(*key);
            }
        }
    }
    let mut made: HashSet<Key> = HashSet::new();
    let mut occurrences: HashMap<String, usize> = HashMap::new();
    let mut unused = |record| loop {
        let key = new_key(base, record, &mut occurrences);
        if !taken.contains(&key) && made.insert(key.clone()) {
            break key;
        }
    };
    found
        .into_iter()
        .zip(records)
        .map(|(key, record)| key.map_or_else(|| Cow::Owned(unused(record)), Cow::Borrowed))
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
    taken: &HashSet<&Key>,
) -> Option<&'b Key> {
    let schema = base.document().schema();
    let label = record.get(&schema.label_field)?.text();
    let shown = base.view().by_label(&label).into_iter();
    let claimed = base.view().claimants(&label).filter(|_| !versioned);
    let fits = |row: &&std::sync::Arc<Row>| {
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
        .filter(|row| !taken.contains(&row.key))
        .find(fits)
        .map(|row| &row.key)
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
        Some(created) if !created.is_null() => created.to_string(),
        _ => Value::Object(record.to_fields()).to_string(),
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
