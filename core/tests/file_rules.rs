//! Rules F3 to F6 and L2: a file as a fork of the document.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{device, merge};
use plainsync_core::edit::Key;
use plainsync_core::plain::export::with_replaced_by;
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions};
use serde_json::{Value, json};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The exported file with one text replaced; the text must stand there.
fn edited(json: &str, from: &str, to: &str) -> String {
    assert!(json.contains(from), "{from} is not in {json}");
    json.replacen(from, to, 1)
}

#[test]
fn f1_a_changed_status_is_a_diff_of_that_job_the_time_and_the_heads() {
    let mut a = device(1);
    let mut keys = Vec::new();
    for n in 0..20 {
        keys.push(a.insert(
            &format!("key-{n:04}"),
            json!({"prompt": format!("job {n}")}),
        ));
    }
    let before = a.json();
    a.set(&keys[7], json!({"status": "error"}));
    let after = a.json();
    let differing: Vec<(&str, &str)> = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new)
        .collect();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(differing.len(), 3, "{differing:?}");
    assert!(
        differing
            .iter()
            .any(|(old, new)| old.contains("idle") && new.contains("error"))
    );
    assert!(differing.iter().any(|(old, _)| old.contains("savedAt")));
}

#[test]
fn f2_a_backup_also_names_the_version_that_replaced_it() {
    let mut a = device(1);
    a.insert("key-0001", json!({"prompt": "knight"}));
    let heads = vec!["ab".repeat(32), "cd".repeat(32)];
    let backup = with_replaced_by(a.json().as_bytes(), &heads).unwrap();
    let mut said = parsed(std::str::from_utf8(&backup).unwrap());
    assert_eq!(said["sync"]["replacedBy"], json!(heads));
    said["sync"].as_object_mut().unwrap().remove("replacedBy");
    assert_eq!(said, parsed(&a.json()));
    assert!(with_replaced_by(b"{}", &heads).is_none());
}

#[test]
fn f4_a_stale_copy_with_one_edit_changes_one_field() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight", "width": 64}));
    let other = a.insert("key-0002", json!({"prompt": "mage"}));
    let stale = edited(
        &a.json(),
        "\"prompt\": \"knight\"",
        "\"prompt\": \"by hand\"",
    );
    a.set(&key, json!({"width": 128, "status": "success"}));
    a.set(&other, json!({"prompt": "later"}));
    let third = a.insert("key-0003", json!({"prompt": "new"}));
    let report = a.import(&stale).unwrap();
    assert_eq!((report.added, report.changed, report.removed), (0, 1, 0));
    assert_eq!(a.field(&key, "prompt"), json!("by hand"));
    assert_eq!(a.field(&key, "width"), json!(128));
    assert_eq!(a.field(&key, "status"), json!("success"));
    assert_eq!(a.field(&other, "prompt"), json!("later"));
    assert!(!a.row(&third).in_bin);
}

#[test]
fn f4_reordering_and_reformatting_are_no_edit() {
    let mut a = device(1);
    a.insert(
        "key-0001",
        json!({"prompt": "knight", "width": 64, "half": 0.5}),
    );
    a.insert(
        "key-0002",
        json!({"prompt": "mage", "extra": {"b": 1, "a": [1, 2]}}),
    );
    let mut file = parsed(&a.json());
    file["jobs"].as_array_mut().unwrap().reverse();
    let flat = file.to_string().replace("\"width\":64", "\"width\":6.4e1");
    let before = a.document().heads();
    a.import(&flat).unwrap();
    assert_eq!(a.document().heads(), before);
}

#[test]
fn f4_removing_by_hand_moves_to_the_bin_unless_edited_apart() {
    let mut a = device(1);
    let keys: Vec<Key> = (0..4)
        .map(|n| a.insert(&format!("key-000{n}"), json!({"prompt": n.to_string()})))
        .collect();
    let mut file = parsed(&a.json());
    file["jobs"].as_array_mut().unwrap().drain(0..2);
    a.set(&keys[1], json!({"prompt": "edited apart"}));
    let report = a.import(&file.to_string()).unwrap();
    assert_eq!((report.removed, report.kept), (1, 1));
    assert!(a.row(&keys[0]).in_bin);
    assert!(!a.row(&keys[1]).in_bin && a.row(&keys[1]).kept_by_edit);
}

