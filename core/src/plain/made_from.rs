//! Which version a file was made from that has lost its `sync` block (F6).
//!
//! Scripts and editors rewrite the file and drop what they do not know. Whoever wrote it knows
//! which versions were in it; the one that it differs least from is its base, if it can be an edit
//! of that at all ([`Distance::fits`]). Then what it lacks was removed, and what differs was
//! edited, as in a file that names its version (F4).
//!
//! A file may as well be an old copy, and then its nearest version is a wrong one. Three things
//! keep it from doing harm:
//!
//! - a record that it has, the version lacks and the document knows shows that it is of another
//!   version: it has no base, and only adds and updates;
//! - where several versions are equally near, a record was removed only if all of them had it;
//! - what is removed goes to the bin (D6), and more than half is not removed unasked (F7).
//!
//! ```
//! # use plainsync_core::{document::Document, id::DocumentId, schema::Schema};
//! # use plainsync_core::plain::{base::Handed, import::ImportOptions};
//! # let mut document = Document::new(DocumentId::from_random([7; 16]), Schema::job_history());
//! # let first = br#"{"jobs": [{"id": "job-1", "createdAt": 1}, {"id": "job-2", "createdAt": 2}, {"id": "job-3", "createdAt": 3}]}"#;
//! # document.import(first, &ImportOptions::default())?;
//! let written = vec![Handed::now(&document)]; // Noted whenever the file is written.
//! let edited = br#"{"jobs": [{"id": "job-1", "createdAt": 1}, {"id": "job-3", "createdAt": 3}]}"#;
//! let from = document.made_from(edited, &written)?.expect("it is near enough");
//! let options = ImportOptions { base: from.base, ..ImportOptions::default() };
//! assert_eq!(document.import(edited, &options)?.report.removed, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use automerge::ChangeHash;

use super::base::{Distance, Handed, distance};
use super::file::{self, File};
use super::import::{ImportBase, ImportError};
use crate::document::{Document, Moment};
use crate::limits::{BASE_VERSIONS_MAX, WRITTEN_VERSIONS_MAX};
use crate::value::same_as_parsed;

/// What a file without a version was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFrom {
    /// The nearest version, sorted.
    pub heads: Vec<ChangeHash>,
    /// How far the file is from it.
    pub distance: Distance,
    /// How it is to be taken in.
    pub base: ImportBase,
}

/// A version that was tried: how far it is, how new, and which.
type Tried = (Distance, u64, Vec<ChangeHash>);

impl Document {
    /// Which of `versions` the file `text` is an edit of; none if it says by itself what it is of,
    /// or is near to none. Of more than [`WRITTEN_VERSIONS_MAX`] the last ones are tried.
    ///
    /// # Errors
    ///
    /// [`ImportError::Text`]: it is no such file.
    pub fn made_from(
        &self,
        text: &[u8],
        versions: &[Handed],
    ) -> Result<Option<MadeFrom>, ImportError> {
        let file = file::read(text, self.schema())?;
        if file.sync.is_some() {
            return Ok(None);
        }
        let skipped = versions.len().saturating_sub(WRITTEN_VERSIONS_MAX);
        let known = versions[skipped..].iter();
        let known = known.filter_map(|version| version.hashes().filter(|heads| self.has(heads)));
        let mut tried: Vec<Tried> = Vec::new();
        for heads in known {
            let moment = Moment::at(self, &heads); // One at a time: each may hold a view.
            let heads = moment.heads().to_vec();
            if tried.iter().all(|(_, _, known)| *known != heads) {
                tried.push((distance(&file, &moment), moment.last_op(), heads));
            }
        }
        let Some(least) = tried.iter().map(|(far, ..)| far.differing).min() else {
            return Ok(None);
        };
        tried.retain(|(far, ..)| far.differing == least);
        tried.sort_by_key(|(_, newest, heads)| (*newest, heads.clone()));
        let Some((distance, _, heads)) = tried.last().cloned() else {
            return Ok(None);
        };
        if !distance.fits() || self.has_strangers(&file, &Moment::at(self, &heads)) {
            return Ok(None);
        }
        let base = if tried.len() == 1 {
            ImportBase::Heads(heads.clone())
        } else {
            let skipped = tried.len().saturating_sub(BASE_VERSIONS_MAX);
            let near = tried[skipped..].iter();
            ImportBase::Handed(near.map(|(_, _, heads)| Handed::of(heads)).collect())
        };
        Ok(Some(MadeFrom {
            heads,
            distance,
            base,
        }))
    }

    /// Whether `file` has a record that the document knows and that `moment` does not list.
    fn has_strangers(&self, file: &File, moment: &Moment<'_>) -> bool {
        let schema = self.schema();
        file.records.iter().any(|record| {
            let Some(label) = record.get(&schema.label_field).map(|label| label.text()) else {
                return false;
            };
            let created = record.get(&schema.created_field);
            let listed = moment.view().by_label(&label);
            if listed.is_some_and(|row| row.is_listed()) {
                return false;
            }
            let shown = self.view().by_label(&label).into_iter();
            let mut known = shown.chain(self.view().claimants(&label));
            known.any(|row| match (row.job.get(&schema.created_field), created) {
                (Some(ours), Some(theirs)) => same_as_parsed(theirs, ours),
                _ => true,
            })
        })
    }
}
