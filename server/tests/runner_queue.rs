//! The queue on documents that are files: what is ordered is performed, and what a restart finds.
#![allow(clippy::unwrap_used, reason = "tests")]

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use plainsync::document::{DocumentHandle, Documents, DocumentsConfig};
use plainsync::runner::board::Board;
use plainsync::runner::generator::{
    Balance, Generate, GenerateRequest, GeneratorError, Picture, RotateRequest,
};
use plainsync::runner::local::Local;
use plainsync::runner::queue::{Queue, sentences};
use plainsync_core::edit::{Edit, EditId, Key, RunOrder, StampedEdit};
use plainsync_core::id::DocumentId;
use plainsync_core::time::Millis;
use serde_json::{Map, Value, json};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A generator that never answers.
struct Never;

impl Generate for Never {
    fn name(&self) -> &'static str {
        "never"
    }

    fn generate(&self, _: GenerateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        std::future::pending().boxed()
    }

    fn rotate(&self, _: RotateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        std::future::pending().boxed()
    }

    fn balance(&self) -> BoxFuture<'_, Balance> {
        std::future::pending().boxed()
    }
}

async fn open(folder: &Path) -> Documents {
    let file = folder.join("job_history.json");
    let config = DocumentsConfig {
        state: Some(folder.join("state")),
        ..DocumentsConfig::new(file)
    };
    Documents::open(config).await.unwrap()
}

fn queue(documents: &Documents, generator: Arc<dyn Generate>) -> Queue {
    let mut boards = vec![Arc::new(documents.default().clone()) as Arc<dyn Board>];
    for other in documents.companions() {
        boards.push(Arc::new(Arc::clone(other)) as Arc<dyn Board>);
    }
    Queue::start(
        boards,
        documents.server_device().to_string(),
        generator,
        NonZeroUsize::new(3).unwrap(),
    )
}

async fn does(document: &DocumentHandle, edit: Edit) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = EditId(format!("a-person-did-this-{count}"));
    document
        .edit(StampedEdit {
            id,
            at: Millis(1_000_000 + count),
            edit,
        })
        .await
        .unwrap();
}

fn key(number: u32) -> Key {
    Key(format!("key-of-job-{number:04}"))
}

async fn adds(document: &DocumentHandle, number: u32, server: &str) {
    let record =
        json!({"prompt": "heroic knight", "width": 64, "height": 64, "seed": "1", "createdAt": 5});
    let order = Some(RunOrder {
        run_id: format!("run-{number}"),
        server: server.to_owned(),
    });
    let record = record.as_object().unwrap().clone();
    does(
        document,
        Edit::Insert {
            key: key(number),
            record,
            order,
        },
    )
    .await;
}

fn job(document: &DocumentHandle, number: u32) -> Map<String, Value> {
    document.snapshot().get(&key(number)).unwrap().job.clone()
}

async fn until(document: &DocumentHandle, number: u32, status: &str) {
    let mut changes = document.watch();
    let reached = async {
        while job(document, number)["status"] != status {
            changes.changed().await.unwrap();
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    assert!(
        reached.is_ok(),
        "job {number} is {:?}",
        job(document, number)
    );
}

#[tokio::test]
async fn an_order_ends_as_a_picture_in_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let documents = open(folder.path()).await;
    let document = documents.default().clone();
    let queue = queue(&documents, Arc::new(Local));
    adds(&document, 1, &documents.server_device().to_string()).await;
    until(&document, 1, "success").await;
    queue.stop(Duration::from_secs(10)).await;
    documents.shutdown().await;
    let json: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("job_history.json")).unwrap())
            .unwrap();
    let result = &json["jobs"][0]["result"];
    let request = GenerateRequest {
        prompt: "heroic knight".into(),
        width: 64,
        height: 64,
        seed: Some("1".into()),
    };
    let drawn = Local::draw(&request).unwrap();
    assert_eq!(
        result["image_data_url"],
        plainsync_core::blob::to_data_url(drawn.mime, &drawn.bytes)
    );
    assert_eq!(json["jobs"][0]["status"], "success");
}

