//! Rules F8, F9 and L2: backups, old versions that reappear, and lists that name no version.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Device, device, merge};
use plainsync_core::edit::{Edit, Key};
use plainsync_core::limits::BASE_VERSIONS_MAX;
use plainsync_core::plain::base::{Handed, fingerprint, remember};
use plainsync_core::plain::export::with_replaced_by;
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions, ImportReport};
use plainsync_core::plain::origin::Origin;
use serde_json::{Value, json};

/// What an old client would have of the document: jobs and counter, no version.
fn list(device: &Device) -> Value {
    let file: Value = serde_json::from_str(&device.json()).unwrap();
    json!({"jobs": file["jobs"], "lastJobId": file["lastJobId"]})
}

fn jobs(list: &mut Value) -> &mut Vec<Value> {
    list["jobs"].as_array_mut().unwrap()
}

fn save(
    device: &mut Device,
    list: &Value,
    versions: &[Handed],
) -> Result<ImportReport, ImportError> {
    let options = ImportOptions {
        base: ImportBase::Handed(versions.to_vec()),
        ..ImportOptions::default()
    };
    device.import_with(&list.to_string(), options)
}

fn handed(device: &Device) -> Handed {
    Handed::now(device.document())
}

fn knights(count: usize) -> (Device, Vec<Key>) {
    let mut a = device(1);
    let keys = (1..=count)
        .map(|n| {
            a.insert(
                &format!("record-{n}"),
                json!({"prompt": format!("knight {n}")}),
            )
        })
        .collect();
    (a, keys)
}

#[test]
fn l2_a_list_is_an_edit_of_the_version_that_its_client_was_given() {
    let (mut a, keys) = knights(4);
    let (given, mut theirs) = (handed(&a), list(&a));
    a.set(&keys[0], json!({"prompt": "elsewhere"}));
    let apart = a.insert("record-9", json!({"prompt": "apart"}));
    jobs(&mut theirs)[1]["prompt"] = json!("by the old client");
    jobs(&mut theirs).remove(3);
    let report = save(&mut a, &theirs, &[given]).unwrap();
    assert_eq!((report.changed, report.removed, report.added), (1, 1, 0));
    assert_eq!(
        a.field(&keys[0], "prompt"),
        json!("elsewhere"),
        "stale, not edited"
    );
    assert_eq!(a.field(&keys[1], "prompt"), json!("by the old client"));
    assert!(a.row(&keys[3]).in_bin && !a.row(&apart).in_bin);
}

#[test]
fn l2_the_version_that_differs_least_is_the_base_in_whatever_order_they_are_named() {
    let (mut a, keys) = knights(3);
    let mut versions = vec![handed(&a)];
    a.set(&keys[0], json!({"prompt": "second"}));
    versions.push(handed(&a));
    let second = list(&a);
    a.set(&keys[0], json!({"prompt": "third"}));
    a.set(&keys[1], json!({"prompt": "third"}));
    versions.push(handed(&a));
    let mut theirs = second.clone();
    jobs(&mut theirs)[2]["width"] = json!(7);
    let text = theirs.to_string();
    let expected = versions[1].heads.clone();
    for _ in 0..3 {
        versions.rotate_left(1);
        let closest = a
            .document()
            .closest(text.as_bytes(), &versions)
            .unwrap()
            .unwrap();
        let heads: Vec<String> = closest.heads.iter().map(ToString::to_string).collect();
        assert_eq!(heads, expected);
        assert_eq!((closest.distance.same, closest.distance.differing), (2, 1));
        assert!(closest.distance.fits());
    }
    let report = save(&mut a, &theirs, &versions).unwrap();
    assert_eq!((report.changed, report.removed), (1, 0));
    assert_eq!(
        a.field(&keys[0], "prompt"),
        json!("third"),
        "nothing is set back"
    );
}

