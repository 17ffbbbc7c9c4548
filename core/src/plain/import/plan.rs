//! What a file asks of a document, and how it becomes changes that are the same everywhere.

use std::collections::{HashMap, HashSet};

use automerge::transaction::Transactable;
use automerge::{ActorId, Change, ReadDoc};
use serde_json::{Map, Value};

use super::resolve;
use super::{ImportError, ImportReport};
use crate::blob::Blob;
use crate::document::{
    Document, FROM, at_path, delete_field, new_record, new_run, remove_record, restore_record,
    set_field,
};
use crate::edit::{EditError, Key};
use crate::id::derived_key;
use crate::limits::{DOCUMENT_RECORDS_MAX, IMPORT_RECORDS_PER_CHANGE_MAX};
use crate::plain::export::is_file_field;
use crate::plain::file::File;
use crate::record::{Field, Record, Run};
use crate::time::Millis;
use crate::value::{put, same};
use crate::view::text_of;

/// What is asked of one record.
enum Step {
    New {
        key: Key,
        stored: Value,
    },
    Alter {
        record: Record,
        fields: Alteration,
        restore: bool,
    },
    Remove {
        record: Record,
        fingerprint: String,
    },
}

/// The fields of one record that differ.
#[derive(Default)]
struct Alteration {
    set: Vec<(String, Value)>,
    unset: Vec<String>,
    run: Option<(String, Map<String, Value>)>,
}

impl Alteration {
    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty() && self.run.is_none()
    }
}

/// What is asked of a document, in an order that follows from file and version alone.
pub(super) struct Plan {
    steps: Vec<Step>,
    root_set: Vec<(String, Value)>,
    root_unset: Vec<String>,
    seconds: i64,
    pub(super) blobs: Vec<Blob>,
    pub(super) report: ImportReport,
}

impl Plan {
    pub(super) fn make(
        base: &mut Document,
        file: File,
        versioned: bool,
        at: Option<Millis>,
    ) -> Result<Self, ImportError> {
        let found = base.view().len() + file.records.len();
        if file.records.len() > DOCUMENT_RECORDS_MAX {
            return Err(EditError::TooMany {
                what: "records",
                found,
                max: DOCUMENT_RECORDS_MAX,
            }
            .into());
        }
        let mut plan = Self {
            steps: Vec::new(),
            root_set: Vec::new(),
            root_unset: Vec::new(),
            seconds: base.newest_seconds(),
            blobs: Vec::new(),
            report: ImportReport {
                records: file.records.len(),
                ..ImportReport::default()
            },
        };
        if let Some(at) = at {
            plan.seconds = at.seconds();
        } else if base.is_new() {
            plan.seconds = plan.seconds.max(file.saved_seconds.unwrap_or(0));
        }
        plan.root(base, &file, versioned);
        plan.blobs = file.blobs;
        let keys = resolve::keys(base, &file.records, versioned);
        let label_field = base.schema().label_field.clone();
        let mut labels: HashMap<String, Key> = HashMap::new();
        for (record, key) in file.records.iter().zip(&keys) {
            if let Some(label) = record.fields.get(&label_field) {
                labels.entry(text_of(label)).or_insert_with(|| key.clone());
            }
        }
        for (record, key) in file.records.into_iter().zip(&keys) {
            let mut fields = record.fields;
            references_to_keys(base, &labels, &mut fields);
            match base.record(key) {
                Some(record) => plan.alter(base, key, record, fields, versioned),
                None => plan.add(base, key, fields),
            }
        }
        if versioned {
            plan.remove_missing(base, &keys)?;
        }
        Ok(plan)
    }

