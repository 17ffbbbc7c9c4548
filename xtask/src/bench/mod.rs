//! `cargo xtask bench`: measurements, each by itself and none of them part of the tests.
//!
//! Each prints medians and ratios of one run, and beside a figure that is promised whether its
//! bound holds.

mod crowd;
mod engine;
mod sync;

use clap::Subcommand;

use crate::{failure::Done, house::House};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Our sync server beside others, under one load
    Sync(sync::Options),
    /// What connections cost on which nobody says anything
    Idle(engine::Passed),
    /// What documents of a folder cost that nobody uses any more
    Folder(engine::Passed),
    /// The file side: hand edits, rewriting, edits meanwhile, the journal, history
    Files(engine::Passed),
    /// The engine: growth from 100 to 100,000 jobs, and many actors
    Core(engine::Passed),
}

/// Measures.
///
/// # Errors
///
/// Fails when what is to be measured does not build or run; a bound that is missed is no failure.
pub(crate) fn run(house: &House, bench: &Bench) -> Done {
    match bench {
        Bench::Sync(options) => sync::run(house, options),
        Bench::Idle(passed) => crowd::run(house, "idle", passed),
        Bench::Folder(passed) => crowd::run(house, "folder", passed),
        Bench::Files(passed) => engine::run(house, "bench-files", passed),
        Bench::Core(passed) => engine::run(house, "bench-core", passed),
    }
}
