//! The log, the differences between versions, and going back: rules D4 and D11.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "history/any.rs"]
mod any;
mod common;

use common::{Device, device, edited_apart, merge};
use plainsync_core::document::Document;
use plainsync_core::edit::{Edit, Key};
use plainsync_core::history::{Happened, VersionError};
use serde_json::{Value, json};

fn return_to(device: &mut Device, version: &str) {
    let heads = device.document().find_version(version).unwrap();
    let heads = heads.iter().map(ToString::to_string).collect();
    device.edit(Edit::Return { heads });
}

/// The records as the file says them.
fn jobs(document: &Document) -> Value {
    let text = document.export(&|_| None);
    let mut file: Value = serde_json::from_slice(&text).unwrap();
    file["jobs"].take()
}

fn said(device: &Device) -> Vec<String> {
    let page = device.document().log(None, 100).unwrap();
    let lines = page.entries.iter().map(|entry| {
        let did = &entry.did;
        let counts = [
            (did.added, "+"),
            (did.changed, "~"),
            (did.removed, "-"),
            (did.restored, "^"),
        ];
        let mut line: String = (counts.iter())
            .filter(|(count, _)| *count > 0)
            .map(|(count, sign)| format!("{sign}{count}"))
            .collect();
        for record in &did.records {
            line.push_str(&format!(" {} {}", record.label, record.fields.join(",")));
        }
        if entry.changes > 1 {
            line.push_str(&format!(" ({} changes)", entry.changes));
        }
        line.trim_end().to_owned()
    });
    lines.collect()
}

#[test]
fn d11_the_log_tells_what_was_done_newest_first() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.insert("key-0002", json!({"prompt": "mage"}));
    a.set(&key, json!({"prompt": "king", "width": 32}));
    a.remove(&key);
    a.edit(Edit::Restore {
        keys: vec![key.clone()],
    });
    assert_eq!(
        said(&a),
        [
            "^1 job-1",
            "-1 job-1",
            "~1 job-1 prompt,width",
            "+1 job-2",
            "+1 job-1",
        ]
    );
    let page = a.document().log(None, 2).unwrap();
    let newest = &page.entries[0];
    assert_eq!(newest.made.device.as_deref(), Some("0000000000000001"));
    assert_eq!(newest.made.at.0, a.clock / 1000 * 1000);
    let rest = a.document().log(page.next.as_deref(), 2).unwrap();
    assert_eq!(rest.entries[0].did.changed, 1);
    let last = a.document().log(rest.next.as_deref(), 2).unwrap();
    assert_eq!((last.entries.len(), last.next), (1, None));
}

#[test]
fn d11_what_a_server_reports_of_a_run_is_one_line() {
    let mut a = device(1);
    let keys = ["key-0001", "key-0002"].map(|key| a.insert(key, json!({"prompt": "knight"})));
    for (key, run) in keys.iter().zip(["run-0001", "run-0002"]) {
        a.order(key, run, "0000000000000001");
    }
    for status in ["running", "success"] {
        for (key, run) in keys.iter().zip(["run-0001", "run-0002"]) {
            a.edit(Edit::Progress {
                key: key.clone(),
                run_id: run.to_owned(),
                set: common::map(json!({"status": status})),
            });
        }
    }
    let log = said(&a);
    assert_eq!(log.len(), 4, "{log:#?}");
    assert!(log[0].starts_with("~1 job-2 ") && log[0].ends_with("(3 changes)"));
    let page = a.document().log(None, 1).unwrap();
    let run = &page.entries[0];
    assert_eq!(run.did.records[0].status.as_deref(), Some("success"));
    // Page by page they are the same lines.
    let mut paged = page.entries.clone();
    let mut next = page.next;
    while let Some(after) = next {
        let page = a.document().log(Some(&after), 1).unwrap();
        paged.extend(page.entries);
        next = page.next;
    }
    assert_eq!(paged, a.document().log(None, 100).unwrap().entries);
}

#[test]
fn d11_a_line_of_the_log_is_all_that_stands_below_it() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    a.set(&key, json!({"prompt": "king"}));
    b.set(&key, json!({"width": 32}));
    merge(&mut a, &mut b);
    a.remove(&key);
    let log = a.document().log(None, 10).unwrap().entries;
    assert_eq!(log[1].heads.len(), 2, "two edits made apart: {log:#?}");
    assert!(log[1].version.contains(','));
    return_to(&mut a, &log[1].version);
    assert_eq!(a.field(&key, "prompt"), json!("king"));
    assert_eq!(a.field(&key, "width"), json!(32));
    merge(&mut a, &mut b);
    let (log, other) = (a.document().log(None, 10), b.document().log(None, 10));
    assert_eq!(log, other, "the same changes give the same log everywhere");
}

