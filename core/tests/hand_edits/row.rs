//! One row of the table, and how it is played.

use plainsync_core::edit::{Edit, Key};
use plainsync_core::plain::import::{ImportOptions, ImportReport};
use serde_json::{Map, Value};

use crate::common::{Device, device, map, merge};

/// An edit made elsewhere.
pub type Apart = Box<dyn Fn(&mut Device)>;
/// What a person does to the text of the file.
pub type ByHand = Box<dyn Fn(String) -> String>;

/// One row.
pub struct Row {
    what: &'static str,
    before: Vec<&'static str>,
    setup: Vec<Apart>,
    apart: Vec<Apart>,
    by_hand: Vec<ByHand>,
    after: Vec<&'static str>,
    root: &'static str,
    report: &'static str,
    refused: Option<&'static str>,
    may_remove_most: bool,
    ahead: bool,
}

pub fn row(what: &'static str) -> Row {
    Row {
        what,
        before: Vec::new(),
        setup: Vec::new(),
        apart: Vec::new(),
        by_hand: Vec::new(),
        after: Vec::new(),
        root: "{}",
        report: "nothing",
        refused: None,
        may_remove_most: false,
        ahead: false,
    }
}

impl Row {
    /// The jobs in the file.
    pub fn before<const N: usize>(mut self, jobs: [&'static str; N]) -> Self {
        self.before = jobs.to_vec();
        self
    }

    /// Edits made before the file is written.
    pub fn setup<const N: usize>(mut self, edits: [Apart; N]) -> Self {
        self.setup = edits.into();
        self
    }

    /// Edits made elsewhere after the file was written.
    pub fn apart<const N: usize>(mut self, edits: [Apart; N]) -> Self {
        self.apart = edits.into();
        self
    }

    pub fn by_hand<const N: usize>(mut self, edits: [ByHand; N]) -> Self {
        self.by_hand = edits.into();
        self
    }

    /// The file was written by a machine whose last edit has not arrived here.
    pub fn ahead(mut self) -> Self {
        self.ahead = true;
        self
    }

    pub fn confirmed(mut self) -> Self {
        self.may_remove_most = true;
        self
    }

    /// Every job in the end, in the file's order, then the bin.
    pub fn after<const N: usize>(mut self, lines: [&'static str; N]) -> Self {
        self.after = lines.to_vec();
        self
    }

    /// What else the file says in the end.
    pub fn root(mut self, members: &'static str) -> Self {
        self.root = members;
        self
    }

    pub fn report(mut self, report: &'static str) -> Self {
        self.report = report;
        self
    }

    /// The file is left alone, and this is said.
    pub fn refused(mut self, begins: &'static str) -> Self {
        self.refused = Some(begins);
        self
    }

    fn options(&self) -> ImportOptions {
        ImportOptions {
            may_remove_most: self.may_remove_most,
            ..ImportOptions::default()
        }
    }

    pub fn play(&self) -> Result<(), String> {
        let (mut first, mut second) = (device(1), device(2));
        for (nth, job) in self.before.iter().enumerate() {
            let job: Value = serde_json::from_str(job).map_err(|error| self.wrong(&error))?;
            first.insert(&key(nth + 1).0, job);
        }
        self.setup.iter().for_each(|edit| edit(&mut first));
        second.pull(&first);
        let mut writer = first.json();
        if self.ahead {
            let mut third = device(3);
            third.pull(&first);
            third.insert("record-ahead", map_of(r#"{"prompt": "ahead"}"#));
            writer = third.json();
        }
        let text = self.by_hand.iter().fold(writer, |text, edit| edit(text));
        self.apart.iter().for_each(|edit| edit(&mut second));

        let made_by_first = self.import(&mut first, &text)?;
        let (report, made_by_second) = match (made_by_first, self.import(&mut second, &text)?) {
            (Some((_, first)), Some((report, second))) => (Some(report), Some((first, second))),
            (None, None) => (None, None),
            _ => return Err(self.wrong(&"one replica refused it and the other did not")),
        };
        if let Some((first, second)) = made_by_second
            && first != second
        {
            return Err(self.wrong(&"F5: the two replicas made different changes"));
        }
        merge(&mut first, &mut second);
        for replica in [&mut first, &mut second] {
            let before = replica.json();
            self.import(replica, &text)?;
            if replica.json() != before {
                return Err(self.wrong(&"importing it again changed something"));
            }
            let own = replica.json();
            replica.import(&own).map_err(|error| self.wrong(&error))?;
            if replica.json() != own {
                return Err(self.wrong(&"what was written is not what is read"));
            }
        }
        let said = report.map_or_else(|| "refused".to_owned(), |report| words(&report));
        let expected = self.refused.map_or(self.report, |_| "refused");
        let lines = lines(&first);
        if lines != self.after || said != expected {
            return Err(self.wrong(&format!(
                "expected {expected:?}\n    {}\ngot {said:?}\n    {}",
                self.after.join("\n    "),
                lines.join("\n    ")
            )));
        }
        let file: Value = serde_json::from_str(&first.json()).unwrap();
        for (name, value) in map_of_value(self.root) {
            if file.get(&name).unwrap_or(&Value::Null) != &value {
                return Err(self.wrong(&format!("{name} is {:?}", file.get(&name))));
            }
        }
        Ok(())
    }

    /// The report, and the hashes of the changes that the file became; none if it was refused
    /// as the row says.
    fn import(
        &self,
        replica: &mut Device,
        text: &str,
    ) -> Result<Option<(ImportReport, Vec<String>)>, String> {
        let before = replica.json();
        let mut trial = device(9);
        trial.pull(replica);
        let document = trial.replica.document_mut();
        let made = document.import(text.as_bytes(), &self.options());
        match (replica.import_with(text, self.options()), self.refused) {
            (Ok(report), None) => {
                let made = made.map_err(|error| self.wrong(&error))?;
                let hashes = made.changes.iter().map(|change| change.hash().to_string());
                Ok(Some((report, hashes.collect())))
            }
            (Err(error), Some(begins)) if error.to_string().starts_with(begins) => {
                if replica.json() == before {
                    return Ok(None);
                }
                Err(self.wrong(&"it was refused and still changed something"))
            }
            (Err(error), _) => Err(self.wrong(&error)),
            (Ok(_), Some(_)) => Err(self.wrong(&"it was not refused")),
        }
    }

    fn wrong(&self, what: &dyn std::fmt::Display) -> String {
        format!("row {:?}: {what}", self.what)
    }
}

fn key(nth: usize) -> Key {
    Key(format!("record-{nth}"))
}

fn map_of(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn map_of_value(json: &str) -> Map<String, Value> {
    map(map_of(json))
}

fn words(report: &ImportReport) -> String {
    let counted = [
        (report.added, "added"),
        (report.changed, "changed"),
        (report.removed, "removed"),
        (report.restored, "restored"),
        (report.kept, "kept"),
        (report.conflicting, "conflicting"),
        (report.stale, "stale"),
    ];
    let said: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if said.is_empty() {
        return "nothing".to_owned();
    }
    said.join(", ")
}

/// The jobs as lines: label, then the fields that are not what every new job has; `!prompt` for
/// a conflict, `kept` for a job that an edit kept from the bin.
fn lines(replica: &Device) -> Vec<String> {
    let document = replica.document();
    let schema = document.schema();
    let view = document.view();
    let line = |row: &std::sync::Arc<plainsync_core::view::Row>| {
        let mut job = document.plain_row(row, &|_| None);
        job.retain(|name, value| {
            let is_default = schema.defaults.get(name) == Some(value);
            let made_now = name == "createdAt" && value.as_u64() > Some(1_800_000_000_000);
            name != "id" && !is_default && !made_now
        });
        let mut line = format!(
            "{}{} {}",
            if row.in_bin { "bin: " } else { "" },
            row.label,
            Value::Object(job)
        );
        for field in &row.conflicts {
            line.push_str(&format!(" !{field}"));
        }
        if row.kept_by_edit {
            line.push_str(" kept");
        }
        line
    };
    view.rows().chain(view.bin()).map(line).collect()
}

// Edits made elsewhere. Records are counted from 1.

pub fn set(nth: usize, fields: &'static str) -> Apart {
    Box::new(move |replica| replica.set(&key(nth), map_of(fields)))
}

pub fn unset(nth: usize, field: &'static str) -> Apart {
    Box::new(move |replica| {
        replica.edit(Edit::Change {
            key: key(nth),
            set: Map::new(),
            unset: vec![field.to_owned()],
        });
    })
}

pub fn insert(name: &'static str, fields: &'static str) -> Apart {
    Box::new(move |replica| {
        replica.insert(name, map_of(fields));
    })
}

pub fn remove(nth: usize) -> Apart {
    Box::new(move |replica| replica.remove(&key(nth)))
}

pub fn restore(nth: usize) -> Apart {
    Box::new(move |replica| {
        replica.edit(Edit::Restore {
            keys: vec![key(nth)],
        });
    })
}

pub fn purge(nth: usize) -> Apart {
    Box::new(move |replica| {
        replica.edit(Edit::Purge {
            keys: vec![key(nth)],
        });
    })
}

pub fn run(nth: usize, run: &'static str) -> Apart {
    Box::new(move |replica| replica.order(&key(nth), run, "00000000000000bb"))
}

pub fn progress(nth: usize, run: &'static str, fields: &'static str) -> Apart {
    Box::new(move |replica| {
        replica.edit(Edit::Progress {
            key: key(nth),
            run_id: run.to_owned(),
            set: map_of_value(fields),
        });
    })
}

// What a person does to the file.

/// Replaces one piece of text, which must stand there.
pub fn replace(from: &'static str, to: &'static str) -> ByHand {
    Box::new(move |text| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replacen(from, to, 1)
    })
}

/// Puts another text in place of the file's.
pub fn instead(text: &'static str) -> ByHand {
    Box::new(move |_| text.to_owned())
}

/// Does anything at all with the parsed file.
pub fn parsed(edit: impl Fn(&mut Value) + 'static) -> ByHand {
    Box::new(move |text| {
        let mut file: Value = serde_json::from_str(&text).unwrap();
        edit(&mut file);
        serde_json::to_string_pretty(&file).unwrap()
    })
}

/// Sets fields of the job at this place of the list, counted from 1.
pub fn put(nth: usize, fields: &'static str) -> ByHand {
    parsed(move |file| {
        let job = file["jobs"][nth - 1].as_object_mut().unwrap();
        job.extend(map_of_value(fields));
    })
}

/// Deletes a field of a job.
pub fn cut(nth: usize, field: &'static str) -> ByHand {
    parsed(move |file| {
        let job = file["jobs"][nth - 1].as_object_mut().unwrap();
        assert!(job.remove(field).is_some(), "no {field}");
    })
}

/// Deletes a job from the list.
pub fn drop(nth: usize) -> ByHand {
    parsed(move |file| {
        file["jobs"].as_array_mut().unwrap().remove(nth - 1);
    })
}

/// Adds a job at the end of the list.
pub fn push(job: &'static str) -> ByHand {
    parsed(move |file| file["jobs"].as_array_mut().unwrap().push(map_of(job)))
}

/// Sets members of the file.
pub fn file(members: &'static str) -> ByHand {
    parsed(move |file| file.as_object_mut().unwrap().extend(map_of_value(members)))
}

/// Deletes a member of the file.
pub fn no(member: &'static str) -> ByHand {
    parsed(move |file| {
        assert!(file.as_object_mut().unwrap().remove(member).is_some());
    })
}
