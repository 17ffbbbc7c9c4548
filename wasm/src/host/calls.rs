//! The page's questions.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use plainsync_core::blob::{self, Blob, BlobRef};
use plainsync_core::document::Document;
use plainsync_core::plain::import::{ImportBase, ImportOptions};
use plainsync_core::query::Query;
use plainsync_core::replica::{Input, StepError};
use plainsync_core::stats::Stats;
use plainsync_core::view::Row;
use serde_json::{Value, json};
use wasm_bindgen_futures::spawn_local;

use super::{Dead, Event, Gathered, Host, now, poisoned};
use crate::channel::Hint;
use crate::messages::Ask;
use crate::store::{Chunk, Durability, committed};
use crate::windows::find;

/// An image larger than this is not part of the first-paint rows, in bytes.
const FIRST_IMAGE_BYTES_MAX: usize = 12 * 1024;
/// A folded document larger than this stays out of localStorage, in UTF-16 units.
const FOLDED_UNITS_MAX: usize = 400_000;
/// Where the old dashboard's data comes from: add and update only.
const OLD_DATA: &str = "pixellab_jobs_v1";

impl Host {
    pub(super) async fn asked(
        &mut self,
        call: u32,
        ask: Ask,
        text: Option<String>,
    ) -> Result<(), Dead> {
        let view = self.replica.document().view();
        match ask {
            Ask::Query { query } => match find(view, &query) {
                Ok((rows, total)) => {
                    let rows: Vec<&Row> = rows.iter().map(AsRef::as_ref).collect();
                    self.page.answer(
                        call,
                        json!({ "rows": rows, "total": total, "offset": query.offset }),
                    );
                }
                Err(error) => self.page.fail(call, error),
            },
            Ask::Get { key } => self.page.answer(
                call,
                json!(view.get(&key).filter(|row| !row.purged).map(AsRef::as_ref)),
            ),
            Ask::Conflicts { key } => {
                let conflicts = self.replica.document().conflicts(&key);
                self.page.answer(call, json!(conflicts));
            }
            Ask::Keys {} => {
                let keys: Vec<&str> = view.rows().map(|row| row.key.as_str()).collect();
                self.page.answer(call, json!(keys));
            }
            Ask::Image { blob } => self.image(call, &blob),
            Ask::First { limit } => {
                let document = self.replica.document();
                let rows = first_rows(document, limit);
                let wanted = rows.iter().flat_map(|row| images(document, row)).collect();
                self.gather(call, Gathered::First { limit }, wanted, false);
            }
            Ask::Export {} => self.export(call, HashSet::new(), &HashMap::new()),
            Ask::Import { origin } => return self.import(call, text.unwrap_or_default(), &origin),
            Ask::Fold {} => return self.fold(call).await,
            Ask::Chunks { chunks } => {
                let drops = self.take_chunks(chunks)?;
                self.page.answer(call, json!({ "drop": drops }));
            }
        }
        Ok(())
    }

    fn image(&self, call: u32, name: &str) {
        let Ok(hash) = name.parse::<BlobRef>() else {
            return self
                .page
                .fail(call, format!("{name:?} does not name an image."));
        };
        let (blobs, page) = (self.blobs.clone(), self.page.clone());
        spawn_local(async move {
            match blobs.get(&hash).await {
                Ok(blob) => {
                    page.answer_bytes(call, json!({ "mime": blob.mime.as_str() }), &blob.bytes)
                }
                Err(reason) => page.fail(call, reason),
            }
        });
    }

    fn import(&mut self, call: u32, text: String, origin: &str) -> Result<(), Dead> {
        let base = if origin == OLD_DATA {
            ImportBase::Unknown
        } else {
            ImportBase::FromText
        };
        let options = ImportOptions {
            base,
            ..ImportOptions::default()
        };
        match self.replica.step(
            now(),
            Input::Import {
                text: text.into_bytes(),
                options,
            },
        ) {
            Ok(effects) => {
                self.perform(effects)?;
                let report = self.backlog.report.take().unwrap_or_default();
                self.backlog.imports.push((call, report)); // Answered when it is durable.
                Ok(())
            }
            Err(StepError::Poisoned) => Err(poisoned()),
            Err(error) => {
                self.page.fail(call, error);
                Ok(())
            }
        }
    }

    /// Exports, once all images are here that can be had; images that came meanwhile are asked for too.
    fn export(&self, call: u32, mut tried: HashSet<BlobRef>, images: &HashMap<BlobRef, Blob>) {
        let document = self.replica.document();
        let wanted: HashSet<BlobRef> = document
            .blob_refs()
            .into_iter()
            .filter(|hash| !images.contains_key(hash) && tried.insert(*hash))
            .collect();
        if !wanted.is_empty() {
            let all = document.blob_refs();
            return self.gather(call, Gathered::Export { tried }, all, true);
        }
        let image = |hash: &BlobRef| {
            images
                .get(hash)
                .map(|blob| Cow::Borrowed(blob.bytes.as_slice()))
        };
        match String::from_utf8(document.export(&image)) {
            Ok(text) => self.page.answer(call, Value::String(text)),
            Err(error) => self.page.fail(call, error),
        }
    }

