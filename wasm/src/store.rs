//! What a browser keeps of a document: chunks, images, images still to upload, notes.
//!
//! One database, `plainsync`, for all documents of an origin:
//!
//! | store | key | record |
//! |---|---|---|
//! | `chunks` | document, hash | `{document, hash, bytes, edits: [edit id], at}`, found by edit id too |
//! | `blobs` | hash | `{hash, mime, bytes, at}` |
//! | `uploads` | document, hash | `{document, hash}`: the server lacks this image |
//! | `notes` | document, name | `{document, name, value}` |
//!
//! A chunk's bytes are framed with checksums and never change; its hash is made of them, so tabs that
//! write the same chunk write the same record.

mod record;

use std::collections::HashSet;

use idb::{
    Database, DatabaseEvent as _, Factory, IndexParams, KeyPath, KeyRange, ObjectStoreParams,
    Query, Transaction, TransactionMode, TransactionResult,
};
use js_sys::{Array, Function, Object, Reflect};
use plainsync_core::blob::{Blob, BlobRef};
use plainsync_core::time::Millis;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{IdbDatabase, IdbTransaction};

pub(crate) use record::Chunk;

const NAME: &str = "plainsync";
const VERSION: u32 = 1;
const CHUNKS: &str = "chunks";
const BLOBS: &str = "blobs";
const UPLOADS: &str = "uploads";
const NOTES: &str = "notes";
/// The index of `chunks` by the edits that they contain.
const BY_EDIT: &str = "edits";
/// The index of `blobs` by when they were last stored.
const BY_TIME: &str = "at";

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("this browser's database: {0}")]
    Database(#[from] idb::Error),
    /// The whole transaction was taken back.
    #[error("this browser's database took the transaction back: {0}")]
    Aborted(String),
    #[error("this browser's database holds a damaged record: {0}")]
    Damaged(String),
}

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    raw: IdbDatabase,
}

/// How sure a commit must be before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives a killed browser (measured), perhaps not a power cut.
    Relaxed,
    /// On the disk: before an older copy is deleted.
    Strict,
}

impl Store {
    pub(crate) async fn open() -> Result<Self, StoreError> {
        let mut request = Factory::new()?.open(NAME, Some(VERSION))?;
        request.on_upgrade_needed(|event| {
            // What fails here fails the opening too.
            drop(event.database().and_then(|database| make_stores(&database)));
        });
        let database = request.await?;
        let raw: JsValue = database.into();
        let raw: IdbDatabase = raw.unchecked_into();
        Ok(Self {
            database: Database::from(raw.clone()),
            raw,
        })
    }

    /// All chunks of a document that are whole; the others are named.
    pub(crate) async fn chunks(
        &self,
        document: &str,
    ) -> Result<(Vec<Chunk>, Vec<String>), StoreError> {
        let tx = self.read(&[CHUNKS])?;
        let found = tx
            .object_store(CHUNKS)?
            .get_all(Some(of_document(document)?), None)?
            .await?;
        tx.await?;
        let mut damaged = Vec::new();
        let whole = found
            .iter()
            .filter_map(|value| Chunk::read(value).map_err(|what| damaged.push(what)).ok());
        Ok((whole.collect(), damaged))
    }

    /// The names of all chunks of a document.
    pub(crate) async fn chunk_hashes(&self, document: &str) -> Result<Vec<String>, StoreError> {
        let tx = self.read(&[CHUNKS])?;
        let found = tx
            .object_store(CHUNKS)?
            .get_all_keys(Some(of_document(document)?), None)?
            .await?;
        tx.await?;
        Ok(found
            .iter()
            .filter_map(|key| Array::from(key).get(1).as_string())
            .collect())
    }

    /// Those of these chunks that are there and whole.
    pub(crate) async fn some_chunks(
        &self,
        document: &str,
        hashes: &[String],
    ) -> Result<Vec<Chunk>, StoreError> {
        let tx = self.read(&[CHUNKS])?;
        let store = tx.object_store(CHUNKS)?;
        let mut found = Vec::new();
        for hash in hashes {
            if let Some(value) = store.get(pair(document, hash))?.await? {
                found.extend(Chunk::read(&value).ok());
            }
        }
        tx.await?;
        Ok(found)
    }

