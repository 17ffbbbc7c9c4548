//! What the benches of the file side and of the engine share: times, tables, made-up histories,
//! and a disk that counts.
//!
//! `cargo xtask bench files` and `cargo xtask bench core` run them. Each compares within one run
//! and says of every bound that is promised whether it holds.
//!
//! **Invariant:** everything is made up from fixed seeds, and all files lie in a folder of the
//! target folder that goes with the run.

pub mod counted;
pub mod fixed;
pub mod folder;
pub mod jobs;
pub mod report;
pub mod samples;
