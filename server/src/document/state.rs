//! What a document says of itself to people: its name, its version, and how its file does.

use std::collections::HashMap;
use std::path::Path;

use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::ImportReport;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::inspect::inspect;

/// A document in one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentInfo {
    /// The file's own name, such as `job_history.json`.
    pub name: String,
    /// The document's id.
    pub id: DocumentId,
    /// Its URL for automerge-repo clients.
    pub url: String,
    /// Its newest durable changes, in hexadecimal.
    pub heads: Vec<String>,
    /// How many records its list shows.
    pub jobs: usize,
    /// How its JSON does.
    pub file_state: FileState,
    /// What may be done about the JSON, and is not done by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// What the last file that changed something brought, since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_import: Option<TookIn>,
}

impl DocumentInfo {
    /// What a file says of the document that it carries, if it carries one.
    pub(super) fn carried_by(path: &Path, text: &[u8]) -> Option<Self> {
        let version = inspect(text).ok()?.version?;
        let id = version.document?;
        let root: HashMap<String, &RawValue> = serde_json::from_slice(text).unwrap_or_default();
        let lists = root.into_iter().filter(|(name, _)| name != "sync");
        let lists = lists.filter_map(|(_, list)| serde_json::from_str(list.get()).ok());
        let lists = lists.map(|list: Vec<IgnoredAny>| list.len());
        Some(Self {
            name: path.file_name()?.to_string_lossy().into_owned(),
            id,
            url: id.url(),
            heads: version.heads,
            jobs: lists.max().unwrap_or(0),
            file_state: FileState::default(),
            offer: None,
            last_import: None,
        })
    }
}

/// What people should know of the JSON, or decide about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileNews {
    /// How it does.
    pub file_state: FileState,
    /// What may be done about it, and is not done by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// What the last file that changed something brought, since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_import: Option<TookIn>,
}

/// Something that may be done about the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// What.
    pub kind: OfferKind,
    /// The version that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<String>,
    /// A sentence for people.
    pub detail: String,
}

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OfferKind {
    /// Going back to an older version that was put in the JSON's place (F9).
    OlderVersion,
    /// Beginning with an empty list, because the JSON was deleted (F7).
    StartFresh,
}

/// What a file brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TookIn {
    /// Which file, in words.
    pub source: String,
    /// When, in seconds since the Unix epoch.
    pub at: i64,
    /// What it did.
    pub report: ImportReport,
}

/// How the JSON of a document does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileState {
    /// In one word.
    pub state: FileCondition,
    /// A sentence for people, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How the JSON of a document does, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FileCondition {
    /// It is written whenever the document changes.
    #[default]
    Ok,
    /// It was deleted, and is about to be written again.
    Missing,
    /// What is there is no history; it is not replaced, and edits stay in the journal (F7).
    Unparsable,
    /// It was written at a version that has not arrived here; it is not replaced (F6).
    Parked,
    /// Taking it in would remove most records: somebody must say so first (F7).
    AwaitingAnswer,
    /// The file system refuses to write it; edits are safe in the journal.
    NotWritten,
    /// The journal cannot be written: edits are refused.
    ReadOnly,
}

impl FileCondition {
    /// Whether the file is left as it is until somebody changes it or answers.
    #[must_use]
    pub fn is_left_alone(self) -> bool {
        matches!(self, Self::Unparsable | Self::Parked | Self::AwaitingAnswer)
    }
}

impl FileState {
    pub(super) fn new(state: FileCondition, detail: impl Into<String>) -> Self {
        Self {
            state,
            detail: Some(detail.into()),
        }
    }
}

/// What to do with a file that awaits an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAnswer {
    /// Take it in as it is: also if that removes most records, or if its version is unknown here.
    Take,
    /// Leave it aside and write the document's own content: what was there goes to the archive.
    Replace,
    /// Go back to the older version that is offered (F9).
    Return,
    /// Move everything to the bin, as is offered when the file was deleted.
    Fresh,
    /// Nothing of what is offered.
    Dismiss,
}
