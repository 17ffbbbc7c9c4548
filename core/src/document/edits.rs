//! Applying an edit: what each means for the document.

use std::collections::{BTreeSet, HashSet};

use automerge::transaction::{Transactable, Transaction};
use automerge::{ChangeHash, ObjId};
use serde_json::{Map, Value};

use super::Document;
use super::writer::{delete_field, new_record, new_run, ordered_run, set_field, settle};
use crate::blob::Blob;
use crate::edit::{Edit, EditError, Key, RunOrder, StampedEdit};
use crate::id::derived_key;
use crate::limits::{DOCUMENT_RECORDS_MAX, JSON_DEPTH_MAX, RECORD_FIELDS_MAX, TEXT_BYTES_MAX};
use crate::record::{Field, PURGED, REMOVED, RUN, RUNS, Record, Run, is_reserved};
use crate::time::Millis;

/// What an edit did.
#[derive(Clone, Debug, Default)]
pub struct Edited {
    /// The records whose rows changed.
    pub keys: BTreeSet<Key>,
    /// Images lifted out of the values that were given.
    pub blobs: Vec<Blob>,
}

impl Document {
    /// Applies `edit` as one change of this replica's actor. An edit that asks for what is
    /// already so makes no change.
    ///
    /// # Errors
    ///
    /// [`EditError`]: it was refused, and nothing changed.
    pub fn edit(&mut self, stamped: &StampedEdit) -> Result<Edited, EditError> {
        let at = stamped.at;
        match &stamped.edit {
            Edit::Insert { key, record, order } => self.insert(at, key, record, order.as_ref()),
            Edit::Change { key, set, unset } => {
                let run_id = derived_key("r", &[stamped.id.0.as_bytes(), key.0.as_bytes()]);
                self.change(at, key, set, unset, &run_id)
            }
            Edit::Remove { keys } => self.remove(at, keys),
            Edit::Restore { keys } => self.restore_from_bin(at, keys),
            Edit::Purge { keys } => self.purge(at, keys),
            Edit::Run { keys, orders } => self.order(at, keys, orders),
            Edit::Progress { key, run_id, set } => self.progress(at, key, run_id, set),
            Edit::Resolve {
                key,
                field,
                value,
                seen,
            } => self.resolve(at, key, field, value, seen),
            Edit::Return { heads } => self.return_to(stamped, heads),
        }
    }

    fn insert(
        &mut self,
        at: Millis,
        key: &Key,
        record: &Map<String, Value>,
        order: Option<&RunOrder>,
    ) -> Result<Edited, EditError> {
        if !key.is_well_formed() {
            return Err(EditError::BadKey {
                found: key.0.clone(),
            });
        }
        if self.view().get(key).is_some() {
            return Ok(Edited::default());
        }
        check_record(record)?;
        let records = self.view().len() + 1;
        if records > DOCUMENT_RECORDS_MAX {
            return Err(EditError::TooMany {
                what: "records",
                found: records,
                max: DOCUMENT_RECORDS_MAX,
            });
        }
        let schema = self.schema().clone();
        let mut fields = schema.defaults.clone();
        fields.extend(record.clone());
        if fields.get(&schema.label_field).is_none_or(Value::is_null) {
            let label = if schema.label_prefix.is_empty() {
                key.0.clone()
            } else {
                schema.label(self.view().next_number())
            };
            fields.insert(schema.label_field.clone(), Value::from(label));
        }
        if !schema.run_fields.is_empty() {
            fields
                .entry(schema.created_field.clone())
                .or_insert_with(|| Value::from(at.0));
        }
        self.labels_to_keys(&mut fields);
        let blobs = self.lift_blobs(&mut fields);
        let run_id = derived_key("r", &[key.0.as_bytes()]);
        let ordered = order.map(|order| (order.run_id.as_str(), order.server.as_str()));
        let stored = new_record(&schema, fields, &run_id, ordered);
        let collection = self.collection().clone();
        self.write(at.seconds(), None, |tx| {
            Ok(crate::value::put(tx, &collection, &key.0, &stored)?)
        })?;
        Ok(Edited {
            keys: self.refresh([key.clone()]),
            blobs,
        })
    }

