//! What a file asks of a document, and how it becomes changes that are the same everywhere.

use std::collections::HashSet;

use automerge::{Change, ObjId};
use serde_json::{Map, Value};

use super::labels::Labels;
use super::resolve::{self, Found};
use super::{Comparison, ImportError, ImportOptions, ImportReport};
use crate::blob::Blob;
use crate::document::{
    FROM, Moment, Write, delete_field, new_record, new_run, remove_record, restore_record,
    set_field,
};
use crate::edit::{EditError, Key};
use crate::id::derived_key;
use crate::limits::{DOCUMENT_RECORDS_MAX, IMPORT_OPS_PER_CHANGE, IMPORT_RECORDS_PER_CHANGE_MAX};
use crate::plain::export::is_file_field;
use crate::plain::file::File;
use crate::plain::held::Lazy;
use crate::record::{Field, Record, Run};
use crate::schema::Schema;
use crate::value::same;
use crate::view::text_of;

/// What is asked of one record.
pub(super) enum Step {
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
pub(super) struct Alteration {
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
    pub(super) steps: Vec<Step>,
    root_set: Vec<(String, Value)>,
    root_unset: Vec<String>,
    pub(super) seconds: i64,
    /// The records that are altered, and those that are removed.
    pub(super) altered: Vec<Key>,
    pub(super) removed: Vec<Key>,
    pub(super) blobs: Vec<Blob>,
    pub(super) report: ImportReport,
}

impl Plan {
    /// What `file` asks, given what it is compared with. `held` tells which values of a file
    /// without a version are old.
    pub(super) fn make(
        compared: &Comparison<'_, '_>,
        file: File,
        options: &ImportOptions,
        held: &mut Lazy<'_>,
    ) -> Result<Self, ImportError> {
        let (base, versioned) = (compared.base, compared.versioned);
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
            altered: Vec::new(),
            removed: Vec::new(),
            blobs: Vec::new(),
            report: ImportReport {
                records: file.records.len(),
                ..ImportReport::default()
            },
        };
        if let Some(at) = options.at {
            plan.seconds = at.seconds();
        } else if base.is_new() {
            plan.seconds = plan.seconds.max(file.saved_seconds.unwrap_or(0));
        }
        let may_unset = versioned && !options.only_records && !file.is_answer;
        plan.root(base, &file, may_unset);
        plan.records(compared, &file, held);
        plan.blobs = file.blobs;
        Ok(plan)
    }

    /// One step for each record that is new, gone or different.
    fn records(&mut self, compared: &Comparison<'_, '_>, file: &File, held: &mut Lazy<'_>) {
        let (base, versioned) = (compared.base, compared.versioned);
        let schema = base.document().schema().clone();
        let found = resolve::keys(compared.written, &file.records, versioned);
        let labels = Labels::of(compared.written, &file.records, &found);
        let written_at_base = std::ptr::eq(base, compared.written);
        let mut listed = 0;
        let mut differing: Vec<(&Key, Map<String, Value>)> = Vec::new();
        for (record, found) in file.records.iter().zip(&found) {
            let key = found.key.as_ref();
            let row = if written_at_base {
                found.row
            } else {
                base.view().get(key)
            };
            listed += usize::from(row.is_some_and(|row| row.is_listed()));
            if row.is_some_and(|row| labels.says_the_same(row, record, versioned)) {
                continue;
            }
            let mut fields = record.to_fields();
            labels.to_keys(&mut fields);
            match row {
                Some(_) => differing.push((key, fields)),
                None => self.add(&schema, key, fields),
            }
        }
        let asked: Vec<&Key> = differing.iter().map(|(key, _)| *key).collect();
        let mut differing = differing.into_iter();
        let mut counter = None;
        base.each_record(&asked, |key, record, _| {
            let fields = differing.find(|(differing, _)| *differing == key);
            if let Some((_, fields)) = fields {
                let number = self.alter(compared, key, record, fields, held);
                counter = counter.max(number);
            }
        });
        if let (Some(name), Some(counter)) = (&schema.counter, counter)
            && !self.root_set.iter().any(|(set, _)| set == name)
        {
            self.root_set.push((name.clone(), Value::from(counter)));
        }
        if versioned && listed < base.view().rows().count() {
            self.remove_missing(compared, &found);
        }
    }

    fn root(&mut self, base: &Moment<'_>, file: &File, may_unset: bool) {
        let ours = |name: &String| !is_file_field(name) && name != FROM;
        let now = base.root_fields();
        for (name, value) in file.root.iter().filter(|(name, _)| ours(name)) {
            if now.get(name).is_none_or(|now| !same(now, value)) {
                self.root_set.push((name.clone(), value.clone()));
            }
        }
        if may_unset {
            let gone = now
                .keys()
                .filter(|name| ours(name) && !file.root.contains_key(*name));
            self.root_unset = gone.cloned().collect();
        }
        let document = base.document();
        if let (Some(name), Some(counter)) = (&document.schema().counter, file.counter)
            && counter > base.view().next_number()
        {
            self.root_set.push((name.clone(), Value::from(counter))); // D9: raised, never lowered.
        }
        self.report.fields = self.root_set.len() + self.root_unset.len();
        // F6: a document that starts from another's file says where it came from.
        if let Some(sync) = &file.sync
            && base.is_new()
            && sync.document != document.id().to_string()
        {
            let from = serde_json::json!({ "document": sync.document, "heads": sync.heads });
            self.root_set.push((FROM.to_owned(), from));
        }
    }

