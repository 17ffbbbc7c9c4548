//! Two edited copies of a JSON text become one, by the document's rules: what `git merge` asks for.
//!
//! ```
//! use plainsync::document::three_way::{Texts, merge};
//!
//! let base = br#"{"jobs": [{"id": "job-1", "prompt": "a knight", "width": 64, "createdAt": 1}]}"#;
//! let ours = br#"{"jobs": [{"id": "job-1", "prompt": "a mage", "width": 64, "createdAt": 1}]}"#;
//! let theirs = br#"{"jobs": [{"id": "job-1", "prompt": "a knight", "width": 32, "createdAt": 1}]}"#;
//! let merged = merge(Texts { base, ours, theirs }, None)?;
//! let text = String::from_utf8(merged.text)?;
//! assert!(text.contains("a mage") && text.contains("\"width\": 32"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where the texts carry versions of one document whose history is here ([`History`]), each is an
//! edit of the version that it names (F4), and both versions' own histories merge as well. Else
//! both are edits of the common ancestor, in a document that is made for that and thrown away.
//!
//! **Invariant:** the result follows from the texts and the versions that they name: not from which
//! of the two is called ours, not from a clock, not from what else the history holds.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use plainsync_core::blob::BlobRef;
use plainsync_core::document::Document;
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions};
use plainsync_core::time::Millis;
use serde_json::{Value, json};
use tracing::warn;

use super::blobs::Blobs;
use super::disk::{Disk, RealDisk};
use super::identity::{Identity, collection_of};
use super::inspect::{Version, inspect};
use super::place::{self, Place};
use super::shared::{Contents, device_of};

/// The three texts of a merge.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'t> {
    /// The common ancestor; empty where there is none.
    pub base: &'t [u8],
    /// One edited copy.
    pub ours: &'t [u8],
    /// The other.
    pub theirs: &'t [u8],
}

/// A text of the three cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{which} cannot be read: {reason}")]
pub struct Unreadable {
    /// Which of them, in words.
    pub which: &'static str,
    /// Line, column and reason.
    #[source]
    pub reason: ImportError,
}

/// What a merge gives.
#[derive(Debug)]
pub struct Merged {
    /// The merged text.
    pub text: Vec<u8>,
    /// What both copies changed apart.
    pub conflicts: Vec<Conflicting>,
    /// Labels of records that one copy removed and the other edited: they stay (D6).
    pub kept: Vec<String>,
    /// The history was here, so that the text is a version of it, or an edit of one.
    pub with_history: bool,
}

/// A field that both copies changed to different values.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflicting {
    /// The record's label in the merged text.
    pub label: String,
    /// The field; `run` stands for the fields of a run together (D5).
    pub field: String,
    /// What the merged text says.
    pub shown: Value,
    /// What it does not say.
    pub other: Vec<Value>,
}

/// A history as it is found beside a JSON file and in the private state, only read.
pub struct History {
    document: Document,
    blobs: Blobs,
}

impl History {
    /// The history of `document` for the JSON at `file`; its private state is under `state`, by
    /// default in the user's state folder. What cannot be read is as if it were not there.
    #[must_use]
    pub fn find(file: &Path, state: Option<&Path>, document: DocumentId) -> Option<Self> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let state = match state {
            Some(state) => state.to_owned(),
            None => place::state_root().ok()?,
        };
        let place = Place::find(file, &state).ok()?;
        let folder = place.shared(&document);
        let mut found: Vec<Contents> = Vec::new();
        for name in disk.list(&folder).unwrap_or_default() {
            if device_of(&name.to_string_lossy()).is_some() {
                let bytes = disk.read(&folder.join(&name)).unwrap_or_default();
                found.push(Contents::read(&bytes, 0));
            }
        }
        let private = disk.read(&place.state.join("document")).unwrap_or_default();
        let private: Option<Identity> = serde_json::from_slice(&private).ok();
        let private = private.filter(|identity| identity.document == document);
        let published_files = found.len();
        if private.is_some() {
            let bytes = disk.read(&place.state.join("journal")).unwrap_or_default();
            found.push(Contents::read(&bytes, 0));
        }
        let published = found.iter().find_map(|contents| contents.header.as_ref());
        let identity = private.or_else(|| published.map(super::shared::Header::identity))?;
        let mut history = Document::new(document, identity.schema());
        for (nth, contents) in found.iter().enumerate() {
            let restored = if nth < published_files {
                history.restore_of_others(&contents.chunks)
            } else {
                history.restore(&contents.chunks)
            };
            if let Err(error) = restored {
                warn!(%document, %error, "a part of the history cannot be read");
            }
        }
        let blobs = Blobs::new(disk, &place.blobs(&document), &place.linked_images());
        Some(Self {
            document: history,
            blobs,
        })
    }
}

