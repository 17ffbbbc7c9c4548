//! Where an imported text came from.

use std::fmt;

/// Where an imported text came from: for the log, and for what it may do without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportOrigin {
    /// Somebody wrote the JSON on disk: before the first start, or since.
    HandEdit,
    /// A crash left it beside the JSON.
    Leftover,
    /// A folder syncer put it beside the JSON when two machines had written (F10).
    ConflictCopy,
    /// Somebody imports it through the dashboard or the API.
    Upload {
        /// They know that it removes more than half of the records.
        confirmed: bool,
    },
    /// An old client saved its whole list.
    OldClient,
}

impl ImportOrigin {
    /// Whether it may remove more than half of the records without a question.
    pub(super) fn may_remove_most(&self) -> bool {
        match self {
            Self::HandEdit | Self::Leftover | Self::ConflictCopy | Self::OldClient => false,
            Self::Upload { confirmed } => *confirmed,
        }
    }
}

impl fmt::Display for ImportOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HandEdit => "what the file holds",
            Self::Leftover => "a file that a crash left behind",
            Self::ConflictCopy => "a conflict copy",
            Self::Upload { .. } => "an import",
            Self::OldClient => "an old client's whole list",
        })
    }
}
