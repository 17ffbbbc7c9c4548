//! `cargo xtask bench files` and `core`: programs of `tests/bench-engine`, built for release.

use std::ffi::OsString;

use crate::{
    failure::{Done, OrAdvise},
    house::House,
};

/// Arguments for the program that measures.
#[derive(clap::Args)]
pub(crate) struct Passed {
    /// Passed on, for example `-- --help`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    pub(super) args: Vec<OsString>,
}

/// Builds the program and runs it.
///
/// # Errors
///
/// Fails when it does not build, or stops with an error.
pub(super) fn run(house: &House, program: &str, passed: &Passed) -> Done {
    house
        .cargo()
        .args(["run", "--release", "--package", "plainsync-bench-engine"])
        .args(["--bin", program, "--"])
        .args(&passed.args)
        .run()
        .or_advise("The last line above says what stopped it.")
}
