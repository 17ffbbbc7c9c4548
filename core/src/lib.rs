//! The Plainsync engine: JSON documents that merge.
#![forbid(unsafe_code)]