    fn add(&mut self, schema: &Schema, key: &Key, fields: Map<String, Value>) {
        let run_id = derived_key("r", &[key.0.as_bytes()]);
        let stored = new_record(schema, fields, &run_id, None);
        self.steps.push(Step::New {
            key: key.clone(),
            stored,
        });
        self.report.added += 1;
    }

    /// Returns the next number to give, if the record gives up the label that it follows from.
    fn alter(
        &mut self,
        compared: &Comparison<'_, '_>,
        key: &Key,
        record: Record,
        mut fields: Map<String, Value>,
        held: &mut Lazy<'_>,
    ) -> Option<u64> {
        let (base, versioned) = (compared.base, compared.versioned);
        let schema = base.document().schema();
        let label = compared.written.view().label_of(key);
        if fields
            .get(&schema.label_field)
            .is_some_and(|found| text_of(found) == label)
        {
            // What is shown need not be what is stored (D7): an unchanged label is no edit.
            let row = compared.written.view().get(key);
            match row.and_then(|row| row.stored_label.clone()) {
                Some(stored) => fields.insert(schema.label_field.clone(), stored),
                None => fields.remove(&schema.label_field),
            };
        }
        let (run, own): (Map<_, _>, Map<_, _>) = fields
            .into_iter()
            .partition(|(name, _)| schema.is_run_field(name));
        let mut alteration = Alteration {
            run: self.run_of(key, &record, run, versioned, held),
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
            if !versioned && held.get().ever(&[key.0.clone(), name.clone()], &value) {
                self.report.stale += 1;
            } else {
                alteration.set.push((name, value));
            }
        }
        let restore = versioned && record.in_bin;
        if restore {
            self.report.restored += 1;
        } else if !alteration.is_empty() {
            self.report.changed += 1;
        } else {
            return None;
        }
        let relabelled = alteration.set.iter().map(|(name, _)| name);
        let counter = relabelled
            .chain(&alteration.unset)
            .any(|name| *name == schema.label_field)
            .then(|| base.view().number_kept_by(key))
            .flatten();
        self.altered.push(key.clone());
        self.steps.push(Step::Alter {
            record,
            fields: alteration,
            restore,
        });
        counter
    }

    /// D5: fields of a run that differ make a run of their own, whole.
    fn run_of(
        &mut self,
        key: &Key,
        record: &Record,
        file: Map<String, Value>,
        versioned: bool,
        held: &mut Lazy<'_>,
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
            let held = held.get();
            if record.runs.values().any(says)
                || differing.all(|(name, value)| held.ever(&[key.0.clone(), name.clone()], value))
            {
                self.report.stale += 1;
                return None;
            }
        }
        let run_id = derived_key(
            "r",
            &[
                key.0.as_bytes(),
                crate::value::to_text(&wanted_value).as_bytes(),
            ],
        );
        Some((run_id, wanted))
    }

    fn remove_missing(&mut self, compared: &Comparison<'_, '_>, found: &[Found<'_>]) {
        let kept: HashSet<&Key> = found.iter().map(|found| found.key.as_ref()).collect();
        let had_by_all = |key: &&Key| {
            let mut others = compared.others.iter().flatten();
            others.all(|other| other.view().get(key).is_some_and(|row| row.is_listed()))
        };
        let listed = compared.base.view().rows().map(|row| &row.key);
        let gone: Vec<&Key> = listed
            .filter(|key| !kept.contains(key))
            .filter(had_by_all)
            .collect();
        compared.base.each_record(&gone, |key, record, from| {
            let fingerprint = record.fingerprint(from);
            self.removed.push(key.clone());
            self.steps.push(Step::Remove {
                record,
                fingerprint,
            });
            self.report.removed += 1;
        });
    }

    /// The changes that do it, following `base`. They are a function of file and version alone:
    /// equal edits are one change everywhere, and different ones never clash (F5).
    pub(super) fn changes(&self, base: &Moment<'_>) -> Result<Vec<Change>, EditError> {
        let mut changes: Vec<Change> = Vec::new();
        let collection = base.document().collection();
        let (mut steps, mut ops, mut first) = (self.steps.as_slice(), 0, true);
        while first || !steps.is_empty() {
            let mut draft = base.draft(ops);
            self.write(&mut draft, collection, first, &[])?;
            first = false;
            let mut records = 0;
            while let [step, rest @ ..] = steps
                && records < IMPORT_RECORDS_PER_CHANGE_MAX
                && draft.len() < IMPORT_OPS_PER_CHANGE
            {
                step.write(&mut draft, collection)?;
                (steps, records) = (rest, records + 1);
            }
            ops += draft.len();
            let parents = match changes.last() {
                Some(before) => vec![before.hash()],
                None => base.heads().to_vec(),
            };
            changes.extend(draft.into_change(&parents, self.seconds, "file")?);
        }
        Ok(changes)
    }

    /// Writes `steps`, and before the first of all what belongs to no record.
    pub(super) fn write(
        &self,
        tx: &mut dyn Write,
        collection: &ObjId,
        first: bool,
        steps: &[Step],
    ) -> Result<(), EditError> {
        if first {
            for (name, value) in &self.root_set {
                tx.put(&ObjId::Root, name, value)?;
            }
            for name in &self.root_unset {
                tx.delete(&ObjId::Root, name)?;
            }
        }
        steps.iter().try_for_each(|step| step.write(tx, collection))
    }
}

impl Step {
    fn write(&self, tx: &mut dyn Write, collection: &ObjId) -> Result<(), EditError> {
        match self {
            Step::New { key, stored } => tx.put(collection, &key.0, stored)?,
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
