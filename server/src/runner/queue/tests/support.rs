//! A desk (a document in memory whose disk can fail) and a studio (a generator that waits).

use super::super::super::board::{Board, BoardError, Written};
use super::super::super::generator::{
    Balance, Generate, GenerateRequest, GeneratorError, Picture, RotateRequest,
};
use super::super::super::local::Local;
use super::super::Queue;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use plainsync_core::blob::BlobRef;
use plainsync_core::document::{Authorship, Document};
use plainsync_core::edit::{Edit, EditError, EditId, Key, RunOrder, StampedEdit};
use plainsync_core::id::{DeviceId, DocumentId};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::view::Row;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// This server.
pub(super) const HERE: &str = "00000000000000aa";
/// Another one.
pub(super) const ELSEWHERE: &str = "00000000000000bb";

/// What happened, in order: `disk job-1 running`, `asked knight`.
pub(super) type Log = Arc<Mutex<Vec<String>>>;

/// A document in memory.
pub(super) struct Desk {
    pub(super) document: Mutex<Document>,
    known: Mutex<HashSet<String>>,
    pub(super) blobs: Mutex<HashMap<BlobRef, Vec<u8>>>,
    changed: watch::Sender<u64>,
    /// Errors for the next edits of the queue.
    pub(super) failing: Mutex<VecDeque<BoardError>>,
    count: Mutex<u64>,
    log: Log,
}

impl Desk {
    pub(super) fn new(log: &Log) -> Arc<Desk> {
        let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
        let device: DeviceId = HERE.parse().unwrap();
        document.set_actor([9; 16], &Authorship { device, name: None });
        Arc::new(Desk {
            document: Mutex::new(document),
            known: Mutex::default(),
            blobs: Mutex::default(),
            changed: watch::Sender::new(0),
            failing: Mutex::default(),
            count: Mutex::new(0),
            log: Arc::clone(log),
        })
    }

    fn apply(&self, edit: &StampedEdit) -> Result<bool, EditError> {
        if self.known.lock().unwrap().contains(&edit.id.0) {
            return Ok(true);
        }
        let edited = self.document.lock().unwrap().edit(edit)?;
        for blob in edited.blobs {
            self.blobs.lock().unwrap().insert(blob.hash, blob.bytes);
        }
        self.known.lock().unwrap().insert(edit.id.0.clone());
        self.changed.send_modify(|n| *n += 1);
        Ok(false)
    }

    /// Something that a person does.
    pub(super) fn does(&self, edit: Edit) {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        let id = EditId(format!("a-person-did-this-{count}"));
        self.apply(&StampedEdit {
            id,
            at: Millis(1_000 + *count),
            edit,
        })
        .unwrap();
    }

    pub(super) fn holds(&self, bytes: &[u8]) -> BlobRef {
        let hash = BlobRef::of(bytes);
        self.blobs.lock().unwrap().insert(hash, bytes.to_vec());
        self.changed.send_modify(|n| *n += 1);
        hash
    }

    /// Adds a job with an order for `server`.
    pub(super) fn adds(&self, number: u32, job: Value, server: &str) {
        let order = Some(RunOrder {
            run_id: first_run(number),
            server: server.to_owned(),
        });
        self.does(Edit::Insert {
            key: key(number),
            record: object(job),
            order,
        });
    }

    pub(super) fn orders(&self, number: u32, run: &str, server: &str) {
        let order = RunOrder {
            run_id: run.to_owned(),
            server: server.to_owned(),
        };
        self.does(Edit::Run {
            keys: vec![key(number)],
            orders: vec![order],
        });
    }

    pub(super) fn removes(&self, number: u32) {
        self.does(Edit::Remove {
            keys: vec![key(number)],
        });
    }

    pub(super) fn job(&self, number: u32) -> Map<String, Value> {
        self.row(&key(number)).unwrap().job.clone()
    }

    pub(super) fn status(&self, number: u32) -> String {
        self.job(number)["status"].as_str().unwrap().to_owned()
    }

    pub(super) fn error(&self, number: u32) -> String {
        self.job(number)["error"]
            .as_str()
            .unwrap_or("no error")
            .to_owned()
    }

    /// Waits until the job has this status.
    #[track_caller]
    pub(super) fn until(&self, number: u32, status: &str) -> impl Future<Output = ()> {
        let status = status.to_owned();
        async move {
            until(
                || self.status(number) == status,
                || {
                    format!(
                        "job {number} is {}, not {status}: {}",
                        self.status(number),
                        self.error(number)
                    )
                },
            )
            .await;
        }
    }
}

