//! Applying an edit: what each means for the document.

use std::collections::{BTreeSet, HashSet};

use automerge::ObjId;
use serde_json::{Map, Value};

use super::Document;
use super::check::{check_record, reserved};
use super::writer::{Write, delete_field, new_record, new_run, ordered_run, set_field, settle};
use crate::blob::Blob;
use crate::edit::{Edit, EditError, Key, RunOrder, StampedEdit};
use crate::id::derived_key;
use crate::limits::DOCUMENT_RECORDS_MAX;
use crate::record::{Field, PURGED, REMOVED, RUN, Record, is_reserved};
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
        self.write(at.seconds(), |tx| {
            Ok(tx.put(&collection, &key.0, &stored)?)
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
        let label = &schema.label_field;
        let relabels = set.contains_key(label) || unset.contains(label);
        let number = self.number_given_up(key, relabels);
        self.write(at.seconds(), |tx| {
            number.write(tx)?;
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
        self.read_counter();
        Ok(Edited {
            keys: self.refresh([key.clone()]),
            blobs,
        })
    }

    pub(super) fn remove(&mut self, at: Millis, keys: &[Key]) -> Result<Edited, EditError> {
        self.each(at, keys, |document, tx_keys| {
            let mut writes = Vec::new();
            document.each_record(tx_keys, |_, record, from| {
                if !record.in_bin {
                    let fingerprint = record.fingerprint(from);
                    writes.push((record, fingerprint));
                }
                Ok(())
            })?;
            Ok(move |tx: &mut dyn Write| {
                for (record, fingerprint) in &writes {
                    remove_record(tx, record, fingerprint)?;
                }
                Ok(())
            })
        })
    }

    fn restore_from_bin(&mut self, at: Millis, keys: &[Key]) -> Result<Edited, EditError> {
        self.each(at, keys, |document, tx_keys| {
            let mut records = Vec::new();
            document.each_record(tx_keys, |_, record, _| {
                records.push(record);
                Ok(())
            })?;
            Ok(move |tx: &mut dyn Write| {
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
            document.each_record(tx_keys, |key, record, from| {
                if !record.in_bin {
                    let label = document.label_of(key);
                    return Err(EditError::NotInBin { label });
                }
                let mut rest = record.clone();
                rest.fields
                    .retain(|name, _| name == &schema.label_field || name == &schema.created_field);
                rest.run = None;
                let fingerprint = rest.fingerprint(from);
                writes.push((record, rest, fingerprint));
                Ok(())
            })?;
            Ok(move |tx: &mut dyn Write| {
                for (record, rest, fingerprint) in &writes {
                    for (name, field) in &record.fields {
                        if !rest.fields.contains_key(name) {
                            delete_field(tx, field, name)?;
                        }
                    }
                    if let Some(run) = &record.run {
                        delete_field(tx, run, RUN)?;
                    }
                    // Each run, not their map: a run made apart from this would go with it (D6).
                    for map in &record.runs_maps {
                        for (id, _) in record.runs.iter() {
                            tx.delete(map, id)?;
                        }
                    }
                    tx.put(record.home(), PURGED, &Value::from(fingerprint.as_str()))?;
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
            document.each_record(tx_keys, |key, record, _| {
                if record.in_bin {
                    let label = document.label_of(key);
                    return Err(EditError::InBin {
                        label,
                        action: "run",
                    });
                }
                records.push(record);
                Ok(())
            })?;
            Ok(move |tx: &mut dyn Write| {
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
        self.write(at.seconds(), |tx| {
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
        let number = self.number_given_up(key, name == self.schema().label_field);
        self.write(at.seconds(), |tx| {
            number.write(tx)?;
            settle(tx, field, name, &value)
        })?;
        self.read_counter();
        Ok(Edited {
            keys: self.refresh([key.clone()]),
            blobs,
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
        W: FnOnce(&mut dyn Write) -> Result<(), EditError>,
    {
        let write = plan(self, keys)?;
        self.write(at.seconds(), write)?;
        Ok(Edited {
            keys: self.refresh(keys.iter().cloned()),
            blobs: Vec::new(),
        })
    }

    /// D9: a number once used stays used, also when nobody bears it any more.
    fn number_given_up(&self, key: &Key, relabels: bool) -> NumberGivenUp {
        let number = relabels.then(|| self.view().number_kept_by(key)).flatten();
        NumberGivenUp(self.schema().counter.clone().zip(number))
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

/// The counter and what to write there, if a record that gives up its label bore the highest.
struct NumberGivenUp(Option<(String, u64)>);

impl NumberGivenUp {
    fn write(&self, tx: &mut dyn Write) -> Result<(), EditError> {
        if let Some((name, number)) = &self.0 {
            tx.put(&ObjId::Root, name, &Value::from(*number))?;
        }
        Ok(())
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

pub(crate) fn remove_record(
    tx: &mut dyn Write,
    record: &Record,
    fingerprint: &str,
) -> Result<(), EditError> {
    let value = Value::from(fingerprint);
    match &record.removed {
        Some(field) => settle(tx, field, REMOVED, &value),
        None => set_field(tx, record.home(), None, REMOVED, &value),
    }
}

pub(crate) fn restore_record(tx: &mut dyn Write, record: &Record) -> Result<(), EditError> {
    record
        .removed
        .as_ref()
        .map_or(Ok(()), |field: &Field| delete_field(tx, field, REMOVED))
}
