//! The HTTP side's rules, each shown against a server in this process on a port of its own.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod history;
mod https;
mod import;
mod jobs;
mod legacy;
mod limits;
mod metrics;
mod program;
mod replicas;
mod runner;
mod session;
mod support;
mod sync;
mod trust;
