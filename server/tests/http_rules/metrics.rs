//! S8: what the server tells of itself at `/metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::SinkExt as _;
use plainsync_core::id::PeerId;
use plainsync_core::wire::Frame;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::replicas::{Tab, insert};
use super::support::Server;
use super::sync::{joined, served};

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// Samples by their names and labels, as they are written.
type Samples = BTreeMap<String, f64>;

/// Reads Prometheus' text format, version 0.0.4, and fails on whatever is not just that.
fn parse(text: &str) -> Samples {
    let mut samples = Samples::new();
    let (mut helped, mut family, mut kind) = (String::new(), String::new(), String::new());
    assert!(text.ends_with('\n'), "the last line is whole");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, sentence) = help.split_once(' ').unwrap();
            assert!(!sentence.trim().is_empty(), "{line}");
            helped = name.to_owned();
            continue;
        }
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, its_kind) = typed.split_once(' ').unwrap();
            assert_eq!(name, helped, "HELP comes first");
            assert!(
                ["counter", "gauge", "histogram"].contains(&its_kind),
                "{line}"
            );
            assert_eq!(its_kind == "counter", name.ends_with("_total"), "{line}");
            (family, kind) = (name.to_owned(), its_kind.to_owned());
            continue;
        }
        assert!(!line.starts_with('#'), "an unknown comment: {line}");
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(name.bytes().all(allowed), "{line}");
        let of_family = match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|part| name.strip_suffix(part) == Some(family.as_str())),
            _ => name == family,
        };
        assert!(of_family, "{line} stands under {family}");
        let new = samples.insert(sample.to_owned(), value.parse().unwrap());
        assert!(new.is_none(), "twice: {line}");
    }
    samples
}

async fn read(server: &Server) -> Samples {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    parse(&answer.text())
}

/// Reads until `sample` is as `holds` says.
async fn until(server: &Server, sample: &str, holds: impl Fn(f64) -> bool) -> Samples {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let samples = read(server).await;
        if holds(samples[sample]) {
            return samples;
        }
        assert!(
            Instant::now() < give_up,
            "{sample} stays {}",
            samples[sample]
        );
        sleep(LOOK).await;
    }
}

fn refused(samples: &Samples, reason: &str) -> f64 {
    samples[&format!("plainsync_refusals_total{{reason=\"{reason}\"}}")]
}

fn edits(samples: &Samples, source: &str) -> f64 {
    samples[&format!("plainsync_edits_total{{source=\"{source}\"}}")]
}

/// A number that was added up from whole ones.
fn is(value: f64, expected: u32) -> bool {
    (value - f64::from(expected)).abs() < 0.5
}

const LAG: &str = "plainsync_file_lag_seconds{document=\"job_history.json\"}";