    fn root(&mut self, base: &Document, file: &File, versioned: bool) {
        let ours = |name: &String| !is_file_field(name) && name != FROM;
        let now = base.root_fields();
        for (name, value) in file.root.iter().filter(|(name, _)| ours(name)) {
            if now.get(name).is_none_or(|now| !same(now, value)) {
                self.root_set.push((name.clone(), value.clone()));
            }
        }
        if versioned {
            let gone = now
                .keys()
                .filter(|name| ours(name) && !file.root.contains_key(*name));
            self.root_unset = gone.cloned().collect();
        }
        if let (Some(name), Some(counter)) = (&base.schema().counter, file.counter)
            && counter > base.view().next_number()
        {
            self.root_set.push((name.clone(), Value::from(counter))); // D9: raised, never lowered.
        }
        // F6: a document that starts from another's file says where it came from.
        if let Some(sync) = &file.sync
            && base.is_new()
            && sync.document != base.id().to_string()
        {
            let from = serde_json::json!({ "document": sync.document, "heads": sync.heads });
            self.root_set.push((FROM.to_owned(), from));
        }
    }

    fn add(&mut self, base: &Document, key: &Key, fields: Map<String, Value>) {
        let run_id = derived_key("r", &[key.0.as_bytes()]);
        let stored = new_record(base.schema(), fields, &run_id, None);
        self.steps.push(Step::New {
            key: key.clone(),
            stored,
        });
        self.report.added += 1;
    }

    fn alter(
        &mut self,
        base: &mut Document,
        key: &Key,
        record: Record,
        mut fields: Map<String, Value>,
        versioned: bool,
    ) {
        let schema = base.schema().clone();
        let label = base.label_of(key);
        if fields
            .get(&schema.label_field)
            .is_some_and(|found| text_of(found) == label)
        {
            // What is shown need not be what is stored (D7): an unchanged label is no edit.
            match record.fields.get(&schema.label_field) {
                Some(stored) => fields.insert(schema.label_field.clone(), stored.value().clone()),
                None => fields.remove(&schema.label_field),
            };
        }
        let (run, own): (Map<_, _>, Map<_, _>) = fields
            .into_iter()
            .partition(|(name, _)| schema.is_run_field(name));
        let mut alteration = Alteration {
            run: self.run_of(base, key, &record, run, versioned),
            ..Alteration::default()
        };
        if versioned {
            let gone = record.fields.keys().filter(|name| !own.contains_key(*name));
            alteration.unset = gone.cloned().collect();
        }
        for (name, value) in own {
            let now = record.fields.get(&name).map(Field::value);
            if now.is_some_and(|now| same(now, &value)) {
                continue;
            }
            if !versioned && base.held().ever(&[key.0.clone(), name.clone()], &value) {
                self.report.stale += 1;
            } else {
                alteration.set.push((name, value));
            }
        }
        let restore = versioned && record.in_bin && !record.purged;
        if restore {
            self.report.restored += 1;
        } else if !alteration.is_empty() {
            self.report.changed += 1;
        } else {
            return;
        }
        self.steps.push(Step::Alter {
            record,
            fields: alteration,
            restore,
        });
    }

    /// D5: fields of a run that differ make a run of their own, whole.
    fn run_of(
        &mut self,
        base: &mut Document,
        key: &Key,
        record: &Record,
        file: Map<String, Value>,
        versioned: bool,
    ) -> Option<(String, Map<String, Value>)> {
        let now = record
            .current_run()
            .map(|(_, run)| run.values())
            .unwrap_or_default();
        let wanted = if versioned {
            file.clone()
        } else {
            let mut wanted = now.clone();
            wanted.extend(file.clone());
            wanted
        };
        let wanted_value = Value::Object(wanted.clone());
        if same(&wanted_value, &Value::Object(now.clone())) {
            return None;
        }
        if !versioned {
            let says = |run: &Run| {
                let run = run.values();
                file.iter()
                    .all(|(name, value)| run.get(name).is_some_and(|held| same(held, value)))
            };
            let mut differing = file
                .iter()
                .filter(|(name, value)| now.get(*name).is_none_or(|now| !same(now, value)));
            let held = base.held();
            if record.runs.values().any(says)
                || differing.all(|(name, value)| held.ever(&[key.0.clone(), name.clone()], value))
            {
                self.report.stale += 1;
                return None;
            }
        }
        let run_id = derived_key(
            "r",
            &[key.0.as_bytes(), wanted_value.to_string().as_bytes()],
        );
        Some((run_id, wanted))
    }

