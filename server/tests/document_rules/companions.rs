//! Documents of a folder besides the first: open while somebody uses them, else only known (S5).

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use plainsync::document::{Companion, Documents, DocumentsConfig, OUTBOUND_FRAMES_MAX};
use plainsync_core::edit::{Edit, RunOrder};
use plainsync_core::id::{DocumentId, PeerId};
use serde_json::{Value, json};

use crate::support::{Bench, DEADLINE, key, stamped, until};

/// Files that carry a version each, besides the first.
fn write_others(bench: &Bench, count: u8) {
    fs::create_dir_all(bench.folder()).unwrap();
    fs::write(bench.file(), r#"{"jobs": []}"#).unwrap();
    for number in 1..=count {
        let id = DocumentId::from_random([number; 16]);
        let job = json!({"id": "job-1", "prompt": format!("knight {number}"), "createdAt": 1});
        let text = json!({"jobs": [job], "sync": {"document": id, "heads": ["ab".repeat(32)]}});
        let name = format!("other-{number}.json");
        fs::write(bench.folder().join(name), text.to_string()).unwrap();
    }
}

/// The documents as they are found.
async fn find(bench: &Bench) -> Documents {
    let config = DocumentsConfig {
        file: bench.folder(),
        rest_after: Duration::from_millis(20),
        ..bench.config()
    };
    Documents::open(config).await.unwrap()
}

/// The documents, looked through once and closed again.
async fn open(bench: &Bench) -> Documents {
    let documents = find(bench).await;
    for companion in documents.companions() {
        assert_eq!(companion.info().jobs, 1, "known before it is used");
        until("it was looked through", || {
            let is_own = companion.info().heads != ["ab".repeat(32)];
            (is_own && companion.handle().is_none()).then_some(())
        })
        .await;
    }
    documents
}

async fn add(documents: &Documents, companion: &Companion, name: &str) -> Vec<String> {
    let open = documents.get(&companion.id()).await.unwrap().unwrap();
    let record = json!({"prompt": name}).as_object().unwrap().clone();
    let insert = Edit::Insert {
        key: key(name),
        record,
        order: None,
    };
    open.edit(stamped(insert)).await.unwrap();
    open.info().heads
}

/// Until none but the first has been open for `long`: what an opening writes is looked at once more.
async fn until_quiet(documents: &Documents, long: Duration) {
    let since = Cell::new(Instant::now());
    until("all are closed", || {
        if documents.open_now().len() > 1 {
            since.set(Instant::now());
        }
        (since.get().elapsed() > long).then_some(())
    })
    .await;
}

async fn until_closed(companion: &Companion) {
    until("it is closed", || {
        companion.handle().is_none().then_some(())
    })
    .await;
}

fn prompts(bench: &Bench, name: &str) -> Vec<Value> {
    let text = fs::read(bench.folder().join(name)).unwrap();
    let file: Value = serde_json::from_slice(&text).unwrap();
    let jobs = file["jobs"].as_array().unwrap();
    jobs.iter().map(|job| job["prompt"].clone()).collect()
}

async fn until_written(bench: &Bench, prompt: &str) {
    let is_there = || prompts(bench, "other-1.json").contains(&json!(prompt));
    until("it is in the file", || is_there().then_some(())).await;
}

#[tokio::test]
async fn s5_a_document_that_nobody_uses_is_closed_with_its_file_written() {
    let bench = Bench::new();
    write_others(&bench, 1);
    let documents = open(&bench).await;
    let companion = Arc::clone(&documents.companions()[0]);
    for name in ["one", "two"] {
        let heads = add(&documents, &companion, name).await;
        until_closed(&companion).await;
        assert_eq!(companion.info().heads, heads, "it is known as it was");
        until_written(&bench, name).await;
        let open = documents.get(&companion.id()).await.unwrap().unwrap();
        assert_eq!(open.info().heads, heads);
    }
    documents.shutdown().await;
    let after = documents.get(&companion.id()).await;
    assert!(after.is_err(), "a server that has stopped opens nothing");
}

/// A file from elsewhere becomes a document of its own (F6): under the id that it carries nobody would
/// find it.
#[tokio::test]
async fn s5_a_document_that_is_new_here_is_listed_once_its_id_is_certain() {
    let bench = Bench::new();
    write_others(&bench, 1);
    let documents = find(&bench).await;
    assert_eq!(
        documents.infos().len(),
        1,
        "only the first one is known yet"
    );
    let listed = until("it is listed", || documents.infos().get(1).cloned()).await;
    assert_ne!(listed.id, DocumentId::from_random([1; 16]));
    let open = documents.get(&listed.id).await.unwrap().unwrap();
    assert_eq!(open.snapshot().rows().count(), 1);
    drop(open);
    documents.shutdown().await;
    let again = find(&bench).await;
    let known = again.infos().get(1).map(|info| info.id);
    assert_eq!(known, Some(listed.id), "known from the start");
    again.shutdown().await;
}

#[tokio::test]
async fn s5_a_document_stays_open_for_who_holds_it() {
    let bench = Bench::new();
    write_others(&bench, 3);
    let documents = open(&bench).await;
    let [held, talked, unused] = documents.companions() else {
        panic!("there are three");
    };
    let holding = documents.get(&held.id()).await.unwrap().unwrap();
    let (outbound, mut frames) = tokio::sync::mpsc::channel(OUTBOUND_FRAMES_MAX);
    let talking = documents.get(&talked.id()).await.unwrap().unwrap();
    let peer = PeerId::new("somebody").unwrap();
    let connection = talking.connect(peer, 1, outbound).await;
    drop(talking);
    for _ in 0..3 {
        drop(documents.get(&unused.id()).await.unwrap().unwrap());
        until_closed(unused).await; // By then the others have been looked at.
    }
    assert!(held.handle().is_some() && talked.handle().is_some());
    drop(holding);
    until_closed(held).await;
    drop(connection);
    until_closed(talked).await;
    assert!(frames.recv().await.is_none());
    documents.shutdown().await;
}

/// A document at rest stays at rest: that it was opened and closed is not taken for a change of its
/// files.
#[tokio::test]
async fn s5_a_closed_document_is_not_opened_without_need() {
    let bench = Bench::new();
    write_others(&bench, 2);
    let documents = open(&bench).await;
    let [resting, busy] = documents.companions() else {
        panic!("there are two");
    };
    add(&documents, resting, "typed").await;
    let mut changes = resting.changes();
    for round in 0.. {
        assert!(round < 10, "it does not come to rest");
        until_closed(resting).await;
        changes.mark_unchanged();
        for _ in 0..3 {
            add(&documents, busy, &format!("of round {round}")).await;
            until_closed(busy).await; // By then the other has been looked at.
        }
        if !changes.has_changed().unwrap() {
            break;
        }
    }
    documents.shutdown().await;
}

/// Whoever asked for a document may go away while it is opened: a request that is cut, a socket
/// that closes. What was begun is there then, and is the only one.
#[tokio::test]
async fn s5_who_gives_up_leaves_no_half_open_document() {
    let bench = Bench::new();
    write_others(&bench, 1);
    let documents = open(&bench).await;
    let companion = &documents.companions()[0];
    let mut changes = companion.changes();
    for _ in 0..5 {
        until_closed(companion).await;
        changes.mark_unchanged();
        let mut asking = Box::pin(companion.open());
        let asked = std::future::poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx))).await;
        drop(asking); // It has begun.
        if asked.is_pending() {
            changes.changed().await.unwrap(); // It opened all the same …
        }
        add(&documents, companion, "after it").await; // … and is the only one.
    }
    documents.shutdown().await;
}

