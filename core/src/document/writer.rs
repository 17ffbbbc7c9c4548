//! Writing into records: where a value goes when a record is made of several maps.

use automerge::{AutomergeError, ObjId};
use serde_json::{Map, Value};

use crate::edit::EditError;
use crate::record::{Field, RUN, RUNS, Record, SERVER};
use crate::schema::Schema;
use crate::value;

/// What takes writes: a [`Draft`](super::draft::Draft), and in tests automerge's own transaction,
/// which says what a draft should have written. Each place is written once.
pub(crate) trait Write {
    /// Writes `value` at `prop` of the map `obj`, in place of whatever stood there. What stands
    /// there already is not written again.
    fn put(&mut self, obj: &ObjId, prop: &str, value: &Value) -> Result<(), AutomergeError>;

    /// Removes what stands there, then writes `value`, whether it stood there or not.
    fn put_anew(&mut self, obj: &ObjId, prop: &str, value: &Value) -> Result<(), AutomergeError>;

    /// Makes an empty map there.
    fn put_map(&mut self, obj: &ObjId, prop: &str) -> Result<ObjId, AutomergeError>;

    /// Removes what stands there, if anything does.
    fn delete(&mut self, obj: &ObjId, prop: &str) -> Result<(), AutomergeError>;

    /// The map that stands there, if one does.
    fn map_at(&self, obj: &ObjId, prop: &str) -> Result<Option<ObjId>, AutomergeError>;
}

/// Writes `value` as `name`, where `field` is what stands there now and `home` is the map
/// for fields that stand nowhere yet.
pub(crate) fn set_field(
    tx: &mut dyn Write,
    home: &ObjId,
    field: Option<&Field>,
    name: &str,
    value: &Value,
) -> Result<(), EditError> {
    let Some(field) = field else {
        return Ok(tx.put(home, name, value)?);
    };
    if field.candidates().len() == 1 {
        return Ok(value::assign(
            tx,
            &field.winner().home,
            name,
            Some(field.value()),
            value,
        )?);
    }
    if field.is_conflict() || !value::same(field.value(), value) {
        settle(tx, field, name, value)?;
    }
    Ok(())
}

/// Writes `value` as `name` in place of everything that stands there. Of several values also the
/// shown one is written anew: if it only stayed, nothing would stand against what is chosen apart
/// from this (D4).
pub(crate) fn settle(
    tx: &mut dyn Write,
    field: &Field,
    name: &str,
    value: &Value,
) -> Result<(), EditError> {
    let home = &field.winner().home;
    if field.candidates().len() > 1 && value::same(field.value(), value) {
        tx.put_anew(home, name, value)?;
    } else {
        tx.put(home, name, value)?;
    }
    for other in field.homes().filter(|other| *other != home) {
        tx.delete(other, name)?;
    }
    Ok(())
}

/// Removes `name` from every map that holds it.
pub(crate) fn delete_field(tx: &mut dyn Write, field: &Field, name: &str) -> Result<(), EditError> {
    for home in field.homes() {
        tx.delete(home, name)?;
    }
    Ok(())
}

/// Makes the run `run_id` of `fields` and points the record at it. An equal run that is
/// there already is only pointed at.
pub(crate) fn new_run(
    tx: &mut dyn Write,
    record: &Record,
    run_id: &str,
    fields: &Map<String, Value>,
    server: Option<&str>,
) -> Result<(), EditError> {
    if !record.runs.contains_key(run_id) {
        let runs = match record.runs_maps.last() {
            Some(runs) => runs.clone(),
            None => tx.put_map(record.home(), RUNS)?,
        };
        tx.put(&runs, run_id, &Value::Object(run_object(fields, server)))?;
    }
    set_field(
        tx,
        record.home(),
        record.run.as_ref(),
        RUN,
        &Value::from(run_id),
    )
}

fn run_object(fields: &Map<String, Value>, server: Option<&str>) -> Map<String, Value> {
    let mut fields = fields.clone();
    if let Some(server) = server {
        fields.insert(SERVER.to_owned(), Value::from(server));
    }
    fields
}

/// A run that was ordered: every run field at its default, and `queued`.
pub(crate) fn ordered_run(schema: &Schema) -> Map<String, Value> {
    let mut fields = Map::new();
    for name in &schema.run_fields {
        let value = schema.defaults.get(name).cloned();
        fields.insert(name.clone(), value.unwrap_or(Value::Null));
    }
    fields.insert("status".to_owned(), Value::from("queued"));
    fields
}

/// The stored form of a new record whose JSON is `fields`: the fields of a run go into a run.
pub(crate) fn new_record(
    schema: &Schema,
    mut fields: Map<String, Value>,
    run_id: &str,
    ordered: Option<(&str, &str)>,
) -> Value {
    let names: Vec<String> = fields
        .keys()
        .filter(|name| schema.is_run_field(name))
        .cloned()
        .collect();
    let mut run = Map::new();
    for name in names {
        if let Some(value) = fields.remove(&name) {
            run.insert(name, value);
        }
    }
    let (run_id, run) = match ordered {
        Some((run_id, server)) => (run_id, run_object(&ordered_run(schema), Some(server))),
        None => (run_id, run),
    };
    if !run.is_empty() {
        let mut runs = Map::new();
        runs.insert(run_id.to_owned(), Value::Object(run));
        fields.insert(RUNS.to_owned(), Value::Object(runs));
        fields.insert(RUN.to_owned(), Value::from(run_id));
    } else if !schema.run_fields.is_empty() {
        fields.insert(RUNS.to_owned(), Value::Object(Map::new()));
    }
    Value::Object(fields)
}
