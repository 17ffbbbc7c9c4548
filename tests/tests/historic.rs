//! A thousand jobs in the historic format, from the file through the real server and back.

use plainsync_tests::historic::{STALE, history, shown};
use plainsync_tests::home::Home;
use plainsync_tests::served::{Served, until};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// As the old server wrote it: Python's `json.dump(…, indent=2)`.
fn written(history: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(history).expect("JSON")
}

/// `found` without its version, which is asserted to be there.
fn without_sync(mut found: Value, server_document: &str) -> Value {
    let sync = found
        .as_object_mut()
        .and_then(|root| root.remove("sync"))
        .expect("a `sync` block");
    assert_eq!(sync["document"], server_document);
    assert!(!sync["heads"].as_array().expect("heads").is_empty());
    found
}

/// Equal, or the first job that differs.
fn assert_same(found: &Value, expected: &Value, whose: &str) {
    let jobs = |history: &Value| history["jobs"].as_array().expect("jobs").clone();
    for (found, expected) in jobs(found).iter().zip(jobs(expected).iter()) {
        assert_eq!(found, expected, "in {whose}");
    }
    assert_eq!(found, expected, "in {whose}");
}

async fn document(server: &Served) -> String {
    let health = server.get("/health").await.ok();
    health["documents"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// Waits until the file is what the server would export.
async fn settled(home: &Home, server: &Served) -> Vec<u8> {
    let export = server.get("/api/v1/export.json").await.body;
    home.written("the file", |file| file.as_bytes() == export)
        .await
        .into_bytes()
}

#[tokio::test]
async fn d8_a_historic_file_is_given_back_value_by_value() {
    let history = history(1000);
    let expected = shown(&history);
    let home = Home::new(PROGRAM);
    home.write(&written(&history));
    let server = home.serve(&[]).await;
    let id = document(&server).await;

    let mut loaded = server.get("/load-jobs").await.ok();
    assert_eq!(loaded["status"], "ok");
    assert_eq!(loaded["message"], "Loaded 1000 jobs");
    let root = loaded.as_object_mut().expect("an object");
    root.remove("status");
    root.remove("message");
    root.insert("version".to_owned(), json!("1.0"));
    assert_same(&without_sync(loaded, &id), &expected, "GET /load-jobs");

    let export = server.get("/api/v1/export.json").await.ok();
    assert_same(&without_sync(export, &id), &expected, "the export");
    settled(&home, &server).await;
    assert_same(&without_sync(home.json(), &id), &expected, "the file");

    // A restart reads the journal instead, and changes nothing.
    let before = home.bytes();
    server.stop().await;
    assert_eq!(home.bytes(), before);
    let server = home.serve(&[]).await;
    assert_eq!(server.get("/api/v1/export.json").await.body, before);
    assert_eq!(home.bytes(), before);
    server.stop().await;
}

#[tokio::test]
async fn f1_one_status_changed_is_a_diff_of_that_jobs_lines() {
    let history = history(1000);
    let home = Home::new(PROGRAM);
    home.write(&written(&history));
    let server = home.serve(&[]).await;
    let before = settled(&home, &server).await;

    // An idle job, so that no image moves.
    let label = "job-703";
    let row = server
        .json("PATCH", "/api/v1/jobs/job-703", &json!({"status": "error"}))
        .await
        .ok();
    assert_eq!(row["job"]["status"], "error");
    let after = settled(&home, &server).await;
    assert_ne!(before, after);

    let lines = |bytes: &[u8]| -> Vec<String> {
        String::from_utf8(bytes.to_vec())
            .expect("UTF-8")
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (old, new) = (lines(&before), lines(&after));
    assert_eq!(old.len(), new.len(), "no line comes or goes");
    let mut inside = String::new();
    let mut differing = Vec::new();
    for (old, new) in old.iter().zip(&new) {
        if let Some(id) = new.trim().strip_prefix("\"id\": ") {
            inside = id.trim_matches(['"', ',']).to_owned();
        } else if new.starts_with("  \"") {
            inside = new.trim().split('"').nth(1).unwrap_or_default().to_owned();
        }
        if old != new {
            differing.push((inside.clone(), new.trim().to_owned()));
        }
    }
    let (head, of_job) = (
        differing.first().cloned(),
        &differing[1..differing.len() - 1],
    );
    assert_eq!(head.map(|(inside, _)| inside), Some("savedAt".to_owned()));
    assert_eq!(
        of_job,
        [(label.to_owned(), "\"status\": \"error\",".to_owned())]
    );
    assert_eq!(
        differing.last().map(|(inside, _)| inside.as_str()),
        Some("sync")
    );

    // F2: the version before is beside it.
    let mut backup = home.backup();
    let was: Value = serde_json::from_slice(&before).expect("JSON");
    let sync = backup["sync"].as_object_mut().expect("a block");
    let replaced = sync.remove("replacedBy").expect("who replaced it");
    assert_eq!(replaced, home.json()["sync"]["heads"]);
    sync.remove("sum").expect("a sum of the whole");
    assert_eq!(backup, was);
    server.stop().await;
    assert_eq!(home.bytes(), after);
}

#[tokio::test]
async fn f2_the_first_backup_is_the_file_that_was_found() {
    let history = history(40);
    let home = Home::new(PROGRAM);
    home.write(&written(&history));
    let server = home.serve(&[]).await;
    settled(&home, &server).await;
    let mut backup = home.backup();
    let root = backup.as_object_mut().expect("an object");
    let sync = root.remove("sync").expect("who replaced it");
    assert_eq!(sync["replacedBy"], home.json()["sync"]["heads"]);
    assert_eq!(
        backup, history,
        "as it came, the label that two jobs claim included"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stale_running_job_starts_nothing() {
    let history = history(40);
    let home = Home::new(PROGRAM);
    home.write(&written(&history));
    let server = home.serve(&[]).await;
    let stale = server.get(&format!("/api/v1/jobs/{STALE}")).await.ok();
    assert_eq!(stale["job"]["status"], "running");

    // An ordered job runs past it, so the stale ones block nobody and were never in the queue.
    let fresh = json!({"prompt": "a newcomer", "run": true});
    let fresh = server.json("POST", "/api/v1/jobs", &fresh).await.ok();
    let path = format!("/api/v1/jobs/{}", fresh["key"].as_str().expect("a key"));
    until("the newcomer's picture", || async {
        let row = server.get(&path).await.ok();
        (row["job"]["status"] == "success").then_some(())
    })
    .await;
    server.stop().await;

    // Nor does a restart take them for runs of its own.
    let server = home.serve(&[]).await;
    let expected = shown(&history);
    let found = server.get("/load-jobs").await.ok();
    let jobs = found["jobs"].as_array().expect("jobs");
    assert_eq!(jobs.len(), 41);
    assert_eq!(
        &jobs[..40],
        expected["jobs"].as_array().expect("jobs").as_slice()
    );
    server.stop().await;
}
