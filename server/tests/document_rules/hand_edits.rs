//! What becomes of what people write into the JSON.

use std::fs;

use plainsync::document::{
    DocumentError, FileAnswer, FileCondition, ImportOrigin, OfferKind, OldClient,
};
use plainsync_core::plain::import::ImportError;
use serde_json::{Value, json};

use crate::support::{Bench, SETTLED, add, change, prompts, prompts_in, until, until_state};

#[tokio::test]
async fn f4_a_hand_edit_becomes_an_edit() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two"]).await;
    let document = documents.default();
    bench.save(bench.text().replace("\"one\"", "\"one by hand\""));
    until("the edit is taken in", || {
        (prompts(document) == ["one by hand", "two"]).then_some(())
    })
    .await;
    let json = bench.until_written(document).await;
    assert_eq!(prompts_in(&json), ["one by hand", "two"]);
}

#[tokio::test]
async fn f4_a_hand_edit_of_an_older_version_keeps_what_came_since() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two"]).await;
    let document = documents.default();
    let old = bench.text();
    document
        .edit(change("two", "width", json!(99)))
        .await
        .unwrap();
    add(document, &["three"]).await;
    bench.until_written(document).await;
    bench.save(old.replace("\"one\"", "\"one by hand\""));
    until("the edit is taken in", || {
        (prompts(document) == ["one by hand", "two", "three"]).then_some(())
    })
    .await;
    let json = bench.until_written(document).await;
    assert_eq!(json["jobs"][1]["width"], 99);
}

#[tokio::test]
async fn f4_an_edit_made_while_no_server_ran_is_taken_in_at_the_start() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one"]).await;
    documents.shutdown().await;
    drop(documents);
    bench.save(bench.text().replace("\"one\"", "\"one by hand\""));
    let documents = bench.open().await;
    assert_eq!(prompts(documents.default()), ["one by hand"]);
}

#[tokio::test]
async fn f4_an_edit_saved_just_before_the_stop_is_not_overwritten() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    bench.save(bench.text().replace("\"one\"", "\"one by hand\""));
    add(document, &["two"]).await;
    documents.shutdown().await;
    assert_eq!(prompts_in(&bench.json()), ["one by hand", "two"]);
}

/// `text` as a script leaves it that knows nothing of versions.
fn without_version(text: &str, edit: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut json: Value = serde_json::from_str(text).unwrap();
    let root = json.as_object_mut().unwrap();
    root.remove("sync").unwrap();
    root.remove("savedAt").unwrap();
    edit(root["jobs"].as_array_mut().unwrap());
    json.to_string()
}

#[tokio::test]
async fn f6_a_script_that_drops_the_version_edits_what_it_read() {
    let bench = Bench::new();
    let documents = bench
        .open_with(&["one", "two", "three", "four", "five"])
        .await;
    let document = documents.default();
    let read = bench.text();
    // Meanwhile somebody else edits and adds.
    let edit = change("two", "width", json!(99));
    document.edit(edit).await.unwrap();
    bench.until_written(document).await;
    bench.save(without_version(&read, |jobs| {
        jobs.remove(0);
        jobs[3]["prompt"] = json!("five by script");
        jobs.push(json!({"id": "job-77", "prompt": "six", "createdAt": 77}));
    }));
    let expected = ["two", "three", "four", "five by script", "six"];
    until("it is taken in", || {
        let mut found = prompts(document);
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        (found == expected).then_some(())
    })
    .await;
    assert_eq!(document.snapshot().bin().count(), 1, "it is in the bin");
    let json = bench.until_written(document).await;
    let two = json["jobs"].as_array().unwrap().iter();
    let two = two.clone().find(|job| job["prompt"] == "two").unwrap();
    assert_eq!(two["width"], 99, "what was edited since");
}

#[tokio::test]
async fn f6_versions_that_the_file_held_are_known_across_restarts() {
    for lost in [false, true] {
        let bench = Bench::new();
        let documents = bench.open().await;
        add(documents.default(), &["one", "two", "three", "four"]).await;
        bench.until_written(documents.default()).await;
        documents.shutdown().await;
        drop(documents);
        if lost {
            // The kept versions and the backup stand in for the list.
            fs::remove_file(bench.state_file("written")).unwrap();
        }
        let text = bench.text();
        bench.save(without_version(&text, |jobs| {
            jobs.remove(1);
        }));
        let documents = bench.open().await;
        let found = prompts(documents.default());
        if lost {
            // The backup is a version before, which had fewer jobs: nothing is removed by guess.
            assert!(found.len() >= 3, "{found:?}");
        } else {
            assert_eq!(found, ["one", "three", "four"]);
        }
    }
}

