//! One record's own history: who changed which field, when, from what to what.

use std::collections::HashSet;

use automerge::{Change, ChangeHash, ObjId, legacy};
use serde::Serialize;
use serde_json::{Map, Value};

use super::diff::FieldChange;
use super::names::Names;
use super::walk::Walk;
use super::{Happened, LOG_ENTRIES_MAX, Made, VersionError, find};
use crate::document::Document;
use crate::edit::Key;

/// One page of a record's history.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordLog {
    /// What the record is called now.
    pub label: String,
    /// Newest first.
    pub entries: Vec<RecordEntry>,
    /// What to pass for the page after it; none on the last.
    pub next: Option<String>,
}

/// What one change did to a record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordEntry {
    /// The name of the version that the change made.
    pub version: String,
    /// That version's heads in full: with all that stands below it in the document's log.
    pub heads: Vec<String>,
    /// Who, when and with which words.
    #[serde(flatten)]
    pub made: Made,
    /// What became of the record.
    pub happened: Happened,
    /// The fields that it changed, as its writer saw them before and after.
    pub fields: Vec<FieldChange>,
}

/// A record as one version shows it.
#[derive(Default)]
struct Then {
    exists: bool,
    listed: bool,
    fields: Map<String, Value>,
}

impl Document {
    /// One page of the history of the record at `key`, at most `limit` entries, from behind
    /// `after`: the [`next`](RecordLog::next) of the page before.
    ///
    /// Reads every change since the record was made: as long as a second at 10,000 records.
    ///
    /// # Errors
    ///
    /// [`VersionError::NoSuchRecord`], [`VersionError::Unknown`] for `after`.
    pub fn record_log(
        &self,
        key: &Key,
        after: Option<&str>,
        limit: usize,
    ) -> Result<RecordLog, VersionError> {
        let no_such = || VersionError::NoSuchRecord { key: key.0.clone() };
        let record = self.record(key).ok_or_else(no_such)?;
        let made_by = self.automerge().hash_for_opid(&record.created);
        let made_by = made_by.and_then(|hash| self.automerge().get_change_meta_by_hash(&hash));
        let touching = self.touching(key, &made_by.map(|made| made.deps).unwrap_or_default());
        let mut walk = Walk::new(self.automerge());
        let names = Names::new(walk.hashes());
        if let Some(after) = after {
            let cursor: ChangeHash = after.parse().map_err(|_| find::unknown(after))?;
            while walk.next().ok_or_else(|| find::unknown(after))? != cursor {}
        }
        let mut entries = Vec::new();
        let (mut last, mut next) = (None, None);
        while let Some(hash) = walk.peek() {
            if !touching.contains(&hash) {
                walk.next();
                continue;
            }
            let heads = walk.heads();
            walk.next();
            let Some(mut entry) = self.record_entry(key, &hash) else {
                continue;
            };
            if entries.len() >= limit.clamp(1, LOG_ENTRIES_MAX) {
                next = last.map(|last: ChangeHash| last.to_string());
                break;
            }
            entry.version = names.of(&heads);
            entry.heads = heads.iter().map(ToString::to_string).collect();
            entries.push(entry);
            last = Some(hash);
        }
        let label = self.label_of(key);
        Ok(RecordLog {
            label,
            entries,
            next,
        })
    }

    /// The changes after `since` that wrote to the record at `key` or to anything in it.
    fn touching(&self, key: &Key, since: &[ChangeHash]) -> HashSet<ChangeHash> {
        let mut collections: HashSet<ObjId> = self.collections(self.reader()).into_iter().collect();
        let mut parts: HashSet<ObjId> = HashSet::new();
        let mut touching = HashSet::new();
        for change in self.changes_since(since) {
            if self.writes_to(key, &change, &mut collections, &mut parts) {
                touching.insert(change.hash());
            }
        }
        touching
    }

    fn writes_to(
        &self,
        key: &Key,
        change: &Change,
        collections: &mut HashSet<ObjId>,
        parts: &mut HashSet<ObjId>,
    ) -> bool {
        let decoded = change.decode();
        let mut writes = false;
        for (nth, op) in (0..).zip(&decoded.operations) {
            let made = || ObjId::Id(decoded.start_op.get() + nth, decoded.actor_id.clone(), 0);
            let is_make = matches!(op.action, legacy::OpType::Make(_));
            let legacy::ObjectId::Id(id) = &op.obj else {
                let is_collection =
                    matches!(&op.key, legacy::Key::Map(name) if *name == *self.schema().collection);
                if is_make && is_collection {
                    collections.insert(made());
                }
                continue;
            };
            let obj = ObjId::Id(id.counter(), id.actor().clone(), 0);
            let at_key = || matches!(&op.key, legacy::Key::Map(name) if *name == *key.0);
            if parts.contains(&obj) || (collections.contains(&obj) && at_key()) {
                writes = true;
                if is_make {
                    parts.insert(made());
                }
            }
        }
        writes
    }

    /// What the change `hash` did to the record; none if nobody could see it.
    fn record_entry(&self, key: &Key, hash: &ChangeHash) -> Option<RecordEntry> {
        let meta = self.automerge().get_change_meta_by_hash(hash)?;
        let (before, after) = (self.then(key, &meta.deps), self.then(key, &[*hash]));
        let happened = match (before.listed, after.listed) {
            (_, true) if !before.exists => Happened::Added,
            (false, true) => Happened::Restored,
            (true, false) => Happened::Removed,
            _ => Happened::Changed,
        };
        let fields = self.fields(&before.fields, &after.fields);
        if happened == Happened::Changed && fields.is_empty() {
            return None;
        }
        Some(RecordEntry {
            version: String::new(),
            heads: Vec::new(),
            made: self.made(hash),
            happened,
            fields,
        })
    }

    fn then(&self, key: &Key, heads: &[ChangeHash]) -> Then {
        if heads.is_empty() {
            return Then::default();
        }
        let from = self.reader_at(heads);
        self.record_in(from, key)
            .map_or_else(Then::default, |record| Then {
                exists: true,
                listed: !record.in_bin,
                fields: record.into_values(),
            })
    }
}
