//! What waits to be durable, its transaction, and what follows it.

use plainsync_core::blob::Blob;
use plainsync_core::edit::{EditId, Key};
use plainsync_core::plain::import::ImportReport;
use plainsync_core::replica::Input;
use plainsync_core::view::Row;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::load::SERVER_HEADS;
use super::{Alarm, Dead, Host, now, random};
use crate::backoff::Backoff;
use crate::channel::Hint;
use crate::messages::{Connection, FromWorker, SavedEdit, Status};
use crate::store::{Chunk, Durability, StoreError, committed};

/// Chunks longer than this stay out of localStorage, in UTF-16 units: the database alone holds them.
const LOCAL_CHUNK_UNITS_MAX: usize = 200_000;
/// Failed commits in a row after which the worker is replaced: its connection to the database may be gone.
const FAILURES_MAX: u32 = 3;
/// Images given up at once when the quota is reached, oldest first.
const BLOBS_DROPPED: u32 = 200;

/// An edit that the page waits for.
#[derive(Clone, Debug)]
pub(super) struct Ack {
    pub(super) id: String,
    /// The record that it makes, whose row is the answer.
    pub(super) key: Option<Key>,
}

/// What is not durable yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub(super) chunks: Vec<Chunk>,
    pub(super) blobs: Vec<Blob>,
    pub(super) acks: Vec<Ack>,
    /// The import just stepped, until its question is known.
    pub(super) report: Option<ImportReport>,
    /// Imports to be answered.
    pub(super) imports: Vec<(u32, ImportReport)>,
    /// The last commit failed; it is tried again when the timer says so.
    pub(super) failed: bool,
    failures: u32,
    pause: Backoff,
    /// Changes of edits made here, and the edits.
    local: Vec<u8>,
    edits: Vec<String>,
    /// Other changes.
    remote: Vec<u8>,
    /// The newest effect among them.
    seq: Option<u64>,
    /// Handed to the page to keep, where there is no database.
    keeping: Option<Box<Backlog>>,
    /// What the server has, to be noted.
    server_heads: Option<String>,
}

impl Backlog {
    /// Changes to make durable.
    pub(super) fn add(&mut self, seq: u64, bytes: Vec<u8>, edits: Vec<EditId>) {
        self.seq = Some(seq);
        if edits.is_empty() {
            self.remote.extend(bytes);
        } else {
            self.local.extend(bytes);
            self.edits.extend(edits.into_iter().map(|EditId(id)| id));
        }
    }

    /// Whether an edit is applied and not durable yet.
    pub(super) fn contains(&self, edit: &str) -> bool {
        self.edits
            .iter()
            .chain(self.chunks.iter().flat_map(|chunk| &chunk.edits))
            .any(|id| id == edit)
            || self
                .keeping
                .as_ref()
                .is_some_and(|keeping| keeping.contains(edit))
    }

    /// Edits that are applied and not durable yet.
    fn edits(&self) -> usize {
        self.edits.len()
            + self
                .chunks
                .iter()
                .map(|chunk| chunk.edits.len())
                .sum::<usize>()
            + self.keeping.as_ref().map_or(0, |keeping| keeping.edits())
    }

    fn needs_commit(&self) -> bool {
        !(self.local.is_empty()
            && self.remote.is_empty()
            && self.chunks.is_empty()
            && self.blobs.is_empty())
    }

    /// Makes chunks of the changes: one of those made here, one of the others.
    fn pack(&mut self, document: &str) {
        let local = std::mem::take(&mut self.local);
        if !local.is_empty() {
            self.chunks.push(Chunk::new(
                document,
                local,
                std::mem::take(&mut self.edits),
                now(),
            ));
        }
        let remote = std::mem::take(&mut self.remote);
        if !remote.is_empty() {
            self.chunks
                .push(Chunk::new(document, remote, Vec::new(), now()));
        }
    }
}

impl Host {
    /// Commits what waits, then tells page, server and tabs.
    pub(super) async fn settle(&mut self) -> Result<(), Dead> {
        self.commit().await?;
        self.look_soon();
        if let (Some(heads), Some(store)) = (self.backlog.server_heads.take(), self.store.clone()) {
            let document = self.open.document.clone();
            spawn_local(async move {
                // Without the note, the next start counts some edits as waiting until it has asked.
                drop(store.set_note(&document, SERVER_HEADS, &heads).await);
            });
        }
        self.tell_synced();
        self.tell_status();
        if self.closing {
            self.say_goodbye()?;
            self.page.post(&FromWorker::Closed);
        }
        Ok(())
    }

    pub(super) async fn commit(&mut self) -> Result<(), Dead> {
        if self.backlog.failed || self.backlog.keeping.is_some() {
            return Ok(());
        }
        if !self.backlog.needs_commit() {
            let done = std::mem::take(&mut self.backlog);
            return self.finish(done);
        }
        self.backlog.pack(&self.open.document);
        let Some(store) = self.store.clone() else {
            return self.ask_page_to_keep();
        };
        let begun = store.commit(
            &self.open.document,
            &self.backlog.chunks,
            &self.backlog.blobs,
            now(),
            Durability::Relaxed,
        );
        self.look_soon(); // The browser writes meanwhile.
        let outcome = match begun {
            Ok(transaction) => committed(transaction).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => {
                let done = std::mem::take(&mut self.backlog);
                self.finish(done)
            }
            Err(error) => {
                if matches!(&error, StoreError::Aborted(reason) if reason.contains("Quota")) {
                    // Makes room for what only we have; if it cannot, the commit fails again and says so.
                    drop(store.drop_old_blobs(BLOBS_DROPPED).await);
                }
                self.failed(error.to_string())
            }
        }
    }