#[tokio::test]
async fn f6_f9_an_old_copy_without_its_version_removes_nothing_and_is_offered() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two", "three"]).await;
    let document = documents.default();
    let old = without_version(&bench.text(), |_| {});
    add(document, &["four"]).await;
    bench.until_written(document).await;
    bench.save(&old);
    let offer = until("it is offered", || document.info().offer).await;
    assert_eq!(offer.kind, OfferKind::OlderVersion);
    assert_eq!(prompts(document), ["one", "two", "three", "four"]);
    document.answer_file(FileAnswer::Return).await.unwrap();
    assert_eq!(prompts(document), ["one", "two", "three"]);
}

#[tokio::test]
async fn f7_what_is_no_history_is_never_replaced_and_never_a_deletion() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two"]).await;
    let document = documents.default();
    let good = bench.text();
    let half = &good[..good.len() / 2];
    let marked = good.replacen("  \"jobs\"", "<<<<<<< HEAD\n  \"jobs\"", 1);
    let mut count = 2;
    for (bad, place, cause) in [
        ("", "line 1, column 1", "empty"),
        (half, "line ", "ends here"),
        (&marked, "column 1", "merge conflict"),
        (
            &format!("\u{feff}{good}"),
            "line 1, column 1",
            "byte order mark",
        ),
        (&good.replacen('[', "[\0", 1), "line ", "NUL"),
        ("{}", "line 1, column 1", "no \"jobs\""),
        ("{\"jobs\": 5}", "line 1, column 10", "\"jobs\" is"),
        ("[]", "line 1, column 1", "object"),
    ] {
        bench.save(bad);
        let detail = until("it is noticed", || {
            let state = document.info().file_state;
            let detail = state.detail.unwrap_or_default();
            (state.state == FileCondition::Unparsable && detail.contains(cause)).then_some(detail)
        })
        .await;
        assert!(detail.contains(place), "{place} is missing in: {detail}");
        count += 1;
        add(document, &[format!("while {cause} {count}").as_str()]).await;
        tokio::time::sleep(SETTLED / 4).await;
        assert_eq!(fs::read(bench.file()).unwrap(), bad.as_bytes(), "{cause}");
        assert_eq!(document.info().jobs, count, "{cause}");
    }
    // A stop does not replace it either.
    documents.shutdown().await;
    assert_eq!(bench.text(), "[]");
    drop(documents);
    let documents = bench.open().await;
    let document = documents.default();
    until_state(document, FileCondition::Unparsable).await;
    assert_eq!(document.info().jobs, count);
    // Repaired, it is a version like any other.
    bench.save(good.replace("\"one\"", "\"one by hand\""));
    until_state(document, FileCondition::Ok).await;
    let json = bench.until_written(document).await;
    assert_eq!(prompts_in(&json).len(), count);
    assert_eq!(prompts_in(&json)[..2], ["one by hand", "two"]);
}

/// F7, F9: taking a broken edit back is no news and no old version, whatever was edited meanwhile.
#[tokio::test]
async fn f7_a_file_that_is_as_before_is_followed_again() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two"]).await;
    let document = documents.default();
    let good = bench.text();
    bench.save(&good[..good.len() / 2]);
    until_state(document, FileCondition::Unparsable).await;
    add(document, &["three"]).await;
    bench.save(&good);
    until_state(document, FileCondition::Ok).await;
    let json = bench.until_written(document).await;
    assert_eq!(prompts_in(&json), ["one", "two", "three"]);
    assert!(document.info().offer.is_none());
}