#[test]
fn l2_of_versions_that_differ_alike_the_newest_is_the_base() {
    let (mut a, keys) = knights(2);
    let first = handed(&a);
    a.set(&keys[0], json!({"prompt": "x"}));
    a.set(&keys[0], json!({"prompt": "knight 1"}));
    let second = handed(&a);
    let text = list(&a).to_string();
    for versions in [[first.clone(), second.clone()], [second.clone(), first]] {
        let closest = a
            .document()
            .closest(text.as_bytes(), &versions)
            .unwrap()
            .unwrap();
        assert_eq!(closest.heads, a.document().heads());
    }
}

#[test]
fn l2_a_fingerprint_names_the_version_at_once_in_any_order_and_spelling() {
    let (mut a, keys) = knights(3);
    let schema = a.document().schema().clone();
    let given = handed(&a).with_text(a.json().as_bytes(), &schema).unwrap();
    let mut theirs = list(&a);
    jobs(&mut theirs).reverse();
    let text = theirs.to_string().replace(":null", ": null");
    assert_eq!(
        given.fingerprint,
        Some(fingerprint(text.as_bytes(), &schema).unwrap())
    );
    a.set(&keys[0], json!({"prompt": "elsewhere"}));
    let newer = handed(&a).with_text(a.json().as_bytes(), &schema).unwrap();
    assert_ne!(given.fingerprint, newer.fingerprint);
    let before = a.document().heads();
    let report = save(&mut a, &theirs, &[newer, given]).unwrap();
    assert_eq!((report.changed, report.removed, report.added), (0, 0, 0));
    assert_eq!(a.document().heads(), before);
}

#[test]
fn l2_a_job_is_removed_only_if_every_version_that_the_client_may_hold_had_it() {
    let (mut a, keys) = knights(3);
    let before = handed(&a);
    let mut theirs = list(&a);
    let new = a.insert("record-9", json!({"prompt": "new"}));
    let after = handed(&a);
    jobs(&mut theirs).remove(0);
    // Closest is the older version, which lacks the new job; the newer one may be held as well.
    let report = save(&mut a, &theirs, &[before.clone(), after.clone()]).unwrap();
    assert_eq!((report.removed, report.added), (1, 0));
    assert!(a.row(&keys[0]).in_bin && !a.row(&new).in_bin);

    let mut other = list(&a);
    jobs(&mut other).retain(|job| job["prompt"] != "new");
    let now = handed(&a);
    save(&mut a, &other, &[before, now.clone()]).unwrap();
    assert!(!a.row(&new).in_bin, "one of the versions never had it");
    save(&mut a, &other, &[after, now]).unwrap();
    assert!(a.row(&new).in_bin, "both had it");
}

#[test]
fn l2_an_empty_list_is_a_clear_only_for_a_client_that_had_jobs() {
    let empty = json!({"jobs": [], "lastJobId": 1});
    let (mut a, keys) = knights(3);
    let fresh = handed(&device(1)); // Before anything was written.
    let given = handed(&a);
    for versions in [vec![], vec![fresh.clone()], vec![fresh, given.clone()]] {
        save(&mut a, &empty, &versions).unwrap();
        assert_eq!(a.labels().len(), 3, "{versions:?}");
    }
    let apart = a.insert("record-9", json!({"prompt": "apart"}));
    a.set(&keys[1], json!({"width": 9}));
    let report = save(&mut a, &empty, std::slice::from_ref(&given)).unwrap();
    assert_eq!(
        (report.removed, report.kept),
        (2, 1),
        "not asked: Clear was pressed"
    );
    assert!(!a.row(&apart).in_bin && a.row(&keys[1]).kept_by_edit);
    assert!(a.row(&keys[0]).in_bin && a.row(&keys[2]).in_bin);

    // Not a clear: most of the list is missing, and nobody said so.
    let (mut b, _) = knights(5);
    let (given, mut theirs) = (handed(&b), list(&b));
    jobs(&mut theirs).truncate(1);
    let refused = save(&mut b, &theirs, &[given]).unwrap_err();
    assert_eq!(refused, ImportError::RemovesMost { removed: 4, of: 5 });
}

