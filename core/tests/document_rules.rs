//! Rules D3 to D11, each by the smallest story that shows it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "document_rules/removal.rs"]
mod removal;

use common::{device, edited_apart, map, merge};
use plainsync_core::edit::{Edit, EditError, Key};
use plainsync_core::replica::{Effect, Input, StepError};
use plainsync_core::time::Millis;
use serde_json::json;

#[test]
fn d2_a_clock_ten_years_off_decides_nothing() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    b.clock += 10 * 365 * 24 * 3_600_000;
    b.set(&key, json!({"width": 32}));
    b.set(&key, json!({"width": 33}));
    merge(&mut a, &mut b);
    a.set(&key, json!({"width": 64})); // Knows b's edit, so it wins whatever the clocks say.
    merge(&mut a, &mut b);
    assert_eq!(b.field(&key, "width"), json!(64));
}

#[test]
fn d3_edits_to_different_fields_all_survive() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert(
        "key-0001",
        json!({"prompt": "knight", "extra": {"x": 1, "y": 1}}),
    );
    merge(&mut a, &mut b);
    a.set(&key, json!({"prompt": "mage", "extra": {"x": 2, "y": 1}}));
    b.set(&key, json!({"width": 128, "extra": {"x": 1, "y": 2}}));
    merge(&mut a, &mut b);
    assert_eq!(a.field(&key, "prompt"), json!("mage"));
    assert_eq!(a.field(&key, "width"), json!(128));
    assert_eq!(a.field(&key, "extra"), json!({"x": 2, "y": 2}));
    assert!(a.row(&key).conflicts.is_empty());
}

#[test]
fn d4_edits_apart_to_one_field_are_listed_until_resolved() {
    let (mut a, mut b, key) = edited_apart(json!({"prompt": "mage"}), json!({"prompt": "dragon"}));
    assert_eq!(a.row(&key).conflicts, ["prompt"]);
    let conflict = a.document().conflicts(&key).remove(0);
    let values: Vec<_> = conflict
        .values
        .iter()
        .map(|side| side.value.clone())
        .collect();
    assert!(values.contains(&json!("mage")) && values.contains(&json!("dragon")));
    let devices: Vec<_> = conflict
        .values
        .iter()
        .map(|side| side.device.clone())
        .collect();
    assert!(
        devices.contains(&Some(format!("{:016x}", 1)))
            && devices.contains(&Some(format!("{:016x}", 2)))
    );

    let resolve = a.choice(&key, "prompt", 0);
    b.set(&key, json!({"prompt": "wizard"}));
    a.pull(&b);
    let refused = a.try_edit(resolve.clone()).unwrap_err();
    assert!(
        matches!(refused, StepError::Edit(EditError::Moved { .. })),
        "{refused}"
    );

    a.set(&key, json!({"prompt": "golem"}));
    merge(&mut a, &mut b);
    assert!(
        a.row(&key).conflicts.is_empty(),
        "an edit that knew both sides settles it"
    );
}

/// Whoever keeps the shown value has chosen, as has whoever takes another one: neither choice
/// is lost for the other.
#[test]
fn d4_keeping_the_shown_value_stands_against_another_choice() {
    let (mut a, mut b, key) = edited_apart(json!({"prompt": "mage"}), json!({"prompt": "dragon"}));
    let (kept, other) = (a.choice(&key, "prompt", 1), b.choice(&key, "prompt", 0));
    a.edit(kept);
    b.edit(other);
    assert!(a.row(&key).conflicts.is_empty() && b.row(&key).conflicts.is_empty());
    merge(&mut a, &mut b);
    let stands = a.document().conflicts(&key).remove(0).values;
    let mut stands: Vec<_> = stands.iter().map(|side| side.value.clone()).collect();
    stands.sort_by_key(ToString::to_string);
    assert_eq!(stands, [json!("dragon"), json!("mage")]);
}

