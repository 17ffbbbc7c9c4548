//! The Plainsync engine: JSON documents that merge.
#![forbid(unsafe_code)]

pub mod blob;
pub mod chunk;
pub mod conflict;
pub mod document;
pub mod edit;
pub mod id;
pub mod limits;
pub mod plain;
pub mod query;
mod record;
pub mod replica;
pub mod schema;
pub mod session;
pub mod stats;
pub mod time;
mod value;
pub mod view;
pub mod wire;
