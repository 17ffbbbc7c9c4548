//! Documents that automerge alone wrote, for tests of the guard.

use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, ObjType, ROOT, ScalarValue};

/// A document with every kind of object and value.
pub(crate) fn everything() -> Automerge {
    let mut doc = Automerge::new().with_actor(ActorId::from(b"one"));
    let mut tx = doc.transaction();
    for (name, value) in [
        (
            "text",
            ScalarValue::from("a long text, long enough to be kept apart from the others"),
        ),
        ("int", (-5_i64).into()),
        ("uint", u64::MAX.into()),
        ("float", 1.5_f64.into()),
        ("counter", ScalarValue::counter(3)),
        ("time", ScalarValue::Timestamp(1_800_000_000_000)),
        ("bytes", ScalarValue::Bytes(vec![7; 1_000])),
        ("yes", true.into()),
        ("null", ScalarValue::Null),
    ] {
        tx.put(ROOT, name, value).unwrap();
    }
    tx.increment(ROOT, "counter", 4).unwrap();
    let text = tx.put_object(ROOT, "letters", ObjType::Text).unwrap();
    tx.splice_text(&text, 0, 0, &"a knight by a lake. ".repeat(50))
        .unwrap();
    tx.mark(
        &text,
        Mark::new("bold".to_owned(), true, 2, 8),
        ExpandMark::Both,
    )
    .unwrap();
    let list = tx.put_object(ROOT, "list", ObjType::List).unwrap();
    for nth in 0..500 {
        tx.insert(&list, nth, i64::try_from(nth).unwrap() % 7)
            .unwrap();
    }
    tx.commit();
    let mut tx = doc.transaction();
    tx.splice_text(&text, 5, 100, "cut").unwrap();
    tx.delete(&list, 3).unwrap();
    tx.delete(ROOT, "int").unwrap();
    tx.put(ROOT, "yes", false).unwrap();
    tx.commit();
    doc
}

/// A document that `count` actors wrote.
pub(crate) fn many_actors(count: u32) -> Automerge {
    let mut doc = Automerge::new().with_actor(ActorId::from(b"one"));
    for nth in 0..count {
        doc.set_actor(ActorId::from(&nth.to_be_bytes()));
        let mut tx = doc.transaction();
        tx.put(ROOT, format!("key-{}", nth % 50), i64::from(nth))
            .unwrap();
        tx.commit();
    }
    doc
}
