//! The rows that people see, kept in step with the document.
//!
//! A [`View`] is derived: labels, bin and conflicts are computed here and never written
//! (D7). After a merge only the records that it touched are read again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use automerge::ObjId;
use litemap::LiteMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::blob::BlobRef;
use crate::edit::Key;
use crate::record::{RUN, Record};
use crate::schema::Schema;

/// The run that a row shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunRef {
    /// The run's id.
    pub id: String,
    /// The device id of the server that was ordered to start it; none for runs that came from a file.
    pub server: Option<String>,
}

/// One record as people see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The record's identity.
    pub key: Key,
    /// Its fields, those of the current run among them; the label field shows the label.
    pub job: Map<String, Value>,
    /// Removed, and restorable.
    pub in_bin: bool,
    /// It was removed, but an edit made apart from the removal won (D6).
    pub kept_by_edit: bool,
    /// Fields that were edited apart to different values; `run` stands for a run's fields.
    pub conflicts: Vec<String>,
    /// The run that the fields describe.
    pub run: Option<RunRef>,
    /// What people call this record: the same text everywhere, shown by one row only (D7).
    #[serde(skip)]
    pub label: String,
    /// What the record itself says its label is, as text.
    #[serde(skip)]
    pub(crate) claim: String,
    /// The label field as it is stored, where it is stored.
    #[serde(skip)]
    pub(crate) stored_label: Option<Value>,
    /// The highest number of the labels that stand in it, the shown one or not.
    #[serde(skip)]
    pub(crate) number: Option<u64>,
    /// Emptied for good; shown nowhere.
    #[serde(skip)]
    pub purged: bool,
}

impl Row {
    /// Whether the row is one of the list, neither binned nor purged.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        !self.in_bin && !self.purged
    }
}

/// A label's text: of a string its letters, of anything else its JSON.
pub(crate) fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| crate::value::to_text(value), str::to_owned)
}

/// Every image that any of `rows` refers to.
pub fn blob_refs<'r>(
    schema: &Schema,
    rows: impl Iterator<Item = &'r Arc<Row>>,
) -> HashSet<BlobRef> {
    let text_fields: Vec<&str> = schema.text_fields.iter().map(String::as_str).collect();
    let mut refs = HashSet::new();
    for row in rows {
        for (_, value) in row
            .job
            .iter()
            .filter(|(name, _)| !text_fields.contains(&name.as_str()))
        {
            refs.extend(crate::blob::refs(value, &text_fields));
        }
    }
    refs
}

/// All rows in the document's order: by the operation that made each record.
#[derive(Clone, Debug, Default)]
pub struct View {
    rows: BTreeMap<RowOrder, Arc<Row>>,
    order: HashMap<Key, RowOrder>,
    claims: HashMap<String, LiteMap<RowOrder, Key>>,
    labels: HashMap<String, Key>,
    /// The highest number of a label that stands in any record.
    highest_number: u64,
    /// The next number to give, as somebody wrote it.
    counter: u64,
}

/// What changes by [`View::put`], and what is left to do once for all records that are put.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The records whose rows changed.
    changed: BTreeSet<Key>,
    /// The labels that other records claim now than before.
    claims: BTreeSet<String>,
    /// A record with the highest number has another one now.
    recount: bool,
}

impl News {
    fn claim(&mut self, claim: &str) {
        // A record that claims `job-6-2` takes that label from the second `job-6`.
        if let Some((base, tail)) = claim.rsplit_once('-')
            && tail.bytes().all(|b| b.is_ascii_digit())
        {
            self.claims.insert(base.to_owned());
        }
        self.claims.insert(claim.to_owned());
    }
}

/// A row's place in the document's order: the operation that made its record, by counter, then
/// actor. A lamport order, the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowOrder(ObjId);

