//! Comparing a record of the file with a row: labels in it mean records (D7).

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::resolve::Found;
use crate::document::{Moment, at_path};
use crate::edit::Key;
use crate::plain::file::FileRecord;
use crate::plain::json::Member;
use crate::sorted::by_key;
use crate::value::{same, same_as_parsed};
use crate::view::Row;

/// Which record a label in the file means (D7): one of the file first, then any other.
pub(super) struct Labels<'b> {
    base: &'b Moment<'b>,
    records: &'b [FileRecord],
    found: &'b [Found<'b>],
    /// Made when a reference is first met.
    in_file: OnceCell<HashMap<Cow<'b, str>, &'b Key>>,
    /// Where the fields of the file's first record stand, by name.
    order: OnceCell<Vec<usize>>,
}

impl<'b> Labels<'b> {
    pub(super) fn of(
        base: &'b Moment<'b>,
        records: &'b [FileRecord],
        found: &'b [Found<'b>],
    ) -> Self {
        Self {
            base,
            records,
            found,
            in_file: OnceCell::new(),
            order: OnceCell::new(),
        }
    }

    fn in_file(&self) -> &HashMap<Cow<'b, str>, &'b Key> {
        self.in_file.get_or_init(|| {
            let label_field = &self.base.document().schema().label_field;
            let mut in_file = HashMap::new();
            for (record, found) in self.records.iter().zip(self.found) {
                if let Some(label) = record.get(label_field) {
                    in_file.entry(label.text()).or_insert(found.key.as_ref());
                }
            }
            in_file
        })
    }

    /// Turns labels in reference fields into keys.
    pub(super) fn to_keys(&self, fields: &mut Map<String, Value>) {
        for path in &self.base.document().schema().references {
            if let Some(text) = at_path(fields, path)
                && let Value::String(label) = &*text
            {
                let known = || self.base.view().by_label(label).map(|row| &row.key);
                if let Some(key) = self.in_file().get(label.as_str()).copied().or_else(known) {
                    *text = Value::from(key.0.clone());
                }
            }
        }
    }

    /// Whether `record` says nothing that `row` does not say.
    pub(super) fn says_the_same(&self, row: &Row, record: &FileRecord, versioned: bool) -> bool {
        if versioned && (!row.is_listed() || row.job.len() != record.members.len()) {
            return false;
        }
        // The fields of a row stand by name. Records of one file mostly have their fields in one
        // order, so where a name stands in one record it stands in the next.
        let order = self
            .order
            .get_or_init(|| by_key(0..record.members.len(), |at| &record.members[*at].key));
        if row.job.len() == order.len() && record.members.len() == order.len() {
            let mut pairs = row.job.iter().zip(order);
            let ordered = pairs.all(|((name, now), at)| {
                let member = &record.members[*at];
                member.key == *name && self.is_same(member, now)
            });
            if ordered {
                return true;
            }
        }
        record.members.iter().all(|member| {
            let now = row.job.get(&member.key);
            now.is_some_and(|now| self.is_same(member, now))
        })
    }

    /// Whether the file's field says what the row's does.
    fn is_same(&self, member: &Member, now: &Value) -> bool {
        let references = &self.base.document().schema().references;
        if !references
            .iter()
            .any(|path| path.first() == Some(&member.key))
        {
            return same_as_parsed(&member.node, now);
        }
        let mut fields = Map::new();
        fields.insert(member.key.clone(), member.node.to_value());
        self.to_keys(&mut fields);
        fields
            .get(&member.key)
            .is_some_and(|value| same(now, value))
    }
}
