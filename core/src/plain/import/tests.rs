//! F5: the change made from a file is the same whatever way it is made.

use std::collections::HashMap;
use std::sync::Arc;

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{ActorId, AutomergeError, Change, ChangeHash, ObjId, ObjType, ReadDoc, hydrate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::document::{Authorship, Write};
use crate::edit::{Edit, EditId, StampedEdit};
use crate::id::DocumentId;
use crate::schema::Schema;

fn document(actor: u8) -> Document {
    let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
    let author = Authorship {
        device: "00000000000000aa".parse().expect("16 hex digits"),
        name: None,
    };
    document.set_actor([actor; 16], &author);
    document
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// One edit by somebody, drawn from three numbers.
fn edit(document: &mut Document, nth: usize, (kind, record, value): (u8, u8, u8)) {
    let keys: Vec<Key> = document.view().all().map(|row| row.key.clone()).collect();
    let actor = document.automerge().get_actor().to_hex_string();
    let new = Edit::Insert {
        key: Key(format!("key-{}-{nth:04}", &actor[..2])),
        record: map(&json!({"prompt": format!("prompt {value}"), "createdAt": value % 4})),
        order: None,
    };
    let change = |key: &Key, set: &Value| Edit::Change {
        key: key.clone(),
        set: map(set),
        unset: Vec::new(),
    };
    let edit = match keys.get(record as usize % (keys.len() + 1)) {
        None => new,
        Some(key) => match kind % 12 {
            0 | 1 => new,
            2 => change(key, &json!({"prompt": format!("worded {value}")})),
            3 => change(key, &json!({"status": "success", "duration": value})),
            4 => change(key, &json!({"id": format!("job-{}", value % 6)})),
            5 => change(key, &json!({"extra": {"a": value, "b": [value, {"c": 1}]}})),
            6 => change(key, &json!({"extra": {"a": value % 3}})),
            7 => change(key, &json!({"rotationData": {"sourceJobId": keys[0].0}})),
            8 => Edit::Change {
                key: key.clone(),
                set: Map::new(),
                unset: vec!["width".to_owned(), "extra".to_owned(), "error".to_owned()],
            },
            9 => Edit::Restore {
                keys: vec![key.clone()],
            },
            10 if document.view().get(key).is_some_and(|row| row.in_bin) => Edit::Purge {
                keys: vec![key.clone()],
            },
            _ => Edit::Remove {
                keys: vec![key.clone()],
            },
        },
    };
    let stamped = StampedEdit {
        id: EditId(format!("edit-{actor}-{nth}")),
        at: Millis(1_700_000_000_000 + u64::from(value) * 7_000),
        edit,
    };
    document.edit(&stamped).expect("an edit that is allowed");
}

/// What a person does to the file, drawn from three numbers.
fn hand_edit(file: &mut Value, (kind, record, value): (u8, u8, u8)) {
    let next = file["lastJobId"].as_u64().unwrap_or(0) + u64::from(value);
    let jobs = file["jobs"].as_array_mut().expect("a list");
    if jobs.is_empty() || kind % 9 == 0 {
        jobs.push(json!({"prompt": format!("by hand {value}"), "new": [value, {"x": null}]}));
        return;
    }
    let at = record as usize % jobs.len();
    match kind % 9 {
        1 => jobs[at]["prompt"] = json!(format!("by hand {value}")),
        2 => jobs[at]["status"] = json!(["error", "success"][value as usize % 2]),
        3 => jobs[at]["extra"] = json!({"a": value, "d": {"e": "f"}}),
        4 => jobs[at]["id"] = json!(format!("job-{}", value % 9)),
        5 => {
            jobs[at].as_object_mut().expect("a job").remove("extra");
        }
        6 => {
            jobs.remove(at);
        }
        7 => file["lastJobId"] = json!(next),
        _ => file["note"] = json!({"text": value}),
    }
}

fn pull(document: &mut Document, from: &Document) {
    document.restore(&[from.save()]).expect("its own history");
}

fn options() -> ImportOptions {
    ImportOptions {
        may_remove_most: true,
        ..ImportOptions::default()
    }
}

impl Write for Transaction<'_> {
    fn put(&mut self, obj: &ObjId, prop: &str, value: &Value) -> Result<(), AutomergeError> {
        if value.is_object() || value.is_array() {
            let value = to_hydrate(value);
            return self
                .batch_create_object(obj, prop, &value, false)
                .map(|_| ());
        }
        Transactable::put(self, obj, prop, crate::value::to_scalar(value))
    }

    fn put_anew(&mut self, obj: &ObjId, prop: &str, value: &Value) -> Result<(), AutomergeError> {
        Write::delete(self, obj, prop)?;
        Write::put(self, obj, prop, value)
    }

    fn put_map(&mut self, obj: &ObjId, prop: &str) -> Result<ObjId, AutomergeError> {
        self.put_object(obj, prop, ObjType::Map)
    }

    fn delete(&mut self, obj: &ObjId, prop: &str) -> Result<(), AutomergeError> {
        Transactable::delete(self, obj, prop)
    }

    fn map_at(&self, obj: &ObjId, prop: &str) -> Result<Option<ObjId>, AutomergeError> {
        Ok(match ReadDoc::get(self, obj, prop)? {
            Some((automerge::Value::Object(ObjType::Map), id)) => Some(id),
            _ => None,
        })
    }
}

/// The tree that automerge creates in one step; equal JSON makes equal operations.
fn to_hydrate(value: &Value) -> hydrate::Value {
    match value {
        Value::Array(items) => {
            hydrate::Value::from(items.iter().map(to_hydrate).collect::<Vec<_>>())
        }
        Value::Object(map) => {
            let map: HashMap<String, hydrate::Value> = map
                .iter()
                .map(|(name, value)| (name.clone(), to_hydrate(value)))
                .collect();
            hydrate::Value::Map(hydrate::Map::from(map))
        }
        scalar => hydrate::Value::Scalar(crate::value::to_scalar(scalar)),
    }
}

/// The changes that `text` asks of `document`, as the engine makes them.
fn drafted(document: &Document, text: &str) -> Vec<Change> {
    let file = file::read(text.as_bytes(), document.schema()).expect("a file");
    let mut held = Lazy::new(document.held.clone(), document);
    let (_, changes) = document
        .planned(file, &options(), &mut held)
        .expect("an import that is allowed");
    changes
}

/// The same, made by automerge's own transactions on a fork at the file's heads.
fn transacted(document: &Document, text: &str) -> Vec<Change> {
    let file = file::read(text.as_bytes(), document.schema()).expect("a file");
    let sync = file.sync.clone().expect("a version");
    let (heads, _) = document.named_by(&sync).expect("known").expect("its own");
    let fork = document
        .automerge()
        .fork_at(&heads)
        .expect("all of them known");
    let mut base = Document::new(*document.id(), Arc::clone(document.schema()));
    base.restore(&[fork.save()]).expect("its own history");
    let mut held = Lazy::new(document.held.clone(), &base);
    let now = Moment::now(&base);
    let compared = Comparison {
        base: &now,
        written: &now,
        versioned: true,
        others: &[],
    };
    let plan = Plan::make(&compared, file, &ImportOptions::default(), &mut held).expect("a plan");
    let mut made = base.automerge().clone();
    let mut changes = Vec::new();
    for (nth, steps) in [plan.steps.as_slice()].into_iter().enumerate() {
        let write = |actor: &[u8], doc: &mut automerge::Automerge| {
            doc.set_actor(ActorId::from(actor)).set_author(None);
            let mut tx = doc.transaction();
            plan.write(&mut tx, base.collection(), nth == 0, steps)
                .expect("writes that are allowed");
            let options = CommitOptions::default()
                .with_time(plan.seconds)
                .with_message("file");
            tx.commit_with(options).0
        };
        let Some(trial) = write(&[0; 16], &mut made.clone()) else {
            continue;
        };
        let hash = write(&trial.0[..16], &mut made).expect("as before");
        changes.extend(made.get_change_by_hash(&hash));
    }
    changes
}

fn hashes(changes: &[Change]) -> Vec<ChangeHash> {
    changes.iter().map(Change::hash).collect()
}

fn numbers() -> impl Strategy<Value = (u8, u8, u8)> {
    (any::<u8>(), any::<u8>(), any::<u8>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 96 } else { 1024 }))]

    /// Whatever came after the file was written, and whoever reads it: one change, which is the
    /// one that automerge itself would make.
    #[test]
    fn f5_a_file_is_one_change_by_every_way(
        before in prop::collection::vec(numbers(), 1..14),
        apart in prop::collection::vec(numbers(), 0..6),
        by_hand in prop::collection::vec(numbers(), 0..5),
        after in prop::collection::vec(numbers(), 0..14),
        elsewhere in prop::collection::vec(numbers(), 0..14),
    ) {
        let (mut a, mut b) = (document(1), document(2));
        for (nth, numbers) in before.iter().enumerate() {
            edit(&mut a, nth, *numbers);
        }
        pull(&mut b, &a);
        for (nth, numbers) in apart.iter().enumerate() {
            edit(&mut a, 100 + nth, *numbers);
            edit(&mut b, 100 + nth, (numbers.0 / 2, numbers.1, numbers.2 / 3));
        }
        pull(&mut a, &b);
        let text = String::from_utf8(a.export(&|_| None)).expect("text");
        let mut file: Value = serde_json::from_str(&text).expect("its own file");
        by_hand.iter().for_each(|numbers| hand_edit(&mut file, *numbers));
        let text = file.to_string();

        let now = drafted(&a, &text);
        prop_assert_eq!(hashes(&now), hashes(&transacted(&a, &text)));
        for (old, new) in now.iter().zip(&transacted(&a, &text)) {
            prop_assert_eq!(old.raw_bytes(), new.raw_bytes());
        }

        pull(&mut b, &a);
        for (nth, numbers) in after.iter().enumerate() {
            edit(&mut a, 200 + nth, *numbers);
        }
        for (nth, numbers) in elsewhere.iter().enumerate() {
            edit(&mut b, 200 + nth, *numbers);
        }
        for document in [&mut a, &mut b] {
            prop_assert_eq!(hashes(&drafted(document, &text)), hashes(&now));
            prop_assert_eq!(hashes(&transacted(document, &text)), hashes(&now));
        }

        // One imports first, the other merges first; and once more; and after a restart.
        a.import(text.as_bytes(), &options()).expect("an import");
        pull(&mut b, &a);
        b.import(text.as_bytes(), &options()).expect("an import");
        pull(&mut a, &b);
        let exported = a.export(&|_| None);
        prop_assert_eq!(&exported, &b.export(&|_| None));
        prop_assert!(a.import(text.as_bytes(), &options()).expect("again").changes.is_empty());
        let mut restarted = document(3);
        restarted.restore(&[a.save()]).expect("its own history");
        prop_assert_eq!(&exported, &restarted.export(&|_| None));
        prop_assert_eq!(a.heads(), restarted.heads());
        restarted.rebuild();
        prop_assert_eq!(&exported, &restarted.export(&|_| None));
    }
}

