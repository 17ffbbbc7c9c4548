//! One file per subcommand: what it accepts, what its help says, and what it does.
//!
//! A command reaches its document through `reach.rs`, prints data through `output.rs`, and ends
//! with an exit code or a sentence and one; the rest of the crate prints nothing.

pub mod answer;
pub mod backup;
pub mod check;
pub mod clear;
pub mod conflicts;
pub mod diff;
pub mod doctor;
pub mod export;
mod failure;
pub mod import;
pub mod log;
pub mod manual;
pub mod merge_driver;
mod output;
mod progress;
mod question;
mod reach;
pub mod restore;
pub mod serve;
mod source;
mod table;
mod telling;
mod there;

use std::future::Future;
use std::io;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use self::failure::Failure;
use crate::cli::{Cli, Command, complain, exit};

/// What a command ends with: an exit code of [`exit`], 0 where all is well.
type Outcome = Result<u8, Failure>;

/// Runs the command that was asked for.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Serve(args) => return serve::run(args),
        Command::Check(args) => in_runtime(check::run(args)),
        Command::Answer(args) => in_runtime(answer::run(args)),
        Command::Export(args) => in_runtime(export::run(args)),
        Command::Import(args) => in_runtime(import::run(args)),
        Command::Clear(args) => in_runtime(clear::run(args)),
        Command::Log(args) => in_runtime(log::run(args)),
        Command::Diff(args) => in_runtime(diff::run(args)),
        Command::Restore(args) => in_runtime(restore::run(args)),
        Command::Conflicts(args) => in_runtime(conflicts::list(args)),
        Command::Resolve(args) => in_runtime(conflicts::resolve(args)),
        Command::Backup(args) => in_runtime(backup::run(args)),
        Command::Doctor(args) => in_runtime(doctor::run(args)),
        Command::MergeDriver(args) => return merge_driver::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            complain(&failure.sentence);
            ExitCode::from(failure.code)
        }
    }
}

/// Runs a command that asks a document.
fn in_runtime(command: impl Future<Output = Outcome>) -> Outcome {
    let filter = std::env::var("PLAINSYNC_LOG").unwrap_or_else(|_| "warn".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .without_time()
        .with_target(false)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            let sentence = format!("the system gives no threads: {error}");
            Failure::new(exit::FAILED, sentence)
        })?;
    runtime.block_on(command)
}
