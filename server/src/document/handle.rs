//! What the rest of the server holds of a document: a handle to ask it, a connection to talk
//! to it.
//!
//! ```no_run
//! # async fn example(document: plainsync::document::DocumentHandle, peer: plainsync_core::id::PeerId)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use plainsync::document::OUTBOUND_FRAMES_MAX;
//! println!("{} jobs", document.snapshot().rows().count());
//! let (outbound, mut frames) = tokio::sync::mpsc::channel(OUTBOUND_FRAMES_MAX);
//! let connection = document.connect(peer, 1, outbound).await;
//! while let Some(bytes) = frames.recv().await {
//!     // Write `bytes` to the socket; pass what it receives to `connection.received`.
//! }
//! println!("closed: {}", connection.end());
//! # Ok(()) }
//! ```

mod connection;
mod history;
mod lists;
mod moment;
mod trial;
mod versions;

pub use connection::{Connection, Ended};
pub use history::{Between, Contested};

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use plainsync_core::blob::{BlobRef, Mime};
use plainsync_core::document::{Document, IMAGES, IMAGES_INLINED, IMAGES_LINKED};
use plainsync_core::edit::StampedEdit;
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::{ImportBase, ImportOptions, ImportReport};
use plainsync_core::view::Row;
use tokio::sync::watch;

use super::blobs::Blobs;
use super::error::DocumentError;
use super::inbox::{Inbox, Message};
use super::origin::ImportOrigin;
use super::render::render;
use super::ring::Ring;
use super::snapshot::Snapshot;
use super::state::{DocumentInfo, FileAnswer, FileNews, FileState, Offer, TookIn};
use super::written::Written;
use crate::metrics::Metrics;
use moment::Told;

/// Frames that may wait for a peer that reads slowly; one more and it is dropped (S6).
pub const OUTBOUND_FRAMES_MAX: usize = 256;

/// What an edit did. It is durable.
#[derive(Clone, Debug)]
pub struct EditOutcome {
    /// The rows that it changed, as they are now.
    pub rows: Vec<Arc<Row>>,
    /// The same edit had been applied before; it was not applied again.
    pub repeated: bool,
}

pub use lists::ListSaved;
pub(super) use lists::ListTaken;

/// What handles read without asking the actor.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) id: DocumentId,
    pub(super) blobs: Blobs,
    pub(super) ring: Ring,
    /// Which versions the file held.
    pub(super) written: Written,
    pub(super) file_bytes: AtomicU64,
    snapshot: Mutex<Arc<Snapshot>>,
    file_state: Mutex<FileState>,
    offer: Mutex<Option<Offer>>,
    took_in: Mutex<Option<TookIn>>,
    published: watch::Sender<u64>,
    news: watch::Sender<u64>,
    connections: AtomicU64,
    told: Told,
    pub(super) metrics: Metrics,
    superseded: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(
        name: String,
        document: &Document,
        blobs: Blobs,
        ring: Ring,
        written: Written,
        metrics: Metrics,
    ) -> Self {
        Self {
            ring,
            written,
            name,
            id: *document.id(),
            blobs,
            file_bytes: AtomicU64::new(0),
            snapshot: Mutex::new(Arc::new(Snapshot::of(document))),
            file_state: Mutex::default(),
            offer: Mutex::default(),
            took_in: Mutex::default(),
            published: watch::Sender::new(0),
            news: watch::Sender::new(0),
            connections: AtomicU64::new(0),
            told: Told::default(),
            metrics,
            superseded: watch::Sender::new(false),
        }
    }

    /// The newest version that is durable.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.snapshot))
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        *lock(&self.snapshot) = Arc::new(snapshot);
        self.bump();
    }

    pub(super) fn file_state(&self) -> FileState {
        lock(&self.file_state).clone()
    }

    /// Says how the file does; `true` if that is news.
    pub(super) fn set_file_state(&self, state: FileState) -> bool {
        let mut current = lock(&self.file_state);
        if *current == state {
            return false;
        }
        *current = state;
        drop(current);
        self.tell();
        true
    }

    pub(super) fn offer(&self) -> Option<Offer> {
        lock(&self.offer).clone()
    }

    pub(super) fn set_offer(&self, offer: Option<Offer>) {
        *lock(&self.offer) = offer;
        self.tell();
    }

    pub(super) fn set_took_in(&self, took_in: TookIn) {
        *lock(&self.took_in) = Some(took_in);
        self.tell();
    }

    /// Something about the file is news.
    fn tell(&self) {
        self.news.send_modify(|n| *n = n.wrapping_add(1));
        self.bump();
    }

    /// Another history takes this one's place.
    pub(super) fn supersede(&self) {
        self.superseded
            .send_if_modified(|is| !std::mem::replace(is, true));
    }

    fn bump(&self) {
        self.published.send_modify(|n| *n = n.wrapping_add(1));
    }
}

/// A document that is open. Clones are the same document.
#[derive(Clone)]
pub struct DocumentHandle {
    shared: Arc<Shared>,
    inbox: Inbox,
    /// One for each handle and connection.
    held: Arc<()>,
}

impl DocumentHandle {
    pub(super) fn new(shared: Arc<Shared>, inbox: Inbox) -> Self {
        Self {
            shared,
            inbox,
            held: Arc::default(),
        }
    }

    /// How many handles and connections there are.
    pub(super) fn holders(&self) -> usize {
        Arc::strong_count(&self.held)
    }