impl View {
    /// Every row, binned and purged ones included, oldest record first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// The rows of the list, oldest record first.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.rows.values().filter(|row| row.is_listed())
    }

    /// The rows of the bin, oldest record first.
    pub fn bin(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> {
        self.rows.values().filter(|row| row.in_bin && !row.purged)
    }

    /// The row with this key, wherever it is.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<Row>> {
        self.rows.get(self.order.get(key)?)
    }

    /// The place of the row with this key.
    #[must_use]
    pub fn order_of(&self, key: &Key) -> Option<&RowOrder> {
        self.order.get(key)
    }

    /// Every row with its place, binned and purged ones included, oldest record first.
    pub fn placed(&self) -> impl DoubleEndedIterator<Item = (&RowOrder, &Arc<Row>)> {
        self.rows.iter()
    }

    /// The row that shows this label.
    #[must_use]
    pub fn by_label(&self, label: &str) -> Option<&Arc<Row>> {
        self.get(self.labels.get(label)?)
    }

    /// The row of the record that `op` made first.
    pub(crate) fn made_by(&self, op: &ObjId) -> Option<&Arc<Row>> {
        self.rows.get(&RowOrder(op.clone()))
    }

    /// Rows whose record claims this label, in the document's order.
    pub(crate) fn claimants(&self, label: &str) -> impl Iterator<Item = &Arc<Row>> {
        self.claims
            .get(label)
            .into_iter()
            .flatten()
            .filter_map(|(_, key)| self.get(key))
    }

    /// The next number to give: one more than the highest ever used, never falling (D9).
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.counter.max(self.highest_number + 1).max(1)
    }

    /// The number to write as counter when the record at `key` gives up its label; none if the
    /// next number does not follow from that.
    pub(crate) fn number_kept_by(&self, key: &Key) -> Option<u64> {
        let number = self.get(key)?.number?;
        (self.counter <= number && number + 1 == self.next_number()).then_some(number + 1)
    }

    /// What people call the record at `key`.
    pub(crate) fn label_of(&self, key: &Key) -> String {
        self.get(key)
            .map_or_else(|| key.0.clone(), |row| row.label.clone())
    }

    /// How many records there are, binned and purged ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no record at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn set_counter(&mut self, counter: u64) {
        self.counter = counter;
    }

    /// Takes in what the document now holds at `key`. Labels and the next number are right again
    /// after [`View::settle`]: records with one label are not labelled anew for each of them.
    pub(crate) fn put(
        &mut self,
        schema: &Schema,
        key: &Key,
        record: Option<Record>,
        news: &mut News,
    ) {
        let before = self.get(key).cloned();
        let Some(record) = record else {
            let Some(row) = before else { return };
            self.forget(key);
            self.count(row.number, None, news);
            news.claim(&row.claim);
            news.changed.insert(key.clone());
            return;
        };
        let order = RowOrder(record.created.clone());
        let mut row = row_of(schema, key, record);
        let stays = before
            .as_ref()
            .filter(|before| before.claim == row.claim && self.order.get(key) == Some(&order));
        if let Some(before) = stays {
            row.show_label(schema, before.label.clone());
            if **before == row {
                return;
            }
            let numbers = (before.number, row.number);
            self.rows.insert(order, Arc::new(row));
            self.count(numbers.0, numbers.1, news);
            news.changed.insert(key.clone());
            return;
        }
        let (claim, number) = (row.claim.clone(), row.number);
        self.forget(key);
        self.claims
            .entry(claim.clone())
            .or_default()
            .insert(order.clone(), key.clone());
        self.order.insert(key.clone(), order.clone());
        self.rows.insert(order, Arc::new(row));
        let numbered = before.as_ref().and_then(|before| before.number);
        self.count(numbered, number, news);
        news.claim(&claim);
        if let Some(before) = before.filter(|before| before.claim != claim) {
            news.claim(&before.claim);
        }
        news.changed.insert(key.clone());
    }

    /// Does what was left to do; returns the keys of all rows that changed.
    pub(crate) fn settle(&mut self, schema: &Schema, mut news: News) -> BTreeSet<Key> {
        if news.recount {
            // D1: only what stands now counts, not what was seen on the way here.
            let numbers = self.rows.values().filter_map(|row| row.number);
            self.highest_number = numbers.max().unwrap_or(0);
        }
        for claim in &news.claims {
            self.relabel_group(schema, claim, &mut news.changed);
        }
        news.changed
    }

    /// Takes in that a row with the number `before` now has the number `now`.
    fn count(&mut self, before: Option<u64>, now: Option<u64>, news: &mut News) {
        news.recount |= before > now && before == Some(self.highest_number);
        self.highest_number = self.highest_number.max(now.unwrap_or(0));
    }

    fn forget(&mut self, key: &Key) {
        let Some(order) = self.order.remove(key) else {
            return;
        };
        let Some(row) = self.rows.remove(&order) else {
            return;
        };
        if let Some(group) = self.claims.get_mut(&row.claim) {
            group.remove(&order);
            if group.is_empty() {
                self.claims.remove(&row.claim);
            }
        }
        self.release(&row.label, key);
    }

    /// Takes `label` from `key`, unless another record shows it by now.
    fn release(&mut self, label: &str, key: &Key) {
        if self.labels.get(label) == Some(key) {
            self.labels.remove(label);
        }
    }

    /// Gives every record that claims `claim` its label; adds those whose label changes to
    /// `changed`. The first made keeps the label, the others show `claim-2`, `claim-3` … in the
    /// document's order, skipping what other records claim.
    fn relabel_group(&mut self, schema: &Schema, claim: &str, changed: &mut BTreeSet<Key>) {
        let Some(group) = self.claims.get(claim) else {
            return;
        };
        let mut labels = Vec::with_capacity(group.len());
        let mut suffix = 1;
        for (order, key) in group {
            let mut label = claim.to_owned();
            while suffix > 1 {
                label = format!("{claim}-{suffix}");
                if !self.claims.contains_key(&label) {
                    break;
                }
                suffix += 1;
            }
            suffix += 1;
            labels.push((order.clone(), key.clone(), label));
        }
        for (order, key, label) in labels {
            let Some(row) = self.rows.get_mut(&order) else {
                continue;
            };
            if row.label != label {
                let before = row.label.clone();
                Arc::make_mut(row).show_label(schema, label.clone());
                self.release(&before, &key);
                changed.insert(key.clone());
            }
            self.labels.insert(label, key);
        }
    }
}