    fn change(
        &mut self,
        at: Millis,
        key: &Key,
        set: &Map<String, Value>,
        unset: &[String],
        run_id: &str,
    ) -> Result<Edited, EditError> {
        let record = self.record_or(key)?;
        check_record(set)?;
        if let Some(name) = unset.iter().find(|name| is_reserved(name)) {
            return Err(reserved(name));
        }
        let mut set = set.clone();
        self.labels_to_keys(&mut set);
        let blobs = self.lift_blobs(&mut set);
        let schema = self.schema().clone();
        // D9: a number once used stays used, also when nobody bears it any more.
        let label = &schema.label_field;
        let relabels = set.contains_key(label) || unset.contains(label);
        let counter = relabels.then(|| self.view().number_kept_by(&schema, key));
        let counter = schema.counter.as_ref().zip(counter.flatten());
        self.write(at.seconds(), None, |tx| {
            if let Some((name, number)) = counter {
                crate::value::put(tx, &ObjId::Root, name, &Value::from(number))?;
            }
            let (run_set, own_set): (Map<_, _>, Map<_, _>) = set
                .into_iter()
                .partition(|(name, _)| schema.is_run_field(name));
            for (name, value) in &own_set {
                set_field(tx, record.home(), record.fields.get(name), name, value)?;
            }
            let mut run = record
                .current_run()
                .map(|(_, run)| run.values())
                .unwrap_or_default();
            let before = run.clone();
            run.extend(run_set);
            for name in unset {
                if schema.is_run_field(name) {
                    run.remove(name);
                } else if let Some(field) = record.fields.get(name) {
                    delete_field(tx, field, name)?;
                }
            }
            if !crate::value::same(&Value::Object(before), &Value::Object(run.clone())) {
                new_run(tx, &record, run_id, &run, None)?;
            }
            Ok(())
        })?;
        if counter.is_some() {
            self.read_counter();
        }
        Ok(Edited {
            keys: self.refresh([key.clone()]),
            blobs,
        })
    }

