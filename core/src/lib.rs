//! The Plainsync engine: JSON documents that merge.
#![forbid(unsafe_code)]

pub mod blob;
pub mod chunk;
pub mod id;
pub mod limits;
pub mod time;
pub mod wire;
