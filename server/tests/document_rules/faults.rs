//! What happens when the disk fails.

use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plainsync::document::disk::faulty::Operation;
use plainsync::document::{DocumentError, FileCondition};
use serde_json::json;

use crate::support::{Bench, add, change, insert, prompts, prompts_in, until, until_state};

const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

#[tokio::test]
async fn s2_an_edit_whose_fsync_failed_is_not_acknowledged_and_is_gone_after() {
    for operation in [Operation::Write, Operation::Sync] {
        let bench = Bench::new();
        let documents = bench.open().await;
        let document = documents.default();
        add(document, &["one"]).await;
        let heads = document.info().heads;
        bench
            .disk
            .fail_times(operation, "/journal", ErrorKind::StorageFull, 1);
        let refused = document
            .edit(insert("lost"))
            .await
            .expect_err("the disk failed");
        let text = refused.to_string();
        assert!(matches!(refused, DocumentError::NotSaved { .. }), "{text}");
        assert!(
            text.contains("nothing of it was kept") && text.contains("journal"),
            "{text}"
        );
        assert_eq!(document.info().heads, heads, "back at what is durable");
        until_state(document, FileCondition::Ok).await;
        add(document, &["two"]).await;
        assert_eq!(prompts(document), ["one", "two"]);
        drop(documents);
        let documents = bench.open().await;
        assert_eq!(
            prompts(documents.default()),
            ["one", "two"],
            "{operation:?}"
        );
    }
}

#[tokio::test]
async fn s2_nobody_hears_of_an_edit_before_it_is_synced() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default().clone();
    bench.until_written(&document).await;
    let seen_early = Arc::new(AtomicBool::new(true));
    let (handle, seen) = (document.clone(), Arc::clone(&seen_early));
    bench.disk.before(Operation::Sync, "/journal", move || {
        seen.store(!prompts(&handle).is_empty(), Ordering::SeqCst);
    });
    add(&document, &["one"]).await;
    assert!(
        !seen_early.load(Ordering::SeqCst),
        "it was published before it was on disk"
    );
    assert_eq!(prompts(&document), ["one"]);
}

#[tokio::test]
async fn s2_while_the_disk_stays_broken_the_document_is_read_only_and_says_so() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    bench
        .disk
        .fail(Operation::Sync, "/journal", ErrorKind::Other);
    document
        .edit(insert("lost"))
        .await
        .expect_err("the disk failed");
    let detail = until_state(document, FileCondition::ReadOnly).await;
    assert!(detail.contains("journal"), "{detail}");
    let refused = document
        .edit(insert("lost too"))
        .await
        .expect_err("read-only");
    assert!(
        matches!(refused, DocumentError::ReadOnly { .. }),
        "{refused}"
    );
    assert_eq!(prompts(document), ["one"], "it can still be read");
    bench.disk.heal();
    until_state(document, FileCondition::Ok).await;
    add(document, &["two"]).await;
    let json = bench.until_written(document).await;
    assert_eq!(prompts_in(&json), ["one", "two"]);
}

#[tokio::test]
async fn f1_when_the_file_cannot_be_written_the_old_one_is_whole_and_edits_are_safe() {
    for (operation, part) in [
        (Operation::Open, "plainsync-tmp"),
        (Operation::Write, "plainsync-tmp"),
        (Operation::Sync, "plainsync-tmp"),
        (Operation::Exchange, "job_history.json"),
    ] {
        let bench = Bench::new();
        let documents = bench.open().await;
        let document = documents.default();
        add(document, &["one"]).await;
        bench.until_written(document).await;
        let old = bench.text();
        let part = format!(
            "dashboards/.job_history.json.{}",
            if operation == Operation::Exchange {
                ""
            } else {
                part
            }
        );
        let part = if operation == Operation::Exchange {
            "dashboards/job_history.json"
        } else {
            part.trim_end_matches("plainsync-tmp")
        };
        bench.disk.fail(operation, part, ErrorKind::StorageFull);
        add(document, &["two"]).await;
        let detail = until_state(document, FileCondition::NotWritten).await;
        assert!(detail.contains("job_history.json"), "{detail}");
        assert_eq!(bench.text(), old, "{operation:?}");
        assert_eq!(prompts(document), ["one", "two"]);
        bench.disk.heal();
        let json = bench.until_written(document).await;
        assert_eq!(prompts_in(&json), ["one", "two"]);
        until_state(document, FileCondition::Ok).await;
    }
}