/// A document that nobody holds stays open for its runs, and marks at the start what ran before.
#[tokio::test]
async fn orders_of_a_document_that_nobody_holds_are_performed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.json");
    let version = json!({"document": DocumentId::from_random([7; 16]), "heads": []});
    std::fs::write(&file, json!({"jobs": [], "sync": version}).to_string()).unwrap();
    let config = DocumentsConfig {
        state: Some(folder.path().join("state")),
        rest_after: Duration::from_millis(20),
        ..DocumentsConfig::new(folder.path())
    };
    let documents = Documents::open(config.clone()).await.unwrap();
    let device = documents.server_device().to_string();
    let first = queue(&documents, Arc::new(Never));
    let open = documents.companions()[0].open().await.unwrap();
    adds(&open, 1, &device).await;
    until(&open, 1, "running").await;
    drop(open);
    drop((first, documents)); // As a crash does.

    let documents = Documents::open(config).await.unwrap();
    let _second = queue(&documents, Arc::new(Local));
    let open = documents.companions()[0].open().await.unwrap();
    until(&open, 1, "error").await;
    assert_eq!(job(&open, 1)["error"], sentences::INTERRUPTED);
    adds(&open, 2, &device).await;
    drop(open);
    let companion = &documents.companions()[0];
    let mut changes = companion.changes();
    let written = async {
        loop {
            let file: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let jobs = file["jobs"].as_array().unwrap();
            let is_drawn = jobs.iter().any(|job| job["status"] == "success");
            if is_drawn && companion.handle().is_none() {
                return;
            }
            changes.changed().await.unwrap();
        }
    };
    let written = tokio::time::timeout(Duration::from_secs(20), written).await;
    assert!(written.is_ok(), "it is drawn, written, and closed");
    // A run that another has replaced may end when the document is closed: it is saved all the same.
    let edit = Edit::Insert {
        key: Key("key-late".to_owned()),
        record: serde_json::Map::new(),
        order: None,
    };
    let (id, at) = (EditId("late".to_owned()), Millis(2_000_000));
    let written = Board::edit(companion, StampedEdit { id, at, edit }).await;
    assert!(written.is_ok(), "{written:?}");
    documents.shutdown().await;
}

/// The process ends while jobs run: the next start marks them, and starts what still waited.
#[tokio::test]
async fn a_restart_marks_what_ran_and_starts_what_waited() {
    let folder = tempfile::tempdir().unwrap();
    let documents = open(folder.path()).await;
    let device = documents.server_device().to_string();
    let document = documents.default().clone();
    let first = queue(&documents, Arc::new(Never));
    for number in 1..=5 {
        adds(&document, number, &device).await;
    }
    for number in 1..=3 {
        until(&document, number, "running").await;
    }
    drop((first, document, documents));

    let documents = open(folder.path()).await;
    assert_eq!(documents.server_device().to_string(), device);
    let document = documents.default().clone();
    let _second = queue(&documents, Arc::new(Local));
    for number in 1..=3 {
        until(&document, number, "error").await;
        assert_eq!(job(&document, number)["error"], sentences::INTERRUPTED);
    }
    for number in 4..=5 {
        until(&document, number, "success").await;
    }
}

/// The edit that started a run is remembered over a restart.
#[tokio::test]
async fn a_run_that_was_started_is_not_started_by_the_next_process_either() {
    let folder = tempfile::tempdir().unwrap();
    let documents = open(folder.path()).await;
    let device = documents.server_device().to_string();
    let document = documents.default().clone();
    let first = queue(&documents, Arc::new(Local));
    adds(&document, 1, &device).await;
    until(&document, 1, "success").await;
    first.stop(Duration::ZERO).await;
    // Some other program writes into the run: it looks as if it had never started.
    let set = json!({"status": "queued", "result": null})
        .as_object()
        .unwrap()
        .clone();
    does(
        &document,
        Edit::Progress {
            key: key(1),
            run_id: "run-1".into(),
            set,
        },
    )
    .await;
    drop(document);
    documents.shutdown().await;
    drop(documents);

    let documents = open(folder.path()).await;
    let document = documents.default().clone();
    let _second = queue(&documents, Arc::new(Never));
    until(&document, 1, "error").await;
    assert_eq!(job(&document, 1)["error"], sentences::STARTED_BEFORE);
}
