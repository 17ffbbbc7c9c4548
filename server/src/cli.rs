//! The command line: what may be asked, and the exit codes that answer.
//!
//! Data goes to stdout, words to stderr. Values are checked here as far as they can be checked
//! without touching disk or network.

use std::io::Write as _;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::config::{AllowedHost, Origin, Token};

/// The port served when none is named.
pub const PORT_DEFAULT: u16 = 8787;

/// The file served when none is named, relative to the working directory.
pub const FILE_DEFAULT: &str = "dashboards/job_history.json";

/// The file served in a named folder.
pub const FILE_NAME_DEFAULT: &str = "job_history.json";

/// The exit codes of the program; they do not change between versions.
pub mod exit {
    /// Something failed that has no code of its own; the sentence on stderr says what.
    pub const FAILED: u8 = 1;
    /// The command line asks for something that is not allowed.
    pub const USAGE: u8 = 2;
    /// The address is taken or may not be used.
    pub const ADDRESS: u8 = 3;
    /// The file or its folder cannot be used: not writable, or held by another server.
    pub const FILE: u8 = 4;
}

/// Keeps plain JSON files in sync between browsers, machines and editors.
#[derive(Debug, Parser)]
#[command(name = "plainsync", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One thing the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a JSON file, its dashboard and its sync endpoint
    Serve(ServeArgs),
    /// Merge two versions of a JSON file for git, by the document's rules
    MergeDriver(MergeDriverArgs),
}

/// What `plainsync serve` accepts.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The JSON file to serve, or a folder that holds job_history.json; created when absent
    #[arg(value_name = "FILE|DIR", default_value = FILE_DEFAULT)]
    pub path: PathBuf,

    /// The port to listen on; 0 takes any free one
    #[arg(long, default_value_t = PORT_DEFAULT)]
    pub port: u16,

    /// The address or name to listen on; beyond this machine only with --token
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,

    /// Another name by which browsers reach this server, as NAME or NAME:PORT (repeatable)
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<AllowedHost>,

    /// A web origin whose pages may use this server, as http://host:port (repeatable)
    #[arg(long, value_name = "URL")]
    pub allow_origin: Vec<Origin>,

    /// The secret that every request must carry; needed beyond this machine
    #[arg(long, env = "PLAINSYNC_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,

    /// Serve https with this certificate chain and private key (PEM files)
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"])]
    pub tls: Option<Vec<PathBuf>>,

    /// Where the journal is kept; by default in the user's state folder
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// How images are written into the JSON file
    #[arg(long, value_enum, default_value_t = ImagesArg::Inline)]
    pub images: ImagesArg,

    /// How many jobs may run at once
    #[arg(long, value_name = "N", default_value = "3")]
    pub max_parallel_jobs: NonZeroUsize,

    /// Open the dashboard in a browser
    #[arg(long)]
    pub open: bool,

    /// What is logged to stderr: error, warn, info, debug, trace, or a filter such as plainsync=debug
    #[arg(long, value_name = "LEVEL", env = "PLAINSYNC_LOG", default_value = "info", value_parser = log_filter)]
    pub log: String,
}

/// What `plainsync merge-driver` accepts: what git fills in for `%O %A %B %P`.
#[derive(Debug, Args)]
#[command(
    after_help = "Set up once in a repository:\n  echo 'job_history.json merge=plainsync' >> .gitattributes\n  git config merge.plainsync.name 'Plainsync JSON'\n  git config merge.plainsync.driver 'plainsync merge-driver %O %A %B %P'\n\nExit codes: 0 merged; 1 one of the texts cannot be read, nothing was written; 4 a file cannot be read or written."
)]
pub struct MergeDriverArgs {
    /// The common ancestor's text (%O)
    pub base: PathBuf,
    /// Our text (%A); the merged text is written here
    pub ours: PathBuf,
    /// Their text (%B)
    pub theirs: PathBuf,
    /// The file's path in the working tree (%P): its history is looked for beside it
    pub path: Option<PathBuf>,
    /// Where the journal is kept; by default in the user's state folder
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// How images are written into the JSON file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImagesArg {
    /// As data URLs inside the file, the historic format
    Inline,
}

/// Whether `host` names this machine alone, before it is resolved: an IP address that is not
/// loopback is known to reach further.
#[must_use]
pub fn reaches_further(host: &str) -> bool {
    host.trim_matches(['[', ']'])
        .parse::<IpAddr>()
        .is_ok_and(|address| !address.to_canonical().is_loopback())
}

/// Writes one sentence to stderr. A closed stderr is no reason to fail.
pub fn complain(sentence: &str) {
    let _closed = writeln!(std::io::stderr(), "plainsync: {sentence}");
}

/// Writes one line of data to stdout. A closed stdout is no reason to fail.
pub fn answer(line: &str) {
    let mut out = std::io::stdout();
    let _closed = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| {
            format!("{error}; allowed: error, warn, info, debug, trace, or target=level")
        })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn star_and_null_are_no_origins() {
        for bad in [
            "*",
            "null",
            "http://a/b",
            "localhost:3000",
            "http://",
            "http://u@h",
        ] {
            let parsed = Cli::try_parse_from(["plainsync", "serve", "--allow-origin", bad]);
            assert!(parsed.is_err(), "{bad} was accepted");
        }
    }
}
