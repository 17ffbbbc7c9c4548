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

use automerge::iter::MapRangeItem;
use automerge::{ObjId, ObjType};
use base64::Engine as _;
use litemap::LiteMap;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::limits::VALUE_DEPTH_MAX;
use crate::read::Reader;
use crate::sorted::by_key;
use crate::value;

/// The register that names the current run.
pub(crate) const RUN: &str = "run";
/// The map of all runs.
pub(crate) const RUNS: &str = "runs";
/// The fingerprint of the record as it was when it was removed (D6).
pub(crate) const REMOVED: &str = "removed";
/// The fingerprint of what was left when the bin was emptied of this record.
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
    /// The operation made an object, in which further operations may stand.
    made: bool,
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

    /// Whether `value` is among those that stand here.
    fn holds(&self, value: &Value) -> bool {
        let mut values = self.candidates.iter().map(|candidate| &candidate.value);
        values.any(|other| other == value)
    }

    /// The field without the values that are not `wanted`; none if that leaves nothing.
    fn of_which(mut self, wanted: impl Fn(&Value) -> bool) -> Option<Self> {
        self.candidates.retain(|candidate| wanted(&candidate.value));
        (!self.candidates.is_empty()).then_some(self)
    }

    /// Edited apart to different values (D4). Equal values are no conflict.
    pub(crate) fn is_conflict(&self) -> bool {
        let winner = self.value();
        self.candidates
            .iter()
            .any(|other| !value::same(&other.value, winner))
    }

    /// The maps that hold this field, each once.
    pub(crate) fn homes(&self) -> impl Iterator<Item = &ObjId> {
        let homes = self.candidates.iter().map(|candidate| &candidate.home);
        homes.enumerate().filter_map(|(nth, home)| {
            let before = self.candidates[..nth].iter();
            (!before.map(|other| &other.home).any(|other| other == home)).then_some(home)
        })
    }
}

/// One run of a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The maps that hold it, newest last.
    pub(crate) maps: Vec<ObjId>,
    pub(crate) fields: LiteMap<String, Field>,
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
    pub(crate) fields: LiteMap<String, Field>,
    /// The register that names the current run: of its values those whose run is there, as a run
    /// may be chosen apart from a purge that empties it.
    pub(crate) run: Option<Field>,
    /// The maps that hold the runs.
    pub(crate) runs_maps: Vec<ObjId>,
    pub(crate) runs: LiteMap<String, Run>,
    pub(crate) removed: Option<Field>,
    /// Removed, and not edited apart from the removal.
    pub(crate) in_bin: bool,
    /// In the bin, and emptied for good.
    pub(crate) purged: bool,
}

impl Record {
    /// The record made of `maps`, all of which stand at its key. None if there is no map.
    pub(crate) fn read(from: Reader<'_>, mut maps: Vec<ObjId>) -> Option<Self> {
        maps.sort_unstable();
        let created = maps.first()?.clone();
        let mut runs_maps = Vec::new();
        let mut fields = read_fields(from, &maps, |home, item| {
            if item.key != RUNS {
                return false;
            }
            runs_maps.extend(maps_of(from, home, item));
            true
        });
        runs_maps.sort_unstable();
        let runs = read_runs(from, &runs_maps);
        let is_there = |id: &Value| id.as_str().is_some_and(|id| runs.contains_key(id));
        let run = fields.remove(RUN).and_then(|run| run.of_which(is_there));
        let removed = fields.remove(REMOVED);
        let purged = fields.remove(PURGED);
        let mut record = Self {
            maps,
            created,
            fields,
            run,
            runs_maps,
            runs,
            removed,
            in_bin: false,
            purged: false,
        };
        if let Some(removed) = &record.removed {
            let now = Value::from(record.fingerprint(from));
            record.in_bin = removed.holds(&now);
            // Before purges told what they left, they said `true`.
            let holds = |purged: Field| purged.holds(&now) || purged.holds(&Value::Bool(true));
            record.purged = record.in_bin && purged.is_some_and(holds);
        }
        Some(record)
    }

    /// Where new writes go.
    pub(crate) fn home(&self) -> &ObjId {
        &self.maps[self.maps.len() - 1]
    }