    /// The chunks that contain any of these edits.
    pub(crate) async fn chunks_of_edits(
        &self,
        document: &str,
        edits: &[String],
    ) -> Result<Vec<Chunk>, StoreError> {
        let tx = self.read(&[CHUNKS])?;
        let index = tx.object_store(CHUNKS)?.index(BY_EDIT)?;
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for edit in edits {
            let Some(value) = index.get(JsValue::from_str(edit))?.await? else {
                continue;
            };
            if let Ok(chunk) = Chunk::read(&value)
                && chunk.document == document
                && seen.insert(chunk.hash.clone())
            {
                found.push(chunk);
            }
        }
        tx.await?;
        Ok(found)
    }

    /// Begins to commit chunks and new images together; await the result to know that they are.
    pub(crate) fn commit(
        &self,
        document: &str,
        chunks: &[Chunk],
        blobs: &[Blob],
        now: Millis,
        how: Durability,
    ) -> Result<Transaction, StoreError> {
        let tx = self.write(&[CHUNKS, BLOBS, UPLOADS], how)?;
        for chunk in chunks {
            tx.object_store(CHUNKS)?.put(&chunk.to_record()?, None)?;
        }
        for blob in blobs {
            tx.object_store(BLOBS)?
                .put(&record::blob(blob, now)?, None)?;
            let upload = record::object(&[
                ("document", document.into()),
                ("hash", blob.hash.name().into()),
            ])?;
            tx.object_store(UPLOADS)?.put(&upload, None)?;
        }
        Ok(tx)
    }

    /// Deletes exactly these chunks.
    pub(crate) async fn delete_chunks(
        &self,
        document: &str,
        hashes: &[String],
    ) -> Result<(), StoreError> {
        let tx = self.write(&[CHUNKS], Durability::Relaxed)?;
        for hash in hashes {
            tx.object_store(CHUNKS)?.delete(pair(document, hash))?;
        }
        committed(tx).await
    }

    /// An image's bytes, if they are here and are what their name says.
    pub(crate) async fn blob(&self, hash: &BlobRef) -> Result<Option<Blob>, StoreError> {
        let tx = self.read(&[BLOBS])?;
        let found = tx
            .object_store(BLOBS)?
            .get(JsValue::from_str(&hash.name()))?
            .await?;
        tx.await?;
        Ok(found
            .and_then(|value| Blob::from_bytes(record::bytes(&value, "bytes")?))
            .filter(|blob| blob.hash == *hash))
    }

    /// Keeps an image that came from the server.
    pub(crate) async fn keep_blob(&self, blob: &Blob, now: Millis) -> Result<(), StoreError> {
        let tx = self.write(&[BLOBS], Durability::Relaxed)?;
        tx.object_store(BLOBS)?
            .put(&record::blob(blob, now)?, None)?;
        committed(tx).await
    }

    /// The names of all images here.
    pub(crate) async fn blob_names(&self) -> Result<HashSet<String>, StoreError> {
        let tx = self.read(&[BLOBS])?;
        let found = tx.object_store(BLOBS)?.get_all_keys(None, None)?.await?;
        tx.await?;
        Ok(found.iter().filter_map(JsValue::as_string).collect())
    }

    /// Makes room: deletes up to `count` images, oldest first, that the server has too.
    pub(crate) async fn drop_old_blobs(&self, count: u32) -> Result<usize, StoreError> {
        let tx = self.write(&[BLOBS, UPLOADS], Durability::Relaxed)?;
        let waiting = tx.object_store(UPLOADS)?.get_all_keys(None, None)?.await?;
        let waiting: HashSet<String> = waiting
            .iter()
            .filter_map(|key| Array::from(key).get(1).as_string())
            .collect();
        let blobs = tx.object_store(BLOBS)?;
        let oldest = blobs
            .index(BY_TIME)?
            .get_all_keys(None, Some(count))?
            .await?;
        let mut dropped = 0;
        for key in oldest {
            if key.as_string().is_some_and(|name| !waiting.contains(&name)) {
                blobs.delete(key)?;
                dropped += 1;
            }
        }
        committed(tx).await?;
        Ok(dropped)
    }

    /// The images that the server of a document lacks, as far as is known.
    pub(crate) async fn uploads(&self, document: &str) -> Result<Vec<BlobRef>, StoreError> {
        let tx = self.read(&[UPLOADS])?;
        let found = tx
            .object_store(UPLOADS)?
            .get_all_keys(Some(of_document(document)?), None)?
            .await?;
        tx.await?;
        let names = found
            .iter()
            .filter_map(|key| Array::from(key).get(1).as_string());
        Ok(names
            .filter_map(|name| BlobRef::from_name(&name).ok())
            .collect())
    }

