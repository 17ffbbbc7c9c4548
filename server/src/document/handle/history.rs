//! The document's past: its log, its versions, what differs between them, and the way back.

use plainsync_core::conflict::Conflict;
use plainsync_core::document::Document;
use plainsync_core::edit::{Edit, Key};
use plainsync_core::history::{Diff, LogPage, RecordLog, VersionError};

use super::{DocumentHandle, blocking, render};
use crate::document::error::DocumentError;
use crate::document::inbox::Message;

/// A record with its conflicts.
#[derive(Clone, Debug)]
pub struct Contested {
    /// Its identity.
    pub key: Key,
    /// What it is called.
    pub label: String,
    /// Its conflicts, by field.
    pub conflicts: Vec<Conflict>,
}

/// What differs between two versions, with their names.
#[derive(Clone, Debug)]
pub struct Between {
    /// The first version's name.
    pub from: String,
    /// The second version's name.
    pub to: String,
    /// What differs.
    pub diff: Diff,
}

impl DocumentHandle {
    /// The document as it is on disk.
    pub(super) async fn copy(&self) -> Result<Box<Document>, DocumentError> {
        self.inbox.ask(|reply| Message::Copy { reply }).await
    }

    /// What `question` finds in the document, asked away from the threads that answer requests.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Document) -> Result<T, VersionError> + Send + 'static,
    ) -> Result<T, DocumentError> {
        let document = self.copy().await?;
        Ok(blocking(move || question(&document)).await??)
    }

    /// One page of the log: see [`Document::log`].
    ///
    /// # Errors
    ///
    /// [`DocumentError::Version`]: `after` is not of this document.
    pub async fn log(&self, after: Option<String>, limit: usize) -> Result<LogPage, DocumentError> {
        self.ask(move |document| document.log(after.as_deref(), limit))
            .await
    }

    /// One page of a record's own history: see [`Document::record_log`].
    ///
    /// # Errors
    ///
    /// [`DocumentError::Version`]: no such record, or `after` is not of this document.
    pub async fn record_log(
        &self,
        key: Key,
        after: Option<String>,
        limit: usize,
    ) -> Result<RecordLog, DocumentError> {
        self.ask(move |document| document.record_log(&key, after.as_deref(), limit))
            .await
    }

    /// The bytes of the JSON file as it would be at a version, images inlined where they are here.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Version`]: no such version; [`DocumentError::Blob`]: an image cannot be read.
    pub async fn export_version(&self, version: String) -> Result<Vec<u8>, DocumentError> {
        let document = self.copy().await?;
        let blobs = self.shared.blobs.clone();
        let exported = move || -> Result<Vec<u8>, DocumentError> {
            let heads = document.find_version(&version)?;
            let then = document.at_version(&heads)?;
            Ok(render(&then.heading(), then.view(), &blobs)?.bytes)
        };
        blocking(exported).await?
    }

    /// What differs between the versions `from` and `to`.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Version`]: one of them is not there.
    pub async fn diff(&self, from: String, to: String) -> Result<Between, DocumentError> {
        self.ask(move |document| {
            let (from, to) = (document.find_version(&from)?, document.find_version(&to)?);
            Ok(Between {
                diff: document.diff(&from, &to),
                from: document.name_of(&from),
                to: document.name_of(&to),
            })
        })
        .await
    }

    /// Goes back to `version`, with the record at `key` alone or with all, as one more edit
    /// (D11). Returns what that changed; it is durable. `dry_run`: what it would change.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: nothing was changed.
    pub async fn go_back(
        &self,
        version: String,
        key: Option<Key>,
        dry_run: bool,
    ) -> Result<Between, DocumentError> {
        let document = self.copy().await?;
        let only = key.clone();
        let planned = blocking(move || plan(document, &version, only.as_ref())).await??;
        if dry_run {
            return Ok(planned.would);
        }
        for edit in planned.edits {
            self.edit_now(edit).await?;
        }
        let before = planned.would.from;
        self.ask(move |document| {
            let (from, to) = (document.find_version(&before)?, document.heads());
            let mut diff = document.diff(&from, &to);
            if let Some(key) = key {
                diff.records.retain(|record| record.key == key);
            }
            Ok(Between {
                diff,
                from: before,
                to: document.name_of(&to),
            })
        })
        .await
    }

    /// Every record with a field that was edited apart, oldest first.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Closed`].
    pub async fn conflicts(&self) -> Result<Vec<Contested>, DocumentError> {
        self.ask(|document| {
            let rows = document.view().rows();
            let contested = rows.filter(|row| !row.conflicts.is_empty());
            Ok(contested
                .map(|row| Contested {
                    key: row.key.clone(),
                    label: row.label.clone(),
                    conflicts: document.conflicts(&row.key),
                })
                .collect())
        })
        .await
    }

    /// The value to resolve with, to keep what `op` wrote to `field` of the record at `key`;
    /// `None` if that does not stand there.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Closed`].
    pub async fn side_of(
        &self,
        key: Key,
        field: String,
        op: String,
    ) -> Result<Option<serde_json::Value>, DocumentError> {
        self.ask(move |document| Ok(document.side_of(&key, &field, &op)))
            .await
    }
}

/// The edits of a way back, and what they would change.
struct Plan {
    edits: Vec<Edit>,
    would: Between,
}

fn plan(
    mut document: Box<Document>,
    version: &str,
    key: Option<&Key>,
) -> Result<Plan, DocumentError> {
    let heads = document.find_version(version)?;
    let before = document.heads();
    let (from, to) = (document.name_of(&before), document.name_of(&heads));
    let edits = match key {
        Some(key) => document.edits_to_return(key, &heads)?,
        None => vec![Edit::Return {
            heads: heads.iter().map(ToString::to_string).collect(),
        }],
    };
    // Tried on this copy: what is purged stays so, and labels may have been taken meanwhile.
    for (nth, edit) in edits.iter().enumerate() {
        document.edit(&plainsync_core::edit::StampedEdit {
            id: plainsync_core::edit::EditId(format!("trial-{nth}")),
            at: crate::document::actor::now(),
            edit: edit.clone(),
        })?;
    }
    let mut diff = document.diff(&before, &document.heads());
    if let Some(key) = key {
        diff.records.retain(|record| record.key == *key);
    }
    Ok(Plan {
        edits,
        would: Between { from, to, diff },
    })
}