#[test]
fn f4_new_jobs_by_hand_with_and_without_a_label_are_added_once() {
    let mut a = device(1);
    a.insert("key-0001", json!({"prompt": "knight", "createdAt": 1}));
    let copy = json!({"id": "job-1", "prompt": "a copy of the block", "createdAt": 1});
    let mut file = parsed(&a.json());
    let jobs = file["jobs"].as_array_mut().unwrap();
    jobs.push(json!({"prompt": "no label"}));
    jobs.push(json!({"id": "job-9", "prompt": "with label"}));
    jobs.push(copy);
    let report = a.import(&file.to_string()).unwrap();
    assert_eq!((report.added, report.changed, report.removed), (3, 0, 0));
    assert_eq!(a.document().view().rows().count(), 4);
    assert!(a.document().view().by_label("job-9").is_some());
    assert!(
        a.document().view().by_label("job-1-2").is_some(),
        "{:?}",
        a.labels()
    );
    let again = a.import(&file.to_string()).unwrap();
    assert_eq!(a.document().view().rows().count(), 4, "{again:?}");
    let written = a.json();
    let before = a.document().heads();
    a.import(&written).unwrap();
    assert_eq!(
        a.document().heads(),
        before,
        "what was written is what is read"
    );
}

#[test]
fn f5_one_edited_file_is_one_change_on_every_device() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    let file = edited(&a.json(), "knight", "by hand");
    merge(&mut a, &mut b);
    a.set(&key, json!({"width": 1}));
    b.set(&key, json!({"height": 2}));
    b.insert("key-0002", json!({"prompt": "apart"}));
    let known = a.document().heads();
    a.import(&file).unwrap();
    let new: Vec<_> = a
        .document()
        .heads()
        .into_iter()
        .filter(|hash| !known.contains(hash))
        .collect();
    b.import(&file).unwrap();
    assert!(new.iter().all(|hash| b.document().heads().contains(hash)));
    let (before_a, before_b) = (a.json(), b.json());
    a.import(&file).unwrap();
    b.import(&file).unwrap();
    assert_eq!(
        (a.json(), b.json()),
        (before_a, before_b),
        "a second import changes nothing"
    );
    merge(&mut a, &mut b);
    assert_eq!(a.field(&key, "prompt"), json!("by hand"));
    assert!(a.row(&key).conflicts.is_empty());
}

#[test]
fn f6_files_without_a_version_never_remove_and_never_bring_back_old_values() {
    let mut a = device(1);
    let key = a.insert(
        "key-0001",
        json!({"prompt": "knight", "createdAt": 1, "extra": {"x": 1}}),
    );
    let gone = a.insert("key-0002", json!({"prompt": "mage", "createdAt": 2}));
    let mut old = parsed(&a.json());
    old.as_object_mut().unwrap().remove("sync");
    a.set(
        &key,
        json!({"prompt": "dragon", "status": "success", "result": "new", "extra": {"x": 2}}),
    );
    a.remove(&gone);
    let third = a.insert("key-0003", json!({"prompt": "third"}));
    let report = a.import(&old.to_string()).unwrap();
    assert_eq!((report.added, report.changed, report.removed), (0, 0, 0));
    assert!(report.stale >= 3, "{report:?}");
    assert_eq!(a.field(&key, "prompt"), json!("dragon"));
    assert_eq!(a.field(&key, "status"), json!("success"));
    assert!(
        a.row(&gone).in_bin,
        "a stale tab's list does not bring a removed job back"
    );
    assert!(!a.row(&third).in_bin);

    old["jobs"][0]["prompt"] = json!("never seen before");
    old["jobs"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "job-77", "createdAt": 7}));
    let report = a.import(&old.to_string()).unwrap();
    assert_eq!((report.added, report.changed, report.removed), (1, 1, 0));
    assert_eq!(a.field(&key, "prompt"), json!("never seen before"));
    let again = a.import(&old.to_string()).unwrap();
    assert_eq!((again.added, again.changed), (0, 0), "the same save twice");
}

