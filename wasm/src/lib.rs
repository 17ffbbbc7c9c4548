//! Plainsync in a browser's worker: the engine, with storage, tabs, socket, timers and images.
//!
//! Two exports: `Tab`, the engine of one tab, which speaks with its page in the JSON
//! messages of [`messages`]; and `Engine`, one document in memory, for tools.
//!
//! ```text
//! page ──edits──▶ Tab ──▶ Replica ──▶ IndexedDB ──▶ "saved" ──▶ page
//!                              ▲           └──────▶ socket ──▶ server
//!                              └── server, other tabs
//! ```
//!
//! The rules live in `plainsync-core`; what is here performs its effects in the order that they
//! need: images and changes are committed together, then peers and page hear of it.
//!
//! **Invariant:** nothing is sent to the server, and nothing is called saved, before its
//! IndexedDB transaction has completed.

pub mod backoff;
pub mod messages;
pub mod presence;
pub mod windows;

#[cfg(target_arch = "wasm32")]
mod blobs;
#[cfg(target_arch = "wasm32")]
mod channel;
#[cfg(target_arch = "wasm32")]
pub mod engine;
#[cfg(target_arch = "wasm32")]
mod fetch;
#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(target_arch = "wasm32")]
mod page;
#[cfg(target_arch = "wasm32")]
mod socket;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
pub mod tab;
#[cfg(target_arch = "wasm32")]
mod timer;
