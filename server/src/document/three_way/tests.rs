//! Merging texts whose history is not here.

use serde_json::{Value, json};

use super::*;

fn file(jobs: &Value) -> String {
    json!({"version": "1.0", "lastJobId": 9, "jobs": jobs}).to_string()
}

fn job(n: u64, prompt: &str) -> Value {
    json!({"id": format!("job-{n}"), "prompt": prompt, "width": 64, "status": "idle", "createdAt": n})
}

/// Merges both ways round, asserts that it makes no difference, and gives the jobs.
fn merged(base: &str, ours: &str, theirs: &str) -> (Vec<Value>, Merged) {
    let merge = |ours: &str, theirs: &str| {
        let (base, ours, theirs) = (base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        merge(Texts { base, ours, theirs }, None).expect("they can be read")
    };
    let (one, other) = (merge(ours, theirs), merge(theirs, ours));
    assert_eq!(one.text, other.text, "which is ours makes no difference");
    assert_eq!(one.conflicts, other.conflicts);
    let text: Value = serde_json::from_slice(&one.text).expect("it is JSON");
    let jobs = text["jobs"].as_array().expect("a list").clone();
    (jobs, one)
}

#[test]
fn f4_both_branches_edits_are_in_the_merged_text() {
    let base = file(&json!([job(1, "a"), job(2, "b"), job(3, "c")]));
    let mut wide = job(1, "a");
    wide["width"] = json!(32);
    let ours = file(&json!([wide, job(3, "c"), job(4, "of ours")]));
    let theirs = file(
        &json!([job(1, "changed"), job(2, "b"), job(3, "c"), {"id": "job-4", "prompt": "of theirs", "createdAt": 40}]),
    );
    let (jobs, merged) = merged(&base, &ours, &theirs);
    assert_eq!(
        (&jobs[0]["prompt"], &jobs[0]["width"]),
        (&json!("changed"), &json!(32))
    );
    assert!(
        jobs.iter().all(|job| job["id"] != "job-2"),
        "removed on one branch"
    );
    let labels: Vec<_> = jobs
        .iter()
        .map(|job| job["id"].as_str().expect("a text"))
        .collect();
    assert_eq!(
        labels,
        ["job-1", "job-3", "job-4", "job-4-2"],
        "D7: both are kept"
    );
    assert!(merged.conflicts.is_empty() && merged.kept.is_empty());
}

#[test]
fn d4_one_field_edited_on_both_branches_is_told_and_has_one_winner() {
    let base = file(&json!([job(1, "a")]));
    let (ours, theirs) = (
        file(&json!([job(1, "by ours")])),
        file(&json!([job(1, "by theirs")])),
    );
    let (jobs, merged) = merged(&base, &ours, &theirs);
    let [conflict] = &merged.conflicts[..] else {
        panic!("{:?}", merged.conflicts);
    };
    assert_eq!(
        (conflict.label.as_str(), conflict.field.as_str()),
        ("job-1", "prompt")
    );
    assert_eq!(conflict.shown, jobs[0]["prompt"]);
    let mut both = vec![conflict.shown.clone(), conflict.other[0].clone()];
    both.sort_by_key(ToString::to_string);
    assert_eq!(both, [json!("by ours"), json!("by theirs")]);
}

#[test]
fn d6_what_one_branch_removes_and_the_other_edits_stays() {
    let base = file(&json!([job(1, "a"), job(2, "b"), job(3, "c")]));
    let ours = file(&json!([job(2, "b"), job(3, "c")]));
    let theirs = file(&json!([job(1, "edited"), job(2, "b"), job(3, "c")]));
    let (jobs, merged) = merged(&base, &ours, &theirs);
    assert_eq!(jobs[0]["prompt"], "edited");
    assert_eq!(merged.kept, ["job-1"]);
    assert_eq!(jobs.len(), 3);
}

#[test]
fn f6_the_version_stays_in_the_text_only_if_both_branches_name_it() {
    let with = |heads: &str, prompt: &str| {
        let sync = json!({"document": "4NMNnkMhL8jXrdJ9jamS58PAVdXu", "heads": [heads]});
        json!({"sync": sync, "jobs": [job(1, prompt)], "lastJobId": 9}).to_string()
    };
    let sync = |merged: &Merged| {
        let text: Value = serde_json::from_slice(&merged.text).expect("JSON");
        text.get("sync").cloned()
    };
    let (a, b) = ("a1".repeat(32), "b2".repeat(32));
    let (_, same) = merged(&with(&a, "x"), &with(&a, "y"), &with(&a, "x"));
    assert_eq!(sync(&same).expect("it is there")["heads"], json!([a]));
    let (_, different) = merged(&with(&a, "x"), &with(&a, "y"), &with(&b, "x"));
    assert_eq!(sync(&different), None);
}

#[test]
fn f7_a_text_that_cannot_be_read_is_no_merge() {
    let good = file(&json!([job(1, "a")]));
    let marked = "{\"jobs\": [\n<<<<<<< HEAD\n]}";
    for texts in [
        [&good[..], marked, &good],
        [&good, &good, marked],
        [marked, &good, &good],
    ] {
        let [base, ours, theirs] = texts.map(str::as_bytes);
        let refused = merge(Texts { base, ours, theirs }, None).expect_err("refused");
        assert!(refused.to_string().contains("line 2"), "{refused}");
    }
    let base = b"";
    let (ours, theirs) = (good.as_bytes(), good.as_bytes());
    assert!(
        merge(Texts { base, ours, theirs }, None).is_ok(),
        "no common ancestor"
    );
}

#[test]
fn f3_a_version_is_taken_out_wherever_it_stands() {
    for text in [
        r#"{"sync": {"document": "x", "heads": []}, "jobs": []}"#,
        r#"{"jobs": [], "sync" : {"a": "}"} }"#,
        r#"{"jobs":[],"sync":{},"version":"1.0"}"#,
        r#"{"sync":{}}"#,
    ] {
        let without = without_sync(text.as_bytes());
        let mut expected: Value = serde_json::from_str(text).expect("JSON");
        expected.as_object_mut().expect("an object").remove("sync");
        let found: Value = serde_json::from_slice(&without)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&without)));
        assert_eq!(found, expected);
    }
}
