//! An edited file becomes edits.
//!
//! A file that says which version it was written at is a fork at that version (F4): what
//! differs from the version becomes edits there, and merges. A file without a version can
//! only add and update (F6): a record that it lacks stays, and a value that a field held
//! before is taken for an old copy.

mod labels;
mod plan;
mod resolve;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use automerge::{Change, ChangeHash};
use serde::Serialize;

use self::plan::Plan;
use super::base::Handed;
use super::file::{self, File, SyncBlock};
use super::held::{Held, Lazy};
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
    /// What its `sync` block says; without one the closest of these versions, all of which its
    /// writer may hold (L2); without any of those, none. See [`base`](super::base).
    Handed(Vec<Handed>),
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
    /// Whether it is a list of records and no more, as old clients know it: that it lacks other
    /// fields of the file says nothing (L2).
    pub only_records: bool,
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
    /// Records that are in conflict now and were not before: the same field was edited apart.
    pub conflicting: usize,
    /// Records that the file lacks and that stay, because they were edited apart (D6).
    pub kept: usize,
    /// Fields left alone because the file held an old value of theirs.
    pub stale: usize,
    /// Fields of the file outside its records that changed, or are gone.
    pub fields: usize,
    /// How many records the file holds.
    pub records: usize,
    /// Whether just these edits had been taken in before; then nothing else is counted.
    pub known: bool,
}

impl ImportReport {
    /// Whether the document is another one for it.
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.added + self.changed + self.removed + self.restored + self.kept + self.fields > 0
    }
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

/// What a file is compared with.
struct Comparison<'m, 'd> {
    /// The version from which its edits are made.
    base: &'m Moment<'d>,
    /// The version at which it was written: its labels mean what they meant there (D7).
    written: &'m Moment<'d>,
    /// Whether the file is an edit of just that version; else it only adds and updates.
    versioned: bool,
    /// Versions that all must have had a record for its absence to be a removal.
    others: &'m [Option<Moment<'d>>],
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
        let held = std::mem::take(&mut self.held);
        let mut held = Lazy::new(held, self);
        let planned = self.planned(file, options, &mut held);
        self.held = held.into_held();
        let (plan, mut changes) = planned?;
        let asked = changes.len();
        changes.retain(|change| !self.has(&[change.hash()]));
        let before: Vec<usize> = (plan.altered.iter())
            .map(|key| self.conflicts_at(key))
            .collect();
        self.automerge_mut()
            .apply_changes(changes.clone())
            .map_err(EditError::from)?;
        let keys = self.take_in(&changes);
        let mut report = plan.report;
        if asked > 0 && changes.is_empty() {
            report = ImportReport {
                records: report.records,
                known: true,
                ..ImportReport::default()
            };
        } else {
            let after = plan.altered.iter().map(|key| self.conflicts_at(key));
            report.conflicting = before.iter().zip(after).filter(|(b, a)| a > b).count();
            let listed = |key: &&Key| self.view().get(key).is_some_and(|row| row.is_listed());
            report.kept = plan.removed.iter().filter(listed).count();
            report.removed -= report.kept;
        }
        Ok(Imported {
            changes,
            blobs: plan.blobs,
            keys,
            report,
        })
    }

    fn conflicts_at(&self, key: &Key) -> usize {
        self.view().get(key).map_or(0, |row| row.conflicts.len())
    }

    /// Whether `file`, which names a version of this document, asks for anything.
    pub(crate) fn is_edited(&self, file: File) -> Result<bool, ImportError> {
        let options = ImportOptions {
            may_remove_most: true,
            ..ImportOptions::default()
        };
        let mut held = Lazy::new(Held::default(), self); // Not asked: the version is known.
        let (_, changes) = self.planned(file, &options, &mut held)?;
        Ok(!changes.is_empty())
    }

    /// What `file` asks, and the changes that do it.
    fn planned(
        &self,
        file: File,
        options: &ImportOptions,
        held: &mut Lazy<'_>,
    ) -> Result<(Plan, Vec<Change>), ImportError> {
        let named = match (&options.base, &file.sync) {
            (ImportBase::Heads(heads), _) => {
                self.all_known(heads)?;
                Some((heads.clone(), heads.clone()))
            }
            (ImportBase::FromText | ImportBase::Handed(_), Some(sync)) => self.named_by(sync)?,
            _ => None,
        };
        if let Some((written, base)) = named {
            let written = Moment::at(self, &written);
            let replaced = (base != written.heads()).then(|| Moment::at(self, &base));
            let compared = Comparison {
                base: replaced.as_ref().unwrap_or(&written),
                written: &written,
                versioned: true,
                others: &[],
            };
            return compared.plan(file, options, held);
        }
        if let ImportBase::Handed(versions) = &options.base {
            let moments = self.moments(versions);
            if let Some((base, _)) = super::base::choose(&file, versions, &moments) {
                let compared = Comparison {
                    base,
                    written: base,
                    versioned: true,
                    others: &moments,
                };
                return compared.plan(file, options, held);
            }
        }
        let now = Moment::now(self);
        let compared = Comparison {
            base: &now,
            written: &now,
            versioned: false,
            others: &[],
        };
        compared.plan(file, options, held)
    }

    /// The versions at which a file was written and from which its edits are made, if it is
    /// one of this document. They differ for a backup: it goes back from what replaced it (F8).
    pub(crate) fn named_by(&self, sync: &SyncBlock) -> Result<Option<NamedBy>, ImportError> {
        if sync.document != self.id().to_string() || sync.heads.is_empty() {
            return Ok(None);
        }
        let known = |heads: &[String]| {
            let heads: Vec<_> = heads.iter().filter_map(|head| head.parse().ok()).collect();
            self.all_known(&heads).map(|()| heads)
        };
        let written = known(&sync.heads)?;
        let base = match &sync.replaced_by {
            Some(heads) if !heads.is_empty() => known(heads)?,
            _ => written.clone(),
        };
        Ok(Some((written, base)))
    }

    fn all_known(&self, heads: &[ChangeHash]) -> Result<(), ImportError> {
        match heads.iter().find(|hash| !self.has(&[**hash])) {
            Some(missing) => Err(ImportError::Parked {
                missing: missing.to_string(),
            }),
            None => Ok(()),
        }
    }
}

/// A file's own version, and the one from which its edits are made.
pub(crate) type NamedBy = (Vec<ChangeHash>, Vec<ChangeHash>);

impl Comparison<'_, '_> {
    fn plan(
        &self,
        file: File,
        options: &ImportOptions,
        held: &mut Lazy<'_>,
    ) -> Result<(Plan, Vec<Change>), ImportError> {
        // An old client that sends an empty list was told to clear.
        let is_clear = file.records.is_empty() && !self.others.is_empty();
        let plan = Plan::make(self, file, options, held)?;
        let (removed, of) = (plan.report.removed, self.base.view().rows().count());
        if removed * 2 > of && !options.may_remove_most && !is_clear {
            return Err(ImportError::RemovesMost { removed, of });
        }
        let changes = plan.changes(self.base)?;
        Ok((plan, changes))
    }
}
