//! The queue against a document in memory and a generator that waits to be told.

#![allow(clippy::unwrap_used, reason = "tests")]

mod bad_input;
mod orders;
mod restarts;
mod support;