    pub(super) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The document's id.
    #[must_use]
    pub fn id(&self) -> DocumentId {
        self.shared.id
    }

    /// What the document says of itself.
    #[must_use]
    pub fn info(&self) -> DocumentInfo {
        let snapshot = self.snapshot();
        DocumentInfo {
            name: self.shared.name.clone(),
            id: self.shared.id,
            url: self.shared.id.url(),
            heads: snapshot.heads.clone(),
            jobs: snapshot.rows().count(),
            file_state: self.shared.file_state(),
            offer: self.shared.offer(),
            last_import: lock(&self.shared.took_in).clone(),
        }
    }

    /// The newest durable version.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.shared.snapshot))
    }

    /// A counter that moves with every new snapshot and every news about the file.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.published.subscribe()
    }

    /// What people should know of the file now, or decide.
    #[must_use]
    pub fn news(&self) -> FileNews {
        FileNews {
            file_state: self.shared.file_state(),
            offer: self.shared.offer(),
            last_import: lock(&self.shared.took_in).clone(),
        }
    }

    /// A counter that moves whenever [`DocumentHandle::news`] may say something else; edits alone
    /// do not move it.
    #[must_use]
    pub fn watch_news(&self) -> watch::Receiver<u64> {
        self.shared.news.subscribe()
    }

    /// Whether an older history of the file has arrived in the folder: opening it again joins
    /// this one to that (F6).
    #[must_use]
    pub fn superseded(&self) -> watch::Receiver<bool> {
        self.shared.superseded.subscribe()
    }

    /// Applies an edit. It is durable when this returns; a repeated one is not applied again.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: nothing of it was kept.
    pub async fn edit(&self, edit: StampedEdit) -> Result<EditOutcome, DocumentError> {
        self.inbox.ask(|reply| Message::Edit { edit, reply }).await
    }

    /// Takes in a file: a history, an export, a dump of an old client's storage. It is durable
    /// when this returns.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: nothing of it was kept.
    pub async fn import(
        &self,
        bytes: Vec<u8>,
        origin: ImportOrigin,
    ) -> Result<ImportReport, DocumentError> {
        self.take_in(bytes, origin, ImportBase::FromText).await
    }

    async fn take_in(
        &self,
        text: Vec<u8>,
        origin: ImportOrigin,
        base: ImportBase,
    ) -> Result<ImportReport, DocumentError> {
        let options = ImportOptions {
            base,
            may_remove_most: origin.may_remove_most(),
            ..ImportOptions::default()
        };
        self.inbox
            .ask(|reply| Message::Import {
                text,
                options,
                origin,
                reply,
            })
            .await
    }

    /// Has the file show images as links to files beside it, or inlined (F12). Returns whether
    /// that is new. It is an edit of the document, as if somebody had written it into the file.
    ///
    /// # Errors
    ///
    /// As [`DocumentHandle::import`].
    pub async fn link_images(&self, linked: bool) -> Result<bool, DocumentError> {
        let document = self.inbox.ask(|reply| Message::Copy { reply }).await?;
        if document.links_images() == linked {
            return Ok(false);
        }
        let text = blocking(move || with_images(&document, linked)).await?;
        let origin = ImportOrigin::Upload { confirmed: false };
        self.import(text, origin).await.map(|_| true)
    }

    /// The bytes of the JSON file for the document as it is now, images inside.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Blob`]: an image cannot be read; [`DocumentError::Closed`].
    pub async fn export_json(&self) -> Result<Vec<u8>, DocumentError> {
        let document = self.inbox.ask(|reply| Message::Copy { reply }).await?;
        self.render(document).await
    }

    async fn render(&self, document: Box<Document>) -> Result<Vec<u8>, DocumentError> {
        let blobs = self.shared.blobs.clone();
        let rendered =
            blocking(move || render(&document.heading(), document.view(), &blobs)).await??;
        Ok(rendered.bytes)
    }

    /// Stores an image under its content address. `false`: it was here already. It is durable
    /// when this returns.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Blob`]: it was not stored.
    pub async fn put_blob(&self, hash: BlobRef, bytes: Vec<u8>) -> Result<bool, DocumentError> {
        let blobs = self.shared.blobs.clone();
        let new = blocking(move || blobs.put(&hash, &bytes)).await??;
        if new {
            self.inbox.send(Message::BlobArrived, None)?;
        }
        Ok(new)
    }

    /// The image with this content address, if it is here.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Blob`]: the disk failed.
    pub async fn get_blob(&self, hash: BlobRef) -> Result<Option<(Mime, Vec<u8>)>, DocumentError> {
        let blobs = self.shared.blobs.clone();
        Ok(blocking(move || blobs.get(&hash)).await??)
    }

    /// Decides about a JSON file that awaits an answer.
    ///
    /// # Errors
    ///
    /// - [`DocumentError::NoQuestion`]: none does.
    /// - Others: as for an import.
    pub async fn answer_file(&self, answer: FileAnswer) -> Result<(), DocumentError> {
        self.inbox
            .ask(|reply| Message::Answer { answer, reply })
            .await
    }
}

/// What the file would say if somebody had written into it how it shows images.
fn with_images(document: &Document, linked: bool) -> Vec<u8> {
    let text = document.export(&|_| None);
    let mut json: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    json[IMAGES] = serde_json::Value::from(if linked {
        IMAGES_LINKED
    } else {
        IMAGES_INLINED
    });
    json.to_string().into_bytes()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, DocumentError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| DocumentError::Closed)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