#[test]
fn l2_versions_that_are_not_known_are_no_base() {
    let (mut a, _) = knights(2);
    let unknown = Handed {
        heads: vec!["ab".repeat(32)],
        fingerprint: None,
    };
    let none = Handed {
        heads: Vec::new(),
        fingerprint: None,
    };
    let mut theirs = list(&a);
    jobs(&mut theirs).remove(0);
    assert_eq!(
        a.document()
            .closest(b"{\"jobs\":[]}", &[unknown.clone(), none.clone()]),
        Ok(None)
    );
    let report = save(&mut a, &theirs, &[unknown, none]).unwrap();
    assert_eq!(report.removed, 0, "without a base nothing is removed (F6)");
}

#[test]
fn l2_a_client_is_remembered_by_its_last_versions_only() {
    let (mut a, keys) = knights(1);
    let mut client = Vec::new();
    for n in 0..BASE_VERSIONS_MAX + 3 {
        a.set(&keys[0], json!({"width": n}));
        remember(&mut client, handed(&a));
        remember(&mut client, handed(&a));
    }
    assert_eq!(client.len(), BASE_VERSIONS_MAX);
    assert_eq!(client.last(), Some(&handed(&a)));
    let kept = serde_json::to_string(&client).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Handed>>(&kept).unwrap(), client);
}

/// Takes in a file without a version as an edit of one of `versions`, where it can be one.
fn save_file(device: &mut Device, file: &Value, versions: &[Handed]) -> ImportReport {
    let text = file.to_string();
    let from = device.document().made_from(text.as_bytes(), versions);
    let options = ImportOptions {
        base: from.unwrap().map(|from| from.base).unwrap_or_default(),
        ..ImportOptions::default()
    };
    device.import_with(&text, options).unwrap()
}

#[test]
fn f6_a_file_without_its_version_is_an_edit_of_the_closest_that_was_written() {
    let (mut a, keys) = knights(8);
    let (written, mut theirs) = (handed(&a), list(&a));
    a.set(&keys[2], json!({"width": 99}));
    let versions = [handed(&device(1)), written, handed(&a)];
    jobs(&mut theirs).remove(0);
    jobs(&mut theirs)[0]["prompt"] = json!("by hand");
    jobs(&mut theirs).push(json!({"id": "job-77", "prompt": "new", "createdAt": 77}));
    let report = save_file(&mut a, &theirs, &versions);
    assert_eq!((report.added, report.changed, report.removed), (1, 1, 1));
    assert!(a.row(&keys[0]).in_bin);
    assert_eq!(a.field(&keys[1], "prompt"), json!("by hand"));
    assert_eq!(a.field(&keys[2], "width"), json!(99), "edited since");
}

#[test]
fn f6_a_file_that_shares_little_with_what_was_written_has_no_base() {
    let (mut a, _) = knights(4);
    let versions = [handed(&a)];
    for strange in [
        json!({"jobs": []}),
        json!({"jobs": [{"id": "job-1", "prompt": "another", "createdAt": 5}]}),
        json!({"jobs": [list(&a)["jobs"][0]]}),
    ] {
        let text = strange.to_string();
        let from = a.document().made_from(text.as_bytes(), &versions);
        assert_eq!(from, Ok(None), "{text}");
        assert_eq!(save_file(&mut a, &strange, &versions).removed, 0, "{text}");
    }
    // One that says what it is of is asked for nothing.
    let own = a.json();
    let from = a.document().made_from(own.as_bytes(), &versions);
    assert_eq!(from, Ok(None));
}