/// Enough records that all of them are read, and written, at once.
#[test]
fn f5_many_records_at_once_are_the_same_change() {
    let mut a = document(1);
    let jobs: Vec<Value> = (1..=500)
        .map(|n| json!({"id": format!("job-{n}"), "prompt": "knight", "createdAt": n, "note": {"n": n}}))
        .collect();
    let text = json!({ "jobs": jobs }).to_string();
    a.import(text.as_bytes(), &options()).expect("an import");
    let written = String::from_utf8(a.export(&|_| None)).expect("text");
    let by_hand = written.replace("\"knight\"", "\"mage\"");
    let keys: Vec<Key> = a.view().rows().map(|row| row.key.clone()).collect();
    let clear = StampedEdit {
        id: EditId("clear-of-everything".to_owned()),
        at: Millis(1_700_000_000_000),
        edit: Edit::Remove { keys },
    };
    let before = drafted(&a, &by_hand);
    assert_eq!(hashes(&before), hashes(&transacted(&a, &by_hand)));
    a.edit(&clear).expect("a clear");
    assert_eq!(a.view().rows().count(), 0);
    assert_eq!(a.view().bin().count(), 500);
    assert_eq!(hashes(&before), hashes(&drafted(&a, &by_hand)));
    a.import(by_hand.as_bytes(), &options()).expect("an import");
    assert_eq!(
        a.view().rows().count(),
        500,
        "edits apart from a clear beat it (D6)"
    );
    let mut again = document(2);
    again.restore(&[a.save()]).expect("its own history");
    assert_eq!(a.export(&|_| None), again.export(&|_| None));
    let author = again
        .automerge()
        .get_author_for_actor(&ActorId::from([1; 16]));
    assert_eq!(author.expect("an author").as_bytes(), b"00000000000000aa");
}

/// The core draws no actor of its own, and loading what was kept does not change it.
#[test]
fn s4_the_actor_is_the_one_that_the_host_drew() {
    let (mut a, mut b) = (document(1), document(2));
    edit(&mut a, 1, (0, 0, 0));
    pull(&mut b, &a);
    edit(&mut b, 2, (0, 0, 0));
    pull(&mut a, &b);
    edit(&mut a, 3, (0, 0, 0));
    let changes = a.automerge().get_changes_meta(&[]);
    let actors: Vec<String> = changes
        .iter()
        .skip(1) // The document's own first change.
        .map(|change| change.actor.to_hex_string()[..2].to_owned())
        .collect();
    assert_eq!(actors, ["01", "02", "01"]);
}