    fn remove(&mut self, at: Millis, keys: &[Key]) -> Result<Edited, EditError> {
        self.each(at, keys, |document, tx_keys| {
            let mut writes = Vec::new();
            for key in tx_keys {
                let record = document.record_or(key)?;
                if !record.in_bin {
                    let fingerprint = record.fingerprint(document.automerge());
                    writes.push((record, fingerprint));
                }
            }
            Ok(move |tx: &mut Transaction<'_>| {
                for (record, fingerprint) in &writes {
                    remove_record(tx, record, fingerprint)?;
                }
                Ok(())
            })
        })
    }

    fn restore_from_bin(&mut self, at: Millis, keys: &[Key]) -> Result<Edited, EditError> {
        self.each(at, keys, |document, tx_keys| {
            let records: Result<Vec<_>, _> =
                tx_keys.iter().map(|key| document.record_or(key)).collect();
            let records = records?;
            Ok(move |tx: &mut Transaction<'_>| {
                for record in records.iter().filter(|record| !record.purged) {
                    restore_record(tx, record)?;
                }
                Ok(())
            })
        })
    }

    fn purge(&mut self, at: Millis, keys: &[Key]) -> Result<Edited, EditError> {
        let schema = self.schema().clone();
        self.each(at, keys, |document, tx_keys| {
            let mut writes = Vec::new();
            for key in tx_keys {
                let record = document.record_or(key)?;
                if !record.in_bin {
                    let label = document.label_of(key);
                    return Err(EditError::NotInBin { label });
                }
                let mut rest = record.clone();
                rest.fields
                    .retain(|name, _| name == &schema.label_field || name == &schema.created_field);
                rest.run = None;
                let fingerprint = rest.fingerprint(document.automerge());
                writes.push((record, rest, fingerprint));
            }
            Ok(move |tx: &mut Transaction<'_>| {
                for (record, rest, fingerprint) in &writes {
                    for (name, field) in &record.fields {
                        if !rest.fields.contains_key(name) {
                            delete_field(tx, field, name)?;
                        }
                    }
                    if let Some(run) = &record.run {
                        delete_field(tx, run, RUN)?;
                    }
                    for map in &record.maps {
                        if tx_holds(tx, map, RUNS) {
                            tx.delete(map, RUNS)?;
                        }
                    }
                    tx.put(record.home(), PURGED, true)?;
                    remove_record(tx, record, fingerprint)?;
                }
                Ok(())
            })
        })
    }

    fn order(
        &mut self,
        at: Millis,
        keys: &[Key],
        orders: &[RunOrder],
    ) -> Result<Edited, EditError> {
        if keys.len() != orders.len() {
            return Err(EditError::NotAllowed {
                field: "orders".to_owned(),
                found: format!("{} orders for {} records", orders.len(), keys.len()),
                allowed: "one order for each record".to_owned(),
            });
        }
        let run = ordered_run(self.schema());
        let orders = orders.to_vec();
        self.each(at, keys, |document, tx_keys| {
            let mut records = Vec::new();
            for key in tx_keys {
                let record = document.record_or(key)?;
                if record.in_bin {
                    let label = document.label_of(key);
                    return Err(EditError::InBin {
                        label,
                        action: "run",
                    });
                }
                records.push(record);
            }
            Ok(move |tx: &mut Transaction<'_>| {
                for (record, order) in records.iter().zip(&orders) {
                    new_run(tx, record, &order.run_id, &run, Some(&order.server))?;
                }
                Ok(())
            })
        })
    }

    fn progress(
        &mut self,
        at: Millis,
        key: &Key,
        run_id: &str,
        set: &Map<String, Value>,
    ) -> Result<Edited, EditError> {
        let record = self.record_or(key)?;
        check_record(set)?;
        if let Some(name) = set.keys().find(|name| !self.schema().is_run_field(name)) {
            return Err(EditError::NotAllowed {
                field: name.clone(),
                found: "not a field of a run".to_owned(),
                allowed: self.schema().run_fields.join(", "),
            });
        }
        let Some(run) = record.runs.get(run_id) else {
            let label = self.label_of(key);
            return Err(EditError::NoSuchRun {
                label,
                run_id: run_id.to_owned(),
            });
        };
        let mut set = set.clone();
        let blobs = self.lift_blobs(&mut set);
        self.write(at.seconds(), None, |tx| {
            if let Some(home) = run.maps.last() {
                for (name, value) in &set {
                    set_field(tx, home, run.fields.get(name), name, value)?;
                }
            }
            Ok(())
        })?;
        Ok(Edited {
            keys: self.refresh([key.clone()]),
            blobs,
        })
    }

    fn resolve(
        &mut self,
        at: Millis,
        key: &Key,
        name: &str,
        value: &Value,
        seen: &[String],
    ) -> Result<Edited, EditError> {
        let record = self.record_or(key)?;
        let field = if name == RUN {
            record.run.as_ref()
        } else {
            record.fields.get(name)
        };
        let standing: HashSet<String> = field
            .iter()
            .flat_map(|field| field.candidates())
            .map(|candidate| op_name(&candidate.op))
            .collect();
        let (Some(field), true) = (field, standing == seen.iter().cloned().collect()) else {
            return Err(EditError::Moved {
                label: self.label_of(key),
                field: name.to_owned(),
            });
        };
        if name == RUN
            && !value
                .as_str()
                .is_some_and(|id| record.runs.contains_key(id))
        {
            let label = self.label_of(key);
            return Err(EditError::NoSuchRun {
                label,
                run_id: crate::view::text_of(value),
            });
        }
        let mut holder = Map::new();
        holder.insert(name.to_owned(), value.clone());
        let blobs = self.lift_blobs(&mut holder);
        let value = holder.remove(name).unwrap_or(Value::Null);
        self.write(at.seconds(), None, |tx| settle(tx, field, name, &value))?;
        Ok(Edited {
            keys: self.refresh([key.clone()]),
            blobs,
        })
    }

    /// D11: what differs from the version at `heads` is written again as it was there.
    fn return_to(&mut self, stamped: &StampedEdit, heads: &[String]) -> Result<Edited, EditError> {
        let heads: Result<Vec<ChangeHash>, _> = heads
            .iter()
            .map(|text| {
                let unknown = || EditError::NoSuchVersion {
                    found: text.clone(),
                };
                let hash: ChangeHash = text.parse().map_err(|_| unknown())?;
                self.has(&[hash]).then_some(hash).ok_or_else(unknown)
            })
            .collect();
        let past = self.at(&heads?)?;
        let keys: Vec<Key> = self.view().all().map(|row| row.key.clone()).collect();
        let mut plans = Vec::new();
        for key in keys {
            let Some(now) = self.record(&key) else {
                continue;
            };
            let then = past.record(&key);
            let fingerprint = now.fingerprint(self.automerge());
            plans.push((key, now, then, fingerprint));
        }
        let schema = self.schema().clone();
        let edit_id = stamped.id.0.clone();
        let empty = Value::Object(Map::new());
        self.write(stamped.at.seconds(), None, |tx| {
            for (key, now, then, fingerprint) in &plans {
                let Some(then) = then else {
                    if !now.in_bin {
                        remove_record(tx, now, fingerprint)?;
                    }
                    continue;
                };
                if then.purged {
                    continue;
                }
                let (run_then, own_then): (Map<_, _>, Map<_, _>) = then
                    .values()
                    .into_iter()
                    .partition(|(name, _)| schema.is_run_field(name));
                for (name, value) in &own_then {
                    let field = now.fields.get(name);
                    if field.is_none_or(|field| !crate::value::same(field.value(), value)) {
                        set_field(tx, now.home(), field, name, value)?;
                    }
                }
                for (name, field) in &now.fields {
                    if !own_then.contains_key(name) {
                        delete_field(tx, field, name)?;
                    }
                }
                let run_then = Value::Object(run_then);
                let equals =
                    |run: &Run| crate::value::same(&Value::Object(run.values()), &run_then);
                if !now
                    .current_run()
                    .map_or_else(|| run_then == empty, |(_, run)| equals(run))
                {
                    let same_run = then
                        .current_run()
                        .and_then(|(id, _)| now.runs.get(id).filter(|run| equals(run)).map(|_| id));
                    let made = derived_key("r", &[edit_id.as_bytes(), key.0.as_bytes()]);
                    let run_id = same_run.unwrap_or(&made);
                    if let Value::Object(fields) = &run_then {
                        new_run(tx, now, run_id, fields, None)?;
                    }
                }
                if now.in_bin && !then.in_bin {
                    restore_record(tx, now)?;
                }
            }
            Ok(())
        })?;
        let mut changed = self.refresh(plans.iter().map(|(key, ..)| key.clone()));
        // What was in the bin then goes back there, with the fields that it had.
        let binned: Vec<Key> = plans
            .into_iter()
            .filter(|(key, _, then, _)| {
                then.as_ref().is_some_and(|then| then.in_bin)
                    && self.view().get(key).is_some_and(|row| !row.in_bin)
            })
            .map(|(key, ..)| key)
            .collect();
        changed.extend(self.remove(stamped.at, &binned)?.keys);
        Ok(Edited {
            keys: changed,
            blobs: Vec::new(),
        })
    }

    /// Plans a write for several records, then does it as one change.
    fn each<W>(
        &mut self,
        at: Millis,
        keys: &[Key],
        plan: impl FnOnce(&Self, &[Key]) -> Result<W, EditError>,
    ) -> Result<Edited, EditError>
    where
        W: FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
    {
        let write = plan(self, keys)?;
        self.write(at.seconds(), None, write)?;
        Ok(Edited {
            keys: self.refresh(keys.iter().cloned()),
            blobs: Vec::new(),
        })
    }

    pub(crate) fn label_of(&self, key: &Key) -> String {
        self.view()
            .get(key)
            .map_or_else(|| key.0.clone(), |row| row.label.clone())
    }

    /// Takes images out of `fields`, leaving references.
    pub(crate) fn lift_blobs(&self, fields: &mut Map<String, Value>) -> Vec<Blob> {
        let skip: Vec<&str> = self
            .schema()
            .text_fields
            .iter()
            .map(String::as_str)
            .collect();
        let mut value = Value::Object(std::mem::take(fields));
        let blobs = crate::blob::externalize(&mut value, &skip);
        if let Value::Object(lifted) = value {
            *fields = lifted;
        }
        blobs
    }

    /// D7: turns labels in reference fields into the keys of the records that show them.
    pub(crate) fn labels_to_keys(&self, fields: &mut Map<String, Value>) {
        for path in &self.schema().references.clone() {
            if let Some(text) = at_path(fields, path)
                && let Value::String(label) = &*text
                && self.view().get(&Key(label.clone())).is_none()
                && let Some(row) = self.view().by_label(label)
            {
                *text = Value::from(row.key.0.clone());
            }
        }
    }
}

