//! The older versions that a document keeps as files: listed, kept, and returned to.

use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::plain::import::ImportBase;

use super::{DocumentHandle, blocking};
use crate::document::actor::{has_heads, now};
use crate::document::disk::random;
use crate::document::error::DocumentError;
use crate::document::inspect::inspect;
use crate::document::origin::ImportOrigin;
use crate::document::ring::{Cause, Kept};

impl DocumentHandle {
    /// The older versions that are kept as files, newest first.
    ///
    /// # Errors
    ///
    /// [`DocumentError::NotSaved`]: the folder cannot be read.
    pub async fn kept_versions(&self) -> Result<Vec<Kept>, DocumentError> {
        let ring = self.shared.ring.clone();
        blocking(move || ring.list()).await?.map_err(not_saved)
    }

    /// Keeps the document as it is now as a file, called `label` if it is to have a name
    /// ([`is_label`](crate::document::ring::is_label)). It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`DocumentError::NotSaved`]: nothing was kept.
    pub async fn keep_version(&self, label: Option<String>) -> Result<Kept, DocumentError> {
        let document = self.copy().await?;
        let ring = self.shared.ring.clone();
        let seconds = now().seconds();
        blocking(move || {
            let (heading, rows) = (document.heading(), document.view());
            ring.create(&heading, rows, Cause::Asked, label.as_deref(), seconds)
        })
        .await?
        .map_err(not_saved)
    }

    /// The text of a version that is kept as a file, by name or label, as it lies there: with
    /// references in place of images. `None`: none is called so.
    ///
    /// # Errors
    ///
    /// [`DocumentError::NotSaved`]: the folder cannot be read.
    pub async fn read_version(&self, name: &str) -> Result<Option<Vec<u8>>, DocumentError> {
        let (ring, wanted) = (self.shared.ring.clone(), name.to_owned());
        let read = move || match ring.find(&wanted)? {
            Some(name) => ring.read(&name),
            None => Ok(None),
        };
        blocking(read).await?.map_err(not_saved)
    }

    /// Goes back to a version that is kept as a file, by name or label, as one more edit (D11). `None`: none is
    /// called so. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: nothing was changed.
    pub async fn restore_version(&self, name: &str) -> Result<Option<()>, DocumentError> {
        let Some(text) = self.read_version(name).await? else {
            return Ok(None);
        };
        let version = inspect(&text).ok().and_then(|found| found.version);
        let heads = version
            .filter(|version| version.document == Some(self.shared.id))
            .map(|version| version.heads)
            .unwrap_or_default();
        let document = self.copy().await?;
        if heads.is_empty() || !has_heads(&document, &heads) {
            // Its history is lost: what it says still adds and updates.
            let origin = ImportOrigin::Upload { confirmed: true };
            self.take_in(text, origin, ImportBase::Unknown).await?;
            return Ok(Some(()));
        }
        self.edit_now(Edit::Return { heads }).await?;
        Ok(Some(()))
    }

    /// Applies `edit`, asked for now.
    pub(super) async fn edit_now(&self, edit: Edit) -> Result<(), DocumentError> {
        let chance: [u8; 8] = random().map_err(not_saved)?;
        let edit = StampedEdit {
            id: EditId(format!("restore-{:016x}", u64::from_le_bytes(chance))),
            at: now(),
            edit,
        };
        self.edit(edit).await.map(drop)
    }
}

fn not_saved(error: std::io::Error) -> DocumentError {
    DocumentError::NotSaved {
        reason: error.to_string(),
    }
}
