//! The reference model: what SPEC.md says must be seen, worked out from the edits alone.
//!
//! Each edit is noted with the edits that its replica had seen. A document is a map of
//! registers, and an edit writes some of them. Of a register those writes *stand* that no other
//! write has seen; from them follows what a replica that has some set of edits must show.
//! Nothing is kept in step and nothing is fast, so that it can be read beside the rules.
//!
//! **Invariant:** no clock, no actor and no order of arrival is known here. Which of several
//! standing values is shown is left open; that it is the same one everywhere is D1.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use automerge::ChangeHash;
use plainsync_core::edit::{Edit, Key};
use plainsync_core::schema::Schema;
use serde_json::{Map, Value, json};

/// A rule that does not hold, and how that was seen.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The rule's number in SPEC.md.
    pub rule: &'static str,
    /// What was found.
    pub what: String,
}

impl Violation {
    /// The same, of node `name`.
    #[must_use]
    pub fn at(self, name: usize) -> Self {
        let what = format!("node {name}: {}", self.what);
        Self { what, ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Fails with `rule` unless `holds`.
///
/// # Errors
///
/// [`Violation`]: it does not hold; `what` says how.
pub fn must(
    holds: bool,
    rule: &'static str,
    what: impl FnOnce() -> String,
) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation { rule, what: what() })
}

/// A set of edits, by their numbers in the model.
#[derive(Clone, Debug, Default)]
pub struct Seen(Vec<bool>);

impl Seen {
    fn contains(&self, edit: &usize) -> bool {
        self.0.get(*edit).copied().unwrap_or(false)
    }

    fn and(mut self, edit: usize) -> Self {
        self.0.resize(self.0.len().max(edit + 1), false);
        self.0[edit] = true;
        self
    }
}

/// One record as a replica shows it.
#[derive(Clone, Debug)]
pub struct ShownRow {
    /// Its fields, those of the shown run among them.
    pub job: Map<String, Value>,
    /// Its label.
    pub label: String,
    /// Removed.
    pub in_bin: bool,
    /// Emptied for good.
    pub purged: bool,
    /// Removed, and kept by an edit apart from that.
    pub kept_by_edit: bool,
    /// The run that is shown.
    pub run: Option<String>,
    /// By field, all values that stand against each other.
    pub conflicts: BTreeMap<String, Vec<Value>>,
}

/// Everything that a replica shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// All records, binned and purged ones too.
    pub rows: BTreeMap<Key, ShownRow>,
    /// The next number to give.
    pub next_number: u64,
}

/// What an edit writes: places that can each be written apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Register {
    /// A field of the record.
    Field(String),
    /// Which run is shown.
    Run,
    /// That there is a run of this id.
    Made(String),
    /// A field of one run.
    InRun(String, String),
    /// That the record was removed.
    Removed,
    /// That the bin was emptied of it.
    Purged,
}

struct Made {
    hash: ChangeHash,
    past: Seen,
}

struct Write {
    edit: usize,
    /// None deletes.
    value: Option<Value>,
}

/// See the module's text.
pub struct Model {
    run_fields: Vec<String>,
    edits: Vec<Made>,
    writes: BTreeMap<Key, BTreeMap<Register, Vec<Write>>>,
}

/// How much of a run is left after purges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    All,
    /// It was made twice apart, and a purge had seen one of the two.
    Some,
    None,
}

type Writes = Vec<(Key, Register, Option<Value>)>;

impl Default for Model {
    fn default() -> Self {
        Self {
            run_fields: Schema::job_history().run_fields.clone(),
            edits: Vec::new(),
            writes: BTreeMap::new(),
        }
    }
}

impl Model {
    /// The edits of which a replica says that it has them.
    pub fn seen(&self, has: impl Fn(&ChangeHash) -> bool) -> Seen {
        Seen(self.edits.iter().map(|made| has(&made.hash)).collect())
    }

