//! `cargo xtask bench`: programs that measure, built for release and run by name.
//!
//! Each prints medians and ratios of one run, and beside a figure that is promised whether its
//! bound holds.

use std::ffi::OsString;

use clap::Subcommand;

use crate::{
    failure::{Done, OrAdvise},
    house::House,
};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The file side: hand edits, rewriting, edits meanwhile, the journal, history
    Files(Passed),
    /// The engine: growth from 100 to 100,000 jobs, and many actors
    Core(Passed),
}

/// Arguments for the program that measures.
#[derive(clap::Args)]
pub(crate) struct Passed {
    /// Passed on, for example `-- --help`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    args: Vec<OsString>,
}

/// Builds the program and runs it.
///
/// # Errors
///
/// Fails when it does not build, or stops with an error; a bound that is missed is none.
pub(crate) fn run(house: &House, bench: Bench) -> Done {
    match bench {
        Bench::Files(passed) => measure(house, "plainsync-bench-engine", "bench-files", &passed),
        Bench::Core(passed) => measure(house, "plainsync-bench-engine", "bench-core", &passed),
    }
}

fn measure(house: &House, package: &str, program: &str, passed: &Passed) -> Done {
    house
        .cargo()
        .args(["run", "--release", "--package", package, "--bin", program])
        .arg("--")
        .args(&passed.args)
        .run()
        .or_advise("The last line above says what stopped it.")
}
