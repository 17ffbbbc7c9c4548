//! Images of one document: kept here, fetched when asked for, uploaded when the server lacks them.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use plainsync_core::blob::{Blob, BlobRef};

use crate::fetch::{self, FetchError};
use crate::host::now;
use crate::page::Page;
use crate::store::Store;

/// Images kept in memory where there is no database, at most.
const MEMORY_IMAGES_MAX: usize = 500;
/// Bytes of images fetched ahead of being shown, at most: what offline browsing has to show.
const IMAGE_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The images of one document. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Blobs(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Option<Rc<Store>>,
    document: String,
    server: String,
    page: Page,
    /// Without a database: what was seen since the start.
    memory: RefCell<HashMap<BlobRef, Blob>>,
    unsent: RefCell<HashSet<BlobRef>>,
    uploading: Cell<bool>,
    /// Asked to upload while uploading: go round once more.
    again: Cell<bool>,
    fetching_ahead: Cell<bool>,
}

impl Blobs {
    pub(crate) fn new(store: Option<Rc<Store>>, document: &str, server: &str, page: Page) -> Self {
        Self(Rc::new(Inner {
            store,
            document: document.to_owned(),
            server: server.to_owned(),
            page,
            memory: RefCell::default(),
            unsent: RefCell::default(),
            uploading: Cell::new(false),
            again: Cell::new(false),
            fetching_ahead: Cell::new(false),
        }))
    }

    /// Without a database: keeps new images as long as the tab lives.
    pub(crate) fn remember(&self, blobs: &[Blob]) {
        for blob in blobs {
            self.0.unsent.borrow_mut().insert(blob.hash);
            self.0.keep(blob.clone());
        }
    }

    /// An image that is here.
    pub(crate) async fn here(&self, hash: &BlobRef) -> Option<Blob> {
        if let Some(blob) = self.0.memory.borrow().get(hash) {
            return Some(blob.clone());
        }
        self.0.store.as_ref()?.blob(hash).await.ok().flatten()
    }

    /// An image, from here or from the server; kept once it has come.
    pub(crate) async fn get(&self, hash: &BlobRef) -> Result<Blob, String> {
        if let Some(blob) = self.here(hash).await {
            return Ok(blob);
        }
        let bytes = fetch::get(&self.0.address(hash))
            .await
            .map_err(|error| match error {
                FetchError::Unreachable => {
                    "This image is not in this browser yet, and the server cannot be reached."
                        .to_owned()
                }
                FetchError::Status(404) => {
                    "Neither this browser nor the server has this image.".to_owned()
                }
                FetchError::Status(code) => {
                    format!("The server answered {code} when asked for this image.")
                }
            })?;
        let blob = Blob::from_bytes(bytes)
            .filter(|blob| blob.hash == *hash)
            .ok_or("The server sent something else than this image.")?;
        match &self.0.store {
            // A cache: if it does not fit, it is fetched again.
            Some(store) => drop(store.keep_blob(&blob, now()).await),
            None => self.0.keep(blob.clone()),
        }
        Ok(blob)
    }

    /// All of these that are here, and with `fetch` those that can be had.
    pub(crate) async fn gather(&self, wanted: Vec<BlobRef>, fetch: bool) -> HashMap<BlobRef, Blob> {
        let mut found = HashMap::new();
        for hash in wanted {
            let blob = if fetch {
                self.get(&hash).await.ok()
            } else {
                self.here(&hash).await
            };
            found.extend(blob.map(|blob| (hash, blob)));
        }
        found
    }

    /// Uploads what the server lacks; what fails is tried at the next call.
    pub(crate) async fn upload(&self) {
        if self.0.uploading.replace(true) {
            self.0.again.set(true);
            return;
        }
        loop {
            self.0.again.set(false);
            let done = self.upload_once().await;
            if !done || !self.0.again.get() {
                break;
            }
        }
        self.0.uploading.set(false);
    }

    async fn upload_once(&self) -> bool {
        let waiting: Vec<BlobRef> = match &self.0.store {
            Some(store) => store.uploads(&self.0.document).await.unwrap_or_default(),
            None => self.0.unsent.borrow().iter().copied().collect(),
        };
        for hash in waiting {
            let Some(blob) = self.here(&hash).await else {
                self.uploaded(&hash).await; // Lost: nothing can be sent.
                continue;
            };
            match fetch::put(&self.0.address(&hash), blob.mime.as_str(), &blob.bytes).await {
                Ok(()) => self.uploaded(&hash).await,
                Err(error) if error.may_pass() => return false,
                Err(error) => {
                    self.0.page.error(
                        "sync",
                        format!("The server does not take an image made here: {error}."),
                    );
                    self.uploaded(&hash).await;
                }
            }
        }
        true
    }

    /// Fetches images before they are shown, in the order given, so that they are there offline.
    pub(crate) async fn fetch_ahead(&self, wanted: Vec<BlobRef>) {
        let Some(store) = &self.0.store else { return };
        if self.0.fetching_ahead.replace(true) {
            return;
        }
        let here = store.blob_names().await.unwrap_or_default();
        let mut bytes = 0;
        for hash in wanted.iter().filter(|hash| !here.contains(&hash.name())) {
            if bytes > IMAGE_CACHE_BYTES_MAX {
                break;
            }
            match fetch::get(&self.0.address(hash)).await {
                Ok(body) => {
                    bytes += body.len();
                    let blob = Blob::from_bytes(body).filter(|blob| blob.hash == *hash);
                    let Some(blob) = blob else { continue };
                    if store.keep_blob(&blob, now()).await.is_err() {
                        break; // No room: what is shown is fetched then.
                    }
                }
                Err(FetchError::Status(404)) => {}
                Err(_) => break,
            }
        }
        self.0.fetching_ahead.set(false);
    }

    async fn uploaded(&self, hash: &BlobRef) {
        self.0.unsent.borrow_mut().remove(hash);
        if let Some(store) = &self.0.store {
            // If the note stays, the image is sent once more: the server takes it as known.
            drop(store.uploaded(&self.0.document, hash).await);
        }
    }
}

impl Inner {
    fn address(&self, hash: &BlobRef) -> String {
        format!("{}/api/v1/blobs/{}", self.server, hash.name())
    }

    fn keep(&self, blob: Blob) {
        let mut memory = self.memory.borrow_mut();
        if memory.len() >= MEMORY_IMAGES_MAX {
            let unsent = self.unsent.borrow();
            memory.retain(|hash, _| unsent.contains(hash));
        }
        memory.insert(blob.hash, blob);
    }
}
