//! Several machines in one folder: what each publishes, and what it makes of the others'.

use std::fs;

use plainsync::document::{DocumentHandle, FileCondition};
use serde_json::json;

use crate::support::{Bench, add, change, prompts, prompts_in, until, until_state};

/// Copies what a syncer would, from one folder into another: the files that differ.
fn carry(from: &Bench, to: &Bench, what: impl Fn(&str) -> bool) {
    let mut folders = vec![from.folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(from.folder()).unwrap().to_owned();
            let target = to.folder().join(&relative);
            let text = relative.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if what(&text) && !text.ends_with("lock") && !text.contains("plainsync-") {
                fs::create_dir_all(target.parent().unwrap()).unwrap();
                let bytes = fs::read(&path).unwrap();
                if fs::read(&target).ok().as_ref() != Some(&bytes) {
                    fs::write(&target, bytes).unwrap();
                }
            }
        }
    }
}

fn is_journal(path: &str) -> bool {
    path.ends_with(".journal")
}

async fn until_prompts(document: &DocumentHandle, expected: &[&str]) {
    let what = format!("{expected:?}");
    // Of jobs that were made apart the actors decide which stands first, and these are drawn.
    let sorted = |mut prompts: Vec<String>| {
        prompts.sort_unstable();
        prompts
    };
    let expected = sorted(expected.iter().map(|prompt| (*prompt).to_owned()).collect());
    let is_there = || (sorted(prompts(document)) == expected).then_some(());
    until(&what, is_there).await;
}

#[tokio::test]
async fn f11_a_folder_that_arrives_with_its_history_goes_on_as_the_same_document() {
    let (ann, bob) = (Bench::new(), Bench::new());
    let ours = ann.open().await;
    add(ours.default(), &["one", "two"]).await;
    ours.shutdown().await;
    carry(&ann, &bob, |_| true);
    let theirs = bob.open().await;
    assert_eq!(theirs.default().info().heads, ours.default().info().heads);
    assert_ne!(theirs.server_device(), ours.server_device());
    // And back: what Bob adds arrives with his journal alone, before his JSON.
    add(theirs.default(), &["three"]).await;
    theirs.shutdown().await;
    drop(ours);
    let ours = ann.open().await;
    carry(&bob, &ann, is_journal);
    until_prompts(ours.default(), &["one", "two", "three"]).await;
    let json = ann.until_written(ours.default()).await;
    assert_eq!(prompts_in(&json), ["one", "two", "three"]);
    assert_eq!(fs::read(ann.file()).unwrap(), fs::read(bob.file()).unwrap());
}

#[tokio::test]
async fn f6_a_file_that_arrives_before_its_history_waits_for_it() {
    let (ann, bob) = (Bench::new(), Bench::new());
    let ours = ann.open().await;
    add(ours.default(), &["one"]).await;
    ann.until_written(ours.default()).await;
    ours.shutdown().await;
    drop(ours);
    carry(&ann, &bob, |_| true);
    let theirs = bob.open().await;
    let document = theirs.default();
    let ours = ann.open().await;
    add(ours.default(), &["two"]).await;
    ours.shutdown().await;
    carry(&ann, &bob, |path| path.ends_with(".json"));
    until_state(document, FileCondition::Parked).await;
    add(document, &["three"]).await;
    let arrived = bob.text();
    assert_eq!(
        prompts_in(&bob.json()),
        ["one", "two"],
        "it is not replaced"
    );
    carry(&ann, &bob, is_journal);
    until_prompts(document, &["one", "two", "three"]).await;
    until_state(document, FileCondition::Ok).await;
    bob.until_written(document).await;
    assert_ne!(bob.text(), arrived);
}

#[tokio::test]
async fn f11_the_own_published_journal_is_restored_and_nobody_elses_is_touched() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    let folder = bench.shared(document);
    let own = folder.join(format!("{}.journal", documents.server_device()));
    let other = folder.join("00000000000000aa.journal");
    let half = until("it is published", || fs::read(&own).ok()).await;
    fs::write(&other, &half[..half.len() / 2]).unwrap();
    let torn = fs::read(&other).unwrap();
    let is_whole = |expected: &[&str]| {
        // Whoever has this journal alone has everything.
        let copy = Bench::new();
        carry(&bench, &copy, |path| {
            path.ends_with(&format!("{}.journal", documents.server_device()))
        });
        let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        async move {
            let Ok(read) = copy.try_open().await else {
                return false;
            };
            prompts(read.default()) == expected
        }
    };
    for (nth, damage) in ["", "cut", "other", "gone"].into_iter().enumerate() {
        let before = fs::read(&own).unwrap();
        match damage {
            "cut" => fs::write(&own, &before[..before.len() / 2]).unwrap(),
            "other" => fs::write(&own, vec![7; before.len()]).unwrap(),
            "gone" => fs::remove_file(&own).unwrap(),
            _ => {}
        }
        document
            .edit(change("one", "width", json!(nth)))
            .await
            .unwrap();
        until(&format!("it is restored after {damage}"), || {
            let now = fs::read(&own).unwrap_or_default();
            (now.len() > 200 && now != before).then_some(())
        })
        .await;
        let give_up = std::time::Instant::now() + crate::support::DEADLINE;
        while !is_whole(&["one"]).await {
            assert!(std::time::Instant::now() < give_up, "after {damage}");
        }
    }
    assert_eq!(fs::read(&other).unwrap(), torn, "it is another device's");
}

