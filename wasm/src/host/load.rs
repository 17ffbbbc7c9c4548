//! Opening: the database, the chunks in it, and a replica made of them; taking in what others wrote.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use futures_channel::mpsc::UnboundedSender;
use plainsync_core::chunk;
use plainsync_core::document::Authorship;
use plainsync_core::edit::{EditId, StampedEdit};
use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::replica::{Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::commit::{Backlog, heads_of};
use super::connect::Connected;
use super::{Dead, Event, Host, now, random};
use crate::blobs::Blobs;
use crate::channel::{Channel, Hint};
use crate::messages::{ChunkText, FromWorker, Open, StorageKind};
use crate::page::Page;
use crate::store::{Chunk, Store};
use crate::windows::Windows;

/// Edit ids remembered to recognise replays, at most; older edits left localStorage long ago.
pub(super) const EDIT_IDS_MAX: usize = 5_000;
/// Chunks in the database above which folding is due.
const CHUNKS_FOLD: usize = 200;
/// The note that keeps what the server was known to have.
pub(super) const SERVER_HEADS: &str = "server-heads";

/// Notes that belong to no document stand under this.
const ALL: &str = "";

impl Host {
    /// Opens the database, loads the document and says `ready`.
    pub(super) async fn load(
        open: Open,
        page: Page,
        events: UnboundedSender<Event>,
    ) -> Result<Self, Dead> {
        let mut warnings = Vec::new();
        let store = match Store::open().await {
            Ok(store) => Some(Rc::new(store)),
            Err(error) => {
                warnings.push(format!(
                    "This browser gives no database ({error}). Edits are kept in localStorage alone, which a killed browser may lose; images made offline last as long as this tab."
                ));
                None
            }
        };
        let config = config(&open)?;
        let me = config.peer.clone();
        let replica = Replica::new(config);
        let blobs = Blobs::new(store.clone(), &open.document, &open.server, page.clone());
        let mut host = Self {
            channel: Channel::open(&open.document, events.clone()),
            me,
            page,
            events,
            replica,
            store,
            blobs,
            connected: Connected::new(),
            windows: Windows::default(),
            backlog: Backlog::default(),
            timers: HashMap::new(),
            known: HashSet::new(),
            applied: VecDeque::new(),
            applied_set: HashSet::new(),
            status: None,
            looked_at: Millis(0),
            look_ms: 0,
            closing: false,
            open,
        };
        host.load_chunks().await?;
        host.note_home();
        host.windows.begin(host.replica.document().view());
        let want = host
            .open
            .hashes
            .iter()
            .filter(|hash| !host.known.contains(*hash))
            .cloned()
            .collect();
        let storage = if host.store.is_some() {
            StorageKind::IndexedDb
        } else {
            StorageKind::Page
        };
        host.page.post(&FromWorker::Ready {
            storage,
            want,
            warnings,
        });
        let jobs = host.replica.document().view().rows().count();
        host.page.log(
            "SYSTEM",
            "INFO",
            "Loaded jobs from this browser",
            Some(json!({ "jobs": jobs })),
        );
        host.look();
        host.tell_status();
        host.fold_when_due();
        host.dial()?;
        Ok(host)
    }

    /// Keeps what the page knows of the server: a crash may empty localStorage, but not the database.
    fn note_home(&self) {
        let (Some(store), Ok(Home { key, home })) =
            (self.store.clone(), serde_json::from_str(&self.open.home))
        else {
            return;
        };
        spawn_local(async move {
            // Without the note, an offline start needs localStorage.
            let home = serde_json::to_string(&home).unwrap_or_default();
            drop(store.set_note(ALL, &key, &home).await);
        });
    }

    async fn load_chunks(&mut self) -> Result<(), Dead> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        let (chunks, damaged) = store.chunks(&self.open.document).await.map_err(|error| {
            Dead(format!(
                "the document cannot be read from this browser: {error}"
            ))
        })?;
        for what in damaged {
            self.page.error(
                "storage",
                format!(
                    "This browser’s database is damaged; the server’s copy is asked for: {what}"
                ),
            );
        }
        self.restore(chunks)?;
        if let Ok(Some(text)) = store.note(&self.open.document, SERVER_HEADS).await {
            self.replica.set_server_heads(&heads_of(&text));
        }
        Ok(())
    }

    /// Takes in chunks that are durable. Returns those that brought something new.
    pub(super) fn restore(&mut self, chunks: Vec<Chunk>) -> Result<bool, Dead> {
        let chunks: Vec<Chunk> = chunks
            .into_iter()
            .filter(|chunk| !self.known.contains(&chunk.hash))
            .collect();
        if chunks.is_empty() {
            return Ok(false);
        }
        let payloads: Vec<Vec<u8>> = chunks.iter().map(|chunk| chunk.payload.clone()).collect();
        let mut news = false;
        match self.replica.restore(&payloads) {
            Ok(restored) => news = restored.changes > 0,
            Err(_) => {
                // One of them is no good: the others still are.
                for (chunk, payload) in chunks.iter().zip(payloads) {
                    match self.replica.restore(&[payload]) {
                        Ok(restored) => news |= restored.changes > 0,
                        Err(error) => self.page.error(
                            "storage",
                            format!(
                                "The chunk {} of this browser is left alone: {error}",
                                chunk.hash
                            ),
                        ),
                    }
                }
            }
        }
        let mut chunks = chunks;
        chunks.sort_unstable_by(|a, b| (a.at, &a.hash).cmp(&(b.at, &b.hash)));
        for chunk in chunks {
            self.known.insert(chunk.hash);
            self.remember(chunk.edits);
        }
        if news {
            self.windows.touch_all(self.replica.document().view());
            self.step(Input::Tick)?;
        }
        Ok(news)
    }

    /// These edits are in the database.
    pub(super) fn remember(&mut self, edits: impl IntoIterator<Item = String>) {
        for edit in edits {
            if self.applied_set.insert(edit.clone()) {
                self.applied.push_back(edit);
            }
        }
        while self.applied.len() > EDIT_IDS_MAX {
            if let Some(oldest) = self.applied.pop_front() {
                self.applied_set.remove(&oldest);
            }
        }
    }

    /// Looks whether another worker has committed any of these edits already.
    pub(super) async fn recognise(&mut self, edits: &[StampedEdit]) -> Result<(), Dead> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        let unknown: Vec<String> = edits
            .iter()
            .map(|StampedEdit { id: EditId(id), .. }| id.clone())
            .filter(|id| !self.applied_set.contains(id))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = store
            .chunks_of_edits(&self.open.document, &unknown)
            .await
            .map_err(|error| {
                Dead(format!(
                    "earlier edits cannot be looked up in this browser: {error}"
                ))
            })?;
        self.restore(found).map(drop)
    }

    /// Another tab committed chunks: reads those that are new here.
    pub(super) async fn on_hint(&mut self, hint: Hint) -> Result<(), Dead> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        if !hint.folded.is_empty() && hint.folded.iter().all(|hash| self.known.contains(hash)) {
            self.known.extend(hint.hashes);
            return Ok(());
        }
        let new: Vec<String> = hint
            .hashes
            .into_iter()
            .filter(|hash| !self.known.contains(hash))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        // A hint: if it cannot be read now, the next load reads it.
        let found = store
            .some_chunks(&self.open.document, &new)
            .await
            .unwrap_or_default();
        self.restore(found).map(drop)
    }

    /// Back from the page cache, where nothing was heard: loads what others wrote, under a new actor,
    /// and dials at once.
    pub(super) async fn resume(&mut self) -> Result<(), Dead> {
        self.load_unknown().await?;
        let device = self.open.device.parse().map_err(dead)?;
        let author = Authorship {
            device,
            name: self.open.author.clone(),
        };
        self.replica.document_mut().set_actor(random()?, &author);
        self.hang_up()?;
        self.dial()
    }

    /// Reads all chunks of the database that are not part of the replica yet.
    pub(super) async fn load_unknown(&mut self) -> Result<(), Dead> {
        let Some(store) = self.store.clone() else {
            return Ok(());
        };
        let hashes = store
            .chunk_hashes(&self.open.document)
            .await
            .unwrap_or_default();
        let unknown: Vec<String> = hashes
            .into_iter()
            .filter(|hash| !self.known.contains(hash))
            .collect();
        let found = store
            .some_chunks(&self.open.document, &unknown)
            .await
            .unwrap_or_default();
        self.restore(found).map(drop)
    }

    /// Chunks of the page's localStorage that the database lacks: what is new in them is committed here; the
    /// others were folded long ago. Returns the names of those that the page may drop.
    pub(super) fn take_chunks(&mut self, texts: Vec<ChunkText>) -> Result<Vec<String>, Dead> {
        let mut drops = Vec::new();
        for ChunkText { hash, text } in texts {
            let payload = match chunk::from_text(&text) {
                Ok(payload) => payload,
                Err(error) => {
                    self.page.error(
                        "storage",
                        format!("The chunk {hash} in localStorage is left alone: {error}"),
                    );
                    continue;
                }
            };
            let chunk = Chunk::new(&self.open.document, payload, Vec::new(), now());
            if self.store.is_none() {
                self.restore(vec![chunk])?;
            } else if self.restore(vec![chunk.clone()])? {
                self.backlog.chunks.push(chunk);
            } else {
                self.known.remove(&chunk.hash);
                drops.push(hash);
            }
        }
        Ok(drops)
    }

    pub(super) fn fold_when_due(&self) {
        if self.known.len() > CHUNKS_FOLD && self.store.is_some() {
            self.page.post(&FromWorker::FoldDue);
        }
    }
}

/// What the page knew of a server.
#[derive(serde::Deserialize)]
struct Home {
    key: String,
    home: serde_json::Value,
}

/// What an earlier start noted about a server.
pub(super) async fn recall(server: &str) -> Option<String> {
    let store = Store::open().await.ok()?;
    store.note(ALL, server).await.ok()?
}

fn config(open: &Open) -> Result<ReplicaConfig, Dead> {
    let device: DeviceId = open.device.parse().map_err(dead)?;
    let document: DocumentId = open.document.parse().map_err(dead)?;
    let tail = u64::from_be_bytes(random()?);
    Ok(ReplicaConfig {
        document,
        schema: Schema::job_history(),
        device,
        author: open.author.clone(),
        actor: random()?,
        peer: PeerId::new(format!("tab-{device}-{tail:016x}")).map_err(dead)?,
    })
}

fn dead(error: impl ToString) -> Dead {
    Dead(error.to_string())
}