#[test]
fn f6_an_old_copy_between_two_versions_that_were_written_removes_nothing() {
    let (mut a, _) = knights(6);
    let older = handed(&a);
    a.insert("record-8", json!({"prompt": "knight 8"}));
    let copy = list(&a); // Of a version that nobody noted.
    a.insert("record-9", json!({"prompt": "knight 9"}));
    for versions in [
        &[older.clone(), handed(&a)][..],
        &[handed(&a), older.clone()],
        &[older],
    ] {
        let report = save_file(&mut a, &copy, versions);
        let did = (report.added, report.changed, report.removed);
        assert_eq!(did, (0, 0, 0), "nobody edited it");
    }
    assert_eq!(a.document().view().rows().count(), 8);
}

#[test]
fn f6_an_old_copy_brings_nothing_back_from_the_bin() {
    let (mut a, keys) = knights(6);
    let copy = list(&a);
    a.edit(Edit::Remove {
        keys: vec![keys[0].clone()],
    });
    let versions = [handed(&a)];
    save_file(&mut a, &copy, &versions);
    assert!(a.row(&keys[0]).in_bin);
}

#[test]
fn f9_an_older_version_that_reappears_unedited_is_told_from_an_edit() {
    let (mut a, keys) = knights(2);
    let old = a.json();
    let heads = a.document().heads();
    assert_eq!(a.document().origin(old.as_bytes()), Ok(Origin::Current));
    a.set(&keys[0], json!({"prompt": "later"}));
    let older = Origin::Older {
        heads: heads.clone(),
    };
    assert_eq!(a.document().origin(old.as_bytes()), Ok(older));
    let spelled: Value = serde_json::from_str(&old).unwrap();
    let reformatted = a.document().origin(spelled.to_string().as_bytes());
    assert!(
        matches!(reformatted, Ok(Origin::Older { .. })),
        "spelling is no edit"
    );
    let before = a.document().heads();
    assert_eq!(a.import(&old).unwrap().changed, 0);
    assert_eq!(a.document().heads(), before, "it is never taken by itself");

    let edited = old.replace("knight 2", "by hand");
    let edited = a.document().origin(edited.as_bytes());
    assert_eq!(
        edited,
        Ok(Origin::Edited {
            heads: heads.clone()
        })
    );

    // What is offered: going back to it, as a new edit.
    let heads = heads.iter().map(ToString::to_string).collect();
    a.edit(Edit::Return { heads });
    assert_eq!(a.field(&keys[0], "prompt"), json!("knight 1"));
}

#[test]
fn f6_a_file_says_whose_it_is() {
    let (mut a, keys) = knights(1);
    let mut b = device(2);
    b.pull(&a);
    a.set(&keys[0], json!({"width": 1}));
    assert!(matches!(
        b.document().origin(a.json().as_bytes()),
        Ok(Origin::Ahead { .. })
    ));
    let unversioned = a.document().origin(list(&a).to_string().as_bytes());
    assert_eq!(unversioned, Ok(Origin::Unversioned));
    let id = a.document().id().to_string();
    let foreign = a.json().replace(&id, "4NMNnkMhL8jXrdJ9jamS58PAVdXu");
    assert!(matches!(
        a.document().origin(foreign.as_bytes()),
        Ok(Origin::OtherDocument { document }) if document == "4NMNnkMhL8jXrdJ9jamS58PAVdXu"
    ));
    assert!(a.document().origin(b"{\"jobs\": 1}").is_err());
}

/// The backup of what `device` holds, replaced by what `edit` makes of it.
fn backup_replaced_by(device: &mut Device, edit: impl FnOnce(&mut Device)) -> String {
    let file = device.json();
    edit(device);
    let heads = device.document().version().heads;
    String::from_utf8(with_replaced_by(file.as_bytes(), &heads).unwrap()).unwrap()
}

