//! The `plainsync` program: reads the command line, runs one command, turns its outcome into
//! an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use plainsync::cli::Cli;

fn main() -> ExitCode {
    // A `.env` beside the working directory may hold the generator's key. Its absence is normal.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        plainsync::cli::complain(&format!(".env is not readable and is ignored: {error}"));
    }
    plainsync::commands::run(Cli::parse())
}