    pub(crate) fn current_run(&self) -> Option<(&str, &Run)> {
        let id = self.run.as_ref()?.value().as_str()?;
        self.runs.get(id).map(|run| (id, run))
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

    /// As [`Record::values`], without copying them.
    pub(crate) fn into_values(mut self) -> Map<String, Value> {
        let id = self.run.as_ref().and_then(|run| run.value().as_str());
        let run = id.and_then(|id| self.runs.remove(id)).unwrap_or_default();
        let of_run = run.fields.into_iter().filter(|(name, _)| name != SERVER);
        let fields = of_run.chain(self.fields);
        value::to_map(
            fields.filter_map(|(name, mut field)| Some((name, field.candidates.pop()?.value))),
        )
    }

    /// A digest of the operations that stand in the record, runs and removal excluded: equal
    /// exactly while nobody has edited it (D6).
    pub(crate) fn fingerprint(&self, from: Reader<'_>) -> String {
        let mut ops: Vec<(String, ObjId)> = Vec::new();
        for (name, field) in self
            .fields
            .iter()
            .chain(self.run.iter().map(|run| (RUN_NAME, run)))
        {
            for candidate in field.candidates() {
                ops.push((name.clone(), candidate.op.clone()));
                if candidate.made {
                    collect_ops(from, &candidate.op, name, 0, &mut ops);
                }
            }
        }
        let mut hash = Sha256::new();
        for (path, op) in by_key(&ops, |op| *op) {
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
    from: Reader<'_>,
    op: &ObjId,
    path: &str,
    depth: usize,
    ops: &mut Vec<(String, ObjId)>,
) {
    if depth >= VALUE_DEPTH_MAX {
        return;
    }
    match from.kind(op) {
        Some(ObjType::Map | ObjType::Table) => {
            for item in from.items(op) {
                let path = format!("{path}/{}", item.key);
                for (_, id) in from.all(op, item.key.as_ref()) {
                    collect_ops(from, &id, &path, depth + 1, ops);
                    ops.push((path.clone(), id));
                }
            }
        }
        Some(ObjType::List) => {
            for item in from.list(op) {
                let id = item.id();
                collect_ops(from, &id, path, depth + 1, ops);
                ops.push((path.to_owned(), id));
            }
        }
        Some(ObjType::Text) => {
            // A text's letters are its operations: its content stands for them.
            if let Some(text) = from.text(op) {
                ops.push((format!("{path}={text}"), op.clone()));
            }
        }
        None => {}
    }
}

/// The fields that stand in any of `maps`, each with all its values, but for those that `skip`
/// takes.
fn read_fields(
    from: Reader<'_>,
    maps: &[ObjId],
    mut skip: impl FnMut(&ObjId, &MapRangeItem<'_>) -> bool,
) -> LiteMap<String, Field> {
    let mut fields: LiteMap<String, Field> = LiteMap::new();
    for home in maps {
        let candidate = |value: &automerge::Value<'_>, op: ObjId| Candidate {
            value: value::read(from, value, &op),
            made: value.is_object(),
            home: home.clone(),
            op,
        };
        for item in from.items(home) {
            if skip(home, &item) {
                continue;
            }
            let candidates: Vec<Candidate> = if item.conflict {
                let all = from.all(home, &item.key).into_iter();
                all.map(|(value, op)| candidate(&value, op)).collect()
            } else {
                let op = item.id();
                vec![candidate(&automerge::Value::from(item.value), op)]
            };
            if let Some(field) = fields.get_mut(item.key.as_ref()) {
                field.candidates.extend(candidates);
            } else if !candidates.is_empty() {
                fields.insert(item.key.into_owned(), Field { candidates });
            }
        }
    }
    for (_, field) in fields.iter_mut() {
        field.candidates.sort_unstable_by(|a, b| a.op.cmp(&b.op));
    }
    fields
}

/// The maps that stand at `item` of `home`.
pub(crate) fn maps_of(from: Reader<'_>, home: &ObjId, item: &MapRangeItem<'_>) -> Vec<ObjId> {
    if item.conflict {
        from.maps_at(std::slice::from_ref(home), &item.key)
    } else if matches!(item.value, automerge::ValueRef::Object(ObjType::Map)) {
        vec![item.id()]
    } else {
        Vec::new()
    }
}

fn read_runs(from: Reader<'_>, runs_maps: &[ObjId]) -> LiteMap<String, Run> {
    let mut runs: LiteMap<String, Run> = LiteMap::new();
    for home in runs_maps {
        for item in from.items(home) {
            let maps = maps_of(from, home, &item);
            if !maps.is_empty() {
                runs.entry(item.key.into_owned())
                    .or_default()
                    .maps
                    .extend(maps);
            }
        }
    }
    for (_, run) in runs.iter_mut() {
        run.maps.sort_unstable();
        run.fields = read_fields(from, &run.maps, |_, _| false);
    }
    runs
}