/// The value at `path` inside `fields`, if it is there.
pub(crate) fn at_path<'a>(
    fields: &'a mut Map<String, Value>,
    path: &[String],
) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    let mut value = fields.get_mut(first)?;
    for name in rest {
        value = value.as_object_mut()?.get_mut(name)?;
    }
    Some(value)
}

/// An operation's name as conflicts list it: `12@<actor>`.
pub(crate) fn op_name(op: &ObjId) -> String {
    match op {
        ObjId::Root => "0".to_owned(),
        ObjId::Id(counter, actor, _) => format!("{counter}@{actor}"),
    }
}

fn tx_holds(tx: &Transaction<'_>, map: &ObjId, name: &str) -> bool {
    use automerge::ReadDoc;
    matches!(tx.get(map, name), Ok(Some(_)))
}

pub(crate) fn remove_record(
    tx: &mut Transaction<'_>,
    record: &Record,
    fingerprint: &str,
) -> Result<(), EditError> {
    let value = Value::from(fingerprint);
    match &record.removed {
        Some(field) => settle(tx, field, REMOVED, &value),
        None => set_field(tx, record.home(), None, REMOVED, &value),
    }
}

pub(crate) fn restore_record(tx: &mut Transaction<'_>, record: &Record) -> Result<(), EditError> {
    record
        .removed
        .as_ref()
        .map_or(Ok(()), |field: &Field| delete_field(tx, field, REMOVED))
}