#[tokio::test]
async fn f4_a_closed_document_takes_hand_edits_in() {
    let bench = Bench::new();
    write_others(&bench, 2);
    let documents = open(&bench).await;
    let companion = &documents.companions()[0];
    let before = add(&documents, companion, "typed").await;
    until_written(&bench, "typed").await;
    let path = bench.folder().join("other-1.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("typed", "by hand")).unwrap();
    until("it is taken in", || {
        (companion.info().heads != before).then_some(())
    })
    .await;
    let open = documents.get(&companion.id()).await.unwrap().unwrap();
    let row = open.snapshot().get(&key("typed")).cloned().unwrap();
    assert_eq!(row.job["prompt"], "by hand");
    drop(open);
    documents.shutdown().await;
}

#[tokio::test]
async fn s5_a_document_with_runs_is_open_all_the_time() {
    let bench = Bench::new();
    write_others(&bench, 1);
    let documents = open(&bench).await;
    let companion = Arc::clone(&documents.companions()[0]);
    add(&documents, &companion, "ordered").await;
    let keys = vec![key("ordered")];
    let order = RunOrder {
        run_id: "run-one".to_owned(),
        server: documents.server_device().to_string(),
    };
    for edit in [
        Edit::Run {
            keys: keys.clone(),
            orders: vec![order],
        },
        Edit::Remove { keys }, // Its result is saved in the bin, too.
    ] {
        let open = documents.get(&companion.id()).await.unwrap().unwrap();
        open.edit(stamped(edit)).await.unwrap();
        drop(open);
        let looking = Arc::clone(&companion);
        let look = move || {
            let end = Instant::now() + Duration::from_millis(300);
            while Instant::now() < end && looking.handle().is_some() {}
            looking.handle().is_some()
        };
        assert!(tokio::task::spawn_blocking(look).await.unwrap());
    }
    documents.shutdown().await;
}

#[tokio::test]
async fn f10_conflict_copies_of_a_closed_document_are_merged() {
    let bench = Bench::new();
    write_others(&bench, 1);
    let copy = |from: &str, to: &str, name: &str| {
        let text = fs::read_to_string(bench.folder().join("other-1.json")).unwrap();
        let path = bench.folder().join(name);
        fs::write(&path, text.replace(from, to)).unwrap();
        path
    };
    let gone = async |path: PathBuf| {
        let is_gone = || (!path.exists()).then_some(());
        until("it is in the archive", is_gone).await;
    };
    let documents = open(&bench).await;
    add(&documents, &documents.companions()[0], "typed").await;
    until_written(&bench, "typed").await;
    documents.shutdown().await;
    let early = copy(
        "typed",
        "early",
        "other-1.sync-conflict-20260131-101112-ABCDEFG.json",
    );
    let config = DocumentsConfig {
        file: bench.folder(),
        rest_after: Duration::from_millis(800),
        ..bench.config()
    };
    let documents = Documents::open(config).await.unwrap();
    until_written(&bench, "early").await;
    gone(early).await;
    until_closed(&documents.companions()[0]).await;
    let late = copy(
        "early",
        "late",
        "other-1.sync-conflict-20260131-101113-ABCDEFG.json",
    );
    until_written(&bench, "late").await;
    gone(late).await;
    documents.shutdown().await;
}

/// All files of a folder may change at once, and somebody may go through all documents: neither
/// keeps many open, nor the others from being looked at.
#[tokio::test]
async fn s5_few_are_open_however_many_are_asked_for() {
    let bench = Bench::new();
    write_others(&bench, 36);
    let mut config = bench.config();
    (config.file, config.rest_after) = (bench.folder(), Duration::from_secs(1));
    config.pace.poll = Duration::from_secs(10); // Each looks at the whole folder.
    let documents = Documents::open(config).await.unwrap();
    let [edited, others @ ..] = documents.companions() else {
        panic!("there are many");
    };
    until_quiet(&documents, Duration::from_millis(2_500)).await;
    let rewrite = |companion: &Companion, to: &str| {
        let path = bench.folder().join(companion.info().name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("knight", to)).unwrap();
        companion.info().heads
    };
    let before: Vec<_> = others.iter().map(|other| rewrite(other, "mage")).collect();
    let most = Cell::new(0);
    until("all are taken in", || {
        most.set(documents.open_now().len().max(most.get()));
        let mut both = others.iter().zip(&before);
        both.all(|(other, before)| other.info().heads != *before)
            .then_some(())
    })
    .await;
    assert!(most.get() <= 1 + 33, "{most:?} were open at once");
    until_quiet(&documents, Duration::from_millis(2_500)).await;
    let before = rewrite(edited, "witch");
    let deadline = Instant::now() + DEADLINE;
    for other in others.iter().cycle() {
        drop(other.open().await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
        if edited.info().heads != before {
            break;
        }
        assert!(Instant::now() < deadline, "it is not looked at");
    }
    documents.shutdown().await;
}
