//! What people and servers do in the simulation: one edit, drawn by chance from what is shown.

use plainsync_core::document::Document;
use plainsync_core::edit::{Edit, Key, RunOrder};
use serde_json::{Map, Value, json};

use crate::chance::Chance;
use crate::model::{Shown, ShownRow};

/// Records of which several nodes may make one and the same apart, as imports do.
const SHARED_KEYS: u64 = 3;

/// Draws edits; `made` numbers them, so that each writes something of its own.
pub(super) struct Drawing<'s> {
    pub(super) shown: &'s Shown,
    pub(super) document: &'s Document,
    pub(super) name: usize,
    pub(super) made: u64,
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

impl Drawing<'_> {
    /// One edit that the document is to take.
    pub(super) fn edit(&self, chance: &mut Chance) -> Edit {
        let listed = |row: &ShownRow| !row.in_bin;
        let what = chance.below(100);
        let edit = match what {
            0..40 => self
                .pick(chance, |_| true)
                .map(|key| self.change(chance, key)),
            40..50 => self
                .pick(chance, listed)
                .map(|key| Edit::Remove { keys: vec![key] }),
            50..57 => self
                .pick(chance, |row| row.in_bin || row.kept_by_edit)
                .map(|key| Edit::Restore { keys: vec![key] }),
            57..59 => self
                .pick(chance, |row| row.in_bin && row.job.contains_key("prompt"))
                .map(|key| Edit::Purge { keys: vec![key] }),
            59..60 => Some(self.clear()),
            60..67 => self.pick(chance, listed).map(|key| self.order(key)),
            67..80 => self.progress(chance),
            80..86 => self.resolve(chance),
            _ => None,
        };
        edit.unwrap_or_else(|| self.insert(chance))
    }

    fn pick(&self, chance: &mut Chance, fits: impl Fn(&ShownRow) -> bool) -> Option<Key> {
        let rows = self.shown.rows.iter().filter(|(_, row)| fits(row));
        let keys: Vec<&Key> = rows.map(|(key, _)| key).collect();
        let nth = chance.below(keys.len().max(1) as u64);
        keys.get(usize::try_from(nth).ok()?)
            .map(|key| (*key).clone())
    }

    fn insert(&self, chance: &mut Chance) -> Edit {
        let (name, made) = (self.name, self.made);
        let key = if chance.once_in(6) {
            Key(format!("key-shared-{}", chance.below(SHARED_KEYS)))
        } else {
            Key(format!("key-number-{made}"))
        };
        let record = object(json!({"prompt": format!("new by {name}: {made}")}));
        Edit::Insert {
            key,
            record,
            order: None,
        }
    }

    fn change(&self, chance: &mut Chance, key: Key) -> Edit {
        let (name, made) = (self.name, self.made);
        let width = chance.below(3); // Equal values are written apart, too.
        let (set, unset) = match chance.below(8) {
            0 => (json!({"prompt": format!("by {name}: {made}")}), vec![]),
            1 => (json!({"width": width}), vec![]),
            2 | 3 => (
                json!({"prompt": format!("by {name}: {made}"), "width": width}),
                vec![],
            ),
            4 => (json!({"height": made}), vec!["width".to_owned()]),
            5 => (json!({"id": format!("named-{made}")}), vec![]),
            6 => {
                let number = self.shown.next_number + chance.below(3);
                (json!({"id": format!("job-{number}")}), vec![])
            }
            // A run that a person typed in.
            _ => (
                json!({"status": "done", "result": format!("typed: {made}"), "height": width}),
                vec!["error".to_owned()],
            ),
        };
        Edit::Change {
            key,
            set: object(set),
            unset,
        }
    }

    fn clear(&self) -> Edit {
        let rows = self.shown.rows.iter().filter(|(_, row)| !row.in_bin);
        Edit::Remove {
            keys: rows.map(|(key, _)| key.clone()).collect(),
        }
    }

    fn order(&self, key: Key) -> Edit {
        let order = RunOrder {
            run_id: format!("run-{}", self.made),
            server: format!("{:016x}", 0),
        };
        Edit::Run {
            keys: vec![key],
            orders: vec![order],
        }
    }

    fn progress(&self, chance: &mut Chance) -> Option<Edit> {
        let key = self.pick(chance, |row| row.run.is_some())?;
        let run_id = self.shown.rows.get(&key)?.run.clone()?;
        let made = self.made;
        let set = if chance.once_in(2) {
            json!({"status": format!("running: {made}"), "startTime": made})
        } else {
            json!({"status": format!("completed: {made}"), "result": format!("of {run_id}: {made}"), "duration": made})
        };
        Some(Edit::Progress {
            key,
            run_id,
            set: object(set),
        })
    }

    fn resolve(&self, chance: &mut Chance) -> Option<Edit> {
        let key = self.pick(chance, |row| !row.conflicts.is_empty())?;
        let conflicts = self.document.conflicts(&key);
        let nth = chance.below(conflicts.len().max(1) as u64);
        let conflict = conflicts.get(usize::try_from(nth).ok()?)?;
        // One of the sides, the shown one too, or where that may be a value of its own.
        let is_free = !matches!(conflict.field.as_str(), "id" | "run");
        let value = if is_free && chance.once_in(2) {
            json!(self.made + 10)
        } else {
            let nth = usize::try_from(chance.below(conflict.values.len() as u64)).ok()?;
            let side = conflict.values.get(nth)?;
            self.document.side_of(&key, &conflict.field, &side.op)?
        };
        let seen = conflict.values.iter().map(|side| side.op.clone()).collect();
        Some(Edit::Resolve {
            key,
            field: conflict.field.clone(),
            value,
            seen,
        })
    }
}

/// The records that an edit is about.
pub(super) fn keys_of(edit: &Edit) -> &[Key] {
    match edit {
        Edit::Insert { key, .. }
        | Edit::Change { key, .. }
        | Edit::Progress { key, .. }
        | Edit::Resolve { key, .. } => std::slice::from_ref(key),
        Edit::Remove { keys }
        | Edit::Restore { keys }
        | Edit::Purge { keys }
        | Edit::Run { keys, .. } => keys,
        _ => &[],
    }
}
