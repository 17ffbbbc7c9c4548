//! What the server writes into the JSON.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use plainsync::document::FileCondition;
use plainsync_core::blob::BlobRef;
use serde_json::{Value, json};

use crate::support::{Bench, SETTLED, add, change, key, prompts, prompts_in, until, until_state};

const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

#[tokio::test]
async fn f1_a_missing_file_is_made_with_its_version() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let json = bench.until_written(documents.default()).await;
    let info = documents.default().info();
    assert_eq!(json["jobs"], json!([]));
    assert_eq!(json["version"], "1.0");
    assert_eq!(json["sync"]["document"], json!(info.id));
    assert_eq!(info.name, "job_history.json");
    assert_eq!(info.url, format!("automerge:{}", info.id));
    assert_eq!(info.file_state.state, FileCondition::Ok);
}

#[tokio::test]
async fn f1_one_changed_status_changes_only_its_lines_the_time_and_the_heads() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one", "two", "three"]).await;
    document
        .edit(change("two", "status", json!("idle")))
        .await
        .unwrap();
    let before = bench.until_written(document).await;
    let before_text = bench.text();
    document
        .edit(change("two", "status", json!("error")))
        .await
        .unwrap();
    let after = bench.until_written(document).await;
    let after_text = bench.text();
    let changed: Vec<_> = before_text
        .lines()
        .zip(after_text.lines())
        .filter(|(old, new)| old != new)
        .map(|(_, new)| new.trim().split('"').nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(before_text.lines().count(), after_text.lines().count());
    let head = after["sync"]["heads"][0].as_str().unwrap().to_owned();
    let allowed: BTreeSet<_> = ["savedAt".to_owned(), "status".to_owned(), head].into();
    let changed: BTreeSet<_> = changed.into_iter().collect();
    assert!(
        changed.is_subset(&allowed) && changed.contains("status"),
        "{changed:?}"
    );
    assert_eq!(before["jobs"][0], after["jobs"][0]);
}

#[tokio::test]
async fn f2_the_backup_is_the_version_before() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    let first = bench.until_written(document).await;
    add(document, &["two"]).await;
    let second = bench.until_written(document).await;
    let backup: Value = serde_json::from_slice(&fs::read(bench.backup()).unwrap()).unwrap();
    assert_eq!(backup["jobs"], first["jobs"]);
    assert_eq!(backup["sync"]["heads"], first["sync"]["heads"]);
    assert_eq!(backup["sync"]["replacedBy"], second["sync"]["heads"]);
}

#[tokio::test]
async fn f1_mode_and_symlink_of_the_file_stay() {
    let bench = Bench::new();
    let real = bench.root.path().join("elsewhere.json");
    fs::write(&real, r#"{"jobs": [], "lastJobId": 1}"#).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(bench.folder()).unwrap();
    symlink("../elsewhere.json", bench.file()).unwrap();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    bench.until_written(documents.default()).await;
    assert!(fs::symlink_metadata(bench.file()).unwrap().is_symlink());
    let mode = fs::metadata(&real).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(prompts_in(&bench.json()), ["one"]);
}

#[tokio::test]
async fn f11_a_file_that_is_up_to_date_is_not_written_again() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    bench.until_written(documents.default()).await;
    let look = || {
        let metadata = fs::metadata(bench.file()).unwrap();
        (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
    };
    let before = look();
    tokio::time::sleep(SETTLED).await;
    assert_eq!(look(), before, "no write loop");
    documents.shutdown().await;
    drop(documents);
    let documents = bench.open().await;
    tokio::time::sleep(SETTLED).await;
    documents.shutdown().await;
    assert_eq!(look(), before, "a restart is no reason");
}

#[tokio::test]
async fn f11_a_file_that_was_only_formatted_is_left_as_it_is() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    let json = bench.until_written(documents.default()).await;
    let formatted = serde_json::to_string(&json).unwrap();
    bench.save(&formatted);
    tokio::time::sleep(SETTLED).await;
    assert_eq!(bench.text(), formatted);
    assert_eq!(documents.default().info().heads.len(), 1);
    add(documents.default(), &["two"]).await;
    let json = bench.until_written(documents.default()).await;
    assert_eq!(prompts_in(&json), ["one", "two"]);
}

#[tokio::test]
async fn f7_a_file_that_is_deleted_is_written_again_and_nothing_is_lost() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    bench.until_written(documents.default()).await;
    fs::remove_file(bench.file()).unwrap();
    let json = bench.until_written(documents.default()).await;
    assert_eq!(prompts_in(&json), ["one"]);
    until_state(documents.default(), FileCondition::Ok).await;
}