#[tokio::test]
async fn f7_a_file_that_is_no_history_at_the_first_start_is_left_alone() {
    let bench = Bench::new();
    bench.save("{\"jobs\": [\n{\"id\": \"job-1\",}]}");
    let documents = bench.open().await;
    let document = documents.default();
    let detail = until_state(document, FileCondition::Unparsable).await;
    assert!(detail.contains("line 2, column 16"), "{detail}");
    add(document, &["one"]).await;
    bench.save("{\"jobs\": [\n{\"id\": \"job-1\", \"prompt\": \"old\", \"createdAt\": 5}]}");
    until_state(document, FileCondition::Ok).await;
    let json = bench.until_written(document).await;
    assert_eq!(json["jobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn f7_removing_most_awaits_an_answer() {
    for answer in [FileAnswer::Take, FileAnswer::Replace] {
        let bench = Bench::new();
        let documents = bench.open().await;
        let document = documents.default();
        add(document, &["one", "two", "three"]).await;
        let mut json = bench.until_written(document).await;
        document
            .answer_file(answer)
            .await
            .expect_err("nothing is asked yet");
        json["jobs"].as_array_mut().unwrap().truncate(1);
        let short = serde_json::to_string_pretty(&json).unwrap();
        bench.save(&short);
        let detail = until_state(document, FileCondition::AwaitingAnswer).await;
        assert!(detail.contains("remove 2 of 3"), "{detail}");
        add(document, &["four"]).await;
        tokio::time::sleep(SETTLED / 2).await;
        assert_eq!(bench.text(), short, "it is left as it is");
        document.answer_file(answer).await.unwrap();
        until_state(document, FileCondition::Ok).await;
        let json = bench.until_written(document).await;
        match answer {
            FileAnswer::Take => assert_eq!(prompts_in(&json), ["one", "four"]),
            _ => {
                assert_eq!(prompts_in(&json), ["one", "two", "three", "four"]);
                let archive = bench
                    .folder()
                    .join(".plainsync")
                    .join(document.id().to_string())
                    .join("archive");
                let kept = fs::read_dir(archive)
                    .unwrap()
                    .next()
                    .unwrap()
                    .unwrap()
                    .path();
                assert_eq!(fs::read_to_string(kept).unwrap(), short);
            }
        }
    }
}

#[tokio::test]
async fn f7_what_a_crash_left_of_an_exchange_is_taken_in() {
    let bench = Bench::new();
    let documents = bench.open().await;
    add(documents.default(), &["one", "two"]).await;
    documents.shutdown().await;
    drop(documents);
    let folder = bench.folder();
    let stray =
        |n: u8, ending: &str| folder.join(format!(".job_history.json.{n:016x}.plainsync-{ending}"));
    fs::write(
        stray(1, "swap"),
        bench.text().replace("\"one\"", "\"one by hand\""),
    )
    .unwrap();
    fs::write(stray(2, "swap"), "{\"jobs\": [").unwrap();
    fs::write(stray(3, "tmp"), "{\"jobs\": [").unwrap();
    let documents = bench.open().await;
    assert_eq!(prompts(documents.default()), ["one by hand", "two"]);
    for (n, ending) in [(1, "swap"), (2, "swap"), (3, "tmp")] {
        assert!(!stray(n, ending).exists(), "{n} is cleared away");
    }
    let id = documents.default().id().to_string();
    let archive = folder.join(".plainsync").join(id).join("archive");
    assert_eq!(
        fs::read_dir(archive).unwrap().count(),
        1,
        "what cannot be read is kept"
    );
}

#[tokio::test]
async fn l3_a_list_that_is_none_changes_nothing() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    let heads = document.info().heads;
    for body in [
        "{}",
        "",
        "{\"jobs\": {}}",
        "{\"jobs\": [1]}",
        "{\"jobs\": [{\"id\":",
        "null",
    ] {
        let base = plainsync::document::Base::Unknown;
        let refused = document
            .save_list(body.as_bytes(), base, OldClient::named("a"))
            .await
            .expect_err("refused");
        let is_text = matches!(refused, DocumentError::Import(ImportError::Text { .. }));
        assert!(is_text, "{body}: {refused}");
    }
    let empty = document
        .save_list(
            b"{\"jobs\": []}",
            plainsync::document::Base::FromText,
            OldClient::named("b"),
        )
        .await;
    assert_eq!(
        empty.unwrap().report.removed,
        0,
        "nothing is removed without a version (F6)"
    );
    assert_eq!(document.info().heads, heads);
}

#[tokio::test]
async fn f5_the_same_text_imported_twice_changes_nothing_the_second_time() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    let text = r#"{"jobs": [{"id": "job-4", "prompt": "old", "createdAt": 7}], "lastJobId": 5}"#;
    let origin = || ImportOrigin::Upload { confirmed: false };
    let first = document.import(text.into(), origin()).await.unwrap();
    assert_eq!(first.added, 1);
    let heads = document.info().heads;
    let second = document.import(text.into(), origin()).await.unwrap();
    assert_eq!((second.added, second.changed), (0, 0));
    assert_eq!(document.info().heads, heads);
}