#[test]
fn d4_equal_values_are_no_conflict() {
    let (a, _, key) = edited_apart(json!({"prompt": "mage"}), json!({"prompt": "mage"}));
    assert!(a.row(&key).conflicts.is_empty());
}

#[test]
fn d5_a_runs_fields_win_or_lose_together() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    a.set(
        &key,
        json!({"status": "success", "result": "image of a", "duration": 1.5}),
    );
    b.set(
        &key,
        json!({"status": "error", "error": "no credit", "duration": 2.5}),
    );
    merge(&mut a, &mut b);
    let run = ["status", "result", "error", "duration"].map(|name| a.field(&key, name));
    let whole = [
        [
            json!("success"),
            json!("image of a"),
            json!(null),
            json!(1.5),
        ],
        [json!("error"), json!(null), json!("no credit"), json!(2.5)],
    ];
    assert!(whole.contains(&run), "{run:?}");
    assert_eq!(a.row(&key).conflicts, ["run"]);
}

#[test]
fn d5_a_result_reaches_its_own_run_only() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.order(&key, "run-one", "server");
    merge(&mut a, &mut b);
    b.order(&key, "run-two", "server");
    let set = map(json!({"status": "success", "result": "late"}));
    a.edit(Edit::Progress {
        key: key.clone(),
        run_id: "run-one".to_owned(),
        set,
    });
    merge(&mut a, &mut b);
    assert_eq!(a.row(&key).run.as_ref().unwrap().id, "run-two");
    assert_eq!(a.field(&key, "status"), json!("queued"));
    assert_eq!(a.field(&key, "result"), json!(null));
}

#[test]
fn d7_two_records_that_claim_one_label_both_stay() {
    let (mut a, mut b) = (device(1), device(2));
    let ka = a.insert("key-aaaa", json!({"prompt": "knight"}));
    let kb = b.insert("key-bbbb", json!({"prompt": "mage"}));
    assert_eq!(
        (a.row(&ka).label.as_str(), b.row(&kb).label.as_str()),
        ("job-1", "job-1")
    );
    merge(&mut a, &mut b);
    let mut labels = a.labels();
    labels.sort();
    assert_eq!(labels, ["job-1", "job-1-2"]);
    assert_eq!(a.row(&ka).label, b.row(&ka).label);
    assert!(a.document().view().by_label("job-1-2").is_some());
    let next = a.insert("key-cccc", json!({"prompt": "dragon"}));
    assert_eq!(a.row(&next).label, "job-2");
}

#[test]
fn d7_references_follow_the_record_not_the_label() {
    let (mut a, mut b) = (device(1), device(2));
    let source = a.insert("key-aaaa", json!({"prompt": "knight"}));
    let rotation = json!({"isRotation": true, "rotationData": {"sourceJobId": "job-1", "toDirection": "east"}});
    let turned = a.insert("key-cccc", rotation);
    assert_eq!(
        a.field(&turned, "rotationData")["sourceJobId"],
        json!(source.0)
    );
    b.insert("key-bbbb", json!({"prompt": "mage"}));
    merge(&mut a, &mut b);
    let label = a.row(&source).label.clone();
    let exported: serde_json::Value = serde_json::from_str(&a.json()).unwrap();
    let jobs = exported["jobs"].as_array().unwrap();
    let job = jobs
        .iter()
        .find(|job| job["isRotation"] == json!(true))
        .unwrap();
    assert_eq!(job["rotationData"]["sourceJobId"], json!(label));
}

