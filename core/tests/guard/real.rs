//! Documents of all kinds, made here and by automerge alone, pass; the counts are the real ones.

use automerge::sync::{State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, Change, ObjType, ROOT, ReadDoc, ScalarValue};
use plainsync_core::guard::{Limits, Summary, check, check_message};
use proptest::prelude::*;
use serde_json::json;

use crate::common::device;
use crate::documents::{everything, many_actors};

fn passes(bytes: &[u8]) -> Summary {
    check(bytes, &Limits::PEER).unwrap()
}

/// Every change, compressed and not, all of them together, and the saved document are counted
/// as automerge counts them.
fn counts_are_right(doc: &Automerge) {
    let changes = doc.get_changes(&[]);
    let mut all = Vec::new();
    for mut change in changes.clone() {
        let rows = u64::try_from(change.len()).unwrap();
        let actors = u64::try_from(change.actors().count()).unwrap();
        let expected = Summary {
            chunks: 1,
            changes: 1,
            rows,
            actors,
            new_actors: u64::from(change.seq() == 1),
            unpacked_bytes: 0,
        };
        let plain = passes(change.raw_bytes());
        assert_eq!(plain.rows, rows);
        assert_eq!(
            Summary {
                unpacked_bytes: 0,
                ..plain
            },
            expected
        );
        let compressed = passes(&change.bytes());
        assert_eq!(
            Summary {
                unpacked_bytes: 0,
                ..compressed
            },
            expected
        );
        all.extend_from_slice(change.raw_bytes());
    }
    let together = passes(&all);
    let ops: usize = changes.iter().map(Change::len).sum();
    assert_eq!(together.rows, u64::try_from(ops).unwrap());
    assert_eq!(together.chunks, u64::try_from(changes.len()).unwrap());
    let stats = doc.stats();
    for saved in [doc.save(), doc.save_nocompress()] {
        let found = passes(&saved);
        assert_eq!(
            (found.chunks, found.changes, found.rows, found.actors),
            (1, stats.num_changes, stats.num_ops, stats.num_actors)
        );
    }
    let hashes = changes.iter().map(Change::hash);
    let bundle = passes(doc.bundle(hashes).unwrap().bytes());
    assert_eq!(
        (bundle.changes, bundle.rows),
        (stats.num_changes, together.rows)
    );
}

/// Every message of a whole conversation passes.
fn conversation_passes(from: &Automerge) {
    let (mut here, mut there) = (
        from.clone(),
        Automerge::new().with_actor(ActorId::from(b"there")),
    );
    let (mut to_there, mut to_here) = (State::new(), State::new());
    let mut rows = 0;
    for _ in 0..20 {
        if let Some(message) = here.generate_sync_message(&mut to_there) {
            rows += check_message(&message.clone().encode(), &Limits::PEER)
                .unwrap()
                .rows;
            there.receive_sync_message(&mut to_here, message).unwrap();
        }
        if let Some(message) = there.generate_sync_message(&mut to_here) {
            check_message(&message.clone().encode(), &Limits::PEER).unwrap();
            here.receive_sync_message(&mut to_there, message).unwrap();
        }
    }
    assert_eq!(there.get_heads(), here.get_heads());
    assert!(rows > 0);
}

#[test]
fn every_kind_of_object_and_value_passes() {
    let doc = everything();
    counts_are_right(&doc);
    conversation_passes(&doc);
}

#[test]
fn a_thousand_actors_pass() {
    let doc = many_actors(1_000);
    counts_are_right(&doc);
    conversation_passes(&doc);
    assert_eq!(passes(&doc.save()).actors, 1_000);
}

#[test]
fn an_empty_document_passes() {
    let doc = Automerge::new().with_actor(ActorId::from(b"one"));
    assert_eq!(passes(&doc.save()).rows, 0);
    assert_eq!(passes(b""), Summary::default());
}

/// F5, hazard 11: an import is split so that each of its changes passes.
#[test]
fn imports_of_ten_thousand_jobs_pass() {
    let jobs: Vec<_> = (1..=10_000)
        .map(|n| {
            json!({"id": format!("job-{n}"), "prompt": format!("a knight number {n}"), "width": 64, "height": 64,
                "seed": null, "status": "success", "result": null, "error": null, "startTime": n, "endTime": n + 1,
                "duration": 1.5, "createdAt": n})
        })
        .collect();
    let mut one = device(1);
    let text = json!({"jobs": jobs, "lastJobId": 10_001}).to_string();
    one.import(&text).unwrap();
    for chunk in &one.chunks {
        passes(chunk);
    }
    let saved = one.replica.document().save();
    let doc = Automerge::load(&saved).unwrap();
    assert!(doc.stats().num_ops > 140_000);
    counts_are_right(&doc);
    conversation_passes(&doc);
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, String),
    Delete(u8),
    Nest(u8, u8),
    Insert(u8, i64),
    Letters(u8, String),
    Count(u8, i64),
    Switch(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..8_u8, ".{0,20}").prop_map(|(key, text)| Step::Put(key, text)),
        (0..8_u8).prop_map(Step::Delete),
        (0..8_u8, 0..3_u8).prop_map(|(key, kind)| Step::Nest(key, kind)),
        (any::<u8>(), any::<i64>()).prop_map(|(at, n)| Step::Insert(at, n)),
        (any::<u8>(), ".{0,30}").prop_map(|(at, text)| Step::Letters(at, text)),
        (0..8_u8, -5..5_i64).prop_map(|(key, by)| Step::Count(key, by)),
        (0..4_u8).prop_map(Step::Switch),
    ];
    prop::collection::vec(step, 0..120)
}