    fn failed(&mut self, message: String) -> Result<(), Dead> {
        self.backlog.failures += 1;
        if self.backlog.failures >= FAILURES_MAX {
            self.page.post(&FromWorker::StorageFailed {
                message: message.clone(),
            });
            return Err(Dead(message));
        }
        self.backlog.failed = true;
        let pause = self.backlog.pause.next_ms(u32::from_be_bytes(random()?));
        self.set_timer(Alarm::Commit, pause);
        self.page.post(&FromWorker::StorageFailed { message });
        Ok(())
    }

    fn ask_page_to_keep(&mut self) -> Result<(), Dead> {
        let keeping = std::mem::take(&mut self.backlog);
        self.blobs.remember(&keeping.blobs);
        let chunks = keeping.chunks.iter().filter_map(Chunk::to_text).collect();
        self.page.post(&FromWorker::Keep {
            seq: keeping.seq.unwrap_or(0),
            chunks,
        });
        self.backlog.keeping = Some(Box::new(keeping));
        Ok(())
    }

    /// The page wrote, or could not write, what it was asked to.
    pub(super) fn kept(&mut self, seq: u64, ok: bool) -> Result<(), Dead> {
        let Some(kept) = self
            .backlog
            .keeping
            .take_if(|keeping| keeping.seq.unwrap_or(0) == seq)
        else {
            return Ok(());
        };
        if ok {
            return self.finish(*kept);
        }
        // Back in front of what came since.
        let newer = std::mem::replace(&mut self.backlog, *kept);
        self.backlog.local.extend(newer.local);
        self.backlog.edits.extend(newer.edits);
        self.backlog.remote.extend(newer.remote);
        self.backlog.chunks.extend(newer.chunks);
        self.backlog.blobs.extend(newer.blobs);
        self.backlog.acks.extend(newer.acks);
        self.backlog.imports.extend(newer.imports);
        self.backlog.seq = newer.seq.or(self.backlog.seq);
        self.backlog.failures = 0; // A new worker would find localStorage as full.
        self.failed("localStorage is full, and this browser gives no database.".to_owned())
    }

    /// All of `done` is durable.
    fn finish(&mut self, done: Backlog) -> Result<(), Dead> {
        self.backlog.server_heads = self.backlog.server_heads.take().or(done.server_heads);
        for chunk in &done.chunks {
            self.known.insert(chunk.hash.clone());
            self.remember(chunk.edits.iter().cloned());
        }
        if let Some(seq) = done.seq {
            self.step(Input::Persisted { seq })?;
        }
        let status = self.status_now();
        let view = self.replica.document().view();
        if !done.acks.is_empty() {
            let rows_of =
                |key: &Key| -> Vec<&Row> { view.get(key).map(AsRef::as_ref).into_iter().collect() };
            let edits = done.acks.iter().map(|Ack { id, key }| SavedEdit {
                id: EditId(id.clone()),
                rows: key.as_ref().map(rows_of).unwrap_or_default(),
            });
            let local = done.chunks.iter().filter(|chunk| !chunk.edits.is_empty());
            // Without a database the page has them already.
            let chunks = local
                .filter(|_| self.store.is_some())
                .filter_map(Chunk::to_text);
            let chunks = chunks
                .filter(|chunk| chunk.text.len() <= LOCAL_CHUNK_UNITS_MAX)
                .collect();
            self.page.post(&FromWorker::Saved {
                edits: edits.collect(),
                chunks,
                status: status.clone(),
            });
            self.status = Some(status);
        }
        for (call, report) in done.imports {
            self.page.answer(call, import_result(&report));
        }
        if !done.blobs.is_empty() {
            self.upload();
        }
        if let Some(channel) = &self.channel
            && self.store.is_some()
            && !done.chunks.is_empty()
        {
            let hashes = done.chunks.into_iter().map(|chunk| chunk.hash).collect();
            channel.tell(&Hint {
                hashes,
                folded: Vec::new(),
            });
            self.fold_when_due();
        }
        Ok(())
    }

    pub(super) fn note_server_heads(&mut self, heads: &[impl std::fmt::Display]) {
        let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
        self.backlog.server_heads = Some(heads.join(" "));
    }

    /// Where everything is, now.
    pub(super) fn status_now(&mut self) -> Status {
        let waiting = self.replica.waiting();
        let uncommitted = self.backlog.edits();
        // What is not committed yet, the page counts itself.
        let edits = waiting.edits.saturating_sub(uncommitted);
        let (connection, detail, server_id) = self.connected.told();
        Status {
            waiting: edits,
            oldest_waiting_at: waiting.oldest_at.filter(|_| edits > 0).map(|at| at.0),
            connection,
            server_has_it: connection == Connection::Online
                && waiting.server_has_it
                && uncommitted == 0,
            server_id,
            detail,
        }
    }

    pub(super) fn tell_status(&mut self) {
        let status = self.status_now();
        if self.status.as_ref() != Some(&status) {
            let saved_now = status.server_has_it
                && self
                    .status
                    .as_ref()
                    .is_some_and(|before| before.waiting > 0);
            if saved_now {
                self.page
                    .log("SYSTEM", "SUCCESS", "Saved jobs to server", None);
            }
            self.page.post(&FromWorker::Status {
                status: status.clone(),
            });
            self.status = Some(status);
        }
    }
}

/// The heads in a note.
pub(super) fn heads_of<Hash: std::str::FromStr>(text: &str) -> Vec<Hash> {
    text.split_whitespace()
        .filter_map(|hash| hash.parse().ok())
        .collect()
}

/// A report as the page's program sees it.
fn import_result(report: &ImportReport) -> Value {
    let changed = report.changed + report.removed + report.restored;
    json!({
        "added": report.added,
        "changed": changed,
        "ignored": report.records.saturating_sub(report.added + report.changed),
    })
}