#[tokio::test]
async fn s7_a_stop_with_a_full_disk_keeps_everything_in_the_journal() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    bench.until_written(documents.default()).await;
    let old = bench.text();
    bench.disk.fail(
        Operation::Write,
        "dashboards/.job_history",
        ErrorKind::StorageFull,
    );
    add(documents.default(), &["two"]).await;
    documents.shutdown().await;
    assert_eq!(bench.text(), old);
    drop(documents);
    bench.disk.heal();
    let documents = bench.open().await;
    let json = bench.until_written(documents.default()).await;
    assert_eq!(prompts_in(&json), ["one", "two"]);
}

#[tokio::test]
async fn s2_an_edit_whose_image_cannot_be_stored_is_refused() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    bench
        .disk
        .fail_times(Operation::Sync, "/blobs/", ErrorKind::StorageFull, 1);
    let edit = change("one", "preview", json!(GIF));
    document
        .edit(edit.clone())
        .await
        .expect_err("the image is not on disk");
    until_state(document, FileCondition::Ok).await;
    assert!(
        !document
            .snapshot()
            .rows()
            .next()
            .unwrap()
            .job
            .contains_key("preview")
    );
    document
        .edit(edit)
        .await
        .expect("it was not taken for a repetition");
    let json = bench.until_written(document).await;
    assert_eq!(json["jobs"][0]["preview"], GIF);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused_in_a_sentence() {
    let bench = Bench::new();
    bench.disk.fail(
        Operation::Open,
        ".plainsync/lock",
        ErrorKind::PermissionDenied,
    );
    let text = bench
        .try_open()
        .await
        .map(|_| ())
        .expect_err("refused")
        .to_string();
    assert!(
        text.contains("dashboards") && text.contains("writable"),
        "{text}"
    );
    bench.disk.heal();
    let mut config = bench.config();
    config.file = "/proc/no/such/folder/a.json".into();
    let refused = plainsync::document::Documents::open(config)
        .await
        .map(|_| ());
    let text = refused.expect_err("refused").to_string();
    assert!(
        text.contains("/proc/no/such/folder") && text.contains("able to write"),
        "{text}"
    );
    bench
        .disk
        .fail(Operation::Open, "/journal", ErrorKind::PermissionDenied);
    let text = bench
        .try_open()
        .await
        .map(|_| ())
        .expect_err("refused")
        .to_string();
    assert!(text.contains("journal") && text.contains("state"), "{text}");
    assert!(!bench.file().exists(), "nothing was written");
}

#[tokio::test]
async fn f7_a_file_that_cannot_be_read_is_not_replaced() {
    let bench = Bench::new();
    bench.save(r#"{"jobs": [{"id": "job-1", "prompt": "old", "createdAt": 5}]}"#);
    let old = fs::read(bench.file()).unwrap();
    bench.disk.fail(
        Operation::Read,
        "dashboards/job_history.json",
        ErrorKind::PermissionDenied,
    );
    let documents = bench.open().await;
    let document = documents.default();
    let detail = until_state(document, FileCondition::NotWritten).await;
    assert!(
        detail.contains("denied") || detail.contains("permission"),
        "{detail}"
    );
    add(document, &["one"]).await;
    until_state(document, FileCondition::NotWritten).await;
    assert_eq!(fs::read(bench.file()).unwrap(), old);
    bench.disk.heal();
    until("both are there", || {
        (document.info().jobs == 2).then_some(())
    })
    .await;
    let json = bench.until_written(document).await;
    assert_eq!(json["jobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn s2_a_file_met_while_the_disk_failed_is_taken_in_when_it_is_well() {
    let bench = Bench::new();
    bench.save(r#"{"jobs": [{"id": "job-1", "prompt": "old", "createdAt": 5}]}"#);
    let old = fs::read(bench.file()).unwrap();
    bench
        .disk
        .fail(Operation::Write, "/journal", ErrorKind::StorageFull);
    let documents = bench.open().await;
    let document = documents.default();
    until_state(document, FileCondition::ReadOnly).await;
    assert!(prompts(document).is_empty());
    assert_eq!(fs::read(bench.file()).unwrap(), old);
    bench.disk.heal();
    until("it is taken in", || {
        (prompts(document) == ["old"]).then_some(())
    })
    .await;
    until_state(document, FileCondition::Ok).await;
    add(document, &["one"]).await;
    let json = bench.until_written(document).await;
    assert_eq!(prompts_in(&json), ["old", "one"]);
}
