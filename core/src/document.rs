//! One merged document: its history, and the rows that follow from it.
//!
//! A [`Document`] owns the automerge document, applies edits and changes to it, and keeps
//! the [`View`] in step. It knows no peers and no files.
//!
//! ```text
//! { jobs: { <key>: { id, prompt, …, run: <runId>, runs: { <runId>: { status, … } }, removed? } }, lastJobId?, from? }
//! ```
//!
//! The first change of every document is made by a fixed actor derived from the document's
//! id, at time 0: replicas that start apart share it, and with it the object that holds the
//! records. That object is always read, even where another client has put a new one in its
//! place, so that no client can hide the history by replacing the collection.
//!
//! **Invariant:** the same changes give the same view and the same exported bytes, in
//! whatever order they came (D1).

mod as_of;
mod check;
mod draft;
mod edits;
mod encode;
mod going_back;
mod in_step;
mod moment;
pub(crate) mod restore;
mod writer;

use std::collections::HashSet;
use std::sync::Arc;

use automerge::{ActorId, Author, Automerge, Change, ChangeHash, ObjId, ReadDoc};
use serde_json::{Map, Value};

use crate::blob::BlobRef;
use crate::edit::{EditError, Key};
use crate::id::{DeviceId, DocumentId};
use crate::limits::BULK_RECORDS_MIN;
use crate::plain::held::Held;
use crate::read::Reader;
use crate::record::Record;
use crate::schema::Schema;
use crate::view::View;

pub(crate) use draft::Draft;
use draft::Writer;
pub use edits::Edited;
pub(crate) use edits::{at_path, op_name, remove_record, restore_record};
pub(crate) use moment::Moment;
pub use restore::{RestoreError, Restored};
pub(crate) use writer::{Write, delete_field, new_record, new_run, set_field};

/// The root field that tells which document this one was made from (F6).
pub(crate) const FROM: &str = "from";

/// The root field that tells how the file shows images, and what it says where they are linked (F12).
pub const IMAGES: &str = "images";
/// See [`IMAGES`].
pub const IMAGES_LINKED: &str = "files";
/// See [`IMAGES`].
pub const IMAGES_INLINED: &str = "inline";

/// One document with its whole history.
#[derive(Clone, Debug)]
pub struct Document {
    id: DocumentId,
    schema: Arc<Schema>,
    doc: Automerge,
    first_change: ChangeHash,
    /// The newest change that was made here.
    last_own: Option<ChangeHash>,
    /// What changes made here say of themselves.
    message: &'static str,
    /// The object that the first change made for the records.
    collection: ObjId,
    view: View,
    /// The newest time that any change carries, in seconds.
    newest: i64,
    /// Which values fields held before; built when an import first asks.
    pub(crate) held: Held,
}

impl Document {
    /// A document that holds nothing but its first change, the same on every replica.
    ///
    /// # Panics
    ///
    /// Never: an empty document accepts its first object.
    #[must_use]
    pub fn new(id: DocumentId, schema: Arc<Schema>) -> Self {
        let first = crate::id::derived_key("first", &[id.as_bytes()]);
        let mut doc = Automerge::new().with_actor(ActorId::from(first.as_bytes()));
        let first = first_change(&doc, &schema.collection);
        let made = first.and_then(|change| Ok(doc.apply_changes([change])?));
        debug_assert_eq!(made, Ok(()), "an empty document takes its first change");
        let collection = doc.get(ObjId::Root, schema.collection.as_str());
        let collection = collection.ok().flatten().map_or(ObjId::Root, |(_, id)| id);
        let first_change = doc
            .get_heads()
            .first()
            .copied()
            .unwrap_or(ChangeHash([0; 32]));
        Self {
            id,
            schema,
            doc,
            first_change,
            last_own: None,
            message: "",
            collection,
            view: View::default(),
            newest: 0,
            held: Held::default(),
        }
    }

