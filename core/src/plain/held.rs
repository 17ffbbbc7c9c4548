//! Which values each field held before: what makes an old copy of a value stale (F6).
//!
//! A file without a version says what its fields are, not when they were so. A value that
//! the field held at some time is taken for an old copy; a value that it never held is new.
//! The index is built from the history when an import first asks, and then grows with it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use automerge::{ChangeHash, ObjId, legacy};
use serde_json::Value;

use crate::document::Document;
use crate::limits::VALUE_DEPTH_MAX;
use crate::record::RUNS;

/// The index, built when it is first asked.
pub(crate) struct Lazy<'d> {
    held: Held,
    document: &'d Document,
    asked: bool,
}

impl<'d> Lazy<'d> {
    pub(crate) fn new(held: Held, document: &'d Document) -> Self {
        Self {
            held,
            document,
            asked: false,
        }
    }

    /// The index as it is now.
    pub(crate) fn get(&mut self) -> &Held {
        if !std::mem::replace(&mut self.asked, true) {
            self.held.catch_up(self.document);
        }
        &self.held
    }

    pub(crate) fn into_held(self) -> Held {
        self.held
    }
}

/// Digests of every value that every field of every record ever held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    values: HashSet<u64>,
    /// Where each object stands: a record's key, then names; runs stand at the record itself.
    paths: HashMap<ObjId, Vec<String>>,
    heads: Vec<ChangeHash>,
}

impl Held {
    /// Takes in the changes that came since the last time.
    pub(crate) fn catch_up(&mut self, document: &Document) {
        self.paths.entry(document.collection().clone()).or_default();
        for change in document.changes_since(&self.heads) {
            let decoded = change.decode();
            for (nth, op) in (0..).zip(&decoded.operations) {
                let legacy::ObjectId::Id(id) = &op.obj else {
                    continue;
                };
                let obj = ObjId::Id(id.counter(), id.actor().clone(), 0);
                let legacy::Key::Map(name) = &op.key else {
                    continue;
                };
                let Some(parent) = self.paths.get(&obj) else {
                    continue;
                };
                let mut path = parent.clone();
                // `runs.<id>.status` counts as the record's own `status`.
                let inside_runs = path.len() == 2 && path[1] == RUNS;
                if inside_runs {
                    path.pop();
                } else {
                    path.push(name.to_string());
                }
                match &op.action {
                    // Deeper down nothing shows, and each path is as long as it is deep.
                    legacy::OpType::Make(_) if path.len() > VALUE_DEPTH_MAX => {}
                    legacy::OpType::Make(_) => {
                        let made =
                            ObjId::Id(decoded.start_op.get() + nth, decoded.actor_id.clone(), 0);
                        self.paths.insert(made, path);
                    }
                    legacy::OpType::Put(scalar) => {
                        self.values
                            .insert(digest(&path, &crate::value::read_scalar(scalar)));
                    }
                    _ => {}
                }
            }
        }
        self.heads = document.heads();
    }

    /// Whether the field at `path` (a record's key, then names) ever held `value`. Objects
    /// are asked field by field; arrays are taken for new.
    pub(crate) fn ever(&self, path: &[String], value: &Value) -> bool {
        match value {
            Value::Object(map) => map.iter().all(|(name, value)| {
                let mut path = path.to_vec();
                path.push(name.clone());
                self.ever(&path, value)
            }),
            Value::Array(_) => false,
            scalar => self.values.contains(&digest(path, scalar)),
        }
    }
}

fn digest(path: &[String], value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new(); // Fixed keys: the same in every process.
    path.hash(&mut hasher);
    match value.as_f64() {
        Some(number) => number.to_bits().hash(&mut hasher),
        None => crate::value::to_text(value).hash(&mut hasher),
    }
    hasher.finish()
}
