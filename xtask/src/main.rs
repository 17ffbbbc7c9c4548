//! Everything one does with this repository: `cargo xtask serve | build | test | bench`.
//!
//! Each task installs what it needs (the wasm target through rustup, npm
//! packages, Chromium through apt), says each command before it runs it, skips
//! what is unchanged, and on failure ends with one sentence that tells what to do.

mod bench;
mod binary;
mod failure;
mod house;
mod machine;
mod packed;
mod stamp;
mod test;
mod wasm;
mod web;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{failure::Done, house::House};

/// Builds, serves and tests Plainsync.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds everything, then serves the dashboard and opens it in a browser
    Serve {
        /// Passed to `plainsync serve`, for example `-- --port 9000 my.json`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        args: Vec<OsString>,
    },
    /// Builds one self-contained binary: target/release/plainsync
    Build,
    /// Builds the wasm part alone, into web/client/wasm
    Wasm,
    /// Passes every test: format, lints, docs, native, wasm, simulator and browser
    Test(test::Options),
    /// Measures what is promised, and says which bounds hold
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\ncargo xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Done {
    let house = House::find()?;
    match task {
        Task::Serve { args } => binary::serve(&house, args),
        Task::Build => binary::build(&house).map(|path| {
            eprintln!(
                "\nBuilt {}: copy it anywhere and run `plainsync serve`.",
                path.display()
            );
        }),
        Task::Wasm => wasm::build(&house).map(|_| ()),
        Task::Test(options) => test::run(&house, &options),
        Task::Bench(bench) => bench::run(&house, bench),
    }
}