fn reserved(name: &str) -> EditError {
    EditError::NotAllowed {
        field: name.to_owned(),
        found: "a name that the engine keeps for itself".to_owned(),
        allowed: format!("any name but {RUN}, {RUNS}, {REMOVED} and {PURGED}"),
    }
}

/// Refuses names that are the engine's own, and values that are too large or too deep.
pub(crate) fn check_record(fields: &Map<String, Value>) -> Result<(), EditError> {
    if let Some(name) = fields.keys().find(|name| is_reserved(name)) {
        return Err(reserved(name));
    }
    if fields.len() > RECORD_FIELDS_MAX {
        return Err(EditError::TooMany {
            what: "fields",
            found: fields.len(),
            max: RECORD_FIELDS_MAX,
        });
    }
    fields
        .iter()
        .try_for_each(|(name, value)| check_value(name, value, 1))
}

fn check_value(path: &str, value: &Value, depth: usize) -> Result<(), EditError> {
    let refused = |found: String, allowed: String| {
        Err(EditError::NotAllowed {
            field: path.to_owned(),
            found,
            allowed,
        })
    };
    match value {
        _ if depth > JSON_DEPTH_MAX => refused(
            format!("nested {depth} levels deep"),
            format!("at most {JSON_DEPTH_MAX} levels"),
        ),
        Value::String(text)
            if text.len() > TEXT_BYTES_MAX && crate::blob::from_data_url(text).is_none() =>
        {
            refused(
                format!("a text of {} bytes", text.len()),
                format!("text up to {TEXT_BYTES_MAX} bytes, or a PNG, JPEG, WebP or GIF image"),
            )
        }
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_value(path, item, depth + 1)),
        Value::Object(map) => map
            .iter()
            .try_for_each(|(name, value)| check_value(&format!("{path}.{name}"), value, depth + 1)),
        _ => Ok(()),
    }
}
