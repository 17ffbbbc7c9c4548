//! Whether a replica shows what the model says, rule by rule.

use std::collections::BTreeSet;

use plainsync_core::edit::Key;
use serde_json::Value;

use super::{Left, Model, Register, Seen, Shown, ShownRow, Violation, Write, must};

impl Model {
    /// Whether `shown` is what a replica that has the edits `seen` must show.
    ///
    /// # Errors
    ///
    /// [`Violation`]: the rule that it breaks.
    pub fn check(&self, seen: &Seen, shown: &Shown) -> Result<(), Violation> {
        self.check_keys(seen, shown)?;
        for key in shown.rows.keys() {
            self.check_record(seen, shown, key)?;
        }
        Ok(())
    }

    /// D7: each record that was made is there, once, and no other is.
    ///
    /// # Errors
    ///
    /// [`Violation`]: that rule.
    pub fn check_keys(&self, seen: &Seen, shown: &Shown) -> Result<(), Violation> {
        let keys: BTreeSet<&Key> = self
            .writes
            .keys()
            .filter(|key| self.exists(seen, key))
            .collect();
        let found: BTreeSet<&Key> = shown.rows.keys().collect();
        must(keys == found, "D7", || {
            let odd: Vec<_> = keys.symmetric_difference(&found).collect();
            format!("these records are made and not shown, or shown and not made: {odd:?}")
        })?;
        let labels: BTreeSet<&str> = shown.rows.values().map(|row| row.label.as_str()).collect();
        must(labels.len() == shown.rows.len(), "D7", || {
            "two records show one label".to_owned()
        })?;
        Ok(())
    }

    /// As [`Model::check`], of one record.
    ///
    /// # Errors
    ///
    /// [`Violation`]: the rule that it breaks.
    pub fn check_record(&self, seen: &Seen, shown: &Shown, key: &Key) -> Result<(), Violation> {
        let Some(row) = shown.rows.get(key) else {
            return must(!self.exists(seen, key), "D7", || {
                format!("{key} is not shown")
            });
        };
        let checked = self.check_bin(seen, key, row);
        let checked = checked.and_then(|()| self.check_fields(seen, key, row));
        let checked = checked.and_then(|()| self.check_run(seen, key, row));
        let checked = checked.and_then(|()| self.check_number(seen, key, shown.next_number));
        checked.map_err(|violation| Violation {
            what: format!("{}\n{}", violation.what, self.story(key, seen)),
            ..violation
        })
    }

    /// All writes of a record, for whoever reads a failure.
    fn story(&self, key: &Key, seen: &Seen) -> String {
        let mut story = String::new();
        for (register, writes) in self.writes.get(key).into_iter().flatten() {
            for Write { edit, value } in writes.iter().filter(|write| seen.contains(&write.edit)) {
                let past = &self.edits[*edit].past;
                let over: Vec<usize> = writes
                    .iter()
                    .map(|write| write.edit)
                    .filter(|other| past.contains(other))
                    .collect();
                story += &format!(
                    "  edit {edit} writes {register:?} = {value:?}, having seen {over:?}\n"
                );
            }
        }
        story
    }

    fn check_number(&self, seen: &Seen, key: &Key, next: u64) -> Result<(), Violation> {
        let register = Register::Field("id".to_owned());
        let given = self.seen_writes(seen, key, &register);
        let labels = given
            .into_iter()
            .filter_map(|write| write.value.as_ref()?.as_str());
        for label in labels {
            let number = label
                .strip_prefix("job-")
                .and_then(|number| number.parse::<u64>().ok());
            must(number.is_none_or(|number| number < next), "D9", || {
                format!("{label} was given, and {next} is to be given next")
            })?;
        }
        Ok(())
    }