/// The document whose version a text carries, if it carries one.
#[must_use]
pub fn document_of(text: &[u8]) -> Option<DocumentId> {
    version_of(text)?.document
}

fn version_of(text: &[u8]) -> Option<Version> {
    let version = inspect(text).ok()?.version?;
    (!version.is_backup && !version.heads.is_empty()).then_some(version)
}

/// Merges two edited copies.
///
/// # Errors
///
/// [`Unreadable`]: one of the texts is no such file.
pub fn merge(texts: Texts<'_>, history: Option<&History>) -> Result<Merged, Unreadable> {
    let (ours, theirs) = (version_of(texts.ours), version_of(texts.theirs));
    if let (Some(history), Some(ours), Some(theirs)) = (history, &ours, &theirs) {
        let id = Some(*history.document.id());
        if ours.document == id
            && theirs.document == id
            && let Some(merged) = with_history(texts, history, ours, theirs)?
        {
            return Ok(merged);
        }
    }
    let same = ours.is_some_and(|ours| {
        theirs.is_some_and(|theirs| ours.document == theirs.document && ours.heads == theirs.heads)
    });
    without_history(texts, same)
}

/// Both copies are edits of versions that are known.
fn with_history(
    texts: Texts<'_>,
    history: &History,
    ours: &Version,
    theirs: &Version,
) -> Result<Option<Merged>, Unreadable> {
    let mut heads = Vec::new();
    for head in ours.heads.iter().chain(&theirs.heads) {
        let Ok(head) = head.parse() else {
            return Ok(None);
        };
        heads.push(head);
    }
    let Some(both) = history.document.as_of(&heads) else {
        return Ok(None);
    };
    let version = both.version();
    let options = ImportOptions {
        may_remove_most: true,
        ..ImportOptions::default()
    };
    let mut merge = Merge::of(both);
    merge.side("ours", texts.ours, &options)?;
    merge.side("theirs", texts.theirs, &options)?;
    let blobs = history.blobs.clone();
    // The version before the copies' own edits: whoever has the history reads these as edits of it.
    let sync = json!({"document": version.document, "heads": version.heads});
    let text = merge.text(Some(&sync), |hash| {
        blobs.get(hash).ok().flatten().map(|(_, bytes)| bytes)
    });
    Ok(Some(merge.done(text, true)))
}

/// Both copies are edits of the ancestor. `same_version`: of one version, which both name.
fn without_history(texts: Texts<'_>, same_version: bool) -> Result<Merged, Unreadable> {
    let named = [
        ("the common ancestor", texts.base),
        ("ours", texts.ours),
        ("theirs", texts.theirs),
    ];
    let saved = named
        .iter()
        .filter_map(|(_, text)| inspect(text).ok()?.saved_seconds)
        .max();
    let saved_ms = u64::try_from(saved.unwrap_or(0)).unwrap_or(0) * 1_000;
    let sync = same_version.then(|| sync_value(texts.ours)).flatten();
    let [base, ours, theirs] = [texts.base, texts.ours, texts.theirs].map(without_sync);
    let collection = [&ours, &theirs, &base]
        .map(|text| collection_of(text))
        .into_iter()
        .find(|collection| collection != "jobs")
        .unwrap_or_else(|| "jobs".to_owned());
    let identity = Identity {
        document: DocumentId::from_random([0; 16]),
        collection,
        from: None,
    };
    let mut merge = Merge::of(Document::new(identity.document, identity.schema()));
    let options = |base| ImportOptions {
        base,
        at: Some(Millis(saved_ms)),
        may_remove_most: true,
        only_records: false,
    };
    if !base.iter().all(u8::is_ascii_whitespace) {
        merge.side("the common ancestor", &base, &options(ImportBase::Unknown))?;
    }
    let heads = merge.document.heads();
    merge.sides.clear();
    let options = options(ImportBase::Heads(heads));
    merge.side("ours", &ours, &options)?;
    merge.side("theirs", &theirs, &options)?;
    let text = merge.text(sync.as_ref(), |_| None);
    Ok(merge.done(text, false))
}