#[test]
fn d8_unknown_fields_and_every_number_survive() {
    let mut a = device(1);
    let file = r#"{"jobs":[{"id":"job-1","createdAt":1,"big":18446744073709551615,"small":-9223372036854775808,
        "half":0.5,"tiny":1e-300,"deep":{"list":[1,{"x":null}],"text":"ü\u0000"},"result":"not an image","__proto__":{"a":1}}],
        "note":{"by":"hand"}}"#;
    a.import(file).unwrap();
    let out: serde_json::Value = serde_json::from_str(&a.json()).unwrap();
    let given: serde_json::Value = serde_json::from_str(file).unwrap();
    assert_eq!(out["jobs"], given["jobs"]);
    assert_eq!(out["note"], given["note"]);
    let refused = a
        .import(r#"{"jobs":[{"id":"job-2","n":1e400}]}"#)
        .unwrap_err()
        .to_string();
    assert!(refused.starts_with("line 1, column "), "{refused}");
}

#[test]
fn d9_the_next_number_never_falls() {
    let (mut a, mut b) = (device(1), device(2));
    a.import(r#"{"jobs":[{"id":"job-3","createdAt":1}],"lastJobId":12}"#)
        .unwrap();
    assert_eq!(a.document().view().next_number(), 12);
    a.import(r#"{"jobs":[{"id":"job-3","createdAt":1}],"lastJobId":2}"#)
        .unwrap();
    assert_eq!(
        a.document().view().next_number(),
        12,
        "a lower one is raised, not an error"
    );
    b.import(r#"{"jobs":[],"lastJobId":20}"#).unwrap();
    merge(&mut a, &mut b);
    assert_eq!(a.document().view().next_number(), 20);
    let key = a.insert("key-0001", json!({"id": "job-40", "prompt": "x"}));
    a.remove(&key);
    assert_eq!(a.document().view().next_number(), 41);
}

/// The number of a label that was taken away is not given again, and what a replica shows as the next
/// number follows from the changes, not from what it saw on the way.
#[test]
fn d9_a_number_stays_used_when_its_label_is_renamed() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"id": "job-40", "prompt": "x"}));
    assert_eq!(a.document().view().next_number(), 41);
    a.set(&key, json!({"id": "job-7"}));
    assert_eq!(a.document().view().next_number(), 41);
    merge(&mut a, &mut b); // It never showed job-40.
    assert_eq!(b.document().view().next_number(), 41);
    assert_eq!(a.json(), b.json());
    let next = b.insert("key-0002", json!({"prompt": "y"}));
    assert_eq!(b.row(&next).label, "job-41");
}

/// One record made twice apart, as two imports do, under two numbers: both are used.
#[test]
fn d9_of_a_record_made_twice_both_numbers_are_used() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"id": "job-9", "prompt": "x"}));
    b.insert("key-0001", json!({"id": "job-10", "prompt": "x"}));
    merge(&mut a, &mut b);
    let conflict = a.document().conflicts(&key).remove(0);
    assert_eq!(conflict.field, "id");
    for device in [&a, &b] {
        assert_eq!(device.document().view().next_number(), 11);
    }
    let nine = conflict
        .values
        .iter()
        .position(|side| side.value == json!("job-9"));
    let choice = a.choice(&key, "id", nine.unwrap());
    a.edit(choice);
    merge(&mut a, &mut b);
    for device in [&a, &b] {
        assert_eq!(device.row(&key).label, "job-9");
        assert_eq!(device.document().view().next_number(), 11);
    }
}

/// Whoever makes an edit signs it with the actor that its host drew.
#[test]
fn s4_edits_carry_the_actor_of_their_replica() {
    let (mut a, mut b) = (device(1), device(1));
    a.insert("key-0001", json!({"prompt": "x"}));
    b.insert("key-0001", json!({"prompt": "x"}));
    assert_eq!(a.document().version().heads, b.document().version().heads);
}