#[test]
fn d11_versions_are_found_by_name_steps_and_time() {
    let mut a = device(1);
    a.clock = 1_769_853_600_000; // 2026-01-31T10:00:00Z
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    let first = a.document().heads();
    a.clock += 3_600_000;
    a.set(&key, json!({"prompt": "king"}));
    let second = a.document().heads();
    let document = a.document();
    let find = |text: &str| document.find_version(text);
    let name = first[0].to_string();
    for (text, expected) in [
        ("HEAD", &second),
        ("head~0", &second),
        ("HEAD~1", &first),
        (&name[..8], &first),
        (&name[..64].to_ascii_uppercase(), &first),
        (
            &format!("{}, {}", &name[..9], &second[0].to_string()[..9]),
            &second,
        ),
        ("2026-01-31 10:30", &first),
        ("2026-01-31T12:30:00+02:00", &first),
        ("2026-01-31", &second),
    ] {
        assert_eq!(find(text).as_ref(), Ok(expected), "{text}");
    }
    let sentence = |text: &str| find(text).unwrap_err().to_string();
    for (text, expected) in [
        ("abc", "too short"),
        ("HEAD~2", "only 1 steps back"),
        ("HEAD~500", "too many steps"),
        ("HEAD~x", "names no version"),
        ("yesterday-evening", "names no version"),
        ("", "names no version"),
        (
            "2026-01-31 09:00",
            "the oldest change is of 2026-01-31T10:00:01Z",
        ),
        (&"0".repeat(64), "is not in this document's history"),
    ] {
        assert!(
            sentence(text).contains(expected),
            "{text}: {}",
            sentence(text)
        );
    }
}

#[test]
fn d11_a_beginning_that_several_share_is_refused() {
    let mut a = device(1);
    for n in 0..600 {
        a.insert(&format!("key-{n:04}"), json!({"prompt": "knight"}));
    }
    let log = a.document().log(None, 500).unwrap().entries;
    let mut names: Vec<&str> = log.iter().map(|entry| &entry.heads[0][..4]).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    let prefix = twice.expect("of 500 two begin alike")[0];
    let refused = a.document().find_version(prefix).unwrap_err();
    let VersionError::Ambiguous { examples, .. } = refused else {
        panic!("{refused}");
    };
    for name in examples.split(", ") {
        assert!(name.starts_with(prefix) && a.document().find_version(name).is_ok());
    }
}

#[test]
fn d11_a_clock_that_is_wrong_decides_only_where_a_line_stands() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    merge(&mut a, &mut b);
    b.clock += 315_360_000_000; // Ten years ahead.
    b.set(&key, json!({"width": 32}));
    merge(&mut a, &mut b);
    a.set(&key, json!({"prompt": "king"})); // Follows it, with an older time.
    let log = a.document().log(None, 10).unwrap().entries;
    let fields: Vec<_> = log
        .iter()
        .map(|entry| &entry.did.records[0].fields)
        .collect();
    assert_eq!(fields[0], &["prompt"]);
    assert_eq!(fields[1], &["width"]);
    let now = a
        .document()
        .version_at(i64::try_from(a.clock / 1000).unwrap());
    assert_eq!(now.as_ref(), Ok(&a.document().heads()));
}

#[test]
fn d11_a_wrong_clear_is_taken_back_and_what_came_after_stays_within_reach() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    let other = a.insert("key-0002", json!({"prompt": "mage"}));
    let keys = vec![key.clone(), other.clone()];
    a.edit(Edit::Remove { keys });
    let new = a.insert("key-0003", json!({"prompt": "dragon"}));
    let before = a.document().heads();
    return_to(&mut a, "HEAD~2");
    assert_eq!(a.labels(), ["job-1", "job-2"]);
    assert!(a.row(&new).in_bin);
    let entry = &a.document().log(None, 1).unwrap().entries[0];
    assert_eq!(entry.made.message.as_deref(), Some("restore"));
    assert_eq!((entry.did.restored, entry.did.removed), (2, 1));
    // And the way back of the way back.
    let name = a.document().name_of(&before);
    return_to(&mut a, &name);
    assert_eq!(a.labels(), ["job-3"]);
    assert_eq!(a.field(&new, "prompt"), json!("dragon"));
}

#[test]
fn d11_one_record_goes_back_alone() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight", "note": "x"}));
    let other = a.insert("key-0002", json!({"prompt": "mage"}));
    let then = a.document().heads();
    a.set(&other, json!({"prompt": "witch"}));
    a.edit(Edit::Change {
        key: key.clone(),
        set: common::map(json!({"prompt": "king", "status": "error"})),
        unset: vec!["note".to_owned()],
    });
    a.remove(&key);
    let back = a.document().edits_to_return(&key, &then).unwrap();
    back.into_iter().for_each(|edit| drop(a.edit(edit)));
    let row = a.row(&key);
    assert!(!row.in_bin);
    assert_eq!(row.job["prompt"], json!("knight"));
    assert_eq!(row.job["note"], json!("x"));
    assert_eq!(row.job["status"], json!("idle"));
    assert_eq!(a.field(&other, "prompt"), json!("witch"), "others stay");
    assert_eq!(a.document().edits_to_return(&key, &then).unwrap(), []);
}