#[test]
fn f6_a_fresh_browsers_first_job_does_not_take_over_job_1() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight", "createdAt": 1}));
    a.import(r#"{"jobs":[{"id":"job-1","prompt":"first here","createdAt":99}],"lastJobId":2}"#)
        .unwrap();
    assert_eq!(a.field(&key, "prompt"), json!("knight"));
    assert_eq!(a.labels(), ["job-1", "job-1-2"]);
}

#[test]
fn f6_one_job_imported_apart_from_two_files_stays_one_record() {
    let (mut a, mut b) = (device(1), device(2));
    a.import(r#"{"jobs":[{"id":"job-1","createdAt":1,"prompt":"x","width":1}]}"#)
        .unwrap();
    b.import(r#"{"jobs":[{"id":"job-1","createdAt":1,"prompt":"x","height":2},{"id":"job-2","createdAt":2}]}"#).unwrap();
    merge(&mut a, &mut b);
    assert_eq!(a.labels().len(), 2);
    let key = a.document().view().by_label("job-1").unwrap().key.clone();
    assert_eq!(
        (a.field(&key, "width"), a.field(&key, "height")),
        (json!(1), json!(2))
    );
    b.set(&key, json!({"prompt": "y", "width": 3}));
    merge(&mut a, &mut b);
    assert_eq!(
        (a.field(&key, "prompt"), a.field(&key, "width")),
        (json!("y"), json!(3))
    );
    assert!(a.row(&key).conflicts.is_empty());
}

#[test]
fn f6_another_documents_file_is_taken_in_without_removing_and_remembered() {
    let mut a = device(1);
    let file = json!({"jobs": [{"id": "job-1", "createdAt": 1, "prompt": "x"}],
        "sync": {"document": "4NMNnkMhL8jXrdJ9jamS58PAVdXu", "heads": ["00".repeat(32)]}});
    a.import(&file.to_string()).unwrap();
    let written = parsed(&a.json());
    assert_eq!(written["sync"]["from"], file["sync"]);
    assert_eq!(written["jobs"].as_array().unwrap().len(), 1);
    a.import(&json!({"jobs": [], "sync": file["sync"]}).to_string())
        .unwrap();
    assert_eq!(a.labels(), ["job-1"]);
}

#[test]
fn f6_a_version_that_has_not_arrived_is_parked() {
    let (mut a, mut b) = (device(1), device(2));
    a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    b.insert("key-0002", json!({"prompt": "ahead"}));
    let ahead = edited(&b.json(), "knight", "by hand");
    let before = a.json();
    assert!(matches!(a.import(&ahead), Err(ImportError::Parked { .. })));
    assert_eq!(a.json(), before);
    a.pull(&b);
    assert_eq!(a.import(&ahead).unwrap().changed, 1);
}

#[test]
fn f7_removing_most_records_asks_first() {
    let mut a = device(1);
    for n in 0..3 {
        a.insert(&format!("key-000{n}"), json!({"prompt": n.to_string()}));
    }
    let mut file = parsed(&a.json());
    file["jobs"] = json!([]);
    let text = file.to_string();
    let refused = a.import(&text).unwrap_err();
    assert_eq!(refused, ImportError::RemovesMost { removed: 3, of: 3 });
    assert_eq!(a.labels().len(), 3);
    let confirmed = ImportOptions {
        may_remove_most: true,
        ..ImportOptions::default()
    };
    a.import_with(&text, confirmed).unwrap();
    assert_eq!(
        a.document().view().bin().count(),
        3,
        "into the bin, not away"
    );
}

#[test]
fn l2_a_list_saved_against_a_named_version_is_merged_three_way() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight", "createdAt": 1}));
    let dropped = a.insert("key-0002", json!({"prompt": "mage", "createdAt": 2}));
    a.insert("key-0004", json!({"prompt": "stays", "createdAt": 4}));
    let base = ImportBase::Heads(a.document().heads());
    let mut list = parsed(&a.json());
    list.as_object_mut().unwrap().remove("sync");
    list["jobs"].as_array_mut().unwrap().remove(1);
    list["jobs"][0]["status"] = json!("running");
    a.set(&key, json!({"prompt": "edited apart"}));
    let apart = a.insert("key-0003", json!({"prompt": "added apart"}));
    a.import_with(
        &list.to_string(),
        ImportOptions {
            base,
            ..ImportOptions::default()
        },
    )
    .unwrap();
    assert_eq!(a.field(&key, "status"), json!("running"));
    assert_eq!(a.field(&key, "prompt"), json!("edited apart"));
    assert!(a.row(&dropped).in_bin && !a.row(&apart).in_bin);
}

#[test]
fn l3_what_is_no_list_of_jobs_is_refused_with_its_place() {
    let mut a = device(1);
    a.insert("key-0001", json!({"prompt": "knight"}));
    let before = a.json();
    for (text, says) in [
        ("{}", "line 1, column 1: the file has no \"jobs\""),
        ("[]", "line 1, column 1: the file is a list"),
        (
            "{\n  \"jobs\": {}}",
            "line 2, column 11: \"jobs\" is an object",
        ),
        ("{\"jobs\": [1]}", "line 1, column 11: jobs[0] is a number"),
        (
            "{\"jobs\": [], \"lastJobId\": \"7\"}",
            "line 1, column 27: \"lastJobId\" is a text",
        ),
        (
            "{\"jobs\": [], \"lastJobId\": -1}",
            "line 1, column 27: \"lastJobId\" is -1",
        ),
        (
            "{\"jobs\": [{\"runs\": 1}]}",
            "line 1, column 12: jobs[0] has a field \"runs\"",
        ),
        (
            "{\"jobs\": [], \"sync\": 1}",
            "line 1, column 22: the \"sync\" block has no \"document\"",
        ),
        ("", "line 1, column 1: "),
        ("{\"jobs\": [{\"id\": \"jo", "line 1, column "),
        ("<<<<<<< HEAD\n{\"jobs\": []}", "line 1, column 1: "),
        ("\u{feff}{\"jobs\": []}", "line 1, column 1: "),
    ] {
        let error = a.import(text).unwrap_err().to_string();
        assert!(error.starts_with(says), "{text:?} gave {error:?}");
    }
    assert_eq!(a.json(), before);
}

#[test]
fn b6_an_old_dump_is_a_file_like_any_other() {
    let mut a = device(1);
    let dump = json!({"jobs": [{"id": "job-1", "prompt": "x", "createdAt": 1}], "lastJobId": 2, "savedAt": 1_700_000_000_000_u64});
    let answer = json!({"status": "ok", "jobs": dump["jobs"], "lastJobId": 2, "savedAt": "2026-01-02T03:04:05.123456", "message": "Loaded 1 jobs"});
    a.import(&dump.to_string()).unwrap();
    assert_eq!(parsed(&a.json())["savedAt"], json!("2023-11-14T22:13:20Z"));
    let report = a.import(&answer.to_string()).unwrap();
    assert_eq!((report.added, report.changed), (0, 0));
    assert!(parsed(&a.json()).get("message").is_none());
}

#[test]
fn l1_a_saved_list_is_as_old_as_its_save() {
    let mut a = device(1);
    let at = Some(plainsync_core::time::Millis(1_769_854_271_999));
    let options = ImportOptions {
        base: ImportBase::Unknown,
        at,
        ..ImportOptions::default()
    };
    a.import_with(r#"{"jobs":[{"id":"job-1","createdAt":1}]}"#, options)
        .unwrap();
    assert_eq!(parsed(&a.json())["savedAt"], json!("2026-01-31T10:11:11Z"));
}
