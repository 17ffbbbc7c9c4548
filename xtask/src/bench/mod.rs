//! `cargo xtask bench`: measurements, each by itself and none of them part of the tests.

mod sync;

use clap::Subcommand;

use crate::{failure::Done, house::House};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Our sync server beside others, under one load
    Sync(sync::Options),
}

/// Measures.
///
/// # Errors
///
/// Fails when what is to be measured does not build or run.
pub(crate) fn run(house: &House, bench: &Bench) -> Done {
    match bench {
        Bench::Sync(options) => sync::run(house, options),
    }
}
