//! What is acknowledged is there after any end.

use std::fs;

use plainsync::document::FileCondition;
use serde_json::json;

use crate::support::{Bench, add, change, insert, key, prompts, until_state};

/// S2: an edit is never acknowledged into a file that nobody will find again.
#[tokio::test]
async fn s2_a_private_state_that_is_removed_under_a_running_server_is_made_anew() {
    let bench = Bench::new();
    let documents = bench.open_with(&["knight"]).await;
    let document = documents.default().clone();
    bench.lose_state();
    add(&document, &["mage"]).await;
    let before = document.info();
    drop(documents); // Killed.
    bench.unpublish();
    let documents = bench.open().await;
    assert_eq!(prompts(documents.default()), ["knight", "mage"]);
    let after = documents.default().info();
    assert_eq!((after.id, after.heads), (before.id, before.heads));
}

/// S2: a journal that a crash left half compacted takes no room for ever.
#[tokio::test]
async fn s2_what_a_crash_left_half_written_is_removed_at_the_next_start() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["knight"]).await;
    drop(documents); // Killed.
    let half = bench
        .state_file("journal")
        .with_file_name(".journal.0123456789abcdef.plainsync-tmp");
    fs::write(&half, "half").unwrap();
    let documents = bench.open().await;
    assert!(!half.exists());
    assert_eq!(prompts(documents.default()), ["knight"]);
}

#[tokio::test]
async fn s2_acknowledged_edits_survive_an_end_without_a_shutdown() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default().clone();
    add(&document, &["knight", "mage"]).await;
    let outcome = document
        .edit(change("mage", "width", json!(32)))
        .await
        .unwrap();
    assert_eq!(outcome.rows[0].job["width"], 32);
    let before = document.info();
    drop(documents);
    document
        .edit(insert("late"))
        .await
        .expect_err("it has ended");
    let documents = bench.open().await;
    let after = documents.default().info();
    assert_eq!(
        (after.heads, after.id, after.jobs),
        (before.heads, before.id, 2)
    );
    assert_eq!(
        documents
            .default()
            .snapshot()
            .get(&key("mage"))
            .unwrap()
            .job["width"],
        32
    );
}

#[tokio::test]
async fn s7_a_shutdown_leaves_everything_in_the_file() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let device = *documents.server_device();
    for round in 0..5 {
        let document = documents.default().clone();
        let name = format!("job of round {round}");
        let edit = tokio::spawn(async move { document.edit(insert(&name)).await.is_ok() });
        assert!(edit.await.unwrap());
    }
    let heads = documents.default().info().heads;
    documents.shutdown().await;
    let json = bench.json();
    assert_eq!(json["sync"]["heads"], json!(heads));
    assert_eq!(json["jobs"].as_array().unwrap().len(), 5);
    drop(documents);
    let documents = bench.open().await;
    assert_eq!(*documents.server_device(), device, "the device is the same");
    assert_eq!(
        documents.default().info().heads,
        heads,
        "nothing changed by it"
    );
}

#[tokio::test]
async fn s2_a_journal_cut_at_any_byte_gives_a_prefix_of_the_edits() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let names = ["one", "two", "three"];
    add(documents.default(), &names).await;
    documents.shutdown().await;
    drop(documents);
    let path = bench.state_file("journal");
    let whole = fs::read(&path).unwrap();
    let mut seen = Vec::new();
    // Every byte of the journal alone is a test of the journal; here each cut opens a server.
    for cut in (0..whole.len())
        .step_by(13)
        .chain([whole.len() - 1, whole.len()])
    {
        fs::write(&path, &whole[..cut]).unwrap();
        fs::remove_file(bench.file()).ok();
        bench.unpublish();
        let documents = bench.open().await;
        let found = prompts(documents.default());
        assert_eq!(found, names[..found.len()], "cut at {cut}");
        add(documents.default(), &["more"]).await;
        seen.push(found.len());
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&3)));
}

#[tokio::test]
async fn s2_a_repeated_edit_is_not_applied_again_also_after_a_restart() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["knight"]).await;
    let first = change("knight", "prompt", json!("a brave knight"));
    let second = change("knight", "prompt", json!("a tired knight"));
    documents.default().edit(first.clone()).await.unwrap();
    documents.default().edit(second).await.unwrap();
    let again = documents.default().edit(first.clone()).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.rows[0].job["prompt"], "a tired knight");
    drop(documents);
    let documents = bench.open().await;
    let again = documents.default().edit(first).await.unwrap();
    assert!(again.repeated);
    assert_eq!(prompts(documents.default()), ["a tired knight"]);
}

#[tokio::test]
async fn f13_a_long_journal_is_compacted_at_a_start_and_nothing_is_lost() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default().clone();
    add(&document, &["knight"]).await;
    let edit = change("knight", "width", json!(17));
    document.edit(edit.clone()).await.unwrap();
    let writers = (0..8).map(|writer| {
        let document = document.clone();
        tokio::spawn(async move {
            for n in 0..260 {
                let edit = change("knight", "height", json!(writer * 1000 + n));
                document.edit(edit).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let info = document.info();
    drop(documents);
    let long = fs::metadata(bench.state_file("journal")).unwrap().len();
    let documents = bench.open().await;
    assert_eq!(documents.default().info().heads, info.heads);
    let short = fs::metadata(bench.state_file("journal")).unwrap().len();
    assert!(short < long / 2, "{long} bytes became {short}");
    assert!(documents.default().edit(edit).await.unwrap().repeated);
    add(documents.default(), &["mage"]).await;
    drop(documents);
    let documents = bench.open().await;
    assert_eq!(prompts(documents.default()), ["knight", "mage"]);
}

#[tokio::test]
async fn f6_a_file_ahead_of_a_cut_journal_is_parked_and_not_overwritten() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one", "two"]).await;
    documents.shutdown().await;
    drop(documents);
    let path = bench.state_file("journal");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    bench.unpublish();
    let text = bench.text();
    let documents = bench.open().await;
    let document = documents.default();
    until_state(document, FileCondition::Parked).await;
    add(document, &["three"]).await;
    documents.shutdown().await;
    assert_eq!(bench.text(), text, "the file is left as it is");
}

#[tokio::test]
async fn f11_a_second_server_on_the_folder_is_refused_and_told_who_has_it() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let text = bench
        .try_open()
        .await
        .map(|_| ())
        .expect_err("refused")
        .to_string();
    let pid = std::process::id().to_string();
    for part in [pid.as_str(), "http://127.0.0.1:8787/", "dashboards"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    // By another state folder it is still the same folder.
    let mut config = bench.config();
    config.state = Some(bench.root.path().join("other state"));
    let other = plainsync::document::Documents::open(config).await;
    assert!(other.is_err());
    documents.shutdown().await;
    drop(documents);
    bench.open().await;
}