/// Found by the property below: with the edit gone, the removal that it had beaten held again.
#[test]
fn d11_what_an_edit_had_kept_stays_listed_without_that_edit() {
    for alone in [false, true] {
        let mut a = device(1);
        let key = a.insert("key-0001", json!({"prompt": "knight"}));
        let then = a.document().heads();
        a.remove(&key);
        a.set(&key, json!({"note": "kept"}));
        assert!(a.row(&key).kept_by_edit);
        if alone {
            let back = a.document().edits_to_return(&key, &then).unwrap();
            back.into_iter().for_each(|edit| drop(a.edit(edit)));
        } else {
            let name = a.document().name_of(&then);
            return_to(&mut a, &name);
        }
        assert_eq!(a.labels(), ["job-1"]);
        assert_eq!(a.field(&key, "note"), Value::Null);
    }
}

#[test]
fn d11_what_was_purged_does_not_return() {
    for alone in [false, true] {
        let mut a = device(1);
        let key = a.insert("key-0001", json!({"prompt": "knight"}));
        let then = a.document().heads();
        a.remove(&key);
        let keys = vec![key.clone()];
        a.edit(Edit::Purge { keys });
        if alone {
            assert_eq!(a.document().edits_to_return(&key, &then).unwrap(), []);
        } else {
            let name = a.document().name_of(&then);
            return_to(&mut a, &name);
        }
        let row = a.row(&key);
        assert!(row.purged && !row.job.contains_key("prompt"), "{row:?}");
    }
}

#[test]
fn d11_a_difference_names_fields_before_and_after() {
    let mut a = device(1);
    let key = a.insert("key-0001", json!({"prompt": "knight", "note": "x"}));
    let gone = a.insert("key-0002", json!({"prompt": "mage"}));
    let from = a.document().heads();
    a.edit(Edit::Change {
        key: key.clone(),
        set: common::map(json!({"prompt": "king"})),
        unset: vec!["note".to_owned()],
    });
    a.remove(&gone);
    a.insert("key-0003", json!({"prompt": "dragon"}));
    let diff = a.document().diff(&from, &a.document().heads());
    let told: Vec<_> = (diff.records.iter())
        .map(|record| (record.label.as_str(), record.happened))
        .collect();
    assert_eq!(
        told,
        [
            ("job-1", Happened::Changed),
            ("job-2", Happened::Removed),
            ("job-3", Happened::Added),
        ]
    );
    assert_eq!(
        serde_json::to_value(&diff.records[0].fields).unwrap(),
        json!([
            {"field": "prompt", "before": "knight", "after": "king"},
            {"field": "note", "before": "x"},
        ])
    );
}

#[test]
fn d11_a_records_history_says_who_changed_what_from_what() {
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    a.insert("key-0002", json!({"prompt": "mage"}));
    merge(&mut a, &mut b);
    b.set(&key, json!({"prompt": "king"}));
    merge(&mut a, &mut b);
    a.order(&key, "run-0001", "0000000000000001");
    a.set(&Key("key-0002".to_owned()), json!({"prompt": "witch"}));
    a.remove(&key);
    let log = a.document().record_log(&key, None, 10).unwrap();
    assert_eq!(log.label, "job-1");
    let happened: Vec<_> = log.entries.iter().map(|entry| entry.happened).collect();
    use Happened::{Added, Changed, Removed};
    assert_eq!(happened, [Removed, Changed, Changed, Added]);
    let king = &log.entries[2];
    assert_eq!(king.made.device.as_deref(), Some("0000000000000002"));
    assert_eq!(king.fields[0].before, Some(json!("knight")));
    assert_eq!(king.fields[0].after, Some(json!("king")));
    assert_eq!(log.entries[1].fields[0].field, "status");
    let first = a.document().record_log(&key, None, 1).unwrap();
    let second = a
        .document()
        .record_log(&key, first.next.as_deref(), 3)
        .unwrap();
    assert_eq!([first.entries, second.entries].concat(), log.entries);
    let missing = a.document().record_log(&Key("nobody".to_owned()), None, 1);
    assert!(matches!(missing, Err(VersionError::NoSuchRecord { .. })));
}

#[test]
fn d4_a_conflict_is_resolved_by_naming_one_of_its_sides() {
    let (mut a, _, key) = edited_apart(
        json!({"status": "success", "result": "a"}),
        json!({"status": "error", "error": "b"}),
    );
    let lost = a.document().conflicts(&key).remove(0).values.remove(0);
    let choice = a.choice(&key, "run", 0);
    a.edit(choice);
    assert!(a.row(&key).conflicts.is_empty());
    assert_eq!(a.field(&key, "status"), lost.value["status"]);
    assert_eq!(a.document().side_of(&key, "run", "1@00"), None);
}

#[test]
fn f4_a_hand_edit_is_told_as_the_files() {
    let mut a = device(1);
    a.insert("key-0001", json!({"prompt": "knight"}));
    let edited = a.json().replace("knight", "king");
    a.import(&edited).unwrap();
    let entry = &a.document().log(None, 1).unwrap().entries[0];
    assert_eq!(entry.made.message.as_deref(), Some("file"));
    assert_eq!((&entry.made.device, entry.did.changed), (&None, 1));
}