#[tokio::test]
async fn a_historic_file_is_taken_in_at_the_start_with_its_images() {
    let bench = Bench::new();
    let old = json!({"jobs": [
        {"id": "job-1", "prompt": "a knight", "width": 64, "height": 64, "seed": "7",
         "status": "success", "result": GIF, "error": null, "startTime": 1_769_817_600_000_u64,
         "endTime": 1_769_817_603_000_u64, "duration": 3.0, "createdAt": 1_769_817_599_000_u64},
        {"id": "job-2", "prompt": "a mage", "status": "success", "createdAt": 1_769_817_599_500_u64,
         "result": {"status": "success", "image_data_url": GIF, "seed": 9}, "mine": [1, 2.5]},
    ], "lastJobId": 3, "savedAt": "2026-01-31T00:00:00Z"});
    bench.save(old.to_string());
    let documents = bench.open().await;
    let document = documents.default();
    assert_eq!(
        prompts(document),
        ["a knight", "a mage"],
        "taken in before it is served"
    );
    let json = bench.until_written(document).await;
    for (n, job) in old["jobs"].as_array().unwrap().iter().enumerate() {
        for (field, value) in job.as_object().unwrap() {
            assert_eq!(&json["jobs"][n][field], value, "{field} of job {n}");
        }
    }
    assert_eq!(json["lastJobId"], 3);
    let hash: BlobRef = document.snapshot().find("job-1").unwrap().job["result"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let (_, bytes) = document
        .get_blob(hash)
        .await
        .unwrap()
        .expect("the image is kept");
    assert!(bytes.starts_with(b"GIF89a"));
    let export = document.export_json().await.unwrap();
    assert_eq!(String::from_utf8(export).unwrap(), bench.text());
    // The old file is the first backup.
    let backup: Value = serde_json::from_slice(&fs::read(bench.backup()).unwrap()).unwrap();
    assert_eq!(backup["jobs"], old["jobs"]);
}

#[tokio::test]
async fn an_image_that_arrives_late_is_inlined_then() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    let bytes = b"GIF89a\x01\x00\x01\x00\x00\x00\x00".to_vec();
    let hash = BlobRef::of(&bytes);
    document
        .edit(change("one", "preview", json!(hash)))
        .await
        .unwrap();
    let json = bench.until_written(document).await;
    assert_eq!(json["jobs"][0]["preview"], json!(hash));
    assert!(document.put_blob(hash, bytes.clone()).await.unwrap());
    assert!(!document.put_blob(hash, bytes).await.unwrap());
    bench
        .until_file("the image is inlined", |json| {
            json["jobs"][0]["preview"]
                .as_str()
                .is_some_and(|text| text.starts_with("data:image/gif"))
        })
        .await;
    document
        .put_blob(hash, b"GIF89a".to_vec())
        .await
        .expect_err("other bytes");
}

#[tokio::test]
async fn f6_a_file_of_another_history_starts_a_new_document() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    documents.shutdown().await;
    let old = documents.default().info();
    drop(documents);
    // The JSON is copied to a machine that has no journal of it.
    bench.lose_state();
    bench.unpublish();
    let documents = bench.open().await;
    let new = documents.default().info();
    assert_ne!(new.id, old.id);
    assert_eq!(prompts(documents.default()), ["one"]);
    let json = bench.until_written(documents.default()).await;
    assert_eq!(json["sync"]["document"], json!(new.id));
    let kept: Value =
        serde_json::from_slice(&fs::read(bench.state_file("document")).unwrap()).unwrap();
    assert_eq!(
        kept["from"],
        json!({"document": old.id, "heads": old.heads})
    );
}

#[tokio::test]
async fn other_files_of_a_folder_are_served_if_they_carry_a_version() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    documents.shutdown().await;
    drop(documents);
    let copy = bench.folder().join("job_history (1).json");
    fs::copy(bench.file(), copy).unwrap();
    fs::write(
        bench.folder().join("plain.json"),
        r#"{"list": [{"id": "a"}]}"#,
    )
    .unwrap();
    let id = plainsync_core::id::DocumentId::from_random([1; 16]);
    let notes = json!({"notes": [{"id": "n1", "text": "hello"}], "sync": {"document": id, "heads": ["ab".repeat(32)]}});
    fs::write(bench.folder().join("notes.json"), notes.to_string()).unwrap();
    let documents = bench.open().await;
    let [notes] = documents.companions() else {
        panic!("there is one besides the first");
    };
    let notes = notes.open().await.unwrap(); // A copy gets an id of its own.
    let infos = documents.infos();
    let names: Vec<_> = infos.iter().map(|info| info.name.as_str()).collect();
    assert_eq!(names, ["job_history.json", "notes.json"]);
    assert_eq!(notes.snapshot().rows().next().unwrap().job["text"], "hello");
    documents.shutdown().await;
}

#[tokio::test]
async fn what_is_published_is_seen_by_those_who_watch() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    let mut watch = document.watch();
    watch.mark_unchanged();
    let outcome = add(document, &["one"]).await;
    watch.changed().await.unwrap();
    assert_eq!(outcome.rows[0].label, "job-1");
    let snapshot = document.snapshot();
    assert_eq!(snapshot.stats().total, 1);
    assert_eq!(snapshot.last_job_id(), 2);
    assert!(std::sync::Arc::ptr_eq(
        snapshot.get(&key("one")).unwrap(),
        &outcome.rows[0]
    ));
    until("found by its label", || snapshot.find("job-1").cloned()).await;
}
