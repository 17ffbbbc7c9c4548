//! An open document as the queue's board.

use super::board::{Board, BoardError, Written};
use crate::document::{Companion, DocumentError, DocumentHandle};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use plainsync_core::blob::BlobRef;
use plainsync_core::edit::{Key, StampedEdit};
use plainsync_core::view::Row;
use std::sync::Arc;
use tokio::sync::watch;

impl Board for DocumentHandle {
    fn each(&self, visit: &mut dyn FnMut(&Arc<Row>)) {
        self.snapshot().all().for_each(visit);
    }

    fn row(&self, key: &Key) -> Option<Arc<Row>> {
        self.snapshot().get(key).cloned()
    }

    fn find(&self, key_or_label: &str) -> Option<Arc<Row>> {
        self.snapshot().find(key_or_label).cloned()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.watch()
    }

    fn edit(&self, edit: StampedEdit) -> BoxFuture<'_, Result<Written, BoardError>> {
        async move {
            let outcome = DocumentHandle::edit(self, edit).await?;
            Ok(Written {
                repeated: outcome.repeated,
            })
        }
        .boxed()
    }

    fn image(&self, hash: BlobRef) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoardError>> {
        async move { Ok(self.get_blob(hash).await?.map(|(_, bytes)| bytes)) }.boxed()
    }
}

/// A board while the document is open: with orders that wait or run it stays so.
impl Board for Companion {
    fn each(&self, visit: &mut dyn FnMut(&Arc<Row>)) {
        if let Some(open) = self.handle() {
            open.snapshot().all().for_each(visit);
        }
    }

    fn row(&self, key: &Key) -> Option<Arc<Row>> {
        self.handle()?.snapshot().get(key).cloned()
    }

    fn find(&self, key_or_label: &str) -> Option<Arc<Row>> {
        self.handle()?.snapshot().find(key_or_label).cloned()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        Companion::changes(self)
    }

    fn is_open(&self) -> bool {
        self.handle().is_some()
    }

    fn edit(&self, edit: StampedEdit) -> BoxFuture<'_, Result<Written, BoardError>> {
        match self.handle() {
            Some(open) => async move { Board::edit(&open, edit).await }.boxed(),
            None => async { Err(BoardError::NotNow(NOT_OPEN.to_owned())) }.boxed(),
        }
    }

    fn image(&self, hash: BlobRef) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoardError>> {
        match self.handle() {
            Some(open) => async move { Board::image(&open, hash).await }.boxed(),
            None => async { Err(BoardError::NotNow(NOT_OPEN.to_owned())) }.boxed(),
        }
    }
}

/// Said where a document was closed under a run, which waits until nothing runs.
const NOT_OPEN: &str = "the document is not open";

impl From<DocumentError> for BoardError {
    fn from(error: DocumentError) -> BoardError {
        match error {
            DocumentError::NotSaved { .. } | DocumentError::ReadOnly { .. } => {
                BoardError::NotNow(error.to_string())
            }
            DocumentError::Closed => BoardError::Closed,
            other => BoardError::Refused(other.to_string()),
        }
    }
}