#[test]
fn f8_a_backup_goes_back_from_what_replaced_it_and_keeps_what_came_after() {
    let (mut a, keys) = knights(3);
    let mut b = device(2);
    let backup = backup_replaced_by(&mut a, |a| {
        a.set(&keys[0], json!({"prompt": "a mistake"}));
        a.remove(&keys[1]);
        a.insert("record-9", json!({"prompt": "also a mistake"}));
    });
    b.pull(&a);
    assert!(matches!(
        a.document().origin(backup.as_bytes()),
        Ok(Origin::Backup { .. })
    ));
    a.set(&keys[2], json!({"prompt": "later, and meant"}));
    b.insert("record-10", json!({"prompt": "elsewhere, and meant"}));

    let (known_a, known_b) = (a.document().heads(), b.document().heads());
    let report = a.import(&backup).unwrap();
    assert_eq!((report.changed, report.restored, report.removed), (1, 1, 1));
    b.import(&backup).unwrap();
    let new = |device: &Device, known: &[_]| {
        let heads = device.document().heads().into_iter();
        heads
            .filter(|head| !known.contains(head))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        new(&a, &known_a),
        new(&b, &known_b),
        "one change on every machine"
    );
    merge(&mut a, &mut b);
    assert_eq!(a.field(&keys[0], "prompt"), json!("knight 1"));
    assert_eq!(a.field(&keys[2], "prompt"), json!("later, and meant"));
    assert_eq!(a.labels(), ["job-1", "job-2", "job-3", "job-5"]);
    let before = a.json();
    assert!(a.import(&backup).unwrap().known, "once");
    assert_eq!(a.json(), before);
}

#[test]
fn f8_a_backup_edited_by_hand_goes_back_and_edits() {
    let (mut a, keys) = knights(2);
    let backup = backup_replaced_by(&mut a, |a| a.set(&keys[0], json!({"prompt": "mistake"})));
    let edited = backup.replace("knight 2", "by hand");
    let report = a.import(&edited).unwrap();
    assert_eq!(report.changed, 2);
    assert_eq!(a.field(&keys[0], "prompt"), json!("knight 1"));
    assert_eq!(a.field(&keys[1], "prompt"), json!("by hand"));
}

#[test]
fn f8_a_backups_labels_mean_what_they_meant_when_it_was_written() {
    let mut a = device(1);
    let first = a.insert(
        "record-1",
        json!({"id": "job-6", "prompt": "one", "createdAt": 1}),
    );
    let second = a.insert(
        "record-2",
        json!({"id": "job-6", "prompt": "two", "createdAt": 1}),
    );
    let backup = backup_replaced_by(&mut a, |a| {
        a.set(&first, json!({"id": "hero"})); // `job-6` is the second one from now on.
        a.set(&second, json!({"prompt": "mistake"}));
    });
    assert_eq!(a.labels(), ["hero", "job-6"]);
    let report = a.import(&backup).unwrap();
    assert_eq!((report.changed, report.added, report.removed), (2, 0, 0));
    assert_eq!(a.labels(), ["job-6", "job-6-2"]);
    assert_eq!(a.field(&second, "prompt"), json!("two"));
}

#[test]
fn f8_a_backup_whose_successor_has_not_arrived_is_parked() {
    let (mut a, keys) = knights(2);
    let mut b = device(2);
    b.pull(&a);
    let backup = backup_replaced_by(&mut a, |a| a.set(&keys[0], json!({"prompt": "mistake"})));
    assert!(matches!(b.import(&backup), Err(ImportError::Parked { .. })));
    assert!(matches!(
        b.document().origin(backup.as_bytes()),
        Ok(Origin::Ahead { .. })
    ));
    b.pull(&a);
    b.import(&backup).unwrap();
    assert_eq!(b.field(&keys[0], "prompt"), json!("knight 1"));
}

#[test]
fn d9_a_number_stays_used_when_its_label_is_given_up() {
    let (mut a, keys) = knights(3);
    a.set(&keys[2], json!({"id": "hero"}));
    assert_eq!(a.document().view().next_number(), 4);
    let mut b = device(2);
    b.pull(&a);
    assert_eq!(
        b.document().view().next_number(),
        4,
        "also where it was never seen"
    );
    assert_eq!(a.json(), b.json());
    let file = a.json().replace("\"job-2\"", "\"mage\"");
    b.import(&file).unwrap();
    assert_eq!(b.document().view().next_number(), 4);
}
