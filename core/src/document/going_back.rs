//! Going back to an older version, as a new edit (D11).

use automerge::{ChangeHash, ObjId};
use serde_json::{Map, Value};

use super::edits::{remove_record, restore_record};
use super::writer::{delete_field, new_run, set_field};
use super::{Document, Edited};
use crate::edit::{EditError, Key, StampedEdit};
use crate::id::derived_key;
use crate::record::{Record, Run};

impl Document {
    /// D11: what differs from the version at `heads` is written again as it was there.
    pub(super) fn return_to(
        &mut self,
        stamped: &StampedEdit,
        heads: &[String],
    ) -> Result<Edited, EditError> {
        self.message = "restore"; // Of every change that it takes.
        let returned = self.returned_to(stamped, heads);
        self.message = "";
        returned
    }

    fn returned_to(
        &mut self,
        stamped: &StampedEdit,
        heads: &[String],
    ) -> Result<Edited, EditError> {
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
        let heads = heads?;
        let past = self.reader_at(&heads);
        let bulk = past.gather(self.collection());
        let past = past.with(&bulk);
        let keys: Vec<Key> = self.view().all().map(|row| row.key.clone()).collect();
        let mut plans = Vec::new();
        self.each_record(&keys, |key, now, from| {
            if now.purged {
                return Ok(()); // What was purged does not return.
            }
            let then = self.record_in(past, key);
            let fingerprint = now.fingerprint(from);
            plans.push((key.clone(), now, then, fingerprint));
            Ok(())
        })?;
        let schema = self.schema().clone();
        let edit_id = stamped.id.0.clone();
        let empty = Value::Object(Map::new());
        let next = (schema.counter.as_ref()).map(|name| (name, self.view().next_number()));
        self.write(stamped.at.seconds(), |tx| {
            let relabels = plans.iter().any(|(_, now, then, _)| {
                let label = |record: &Record| {
                    let label = record.fields.get(&schema.label_field);
                    label.map(|label| label.value().clone())
                };
                then.as_ref().is_some_and(|then| label(then) != label(now))
            });
            if let Some((name, next)) = next.filter(|_| relabels) {
                tx.put(&ObjId::Root, name, &Value::from(next))?; // D9.
            }
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
                if !then.in_bin {
                    // Also where an edit kept it: with that edit gone, the removal would hold again.
                    restore_record(tx, now)?;
                }
            }
            Ok(())
        })?;
        self.read_counter();
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
}