#[test]
fn d11_restoring_an_older_version_is_a_new_edit() {
    let mut a = device(1);
    let kept = a.insert("key-0001", json!({"prompt": "knight"}));
    let binned = a.insert("key-0002", json!({"prompt": "mage"}));
    a.remove(&binned);
    let heads = a.document().version().heads;
    let before: serde_json::Value = serde_json::from_str(&a.json()).unwrap();
    a.set(
        &kept,
        json!({"prompt": "changed", "status": "error", "extra": 1}),
    );
    a.edit(Edit::Restore {
        keys: vec![binned.clone()],
    });
    a.set(&binned, json!({"prompt": "changed too"}));
    let late = a.insert("key-0003", json!({"prompt": "late"}));
    let changed = a.json();
    let later = a.document().version().heads;
    a.edit(Edit::Return {
        heads: heads.clone(),
    });
    let after: serde_json::Value = serde_json::from_str(&a.json()).unwrap();
    assert_eq!(after["jobs"], before["jobs"]);
    assert!(
        a.row(&late).in_bin && a.row(&binned).in_bin,
        "nothing after it is lost"
    );
    assert_eq!(a.field(&binned, "prompt"), json!("mage"));
    a.edit(Edit::Return { heads: later });
    let back: serde_json::Value = serde_json::from_str(&a.json()).unwrap();
    let changed: serde_json::Value = serde_json::from_str(&changed).unwrap();
    assert_eq!(back["jobs"], changed["jobs"], "going back is undoable");
    let unknown = Edit::Return {
        heads: vec!["00".repeat(32)],
    };
    assert!(matches!(
        a.try_edit(unknown),
        Err(StepError::Edit(EditError::NoSuchVersion { .. }))
    ));
}

#[test]
fn edits_that_cannot_be_are_refused_with_a_reason() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    let nobody = Key("key-9999".to_owned());
    let set = |key: &Key, set| Edit::Change {
        key: key.clone(),
        set: map(set),
        unset: Vec::new(),
    };
    let cases = [
        (
            set(&nobody, json!({"prompt": "x"})),
            "there is no record with the key \"key-9999\"",
        ),
        (
            set(&key, json!({"runs": {}})),
            "runs is a name that the engine keeps for itself",
        ),
        (
            Edit::Insert {
                key: Key("short".to_owned()),
                record: map(json!({})),
                order: None,
            },
            "the key \"short\" is not allowed",
        ),
        (
            Edit::Run {
                keys: vec![key.clone()],
                orders: vec![],
            },
            "orders is 0 orders for 1 records",
        ),
        (
            Edit::Progress {
                key: key.clone(),
                run_id: "nope".to_owned(),
                set: map(json!({"status": "x"})),
            },
            "job-1 has no run \"nope\"",
        ),
    ];
    let before = a.json();
    for (edit, says) in cases {
        let refused = a.try_edit(edit).unwrap_err().to_string();
        assert!(refused.starts_with(says), "{refused}");
    }
    assert_eq!(a.json(), before);
}

/// A host that keeps rows by their place is told of those that moved, also where a merge is so
/// large that every record is read again. Seed 1515 of the simulated folder.
#[test]
fn d1_a_row_that_only_moved_has_changed() {
    let many = |prefix: &str| {
        let job = |n| json!({"id": format!("{prefix}-{n}"), "prompt": "a knight", "createdAt": n});
        let jobs: Vec<_> = (0..300).map(job).collect();
        json!({ "jobs": jobs }).to_string()
    };
    let record = json!({"id": "job-1", "prompt": "the same", "createdAt": 5});
    let (mut early, mut late) = (device(1), device(2));
    early.insert("made-twice", record.clone());
    early.import(&many("a")).unwrap();
    late.import(&many("b")).unwrap();
    let key = late.insert("made-twice", record);
    let place = |device: &common::Device| device.replica.document().view().order_of(&key).cloned();
    let before = place(&late);
    let chunks = early.chunks.clone();
    let absorb = Input::Absorb { chunks };
    let effects = late.replica.step(Millis(late.clock), absorb).unwrap();
    assert_ne!(place(&late), before, "the earlier one counts");
    let named = effects.iter().any(|effect| match effect {
        Effect::Changed { keys, .. } => keys.contains(&key),
        _ => false,
    });
    assert!(named, "it moved unnoticed");
}
