//! What a document's actor asks of its keeper, and what it hears.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plainsync_core::document::Document;

use crate::document::blobs::Blobs;
use crate::document::join::Rivals;
use crate::document::journal::Record;
use crate::document::projection::{ContentHash, Projection};
use crate::document::ring::Ring;
use crate::document::shared::{Arrived, Neighbours, Published};
use crate::document::snapshot::Version;
use crate::document::written::Written;

/// How long things take; the defaults are for people, tests use shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at the file when nothing is said to have happened.
    pub poll: Duration,
    /// Between finding changed content and accepting it.
    pub stable: Duration,
    /// Without a change, before the file is written.
    pub quiet: Duration,
    /// Longest time that steady changes keep the file from being written.
    pub busy: Duration,
    /// After a failure of the disk, before it is tried again; doubles up to 32 times this.
    pub retry: Duration,
    /// After other devices' changes arrived through the folder, before the file is written: the
    /// file that they wrote is probably under way, and will be the same.
    pub follow: Duration,
    /// After a write the file rests for this many times what the write took.
    pub rest_factor: u32,
}

impl Pace {
    /// Without any waiting, for simulations.
    pub(in crate::document) const AT_ONCE: Self = Self {
        poll: Duration::ZERO,
        stable: Duration::ZERO,
        quiet: Duration::ZERO,
        busy: Duration::ZERO,
        retry: Duration::ZERO,
        follow: Duration::ZERO,
        rest_factor: 0,
    };
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(30),
            stable: Duration::from_millis(300),
            quiet: Duration::from_millis(200),
            busy: Duration::from_secs(2),
            retry: Duration::from_secs(1),
            follow: Duration::from_secs(4),
            rest_factor: 4,
        }
    }
}

/// What the actor asks for.
pub(in crate::document) enum Order {
    /// Replace the file by this version.
    Write(Version),
    /// This content is in the document.
    Settled(ContentHash),
    /// This content was looked at already, and refused.
    Refused(ContentHash),
    /// No content is refused any more.
    NothingRefused,
    /// Look again at content that was refused.
    Recheck,
    /// Something happened in the folder.
    Look,
    /// Append what is new to the published journal.
    Publish {
        /// What is new.
        records: Vec<Record>,
        /// The version that it leads to.
        version: Version,
    },
    /// Write the published journal anew.
    PublishWhole {
        /// What it is to hold.
        document: Box<Document>,
        /// The version that this is.
        version: Version,
    },
    /// The published journal that was found holds all that this device has.
    PublishedComplete,
    /// This conflict copy is in the document: move it to the archive.
    Archive {
        /// Where it is.
        path: PathBuf,
        /// What it held.
        hash: ContentHash,
    },
}

/// What the actor hears.
#[derive(Debug)]
pub(in crate::document) enum Report {
    /// Content that is not settled is there, and does not change any more.
    Found {
        /// The content.
        bytes: Vec<u8>,
        /// Its hash, for [`Order::Settled`].
        hash: ContentHash,
    },
    /// What was offered last is gone: the file is again as it was settled.
    AsBefore,
    /// The file is gone.
    Missing,
    /// The file is as ordered.
    Written {
        /// Its size, in bytes.
        len: u64,
        /// How long rendering and writing took.
        took: Duration,
    },
    /// Content that is not settled is there; it will be offered when it no longer changes.
    Postponed,
    /// The file could not be written as ordered; a sentence.
    Failed(String),
    /// The file could not be read; a sentence.
    Unread(String),
    /// It could be read again.
    ReadAgain,
    /// Another device's history has grown.
    Arrived(Arrived),
    /// The published journal of this device is not as it was left; what it holds.
    OwnPublished(Vec<u8>),
    /// What became of an order to publish.
    Published(Publishing),
    /// An older history of the same file has arrived: this one is to be joined to it.
    Superseded,
    /// An image that the file lacks is here now.
    ImageArrived,
    /// A conflict copy lies beside the JSON, and does not change any more.
    Copy {
        /// Where.
        path: PathBuf,
        /// Its content.
        bytes: Vec<u8>,
        /// Its hash, for [`Order::Archive`].
        hash: ContentHash,
    },
}

impl Report {
    /// `file` could not be read.
    pub(in crate::document) fn unread(file: &Path, error: &io::Error) -> Self {
        Self::Unread(format!("{} cannot be read: {error}", file.display()))
    }
}

/// What became of an order to publish.
#[derive(Debug)]
pub(in crate::document) enum Publishing {
    /// It was done.
    Done,
    /// Nothing can be appended: the published journal has grown, or is not as it was left.
    NeedsWhole,
    /// It failed; a sentence.
    Failed(String),
}

/// What a keeper keeps.
pub(in crate::document) struct Kept {
    /// The JSON.
    pub projection: Projection,
    /// This device's published journal.
    pub published: Published,
    /// Those of others.
    pub neighbours: Neighbours,
    /// Other histories of the same file.
    pub rivals: Rivals,
    /// Older versions.
    pub ring: Ring,
    /// Which versions the JSON held.
    pub written: Written,
    /// The images.
    pub blobs: Blobs,
    /// Where the hash and heads of the last projection are noted for the next start.
    pub note: PathBuf,
    /// Where what is no longer needed beside the JSON goes.
    pub archive: PathBuf,
}
