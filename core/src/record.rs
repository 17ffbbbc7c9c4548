//! One record as the document holds it, before it becomes a row.
//!
//! ```text
//! jobs.<key> = { id, prompt, …, run: <runId>, runs: { <runId>: { status, …, server } }, removed?, purged? }
//! ```
//!
//! The same key may hold several maps: two devices that imported the same job apart each
//! made one. Automerge would show one of them and hide the other, with every edit inside
//! it. So all of them are read as one record, field by field: the newest write of a field
//! wins wherever it stands, and a new write goes to one map and removes the others.

use std::collections::BTreeMap;

use automerge::{Automerge, ObjId, ObjType, ReadDoc};
use base64::Engine as _;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::limits::JSON_DEPTH_MAX;
use crate::value;

/// The register that names the current run.
pub(crate) const RUN: &str = "run";
/// The map of all runs.
pub(crate) const RUNS: &str = "runs";
/// The fingerprint of the record as it was when it was removed (D6).
pub(crate) const REMOVED: &str = "removed";
/// Set when the bin was emptied of this record.
pub(crate) const PURGED: &str = "purged";
/// In a run: the device id of the server that was ordered to start it.
pub(crate) const SERVER: &str = "server";

/// Whether `field` is the engine's own, and never part of a record's JSON.
pub(crate) fn is_reserved(field: &str) -> bool {
    matches!(field, RUN | RUNS | REMOVED | PURGED)
}

/// One value that stands at a field, with the operation that put it there.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) op: ObjId,
    pub(crate) home: ObjId,
    pub(crate) value: Value,
}

/// All values that stand at one field; more than one where it was edited apart.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Oldest first; the last is the winner. Never empty.
    candidates: Vec<Candidate>,
}

impl Field {
    pub(crate) fn winner(&self) -> &Candidate {
        // Never empty: a field exists because a candidate does.
        &self.candidates[self.candidates.len() - 1]
    }

    pub(crate) fn value(&self) -> &Value {
        &self.winner().value
    }

    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Edited apart to different values (D4). Equal values are no conflict.
    pub(crate) fn is_conflict(&self) -> bool {
        let winner = self.value();
        self.candidates
            .iter()
            .any(|other| !value::same(&other.value, winner))
    }

    /// The maps that hold this field, the winner's last.
    pub(crate) fn homes(&self) -> impl Iterator<Item = &ObjId> {
        self.candidates.iter().map(|candidate| &candidate.home)
    }
}

/// One run of a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The maps that hold it, newest last.
    pub(crate) maps: Vec<ObjId>,
    pub(crate) fields: BTreeMap<String, Field>,
}

impl Run {
    /// The run's fields without the engine's own.
    pub(crate) fn values(&self) -> Map<String, Value> {
        let mut values = Map::new();
        for (name, field) in self.fields.iter().filter(|(name, _)| *name != SERVER) {
            values.insert(name.clone(), field.value().clone());
        }
        values
    }

    pub(crate) fn server(&self) -> Option<&str> {
        self.fields.get(SERVER)?.value().as_str()
    }
}

/// One record with everything that stands in it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The maps that hold it, newest last; new writes go there.
    pub(crate) maps: Vec<ObjId>,
    /// The operation that made it first: its place in the document's order.
    pub(crate) created: ObjId,
    /// Its own fields, without runs and removal.
    pub(crate) fields: BTreeMap<String, Field>,
    /// The register that names the current run.
    pub(crate) run: Option<Field>,
    /// The maps that hold the runs.
    pub(crate) runs_maps: Vec<ObjId>,
    pub(crate) runs: BTreeMap<String, Run>,
    pub(crate) removed: Option<Field>,
    pub(crate) purged: bool,
    /// Removed, and not edited apart from the removal.
    pub(crate) in_bin: bool,
}

impl Record {
    /// The record made of `maps`, all of which stand at its key. None if there is no map.
    pub(crate) fn read(doc: &Automerge, mut maps: Vec<ObjId>) -> Option<Self> {
        maps.sort_unstable();
        let created = maps.first()?.clone();
        let mut fields = read_fields(doc, &maps, |name| name == RUNS);
        let run = fields.remove(RUN);
        let removed = fields.remove(REMOVED);
        let purged = fields
            .remove(PURGED)
            .is_some_and(|field| field.value() == &Value::Bool(true));
        let runs_maps = maps_at(doc, &maps, RUNS);
        let runs = read_runs(doc, &runs_maps);
        let mut record = Self {
            maps,
            created,
            fields,
            run,
            runs_maps,
            runs,
            removed,
            purged,
            in_bin: false,
        };
        record.in_bin = record.removed.is_some() && {
            let now = Value::from(record.fingerprint(doc));
            let removed = record.removed.iter().flat_map(Field::candidates);
            removed.into_iter().any(|candidate| candidate.value == now)
        };
        Some(record)
    }

    /// Where new writes go.
    pub(crate) fn home(&self) -> &ObjId {
        &self.maps[self.maps.len() - 1]
    }

    pub(crate) fn current_run(&self) -> Option<(&str, &Run)> {
        let id = self.run.as_ref()?.value().as_str()?;
        self.runs
            .get_key_value(id)
            .map(|(id, run)| (id.as_str(), run))
    }

