//! What a file asks is shown by `check` and answered by `answer`, with a server and without.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, OLD, Said, Served};

/// How long a server may take to look at a file.
const SEEN_MAX: Duration = Duration::from_secs(20);

/// A document of three jobs, and its file as it was with two.
fn grown() -> (Home, Vec<u8>) {
    let home = Home::with(OLD);
    let older = std::fs::read(home.file()).expect("the file");
    let more = r#"{"jobs": [{"id": "job-9", "prompt": "a dragon"}]}"#;
    home.run_with(&["import", "-"], more).expect(0);
    (home, older)
}

fn check(home: &Home) -> Said {
    let file = home.file();
    home.run(&["check", "--json", file.to_str().expect("a path")])
}

fn asked(home: &Home) -> Value {
    check(home).json()["question"]["kind"].clone()
}

/// Looks until what is asked is `kind`; without a server it is so at once.
fn until_asked(home: &Home, served: Option<&Served>, kind: &str) -> Said {
    let give_up = Instant::now() + SEEN_MAX;
    loop {
        let said = check(home);
        if said.json()["question"]["kind"] == kind {
            return said;
        }
        assert!(
            served.is_some() && Instant::now() < give_up,
            "{kind} is not asked: {said:?}"
        );
    }
}

/// What `check` says once the file follows the document again: a running server writes it a
/// moment after the answer.
fn until_well(home: &Home, served: Option<&Served>) -> Said {
    let give_up = Instant::now() + SEEN_MAX;
    loop {
        let said = check(home);
        if said.code == 0 {
            return said;
        }
        assert!(
            served.is_some() && Instant::now() < give_up,
            "something is still asked: {said:?}"
        );
    }
}

fn labels(home: &Home) -> Vec<String> {
    let jobs = home.run(&["export"]).expect(0).json()["jobs"].clone();
    let jobs = jobs.as_array().expect("jobs").clone();
    let label = |job: &Value| job["id"].as_str().expect("a label").to_owned();
    jobs.iter().map(label).collect()
}

/// Both ways to a document.
fn both(test: impl Fn(Home, Vec<u8>, Option<&Served>)) {
    for is_served in [false, true] {
        let (home, older) = grown();
        let served = is_served.then(|| home.serve(&[]));
        test(home, older, served.as_ref());
    }
}

#[test]
fn f9_check_shows_an_older_version_that_was_put_back_and_answer_goes_back_to_it() {
    both(|home, older, served| {
        std::fs::write(home.file(), &older).expect("put back");
        let said = until_asked(&home, served, "older-version").expect(9);
        let detail = said.json()["question"]["detail"].clone();
        let detail = detail.as_str().expect("a sentence");
        assert!(detail.contains("an older version of"), "{detail}");
        assert!(detail.contains(", of 1970-01-01T00:00:00Z,"), "{detail}");
        assert_eq!(labels(&home).len(), 3, "it is not taken by itself");

        let file = home.file();
        let said = home.run(&["check", file.to_str().expect("a path")]);
        assert!(
            said.out.contains("`plainsync answer take --file"),
            "{said:?}"
        );
        let said = home.run(&["answer", "take"]).expect(0);
        assert!(said.out.starts_with("taken: 1 removed\n"), "{said:?}");
        assert_eq!(labels(&home), ["job-1", "job-2"]);
        assert_eq!(asked(&home), Value::Null);
        // It was an edit, and can be taken back.
        let back = said.err.split("plainsync restore ").nth(1);
        let back = back.and_then(|rest| rest.split('`').next());
        home.run(&["restore", back.expect("a version")]).expect(0);
        assert_eq!(labels(&home).len(), 3);
    });
}

#[test]
fn f9_an_answer_may_come_right_after_the_file_was_put_back() {
    both(|home, older, _| {
        std::fs::write(home.file(), &older).expect("put back");
        home.run(&["answer", "take"]).expect(0);
        assert_eq!(labels(&home), ["job-1", "job-2"]);
    });
}