    /// How many edits were noted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// Whether none was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Notes an edit: by a replica that had seen `past` and showed `before`, and that shows
    /// `after` now. `hash` is the change that it made, none if it made none.
    ///
    /// # Errors
    ///
    /// [`Violation`]: it should have made a change and did not, or the reverse.
    pub fn note(
        &mut self,
        hash: Option<ChangeHash>,
        past: Seen,
        at: u64,
        edit: &Edit,
        (before, after): (&Shown, &Shown),
    ) -> Result<(), Violation> {
        let writes = self.writes_of(&past, at, edit, (before, after));
        must(hash.is_some() != writes.is_empty(), "D3", || {
            format!("{edit:?} writes {writes:?}, and the replica made {hash:?}")
        })?;
        let Some(hash) = hash else { return Ok(()) };
        let number = self.edits.len();
        self.edits.push(Made { hash, past });
        for (key, register, value) in writes {
            let registers = self.writes.entry(key).or_default();
            let write = Write {
                edit: number,
                value,
            };
            registers.entry(register).or_default().push(write);
        }
        Ok(())
    }

    fn writes_of(
        &self,
        past: &Seen,
        at: u64,
        edit: &Edit,
        (before, after): (&Shown, &Shown),
    ) -> Writes {
        let mut writes = Writes::new();
        let run_after = |key: &Key| after.rows.get(key).and_then(|row| row.run.clone());
        match edit {
            Edit::Insert { key, record, .. } if !self.exists(past, key) => {
                let mut job = Schema::job_history().defaults.clone();
                job.extend(record.clone());
                job.insert(
                    "id".to_owned(),
                    json!(format!("job-{}", before.next_number)),
                );
                job.insert("createdAt".to_owned(), json!(at));
                let (run, own) = self.split(&job);
                for (name, value) in own {
                    writes.push((key.clone(), Register::Field(name), Some(value)));
                }
                self.make_run(past, key, run_after(key), &run, &mut writes);
            }
            Edit::Change { key, set, unset } => {
                let (run, own) = self.split(set);
                for (name, value) in own {
                    self.set(past, key, Register::Field(name), &value, &mut writes);
                }
                let shown = before.rows.get(key).map(|row| self.split(&row.job).0);
                let shown = shown.unwrap_or_default();
                let mut new = shown.clone();
                new.extend(run);
                for name in unset {
                    new.remove(name);
                    if !self.run_fields.contains(name) {
                        self.delete(past, key, &Register::Field(name.clone()), &mut writes);
                    }
                }
                if new != shown {
                    self.make_run(past, key, run_after(key), &new, &mut writes);
                }
            }
            Edit::Remove { keys } => {
                for key in keys.iter().filter(|key| !self.in_bin(past, key)) {
                    writes.push((key.clone(), Register::Removed, Some(Value::Null)));
                }
            }
            Edit::Restore { keys } => {
                for key in keys.iter().filter(|key| !self.is_purged(past, key)) {
                    self.delete(past, key, &Register::Removed, &mut writes);
                }
            }
            Edit::Purge { keys } => {
                for key in keys {
                    for register in self.registers(key) {
                        let stays = matches!(register, Register::Field(name) if name == "id" || name == "createdAt");
                        if !stays && matches!(register, Register::Field(_) | Register::Run) {
                            self.delete(past, key, register, &mut writes);
                        }
                    }
                    writes.push((key.clone(), Register::Purged, Some(Value::Null)));
                    writes.push((key.clone(), Register::Removed, Some(Value::Null)));
                }
            }
            Edit::Run { keys, orders } => {
                for (key, order) in keys.iter().zip(orders) {
                    let (mut run, _) = self.split(&Schema::job_history().defaults);
                    run.insert("status".to_owned(), json!("queued"));
                    self.make_run(past, key, Some(order.run_id.clone()), &run, &mut writes);
                }
            }
            Edit::Progress { key, run_id, set } => {
                for (name, value) in set {
                    let register = Register::InRun(run_id.clone(), name.clone());
                    self.set(past, key, register, value, &mut writes);
                }
            }
            Edit::Resolve {
                key, field, value, ..
            } => {
                let register = if field == "run" {
                    Register::Run
                } else {
                    Register::Field(field.clone())
                };
                writes.push((key.clone(), register, Some(value.clone())));
            }
            _ => {}
        }
        writes
    }

    fn make_run(
        &self,
        past: &Seen,
        key: &Key,
        id: Option<String>,
        fields: &Map<String, Value>,
        writes: &mut Writes,
    ) {
        let id = id.unwrap_or_default(); // A run that is not shown is found by the check.
        writes.push((key.clone(), Register::Made(id.clone()), Some(Value::Null)));
        for (name, value) in fields {
            let register = Register::InRun(id.clone(), name.clone());
            writes.push((key.clone(), register, Some(value.clone())));
        }
        self.set(past, key, Register::Run, &json!(id), writes);
    }