    /// The record as JSON: its fields with those of the current run among them.
    pub(crate) fn values(&self) -> Map<String, Value> {
        let mut values = self
            .current_run()
            .map(|(_, run)| run.values())
            .unwrap_or_default();
        for (name, field) in &self.fields {
            values.insert(name.clone(), field.value().clone());
        }
        values
    }

    /// A digest of the operations that stand in the record, runs and removal excluded: equal
    /// exactly while nobody has edited it (D6).
    pub(crate) fn fingerprint(&self, doc: &Automerge) -> String {
        let mut ops = Vec::new();
        for (name, field) in self
            .fields
            .iter()
            .chain(self.run.iter().map(|run| (RUN_NAME, run)))
        {
            for candidate in field.candidates() {
                ops.push((name.clone(), candidate.op.clone()));
                collect_ops(doc, &candidate.op, name, 0, &mut ops);
            }
        }
        ops.sort_unstable();
        let mut hash = Sha256::new();
        for (path, op) in ops {
            if let ObjId::Id(counter, actor, _) = op {
                hash.update((path.len() as u64).to_be_bytes());
                hash.update(path.as_bytes());
                hash.update(counter.to_be_bytes());
                hash.update(actor.to_bytes());
            }
        }
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
    }
}

static RUN_NAME: &String = &String::new();

/// Adds the operations inside the object that `op` made, if it made one.
fn collect_ops(
    doc: &Automerge,
    op: &ObjId,
    path: &str,
    depth: usize,
    ops: &mut Vec<(String, ObjId)>,
) {
    if depth >= JSON_DEPTH_MAX {
        return;
    }
    match doc.object_type(op) {
        Ok(ObjType::Map | ObjType::Table) => {
            for item in doc.map_range(op, ..) {
                let path = format!("{path}/{}", item.key);
                for (_, id) in doc.get_all(op, item.key.as_ref()).unwrap_or_default() {
                    collect_ops(doc, &id, &path, depth + 1, ops);
                    ops.push((path.clone(), id));
                }
            }
        }
        Ok(ObjType::List) => {
            for item in doc.list_range(op, ..) {
                let id = item.id();
                collect_ops(doc, &id, path, depth + 1, ops);
                ops.push((path.to_owned(), id));
            }
        }
        Ok(ObjType::Text) => {
            // A text's letters are its operations: its content stands for them.
            if let Ok(text) = doc.text(op) {
                ops.push((format!("{path}={text}"), op.clone()));
            }
        }
        Err(_) => {}
    }
}

/// The fields that stand in any of `maps`, each with all its values.
fn read_fields(
    doc: &Automerge,
    maps: &[ObjId],
    skip: impl Fn(&str) -> bool,
) -> BTreeMap<String, Field> {
    let mut fields: BTreeMap<String, Field> = BTreeMap::new();
    for home in maps {
        for item in doc.map_range(home, ..) {
            if skip(&item.key) {
                continue;
            }
            let name = item.key.to_string();
            let field = fields.entry(name).or_insert_with(|| Field {
                candidates: Vec::new(),
            });
            if item.conflict {
                for (found, op) in doc.get_all(home, item.key.as_ref()).unwrap_or_default() {
                    let value = value::read(doc, &found, &op);
                    field.candidates.push(Candidate {
                        op,
                        home: home.clone(),
                        value,
                    });
                }
            } else {
                let op = item.id();
                let value = value::read(doc, &automerge::Value::from(item.value), &op);
                field.candidates.push(Candidate {
                    op,
                    home: home.clone(),
                    value,
                });
            }
        }
    }
    fields.retain(|_, field| !field.candidates.is_empty());
    for field in fields.values_mut() {
        field.candidates.sort_unstable_by(|a, b| a.op.cmp(&b.op));
    }
    fields
}

/// Every map that stands at `prop` of any of `parents`, oldest first.
pub(crate) fn maps_at(doc: &Automerge, parents: &[ObjId], prop: &str) -> Vec<ObjId> {
    let mut maps: Vec<ObjId> = parents
        .iter()
        .flat_map(|parent| doc.get_all(parent, prop).unwrap_or_default())
        .filter(|(value, _)| matches!(value, automerge::Value::Object(ObjType::Map)))
        .map(|(_, id)| id)
        .collect();
    maps.sort_unstable();
    maps
}

fn read_runs(doc: &Automerge, runs_maps: &[ObjId]) -> BTreeMap<String, Run> {
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    for home in runs_maps {
        for item in doc.map_range(home, ..) {
            let run = runs.entry(item.key.to_string()).or_default();
            if item.conflict {
                run.maps
                    .extend(maps_at(doc, std::slice::from_ref(home), &item.key));
            } else if matches!(item.value, automerge::ValueRef::Object(ObjType::Map)) {
                run.maps.push(item.id());
            }
        }
    }
    runs.retain(|_, run| !run.maps.is_empty());
    for run in runs.values_mut() {
        run.maps.sort_unstable();
        run.fields = read_fields(doc, &run.maps, |_| false);
    }
    runs
}
