//! One file per subcommand.
//!
//! A command prints its own sentences and returns an exit code; the library never does.

pub mod merge_driver;
pub mod serve;

use std::process::ExitCode;

use crate::cli::{Cli, Command};

/// Runs the command that was asked for.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::MergeDriver(args) => merge_driver::run(&args),
    }
}
