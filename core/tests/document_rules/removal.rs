//! Rule D6: the bin, what an edit apart keeps, and what a purge leaves.

use automerge::transaction::Transactable as _;
use automerge::{Automerge, AutomergeError, ROOT, ReadDoc as _};
use plainsync_core::edit::{Edit, EditError};
use plainsync_core::replica::StepError;
use serde_json::json;

use crate::common::{device, edited_apart, map, merge};

#[test]
fn d6_removing_moves_to_the_bin_and_restoring_brings_back() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.remove(&key);
    assert!(a.row(&key).in_bin);
    assert!(a.labels().is_empty());
    a.edit(Edit::Restore {
        keys: vec![key.clone()],
    });
    assert!(!a.row(&key).in_bin);
    assert_eq!(a.field(&key, "prompt"), json!("knight"));
    a.remove(&key);
    assert!(a.row(&key).in_bin, "a second removal counts");
}

#[test]
fn d6_an_edit_made_apart_beats_a_removal() {
    for nested in [false, true] {
        let (mut a, mut b) = (device(1), device(2));
        let key = a.insert("key-0001", json!({"prompt": "knight", "extra": {"x": 1}}));
        merge(&mut a, &mut b);
        a.remove(&key);
        b.set(
            &key,
            if nested {
                json!({"extra": {"x": 2}})
            } else {
                json!({"width": 99})
            },
        );
        merge(&mut a, &mut b);
        assert!(
            !a.row(&key).in_bin && a.row(&key).kept_by_edit,
            "nested: {nested}"
        );
        a.remove(&key);
        merge(&mut a, &mut b);
        assert!(b.row(&key).in_bin, "a removal that knew the edit holds");
    }
}

#[test]
fn d6_two_removals_apart_are_one_and_a_late_result_lands_in_the_bin() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.order(&key, "run-one", "server");
    merge(&mut a, &mut b);
    a.remove(&key);
    b.remove(&key);
    let set = map(json!({"status": "success"}));
    b.edit(Edit::Progress {
        key: key.clone(),
        run_id: "run-one".to_owned(),
        set,
    });
    merge(&mut a, &mut b);
    assert!(a.row(&key).in_bin);
    assert_eq!(a.field(&key, "status"), json!("success"));
}

#[test]
fn d6_purging_keeps_key_label_and_creation_time_only() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight", "createdAt": 5}));
    let refused = a
        .try_edit(Edit::Purge {
            keys: vec![key.clone()],
        })
        .unwrap_err();
    assert!(matches!(
        refused,
        StepError::Edit(EditError::NotInBin { .. })
    ));
    a.remove(&key);
    a.purge(&key);
    assert_eq!(a.row(&key).job, map(json!({"id": "job-1", "createdAt": 5})));
    assert_eq!(a.document().view().bin().count(), 0);
    let next = a.insert("key-0002", json!({"prompt": "mage"}));
    assert_eq!(
        a.row(&next).label,
        "job-2",
        "D9: a number is not given twice"
    );
}

#[test]
fn d6_a_run_made_apart_from_a_purge_is_shown_whole() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    a.remove(&key);
    a.purge(&key);
    b.set(&key, json!({"status": "success", "result": "made apart"}));
    merge(&mut a, &mut b);
    assert!(a.row(&key).is_listed(), "what was edited apart is kept");
    assert_eq!(a.field(&key, "status"), json!("success"));
    assert_eq!(a.field(&key, "result"), json!("made apart"));
}

/// What was brought back after a purge is a record like any: removed, it can be taken out again.
#[test]
fn d6_what_an_edit_kept_from_a_purge_can_be_removed_and_restored() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    let keys = vec![key.clone()];
    merge(&mut a, &mut b);
    a.remove(&key);
    a.purge(&key);
    b.set(&key, json!({"prompt": "made apart"}));
    merge(&mut a, &mut b);
    assert!(a.row(&key).is_listed() && a.row(&key).kept_by_edit);
    a.remove(&key);
    assert!(a.row(&key).in_bin && !a.row(&key).purged);
    a.edit(Edit::Restore { keys });
    assert!(a.row(&key).is_listed() && !a.row(&key).kept_by_edit);
    assert_eq!(a.field(&key, "prompt"), json!("made apart"));
}

/// A run that was chosen apart from the purge that empties it is none to show, and brings nothing
/// back.
#[test]
fn d6_a_run_chosen_apart_from_a_purge_stays_emptied() {
    let by = |name: &str| json!({"status": "success", "result": name});
    let (mut a, mut b, key) = edited_apart(by("of a"), by("of b"));
    let choice = b.choice(&key, "run", 0);
    a.remove(&key);
    a.purge(&key);
    b.edit(choice);
    merge(&mut a, &mut b);
    for device in [&a, &b] {
        let row = device.row(&key);
        assert!(row.purged && row.run.is_none() && row.conflicts.is_empty());
    }
}

#[test]
fn d6_taking_out_of_the_bin_apart_does_not_undo_a_purge() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.remove(&key);
    merge(&mut a, &mut b);
    a.purge(&key);
    b.edit(Edit::Restore {
        keys: vec![key.clone()],
    });
    merge(&mut a, &mut b);
    assert!(a.row(&key).purged && b.row(&key).purged);
}

/// Documents in which a purge said `true` and not what it left.
#[test]
fn d6_a_purge_that_an_earlier_engine_made_holds() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.remove(&key);
    a.purge(&key);
    let mut earlier = Automerge::load(&a.document().save()).unwrap();
    let (_, jobs) = earlier.get(ROOT, "jobs").unwrap().unwrap();
    let (_, record) = earlier.get(&jobs, key.0.as_str()).unwrap().unwrap();
    earlier
        .transact::<_, _, AutomergeError>(|tx| tx.put(&record, "purged", true))
        .unwrap();
    a.take(&[earlier.save()]);
    assert!(a.row(&key).purged);
}
