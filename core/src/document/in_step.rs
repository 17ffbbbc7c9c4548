//! Keeps the view of a document in step with its history.

use std::collections::{BTreeSet, HashMap, HashSet};

use automerge::{Change, ObjId, ReadDoc as _, legacy};

use super::Document;
use crate::edit::Key;
use crate::limits::{BULK_RECORDS_MIN, REFRESH_OPS_MIN, VALUE_DEPTH_MAX};
use crate::read::Reader;
use crate::record::Record;
use crate::view::{News, View};

/// Objects between a value that shows and the collection that it is in, at most: those in the
/// field, and the record with its runs.
const PARENTS_MAX: usize = VALUE_DEPTH_MAX + 4;

impl Document {
    /// Reads every record again.
    pub(crate) fn rebuild(&mut self) {
        self.newest = self
            .doc
            .get_changes_meta(&[])
            .iter()
            .map(|change| change.timestamp)
            .fold(0, i64::max);
        self.view = self.view_in(self.reader());
    }

    /// All rows as `from` shows them.
    pub(super) fn view_in(&self, from: Reader<'_>) -> View {
        let bulk = from.gather(&self.collection);
        let from = from.with(&bulk);
        let mut maps: HashMap<String, Vec<ObjId>> = HashMap::new();
        for home in self.collections(from) {
            for item in from.items(&home) {
                let found = crate::record::maps_of(from, &home, &item);
                maps.entry(item.key.into_owned()).or_default().extend(found);
            }
        }
        let (mut view, mut news) = (View::default(), News::default());
        for (key, maps) in maps {
            let record = Record::read(from, maps);
            view.put(&self.schema, &Key(key), record, &mut news);
        }
        view.settle(&self.schema, news);
        view.set_counter(self.counter_in(from));
        view
    }

    /// Reads the records at `keys` again; returns the keys of all rows that changed by it.
    pub(crate) fn refresh(&mut self, keys: impl IntoIterator<Item = Key>) -> BTreeSet<Key> {
        let mut all = BTreeSet::new();
        all.extend(keys);
        let mut view = std::mem::take(&mut self.view);
        let changed = self.refresh_in(&mut view, self.reader(), &all);
        self.view = view;
        changed
    }

    pub(super) fn refresh_in(
        &self,
        view: &mut View,
        from: Reader<'_>,
        keys: &BTreeSet<Key>,
    ) -> BTreeSet<Key> {
        let bulk = (keys.len() >= BULK_RECORDS_MIN).then(|| from.gather(&self.collection));
        let from = bulk.as_ref().map_or(from, |bulk| from.with(bulk));
        let collections = self.collections(from);
        let mut news = News::default();
        for key in keys {
            let record = Record::read(from, from.maps_at(&collections, &key.0));
            view.put(&self.schema, key, record, &mut news);
        }
        view.settle(&self.schema, news)
    }

    /// Takes `changes`, already part of the history, into the view; returns the keys of the
    /// rows that changed.
    ///
    /// A few operations are asked which record each belongs to; for many it is quicker to read
    /// every record again.
    pub(crate) fn take_in(&mut self, changes: &[Change]) -> BTreeSet<Key> {
        for change in changes {
            self.newest = self.newest.max(change.timestamp());
        }
        let ops: usize = changes.iter().map(Change::len).sum();
        if let Some(keys) = (ops <= self.refresh_ops_max())
            .then(|| self.touched(changes))
            .flatten()
        {
            self.read_counter();
            return self.refresh(keys);
        }
        let before = std::mem::take(&mut self.view);
        self.rebuild();
        let now = self.view.all().filter(|row| {
            let moved = before.order_of(&row.key) != self.view.order_of(&row.key);
            moved || before.get(&row.key) != Some(row)
        });
        let gone = before.all().filter(|row| self.view.get(&row.key).is_none());
        now.chain(gone).map(|row| row.key.clone()).collect()
    }

    /// New operations past which every record is read again.
    pub(super) fn refresh_ops_max(&self) -> usize {
        REFRESH_OPS_MIN + self.view.len() / 2
    }

    /// The records that `changes` wrote to; none if they may have written to all.
    pub(super) fn touched(&self, changes: &[Change]) -> Option<BTreeSet<Key>> {
        let collections = self.collections(self.reader());
        let collections: HashSet<ObjId> = collections.into_iter().collect();
        let mut owners: HashMap<ObjId, Option<String>> = HashMap::new();
        let mut keys = BTreeSet::new();
        for change in changes {
            let change = change.decode();
            for (nth, op) in (0..).zip(change.operations) {
                let made = matches!(op.action, legacy::OpType::Make(_))
                    .then(|| ObjId::Id(change.start_op.get() + nth, change.actor_id.clone(), 0));
                let name = match &op.key {
                    legacy::Key::Map(name) => name.as_str(),
                    legacy::Key::Seq(_) => "",
                };
                let legacy::ObjectId::Id(id) = &op.obj else {
                    if name == self.schema.collection {
                        return None;
                    }
                    continue;
                };
                let obj = ObjId::Id(id.counter(), id.actor().clone(), 0);
                if collections.contains(&obj) {
                    keys.insert(Key(name.to_owned()));
                    owners.extend(made.map(|made| (made, Some(name.to_owned()))));
                    continue;
                }
                let owner = owners.entry(obj).or_insert_with_key(|obj| {
                    // Deeper down nothing shows, and each step of a long way costs.
                    let mut parents = self.doc.parents(obj).ok()?.take(PARENTS_MAX);
                    parents.find_map(|parent| match parent.prop {
                        automerge::Prop::Map(key) if collections.contains(&parent.obj) => Some(key),
                        _ => None,
                    })
                });
                let owner = owner.clone();
                if let Some(key) = &owner {
                    keys.insert(Key(key.clone()));
                }
                owners.extend(made.map(|made| (made, owner)));
            }
        }
        Some(keys)
    }
}
