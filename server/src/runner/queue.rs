//! The queue: starts each run that was ordered from this server, exactly once.
//!
//! An order is a run in the document whose `server` is this one and whose status is `queued`.
//! The queue watches the documents' durable rows and does, for each order:
//!
//! 1. write `running` and the start time, and wait until that is on disk;
//! 2. ask the generator, at most [`Queue::parallel_max`] at once, first come first served;
//! 3. write the result into that very run, wherever its record is by then (the bin, too).
//!
//! | what it sees | what it does |
//! |---|---|
//! | an order of another server, or none (an import, an old client's list, a restored job) | nothing |
//! | an order whose record is in the bin | marks it as an error |
//! | an order that a newer one has replaced | marks it as an error |
//! | an order that was started before (an older version was brought back) | marks it as an error |
//! | a run of ours that is `running` when the server starts | marks it as an error |
//!
//! The edit that starts a run is named after that run, and the document applies an edit of one
//! name once: that is what makes it at most once, across restarts too.
//!
//! **Invariant:** no generator is asked before `running` is on disk.

mod dispatcher;
mod run;

use super::board::Board;
use super::generator::Generate;
use dispatcher::Dispatcher;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a stop waits for runs in progress before it marks them as stopped.
pub const STOP_GRACE: Duration = Duration::from_secs(15);

/// Most runs at once that may be asked for.
pub const PARALLEL_MAX: usize = 16;

/// What is left to say about a run without a picture. Each is the job's error.
pub mod sentences {
    /// In the bin before its turn came.
    pub const REMOVED: &str = "removed before it started";
    /// Another order for the same job came before its turn.
    pub const REPLACED: &str = "replaced by a newer run before it started";
    /// It was in progress when the server ended.
    pub const INTERRUPTED: &str = "interrupted by a restart of the server; run the job again";
    /// It says `running`, but nothing here runs it.
    pub const NOT_RUNNING: &str =
        "this run is not in progress on the server any more; run the job again";
    /// An older version of the document, in which it was not started yet, came back.
    pub const STARTED_BEFORE: &str =
        "this run was started once already and is not started twice; run the job again";
    /// The server was asked to stop.
    pub const STOPPED: &str = "the server was stopped while this ran; run the job again";
    /// The generator failed in a way that it does not describe.
    pub const BROKE: &str = "the generator stopped unexpectedly; run the job again";
}

/// What the queue is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// Runs in progress.
    pub running: usize,
    /// Orders that wait for their turn.
    pub waiting: usize,
}

/// The running queue. Dropping it ends it where it is, as a crash would; see [`Queue::stop`].
pub struct Queue {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What the handle and the dispatcher share.
struct Shared {
    generator: Arc<dyn Generate>,
    /// This server's device id, as orders name it.
    server: String,
    parallel_max: watch::Sender<usize>,
    status: watch::Sender<QueueStatus>,
    /// A stop was asked for: start nothing more.
    stopping: CancellationToken,
    /// The grace is over: end what runs.
    cut: CancellationToken,
    wake: Notify,
}

impl Queue {
    /// Watches `boards` for orders to `server`. Orders that wait already are started; runs that
    /// a former process of this server left `running` are marked.
    #[must_use]
    pub fn start(
        boards: Vec<Arc<dyn Board>>,
        server: impl Into<String>,
        generator: Arc<dyn Generate>,
        parallel_max: NonZeroUsize,
    ) -> Queue {
        let shared = Arc::new(Shared {
            generator,
            server: server.into(),
            parallel_max: watch::Sender::new(parallel_max.get().min(PARALLEL_MAX)),
            status: watch::Sender::default(),
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
            wake: Notify::new(),
        });
        let dispatcher = Dispatcher::new(boards, Arc::clone(&shared));
        let task = Mutex::new(Some(tokio::spawn(dispatcher.work())));
        Queue { shared, task }
    }

    /// How many runs may be in progress at once.
    #[must_use]
    pub fn parallel_max(&self) -> usize {
        *self.shared.parallel_max.borrow()
    }

    /// Allows `count` runs at once from now on, at most [`PARALLEL_MAX`]; returns what is allowed
    /// now. Runs in progress are not ended.
    pub fn set_parallel_max(&self, count: NonZeroUsize) -> usize {
        let count = count.get().min(PARALLEL_MAX);
        self.shared.parallel_max.send_replace(count);
        self.shared.wake.notify_one();
        count
    }

    /// What it is doing, now and whenever that changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<QueueStatus> {
        self.shared.status.subscribe()
    }

    /// Starts nothing more, waits at most `grace` for the runs in progress, then marks those that
    /// are left. Orders that still wait stay orders and are started by the next process.
    ///
    /// The documents must be open until this returns.
    pub async fn stop(&self, grace: Duration) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut task) = task else { return };
        self.shared.stopping.cancel();
        let running = self.shared.status.borrow().running;
        if running > 0 {
            tracing::info!(
                running,
                grace_s = grace.as_secs(),
                "waiting for jobs in progress"
            );
        }
        if tokio::time::timeout(grace, &mut task).await.is_err() {
            self.shared.cut.cancel();
            let _ = task.await; // A dispatcher that broke has logged why.
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests;
