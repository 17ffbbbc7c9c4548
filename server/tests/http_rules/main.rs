//! The HTTP side's rules, each shown against a server in this process on a port of its own.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod limits;
mod session;
mod support;
mod trust;