/// A merge under way.
struct Merge {
    document: Document,
    /// Where both copies begin.
    start: Document,
    /// The document with one copy's edits alone.
    sides: Vec<Document>,
    images: HashMap<BlobRef, Vec<u8>>,
}

impl Merge {
    fn of(document: Document) -> Self {
        Self {
            start: document.clone(),
            document,
            sides: Vec::new(),
            images: HashMap::new(),
        }
    }

    /// Takes a copy in.
    fn side(
        &mut self,
        which: &'static str,
        text: &[u8],
        options: &ImportOptions,
    ) -> Result<(), Unreadable> {
        let unreadable = |reason| Unreadable { which, reason };
        let imported = self.document.import(text, options).map_err(unreadable)?;
        for blob in imported.blobs {
            self.images.insert(blob.hash, blob.bytes);
        }
        let mut alone = self.start.clone();
        match &options.base {
            ImportBase::Heads(heads) if !alone.has(heads) => {
                // The ancestor was taken in after the start: it is in the merged document.
                alone = self.document.as_of(heads).unwrap_or(alone);
            }
            _ => {}
        }
        alone.import(text, options).map_err(unreadable)?;
        self.sides.push(alone);
        Ok(())
    }

    fn text(&self, sync: Option<&Value>, stored: impl Fn(&BlobRef) -> Option<Vec<u8>>) -> Vec<u8> {
        let image = |hash: &BlobRef| {
            let found = self.images.get(hash).cloned().or_else(|| stored(hash));
            found.map(Cow::<'_, [u8]>::Owned)
        };
        let text = self.document.export(&image);
        match sync {
            Some(sync) => with_sync(text, sync),
            None => without_sync(&text),
        }
    }

    fn done(self, text: Vec<u8>, with_history: bool) -> Merged {
        let (mut conflicts, mut kept) = (Vec::new(), Vec::new());
        for row in self.document.view().rows() {
            let before = |side: &Document, field: &str| {
                let row = side.view().get(&row.key);
                row.is_some_and(|row| row.conflicts.iter().any(|found| found == field))
            };
            for conflict in self.document.conflicts(&row.key) {
                let known = self.sides.iter().any(|side| before(side, &conflict.field));
                let mut values: Vec<Value> =
                    conflict.values.into_iter().map(|side| side.value).collect();
                if let (false, Some(shown)) = (known, values.pop()) {
                    conflicts.push(Conflicting {
                        label: row.label.clone(),
                        field: conflict.field,
                        shown,
                        other: values,
                    });
                }
            }
            let was_kept = |side: &Document| {
                let row = side.view().get(&row.key);
                row.is_some_and(|row| row.kept_by_edit)
            };
            if row.kept_by_edit && !self.sides.iter().any(was_kept) {
                kept.push(row.label.clone());
            }
        }
        Merged {
            text,
            conflicts,
            kept,
            with_history,
        }
    }
}

fn sync_value(text: &[u8]) -> Option<Value> {
    let span = inspect(text).ok()?.sync_span?;
    serde_json::from_slice(text.get(span)?).ok()
}

/// `text`, which is one of ours, with another `sync` block.
fn with_sync(mut text: Vec<u8>, sync: &Value) -> Vec<u8> {
    let Some(span) = inspect(&text).ok().and_then(|found| found.sync_span) else {
        return text;
    };
    let pretty = serde_json::to_string_pretty(sync).unwrap_or_default();
    let indented = pretty.replace('\n', "\n  ");
    text.splice(span, indented.into_bytes());
    text
}

/// `text` without its `sync` block.
fn without_sync(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    let Some(span) = inspect(&text).ok().and_then(|found| found.sync_span) else {
        return text;
    };
    let mut start = span.start;
    let before = |text: &[u8], mut at: usize| {
        while at > 0 && text[at - 1].is_ascii_whitespace() {
            at -= 1;
        }
        at
    };
    // Back over `"sync" :`. Spelled in another way it stays: it is not looked at.
    start = before(&text, start).saturating_sub(1);
    start = before(&text, start).saturating_sub("\"sync\"".len());
    if !text[start..].starts_with(b"\"sync\"") {
        return text;
    }
    let mut end = span.end;
    let lead = before(&text, start);
    if lead > 0 && text[lead - 1] == b',' {
        start = lead - 1;
    } else {
        while text.get(end).is_some_and(u8::is_ascii_whitespace) {
            end += 1;
        }
        if text.get(end) == Some(&b',') {
            end += 1;
        }
    }
    text.drain(start..end);
    text
}

#[cfg(test)]
mod tests;
