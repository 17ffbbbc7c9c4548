//! Which document a file is, and whose: the small files of the private state.
//!
//! A file that starts without its history gets a new document id and remembers in `from`
//! which version it was made from (F6): if it went on under the old id, its next changes
//! would look like a second history of the same document.

use std::io;
use std::path::Path;
use std::sync::Arc;

use plainsync_core::document::Document;
use plainsync_core::id::{DeviceId, DocumentId};
use plainsync_core::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;

use super::actor::has_heads;
use super::disk::{Disk, folder_of, random, write_whole};
use super::error::OpenError;
use super::inspect::{Version, inspect};
use super::note::{NoteError, seal, unseal};
use super::place::Place;
use super::shared::published_for;

/// The file that names this install.
pub(super) const DEVICE: &str = "device";

/// The file that names the document.
const DOCUMENT: &str = "document";

/// The list that makes a file a job history.
const JOBS: &str = "jobs";

/// The field that names a record in a plain list.
const KEY_FIELD: &str = "id";

/// What a private state says about its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The document's id.
    pub document: DocumentId,
    /// The root field that holds the records. It is part of the document's first change, so
    /// it stays what it was at the first start.
    pub collection: String,
    /// The version of another document that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
}

/// A version of another document, or of this one before its history was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct From {
    /// Which document.
    pub document: DocumentId,
    /// Which version of it.
    pub heads: Vec<String>,
}

impl Identity {
    /// What the document's records are.
    #[must_use]
    pub(super) fn schema(&self) -> Arc<Schema> {
        if self.collection == JOBS {
            Schema::job_history()
        } else {
            Schema::generic(&self.collection, KEY_FIELD)
        }
    }

    /// Makes this the document of the private state in `folder`.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(super) fn keep(&self, disk: &dyn Disk, folder: &Path) -> io::Result<()> {
        write_whole(disk, &folder.join(DOCUMENT), &self.text()?, Some(0o600))
    }

    /// How it is written, byte for byte.
    pub(super) fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

/// Which document the file at `place` is; decided once, and again if its history is gone.
///
/// # Errors
///
/// [`OpenError`]: the private state cannot be used.
pub(super) fn decide(
    disk: &dyn Disk,
    place: &Place,
    no_history: bool,
) -> Result<Identity, OpenError> {
    let path = place.state.join(DOCUMENT);
    let known: Option<Identity> = match read(disk, &path)? {
        Some(text) => Some(
            serde_json::from_slice(&text).map_err(|error| OpenError::Damaged {
                path: path.clone(),
                reason: error.to_string(),
            })?,
        ),
        None => None,
    };
    if !no_history {
        return known.ok_or_else(|| OpenError::Damaged {
            path,
            reason: "it is missing, although the journal beside it has a history; put it back, or move the journal away".to_owned(),
        });
    }
    // An unreadable file says nothing; it is dealt with when it is taken in.
    let file = disk
        .read(&place.folder.join(&place.name))
        .unwrap_or_default();
    let carried = inspect(&file).ok().and_then(|inspected| inspected.version);
    // What others have published is a history, too (F11).
    let published = published_for(disk, &place.own_folder(), &place.name);
    let is_published = |document| published.iter().any(|header| header.document == document);
    if let Some(known) = &known
        && (is_published(known.document)
            || carried
                .as_ref()
                .is_none_or(|version| is_continued(known, version)))
    {
        return Ok(known.clone());
    }
    let named = carried.as_ref().and_then(|version| version.document);
    let named = published
        .iter()
        .find(|header| Some(header.document) == named);
    if let Some(header) = named.or(published.first()) {
        info!(
            file = %place.file.display(), document = %header.document,
            "the folder holds the history of this file; it goes on here"
        );
        return keep(disk, &path, header.identity());
    }
    let from = carried.and_then(|version| {
        Some(From {
            document: version.document?,
            heads: version.heads,
        })
    });
    if let Some(from) = &from {
        info!(
            file = %place.file.display(), document = %from.document,
            "the file was written by another history, which is not here: it goes on as a new document"
        );
    }
    let identity = Identity {
        document: DocumentId::from_random(random().map_err(|source| state(&path, source))?),
        collection: collection_of(&file),
        from,
    };
    keep(disk, &path, identity)
}

/// Which document the private state of `place` says that it is, if it says so.
pub(super) fn known(disk: &dyn Disk, place: &Place) -> Option<DocumentId> {
    let text = disk.read(&place.state.join(DOCUMENT)).ok()?;
    let identity: Identity = serde_json::from_slice(&text).ok()?;
    Some(identity.document)
}

fn keep(disk: &dyn Disk, path: &Path, identity: Identity) -> Result<Identity, OpenError> {
    identity
        .keep(disk, folder_of(path))
        .map_err(|source| state(path, source))?;
    Ok(identity)
}

/// Whether a document without history can be what wrote this version: then nothing had
/// happened in it yet.
fn is_continued(known: &Identity, version: &Version) -> bool {
    let empty = Document::new(known.document, known.schema());
    version.document == Some(known.document) && has_heads(&empty, &version.heads)
}