    fn remove_missing(&mut self, base: &Document, keys: &[Key]) -> Result<(), ImportError> {
        let kept: HashSet<&Key> = keys.iter().collect();
        for row in base.view().rows().filter(|row| !kept.contains(&row.key)) {
            let record = base.record_or(&row.key)?;
            let fingerprint = record.fingerprint(base.automerge());
            self.steps.push(Step::Remove {
                record,
                fingerprint,
            });
            self.report.removed += 1;
        }
        Ok(())
    }

    /// Makes the changes on `base`, which was made for this: each is built once under an actor
    /// of zeros, and again under its own hash as actor, so that equal edits are one change and
    /// different ones never clash (F5).
    pub(super) fn build(&self, base: &mut Document) -> Result<Vec<Change>, EditError> {
        let mut groups: Vec<&[Step]> = self.steps.chunks(IMPORT_RECORDS_PER_CHANGE_MAX).collect();
        if groups.is_empty() {
            groups.push(&[]);
        }
        let mut changes = Vec::new();
        for (nth, steps) in groups.into_iter().enumerate() {
            let mut trial = base.clone();
            let Some(hash) = self.write(&mut trial, &[0; 16], nth == 0, steps)? else {
                continue;
            };
            if let Some(hash) = self.write(base, &hash.0, nth == 0, steps)? {
                changes.extend(base.automerge().get_change_by_hash(&hash));
            }
        }
        Ok(changes)
    }

    fn write(
        &self,
        document: &mut Document,
        actor: &[u8],
        first: bool,
        steps: &[Step],
    ) -> Result<Option<automerge::ChangeHash>, EditError> {
        document
            .automerge_mut()
            .set_author(None)
            .set_actor(ActorId::from(actor));
        let collection = document.collection().clone();
        let ((), hash) = document.write(self.seconds, Some("file"), |tx| {
            if first {
                for (name, value) in &self.root_set {
                    put(tx, &automerge::ROOT, name, value)?;
                }
                for name in &self.root_unset {
                    tx.delete(automerge::ROOT, name.as_str())?;
                }
            }
            for step in steps {
                step.write(tx, &collection)?;
            }
            Ok(())
        })?;
        Ok(hash)
    }
}

impl Step {
    fn write(
        &self,
        tx: &mut automerge::transaction::Transaction<'_>,
        collection: &automerge::ObjId,
    ) -> Result<(), EditError> {
        match self {
            Step::New { key, stored } => put(tx, collection, &key.0, stored)?,
            Step::Remove {
                record,
                fingerprint,
            } => remove_record(tx, record, fingerprint)?,
            Step::Alter {
                record,
                fields,
                restore,
            } => {
                for (name, value) in &fields.set {
                    set_field(tx, record.home(), record.fields.get(name), name, value)?;
                }
                for name in &fields.unset {
                    if let Some(field) = record.fields.get(name) {
                        delete_field(tx, field, name)?;
                    }
                }
                if let Some((run_id, values)) = &fields.run {
                    new_run(tx, record, run_id, values, None)?;
                }
                if *restore {
                    restore_record(tx, record)?;
                }
            }
        }
        Ok(())
    }
}

/// D7: labels in reference fields become keys: of records in the file first, then of others.
fn references_to_keys(
    base: &Document,
    labels: &HashMap<String, Key>,
    fields: &mut Map<String, Value>,
) {
    for path in &base.schema().references {
        if let Some(text) = at_path(fields, path)
            && let Value::String(label) = &*text
        {
            let known = || base.view().by_label(label).map(|row| row.key.clone());
            if let Some(key) = labels.get(label).cloned().or_else(known) {
                *text = Value::from(key.0);
            }
        }
    }
}