    /// A write of what is so already is none (D4: equal values are no conflict).
    fn set(&self, past: &Seen, key: &Key, register: Register, value: &Value, writes: &mut Writes) {
        let standing = self.standing(past, key, &register);
        if standing.is_empty() || standing.iter().any(|(_, other)| *other != value) {
            writes.push((key.clone(), register, Some(value.clone())));
        }
    }

    fn delete(&self, past: &Seen, key: &Key, register: &Register, writes: &mut Writes) {
        if !self.standing(past, key, register).is_empty() {
            writes.push((key.clone(), register.clone(), None));
        }
    }

    /// The fields of a run, and the others.
    fn split(&self, job: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
        let fields = job.clone().into_iter();
        fields.partition(|(name, _)| self.run_fields.contains(name))
    }

    fn registers(&self, key: &Key) -> impl Iterator<Item = &Register> {
        self.writes.get(key).into_iter().flat_map(BTreeMap::keys)
    }

    /// The writes of `register` among `seen` that no other one among them has seen, with their values.
    fn standing(&self, seen: &Seen, key: &Key, register: &Register) -> Vec<(usize, &Value)> {
        let writes = self.seen_writes(seen, key, register);
        let newest = writes.iter().filter(|write| {
            !writes
                .iter()
                .any(|other| self.edits[other.edit].past.contains(&write.edit))
        });
        newest
            .filter_map(|write| Some((write.edit, write.value.as_ref()?)))
            .filter(|(_, value)| *register != Register::Run || self.is_there(seen, key, value))
            .collect()
    }

    /// The writes of `register` among `seen`, stand they or not.
    fn seen_writes(&self, seen: &Seen, key: &Key, register: &Register) -> Vec<&Write> {
        let registers = self.writes.get(key);
        let writes = registers.and_then(|registers| registers.get(register));
        let writes = writes.into_iter().flatten();
        writes.filter(|write| seen.contains(&write.edit)).collect()
    }

    /// D5: a run may be chosen apart from a purge that empties it, and is none to show then.
    fn is_there(&self, seen: &Seen, key: &Key, run: &Value) -> bool {
        run.as_str()
            .is_some_and(|run| self.left(seen, key, run) != Left::None)
    }

    /// D6: a purge takes the runs that it has seen.
    fn left(&self, seen: &Seen, key: &Key, run: &str) -> Left {
        let edits = |register: &Register| -> Vec<usize> {
            let writes = self.seen_writes(seen, key, register).into_iter();
            writes.map(|write| write.edit).collect()
        };
        let purges = edits(&Register::Purged);
        let is_taken = |made: &usize| {
            purges
                .iter()
                .any(|purge| self.edits[*purge].past.contains(made))
        };
        let made = edits(&Register::Made(run.to_owned()));
        match made.iter().filter(|made| is_taken(made)).count() {
            0 if !made.is_empty() => Left::All,
            taken if taken < made.len() => Left::Some,
            _ => Left::None,
        }
    }

    fn exists(&self, seen: &Seen, key: &Key) -> bool {
        let registers = self.writes.get(key).into_iter().flat_map(BTreeMap::values);
        registers.flatten().any(|write| seen.contains(&write.edit))
    }

    /// D6: what a removal has seen of a record, runs excluded: the writes that stand in it.
    fn look(&self, seen: &Seen, key: &Key) -> BTreeSet<(&Register, usize)> {
        let own = self
            .registers(key)
            .filter(|register| matches!(register, Register::Field(_) | Register::Run));
        own.flat_map(|register| {
            let standing = self.standing(seen, key, register).into_iter();
            standing.map(move |(edit, _)| (register, edit))
        })
        .collect()
    }

    /// D6: a removal holds only while the record still looks as it did then.
    fn in_bin(&self, seen: &Seen, key: &Key) -> bool {
        self.still_holds(seen, key, &Register::Removed)
    }

    /// As for a removal: what was edited apart from a purge is in no bin, and later in a new one.
    fn is_purged(&self, seen: &Seen, key: &Key) -> bool {
        self.in_bin(seen, key) && self.still_holds(seen, key, &Register::Purged)
    }

    fn still_holds(&self, seen: &Seen, key: &Key, register: &Register) -> bool {
        let now = self.look(seen, key);
        let standing = self.standing(seen, key, register).into_iter();
        let mut then = standing.map(|(edit, _)| self.edits[edit].past.clone().and(edit));
        then.any(|then| self.look(&then, key) == now)
    }
}
