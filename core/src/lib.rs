//! The Plainsync engine: JSON documents that merge.
//!
//! One [`Replica`](replica::Replica) of one document takes inputs and returns effects. The
//! host performs them: it owns sockets, files, clocks and chance, so the same engine runs in
//! a server, in a browser's worker and in a simulator, and a failing run replays exactly.
//!
//! ```
//! use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
//! use plainsync_core::id::{DocumentId, PeerId};
//! use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
//! use plainsync_core::schema::Schema;
//! use plainsync_core::time::Millis;
//!
//! let mut replica = Replica::new(ReplicaConfig {
//!     document: DocumentId::from_random([7; 16]),
//!     schema: Schema::job_history(),
//!     device: "0000000000000001".parse()?,
//!     author: None,
//!     actor: [1; 16], // Drawn by the host, new at each start.
//!     peer: PeerId::new("example")?,
//! });
//! let now = Millis(1_769_854_271_000);
//! let record = serde_json::json!({"prompt": "a heroic knight", "width": 64, "height": 64});
//! let edit = Edit::Insert {
//!     key: Key("made-by-the-caller".to_owned()),
//!     record: record.as_object().cloned().unwrap_or_default(),
//!     order: None,
//! };
//! let stamped = StampedEdit { id: EditId("one-of-a-kind".to_owned()), at: now, edit };
//! for effect in replica.step(now, Input::Edit(stamped))? {
//!     if let Effect::Persist { seq, bytes, .. } = effect {
//!         assert!(!bytes.is_empty()); // Write them, sync them to disk, and only then:
//!         replica.step(now, Input::Persisted { seq })?; // returns what may be sent now.
//!     }
//! }
//! let file = String::from_utf8(replica.document().export(&|_| None))?;
//! assert!(file.contains("\"id\": \"job-1\""));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Invariant:** nothing here opens a file or socket, reads a clock or draws randomness; the
//! crate's `clippy.toml` refuses what would.
#![forbid(unsafe_code)]

mod arrivals;
pub mod blob;
pub mod chunk;
pub mod conflict;
pub mod document;
pub mod edit;
#[cfg(feature = "fan-out")]
mod fan_out;
#[cfg(feature = "fan-out")]
pub mod guard;
pub mod history;
pub mod id;
pub mod limits;
pub mod plain;
pub mod query;
mod read;
mod record;
pub mod replica;
pub mod schema;
pub mod session;
mod sorted;
pub mod stats;
pub mod tagged;
pub mod time;
mod value;
pub mod view;
pub mod wire;
