//! What a person or a program asks to be changed.
//!
//! An [`Edit`] is plain JSON, so that a page can write it down before the engine has
//! loaded. It travels as a [`StampedEdit`]: with an id of its own, by which a host
//! recognises a replay, and the time at which it was made.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::limits::KEY_BYTES_MAX;
use crate::tagged;
use crate::time::Millis;

/// A record's identity: unique, never shown to people, the same for ever (D7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

impl Key {
    /// Whether this is a key that callers may choose: 8 to [`KEY_BYTES_MAX`] of `A-Za-z0-9_-`.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        (8..=KEY_BYTES_MAX).contains(&self.0.len())
            && self
                .0
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An edit's own id, chosen by whoever made it; equal ids are one edit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EditId(pub String);

/// An edit with its id and the time at which it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StampedEdit {
    /// The edit's own id.
    pub id: EditId,
    /// When it was made, in milliseconds since the Unix epoch. Shown, never compared (D2).
    pub at: Millis,
    /// What is asked.
    pub edit: Edit,
}

/// An order to run a job: only `server` starts it, at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunOrder {
    /// The new run's id, unique in its record.
    pub run_id: String,
    /// The device id of the server that is to start it.
    pub server: String,
}

/// One request for change: an object whose `type` is the variant's name. Each is applied whole or
/// refused whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    remote = "Self",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[non_exhaustive]
pub enum Edit {
    /// A new record under a key that the caller drew. A key that exists makes this a no-op.
    Insert {
        /// The record's key.
        key: Key,
        /// Its fields; without a label the next one is given.
        record: Map<String, Value>,
        /// A run to order at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<RunOrder>,
    },
    /// New values for fields of one record. Fields of a run make a new run (D5).
    Change {
        /// The record.
        key: Key,
        /// Fields and their new values.
        #[serde(default)]
        set: Map<String, Value>,
        /// Fields to delete.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unset: Vec<String>,
    },
    /// Moves records to the bin (D6).
    Remove {
        /// The records.
        keys: Vec<Key>,
    },
    /// Brings records back from the bin.
    Restore {
        /// The records.
        keys: Vec<Key>,
    },
    /// Empties records that are in the bin; only key, label and creation time stay.
    Purge {
        /// The records.
        keys: Vec<Key>,
    },
    /// Orders a run of each record.
    Run {
        /// The records.
        keys: Vec<Key>,
        /// One order for each, in the same sequence.
        orders: Vec<RunOrder>,
    },
    /// What the server that owns a run reports about it.
    Progress {
        /// The record.
        key: Key,
        /// The run.
        run_id: String,
        /// Run fields and their new values.
        set: Map<String, Value>,
    },
    /// Settles a conflict. Refused if either side moved since it was shown (D4).
    Resolve {
        /// The record.
        key: Key,
        /// The field, or `run` for the fields of a run together.
        field: String,
        /// The value to keep; a run's id where `field` is `run`.
        value: Value,
        /// The versions that were shown, as listed with the conflict.
        seen: Vec<String>,
    },
    /// Goes back to an older version, as a new edit (D11).
    Return {
        /// The version: hashes of its newest changes, in hexadecimal.
        heads: Vec<String>,
    },
}

impl<'de> Deserialize<'de> for Edit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tagged::read(deserializer, Self::deserialize)
    }
}

impl Serialize for Edit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let derived = |edit: &Self| Self::serialize(edit, serde_json::value::Serializer);
        tagged::write(self, derived, serializer)
    }
}

/// Why an edit was refused. The document is unchanged and usable after each of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// No record has this key.
    #[error("there is no record with the key {key:?}")]
    NoSuchRecord {
        /// The key that was asked for.
        key: String,
    },
    /// The record is in the bin.
    #[error("{label} is in the bin; restore it before it is {action}")]
    InBin {
        /// The record's label.
        label: String,
        /// What was asked.
        action: &'static str,
    },
    /// Only binned records are purged.
    #[error("{label} is not in the bin; only removed records can be purged")]
    NotInBin {
        /// The record's label.
        label: String,
    },
    /// The key is not one that callers may choose.
    #[error("the key {found:?} is not allowed: 8 to {KEY_BYTES_MAX} characters of A-Z a-z 0-9 _ -")]
    BadKey {
        /// The key that was given.
        found: String,
    },
    /// A field has a name or a value that is not allowed.
    #[error("{field} is {found}; allowed is {allowed}")]
    NotAllowed {
        /// The field, as a path.
        field: String,
        /// What was found there.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// The record has no run of that id.
    #[error("{label} has no run {run_id:?}")]
    NoSuchRun {
        /// The record's label.
        label: String,
        /// The run that was asked for.
        run_id: String,
    },
    /// The conflict is not the one that was shown.
    #[error(
        "{field} of {label} has changed since it was shown; look at it again before you choose"
    )]
    Moved {
        /// The record's label.
        label: String,
        /// The field.
        field: String,
    },
    /// The version asked for is not part of this document.
    #[error("the version {found:?} is not in this document's history")]
    NoSuchVersion {
        /// The version that was asked for.
        found: String,
    },
    /// The document would grow past a limit.
    #[error("the document would hold {found} {what}; the limit is {max}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there would be.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// The merge library refused; nothing was changed.
    #[error("the document refused the edit: {0}")]
    Document(String),
}

impl From<automerge::AutomergeError> for EditError {
    fn from(error: automerge::AutomergeError) -> Self {
        Self::Document(error.to_string())
    }
}
