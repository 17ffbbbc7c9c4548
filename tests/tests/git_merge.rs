//! `plainsync merge-driver` as git calls it: real branches of a real repository.

use std::path::Path;
use std::process::{Command, Output};

use plainsync_tests::home::Home;
use plainsync_tests::served::until;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// A repository whose working tree is the folder that is served.
struct Repository {
    home: Home,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            home: Home::new(PROGRAM),
        };
        repository.git(&["init", "-q", "-b", "main"]);
        let state = repository.home.state();
        let driver = format!(
            "{PROGRAM} merge-driver --state {} %O %A %B %P",
            state.display()
        );
        repository.git(&["config", "merge.plainsync.driver", &driver]);
        let folder = repository.home.folder();
        std::fs::write(
            folder.join(".gitattributes"),
            "job_history.json merge=plainsync\n",
        )
        .expect("attributes");
        std::fs::write(folder.join(".gitignore"), ".plainsync/\n*.backup\n").expect("ignored");
        repository
    }

    fn try_git(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(self.home.folder())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "a test");
            command.env(format!("GIT_{name}_EMAIL"), "test@localhost");
        }
        command.output().expect("git is installed")
    }

    /// Runs git, which must succeed; what it and the driver said.
    fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments);
        let said = said(&output);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        said
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a step"]);
    }

    /// Commits on `branch`, which begins at main, what `edit` makes of the file.
    fn branch(&self, branch: &str, edit: impl FnOnce(&mut Value)) {
        self.git(&["checkout", "-q", "-b", branch, "main"]);
        self.edit(edit);
        self.commit();
    }

    fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut file = self.home.json();
        edit(&mut file);
        let text = serde_json::to_string_pretty(&file).expect("JSON");
        self.home.write(format!("{text}\n").as_bytes());
    }

    fn jobs(&self) -> Vec<Value> {
        self.home.json()["jobs"].as_array().expect("jobs").clone()
    }
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

fn job(n: u64, prompt: &str) -> Value {
    json!({"id": format!("job-{n}"), "prompt": prompt, "width": 64, "height": 64, "status": "idle", "createdAt": n})
}

fn file() -> Value {
    let jobs: Vec<Value> = (1..=6).map(|n| job(n, &format!("knight {n}"))).collect();
    json!({"version": "1.0", "savedAt": "2026-01-31T10:11:12Z", "lastJobId": 7, "jobs": jobs})
}

fn write(path: &Path, value: &Value) {
    let text = serde_json::to_string_pretty(value).expect("JSON");
    std::fs::write(path, format!("{text}\n")).expect("it is written");
}

/// What each branch does in these tests; returns what must be there after their merge.
fn two_branches(repository: &Repository) {
    repository.branch("ours", |file| {
        file["jobs"][0]["prompt"] = json!("reworded on ours");
        file["jobs"][1]["prompt"] = json!("prompt of ours");
        file["jobs"][4]["prompt"] = json!("edited on ours");
        let jobs = file["jobs"].as_array_mut().expect("jobs");
        jobs.remove(3);
        jobs.push(job(7, "added on ours"));
        file["lastJobId"] = json!(8);
    });
    repository.branch("theirs", |file| {
        file["jobs"][0]["width"] = json!(32);
        file["jobs"][1]["prompt"] = json!("prompt of theirs");
        let jobs = file["jobs"].as_array_mut().expect("jobs");
        jobs.remove(4);
        let mut added = job(7, "added on theirs");
        added["createdAt"] = json!(70);
        jobs.push(added);
        file["lastJobId"] = json!(8);
    });
}

fn assert_merged(jobs: &[Value], words: &str) {
    let find = |prompt: &str| jobs.iter().find(|job| job["prompt"] == prompt);
    let first = find("reworded on ours").expect("one field of each branch");
    assert_eq!(first["width"], 32);
    assert!(find("knight 4").is_none(), "removed on one branch");
    assert!(find("edited on ours").is_some(), "an edit beats a removal");
    let labels = [find("added on ours"), find("added on theirs")]
        .map(|job| job.expect("both are kept")["id"].clone());
    let mut labels = labels.map(|label| label.as_str().expect("a text").to_owned());
    labels.sort();
    assert_eq!(labels, ["job-7", "job-7-2"]);
    let prompts = ["prompt of ours", "prompt of theirs"];
    let shown = prompts.iter().filter(|prompt| find(prompt).is_some());
    assert_eq!(shown.count(), 1, "one of the two is in the file");
    for part in [
        "job-2, prompt",
        "\"prompt of ours\"",
        "\"prompt of theirs\"",
        "job-5 was removed",
    ] {
        assert!(words.contains(part), "{part} in: {words}");
    }
    assert_eq!(jobs.len(), 7);
}

