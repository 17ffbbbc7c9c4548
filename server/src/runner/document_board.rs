//! An open document as the queue's board.

use super::board::{Board, BoardError, Written};
use crate::document::{Companion, DocumentError, DocumentHandle, OpenError};
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

/// Rows are seen while the document is open: with orders that wait or run it stays so. Whatever
/// is to be written opens it.
impl Board for Arc<Companion> {
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
        async move {
            let open = self.open().await.map_err(not_now)?;
            Board::edit(&open, edit).await
        }
        .boxed()
    }

    fn image(&self, hash: BlobRef) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoardError>> {
        async move {
            let open = self.open().await.map_err(not_now)?;
            Board::image(&open, hash).await
        }
        .boxed()
    }
}

fn not_now(error: OpenError) -> BoardError {
    BoardError::NotNow(error.to_string())
}

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