impl Row {
    fn show_label(&mut self, schema: &Schema, label: String) {
        let shown = match &self.stored_label {
            Some(stored) if text_of(stored) == label => stored.clone(),
            _ => Value::from(label.clone()),
        };
        self.job.insert(schema.label_field.clone(), shown);
        self.label = label;
    }
}

fn row_of(schema: &Schema, key: &Key, record: Record) -> Row {
    let mut conflicts: Vec<String> = record
        .fields
        .iter()
        .filter(|(_, field)| field.is_conflict())
        .map(|(name, _)| name.clone())
        .collect();
    if record
        .run
        .as_ref()
        .is_some_and(crate::record::Field::is_conflict)
    {
        conflicts.push(RUN.to_owned());
    }
    let run = record.current_run().map(|(id, run)| RunRef {
        id: id.to_owned(),
        server: run.server().map(str::to_owned),
    });
    let kept_by_edit = record.removed.is_some() && !record.in_bin;
    let (in_bin, purged) = (record.in_bin, record.purged);
    let labels = record.fields.get(&schema.label_field).into_iter();
    let labels = labels.flat_map(|field| field.candidates());
    let number = labels
        .filter_map(|label| schema.label_number(&text_of(&label.value)))
        .max();
    let job = record.into_values();
    let stored_label = job.get(&schema.label_field).cloned();
    let claim = match &stored_label {
        Some(Value::Null) | None => {
            // A record that another client wrote without a label: named after its key.
            format!(
                "{}{}",
                schema.label_prefix,
                key.0.chars().take(10).collect::<String>()
            )
        }
        Some(label) => text_of(label),
    };
    let number = number.max(schema.label_number(&claim));
    Row {
        key: key.clone(),
        job,
        in_bin,
        kept_by_edit,
        conflicts,
        run,
        label: String::new(),
        claim,
        number,
        stored_label,
        purged,
    }
}
