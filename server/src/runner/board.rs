//! What the queue needs of a document, so that it can be tested without a server.

use futures_util::future::BoxFuture;
use plainsync_core::blob::BlobRef;
use plainsync_core::edit::{Key, StampedEdit};
use plainsync_core::view::Row;
use std::sync::Arc;
use tokio::sync::watch;

/// A document as the queue sees it: its durable rows, a way to write, its images.
pub trait Board: Send + Sync + 'static {
    /// Shows every row to `visit`, those in the bin too, oldest record first.
    fn each(&self, visit: &mut dyn FnMut(&Arc<Row>));

    /// The row with this key, wherever it is.
    fn row(&self, key: &Key) -> Option<Arc<Row>>;

    /// The row with this key or, failing that, this label.
    fn find(&self, key_or_label: &str) -> Option<Arc<Row>>;

    /// A counter that moves when rows or images may have changed.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Whether rows can be seen now; else they are when [`Board::changes`] moves.
    fn is_open(&self) -> bool {
        true
    }

    /// Applies `edit`; it is durable when this returns.
    fn edit(&self, edit: StampedEdit) -> BoxFuture<'_, Result<Written, BoardError>>;

    /// The image with this content address, if it is here.
    fn image(&self, hash: BlobRef) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoardError>>;
}

/// What became of an edit.
#[derive(Clone, Debug)]
pub struct Written {
    /// The same edit had been applied before; it was not applied again.
    pub repeated: bool,
}

/// Why a board did not do what was asked. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardError {
    /// The record or the run is not there any more, or may not be written: it never will be.
    #[error("{0}")]
    Refused(String),
    /// The disk does not let us now; it may later.
    #[error("{0}")]
    NotNow(String),
    /// The document is closed.
    #[error("the document is closed")]
    Closed,
}