    fn check_bin(&self, seen: &Seen, key: &Key, row: &ShownRow) -> Result<(), Violation> {
        let in_bin = self.in_bin(seen, key);
        must(row.in_bin == in_bin, "D6", || {
            format!("{key} is in the bin: {}, should be: {in_bin}", row.in_bin)
        })?;
        let removed = !self.standing(seen, key, &Register::Removed).is_empty();
        let kept = removed && !in_bin;
        must(row.kept_by_edit == kept, "D6", || {
            format!(
                "{key} says that an edit kept it: {}, should: {kept}",
                row.kept_by_edit
            )
        })?;
        let purged = self.is_purged(seen, key);
        must(row.purged == purged, "D6", || {
            format!("{key} is purged: {}, should be: {purged}", row.purged)
        })
    }

    fn check_fields(&self, seen: &Seen, key: &Key, row: &ShownRow) -> Result<(), Violation> {
        let (_, own) = self.split(&row.job);
        let mut stands = BTreeSet::new();
        for register in self.registers(key) {
            let Register::Field(name) = register else {
                continue;
            };
            let standing = self.standing(seen, key, register);
            if standing.is_empty() {
                continue;
            }
            stands.insert(name.clone());
            let shows = |(_, value): &(usize, &Value)| own.get(name) == Some(value);
            // What is shown as label is worked out (D7).
            must(name == "id" || standing.iter().any(shows), "D3", || {
                format!(
                    "{name} of {key} shows {:?}; there stand {standing:?}",
                    own.get(name)
                )
            })?;
            let listed = row.conflicts.get(name);
            if standing.iter().all(|(_, value)| *value == standing[0].1) {
                must(listed.is_none(), "D4", || {
                    format!("{name} of {key} lists {listed:?} without need")
                })?;
                continue;
            }
            let sorted = |values: &mut dyn Iterator<Item = &Value>| {
                let mut texts: Vec<String> = values.map(Value::to_string).collect();
                texts.sort();
                texts
            };
            let listed = sorted(&mut listed.into_iter().flatten());
            let standing = sorted(&mut standing.into_iter().map(|(_, value)| value));
            must(listed == standing, "D4", || {
                format!("{name} of {key} lists {listed:?}; there stand {standing:?}")
            })?;
        }
        let named: BTreeSet<String> = own.keys().cloned().collect();
        must(named == stands, "D3", || {
            format!("{key} has the fields {named:?}, should have {stands:?}")
        })
    }

    fn check_run(&self, seen: &Seen, key: &Key, row: &ShownRow) -> Result<(), Violation> {
        let (shown, _) = self.split(&row.job);
        let standing = self.standing(seen, key, &Register::Run);
        let id = row.run.as_deref();
        let named = standing.iter().any(|(_, run)| run.as_str() == id);
        must(named || standing.is_empty() && id.is_none(), "D5", || {
            format!("{key} shows run {id:?}; there stand {standing:?}")
        })?;
        let listed = row.conflicts.get("run").map_or(0, Vec::len);
        let differ = standing.iter().any(|(_, run)| *run != standing[0].1);
        let expected = if differ { standing.len() } else { 0 };
        must(listed == expected, "D4", || {
            format!("{key} lists {listed} runs; there stand {standing:?}")
        })?;
        let mut names = BTreeSet::new();
        for register in self.registers(key) {
            let Register::InRun(run, name) = register else {
                continue;
            };
            let values: Vec<&Value> = if self.left(seen, key, run) == Left::All {
                let standing = self.standing(seen, key, register).into_iter();
                standing.map(|(_, value)| value).collect()
            } else {
                // What was written over may be what is left.
                let writes = self.seen_writes(seen, key, register);
                let writes = writes.into_iter();
                writes.filter_map(|write| write.value.as_ref()).collect()
            };
            if Some(run.as_str()) != id || values.is_empty() {
                continue;
            }
            names.insert(name.clone());
            let value = shown.get(name);
            must(
                values.iter().any(|other| value == Some(other)),
                "D5",
                || format!("{name} of {key} shows {value:?}; run {run} has {values:?}"),
            )?;
        }
        let shown: BTreeSet<String> = shown.keys().cloned().collect();
        must(shown == names, "D5", || {
            format!("{key} shows {shown:?} of a run that has {names:?}")
        })
    }
}