#[tokio::test]
async fn f9_an_older_version_put_back_is_offered_once_and_never_taken_by_itself() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    let old = bench.text();
    let edit = change("one", "prompt", json!("two"));
    document.edit(edit).await.unwrap();
    bench.until_written(document).await;
    let put_back = || async {
        bench.save(&old);
        bench
            .until_file("it is written anew", |json| prompts_in(json) == ["two"])
            .await;
    };
    put_back().await;
    let offer = until("it is offered", || document.info().offer).await;
    assert_eq!(offer.kind, OfferKind::OlderVersion);
    assert_eq!(prompts(document), ["two"]);
    document
        .answer_file(FileAnswer::Fresh)
        .await
        .expect_err("not offered");
    document.answer_file(FileAnswer::Dismiss).await.unwrap();
    assert_eq!(document.info().offer, None);
    put_back().await;
    tokio::time::sleep(SETTLED).await;
    assert_eq!(document.info().offer, None, "once");
    // Another old version is offered again, and can be returned to.
    let edit = change("one", "prompt", json!("three"));
    document.edit(edit).await.unwrap();
    bench.until_written(document).await;
    let two = bench.text();
    let edit = change("one", "prompt", json!("four"));
    document.edit(edit).await.unwrap();
    bench.until_written(document).await;
    bench.save(two);
    until("it is offered", || document.info().offer).await;
    document.answer_file(FileAnswer::Return).await.unwrap();
    assert_eq!(prompts(document), ["three"]);
    assert_eq!(document.info().offer, None);
}

#[tokio::test]
async fn f9_a_file_that_is_behind_because_of_a_crash_is_no_version_put_back() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    bench.disk.fail(
        plainsync::document::disk::faulty::Operation::Write,
        "dashboards/.job_history",
        std::io::ErrorKind::StorageFull,
    );
    add(document, &["two"]).await;
    drop(documents);
    bench.disk.heal();
    let documents = bench.open().await;
    let document = documents.default();
    bench.until_written(document).await;
    assert_eq!(prompts(document), ["one", "two"]);
    assert_eq!(document.info().offer, None);
}

#[tokio::test]
async fn f7_a_deleted_file_is_written_again_and_starting_fresh_is_offered() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two"]).await;
    let document = documents.default();
    fs::remove_file(bench.file()).unwrap();
    let json = bench
        .until_file("it is written again", |json| prompts_in(json).len() == 2)
        .await;
    assert_eq!(prompts_in(&json), ["one", "two"]);
    let offer = until("it is offered", || document.info().offer).await;
    assert_eq!(offer.kind, OfferKind::StartFresh);
    document.answer_file(FileAnswer::Fresh).await.unwrap();
    assert!(prompts(document).is_empty());
    assert_eq!(document.snapshot().bin().count(), 2, "they are in the bin");
}

#[tokio::test]
async fn f8_the_backup_copied_over_the_file_goes_back() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    let edit = change("one", "prompt", json!("spoiled"));
    document.edit(edit).await.unwrap();
    bench.until_written(document).await;
    fs::copy(bench.backup(), bench.file()).unwrap();
    until("it goes back", || {
        (prompts(document) == ["one"]).then_some(())
    })
    .await;
    assert_eq!(document.info().offer, None, "nothing is asked");
    let json = bench.until_written(document).await;
    assert_eq!(prompts_in(&json), ["one"]);
    let told = document.info().last_import.expect("it is told");
    assert_eq!(told.report.changed, 1);
}

#[tokio::test]
async fn d11_a_version_that_is_kept_as_a_file_can_be_returned_to() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    let kept = document.keep_version(None).await.unwrap();
    let edit = change("one", "prompt", json!("spoiled"));
    document.edit(edit).await.unwrap();
    assert_eq!(document.restore_version("no such").await.unwrap(), None);
    document
        .restore_version(&kept.name)
        .await
        .unwrap()
        .expect("kept");
    assert_eq!(prompts(document), ["one"]);
    let names: Vec<_> = document.kept_versions().await.unwrap();
    assert!(names.contains(&kept), "{names:?}");
}
