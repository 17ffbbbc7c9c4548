//! All documents of a server: opening them, finding them, and stopping them.
//!
//! The first is open as long as the server runs. The others of a folder are opened when somebody
//! asks for them or their files change, and closed when nobody has used them for a while.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::companion::Companion;
use super::disk::{Disk, RealDisk};
use super::error::OpenError;
use super::handle::DocumentHandle;
use super::inbox::Message;
use super::keeper::Pace;
use super::lock::Lock;
use super::open;
use super::state::DocumentInfo;
use crate::metrics::Metrics;

/// How long a document besides the first stays open when nobody uses it.
const REST_AFTER: Duration = Duration::from_secs(60);

/// Longest time between two looks at documents that may be closed, or whose files may have
/// changed.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// Most documents besides the first that stay open though nobody uses them: the longest unused are
/// closed at once.
const UNUSED_OPEN_MAX: usize = 32;

/// What is served, and how.
#[derive(Clone)]
pub struct DocumentsConfig {
    /// The JSON file; a folder means `job_history.json` in it, and every other `*.json` there
    /// that carries a version of ours.
    pub file: PathBuf,
    /// Where private state is kept; `None`: `plainsync` in the user's state folder.
    pub state: Option<PathBuf>,
    /// Where this server is reached: what a second one is told.
    pub url: String,
    /// The command that opens the documents, if it is not `serve`.
    pub command: Option<String>,
    /// How long things take.
    pub pace: Pace,
    /// How long a document besides the first stays open when nobody uses it.
    pub rest_after: Duration,
    /// Where it is counted what they do.
    pub metrics: Metrics,
    /// The disk.
    pub disk: Arc<dyn Disk>,
}

impl DocumentsConfig {
    /// `file`, on the machine's disk, with the usual pace.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            state: None,
            url: String::new(),
            command: None,
            pace: Pace::default(),
            rest_after: REST_AFTER,
            metrics: Metrics::default(),
            disk: Arc::new(RealDisk),
        }
    }
}

impl fmt::Debug for DocumentsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentsConfig")
            .field("file", &self.file)
            .field("state", &self.state)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The documents of one server.
///
/// Dropping it without [`Documents::shutdown`] ends the actors where they are: what was
/// acknowledged is in the journals, and the next start writes it to the files.
pub struct Documents {
    first: DocumentHandle,
    first_opened: Mutex<Option<Opened>>,
    companions: Vec<Arc<Companion>>,
    stopping: CancellationToken,
    caretaker: Mutex<Option<tokio::task::JoinHandle<()>>>,
    device: DeviceId,
    peer: PeerId,
    folder_state: PathBuf,
    metrics: Metrics,
    /// Given back when the actors have ended.
    locks: Mutex<Vec<Lock>>,
}

/// What opening one document gives. One that is let go ends where it is.
pub(super) struct Opened {
    pub(super) handle: DocumentHandle,
    thread: Option<JoinHandle<()>>,
}

impl Opened {
    pub(super) fn new(handle: DocumentHandle, thread: JoinHandle<()>) -> Self {
        Self {
            handle,
            thread: Some(thread),
        }
    }

    /// Finishes everything that was asked, writes the file, and ends the actor (S7).
    pub(super) async fn end(mut self) {
        let thread = self.thread.take();
        let (reply, answer) = oneshot::channel();
        if self
            .handle
            .inbox()
            .send(Message::Stop { reply }, None)
            .is_ok()
        {
            let _ = answer.await; // An actor that is gone has nothing more to finish.
        }
        let _ = tokio::task::spawn_blocking(move || join(thread)).await;
    }

    /// Ends the actor where it is, and waits for that.
    pub(super) fn abandon(mut self) {
        self.tell_to_end();
        join(self.thread.take());
    }

    fn tell_to_end(&self) {
        let _ = self.handle.inbox().send(Message::Abandon, None); // It may have ended already.
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.tell_to_end();
        }
    }
}

/// What [`open::open`] found and opened.
pub(super) struct Found {
    pub(super) first: Opened,
    pub(super) companions: Vec<Arc<Companion>>,
    pub(super) wake: Arc<Notify>,
    pub(super) device: DeviceId,
    pub(super) peer: PeerId,
    pub(super) folder_state: PathBuf,
    pub(super) locks: Vec<Lock>,
}

impl Documents {
    /// Opens what `config` names. What the first file holds is taken in when this returns; what
    /// others hold, soon after.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: nothing is served, and no file was changed.
    pub async fn open(config: DocumentsConfig) -> Result<Self, OpenError> {
        let (path, rest_after) = (config.file.clone(), config.rest_after);
        let metrics = config.metrics.clone();
        let opened = tokio::task::spawn_blocking(move || open::open(&config)).await;
        let found = opened.unwrap_or_else(|error| {
            Err(OpenError::Thread {
                name: path.display().to_string(),
                source: std::io::Error::other(error),
            })
        })?;
        let stopping = CancellationToken::new();
        let caretaker = (!found.companions.is_empty()).then(|| {
            let caring = care(
                found.companions.clone(),
                found.wake,
                rest_after,
                stopping.clone(),
            );
            tokio::spawn(caring)
        });
        Ok(Self {
            first: found.first.handle.clone(),
            first_opened: Mutex::new(Some(found.first)),
            companions: found.companions,
            stopping,
            caretaker: Mutex::new(caretaker),
            device: found.device,
            peer: found.peer,
            folder_state: found.folder_state,
            metrics,
            locks: Mutex::new(found.locks),
        })
    }