#[test]
fn f9_an_offer_is_made_once_and_stands_until_it_is_answered() {
    let (home, older) = grown();
    std::fs::write(home.file(), &older).expect("put back");
    // Another command opens the document and writes the file anew: the offer outlives that.
    home.run(&["backup", "create"]).expect(0);
    assert_ne!(std::fs::read(home.file()).expect("the file"), older);
    assert_eq!(asked(&home), "older-version");
    let served = home.serve(&[]);
    assert_eq!(asked(&home), "older-version");
    drop(served);
    let said = home.run(&["answer", "keep"]).expect(0);
    assert_eq!(said.out, "kept: the jobs are as they were\n");
    assert_eq!(labels(&home).len(), 3);
    // The same version is not offered again.
    std::fs::write(home.file(), &older).expect("put back");
    assert_eq!(check(&home).expect(0).json()["question"], Value::Null);
    let said = home.run(&["answer", "take"]).expect(6);
    assert!(said.err.contains("nothing waits"), "{said:?}");
    assert_eq!(labels(&home).len(), 3);
}

#[test]
fn f7_a_deleted_file_can_be_taken_for_a_fresh_start() {
    both(|home, _, served| {
        std::fs::remove_file(home.file()).expect("removed");
        let code = if served.is_some() { 9 } else { 4 };
        let said = until_asked(&home, served, "start-fresh");
        // A server has perhaps not yet written it again.
        assert!([code, 4].contains(&said.code), "{said:?}");
        let said = home.run(&["answer", "take"]).expect(0);
        assert!(said.out.starts_with("taken: 3 removed\n"), "{said:?}");
        assert_eq!(labels(&home), Vec::<String>::new());
    });
}

#[test]
fn f7_check_tells_of_a_file_that_is_missing() {
    let (home, _) = grown();
    std::fs::remove_file(home.file()).expect("removed");
    let before = home.files();
    let said = check(&home).expect(4);
    assert_eq!(said.json()["state"], "missing");
    for part in ["its history has 3 jobs", "`plainsync answer take"] {
        assert!(said.err.contains(part), "{part:?} is not in: {said:?}");
    }
    assert!(home.files() == before, "looking changes nothing");
    home.run(&["answer", "keep"]).expect(0);
    assert_eq!(labels(&home).len(), 3);
    check(&home).expect(0);
}

#[test]
fn f7_a_file_that_cannot_be_read_is_kept_aside_on_somebodys_word() {
    both(|home, _, served| {
        std::fs::write(home.file(), "{ half").expect("written");
        let said = until_asked(&home, served, "unparsable").expect(7);
        assert!(said.err.contains("`plainsync answer keep"), "{said:?}");
        assert!(!said.err.contains("answer take"), "{said:?}");
        let said = home.run(&["answer", "take"]).expect(7);
        assert!(said.err.contains("line 1"), "{said:?}");
        home.run(&["answer", "keep"]).expect(0);
        assert_eq!(labels(&home).len(), 3);
        let mut files = home.files().into_iter();
        assert!(files.any(|(_, bytes)| bytes == b"{ half"));
    });
}

#[test]
fn f7_a_file_that_removes_most_waits_for_a_word() {
    both(|home, _, served| {
        let text = std::fs::read_to_string(home.file()).expect("the file");
        let mut file: Value = serde_json::from_str(&text).expect("JSON");
        file["jobs"].as_array_mut().expect("jobs").truncate(1);
        std::fs::write(home.file(), file.to_string()).expect("written");
        until_asked(&home, served, "awaiting-answer").expect(8);
        assert_eq!(labels(&home).len(), 3);
        let said = home.run(&["answer", "take"]).expect(0);
        assert!(said.out.starts_with("taken: 2 removed\n"), "{said:?}");
        assert_eq!(labels(&home).len(), 1);
    });
}

#[test]
fn f6_a_file_of_a_version_that_is_not_here_is_taken_as_it_is_on_somebodys_word() {
    both(|home, _, served| {
        let text = std::fs::read_to_string(home.file()).expect("the file");
        let mut file: Value = serde_json::from_str(&text).expect("JSON");
        file["sync"]["heads"] = json!(["ab".repeat(32)]);
        file["jobs"] = json!([{"id": "job-20", "prompt": "from elsewhere", "createdAt": 20}]);
        std::fs::write(home.file(), file.to_string()).expect("written");
        until_asked(&home, served, "parked").expect(6);
        let said = home.run(&["answer", "take"]).expect(0);
        assert!(said.out.starts_with("taken: 1 added\n"), "{said:?}");
        assert_eq!(labels(&home).len(), 4);
        until_well(&home, served);
    });
}

#[test]
fn where_nothing_waits_an_answer_is_refused() {
    let home = Home::with(OLD);
    for word in ["take", "keep"] {
        home.run(&["answer", word]).expect(6);
    }
    home.run(&["answer", "maybe"]).expect(2);
}
