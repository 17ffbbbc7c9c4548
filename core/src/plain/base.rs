//! Which version a list was made from, where the list does not say it (F6, L2).
//!
//! An old dashboard posts its whole list and names no version; a file may come back without its
//! `sync` block. Whoever gave lists away, however, knows which versions can be out there. They
//! are tried as the list's base: the one that the list differs least from is it. The list is
//! then a fork of that version, like any file (F4).
//!
//! A client may hold any of several versions (two tabs, an answer that was lost), so a record
//! counts as removed only if every one of them had it; and a list without any records is a clear
//! only if every one of them had some. Removed records go to the bin, as always (D6).
//!
//! A host keeps, for each client, the [`Handed`] versions: one when it answers with a list, and
//! in place of all of them one when it takes a list in, since that is what the client has
//! now. It keeps at most [`BASE_VERSIONS_MAX`] and hands them in with the next list:
//!
//! ```
//! use plainsync_core::plain::base::{Handed, remember};
//! # use plainsync_core::{document::Document, id::DocumentId, schema::Schema};
//! # use plainsync_core::plain::import::{ImportBase, ImportOptions};
//! # let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
//! # let list = br#"{"jobs": [{"id": "job-1", "createdAt": 1}]}"#;
//! # document.import(list, &ImportOptions::default())?;
//! let mut client = Vec::new();
//! remember(&mut client, Handed::now(&document)); // GET /load-jobs
//! let options = ImportOptions {
//!     base: ImportBase::Handed(client.clone()),
//!     ..ImportOptions::default()
//! };
//! document.import(br#"{"jobs": []}"#, &options)?; // POST /save-jobs: its user pressed Clear
//! client = vec![Handed::now(&document)];
//! assert_eq!((document.view().rows().count(), document.view().bin().count()), (0, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Invariant:** the choice follows from the list and the set of versions: not from their order,
//! not from a clock, not from what else the document holds.

use std::cmp::Reverse;

use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::file::{self, File};
use super::import::ImportError;
use crate::document::{Document, Moment};
use crate::limits::BASE_VERSIONS_MAX;
use crate::schema::Schema;
use crate::value::{same_as_parsed, to_text};

/// A version that was given away or taken in, and may be what somebody edits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Its newest changes, in hexadecimal, sorted.
    pub heads: Vec<String>,
    /// What the list looked like: finds the version at once if nobody edited it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl Handed {
    /// The version that `document` is at.
    #[must_use]
    pub fn now(document: &Document) -> Self {
        Self {
            heads: document.version().heads,
            fingerprint: None,
        }
    }

    /// The same with the fingerprint of the text that was handed out.
    ///
    /// # Errors
    ///
    /// [`ImportError::Text`]: `text` is no list of records.
    pub fn with_text(mut self, text: &[u8], schema: &Schema) -> Result<Self, ImportError> {
        self.fingerprint = Some(fingerprint(text, schema)?);
        Ok(self)
    }

    /// The version that `heads` name.
    pub(crate) fn of(heads: &[ChangeHash]) -> Self {
        Self {
            heads: heads.iter().map(ToString::to_string).collect(),
            fingerprint: None,
        }
    }

    pub(crate) fn hashes(&self) -> Option<Vec<ChangeHash>> {
        let hashes = self.heads.iter().map(|head| head.parse().ok());
        hashes
            .collect::<Option<Vec<_>>>()
            .filter(|hashes| !hashes.is_empty())
    }
}

/// Adds `version` to those that a client may hold; past [`BASE_VERSIONS_MAX`] the oldest goes.
pub fn remember(versions: &mut Vec<Handed>, version: Handed) {
    versions.retain(|known| known.heads != version.heads);
    versions.push(version);
    let excess = versions.len().saturating_sub(BASE_VERSIONS_MAX);
    versions.drain(..excess);
}

/// A digest of the records in `text`: of the same records in any order and any spelling it is
/// the same, with images inlined or not.
///
/// # Errors
///
/// [`ImportError::Text`]: `text` is no list of records.
pub fn fingerprint(text: &[u8], schema: &Schema) -> Result<String, ImportError> {
    Ok(fingerprint_of(&file::read(text, schema)?))
}

