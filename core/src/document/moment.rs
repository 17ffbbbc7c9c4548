//! The document at one version: what a file is compared with, and where its edits are made.
//!
//! At the newest version this is the document itself. At an older one it is the rows of now,
//! but for those that were written to since, which are read as they were: a copy that is a
//! few edits old costs a few records.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use automerge::{Change, ChangeHash};
use serde_json::{Map, Value};

use super::{Document, Draft};
use crate::edit::Key;
use crate::limits::BULK_RECORDS_MIN;
use crate::read::Reader;
use crate::record::Record;
use crate::view::View;

/// A document at one moment of its history.
pub(crate) struct Moment<'d> {
    document: &'d Document,
    /// Sorted, none of them an ancestor of another.
    heads: Vec<ChangeHash>,
    is_now: bool,
    view: Cow<'d, View>,
    newest: i64,
}

impl<'d> Moment<'d> {
    /// The newest version.
    pub(crate) fn now(document: &'d Document) -> Self {
        Self {
            document,
            heads: document.heads(),
            is_now: true,
            view: Cow::Borrowed(&document.view),
            newest: document.newest,
        }
    }

    /// The version that `heads`, all of which the document has, name.
    pub(crate) fn at(document: &'d Document, heads: &[ChangeHash]) -> Self {
        let heads = document.newest_of(heads);
        if heads == document.heads() {
            return Self::now(document);
        }
        let since = document.changes_since(&heads);
        let from = document.reader_at(&heads);
        let ops: usize = since.iter().map(Change::len).sum();
        let touched = (ops <= document.refresh_ops_max())
            .then(|| document.touched(&since))
            .flatten();
        let view = match touched {
            Some(keys) => {
                let mut view = document.view.clone();
                document.refresh_in(&mut view, from, &keys);
                view.set_counter(document.counter_in(from));
                view
            }
            None => document.view_in(from),
        };
        let newest = document.newest_before(&since);
        Self {
            document,
            heads,
            is_now: false,
            view: Cow::Owned(view),
            newest,
        }
    }

    pub(crate) fn document(&self) -> &'d Document {
        self.document
    }

    pub(crate) fn heads(&self) -> &[ChangeHash] {
        &self.heads
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// The newest time among the changes up to here, in seconds.
    pub(crate) fn newest_seconds(&self) -> i64 {
        self.newest
    }

    /// Whether nothing was written before.
    pub(crate) fn is_new(&self) -> bool {
        self.heads == [self.document.first_change]
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        if self.is_now {
            self.document.reader()
        } else {
            self.document.reader_at(&self.heads)
        }
    }

    pub(crate) fn root_fields(&self) -> Map<String, Value> {
        self.document.root_fields_in(self.reader())
    }

    /// Shows `visit` the record of each of `keys` that has one, and where to read more of it.
    pub(crate) fn each_record<'k>(
        &self,
        keys: &[&'k Key],
        mut visit: impl FnMut(&'k Key, Record, Reader<'_>),
    ) {
        let from = self.reader();
        let bulk =
            (keys.len() >= BULK_RECORDS_MIN).then(|| from.gather(self.document.collection()));
        let from = bulk.as_ref().map_or(from, |bulk| from.with(bulk));
        let collections = self.document.collections(from);
        for key in keys {
            let maps = from.maps_at(&collections, &key.0);
            if let Some(record) = Record::read(from, maps) {
                visit(key, record, from);
            }
        }
    }

    /// The number of the newest operation: a version that follows this one has a higher one.
    pub(crate) fn last_op(&self) -> u64 {
        self.heads
            .iter()
            .filter_map(|head| self.document.doc.get_change_meta_by_hash(head))
            .map(|change| change.max_op)
            .max()
            .unwrap_or(0)
    }

    /// A change that follows this version, after `ops_before` operations of others that do.
    pub(crate) fn draft(&self, ops_before: u64) -> Draft<'_> {
        let before = self.last_op().saturating_add(ops_before);
        Draft::new(self.reader(), before.saturating_add(1))
    }
}

impl Document {
    /// Of `heads` those that are no ancestors of another one, sorted.
    pub(crate) fn newest_of(&self, heads: &[ChangeHash]) -> Vec<ChangeHash> {
        let mut heads: BTreeSet<ChangeHash> = heads.iter().copied().collect();
        if heads.len() < 2 || heads.iter().copied().eq(self.heads()) {
            return heads.into_iter().collect();
        }
        let meta = |hash: &ChangeHash| self.doc.get_change_meta_by_hash(hash);
        let oldest = heads
            .iter()
            .filter_map(meta)
            .map(|change| change.max_op)
            .min();
        let mut waiting: Vec<ChangeHash> = heads.iter().copied().collect();
        let mut seen: HashSet<ChangeHash> = HashSet::new();
        while let Some(change) = waiting.pop().as_ref().and_then(meta) {
            // An operation's number is above those of all that came before it.
            for parent in change.deps {
                if seen.insert(parent) {
                    heads.remove(&parent);
                    let reaches = meta(&parent).map(|parent| parent.max_op) >= oldest;
                    waiting.extend(reaches.then_some(parent));
                }
            }
        }
        heads.into_iter().collect()
    }

    /// The newest time of all changes but `since`, in seconds.
    fn newest_before(&self, since: &[Change]) -> i64 {
        let newest_since = since.iter().map(Change::timestamp).max();
        if newest_since.is_none_or(|newest| newest < self.newest) {
            return self.newest;
        }
        let since: HashSet<ChangeHash> = since.iter().map(Change::hash).collect();
        self.doc
            .get_changes_meta(&[])
            .iter()
            .filter(|change| !since.contains(&change.hash))
            .map(|change| change.timestamp)
            .fold(0, i64::max)
    }
}
