//! Disks and files as bad as they get: journals that a crash cut off, disks that are full, JSON
//! that is no JSON, folders that are taken. Each gives a clear sentence, and costs nothing
//! that was acknowledged.

use std::fs;
use std::path::PathBuf;

use plainsync_tests::chance::Chance;
use plainsync_tests::historic::history;
use plainsync_tests::home::Home;
use plainsync_tests::served::{Served, until};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// Exit codes as the program's help promises them.
mod exit {
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const FILE: i32 = 4;
    pub(crate) const BUSY: i32 = 5;
}

async fn add(server: &Served, prompt: &str) -> Value {
    let job = json!({"prompt": prompt});
    server.json("POST", "/api/v1/jobs", &job).await.ok()
}

async fn prompts(server: &Served) -> Vec<String> {
    let page = server
        .get("/api/v1/jobs?limit=1000&sort=created")
        .await
        .ok();
    let rows = page["jobs"].as_array().expect("jobs").clone();
    rows.iter()
        .map(|row| row["job"]["prompt"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn file_state(server: &Served) -> Value {
    server.get("/health").await.ok()["file"].clone()
}

/// Waits until `/health` says `state` of the file, and returns its sentence.
async fn until_file_is(server: &Served, state: &str) -> String {
    until(&format!("the file to be {state}"), || async {
        let file = file_state(server).await;
        (file["state"] == state).then(|| file["detail"].as_str().unwrap_or_default().to_owned())
    })
    .await
}

#[tokio::test]
async fn s2_a_journal_cut_at_any_byte_keeps_what_is_before_the_cut() {
    const EDITS: usize = 10;
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let journal = home.journal();
    // How long the journal was when each edit had been acknowledged.
    let mut lengths = Vec::new();
    for number in 0..EDITS {
        add(&server, &format!("job number {number}")).await;
        lengths.push(fs::metadata(&journal).expect("a journal").len());
    }
    let export = server.get("/api/v1/export.json").await.body;
    let file = home
        .written("the file", |file| file.as_bytes() == export)
        .await
        .into_bytes();
    server.kill().await;
    let whole = fs::read(&journal).expect("a journal");
    assert_eq!(
        lengths.last().copied(),
        Some(whole.len() as u64),
        "nothing but edits is in it"
    );

    let mut chance = Chance::new(1);
    let mut cuts: Vec<u64> = (0..8).map(|_| chance.below(whole.len() as u64)).collect();
    cuts.extend([0, 1, lengths[4], lengths[4] + 1, whole.len() as u64 - 1]);
    for cut in cuts {
        let end = usize::try_from(cut).expect("a short journal");
        fs::write(&journal, &whole[..end]).expect("a cut journal");
        // As an earlier moment left it: the file is made again from what is in the journal.
        for name in ["job_history.json", "job_history.json.backup"] {
            let _absent = fs::remove_file(home.folder().join(name));
        }
        home.unpublish();
        let server = home.serve(&[]).await;
        let kept = lengths.iter().filter(|length| **length <= cut).count();
        let expected: Vec<String> = (0..kept)
            .map(|number| format!("job number {number}"))
            .collect();
        assert_eq!(
            prompts(&server).await,
            expected,
            "cut at byte {cut} of {}",
            whole.len()
        );
        add(&server, "and it goes on").await;
        server.stop().await;
        let jobs = home.json()["jobs"].as_array().expect("jobs").len();
        assert_eq!(jobs, kept + 1, "cut at byte {cut}");
        let log = home.log();
        let is_torn = cut != 0 && !lengths.contains(&cut);
        assert!(
            !is_torn || log.contains("half a record"),
            "cut at byte {cut}: {log}"
        );
    }

    // With a file that is ahead of the journal: it is not overwritten by less.
    home.unpublish();
    fs::write(
        &journal,
        &whole[..usize::try_from(lengths[4]).expect("short")],
    )
    .expect("a cut journal");
    home.write(&file);
    let server = home.serve(&[]).await;
    add(&server, "meanwhile").await;
    let state = file_state(&server).await;
    server.stop().await;
    let after = home.json();
    let text = after.to_string();
    for number in 0..EDITS {
        assert!(
            text.contains(&format!("job number {number}")),
            "{state}: {text}"
        );
    }
}

#[tokio::test]
async fn s2_a_full_disk_refuses_edits_and_loses_none() {
    let home = Home::new(PROGRAM);
    // Files end at 64 KiB: first the JSON cannot be written any more, later the journal.
    let server = home.serve_after("trap '' XFSZ; ulimit -f 128").await;
    let mut chance = Chance::new(2);
    let mut kept = Vec::new();
    let refused = loop {
        let noise: String = (0..100)
            .map(|_| format!("{:016x}", chance.draw()))
            .collect();
        let job = json!({"prompt": format!("{:03} {noise}", kept.len())});
        let answer = server.json("POST", "/api/v1/jobs", &job).await;
        if !answer.status.is_success() {
            break answer;
        }
        kept.push(job["prompt"].as_str().expect("text").to_owned());
        assert!(kept.len() < 500, "the disk is never full");
    };
    assert!(
        [503, 507].contains(&refused.status.as_u16()),
        "{}: {}",
        refused.status,
        refused.text()
    );
    let said = refused.json()["detail"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(
        said.contains("large") || said.contains("read-only"),
        "{said}"
    );
    assert!(kept.len() > 10, "{} edits were kept", kept.len());

    // Reading goes on, what was refused is nowhere, and people are told.
    assert_eq!(prompts(&server).await, kept);
    assert_eq!(
        server.get("/load-jobs").await.ok()["jobs"]
            .as_array()
            .expect("jobs")
            .len(),
        kept.len()
    );
    let state = until("people to be told", || async {
        let file = file_state(&server).await;
        (file["state"] != "ok").then_some(file)
    })
    .await;
    assert!(
        ["read-only", "not-written"].contains(&state["state"].as_str().unwrap_or_default()),
        "{state}"
    );
    assert!(
        state["detail"]
            .as_str()
            .expect("a sentence")
            .contains("large"),
        "{state}"
    );
    let parsed: Value = home.json();
    assert!(parsed["jobs"].is_array(), "the last version that fitted");
    server.kill().await;
    assert!(home.log().contains("the disk failed"), "{}", home.log());

    // With room again, all of it is there.
    let server = home.serve(&[]).await;
    assert_eq!(prompts(&server).await, kept);
    add(&server, "after the flood").await;
    server.stop().await;
    assert_eq!(
        home.json()["jobs"].as_array().expect("jobs").len(),
        kept.len() + 1
    );
}

#[tokio::test]
async fn f7_a_file_that_is_no_history_is_left_alone_and_named() {
    let whole = serde_json::to_string_pretty(&history(20)).expect("JSON");
    let half = &whole[..whole.len() / 2];
    let merged = whole.replacen("  \"jobs\": [", "<<<<<<< HEAD\n  \"jobs\": [\n=======\n", 1);
    for (bad, part) in [
        ("", "empty"),
        ("\n", "empty"),
        (half, "ends here"),
        (merged.as_str(), "merge conflict"),
        ("\u{feff}{\"jobs\": []}", "byte order mark"),
        ("{\"jobs\": []}\0\0\0", "NUL"),
        ("[]", "object"),
        ("{\"jobs\": 5}", "jobs"),
    ] {
        // At the first start, when there is nothing but that file.
        let home = Home::new(PROGRAM);
        home.write(bad.as_bytes());
        let server = home.serve(&[]).await;
        let said = until_file_is(&server, "unparsable").await;
        assert!(
            said.contains(part) && said.contains("line"),
            "{part}: {said}"
        );
        assert!(home.log().contains(part), "{}", home.log());
        add(&server, "kept in the journal").await;
        server.stop().await;
        assert_eq!(home.bytes(), bad.as_bytes(), "{part}: it is not replaced");

        // The edit is safe, and mended content meets it.
        let server = home.serve(&[]).await;
        assert_eq!(prompts(&server).await, ["kept in the journal"]);
        home.write(whole.as_bytes());
        until("the mended file", || async {
            (prompts(&server).await.len() == 21).then_some(())
        })
        .await;
        until_file_is(&server, "ok").await;
        server.stop().await;
        assert_eq!(
            home.json()["jobs"].as_array().expect("jobs").len(),
            21,
            "{part}"
        );
    }
}

#[tokio::test]
async fn f7_a_file_that_breaks_later_costs_nothing() {
    let home = Home::new(PROGRAM);
    home.write(history(20).to_string().as_bytes());
    let server = home.serve(&[]).await;
    let before = server.get("/load-jobs").await.ok()["jobs"].clone();
    until("the file", || async {
        home.json()["sync"].is_object().then_some(())
    })
    .await;
    let good = home.bytes();
    server.stop().await;
    for bad in [&b""[..], &good[..good.len() / 3], b"<<<<<<< HEAD\n"] {
        home.write(bad);
        let server = home.serve(&[]).await;
        until_file_is(&server, "unparsable").await;
        assert_eq!(server.get("/load-jobs").await.ok()["jobs"], before);
        server.stop().await;
        assert_eq!(home.bytes(), bad, "it is left as it is");
    }
    home.write(&good);
    let server = home.serve(&[]).await;
    until_file_is(&server, "ok").await;
    assert_eq!(server.get("/load-jobs").await.ok()["jobs"], before);
    server.stop().await;
    assert_eq!(home.bytes(), good);
}

#[tokio::test]
async fn f11_a_second_server_on_a_folder_is_told_who_holds_it() {
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    add(&server, "a knight").await;
    for path in [home.file(), home.folder()] {
        let refusal = home.refused(&path, &[]).await;
        assert_eq!(refusal.code, Some(exit::BUSY), "{refusal:?}");
        assert!(
            refusal.words.contains(server.host()) && refusal.words.contains("already served"),
            "{refusal:?}"
        );
        assert_eq!(refusal.data, "", "no address of what is not served");
    }
    assert_eq!(prompts(&server).await, ["a knight"]);
    server.stop().await;
    let server = home.serve(&[]).await;
    assert_eq!(prompts(&server).await, ["a knight"]);
}

#[tokio::test]
async fn f1_a_folder_that_cannot_be_written_is_named() {
    let home = Home::new(PROGRAM);
    // Nobody may make files there, root included.
    let path = PathBuf::from("/sys/kernel/job_history.json");
    let refusal = home.refused(&path, &[]).await;
    assert_eq!(refusal.code, Some(exit::FILE), "{refusal:?}");
    assert!(
        refusal.words.contains("/sys/kernel") && refusal.words.contains("writ"),
        "{refusal:?}"
    );

    // And the state, which holds the journal.
    fs::write(home.state(), "in the way").expect("a file where a folder should be");
    let refusal = home.refused(&home.file(), &[]).await;
    assert_eq!(refusal.code, Some(exit::FILE), "{refusal:?}");
    assert!(
        refusal.words.contains("state") && refusal.words.contains("--state"),
        "{refusal:?}"
    );
    assert!(!home.file().exists(), "nothing was written");
}

#[tokio::test]
async fn t4_nothing_is_served_openly_without_a_token() {
    let home = Home::new(PROGRAM);
    for host in ["0.0.0.0", "::"] {
        let refusal = home.refused(&home.file(), &["--host", host]).await;
        assert_eq!(refusal.code, Some(exit::USAGE), "{refusal:?}");
        assert!(refusal.words.contains("--token"), "{refusal:?}");
    }
    assert!(!home.file().exists(), "nothing was touched");
}