fn fingerprint_of(file: &File) -> String {
    let mut records: Vec<String> = file
        .records
        .iter()
        .map(|record| canonical(&Value::Object(record.to_fields())))
        .collect();
    records.sort_unstable();
    let mut hash = Sha256::new();
    for record in records {
        hash.update((record.len() as u64).to_be_bytes());
        hash.update(record.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// JSON with sorted keys, numbers by their value.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter() // By name: serde_json's maps are sorted.
                .map(|(name, value)| format!("{name:?}:{}", canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Number(number) => match number.as_i64().or_else(|| whole(number.as_f64())) {
            Some(whole) => whole.to_string(),
            None => number.to_string(),
        },
        other => to_text(other),
    }
}

/// The whole number that `number` is, where doubles are exact.
fn whole(number: Option<f64>) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and far inside i64")]
    number
        .filter(|number| number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0)
        .map(|number| number as i64)
}

/// How far a list is from a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Records that the version shows just so.
    pub same: usize,
    /// Fields that differ, each missing or new record counting as one.
    pub differing: usize,
}

impl Distance {
    /// Whether the list can be an edit of the version: at least half of what either holds is in
    /// both. For lists of unknown origin; what a client was given needs no such doubt.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.same * 2 >= self.same + self.differing && self.same > 0
    }
}

/// The version among several that a list was most likely made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closest {
    /// Its newest changes, sorted.
    pub heads: Vec<ChangeHash>,
    /// How far the list is from it.
    pub distance: Distance,
}

impl Document {
    /// The version among `versions` that `text` differs least from; of equals the newest in
    /// history. Versions that this replica does not know are passed over; none if it knows none.
    ///
    /// # Errors
    ///
    /// [`ImportError::Text`]: `text` is no list of records.
    pub fn closest(
        &self,
        text: &[u8],
        versions: &[Handed],
    ) -> Result<Option<Closest>, ImportError> {
        let file = file::read(text, self.schema())?;
        let moments = self.moments(versions);
        Ok(
            choose(&file, versions, &moments).map(|(moment, distance)| Closest {
                heads: moment.heads().to_vec(),
                distance,
            }),
        )
    }

    /// The document at each of the last [`BASE_VERSIONS_MAX`] of `versions`; none where it is
    /// not known.
    pub(crate) fn moments(&self, versions: &[Handed]) -> Vec<Option<Moment<'_>>> {
        let too_many = versions.len().saturating_sub(BASE_VERSIONS_MAX);
        let known = versions.iter().enumerate().map(|(nth, version)| {
            let heads = version.hashes().filter(|heads| self.has(heads))?;
            (nth >= too_many).then(|| Moment::at(self, &heads))
        });
        known.collect()
    }
}

/// The moment that `file` differs least from.
pub(crate) fn choose<'m, 'd>(
    file: &File,
    versions: &[Handed],
    moments: &'m [Option<Moment<'d>>],
) -> Option<(&'m Moment<'d>, Distance)> {
    let known = || {
        let pairs = versions.iter().zip(moments);
        pairs.filter_map(|(version, moment)| Some((version, moment.as_ref()?)))
    };
    let newest = |moment: &Moment<'_>| (moment.last_op(), moment.heads().to_vec());
    let prints: Vec<&String> = known()
        .filter_map(|(version, _)| version.fingerprint.as_ref())
        .collect();
    if !prints.is_empty() {
        let print = fingerprint_of(file);
        let exact = known().filter(|(version, _)| version.fingerprint.as_ref() == Some(&print));
        if let Some((_, moment)) = exact.max_by_key(|(_, moment)| newest(moment)) {
            let same = file.records.len();
            return Some((moment, Distance { same, differing: 0 }));
        }
    }
    known()
        .map(|(_, moment)| (moment, distance(file, moment)))
        .min_by_key(|(moment, distance)| (distance.differing, Reverse(newest(moment))))
}

pub(crate) fn distance(file: &File, moment: &Moment<'_>) -> Distance {
    let schema = moment.document().schema();
    let mut distance = Distance {
        same: 0,
        differing: 0,
    };
    let mut found = 0;
    for record in &file.records {
        let label = record.get(&schema.label_field).map(|label| label.text());
        let row = label.and_then(|label| moment.view().by_label(&label));
        let Some(row) = row.filter(|row| row.is_listed()) else {
            distance.differing += 1;
            continue;
        };
        found += 1;
        let in_file = record.members.iter().filter(|member| {
            let is_reference = |path: &Vec<String>| path.first() == Some(&member.key);
            !schema.references.iter().any(is_reference)
                && !row
                    .job
                    .get(&member.key)
                    .is_some_and(|now| same_as_parsed(&member.node, now))
        });
        let missing = row.job.keys().filter(|name| record.get(name).is_none());
        match in_file.count() + missing.count() {
            0 => distance.same += 1,
            fields => distance.differing += fields,
        }
    }
    distance.differing += moment.view().rows().count().saturating_sub(found);
    distance
}