#[tokio::test]
async fn s8_metrics_are_prometheus_text() {
    let server = Server::start().await;
    let samples = read(&server).await;
    assert!(is(samples["plainsync_documents_open"], 1));
    assert!(is(
        samples["plainsync_inbox_messages{document=\"job_history.json\"}"],
        0
    ));
    for (histogram, labels) in [
        ("plainsync_journal_fsync_seconds", ""),
        ("plainsync_merge_seconds", "input=\"edit\","),
        ("plainsync_batch_messages", ""),
    ] {
        let buckets = format!("{histogram}_bucket{{{labels}le=\"");
        let counts = samples
            .iter()
            .filter(|(name, _)| name.starts_with(&buckets));
        assert!(counts.count() > 8, "{histogram} has buckets");
    }
    if cfg!(target_os = "linux") {
        assert!(samples["process_resident_memory_bytes"] > 1e6);
    }
    let compressed = server
        .get_with("/metrics", &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn s8_an_edit_raises_the_counters() {
    let server = Server::start().await;
    let before = read(&server).await;
    let made = server
        .json("POST", "/api/v1/jobs", json!({"prompt": "a knight"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let after = read(&server).await;
    let syncs = "plainsync_journal_fsync_seconds_count";
    assert!(is(edits(&before, "http"), 0) && is(edits(&after, "http"), 1));
    assert!(
        after[syncs] >= before[syncs] + 1.0,
        "the journal was synced"
    );
    assert!(after["plainsync_journal_fsync_seconds_sum"] > 0.0);
    assert!(is(
        after["plainsync_merge_seconds_count{input=\"edit\"}"],
        1
    ));
    let batches = "plainsync_batch_messages_count";
    assert!(after[batches] > before[batches]);
    let journal = "plainsync_journal_bytes{document=\"job_history.json\"}";
    assert!(after[journal] > before[journal]);

    // An old client's list, and the same again: that is no edit.
    let list = json!({"jobs": [{"id": "job-9", "prompt": "a list's"}], "lastJobId": 10});
    for _ in 0..2 {
        let saved = server.json("POST", "/save-jobs", list.clone()).await;
        assert_eq!(saved.status, 200, "{}", saved.text());
    }
    assert!(is(edits(&read(&server).await, "old_client"), 1));

    // The file, by hand.
    let path = server.folder.path().join("job_history.json");
    let give_up = Instant::now() + PATIENCE;
    let text = loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.contains("a list's") {
            break text;
        }
        assert!(Instant::now() < give_up, "the list is not in the file");
        sleep(LOOK).await;
    };
    std::fs::write(&path, text.replace("a knight", "a queen")).unwrap();
    until(&server, "plainsync_edits_total{source=\"file\"}", |n| {
        is(n, 1)
    })
    .await;
}

#[tokio::test]
async fn s8_peers_and_what_they_are_sent_are_counted() {
    let server = Server::start().await;
    let document = served(&server).await;
    let mut one = Tab::open(&server, document, 1).await;
    let mut two = Tab::open(&server, document, 2).await;
    let sync = "plainsync_connections_open{kind=\"sync\"}";
    let http = "plainsync_connections_open{kind=\"http\"}";
    until(&server, sync, |n| is(n, 2)).await;
    // The one that reads; those that became sockets are no longer among them.
    until(&server, http, |n| is(n, 1)).await;
    one.edit("edit-of-first-tab-1", insert("key-of-first-tab-1", "made"))
        .await;
    one.until("it is acknowledged", |tab| tab.waiting().server_has_it)
        .await;
    two.until("it arrives", |tab| {
        tab.document().view().rows().count() == 1
    })
    .await;
    let after = read(&server).await;
    assert!(is(edits(&after, "sync"), 1));
    assert!(after["plainsync_merge_seconds_count{input=\"sync\"}"] >= 1.0);
    assert!(after["plainsync_sent_changes_total"] >= 1.0);
    assert!(after["plainsync_sent_frames_total"] >= 2.0);
    assert!(after["plainsync_outbound_frames"] >= after["plainsync_outbound_frames_max"]);
    drop((one, two));
    until(&server, sync, |n| is(n, 0)).await;
}

#[tokio::test]
async fn s8_a_refusal_is_counted_with_its_reason() {
    let server = Server::start().await;
    let json_type = [("content-type", "application/json")];
    for (reason, headers, body) in [
        ("host", &[("host", "evil.example")][..], "{}"),
        ("origin", &[("origin", "http://evil.example")], "{}"),
        ("content_type", &[("content-type", "text/plain")], "{}"),
        ("unreadable", &json_type, "{"),
        ("value", &json_type, r#"{"prompt": 5}"#),
    ] {
        let before = read(&server).await;
        let answer = server
            .send_with("POST", "/api/v1/jobs", headers, body)
            .await;
        assert!(
            answer.status.is_client_error(),
            "{reason}: {}",
            answer.text()
        );
        let after = read(&server).await;
        for (sample, value) in &after {
            let Some(label) = sample.strip_prefix("plainsync_refusals_total{reason=\"") else {
                continue;
            };
            let raised = u32::from(label == format!("{reason}\"}}"));
            let rose = value - before[sample];
            assert!(is(rose, raised), "{reason}: {sample} rose by {rose}");
        }
    }
    let nothing = server.get("/api/v1/jobs/job-99").await;
    assert_eq!(nothing.status, 404);
    assert!(
        is(refused(&read(&server).await, "value"), 1),
        "404 refuses nobody"
    );
}

#[tokio::test]
async fn s8_what_a_peer_sends_and_is_refused_is_counted() {
    let server = Server::start().await;
    let document = served(&server).await;
    let (mut socket, _) = joined(&server, "texts").await;
    socket.send(Message::Text("hello".into())).await.unwrap();
    let unreadable = "plainsync_refusals_total{reason=\"unreadable\"}";
    until(&server, unreadable, |n| is(n, 1)).await;

    let (mut socket, us) = joined(&server, "hostile").await;
    let frame = Frame::Request {
        document,
        sender: PeerId::new("hostile").unwrap(),
        target: us,
        data: vec![
            0x42, 0, 0, 1, 0, 0, 1, 9, 0x85, 0x6f, 0x4a, 0x83, 1, 2, 3, 4, 5,
        ],
    };
    let bytes = frame.encode().into();
    socket.send(Message::Binary(bytes)).await.unwrap();
    let guard = "plainsync_refusals_total{reason=\"guard\"}";
    until(&server, guard, |n| is(n, 1)).await;

    // A file that is broken on disk counts as well.
    let path = server.folder.path().join("job_history.json");
    std::fs::write(path, "{\"jobs\": [").unwrap();
    until(&server, unreadable, |n| is(n, 2)).await;
}

#[tokio::test]
async fn s8_the_lag_of_the_file_rises_and_returns_to_zero() {
    let server = Server::start().await;
    until(&server, LAG, |lag| lag == 0.0).await;
    let path = server.folder.path().join("job_history.json");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, "{\"jobs\": [").unwrap();
    until(
        &server,
        "plainsync_refusals_total{reason=\"unreadable\"}",
        |n| is(n, 1),
    )
    .await;
    let made = server
        .json("POST", "/api/v1/jobs", json!({"prompt": "waits"}))
        .await;
    assert_eq!(made.status, 201);
    // F7: the broken file is not replaced, so it falls behind further and further.
    let first = until(&server, LAG, |lag| lag > 0.0).await[LAG];
    until(&server, LAG, |lag| lag > first).await;
    std::fs::write(&path, whole).unwrap();
    until(&server, LAG, |lag| lag == 0.0).await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("waits"), "then the file has it: {text}");
}

#[tokio::test]
async fn s8_metrics_pass_the_guard_and_need_the_token() {
    let server =
        Server::start_with(|config| config.token = Some("a-long-secret-token".parse().unwrap()))
            .await;
    server.get("/metrics").await.problem(401, "unauthorized");
    let own = ("authorization", "Bearer a-long-secret-token");
    server
        .get_with("/metrics", &[own, ("origin", "http://evil.example")])
        .await
        .problem(403, "unknown-origin");
    server
        .get_with("/metrics", &[own, ("host", "evil.example")])
        .await
        .problem(403, "unknown-host");
    let answer = server.get_with("/metrics", &[own]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let samples = parse(&answer.text());
    for reason in ["auth", "origin", "host"] {
        assert!(is(refused(&samples, reason), 1), "{reason}");
    }
}

#[tokio::test]
async fn s8_two_servers_in_one_process_count_apart() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let made = one
        .json("POST", "/api/v1/jobs", json!({"prompt": "a knight"}))
        .await;
    assert_eq!(made.status, 201);
    assert!(is(edits(&read(&one).await, "http"), 1));
    assert!(is(edits(&read(&two).await, "http"), 0));
}