    /// The document that the old paths and a bare `/` are about: the first one.
    #[must_use]
    pub fn default(&self) -> &DocumentHandle {
        &self.first
    }

    /// The document with this id, opened if it is not; `None`: none has it. It stays open while
    /// the handle is held.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it cannot be opened now.
    pub async fn get(&self, id: &DocumentId) -> Result<Option<DocumentHandle>, OpenError> {
        if self.first.id() == *id {
            return Ok(Some(self.first.clone()));
        }
        for companion in self.companions.iter().filter(|other| other.id() == *id) {
            let open = companion.open().await?;
            // Opened for the first time it may turn out to be another one: a copy (F6).
            if open.id() == *id {
                return Ok(Some(open));
            }
        }
        Ok(None)
    }

    /// What each document says of itself, the first one first. One that is new to this server is
    /// among them once it has been looked through.
    #[must_use]
    pub fn infos(&self) -> Vec<DocumentInfo> {
        let others = self.companions.iter();
        let others = others.filter_map(|other| other.certain_info());
        std::iter::once(self.first.info()).chain(others).collect()
    }

    /// The documents that are open, the first one first.
    #[must_use]
    pub fn open_now(&self) -> Vec<DocumentHandle> {
        let others = self.companions.iter().filter_map(|other| other.handle());
        std::iter::once(self.first.clone()).chain(others).collect()
    }

    /// The documents besides the first.
    #[must_use]
    pub fn companions(&self) -> &[Arc<Companion>] {
        &self.companions
    }

    /// This install's own id.
    #[must_use]
    pub fn server_device(&self) -> &DeviceId {
        &self.device
    }

    /// The private state of the served folder.
    #[must_use]
    pub fn folder_state(&self) -> &Path {
        &self.folder_state
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What this server calls itself in frames, new at each start.
    #[must_use]
    pub fn peer(&self) -> &PeerId {
        &self.peer
    }

    /// Waits until the first document is to be joined to an older history that has arrived in the
    /// folder. Opening the documents again does so.
    pub async fn superseded(&self) {
        let mut superseded = self.first.superseded();
        if superseded.wait_for(|is| *is).await.is_err() {
            std::future::pending::<()>().await; // It has ended: it never will be.
        }
    }

    /// Finishes everything that was asked, writes the files, ends the actors (S7), and lets go
    /// of the folder.
    pub async fn shutdown(&self) {
        self.stopping.cancel();
        let caretaker = lock(&self.caretaker).take();
        let first = lock(&self.first_opened).take();
        let first = async {
            if let Some(first) = first {
                first.end().await;
            }
        };
        let others = async {
            if let Some(caretaker) = caretaker {
                let _ = caretaker.await; // What it did is done again at the next start.
            }
            let closing = self.companions.iter().map(|other| other.close_for_good());
            futures_util::future::join_all(closing).await;
        };
        tokio::join!(first, others);
        lock(&self.locks).clear();
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.stopping.cancel();
        if let Some(caretaker) = lock(&self.caretaker).take() {
            caretaker.abort();
        }
        let first = lock(&self.first_opened).take();
        first.into_iter().for_each(Opened::abandon);
        self.companions.iter().for_each(|other| other.abandon());
    }
}

/// Opens each document once, so that what its files hold is taken in, then closes those that
/// nobody uses and opens those whose files change.
async fn care(
    companions: Vec<Arc<Companion>>,
    wake: Arc<Notify>,
    rest_after: Duration,
    stopping: CancellationToken,
) {
    for companion in &companions {
        if stopping.is_cancelled() {
            return;
        }
        match companion.open().await {
            Ok(open) => drop(open),
            Err(error) => warn!(file = companion.info().name, %error, "it is not served for now"),
        }
        if !companion.has_copies() {
            companion.close(true).await;
        }
    }
    let pause = LOOK_AFTER.min(rest_after);
    let mut next_look = Instant::now() + pause;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = wake.notified() => {}
            () = sleep_until(next_look) => {}
        }
        // However often somebody wakes us.
        let is_due = next_look <= Instant::now();
        for companion in &companions {
            if stopping.is_cancelled() {
                return;
            }
            let was_open = companion.handle().is_some();
            let tended = if is_due {
                companion.tend(rest_after).await
            } else {
                companion.join_if_superseded().await
            };
            if let Err(error) = tended {
                warn!(file = companion.info().name, %error, "it is not served for now");
            }
            if !was_open && companion.handle().is_some() {
                close_longest_unused(&companions).await; // All files may have changed at once.
            }
        }
        close_longest_unused(&companions).await;
        if is_due {
            next_look = Instant::now() + pause;
        }
    }
}

/// Closes what is more than [`UNUSED_OPEN_MAX`].
async fn close_longest_unused(companions: &[Arc<Companion>]) {
    let unused = companions.iter().filter_map(|companion| {
        let since = companion.unused_since()?;
        Some((since, companion))
    });
    let mut unused: Vec<_> = unused.collect();
    unused.sort_by_key(|(since, _)| *since);
    let too_many = unused.len().saturating_sub(UNUSED_OPEN_MAX);
    for (_, companion) in unused.into_iter().take(too_many) {
        companion.close(true).await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn join(thread: Option<JoinHandle<()>>) {
    if thread.is_some_and(|thread| thread.join().is_err()) {
        tracing::error!("the thread of a document ended badly");
    }
}