    /// Whose edits these will be from now on: a new `actor` for each start of a replica (S4).
    /// It enters the history with its first edit.
    pub fn set_actor(&mut self, actor: [u8; 16], author: &Authorship) {
        self.last_own = None;
        // In this order: a new author draws a random actor, which the core must never use.
        self.doc.set_author(Some(Author::from(author.to_bytes())));
        self.doc.set_actor(ActorId::from(actor));
    }

    /// The document's id.
    #[must_use]
    pub fn id(&self) -> &DocumentId {
        &self.id
    }

    /// What its records are.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Its rows.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The newest changes: together they name the version.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeHash> {
        let mut heads = self.doc.get_heads();
        heads.sort_unstable();
        heads
    }

    /// The newest change's time, in seconds since the Unix epoch (D1).
    #[must_use]
    pub fn newest_seconds(&self) -> i64 {
        self.newest
    }

    /// The whole history as one compressed chunk, which [`Document::restore`] takes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.doc.save()
    }

    /// Whether nothing was ever written to it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.doc.get_heads() == [self.first_change]
    }

    /// Whether every one of `heads` is part of this history.
    #[must_use]
    pub fn has(&self, heads: &[ChangeHash]) -> bool {
        heads
            .iter()
            .all(|hash| self.doc.get_change_meta_by_hash(hash).is_some())
    }

    /// Whether the file shows images as links to files beside it, not inlined (F12): a member
    /// `images` of the file's root, so that machines that share it agree.
    #[must_use]
    pub fn links_images(&self) -> bool {
        let images = self.doc.get(ObjId::Root, IMAGES).ok().flatten();
        images.is_some_and(|(value, _)| value.as_str() == Some(IMAGES_LINKED))
    }

    /// Every image that any record refers to, binned ones included.
    #[must_use]
    pub fn blob_refs(&self) -> HashSet<BlobRef> {
        crate::view::blob_refs(&self.schema, self.view.all())
    }

    pub(crate) fn automerge(&self) -> &Automerge {
        &self.doc
    }

    pub(crate) fn automerge_mut(&mut self) -> &mut Automerge {
        &mut self.doc
    }

    pub(crate) fn collection(&self) -> &ObjId {
        &self.collection
    }

    /// The change that every replica begins with.
    pub(crate) fn first_change(&self) -> ChangeHash {
        self.first_change
    }

    /// Reads the document as it is now.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::now(&self.doc)
    }

    /// Reads the document as it was at `heads`, all of which it has.
    pub(crate) fn reader_at<'d>(&'d self, heads: &'d [ChangeHash]) -> Reader<'d> {
        Reader::at(&self.doc, heads)
    }

    /// The changes that came after `heads`.
    pub(crate) fn changes_since(&self, heads: &[ChangeHash]) -> Vec<Change> {
        self.doc.get_changes(heads)
    }

    /// The objects that hold records: the first one, and any that another client made.
    pub(crate) fn collections(&self, from: Reader<'_>) -> Vec<ObjId> {
        let mut all = from.maps_at(&[ObjId::Root], &self.schema.collection);
        all.retain(|id| id != &self.collection);
        all.insert(0, self.collection.clone());
        all
    }

    /// The record at `key` as the document holds it now.
    pub(crate) fn record(&self, key: &Key) -> Option<Record> {
        self.record_in(self.reader(), key)
    }

    /// The record at `key` as `from` shows it.
    pub(crate) fn record_in(&self, from: Reader<'_>, key: &Key) -> Option<Record> {
        Record::read(from, from.maps_at(&self.collections(from), &key.0))
    }

    /// The record at `key`, or why there is none.
    pub(crate) fn record_or(&self, key: &Key) -> Result<Record, EditError> {
        self.record(key)
            .ok_or_else(|| EditError::NoSuchRecord { key: key.0.clone() })
    }

    /// Shows `visit` the record of each of `keys`, and where to read more of it.
    pub(crate) fn each_record<'k>(
        &self,
        keys: &'k [Key],
        mut visit: impl FnMut(&'k Key, Record, Reader<'_>) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let from = self.reader();
        let bulk = (keys.len() >= BULK_RECORDS_MIN).then(|| from.gather(&self.collection));
        let from = bulk.as_ref().map_or(from, |bulk| from.with(bulk));
        let collections = self.collections(from);
        for key in keys {
            let record = Record::read(from, from.maps_at(&collections, &key.0));
            let record = record.ok_or_else(|| EditError::NoSuchRecord { key: key.0.clone() })?;
            visit(key, record, from)?;
        }
        Ok(())
    }

    /// Root fields that are neither the collection nor the engine's own.
    pub(crate) fn root_fields(&self) -> Map<String, Value> {
        self.root_fields_in(self.reader())
    }

    pub(crate) fn root_fields_in(&self, from: Reader<'_>) -> Map<String, Value> {
        let mut fields = Map::new();
        for item in from.items(&ObjId::Root) {
            let name = item.key.to_string();
            if name == self.schema.collection || Some(&name) == self.schema.counter.as_ref() {
                continue;
            }
            let id = item.id();
            let value = automerge::Value::from(item.value);
            fields.insert(name, crate::value::read(from, &value, &id));
        }
        fields
    }

    /// The highest counter that anybody wrote (D9).
    fn counter_in(&self, from: Reader<'_>) -> u64 {
        let Some(name) = &self.schema.counter else {
            return 0;
        };
        let written = from.all(&ObjId::Root, name);
        let numbers = written
            .iter()
            .filter_map(|(value, id)| crate::value::read(from, value, id).as_u64());
        numbers.filter(|n| *n < 1 << 53).max().unwrap_or(0)
    }

    fn read_counter(&mut self) {
        let counter = self.counter_in(self.reader());
        self.view.set_counter(counter);
    }

    /// Runs `write` as one change made at `seconds`; nothing of it stays if it fails.
    fn write(
        &mut self,
        seconds: i64,
        write: impl FnOnce(&mut dyn Write) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        let now = Moment::now(self);
        let mut draft = now.draft(0);
        write(&mut draft)?;
        let change = draft.into_change_of(&self.writer(), now.heads(), seconds)?;
        if let Some(change) = change {
            let hash = change.hash();
            self.doc.apply_changes([change])?;
            self.last_own = Some(hash);
            self.newest = self.newest.max(seconds);
        }
        Ok(())
    }

    /// Who makes the next change here.
    fn writer(&self) -> Writer {
        let actor = self.doc.get_actor().clone();
        let last = self.last_own.as_ref();
        let last = last.and_then(|hash| self.doc.get_change_meta_by_hash(hash));
        let changes_before = match last.filter(|last| *last.actor == actor) {
            Some(last) => last.seq,
            // Builds that change again, which takes as long as the change is large.
            None => (self.doc.get_last_local_change()).map_or(0, |last| last.seq()),
        };
        let author = self.doc.get_author();
        Writer {
            actor,
            changes_before,
            author: author.map(|author| author.as_bytes().to_vec()),
            message: self.message,
        }
    }
}

/// The change that every replica of a document begins with: it makes the map for the records.
fn first_change(doc: &Automerge, collection: &str) -> Result<Change, EditError> {
    let writer = Writer {
        actor: doc.get_actor().clone(),
        changes_before: 0,
        author: None,
        message: "",
    };
    let mut draft = Draft::new(Reader::now(doc), 1);
    draft.put_map(&ObjId::Root, collection)?;
    let change = draft.into_change_of(&writer, &[], 0)?;
    change.ok_or_else(|| EditError::Document("nothing was written".to_owned()))
}

/// Who makes the changes of a replica: kept in the history with each actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorship {
    /// The device.
    pub device: DeviceId,
    /// The person or program, if it has a name.
    pub name: Option<String>,
}

impl Authorship {
    fn to_bytes(&self) -> Vec<u8> {
        let mut text = self.device.to_string();
        if let Some(name) = &self.name {
            text.push(' ');
            text.push_str(name);
        }
        text.into_bytes()
    }
}
