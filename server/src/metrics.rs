//! What a server counts of itself, for `GET /metrics`.
//!
//! ```
//! use plainsync::metrics::{Metrics, Refusal};
//! let metrics = Metrics::default();
//! metrics.refused(Refusal::Origin);
//! let text = metrics.render(&[]);
//! assert!(text.contains("plainsync_refusals_total{reason=\"origin\"} 1\n"));
//! ```
//!
//! The registry is a value that the server owns and hands on: several servers run in one process,
//! in tests and in programs that embed them, and none sees another's numbers.
//!
//! **Invariant:** labels come from closed sets, or from the names of the served files: what a
//! client sends never becomes a label.
//! **Invariant:** counting takes an atomic addition, or for a histogram a lock that only a
//! reading of the metrics contends for. What can be looked up is looked up when it is read.

mod labels;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub use labels::{Connections, Merged, Refusal, Source};
use labels::{Label, Labels};

/// The media type of [`Metrics::render`].
pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// See the module's text. Clones are the same counters.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    connections: Vec<Gauge>,
    edits: Vec<Counter>,
    refusals: Vec<Counter>,
    merges: Vec<Histogram>,
    sent_frames: Counter,
    sent_changes: Counter,
    fsync: Histogram,
    batch: Histogram,
    /// Held while it is rendered, so that two readers do not mix their gauges.
    read: Mutex<Read>,
}

/// What is only looked up when somebody reads.
#[derive(Debug)]
struct Read {
    registry: Registry,
    documents: Gauge,
    inbox: Family<OfDocument, Gauge>,
    journal: Family<OfDocument, Gauge>,
    file: Family<OfDocument, Gauge>,
    lag: Family<OfDocument, Gauge<f64, std::sync::atomic::AtomicU64>>,
    outbound: Gauge,
    outbound_max: Gauge,
    /// `None` where the system does not tell.
    memory: Option<Gauge>,
}

