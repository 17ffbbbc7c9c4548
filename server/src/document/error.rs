//! Why a document refused a request, or could not be opened.

use std::io;
use std::path::PathBuf;

use plainsync_core::document::RestoreError;
use plainsync_core::edit::EditError;
use plainsync_core::history::VersionError;
use plainsync_core::plain::import::ImportError;

use super::blobs::BlobError;
use super::journal::JournalError;
use super::lock::LockError;

/// Why a document refused a request. Nothing of the request was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The edit was refused.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The file or list was refused.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// No such version, or several.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The image was refused.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The disk failed while this was being saved.
    #[error("not saved, and nothing of it was kept: {reason}")]
    NotSaved {
        /// What failed.
        reason: String,
    },
    /// The disk failed earlier and has not been found well since.
    #[error("{name} is read-only for the moment: {reason}")]
    ReadOnly {
        /// The file's name.
        name: String,
        /// What failed.
        reason: String,
    },
    /// The engine failed on this request; the document was restored from disk.
    #[error(
        "the engine failed on this request; nothing of it was kept, and the document was restored from disk"
    )]
    Engine,
    /// No file awaits an answer.
    #[error("{name} awaits no answer")]
    NoQuestion {
        /// The file's name.
        name: String,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
}

/// Why a document could not be opened. Nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder of the JSON cannot be used.
    #[error("the folder {path} cannot be used: {source}; plainsync must be able to write there, because the JSON, its images and its lock lie in it", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The private state cannot be used.
    #[error("the state folder {path} cannot be used: {source}; it holds the journal, so it must be writable (--state DIR names another)", path = path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else serves the folder, or the lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's records are whole, but the engine cannot read them.
    #[error("the history in {path} cannot be read: {source}; move the journal away to start anew from the JSON", path = path.display())]
    History {
        /// The journal.
        path: PathBuf,
        /// What the engine said.
        source: RestoreError,
    },
    /// A file of the private state says something that cannot be.
    #[error("{path} does not hold what it should: {reason}; remove it to have a new one made", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A thread could not be started.
    #[error("no thread could be started for {name}: {source}")]
    Thread {
        /// The document's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}
