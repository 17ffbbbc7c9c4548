//! Hostile files: in the folder, as another device's history or as the JSON itself, and as what is
//! uploaded (S4, S5, F7, L3). What is wrong is refused with a reason, what is right is taken in.

use std::fs;

use automerge::ChangeHash;
use plainsync_core::chunk;
use plainsync_core::limits::JSON_VALUES_MAX;
use plainsync_tests::foreign::{Foreign, document_of};
use plainsync_tests::forge::{change, change_data, compressed, puts};
use plainsync_tests::home::Home;
use plainsync_tests::served::{Served, until};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::hostile::{
    DEEP, PROGRAM, account, account_within, fails, first_job, inflating_document, mutants, nested,
    serving,
};

/// Kinds of records in a published journal.
const CHANGES: u8 = 1;
const HEADER: u8 = 3;

/// Most memory that a text of too many values may cost, in KiB: 80 bytes for each that is allowed.
const VALUES_KIB_MAX: u64 = 80 * JSON_VALUES_MAX as u64 / 1024;

/// A record of a published journal, framed.
fn record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    chunk::encode(&[&[kind, 0, 0], bytes].concat()).expect("a small record")
}

/// Publishes `records` beside the file as another device does.
async fn publish(home: &Home, server: &Served, records: &[Vec<u8>]) {
    let document = document_of(server).await;
    let header =
        json!({"document": document.to_string(), "file": "job_history.json", "collection": "jobs"});
    let mut journal = record(HEADER, header.to_string().as_bytes());
    journal.extend(records.iter().flat_map(|bytes| record(CHANGES, bytes)));
    let folder = home.folder().join(".plainsync").join(document.to_string());
    fs::create_dir_all(&folder).expect("a folder");
    let temporary = folder.join("other.tmp");
    fs::write(&temporary, journal).expect("written");
    fs::rename(temporary, folder.join("00000000000000aa.journal")).expect("renamed");
}

/// Waits until the first job has `field`.
async fn arrives(server: &Served, field: &str, value: &str) {
    until(field, || async {
        (first_job(server).await[field] == json!(value)).then_some(())
    })
    .await;
}

/// What a record holds: its name, what is made of somebody's document, and what the log says.
type Published = (&'static str, fn(&mut Foreign) -> Vec<u8>, &'static str);

const IN_A_JOURNAL: &[Published] = &[
    (
        "a change that claims 20 million operations",
        |_| change(&puts(20_000_000, b"k")),
        "claims 20000000 rows; the limit is 200000",
    ),
    (
        "a compressed change that inflates to 1 GiB",
        |_| compressed(&vec![0; 1 << 30]),
        "unpacks to more than 67108864 bytes, the limit",
    ),
    (
        "a compressed change that claims 20 million operations",
        |_| compressed(&change_data(&puts(20_000_000, b"k"))),
        "claims 20000000 rows; the limit is 200000",
    ),
    (
        "a saved document that inflates to 1 GiB",
        |_| inflating_document(1 << 30),
        "unpacks to more than 268435456 bytes, the limit",
    ),
    ("an empty record", |_| Vec::new(), "it is empty"),
    (
        "a torn change",
        |client| {
            let whole = client.write("note", "torn").raw_bytes().to_vec();
            whole[..whole.len() / 2].to_vec()
        },
        "is cut short",
    ),
    (
        "a change on which the merge library fails",
        |client| {
            let all = mutants(&client.doc, 400);
            let fatal = all.into_iter().find(|chunk| fails(&client.doc, chunk));
            fatal.expect("one of them is fatal")
        },
        "the merge library fails on them",
    ),
];

