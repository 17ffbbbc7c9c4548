//! All documents of a server: opening them, finding them, and stopping them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use tokio::sync::oneshot;

use super::disk::{Disk, RealDisk};
use super::error::OpenError;
use super::handle::DocumentHandle;
use super::inbox::Message;
use super::keeper::Pace;
use super::lock::Lock;
use super::open;
use crate::metrics::Metrics;

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

/// The documents of one server, open.
///
/// Dropping it without [`Documents::shutdown`] ends the actors where they are: what was
/// acknowledged is in the journals, and the next start writes it to the files.
pub struct Documents {
    all: Vec<DocumentHandle>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    device: DeviceId,
    peer: PeerId,
    folder_state: PathBuf,
    metrics: Metrics,
    /// Given back when the actors have ended.
    locks: Mutex<Vec<Lock>>,
}

/// What opening one document gives.
pub(super) struct Opened {
    pub(super) handle: DocumentHandle,
    pub(super) thread: JoinHandle<()>,
}

impl Documents {
    /// Opens what `config` names. What the files hold is taken in when this returns.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: nothing is served, and no file was changed.
    pub async fn open(config: DocumentsConfig) -> Result<Self, OpenError> {
        let path = config.file.clone();
        let opened = tokio::task::spawn_blocking(move || open::open(&config)).await;
        opened.unwrap_or_else(|error| {
            Err(OpenError::Thread {
                name: path.display().to_string(),
                source: std::io::Error::other(error),
            })
        })
    }

    pub(super) fn new(
        opened: Vec<Opened>,
        (device, peer): (DeviceId, PeerId),
        folder_state: PathBuf,
        metrics: Metrics,
        locks: Vec<Lock>,
    ) -> Self {
        let (all, threads) = opened
            .into_iter()
            .map(|one| (one.handle, one.thread))
            .unzip();
        Self {
            all,
            threads: Mutex::new(threads),
            device,
            peer,
            folder_state,
            metrics,
            locks: Mutex::new(locks),
        }
    }

    /// The document that the old paths and a bare `/` are about: the first one.
    ///
    /// # Panics
    ///
    /// Never: there is no server without a document.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "it says so")]
    pub fn default(&self) -> &DocumentHandle {
        &self.all[0]
    }

    /// The document with this id.
    #[must_use]
    pub fn get(&self, id: &DocumentId) -> Option<&DocumentHandle> {
        self.all.iter().find(|document| document.id() == *id)
    }

    /// All documents, the default one first.
    pub fn list(&self) -> impl Iterator<Item = &DocumentHandle> {
        self.all.iter()
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

    /// Waits until a document is to be joined to an older history that has arrived in the folder.
    /// Opening the documents again does so.
    pub async fn superseded(&self) {
        let waits = self.all.iter().map(|document| {
            let mut superseded = document.superseded();
            Box::pin(async move {
                if superseded.wait_for(|is| *is).await.is_err() {
                    std::future::pending::<()>().await; // It has ended: it never will be.
                }
            })
        });
        futures_util::future::select_all(waits).await;
    }

    /// Finishes everything that was asked, writes the files, ends the actors (S7), and lets go
    /// of the folder.
    pub async fn shutdown(&self) {
        let mut finished = Vec::new();
        for document in &self.all {
            let (reply, answer) = oneshot::channel();
            if document.inbox().send(Message::Stop { reply }, None).is_ok() {
                finished.push(answer);
            }
        }
        for answer in finished {
            let _ = answer.await; // An actor that is gone has nothing more to finish.
        }
        let threads = self.take_threads();
        let _ = tokio::task::spawn_blocking(move || join(threads)).await;
        self.locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        for document in &self.all {
            let _ = document.inbox().send(Message::Abandon, None); // It may have ended already.
        }
        join(self.take_threads());
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("the thread of a document ended badly");
        }
    }
}