    /// The server has this image now, or will never take it.
    pub(crate) async fn uploaded(&self, document: &str, hash: &BlobRef) -> Result<(), StoreError> {
        let tx = self.write(&[UPLOADS], Durability::Relaxed)?;
        tx.object_store(UPLOADS)?
            .delete(pair(document, &hash.name()))?;
        committed(tx).await
    }

    /// Writes a note about a document.
    pub(crate) async fn set_note(
        &self,
        document: &str,
        name: &str,
        value: &str,
    ) -> Result<(), StoreError> {
        let tx = self.write(&[NOTES], Durability::Relaxed)?;
        let note = record::object(&[
            ("document", document.into()),
            ("name", name.into()),
            ("value", value.into()),
        ])?;
        tx.object_store(NOTES)?.put(&note, None)?;
        committed(tx).await
    }

    /// Reads a note about a document.
    pub(crate) async fn note(
        &self,
        document: &str,
        name: &str,
    ) -> Result<Option<String>, StoreError> {
        let tx = self.read(&[NOTES])?;
        let found = tx.object_store(NOTES)?.get(pair(document, name))?.await?;
        tx.await?;
        Ok(found.and_then(|note| Reflect::get(&note, &"value".into()).ok()?.as_string()))
    }

    fn read(&self, stores: &[&str]) -> Result<Transaction, StoreError> {
        Ok(self
            .database
            .transaction(stores, TransactionMode::ReadOnly)?)
    }

    /// A read-write transaction. The library cannot ask for durability, so the browser is asked itself.
    fn write(&self, stores: &[&str], how: Durability) -> Result<Transaction, StoreError> {
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        let options = Object::new();
        let durability = match how {
            Durability::Relaxed => "relaxed",
            Durability::Strict => "strict",
        };
        let opened = Reflect::set(&options, &"durability".into(), &durability.into())
            .and_then(|_| Reflect::get(&self.raw, &"transaction".into()))
            .and_then(|function| function.dyn_into::<Function>())
            .and_then(|function| function.call3(&self.raw, &names, &"readwrite".into(), &options))
            .map_err(idb::Error::TransactionOpenFailed)?;
        Ok(Transaction::from(opened.unchecked_into::<IdbTransaction>()))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.raw.close();
    }
}

/// Waits until a transaction is committed.
pub(crate) async fn committed(tx: Transaction) -> Result<(), StoreError> {
    let inner: IdbTransaction = tx.into();
    match Transaction::from(inner.clone()).await? {
        TransactionResult::Committed => Ok(()),
        TransactionResult::Aborted => Err(StoreError::Aborted(inner.error().map_or_else(
            || "no reason given".to_owned(),
            |error| format!("{}: {}", error.name(), error.message()),
        ))),
    }
}

fn make_stores(database: &Database) -> Result<(), idb::Error> {
    let with_key = |path| {
        let mut params = ObjectStoreParams::new();
        params.key_path(Some(path));
        params
    };
    let chunks =
        database.create_object_store(CHUNKS, with_key(KeyPath::new_array(["document", "hash"])))?;
    let mut many = IndexParams::new();
    many.multi_entry(true);
    chunks.create_index(BY_EDIT, KeyPath::new_single("edits"), Some(many))?;
    let blobs = database.create_object_store(BLOBS, with_key(KeyPath::new_single("hash")))?;
    blobs.create_index(BY_TIME, KeyPath::new_single("at"), None)?;
    database.create_object_store(UPLOADS, with_key(KeyPath::new_array(["document", "hash"])))?;
    database.create_object_store(NOTES, with_key(KeyPath::new_array(["document", "name"])))?;
    Ok(())
}

fn pair(document: &str, name: &str) -> JsValue {
    Array::of2(&document.into(), &name.into()).into()
}

/// All keys that begin with a document: an array sorts after every text.
fn of_document(document: &str) -> Result<Query, StoreError> {
    let low = Array::of1(&document.into());
    let high = Array::of2(&document.into(), &Array::new());
    Ok(Query::KeyRange(KeyRange::bound(
        &low,
        &high,
        Some(false),
        Some(true),
    )?))
}