/// S4, S5: a record that is refused keeps no other out, whether it stands before or after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_what_is_hostile_in_a_published_journal_is_left_out() {
    for (name, made, says) in IN_A_JOURNAL {
        let home = Home::new(PROGRAM);
        let server = serving(&home).await;
        let mut witness = Foreign::join(&server, "witness", b"witness").await;
        let mut neighbour = Foreign::join(&server, "neighbour", b"neighbour").await;
        let good = neighbour.write("before", "neighbour").raw_bytes().to_vec();
        let mut hostile = Foreign::join(&server, "hostile", b"hostile").await;
        let bad = made(&mut hostile);
        let after = neighbour.write("after", "neighbour").raw_bytes().to_vec();
        let (before, began) = (server.peak_kib(), Instant::now());
        publish(&home, &server, &[good, bad, after]).await;
        arrives(&server, "before", "neighbour").await;
        arrives(&server, "after", "neighbour").await;
        let log = home.log();
        let line = log
            .lines()
            .find(|line| line.contains("history was refused"));
        let line = line.unwrap_or_else(|| panic!("{name}: the log tells nothing: {log}"));
        assert!(line.contains(says), "{name}: {line}");
        account(name, &server, before, began, line);
        witness.write("witness", "goes on");
        assert_eq!(witness.exchange().await, Ok(()), "{name}");
        server.stop().await;
        let again = home.serve(&[]).await;
        assert_eq!(
            first_job(&again).await["witness"],
            json!("goes on"),
            "{name}"
        );
        again.stop().await;
    }
}

/// S4: a copied client's change in a record with others' changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_a_published_record_with_a_copys_change_gives_what_others_wrote() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut first = Foreign::join(&server, "first", b"same").await;
    let mut second = Foreign::join(&server, "second", b"same").await;
    let mut third = Foreign::join(&server, "third", b"third").await;
    first.write("note", "first");
    first.acknowledged(&server).await;
    let both = [
        second.write("note", "second").raw_bytes().to_vec(),
        third.write("by", "third party").raw_bytes().to_vec(),
    ];
    publish(&home, &server, &[both.concat()]).await;
    arrives(&server, "by", "third party").await;
    assert_eq!(first_job(&server).await["note"], json!("first"));
    assert!(
        home.log()
            .contains("a copied client needs an actor of its own")
    );
    first.write("note", "first again");
    assert_eq!(first.exchange().await, Ok(()));
    server.stop().await;
}

/// S5: published maps two thousand deep overflow nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_published_maps_two_thousand_deep_overflow_nothing() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut neighbour = Foreign::join(&server, "neighbour", b"neighbour").await;
    let deep = nested(&neighbour.doc).concat();
    let after = neighbour.write("after", "neighbour").raw_bytes().to_vec();
    let (before, began) = (server.peak_kib(), Instant::now());
    publish(&home, &server, &[deep, after]).await;
    arrives(&server, "after", "neighbour").await;
    account(
        "published maps 2,000 deep",
        &server,
        before,
        began,
        "taken in",
    );
    server.get("/api/v1/jobs").await.ok();
    server.stop().await;
}

