//! The HTTP side: who may talk to us, what may be asked, and how it is answered.
//!
//! [`routes::router`] is the list of every path. A request passes, in this order: security
//! headers ([`dress`]), Host and Origin ([`trust`]), the token ([`session`]), limits
//! ([`limits`]), then its handler, one file per resource.
//!
//! **Invariant:** an error leaves here only as a [`problem::ApiError`]; a 2xx to a write leaves
//! only after the write is on disk.

pub mod assets;
pub mod blobs;
pub mod body;
pub mod caller;
pub mod check;
pub mod conflicts;
pub mod documents;
pub mod door;
pub mod dress;
pub mod edits;
pub mod export;
pub mod failure;
pub mod generate;
pub mod health;
mod idle;
pub mod import;
pub mod jobs;
pub mod legacy;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod places;
pub mod problem;
pub mod routes;
pub mod runner;
pub mod session;
pub mod shapes;
pub mod stall;
pub mod state;
pub mod stats;
pub mod sync;
pub mod tls;
pub mod trust;
pub mod versions;
