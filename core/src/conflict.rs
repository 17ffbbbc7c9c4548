//! What stands against what, where a field was edited apart (D4).

use serde::Serialize;
use serde_json::Value;

use crate::document::{Document, op_name};
use crate::edit::Key;
use crate::record::{Field, RUN};
use crate::time::Millis;

/// A field that was edited apart to different values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// The field; `run` stands for the fields of a run together (D5).
    pub field: String,
    /// The values that stand there, the shown one last.
    pub values: Vec<Side>,
}

/// One of the values of a conflict, with who wrote it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The operation that wrote it; a resolution names all that it saw.
    pub op: String,
    /// The value; for `run` the fields of that run.
    pub value: Value,
    /// The id of that run, where the field is `run`: a resolution names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The device that wrote it; none for files and foreign clients.
    pub device: Option<String>,
    /// The person or program, if it said so.
    pub author: Option<String>,
    /// When, as the writer's clock said; shown, never compared (D2).
    pub at: Option<Millis>,
}

impl Document {
    /// Every conflict of the record at `key`, by field.
    #[must_use]
    pub fn conflicts(&self, key: &Key) -> Vec<Conflict> {
        let Some(record) = self.record(key) else {
            return Vec::new();
        };
        let own = record
            .fields
            .iter()
            .map(|(name, field)| (name.as_str(), field));
        let run = record.run.iter().map(|field| (RUN, field));
        own.chain(run)
            .filter(|(_, field)| field.is_conflict())
            .map(|(name, field)| Conflict {
                field: name.to_owned(),
                values: self.sides(field, name == RUN, |value| match (name, value.as_str()) {
                    (RUN, Some(id)) => record
                        .runs
                        .get(id)
                        .map_or_else(|| value.clone(), |run| Value::Object(run.values())),
                    _ => value.clone(),
                }),
            })
            .collect()
    }

    /// What to pass as the value of [`Edit::Resolve`](crate::edit::Edit::Resolve) to keep what
    /// `op` wrote; none if that does not stand at `field` of the record at `key`.
    #[must_use]
    pub fn side_of(&self, key: &Key, field: &str, op: &str) -> Option<Value> {
        let record = self.record(key)?;
        let standing = if field == RUN {
            record.run.as_ref()
        } else {
            record.fields.get(field)
        };
        let mut candidates = standing?.candidates().iter();
        let chosen = candidates.find(|candidate| op_name(&candidate.op) == op);
        chosen.map(|candidate| candidate.value.clone())
    }

    fn sides(&self, field: &Field, is_run: bool, show: impl Fn(&Value) -> Value) -> Vec<Side> {
        field
            .candidates()
            .iter()
            .map(|candidate| {
                let hash = self.automerge().hash_for_opid(&candidate.op);
                let change = hash.and_then(|hash| self.automerge().get_change_meta_by_hash(&hash));
                let actor = change.as_ref().map(|change| change.actor.as_ref().clone());
                let author = actor.and_then(|actor| {
                    let author = self.automerge().get_author_for_actor(&actor)?;
                    String::from_utf8(author.as_bytes().to_vec()).ok()
                });
                let (device, name) = match author {
                    Some(text) => match text.split_once(' ') {
                        Some((device, name)) => (Some(device.to_owned()), Some(name.to_owned())),
                        None => (Some(text), None),
                    },
                    None => (None, None),
                };
                let id = candidate.value.as_str().filter(|_| is_run);
                Side {
                    op: op_name(&candidate.op),
                    value: show(&candidate.value),
                    run: id.map(str::to_owned),
                    device,
                    author: name,
                    at: change.map(|change| Millis(change.timestamp.max(0).unsigned_abs() * 1000)),
                }
            })
            .collect()
    }
}