#[test]
fn f6_two_branches_without_a_history_merge_alike_either_way() {
    let mut texts = Vec::new();
    for (from, with) in [("ours", "theirs"), ("theirs", "ours")] {
        let repository = Repository::new();
        write(&repository.home.file(), &file());
        repository.commit();
        two_branches(&repository);
        repository.git(&["checkout", "-q", from]);
        let words = repository.git(&["merge", "-m", "both", with]);
        assert_merged(&repository.jobs(), &words);
        assert!(repository.home.json().get("sync").is_none());
        texts.push(repository.home.bytes());
    }
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn f6_a_branch_can_be_rebased() {
    let repository = Repository::new();
    write(&repository.home.file(), &file());
    repository.commit();
    two_branches(&repository);
    repository.git(&["checkout", "-q", "theirs"]);
    let words = repository.git(&["rebase", "ours"]);
    assert_merged(&repository.jobs(), &words);
}

#[test]
fn f7_a_branch_that_cannot_be_read_is_a_conflict_of_gits() {
    let repository = Repository::new();
    write(&repository.home.file(), &file());
    repository.commit();
    repository.branch("ours", |file| file["jobs"][0]["prompt"] = json!("ours"));
    repository.git(&["checkout", "-q", "-b", "theirs", "main"]);
    let half = repository.home.bytes();
    repository.home.write(&half[..half.len() / 2]);
    repository.commit();
    repository.git(&["checkout", "-q", "ours"]);
    let before = repository.home.bytes();
    let output = repository.try_git(&["merge", "-m", "both", "theirs"]);
    assert!(!output.status.success());
    let said = said(&output);
    assert!(said.contains("theirs cannot be read: line "), "{said}");
    assert!(said.contains("CONFLICT"), "{said}");
    assert_eq!(repository.home.bytes(), before, "the driver wrote nothing");
}

#[tokio::test]
async fn f4_branches_of_a_served_file_merge_into_its_history() {
    let repository = Repository::new();
    let home = &repository.home;
    write(&home.file(), &file());
    let server = home.serve(&[]).await;
    server.get("/health").await.ok();
    server.stop().await; // Now it has a history, and the file names its version.
    let heads = home.json()["sync"].clone();
    repository.commit();
    two_branches(&repository);
    repository.git(&["checkout", "-q", "ours"]);
    let words = repository.git(&["merge", "-m", "both", "theirs"]);
    assert_merged(&repository.jobs(), &words);
    assert_eq!(
        home.json()["sync"],
        heads,
        "an edit of the version that both were made from"
    );
    let merged = repository.jobs();

    let server = home.serve(&[]).await;
    let shown = until("the merged list", || async {
        let loaded = server.get("/load-jobs").await.ok();
        let jobs = loaded["jobs"].as_array().expect("jobs").clone();
        (jobs.len() == 7).then_some(jobs)
    })
    .await;
    let prompts =
        |jobs: &[Value]| -> Vec<Value> { jobs.iter().map(|job| job["prompt"].clone()).collect() };
    assert_eq!(prompts(&shown), prompts(&merged));
    assert_eq!(
        server.get("/api/v1/stats").await.ok()["bin"],
        1,
        "job-4 is in the bin"
    );
    server.stop().await;
    assert_eq!(prompts(&repository.jobs()), prompts(&merged));
}

#[tokio::test]
async fn f4_versions_that_the_history_has_merge_without_a_trace_of_what_came_later() {
    let repository = Repository::new();
    let home = &repository.home;
    write(&home.file(), &file());
    let server = home.serve(&[]).await;
    let change = async |id: &str, body: Value| {
        let path = format!("/api/v1/jobs/{id}");
        server.json("PATCH", &path, &body).await.ok();
        let prompt = body["prompt"].clone();
        until("the file to follow", || async {
            let jobs = home.json()["jobs"].as_array().expect("jobs").clone();
            jobs.iter().any(|job| job["prompt"] == prompt).then_some(())
        })
        .await;
    };
    change("job-1", json!({"prompt": "first"})).await;
    let base = home.bytes();
    change("job-1", json!({"prompt": "second"})).await;
    let second = home.bytes();
    change("job-2", json!({"prompt": "third"})).await;
    server.stop().await;

    // On one branch the second version; on the other an edit by hand of the first.
    home.write(&base);
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "ours", "main"]);
    home.write(&second);
    repository.commit();
    repository.branch("theirs", |file| file["jobs"][0]["width"] = json!(16));
    repository.git(&["checkout", "-q", "ours"]);
    repository.git(&["merge", "-m", "both", "theirs"]);
    let jobs = repository.jobs();
    assert_eq!(
        (&jobs[0]["prompt"], &jobs[0]["width"]),
        (&json!("second"), &json!(16))
    );
    assert_eq!(
        jobs[1]["prompt"], "knight 2",
        "the third version is on neither branch"
    );
    let heads = |text: &[u8]| serde_json::from_slice::<Value>(text).expect("JSON")["sync"].clone();
    assert_eq!(
        home.json()["sync"],
        heads(&second),
        "made from the newer of the two"
    );

    // Served again, the edit is in the history, and nothing that came later is lost.
    let server = home.serve(&[]).await;
    until("both", || async {
        let jobs = server.get("/load-jobs").await.ok()["jobs"].clone();
        (jobs[0]["width"] == 16 && jobs[1]["prompt"] == "third").then_some(())
    })
    .await;
    server.stop().await;
    assert_eq!(repository.jobs()[0]["prompt"], "second");
}