/// A list nested `deep` levels, in a job.
fn deep_json(deep: usize) -> String {
    let (open, close) = ("[".repeat(deep), "]".repeat(deep));
    format!(r#"{{"jobs": [{{"id": "job-1", "deep": {open}{close}}}], "lastJobId": 2}}"#)
}

fn many_values() -> String {
    format!(
        r#"{{"jobs": [{{"id": "job-1", "many": [0{}]}}], "lastJobId": 2}}"#,
        ",0".repeat(9_000_000)
    )
}

fn long_text() -> String {
    format!(
        r#"{{"jobs": [{{"id": "job-1", "prompt": "{}"}}], "lastJobId": 2}}"#,
        "a".repeat(13 << 20)
    )
}

fn long_number() -> String {
    format!(
        r#"{{"jobs": [{{"id": "job-1", "width": {}}}], "lastJobId": 2}}"#,
        "9".repeat(1 << 20)
    )
}

/// JSON that is not taken in: its name, the text, and words of the reason.
type Json = (&'static str, fn() -> String, &'static str);

const AS_JSON: &[Json] = &[
    ("lists 2,000 deep", || deep_json(DEEP), "64"),
    ("lists 200,000 deep", || deep_json(200_000), "64"),
    ("a text of 13 MiB", long_text, "12582912"),
    ("a number of a million digits", long_number, "1024"),
    (
        "half a file",
        || r#"{"jobs": [{"id": "job-1", "pro"#.to_owned(),
        "line 1",
    ),
    ("nothing", String::new, "empty"),
    ("zeros", || "\0".repeat(4096), "line 1"),
    ("another root", || "[]".to_owned(), "object"),
];

/// F7, S5: what is wrong with the JSON on disk is told, it is left alone, and edits go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f7_a_hostile_file_is_told_and_left_alone() {
    for (name, text, says) in AS_JSON {
        let home = Home::new(PROGRAM);
        let server = serving(&home).await;
        let mut witness = Foreign::join(&server, "witness", b"witness").await;
        let text = text();
        let (before, began) = (server.peak_kib(), Instant::now());
        home.write(text.as_bytes());
        let detail = until("the state of the file", || async {
            let state = server.get("/health").await.ok()["file"].clone();
            (state["state"] == "unparsable").then(|| state["detail"].to_string())
        })
        .await;
        assert!(detail.contains(says), "{name}: {detail}");
        account(name, &server, before, began, &detail);
        witness.write("after", "witness");
        assert_eq!(witness.exchange().await, Ok(()), "{name}");
        assert!(home.bytes() == text.as_bytes(), "{name}: it is left alone");
        server.stop().await;
    }
}

async fn heads(server: &Served) -> Vec<ChangeHash> {
    Foreign::join(server, "reader", b"reader")
        .await
        .doc
        .get_heads()
}

/// L3, S5: uploaded, the same is refused with a reason, at each door, and nothing changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l3_a_hostile_upload_is_refused_with_a_reason() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let document = document_of(&server).await;
    let import = format!("/api/v1/documents/{document}/import");
    let had = heads(&server).await;
    let json_type = [("content-type", "application/json")];
    let packed = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    for (name, text, says) in AS_JSON {
        let text = text();
        for path in ["/save-jobs", &import] {
            let (before, began) = (server.peak_kib(), Instant::now());
            let answer = server.send("POST", path, &json_type, text.clone()).await;
            let said = answer.text();
            assert!(
                answer.status.is_client_error(),
                "{name} at {path}: {} {said}",
                answer.status
            );
            let reason: Value = answer.json();
            let reason = reason["detail"].as_str().or(reason["message"].as_str());
            let reason = reason.unwrap_or_else(|| panic!("{name} at {path}: no reason in {said}"));
            // An old client's list is bounded more tightly, so its reason may come earlier.
            assert!(
                path == "/save-jobs" || reason.contains(says),
                "{name} at {path}: {said}"
            );
            let kind = answer.header("content-type");
            assert!(
                path == "/save-jobs" || kind == "application/problem+json",
                "{kind}"
            );
            account(&format!("{name} at {path}"), &server, before, began, reason);
        }
    }
    let bomb = plainsync_tests::forge::deflate(&vec![b' '; 64 << 20]);
    let answer = server.send("POST", "/save-jobs", &packed, bomb).await;
    assert_eq!(answer.status.as_u16(), 415, "{}", answer.text());
    assert_eq!(heads(&server).await, had, "nothing has changed");
    server.stop().await;
}

/// S5: a short text of many values takes many times its length, up to the limit on values.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_too_many_values_are_refused() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let import = format!("/api/v1/documents/{}/import", document_of(&server).await);
    let json_type = [("content-type", "application/json")];
    let (before, began) = (server.peak_kib(), Instant::now());
    let answer = server
        .send("POST", &import, &json_type, many_values())
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    let reason = answer.json()["detail"].to_string();
    assert!(
        reason.contains("there are more than 8000000 values"),
        "{reason}"
    );
    let name = "nine million values";
    account_within(VALUES_KIB_MAX, name, &server, before, began, &reason);
    server.stop().await;
}