/// Waits until `true`, at most ten seconds.
pub(super) async fn until(mut reached: impl FnMut() -> bool, otherwise: impl FnOnce() -> String) {
    for _ in 0..2_000 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{}", otherwise());
}

/// Long enough for the queue to have done what it must not do.
pub(super) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(150)).await;
}

pub(super) fn key(number: u32) -> Key {
    Key(format!("key-of-job-{number:04}"))
}

pub(super) fn first_run(number: u32) -> String {
    format!("r-first-{number}")
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(super) fn knight() -> Value {
    json!({"prompt": "knight", "width": 16, "height": 16, "seed": "1"})
}

impl Board for Desk {
    fn each(&self, visit: &mut dyn FnMut(&Arc<Row>)) {
        self.document.lock().unwrap().view().all().for_each(visit);
    }

    fn row(&self, key: &Key) -> Option<Arc<Row>> {
        self.document.lock().unwrap().view().get(key).cloned()
    }

    fn find(&self, key_or_label: &str) -> Option<Arc<Row>> {
        let key = Key(key_or_label.to_owned());
        self.row(&key).or_else(|| {
            self.document
                .lock()
                .unwrap()
                .view()
                .by_label(key_or_label)
                .cloned()
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn edit(&self, edit: StampedEdit) -> BoxFuture<'_, Result<Written, BoardError>> {
        async move {
            tokio::task::yield_now().await;
            if let Some(error) = self.failing.lock().unwrap().pop_front() {
                return Err(error);
            }
            let Edit::Progress { key, set, .. } = &edit.edit else {
                panic!("the queue writes progress only")
            };
            let said = set["status"].as_str().unwrap().to_owned();
            let key = key.clone();
            let repeated = self
                .apply(&edit)
                .map_err(|error| BoardError::Refused(error.to_string()))?;
            if !repeated {
                let label = self.row(&key).unwrap().label.clone();
                self.log
                    .lock()
                    .unwrap()
                    .push(format!("disk {label} {said}"));
            }
            Ok(Written { repeated })
        }
        .boxed()
    }

    fn image(&self, hash: BlobRef) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoardError>> {
        async move { Ok(self.blobs.lock().unwrap().get(&hash).cloned()) }.boxed()
    }
}

/// A generator that draws once it is allowed to.
pub(super) struct Studio {
    pub(super) places: Semaphore,
    pub(super) turned: Mutex<Vec<RotateRequest>>,
    log: Log,
}

impl Studio {
    pub(super) fn new(log: &Log, may_draw: usize) -> Arc<Studio> {
        Arc::new(Studio {
            places: Semaphore::new(may_draw),
            turned: Mutex::default(),
            log: Arc::clone(log),
        })
    }
}

impl Generate for Studio {
    fn name(&self) -> &'static str {
        "studio"
    }

    fn generate(&self, request: GenerateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        async move {
            self.log
                .lock()
                .unwrap()
                .push(format!("asked {}", request.prompt));
            self.places.acquire().await.unwrap().forget();
            match request.prompt.as_str() {
                "panic" => panic!("asked to"),
                "no credit" => Err(GeneratorError::NoCredit {
                    detail: "0 left".into(),
                }),
                _ => Local::draw(&request),
            }
        }
        .boxed()
    }

    fn rotate(&self, request: RotateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        self.turned.lock().unwrap().push(request.clone());
        async move { Local::turn(&request) }.boxed()
    }

    fn balance(&self) -> BoxFuture<'_, Balance> {
        async { Balance::Missing }.boxed()
    }
}

/// Everything a test needs.
pub(super) struct Scene {
    pub(super) desk: Arc<Desk>,
    pub(super) studio: Arc<Studio>,
    pub(super) log: Log,
}

impl Scene {
    /// A studio that draws `may_draw` pictures before it waits.
    pub(super) fn new(may_draw: usize) -> Scene {
        let log = Log::default();
        Scene {
            desk: Desk::new(&log),
            studio: Studio::new(&log, may_draw),
            log,
        }
    }

    pub(super) fn queue(&self, parallel: usize) -> Queue {
        let desk: Arc<dyn Board> = Arc::clone(&self.desk) as _;
        Queue::start(
            vec![desk],
            HERE,
            Arc::clone(&self.studio) as _,
            NonZeroUsize::new(parallel).unwrap(),
        )
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.said()
            .into_iter()
            .filter_map(|line| line.strip_prefix("asked ").map(str::to_owned))
            .collect()
    }

    pub(super) async fn until_asked(&self, count: usize) {
        until(
            || self.asked().len() == count,
            || format!("asked {:?}, not {count}", self.asked()),
        )
        .await;
    }
}
