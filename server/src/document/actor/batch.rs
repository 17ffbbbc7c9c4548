//! What one turn of the actor gathers, to become durable together.

use std::collections::BTreeSet;
use std::path::PathBuf;

use plainsync_core::blob::Blob;
use plainsync_core::document::Document;
use plainsync_core::edit::Key;
use plainsync_core::plain::import::ImportReport;

use crate::document::clients::OldClient;
use crate::document::error::DocumentError;
use crate::document::handle::{EditOutcome, ListTaken};
use crate::document::inbox::Reply;
use crate::document::inspect::Version;
use crate::document::journal::Record;
use crate::document::origin::ImportOrigin;
use crate::document::projection::ContentHash;
use crate::metrics::Source;

/// See the module's text.
#[derive(Default)]
pub(super) struct Batch {
    /// Images that the records refer to: stored first.
    pub(super) blobs: Vec<Blob>,
    /// What goes into the journal.
    pub(super) records: Vec<Record>,
    /// The number of the last of them.
    pub(super) seq: Option<u64>,
    /// The rows that it changed.
    pub(super) keys: BTreeSet<Key>,
    /// Messages of peers that brought changes.
    pub(super) received: usize,
    /// The edits applied.
    pub(super) edits: Vec<String>,
    /// Who waits for it to be durable.
    pub(super) answers: Vec<Answer>,
    /// The engine failed: nothing more may be asked of this replica.
    pub(super) poisoned: bool,
    /// It failed on what a peer sent, who is closed already.
    pub(super) by_peer: bool,
}

impl Batch {
    /// Whether nothing is in it but what came from the shared folder.
    pub(super) fn only_followed(&self) -> bool {
        let follows = |answer: &Answer| {
            matches!(
                answer,
                Answer::Absorbed { .. } | Answer::OwnPublished { .. }
            )
        };
        !self.answers.is_empty() && self.answers.iter().all(follows)
    }

    /// How much it will write, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let records: usize = self.records.iter().map(|record| record.bytes.len()).sum();
        let blobs: usize = self.blobs.iter().map(|blob| blob.bytes.len()).sum();
        records + blobs
    }

    /// Whether there is nothing to do for it.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.blobs.is_empty()
            && self.answers.is_empty()
            && self.edits.is_empty()
            && !self.poisoned
    }
}

/// Somebody who waits for a batch to be durable.
pub(super) enum Answer {
    Edit {
        reply: Reply<EditOutcome>,
        /// The rows to answer with.
        keys: Vec<Key>,
        repeated: bool,
        source: Source,
    },
    Import {
        reply: Reply<ImportReport>,
        report: ImportReport,
        origin: ImportOrigin,
    },
    List {
        reply: Reply<ListTaken>,
        taken: ListTaken,
    },
    Load {
        /// Which old client is given the document.
        client: OldClient,
        reply: Reply<Box<Document>>,
    },
    Copy {
        reply: Reply<Box<Document>>,
    },
    /// The file's own content was taken in.
    File(TakenIn),
    /// Another device's history was taken in.
    Absorbed {
        /// The journal's name.
        name: String,
        /// How many of its changes were new.
        changes: usize,
    },
    /// The own published journal was read.
    OwnPublished {
        /// What it holds.
        chunks: Vec<Vec<u8>>,
    },
    /// A conflict copy was merged.
    Copied(CopyTaken),
    /// What was offered about the file is done.
    Offer {
        reply: Reply<()>,
    },
}

/// A conflict copy that the document has taken in.
pub(super) struct CopyTaken {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its content's hash.
    pub(super) hash: ContentHash,
    /// What it changed.
    pub(super) report: ImportReport,
}

/// Content of the JSON that the document has taken in.
pub(super) struct TakenIn {
    /// Its hash.
    pub(super) hash: ContentHash,
    /// The version that it is, if nobody edited it and it is an older one (F9).
    pub(super) older: Option<Version>,
    /// What it changed.
    pub(super) report: ImportReport,
    /// Who asked for it, if anybody did.
    pub(super) reply: Option<Reply<()>>,
}

impl Answer {
    /// What it counts as, if it changed the document.
    pub(super) fn source(&self) -> Option<Source> {
        let (changed, source) = match self {
            Self::Edit {
                repeated, source, ..
            } => (!repeated, *source),
            Self::Import { report, .. } => (report.is_change(), Source::Http),
            Self::List { taken, .. } => (taken.report.is_change(), Source::OldClient),
            Self::File(taken) => (taken.report.is_change(), Source::File),
            Self::Copied(taken) => (taken.report.is_change(), Source::File),
            Self::Absorbed { changes, .. } => (*changes > 0, Source::Folder),
            _ => return None,
        };
        changed.then_some(source)
    }

    /// Says why nothing of it was kept.
    pub(super) fn refuse(self, error: DocumentError) {
        // Who asked may have given up waiting.
        match self {
            Self::Edit { reply, .. } => drop(reply.send(Err(error))),
            Self::Import { reply, .. } => drop(reply.send(Err(error))),
            Self::List { reply, .. } => drop(reply.send(Err(error))),
            Self::Load { reply, .. } | Self::Copy { reply } => drop(reply.send(Err(error))),
            Self::Offer { reply } => drop(reply.send(Err(error))),
            // They are looked at again.
            Self::Absorbed { .. } | Self::OwnPublished { .. } | Self::Copied(_) => {}
            Self::File(TakenIn { reply, .. }) => {
                if let Some(reply) = reply {
                    drop(reply.send(Err(error)));
                }
            }
        }
    }
}
