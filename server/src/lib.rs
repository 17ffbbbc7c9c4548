//! The server: keeps JSON files on disk and lets browsers and machines edit them together.
//!
//! [`serve::run`] serves one folder until it is told to stop; the caller owns the socket and the
//! signal. Everything that merges lives in `plainsync_core`; this crate is its disk, its
//! sockets and its clock.
//!
//! **Invariant:** nothing here decides what wins a merge.

pub mod access;
pub mod cli;
pub mod commands;
pub mod config;
pub mod document;
pub mod http;
pub mod metrics;
pub mod runner;
pub mod serve;