/// What `steps` make: four replicas that write apart, merged at each switch.
fn written(steps: &[Step]) -> Automerge {
    let mut docs: Vec<_> = (0..4_u8)
        .map(|nth| Automerge::new().with_actor(ActorId::from([nth; 4])))
        .collect();
    let mut now = 0;
    for step in steps {
        if let Step::Switch(to) = step {
            let mut from = docs[now].clone();
            now = usize::from(*to);
            docs[now].merge(&mut from).unwrap();
            continue;
        }
        let doc = &mut docs[now];
        let objects: Vec<_> = (0..8_u8)
            .filter_map(|key| doc.get(ROOT, key.to_string()).unwrap())
            .filter_map(|(value, id)| value.to_objtype().map(|kind| (kind, id)))
            .collect();
        let mut tx = doc.transaction();
        let of_kind = |wanted| {
            objects
                .iter()
                .find(|(kind, _)| *kind == wanted)
                .map(|(_, id)| id)
        };
        match step {
            Step::Put(key, text) => tx.put(ROOT, key.to_string(), text.as_str()).unwrap(),
            Step::Delete(key) => tx.delete(ROOT, key.to_string()).unwrap(),
            Step::Nest(key, kind) => {
                let kind = [ObjType::Map, ObjType::List, ObjType::Text][usize::from(*kind)];
                tx.put_object(ROOT, key.to_string(), kind).unwrap();
            }
            Step::Insert(at, n) => {
                if let Some(list) = of_kind(ObjType::List) {
                    let at = usize::from(*at) % (tx.length(list) + 1);
                    tx.insert(list, at, *n).unwrap();
                }
            }
            Step::Letters(at, letters) => {
                if let Some(text) = of_kind(ObjType::Text) {
                    let at = usize::from(*at) % (tx.length(text) + 1);
                    tx.splice_text(text, at, 0, letters).unwrap();
                }
            }
            Step::Count(key, by) => {
                let name = format!("count-{key}");
                if tx.get(ROOT, &name).unwrap().is_none() {
                    tx.put(ROOT, &name, ScalarValue::counter(0)).unwrap();
                }
                tx.increment(ROOT, name, *by).unwrap();
            }
            Step::Switch(_) => {}
        }
        tx.commit();
    }
    let mut all = docs.remove(0);
    for mut other in docs {
        all.merge(&mut other).unwrap();
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What anybody writes passes, and is counted right.
    #[test]
    fn random_edits_pass(steps in steps()) {
        let doc = written(&steps);
        if !doc.get_heads().is_empty() {
            counts_are_right(&doc);
            conversation_passes(&doc);
        }
    }
}

/// Edits, runs, removals and purges of the engine's own pass.
#[test]
fn the_engines_own_edits_pass() {
    let mut one = device(1);
    let mut two = device(2);
    for n in 0..30 {
        let record = json!({"prompt": format!("a knight {n}"), "width": 64, "height": 64, "tags": ["a", {"b": n}]});
        let key = one.insert(&format!("record-{n}"), record);
        one.order(&key, &format!("run-{n}"), "0000000000000009");
        one.set(&key, json!({"prompt": "a mage", "size": {"deep": [n]}}));
        if n % 3 == 0 {
            one.remove(&key);
        }
    }
    for chunk in &one.chunks {
        passes(chunk);
    }
    two.replica
        .document_mut()
        .restore_of_others(&one.chunks)
        .unwrap();
    assert_eq!(
        two.replica.document().heads(),
        one.replica.document().heads()
    );
    counts_are_right(&Automerge::load(&one.replica.document().save()).unwrap());
}

/// An import is split so that each of its changes passes, also where records are wide (S5).
#[test]
fn imports_of_wide_records_pass() {
    let wide: serde_json::Map<_, _> = (0..900).map(|n| (format!("field-{n}"), json!(n))).collect();
    let jobs: Vec<_> = (0..300)
        .map(|n| {
            let mut job = wide.clone();
            job.insert("id".to_owned(), json!(format!("job-{n}")));
            job.insert("createdAt".to_owned(), json!(n));
            job
        })
        .collect();
    let mut device = device(1);
    device.import(&json!({"jobs": jobs}).to_string()).unwrap();
    assert_eq!(device.replica.document().view().len(), 300);
    let mut whole = 0;
    for chunk in &device.chunks {
        let summary = passes(chunk);
        whole += summary.rows;
        assert!(summary.changes > 1, "one change would claim {whole} rows");
    }
    assert!(whole > 250_000, "{whole}");
}
