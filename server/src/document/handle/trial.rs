//! What a file would do, tried on a copy.

use std::thread;

use plainsync_core::document::Document;
use plainsync_core::plain::import::{ImportError, ImportOptions, ImportReport};
use tokio::sync::oneshot;

use super::DocumentHandle;
use crate::document::error::DocumentError;
use crate::document::inbox::Message;
use crate::document::threads::STACK_BYTES;
use crate::document::written::Written;

impl DocumentHandle {
    /// What taking in `bytes` would do, and whether it would have to be confirmed because it
    /// removes more than half of the records. Nothing is changed. `as_file`: as what the document's
    /// own file would hold, which is known to have held other versions (F6).
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: it would be refused.
    pub async fn import_trial(
        &self,
        bytes: Vec<u8>,
        as_file: bool,
    ) -> Result<(ImportReport, bool), DocumentError> {
        let document = self.inbox.ask(|reply| Message::Copy { reply }).await?;
        let (reply, answer) = oneshot::channel();
        // Like an actor's, the stack is as deep as documents nest.
        let thread = thread::Builder::new().name("import trial".to_owned());
        let written = as_file.then(|| self.shared.written.clone());
        let work = move || drop(reply.send(tried(&document, &bytes, written.as_ref())));
        let spawned = thread.stack_size(STACK_BYTES).spawn(work);
        spawned.map_err(|error| DocumentError::NotSaved {
            reason: error.to_string(),
        })?;
        answer.await.map_err(|_| DocumentError::Engine)?
    }
}

fn tried(
    document: &Document,
    bytes: &[u8],
    written: Option<&Written>,
) -> Result<(ImportReport, bool), DocumentError> {
    let mut options = ImportOptions::default();
    if let Some(written) = written
        && let Some(from) = written.made(document, bytes)?
    {
        options.base = from.base;
    }
    match document.clone().import(bytes, &options) {
        Ok(done) => return Ok((done.report, false)),
        Err(ImportError::RemovesMost { .. }) => options.may_remove_most = true,
        Err(error) => return Err(error.into()),
    }
    Ok((document.clone().import(bytes, &options)?.report, true))
}