/// The root field that holds a file's records: its only list of objects, else [`JOBS`].
pub(super) fn collection_of(file: &[u8]) -> String {
    let root: serde_json::Map<String, Value> = serde_json::from_slice(file).unwrap_or_default();
    let mut lists = root.iter().filter(|(_, value)| {
        value
            .as_array()
            .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object))
    });
    match (root.contains_key(JOBS), lists.next(), lists.next()) {
        (false, Some((name, _)), None) => name.clone(),
        _ => JOBS.to_owned(),
    }
}

/// This install's id, made at the first start in `folder`.
///
/// # Errors
///
/// [`OpenError`]: it can be neither read nor made.
pub(super) fn device(disk: &dyn Disk, folder: &Path) -> Result<DeviceId, OpenError> {
    let path = folder.join(DEVICE);
    if let Some(text) = read(disk, &path)? {
        return device_named(&text).map_err(|reason| OpenError::Damaged { path, reason });
    }
    let device = DeviceId::from_random(random().map_err(|source| state(&path, source))?);
    write_whole(disk, &path, &seal(&device.to_string()), Some(0o600))
        .map_err(|source| state(&path, source))?;
    Ok(device)
}

/// The device that the file of that name says; older ones have no sum.
///
/// # Errors
///
/// A sentence: it names none, or is not as it was written.
pub(super) fn device_named(text: &[u8]) -> Result<DeviceId, String> {
    let text = match unseal(text) {
        Ok(text) => text.to_owned(),
        Err(NoteError::NoSum) => String::from_utf8_lossy(text).into_owned(),
        Err(error) => return Err(error.to_string()),
    };
    let device = text.trim().parse();
    device.map_err(|error| format!("it names no device: {error}"))
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    match disk.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(state(path, source)),
    }
}

fn state(path: &Path, source: io::Error) -> OpenError {
    OpenError::State {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::disk::RealDisk;

    fn place(root: &Path) -> Place {
        let place = Place::find(root, &root.join("state")).expect("a place");
        std::fs::create_dir_all(&place.state).expect("a folder");
        place
    }

    #[test]
    fn an_install_keeps_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = device(&RealDisk, folder.path()).expect("made");
        assert_eq!(device(&RealDisk, folder.path()).expect("read"), first);
        // As it was written before it had a sum.
        std::fs::write(folder.path().join(DEVICE), format!("{first}\n")).expect("written");
        assert_eq!(device(&RealDisk, folder.path()).expect("read"), first);
        std::fs::write(folder.path().join(DEVICE), "nonsense").expect("damaged");
        let text = device(&RealDisk, folder.path())
            .expect_err("refused")
            .to_string();
        assert!(
            text.contains("device") && text.contains("nonsense"),
            "{text}"
        );
    }

    #[test]
    fn f6_a_file_of_another_history_becomes_a_new_document_that_remembers_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let other = DocumentId::from_random([9; 16]);
        let head = "ab".repeat(32);
        let text =
            format!(r#"{{"jobs": [], "sync": {{"document": "{other}", "heads": ["{head}"]}}}}"#);
        std::fs::write(&place.file, text).expect("a file");
        let first = decide(&RealDisk, &place, true).expect("decided");
        assert_ne!(first.document, other);
        let from = From {
            document: other,
            heads: vec![head.clone()],
        };
        assert_eq!(first.from, Some(from));
        assert_eq!(decide(&RealDisk, &place, false).expect("kept"), first);
        // The journal was lost after the file had been written: the old id is not used again.
        let text = format!(
            r#"{{"jobs": [], "sync": {{"document": "{}", "heads": ["{head}"]}}}}"#,
            first.document
        );
        std::fs::write(&place.file, text).expect("a file");
        let second = decide(&RealDisk, &place, true).expect("decided");
        assert_ne!(second.document, first.document);
        assert_eq!(second.from.map(|from| from.document), Some(first.document));
    }

    #[test]
    fn an_empty_document_that_was_written_is_still_the_same_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(folder.path());
        let first = decide(&RealDisk, &place, true).expect("decided");
        let empty = Document::new(first.document, first.schema()).export(&|_| None);
        std::fs::write(&place.file, empty).expect("a file");
        assert_eq!(decide(&RealDisk, &place, true).expect("decided"), first);
    }

    #[test]
    fn the_only_list_of_a_file_is_its_collection() {
        for (file, collection) in [
            (r#"{"jobs": [], "notes": [{}]}"#, "jobs"),
            (r#"{"notes": [{"id": 1}], "title": "x"}"#, "notes"),
            (r#"{"notes": [{"id": 1}], "more": [{}]}"#, "jobs"),
            (r#"{"notes": [1]}"#, "jobs"),
            ("", "jobs"),
            ("[1]", "jobs"),
        ] {
            assert_eq!(collection_of(file.as_bytes()), collection, "{file}");
        }
    }
}
