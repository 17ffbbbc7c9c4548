//! What a document's refusal is over HTTP.

use plainsync_core::edit::EditError;
use plainsync_core::history::VersionError;
use plainsync_core::plain::import::ImportError;

use super::problem::{ApiError, Kind};
use crate::document::DocumentError;
use crate::document::blobs::BlobError;

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        Self::new(kind_of(&error), error.to_string())
    }
}

fn kind_of(error: &DocumentError) -> Kind {
    match error {
        DocumentError::Edit(error) => of_edit(error),
        DocumentError::Version(error) => of_version(error),
        DocumentError::Import(ImportError::Text { .. }) => Kind::Malformed,
        DocumentError::Import(ImportError::Edit(error)) => of_edit(error),
        DocumentError::Import(ImportError::Parked { .. }) => Kind::Precondition,
        DocumentError::Import(ImportError::RemovesMost { .. }) => Kind::Confirm,
        DocumentError::Import(_) | DocumentError::NoQuestion { .. } => Kind::Conflict,
        DocumentError::Blob(error) => of_blob(error),
        DocumentError::NotSaved { .. } => Kind::Storage,
        DocumentError::ReadOnly { .. } | DocumentError::Closed => Kind::Unavailable,
        _ => Kind::Internal,
    }
}

fn of_edit(error: &EditError) -> Kind {
    match error {
        EditError::NoSuchRecord { .. } | EditError::NoSuchRun { .. } => Kind::NotFound,
        EditError::InBin { .. } | EditError::NotInBin { .. } | EditError::Moved { .. } => {
            Kind::Conflict
        }
        EditError::NoSuchVersion { .. } => Kind::Precondition,
        EditError::BadKey { .. } | EditError::NotAllowed { .. } | EditError::TooMany { .. } => {
            Kind::Invalid
        }
        _ => Kind::Internal,
    }
}

fn of_version(error: &VersionError) -> Kind {
    match error {
        VersionError::Unknown { .. }
        | VersionError::BeforeAll { .. }
        | VersionError::BeforeFirst { .. }
        | VersionError::NoSuchRecord { .. } => Kind::NotFound,
        _ => Kind::Invalid,
    }
}

fn of_blob(error: &BlobError) -> Kind {
    match error {
        BlobError::Io { .. } => Kind::Storage,
        BlobError::TooLarge { .. } => Kind::TooLarge,
        _ => Kind::Invalid,
    }
}