type OfDocument = [(&'static str, String); 1];

/// How one document does at the moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moment {
    /// The file's name.
    pub name: String,
    /// Messages that wait for the document, or that it is working on.
    pub inbox: usize,
    /// Frames that wait for each of its peers.
    pub outbound: Vec<usize>,
    /// Bytes of its journal.
    pub journal_bytes: u64,
    /// Bytes of the JSON as it was written last.
    pub file_bytes: u64,
    /// How long the JSON has lacked the oldest change that it does not have.
    pub lag: Duration,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counts a connection of `kind` while the result lives.
    #[must_use]
    pub fn open(&self, kind: Connections) -> Open {
        let gauge = self.0.connections[kind as usize].clone();
        gauge.inc();
        Open(gauge)
    }

    /// Something from `source` changed a document, and is durable.
    pub fn edited(&self, source: Source) {
        self.0.edits[source as usize].inc();
    }

    /// Something was refused.
    pub fn refused(&self, reason: Refusal) {
        self.0.refusals[reason as usize].inc();
    }

    /// A frame with `changes` was queued for a peer.
    pub fn sent(&self, changes: u64) {
        self.0.sent_frames.inc();
        self.0.sent_changes.inc_by(changes);
    }

    /// The engine took in `what`.
    pub fn merged(&self, what: Merged, took: Duration) {
        self.0.merges[what as usize].observe(took.as_secs_f64());
    }

    /// A document took `messages` together.
    pub fn batched(&self, messages: usize) {
        self.0.batch.observe(float(messages as u64));
    }

    /// What a journal notes its syncs in, in seconds.
    #[must_use]
    pub fn fsync(&self) -> Histogram {
        self.0.fsync.clone()
    }

    /// All of it in Prometheus' text format, version 0.0.4; `documents` are those that are open.
    #[must_use]
    pub fn render(&self, documents: &[Moment]) -> String {
        let read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.look(documents);
        let mut text = String::new();
        // Only a writer that fails can fail here, and a `String` does not.
        let _ = prometheus_text::encode(&mut text, &read.registry);
        text
    }
}

impl Read {
    fn look(&self, documents: &[Moment]) {
        self.documents.set(whole(documents.len() as u64));
        self.inbox.clear();
        self.journal.clear();
        self.file.clear();
        self.lag.clear();
        let (mut sum, mut max) = (0, 0);
        for document in documents {
            let label = [("document", document.name.clone())];
            let set = |family: &Family<OfDocument, Gauge>, value: u64| {
                family.get_or_create(&label).set(whole(value));
            };
            set(&self.inbox, document.inbox as u64);
            set(&self.journal, document.journal_bytes);
            set(&self.file, document.file_bytes);
            let lag = document.lag.as_secs_f64();
            self.lag.get_or_create(&label).set(lag);
            sum += document.outbound.iter().sum::<usize>();
            max = max.max(document.outbound.iter().copied().max().unwrap_or(0));
        }
        self.outbound.set(whole(sum as u64));
        self.outbound_max.set(whole(max as u64));
        if let (Some(gauge), Some(bytes)) = (&self.memory, resident_bytes()) {
            gauge.set(whole(bytes));
        }
    }
}

impl Default for Parts {
    fn default() -> Self {
        let mut registry = Registry::default();
        let mut own = Registering(&mut registry);
        // From a fast disk's 60 µs to 2 s, and from 30 µs to 16 s.
        let fsync = Histogram::new(exponential_buckets(0.000_062_5, 2.0, 16));
        let merge = || Histogram::new(exponential_buckets(0.000_031_25, 2.0, 20));
        let batch = Histogram::new(exponential_buckets(1.0, 2.0, 10));
        let parts = Self {
            connections: own.family_of::<Connections, _>(
                "connections_open",
                "Connections open, by what is spoken",
                Gauge::default,
            ),
            edits: own.family_of::<Source, _>(
                "edits",
                "Edits that changed a document and are durable, by where they came from",
                Counter::default,
            ),
            refusals: own.family_of::<Refusal, _>(
                "refusals",
                "Requests, frames and files that were refused, by reason",
                Counter::default,
            ),
            merges: own.family_of::<Merged, _>(
                "merge_seconds",
                "How long the engine took for one input, by what it was",
                merge,
            ),
            sent_frames: own.one("sent_frames", "Frames queued for peers", Counter::default()),
            sent_changes: own.one(
                "sent_changes",
                "Changes in those frames; a history sent whole counts as one",
                Counter::default(),
            ),
            fsync: own.one(
                "journal_fsync_seconds",
                "How long a sync of a journal to its disk took",
                fsync,
            ),
            batch: own.one(
                "batch_messages",
                "Messages that a document took together, with one sync of its journal",
                batch,
            ),
            read: Mutex::new(Read {
                documents: own.one("documents_open", "Documents open", Gauge::default()),
                inbox: own.one(
                    "inbox_messages",
                    "Messages that wait for a document or are being worked on",
                    Family::default(),
                ),
                journal: own.one(
                    "journal_bytes",
                    "Bytes of a document's journal",
                    Family::default(),
                ),
                file: own.one(
                    "file_bytes",
                    "Bytes of a document's JSON as it was written last",
                    Family::default(),
                ),
                lag: own.one(
                    "file_lag_seconds",
                    "How long the JSON on disk has lacked the oldest change that it does not have; 0: it has all",
                    Family::default(),
                ),
                outbound: own.one(
                    "outbound_frames",
                    "Frames that wait for all peers together",
                    Gauge::default(),
                ),
                outbound_max: own.one(
                    "outbound_frames_max",
                    "Frames that wait for the peer for which most do",
                    Gauge::default(),
                ),
                memory: resident_bytes().map(|_| {
                    let gauge = Gauge::default();
                    let help = "Resident memory of the process in bytes";
                    own.0
                        .register("process_resident_memory_bytes", help, gauge.clone());
                    gauge
                }),
                registry: Registry::default(),
            }),
        };
        parts
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .registry = registry;
        parts
    }
}

/// Registers metrics under our own prefix.
struct Registering<'a>(&'a mut Registry);

impl Registering<'_> {
    fn one<M: prometheus_client::registry::Metric + Clone>(
        &mut self,
        name: &str,
        help: &str,
        metric: M,
    ) -> M {
        self.0
            .register(format!("plainsync_{name}"), help, metric.clone());
        metric
    }

    /// One metric for each value of the label, all of them there from the beginning.
    fn family_of<L, M>(&mut self, name: &str, help: &str, make: fn() -> M) -> Vec<M>
    where
        L: Labels,
        M: Clone,
        fn() -> M: MetricConstructor<M>,
        Family<Label, M, fn() -> M>: prometheus_client::registry::Metric,
    {
        let family = Family::new_with_constructor(make);
        let family = self.one(name, help, family);
        let values = L::VALUES.iter();
        values
            .map(|value| family.get_or_create_owned(&[(L::NAME, *value)]))
            .collect()
    }
}

/// What the system counts as this process's memory; `None` where it does not tell cheaply.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
fn float(value: u64) -> f64 {
    value as f64
}
