//! Objects nested thousands deep: automerge's own way to read them all overflows the stack, which
//! aborts. Nothing here does: the engine reads to a depth of its own, so the guard need not count.

use std::borrow::Cow;

use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, ObjId, ObjType, ROOT, ReadDoc};
use plainsync_core::edit::Edit;
use plainsync_core::guard::{Limits, check};
use plainsync_core::limits::VALUE_DEPTH_MAX;

use crate::common::{Device, device, map};

const DEPTH: usize = 5_000;

/// Far below what a thread of a server or a browser's worker has.
const STACK_BYTES: usize = 1 << 20;

/// A change that nests `kind` in itself, [`DEPTH`] deep, at `prop` of `home`.
fn nested(doc: &mut Automerge, home: ObjId, prop: &str, kind: ObjType) {
    let mut tx = doc.transaction();
    let mut at = tx.put_object(home, prop, kind).unwrap();
    for _ in 1..DEPTH {
        at = match kind {
            ObjType::List => tx.insert_object(&at, 0, kind).unwrap(),
            _ => tx.put_object(&at, "a", kind).unwrap(),
        };
    }
    match kind {
        ObjType::List => tx.insert(&at, 0, 1).unwrap(),
        _ => tx.put(&at, "a", 1).unwrap(),
    }
    tx.commit();
}

fn goes_everywhere(chunks: Vec<Vec<u8>>, first: &Device) {
    for chunk in &chunks {
        check(chunk, &Limits::PEER).unwrap();
    }
    let mut one = device(2);
    one.pull(first);
    one.take(&chunks);
    let json = one.json();
    assert!(json.contains("a knight"));
    let saved = one.document().save();
    check(&saved, &Limits::PEER).unwrap();
    let mut two = device(3);
    two.take(&[saved]);
    assert_eq!(two.json(), json);
    let mut three = device(4);
    three.pull(first);
    let document = three.replica.document_mut();
    document.restore_of_others(&chunks).unwrap();
    assert_eq!(three.json(), json);
    let file = three.document().export(&|_| None::<Cow<'_, [u8]>>);
    three.import(&String::from_utf8(file).unwrap()).unwrap();
    // What was written can be edited away, and gone back to.
    let keys: Vec<_> = three
        .document()
        .view()
        .rows()
        .map(|row| row.key.clone())
        .collect();
    for key in keys {
        three.set(&key, serde_json::json!({"deep": 1}));
        three.remove(&key);
    }
    three.json();
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "a thread with a small stack is what is tested"
)]
fn five_thousand_deep_is_safe_from_end_to_end() {
    let work = || {
        let mut first = device(1);
        first.insert("record-1", serde_json::json!({"prompt": "a knight"}));
        for kind in [ObjType::Map, ObjType::List] {
            let mut doc = Automerge::load(&first.document().save()).unwrap();
            let before = doc.get_heads();
            doc.set_actor(ActorId::from(b"deep"));
            let (_, jobs) = doc.get(ROOT, "jobs").unwrap().unwrap();
            let (_, job) = doc.get(&jobs, "record-1").unwrap().unwrap();
            nested(&mut doc, job.clone(), "deep", kind);
            nested(&mut doc, job, "runs", kind);
            nested(&mut doc, jobs, "record-2", kind);
            nested(&mut doc, ROOT, "deep", kind);
            nested(&mut doc, ROOT, "jobs", kind);
            let changes = doc.get_changes(&before);
            let chunks = changes.iter().map(|change| change.raw_bytes().to_vec());
            goes_everywhere(chunks.collect(), &first);
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

/// F7: what may be written can be read again from the file.
#[test]
fn the_deepest_field_makes_a_file_that_is_read_again() {
    let deep =
        |levels| (0..levels).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    for (levels, is_allowed) in [(VALUE_DEPTH_MAX - 1, true), (VALUE_DEPTH_MAX, false)] {
        let mut one = device(1);
        let key = one.insert("record-1", serde_json::json!({"prompt": "a knight"}));
        let edit = Edit::Change {
            key: key.clone(),
            set: map(serde_json::json!({"deep": deep(levels)})),
            unset: Vec::new(),
        };
        assert_eq!(one.try_edit(edit).is_ok(), is_allowed, "{levels}");
        let text = one.json();
        let report = one.import(&text).unwrap();
        assert_eq!((report.changed, report.removed), (0, 0));
        if is_allowed {
            assert_eq!(one.field(&key, "deep"), deep(levels));
        }
    }
}
