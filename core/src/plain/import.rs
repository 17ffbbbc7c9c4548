//! An edited file becomes edits.
//!
//! A file that says which version it was written at is a fork at that version (F4): what
//! differs from the version becomes edits there, and merges. A file without a version can
//! only add and update (F6): a record that it lacks stays, and a value that a field held
//! before is taken for an old copy.

mod plan;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use automerge::{Change, ChangeHash};
use serde::Serialize;

use self::plan::Plan;
use super::file::{self, File};
use super::held::Lazy;
use crate::blob::Blob;
use crate::document::{Document, Moment};
use crate::edit::{EditError, Key};
use crate::time::Millis;

/// Which version a file was made from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ImportBase {
    /// What its `sync` block says; none without one.
    #[default]
    FromText,
    /// This version, whatever the file says.
    Heads(Vec<ChangeHash>),
    /// None: add and update only, nothing is removed (F6).
    Unknown,
}

/// How a file is to be taken in.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ImportOptions {
    /// The version that it was made from.
    pub base: ImportBase,
    /// When it was made, for a list that arrives once, at one place. A file that several devices
    /// may read has no time but that of its version, or equal edits would differ (F5).
    pub at: Option<Millis>,
    /// Whether it may remove more than half of the records without being asked again.
    pub may_remove_most: bool,
}

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Records that are new.
    pub added: usize,
    /// Records of which some field changed.
    pub changed: usize,
    /// Records that were moved to the bin.
    pub removed: usize,
    /// Records that came back from the bin.
    pub restored: usize,
    /// Fields left alone because the file held an old value of theirs.
    pub stale: usize,
    /// How many records the file holds.
    pub records: usize,
}

/// Why a file was not taken in. The document is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The text is not such a file. Says what was found, where, and what is allowed.
    #[error("line {line}, column {column}: {reason}")]
    Text {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// A sentence.
        reason: String,
    },
    /// It was written at a version that has not arrived here yet (F6).
    #[error(
        "the file was written at a version that this replica does not have yet ({missing}); it is left alone until those changes arrive"
    )]
    Parked {
        /// The first unknown head.
        missing: String,
    },
    /// It would remove most of the records (F7).
    #[error("the file would remove {removed} of {of} records; that is done only when confirmed")]
    RemovesMost {
        /// How many.
        removed: usize,
        /// Of how many.
        of: usize,
    },
    /// The document refused a value.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// An import that was applied.
#[derive(Debug, Default)]
pub struct Imported {
    /// The changes that it made.
    pub changes: Vec<Change>,
    /// Images lifted out of it.
    pub blobs: Vec<Blob>,
    /// The records whose rows changed.
    pub keys: BTreeSet<Key>,
    /// What it did.
    pub report: ImportReport,
}

impl Document {
    /// Takes `text` in. The same text on the same version gives the same changes, to the
    /// byte, on every device (F5).
    ///
    /// # Errors
    ///
    /// [`ImportError`]: nothing was taken in.
    pub fn import(
        &mut self,
        text: &[u8],
        options: &ImportOptions,
    ) -> Result<Imported, ImportError> {
        let file = file::read(text, self.schema())?;
        let heads = self.base_of(&file, &options.base)?;
        let held = std::mem::take(&mut self.held);
        let mut held = Lazy::new(held, self);
        let planned = self.planned(file, heads, options, &mut held);
        self.held = held.into_held();
        let (plan, mut changes) = planned?;
        changes.retain(|change| !self.has(&[change.hash()]));
        self.automerge_mut()
            .apply_changes(changes.clone())
            .map_err(EditError::from)?;
        let keys = self.take_in(&changes);
        Ok(Imported {
            changes,
            blobs: plan.blobs,
            keys,
            report: plan.report,
        })
    }

    /// What `file` asks, and the changes that do it.
    fn planned(
        &self,
        file: File,
        heads: Option<Vec<ChangeHash>>,
        options: &ImportOptions,
        held: &mut Lazy<'_>,
    ) -> Result<(Plan, Vec<Change>), ImportError> {
        let versioned = heads.is_some();
        let base = match &heads {
            Some(heads) => Moment::at(self, heads),
            None => Moment::now(self),
        };
        let plan = Plan::make(&base, file, versioned, options.at, held)?;
        let listed = base.view().rows().count();
        if plan.report.removed * 2 > listed && !options.may_remove_most {
            return Err(ImportError::RemovesMost {
                removed: plan.report.removed,
                of: listed,
            });
        }
        let changes = plan.changes(&base)?;
        Ok((plan, changes))
    }

    /// The heads that the file was made from; none if nothing says so.
    fn base_of(
        &self,
        file: &File,
        base: &ImportBase,
    ) -> Result<Option<Vec<ChangeHash>>, ImportError> {
        let heads: Vec<ChangeHash> = match base {
            ImportBase::Unknown => return Ok(None),
            ImportBase::Heads(heads) => heads.clone(),
            ImportBase::FromText => match &file.sync {
                Some(sync) if sync.document == self.id().to_string() && !sync.heads.is_empty() => {
                    sync.heads
                        .iter()
                        .filter_map(|head| head.parse().ok())
                        .collect()
                }
                _ => return Ok(None),
            },
        };
        match heads.iter().find(|hash| !self.has(&[**hash])) {
            Some(missing) => Err(ImportError::Parked {
                missing: missing.to_string(),
            }),
            None => Ok(Some(heads)),
        }
    }
}
