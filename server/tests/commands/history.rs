//! `log`, `diff`, `restore`, `conflicts`, `resolve` and `backup` as a person types them, without a
//! server and beside one: D4, D11, F2.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a history of two jobs.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let jobs = json!({"jobs": [
            {"id": "job-1", "prompt": "a knight", "createdAt": 1},
            {"id": "job-2", "prompt": "a mage", "createdAt": 2},
        ], "lastJobId": 3});
        std::fs::write(desk.path("job_history.json"), jobs.to_string()).unwrap();
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let (file, state) = (self.path("job_history.json"), self.path("state"));
        Command::new(env!("CARGO_BIN_EXE_plainsync"))
            .args(arguments)
            .args(["--file", &file, "--state", &state])
            .env_remove("PLAINSYNC_TOKEN")
            .output()
            .unwrap()
    }

    /// What it writes to stdout.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {words}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).unwrap()
    }

    /// Its exit code and its sentence.
    fn refuses(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), words)
    }

    fn file(&self) -> Value {
        let text = std::fs::read(self.path("job_history.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn prompts(&self) -> Vec<String> {
        let file = self.file();
        let jobs = file["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["prompt"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Edits a prompt in `copy` of the file, and imports it.
    fn import(&self, copy: &Value, prompt: &str) {
        let mut copy = copy.clone();
        copy["jobs"][0]["prompt"] = Value::from(prompt);
        let path = self.path("copy.json");
        std::fs::write(&path, copy.to_string()).unwrap();
        self.says(&["import", &path]);
    }
}

#[test]
fn d11_a_clear_is_found_by_log_and_taken_back_by_restore() {
    let desk = Desk::new();
    desk.says(&["clear", "--yes"]);
    assert_eq!(desk.prompts(), Vec::<String>::new());
    let log = desk.says(&["log"]);
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].ends_with("2 removed: job-1, job-2"), "{log}");
    assert!(
        lines[1].contains("file") && lines[1].contains("2 added"),
        "{log}"
    );
    assert!(
        !log.contains('\u{1b}'),
        "colours are for terminals: {log:?}"
    );
    let before = lines[1].split_whitespace().next().unwrap();
    let diff = desk.says(&["diff", before]);
    assert!(
        diff.contains("2 removed\n- job-1  \"a knight\"\n"),
        "{diff}"
    );
    let trial = desk.says(&["restore", before, "--dry-run"]);
    assert!(
        trial.starts_with("going back: would be 2 restored\n"),
        "{trial}"
    );
    assert_eq!(desk.prompts(), Vec::<String>::new());
    let output = desk.run(&["restore", before]);
    assert_eq!(desk.prompts(), ["a knight", "a mage"]);
    // The last line says how to take that back, and it does.
    let words = String::from_utf8(output.stderr).unwrap();
    let name = words.split('`').nth(1).unwrap().rsplit(' ').next().unwrap();
    desk.says(&["restore", name]);
    assert_eq!(desk.prompts(), Vec::<String>::new());
    let told = desk.json(&["log", "--limit", "1", "--json"]);
    assert_eq!(told["entries"][0]["message"], "restore");
    assert!(told["next"].is_string());
}

#[test]
fn d11_one_job_goes_back_and_its_history_is_told() {
    let desk = Desk::new();
    desk.says(&["log"]);
    desk.says(&["import", &desk.path("job_history.json")]);
    desk.import(&desk.file(), "a king");
    let log = desk.says(&["log", "--job", "job-1"]);
    assert!(
        log.contains("    prompt: \"a knight\" → \"a king\"\n"),
        "{log}"
    );
    let done = desk.json(&["restore", "HEAD~1", "--job", "job-1", "--json"]);
    assert_eq!(done["records"][0]["label"], "job-1");
    assert_eq!(desk.prompts(), ["a knight", "a mage"]);
    assert_eq!(
        desk.says(&["restore", "HEAD", "--job", "job-1"]),
        "nothing differs: nothing was changed\n"
    );
}

#[test]
fn d11_what_cannot_be_is_refused_with_a_stable_code() {
    let desk = Desk::new();
    for (arguments, code, reason) in [
        (&["diff", "zzzz"][..], 6, "names no version"),
        (
            &["diff", "00000000"],
            6,
            "is not in this document's history",
        ),
        (&["restore", "HEAD~9"], 6, "steps back"),
        (
            &["restore", "HEAD~0", "--job", "job-9"],
            6,
            "there is no job",
        ),
        (&["restore", "--at", "noon"], 2, "is no time"),
        (&["restore"], 2, "VERSION"),
        (&["log", "--limit", "0"], 2, "limit"),
        (
            &["resolve", "job-1", "prompt", "--take", "1"],
            6,
            "not in conflict",
        ),
        (&["backup", "restore", "none"], 6, "no snapshot"),
        (&["backup", "create", "../x"], 2, "no name"),
    ] {
        let (found, words) = desk.refuses(arguments);
        assert!(
            found == code && words.contains(reason),
            "{arguments:?}: {found} {words}"
        );
    }
}

#[test]
fn d4_a_conflict_is_listed_and_resolved_unless_it_moved() {
    let desk = Desk::new();
    desk.says(&["backup", "create", "whole"]); // Takes the file in.
    let copy = desk.file();
    desk.import(&copy, "a king");
    desk.import(&copy, "a queen");
    let listed = desk.says(&["conflicts"]);
    let lines: Vec<&str> = listed.lines().collect();
    let mark = lines[0].strip_prefix("job-1 prompt  ").unwrap();
    assert!(
        lines[1].starts_with("    1  \"a ") && lines[2].starts_with("  * 2  \"a "),
        "{listed}"
    );
    desk.import(&copy, "a golem");
    let (code, words) =
        desk.refuses(&["resolve", "job-1", "prompt", "--take", "1", "--seen", mark]);
    assert!(
        code == 6 && words.contains("look at it again"),
        "{code} {words}"
    );
    let (code, words) = desk.refuses(&["resolve", "job-1", "prompt", "--take", "4"]);
    assert!(code == 2 && words.contains("1 to 3"), "{code} {words}");
    let first = desk.json(&["conflicts", "--json"])["conflicts"][0]["values"][0]["value"].clone();
    desk.says(&["resolve", "job-1", "prompt", "--take", "1"]);
    assert_eq!(desk.prompts()[0], first);
    assert_eq!(desk.says(&["conflicts"]), "no field is in conflict\n");
}

#[test]
fn f2_a_backup_is_made_listed_and_brought_back() {
    let desk = Desk::new();
    let name = desk.says(&["backup", "create", "before-the-move"]);
    assert!(name.ends_with(".asked.before-the-move.json\n"), "{name}");
    desk.says(&["clear", "--yes"]);
    let listed = desk.says(&["backup", "list"]);
    assert!(
        listed.contains("asked") && listed.contains("before-the-move\n"),
        "{listed}"
    );
    desk.says(&["backup", "restore", "before-the-move"]);
    assert_eq!(desk.prompts(), ["a knight", "a mage"]);
}