    fn gather(&self, call: u32, what: Gathered, wanted: HashSet<BlobRef>, fetch: bool) {
        let (blobs, events) = (self.blobs.clone(), self.events.clone());
        spawn_local(async move {
            let images = blobs.gather(wanted.into_iter().collect(), fetch).await;
            // Nobody listens once the tab has closed.
            drop(events.unbounded_send(Event::Gathered { call, what, images }));
        });
    }

    pub(super) fn gathered(&mut self, call: u32, what: Gathered, images: &HashMap<BlobRef, Blob>) {
        match what {
            Gathered::Export { tried } => self.export(call, tried, images),
            Gathered::First { limit } => {
                let document = self.replica.document();
                let rows: Vec<Value> = first_rows(document, limit)
                    .iter()
                    .map(|row| painted(document, row, images))
                    .collect();
                let view = document.view();
                let first =
                    json!({ "rows": rows, "total": view.rows().count(), "stats": Stats::of(view) });
                self.page.answer(call, first);
            }
        }
    }

    /// Folds all chunks of the database into one: saved, read back and compared, committed strictly; only then
    /// are those deleted that are in it. The page asks while it holds the lock that keeps other tabs from it.
    async fn fold(&mut self, call: u32) -> Result<(), Dead> {
        self.commit().await?;
        self.load_unknown().await?;
        let nothing = json!({ "hashes": [], "into": null });
        let Some(store) = self.store.clone() else {
            self.page.answer(call, nothing);
            return Ok(());
        };
        let there = match store.chunk_hashes(&self.open.document).await {
            Ok(there) => there,
            Err(error) => {
                self.page.fail(call, error);
                return Ok(());
            }
        };
        let folded: Vec<String> = there
            .into_iter()
            .filter(|hash| self.known.contains(hash))
            .collect();
        if folded.len() < 2 {
            self.page.answer(call, nothing);
            return Ok(());
        }
        let document = self.replica.document();
        let saved = document.save();
        let mut again = Document::new(*document.id(), document.schema().clone());
        let reread = again.restore(std::slice::from_ref(&saved));
        if reread.is_err() || again.heads() != document.heads() {
            self.page.fail(
                call,
                "The folded chunk does not read back as what was folded; all chunks stay.",
            );
            return Ok(());
        }
        let chunk = Chunk::new(
            &self.open.document,
            saved,
            self.applied.iter().cloned().collect(),
            now(),
        );
        let kept = match store.commit(
            &self.open.document,
            std::slice::from_ref(&chunk),
            &[],
            now(),
            Durability::Strict,
        ) {
            Ok(transaction) => committed(transaction).await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            self.page.fail(call, error);
            return Ok(());
        }
        let old: Vec<String> = folded
            .into_iter()
            .filter(|hash| *hash != chunk.hash)
            .collect();
        self.known.insert(chunk.hash.clone());
        if let Err(error) = store.delete_chunks(&self.open.document, &old).await {
            self.page.fail(call, error); // Both are there; the next folding takes them up.
            return Ok(());
        }
        for hash in &old {
            self.known.remove(hash);
        }
        if let Some(channel) = &self.channel {
            channel.tell(&Hint {
                hashes: vec![chunk.hash.clone()],
                folded: old.clone(),
            });
        }
        let into = chunk
            .to_text()
            .filter(|chunk| chunk.text.len() <= FOLDED_UNITS_MAX);
        self.page
            .answer(call, json!({ "hashes": old, "into": into }));
        Ok(())
    }
}

/// The images that records refer to, the newest record's first.
pub(super) fn images_newest_first(document: &Document) -> Vec<BlobRef> {
    let mut seen = HashSet::new();
    let rows = document.view().rows().rev();
    rows.flat_map(|row| images(document, row))
        .filter(|hash| seen.insert(*hash))
        .collect()
}

/// The images that one row refers to.
fn images(document: &Document, row: &Row) -> Vec<BlobRef> {
    let skip = text_fields(document);
    let shown = row
        .job
        .iter()
        .filter(|(name, _)| !skip.contains(&name.as_str()));
    shown
        .flat_map(|(_, value)| blob::refs(value, &skip))
        .collect()
}

fn first_rows(document: &Document, limit: usize) -> Vec<std::sync::Arc<Row>> {
    let query = Query {
        limit: Some(limit),
        ..Query::default()
    };
    find(document.view(), &query)
        .map(|(rows, _)| rows)
        .unwrap_or_default()
}

/// A row with its small images as data URLs.
fn painted(document: &Document, row: &Row, images: &HashMap<BlobRef, Blob>) -> Value {
    let Ok(mut value) = serde_json::to_value(row) else {
        return Value::Null;
    };
    if let Some(job) = value.get_mut("job") {
        blob::inline(job, &text_fields(document), |hash| {
            let blob = images.get(hash)?;
            (blob.bytes.len() <= FIRST_IMAGE_BYTES_MAX)
                .then_some(Cow::Borrowed(blob.bytes.as_slice()))
        });
    }
    value
}

fn text_fields(document: &Document) -> Vec<&str> {
    document
        .schema()
        .text_fields
        .iter()
        .map(String::as_str)
        .collect()
}
