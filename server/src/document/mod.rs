//! Documents: one JSON file each, with its journal, its images and its actor.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use plainsync::document::{Documents, DocumentsConfig};
//! let documents = Documents::open(DocumentsConfig::new("dashboards/job_history.json")).await?;
//! println!("{:?}", documents.default().info());
//! documents.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `documents.rs`, `companion.rs`, `open.rs`, `identity.rs`, `place.rs`, `lock.rs` | which documents there are, where, and whose |
//! | `handle.rs`, `inbox.rs`, `peers.rs`, `snapshot.rs`, `state.rs` | what the rest of the server sees |
//! | `actor.rs` | the thread that owns the replica and the journal |
//! | `threads.rs` | that thread and those that stand behind it |
//! | `journal.rs`, `blobs.rs`, `edit_ids.rs`, `note.rs`, `sum.rs` | what is durable |
//! | `keeper.rs`, `watcher.rs`, `projection.rs`, `backup.rs`, `inspect.rs`, `written.rs` | the JSON |
//! | `join.rs` | two histories of one file become one |
//! | `three_way.rs` | two edited copies of one text become one, for git |
//! | `shared.rs` | what other devices publish in the folder, and what this one does |
//! | `ring.rs` | older versions as files |
//! | `examine.rs` | all of it verified, for `plainsync doctor` |
//! | `clients.rs` | which versions old clients hold |
//! | `stepped.rs` | a document moved by hand, for simulations |
//! | `disk.rs` | every file operation of the above |
//!
//! **Invariant:** the journal is what counts. The JSON can be made again from it at any time,
//! and is never read as if it were newer than what it says.

mod actor;
pub mod backup;
pub mod blobs;
pub mod clients;
mod companion;
pub mod disk;
mod documents;
mod edit_ids;
mod error;
pub mod examine;
mod handle;
mod identity;
mod inbox;
pub mod inspect;
mod join;
pub mod journal;
mod keeper;
pub mod lock;
pub mod note;
mod open;
mod origin;
pub mod outgoing;
mod peers;
pub mod place;
pub mod projection;
mod render;
pub mod ring;
mod shared;
mod snapshot;
mod state;
pub mod stepped;
mod sum;
mod threads;
pub mod three_way;
mod watcher;
mod way;
mod written;

pub use blobs::BlobError;
pub use clients::OldClient;
pub use companion::Companion;
pub use documents::{Documents, DocumentsConfig};
pub use error::{DocumentError, OpenError};
pub use handle::{
    Between, Connection, Contested, DocumentHandle, EditOutcome, Ended, ListSaved,
    OUTBOUND_FRAMES_MAX,
};
pub use keeper::Pace;
pub use origin::ImportOrigin;
pub use shared::copies;
pub use snapshot::Snapshot;
pub use state::{
    DocumentInfo, FileAnswer, FileCondition, FileNews, FileState, Offer, OfferKind, TookIn,
};
pub use threads::{answer_soon, keep_free_memory};

/// What an old client's list was made from.
pub use plainsync_core::plain::import::ImportBase as Base;
