//! Replicas for tests: made in one line, edited in one line, merged by exchanging chunks.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "test support, shared by several test programs"
)]

use std::borrow::Cow;

use plainsync_core::document::Document;
use plainsync_core::edit::{Edit, EditId, Key, RunOrder, StampedEdit};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::plain::import::{ImportError, ImportOptions, ImportReport};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig, StepError};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::view::Row;
use serde_json::{Map, Value, json};

/// A replica whose persisted chunks are kept, so that others can take them.
pub struct Device {
    pub replica: Replica,
    pub chunks: Vec<Vec<u8>>,
    name: u8,
    edits: u32,
    pub clock: u64,
}

pub fn device(name: u8) -> Device {
    let config = ReplicaConfig {
        document: DocumentId::from_random([7; 16]),
        schema: Schema::job_history(),
        device: format!("{name:016x}").parse().unwrap(),
        author: None,
        actor: [name; 16],
        peer: PeerId::new(format!("device-{name}")).unwrap(),
    };
    let clock = 1_800_000_000_000;
    Device {
        replica: Replica::new(config),
        chunks: Vec::new(),
        name,
        edits: 0,
        clock,
    }
}

impl Device {
    pub fn try_edit(&mut self, edit: Edit) -> Result<Vec<Effect>, StepError> {
        self.edits += 1;
        self.clock += 1_000;
        let id = EditId(format!("edit-{}-{}", self.name, self.edits));
        let at = Millis(self.clock);
        self.input(Input::Edit(StampedEdit { id, at, edit }))
    }

    pub fn edit(&mut self, edit: Edit) -> Vec<Effect> {
        self.try_edit(edit).unwrap()
    }

    fn input(&mut self, input: Input) -> Result<Vec<Effect>, StepError> {
        let effects = self.replica.step(Millis(self.clock), input)?;
        for effect in &effects {
            if let Effect::Persist { seq, bytes, .. } = effect {
                self.chunks.push(bytes.clone());
                let persisted = Input::Persisted { seq: *seq };
                self.replica.step(Millis(self.clock), persisted)?;
            }
        }
        Ok(effects)
    }

    pub fn insert(&mut self, key: &str, record: Value) -> Key {
        let key = Key(key.to_owned());
        let record = map(record);
        self.edit(Edit::Insert {
            key: key.clone(),
            record,
            order: None,
        });
        key
    }

    pub fn set(&mut self, key: &Key, set: Value) {
        self.edit(Edit::Change {
            key: key.clone(),
            set: map(set),
            unset: Vec::new(),
        });
    }

    pub fn remove(&mut self, key: &Key) {
        self.edit(Edit::Remove {
            keys: vec![key.clone()],
        });
    }

    pub fn purge(&mut self, key: &Key) {
        self.edit(Edit::Purge {
            keys: vec![key.clone()],
        });
    }

    /// What chooses that side of a conflict, counted from the oldest; the shown one is last.
    pub fn choice(&self, key: &Key, field: &str, side: usize) -> Edit {
        let conflicts = self.document().conflicts(key);
        let conflict = conflicts.iter().find(|conflict| conflict.field == field);
        let sides = &conflict.expect("a conflict").values;
        let value = self.document().side_of(key, field, &sides[side].op);
        Edit::Resolve {
            key: key.clone(),
            field: field.to_owned(),
            value: value.expect("it stands there"),
            seen: sides.iter().map(|side| side.op.clone()).collect(),
        }
    }

    pub fn order(&mut self, key: &Key, run_id: &str, server: &str) {
        let order = RunOrder {
            run_id: run_id.to_owned(),
            server: server.to_owned(),
        };
        self.edit(Edit::Run {
            keys: vec![key.clone()],
            orders: vec![order],
        });
    }

    pub fn import(&mut self, text: &str) -> Result<ImportReport, ImportError> {
        self.import_with(text, ImportOptions::default())
    }

    pub fn import_with(
        &mut self,
        text: &str,
        options: ImportOptions,
    ) -> Result<ImportReport, ImportError> {
        let text = text.as_bytes().to_vec();
        match self.input(Input::Import { text, options }) {
            Ok(effects) => Ok(effects
                .into_iter()
                .find_map(|effect| match effect {
                    Effect::Imported(report) => Some(report),
                    _ => None,
                })
                .unwrap()),
            Err(StepError::Import(error)) => Err(error),
            Err(other) => panic!("{other}"),
        }
    }

    /// Takes over everything that `other` has.
    pub fn pull(&mut self, other: &Device) {
        self.take(&other.chunks);
    }

    /// Takes over `chunks`, in this order.
    pub fn take(&mut self, chunks: &[Vec<u8>]) {
        self.replica.restore(chunks).unwrap();
        for chunk in chunks {
            if !self.chunks.contains(chunk) {
                self.chunks.push(chunk.clone());
            }
        }
    }

    pub fn document(&self) -> &Document {
        self.replica.document()
    }

    pub fn json(&self) -> String {
        String::from_utf8(self.document().export(&|_| None::<Cow<'_, [u8]>>)).unwrap()
    }

    pub fn row(&self, key: &Key) -> &Row {
        self.document().view().get(key).unwrap()
    }

    pub fn field(&self, key: &Key, name: &str) -> Value {
        self.row(key).job.get(name).cloned().unwrap_or(Value::Null)
    }

    pub fn labels(&self) -> Vec<String> {
        self.document()
            .view()
            .rows()
            .map(|row| row.label.clone())
            .collect()
    }
}

/// Each takes what the other has.
pub fn merge(a: &mut Device, b: &mut Device) {
    a.pull(b);
    b.pull(a);
    assert_eq!(
        a.json(),
        b.json(),
        "D1: two replicas with the same changes differ"
    );
}

/// Two devices that know one record, which each of them has edited apart from the other; both have
/// both edits.
pub fn edited_apart(by_a: Value, by_b: Value) -> (Device, Device, Key) {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    a.set(&key, by_a);
    b.set(&key, by_b);
    merge(&mut a, &mut b);
    (a, b, key)
}

pub fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}