#[tokio::test]
async fn f11_machines_that_have_converged_write_nothing() {
    let (ann, bob) = (Bench::new(), Bench::new());
    let ours = ann.open().await;
    add(ours.default(), &["one"]).await;
    ours.shutdown().await;
    drop(ours);
    carry(&ann, &bob, |_| true);
    let (ours, theirs) = (ann.open().await, bob.open().await);
    add(ours.default(), &["two"]).await;
    add(theirs.default(), &["three"]).await;
    until("they converge", || {
        carry(&ann, &bob, is_journal);
        carry(&bob, &ann, is_journal);
        let (one, other) = (ours.default().info(), theirs.default().info());
        (one.heads == other.heads && one.jobs == 3).then_some(())
    })
    .await;
    let json = ann.until_written(ours.default()).await;
    bob.until_written(theirs.default()).await;
    assert_eq!(ann.text(), bob.text());
    // Laid out in another way, it is still the same version: nobody writes it back.
    bob.save(json.to_string());
    carry(&bob, &ann, |path| path.ends_with(".json"));
    let (before, laid_out) = (ours.default().info().heads, ann.text());
    tokio::time::sleep(crate::support::SETTLED).await;
    assert_eq!(ann.text(), laid_out);
    assert_eq!(bob.text(), laid_out);
    assert_eq!(ours.default().info().heads, before);
}

#[tokio::test]
async fn f11_an_image_that_arrives_later_is_inlined_then() {
    let gif = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
    let (ann, bob) = (Bench::new(), Bench::new());
    let ours = ann.open().await;
    add(ours.default(), &["one"]).await;
    let edit = change("one", "preview", json!(gif));
    ours.default().edit(edit).await.unwrap();
    ours.shutdown().await;
    carry(&ann, &bob, is_journal);
    let theirs = bob.open().await;
    let json = bob.until_written(theirs.default()).await;
    assert!(
        json["jobs"][0]["preview"]
            .as_str()
            .unwrap()
            .starts_with("blob:")
    );
    carry(&ann, &bob, |path| path.contains("/blobs/"));
    bob.until_file("the image is inlined", |json| {
        json["jobs"][0]["preview"] == gif
    })
    .await;
    assert_eq!(ann.text(), bob.text());
}

#[tokio::test]
async fn f10_conflict_copies_are_merged_and_archived() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one", "two"]).await;
    let document = documents.default();
    let old = bench.text();
    document
        .edit(change("two", "width", json!(99)))
        .await
        .unwrap();
    bench.until_written(document).await;
    for (nth, name) in [
        "job_history (Ann's conflicted copy 2026-01-31).json",
        "job_history.sync-conflict-20260131-101112-ABCDEFG.json",
        "job_history-DESKTOP-AB12CD.json",
        "job_history (1).json",
        "job_history 2.json",
    ]
    .into_iter()
    .enumerate()
    {
        let path = bench.folder().join(name);
        let text = old.replace(
            "\"prompt\": \"one\"",
            &format!("\"prompt\": \"one\",\n      \"copy{nth}\": true"),
        );
        assert_ne!(text, old);
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        tokio::time::sleep(crate::support::SETTLED / 4).await;
        assert!(path.exists(), "half a copy stays");
        fs::write(&path, text).unwrap();
        until(&format!("{name} is moved away"), || {
            (!path.exists()).then_some(())
        })
        .await;
        let json = bench.until_written(document).await;
        assert_eq!(json["jobs"][0][format!("copy{nth}")], true, "{name}");
        assert_eq!(json["jobs"][1]["width"], 99);
    }
    assert_eq!(
        fs::read_dir(bench.shared(document).join("archive"))
            .unwrap()
            .count(),
        5
    );
    // What a person may have made stays, unless it is a version of this document.
    for name in ["job_history (2).json", "job_history-OLD.json"] {
        fs::write(bench.folder().join(name), r#"{"jobs": []}"#).unwrap();
    }
    fs::write(bench.folder().join(".syncthing.job_history.json.tmp"), "{").unwrap();
    tokio::time::sleep(crate::support::SETTLED).await;
    assert_eq!(prompts(document), ["one", "two"]);
    assert!(bench.folder().join("job_history (2).json").exists());
    assert!(bench.folder().join("job_history-OLD.json").exists());
}
