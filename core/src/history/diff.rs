//! What differs between two versions.

use std::sync::Arc;

use automerge::ChangeHash;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::document::{Document, FROM, Moment, at_path};
use crate::edit::Key;
use crate::sorted::by_key;
use crate::view::{Row, View};

/// What one has to do to get from one version to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diff {
    /// Records that are listed in one of the versions and not the same in the other, in the document's order.
    pub records: Vec<RecordChange>,
    /// Fields of the file outside its records.
    pub root: Vec<FieldChange>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It is new.
    Added,
    /// It came back from the bin.
    Restored,
    /// It is not listed any more.
    Removed,
    /// Its fields differ.
    Changed,
}

/// A record that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordChange {
    /// Its identity.
    pub key: Key,
    /// What it is called in the version in which it is listed, the second if it is in both.
    pub label: String,
    /// What became of it.
    pub happened: Happened,
    /// The fields that differ, in the order of the file; all of them where it is added or removed.
    pub fields: Vec<FieldChange>,
}

/// A field that differs. Images are told by their address, `blob:sha256-…`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Its name.
    pub field: String,
    /// Its value in the first version; absent if it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Its value in the second version; absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Diff {
    /// Whether both versions say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.root.is_empty()
    }

    /// How many records became so.
    #[must_use]
    pub fn count(&self, happened: Happened) -> usize {
        let all = self.records.iter();
        all.filter(|record| record.happened == happened).count()
    }
}

impl Document {
    /// What differs between the versions `from` and `to`, both of which the document has.
    ///
    /// It is empty exactly if their files hold the same records, in which images count by
    /// their address, and the same further fields.
    #[must_use]
    pub fn diff(&self, from: &[ChangeHash], to: &[ChangeHash]) -> Diff {
        let (from, to) = (Moment::at(self, from), Moment::at(self, to));
        let mut records = Vec::new();
        for after in to.view().all() {
            let before = from.view().get(&after.key);
            if before.is_some_and(|before| Arc::ptr_eq(before, after) && !self.refers(after)) {
                continue;
            }
            records.extend(self.record_change(&from, &to, before, Some(after)));
        }
        for before in from.view().all() {
            if to.view().get(&before.key).is_none() {
                records.extend(self.record_change(&from, &to, Some(before), None));
            }
        }
        let root = |moment: &Moment<'_>| {
            let mut root = moment.root_fields();
            root.remove(FROM);
            if let Some(counter) = &self.schema().counter {
                root.insert(counter.clone(), Value::from(moment.view().next_number()));
            }
            root
        };
        Diff {
            records,
            root: self.fields(&root(&from), &root(&to)),
        }
    }

    /// Whether a label of another record is shown in this one.
    fn refers(&self, row: &Row) -> bool {
        let paths = self.schema().references.iter();
        let mut firsts = paths.filter_map(|path| path.first());
        firsts.any(|name| row.job.contains_key(name))
    }

    fn record_change(
        &self,
        from: &Moment<'_>,
        to: &Moment<'_>,
        before: Option<&Arc<Row>>,
        after: Option<&Arc<Row>>,
    ) -> Option<RecordChange> {
        let listed = |row: &&Arc<Row>| row.is_listed();
        let (was, is) = (before.filter(listed), after.filter(listed));
        let happened = match (was, is) {
            (None, None) => return None,
            (Some(_), None) => Happened::Removed,
            (Some(_), Some(_)) => Happened::Changed,
            (None, Some(_)) if before.is_some() => Happened::Restored,
            (None, Some(_)) => Happened::Added,
        };
        let shown = is.or(was)?;
        let fields_of =
            |row: Option<&Arc<Row>>, view| row.map(|row| self.plain(row, view)).unwrap_or_default();
        // What came back is compared with what was in the bin.
        let compared = was.or(before.filter(|_| happened == Happened::Restored));
        let fields = self.fields(&fields_of(compared, from.view()), &fields_of(is, to.view()));
        if happened == Happened::Changed && fields.is_empty() {
            return None;
        }
        Some(RecordChange {
            key: shown.key.clone(),
            label: shown.label.clone(),
            happened,
            fields,
        })
    }

    /// The record as its file says it, images by address.
    pub(super) fn plain(&self, row: &Row, view: &View) -> Map<String, Value> {
        let mut job = row.job.clone();
        for path in &self.schema().references {
            if let Some(text) = at_path(&mut job, path)
                && let Value::String(key) = &*text
                && let Some(row) = view.get(&Key(key.clone()))
            {
                *text = Value::from(row.label.clone());
            }
        }
        job
    }

    /// The fields that differ, in the order in which they are written.
    pub(super) fn fields(
        &self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Vec<FieldChange> {
        let new = after.keys().filter(|name| !before.contains_key(*name));
        let names = before.keys().chain(new);
        let differing = names.filter(|name| before.get(*name) != after.get(*name));
        let sorted = by_key(differing, |name| {
            (self.schema().rank(name), (*name).clone())
        });
        let change = |name: &String| FieldChange {
            field: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        };
        sorted.into_iter().map(change).collect()
    }
}
