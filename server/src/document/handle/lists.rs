//! What old clients ask of a document: their whole list, there and back (L2).

use std::sync::atomic::Ordering;

use plainsync_core::plain::import::{ImportBase, ImportReport};

use super::DocumentHandle;
use crate::document::clients::OldClient;
use crate::document::error::DocumentError;
use crate::document::inbox::Message;

/// What the save of a whole list did. It is durable.
#[derive(Clone, Debug)]
pub struct ListSaved {
    /// What it changed.
    pub report: ImportReport,
    /// When the newest change of the document was made, in seconds since the Unix epoch.
    pub saved_at: i64,
    /// Size of the JSON when it was written last, in bytes. The list itself may be written later.
    pub file_bytes: u64,
    /// The version that the list is, in hexadecimal; none if it is no version of the document.
    pub version: Option<Vec<String>>,
}

/// What taking a whole list in did, as the document tells.
pub(in crate::document) struct ListTaken {
    pub(in crate::document) report: ImportReport,
    pub(in crate::document) version: Option<Vec<String>>,
}

impl DocumentHandle {
    /// Takes in the whole list of an old client, made from the version that `named` says, else
    /// from what the client holds (L2). It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: nothing of it was kept.
    pub async fn save_list(
        &self,
        body: &[u8],
        named: ImportBase,
        client: OldClient,
    ) -> Result<ListSaved, DocumentError> {
        let text = body.to_vec();
        let taken = self
            .inbox
            .ask(|reply| Message::List {
                text,
                named,
                client,
                reply,
            })
            .await?;
        Ok(ListSaved {
            report: taken.report,
            version: taken.version,
            saved_at: self.snapshot().saved_at,
            file_bytes: self.shared.file_bytes.load(Ordering::Relaxed),
        })
    }

    /// The bytes of the JSON for an old client; which version it is given is noted first.
    ///
    /// # Errors
    ///
    /// As [`DocumentHandle::export_json`].
    pub async fn load_list(&self, client: OldClient) -> Result<Vec<u8>, DocumentError> {
        let asked = self.inbox.ask(|reply| Message::Load { client, reply });
        self.render(asked.await?).await
    }
}
