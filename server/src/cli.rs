//! The command line: what may be asked, and the exit codes that answer.
//!
//! Data goes to stdout, words to stderr. Values are checked here as far as they can be checked
//! without touching disk or network.

use std::io::Write as _;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::commands::answer::AnswerArgs;
use crate::commands::backup::BackupArgs;
use crate::commands::check::CheckArgs;
use crate::commands::clear::ClearArgs;
use crate::commands::conflicts::{ConflictsArgs, ResolveArgs};
use crate::commands::diff::DiffArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::export::ExportArgs;
use crate::commands::import::ImportArgs;
use crate::commands::log::LogArgs;
use crate::commands::manual::{CompletionsArgs, ManArgs};
use crate::commands::restore::RestoreArgs;
use crate::commands::{
    answer, backup, check, clear, conflicts, diff, doctor, export, import, log, manual, restore,
};
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
    /// The file, its folder or its state cannot be used: absent, not writable, or, for `serve`,
    /// held by another server.
    pub const FILE: u8 = 4;
    /// Somebody else has the folder and does not let us in: a server that does not answer or
    /// wants another token, or a command that does not end.
    pub const BUSY: u8 = 5;
    /// The document refuses: no such job or version, or its state does not allow it.
    pub const REFUSED: u8 = 6;
    /// What was given to read is no job history; the sentence names line and column.
    pub const BROKEN: u8 = 7;
    /// It would remove much and was not confirmed; nothing was done.
    pub const CONFIRM: u8 = 8;
    /// `check`: the file is fine, and taking it in, or what is on offer, would change something.
    pub const CHANGES: u8 = 9;
    /// `doctor`: something is damaged.
    pub const DAMAGED: u8 = 10;
}

/// What the exit codes mean, for `--help`.
const EXIT_CODES: &str = "\
Commands work on the document that --file names, through the server that serves it or, where none \
does, by themselves. Data goes to stdout, words to stderr. PLAINSYNC_LOG=debug tells more.

Exit codes:
  0   done; nothing is wrong
  1   something failed that has no code of its own
  2   the command line asks for what is not allowed
  3   the address is taken or may not be used
  4   a file or folder cannot be used: absent, not readable or writable, or served by another
  5   a server or command has the folder and does not let us in
  6   the document refuses: no such job or version, or its state does not allow it
  7   what was given to read is no job history; the sentence names line and column
  8   it would remove much and was not confirmed; nothing was done
  9   check: the file is fine, and taking it in, or what is on offer, would change something
  10  doctor: something is damaged";

/// Keeps plain JSON files in sync between browsers, machines and editors.
#[derive(Debug, Parser)]
#[command(name = "plainsync", version, about, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One thing the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a JSON file, its dashboard and its sync endpoint
    #[command(long_about = SERVE_ABOUT)]
    Serve(ServeArgs),
    /// Tell what is wrong with a file, and what taking it in would do; changes nothing
    #[command(long_about = check::ABOUT)]
    Check(CheckArgs),
    /// Answer what check asks: take what the file says, or keep what the history says
    #[command(long_about = answer::ABOUT)]
    Answer(AnswerArgs),
    /// Write the jobs as JSON, CSV or an Excel sheet
    #[command(long_about = export::ABOUT)]
    Export(ExportArgs),
    /// Take in a history, an export or an old browser's data
    #[command(long_about = import::ABOUT)]
    Import(ImportArgs),
    /// Move all jobs to the bin, to start fresh
    #[command(long_about = clear::ABOUT)]
    Clear(ClearArgs),
    /// Tell what was done, newest first
    #[command(long_about = log::ABOUT)]
    Log(LogArgs),
    /// Tell what differs between two versions
    #[command(long_about = diff::ABOUT)]
    Diff(DiffArgs),
    /// Go back to an older version, with all jobs or with one
    #[command(long_about = restore::ABOUT)]
    Restore(RestoreArgs),
    /// List the fields that were edited apart
    #[command(long_about = conflicts::ABOUT)]
    Conflicts(ConflictsArgs),
    /// Settle a field that was edited apart
    #[command(long_about = conflicts::RESOLVE_ABOUT)]
    Resolve(ResolveArgs),
    /// List, make and bring back backups
    #[command(long_about = backup::ABOUT)]
    Backup(BackupArgs),
    /// Verify all that is on disk; repair it when asked to
    #[command(long_about = doctor::ABOUT)]
    Doctor(DoctorArgs),
    /// Print the completions for a shell
    #[command(long_about = manual::COMPLETIONS_ABOUT)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands into a folder
    #[command(long_about = manual::MAN_ABOUT)]
    Man(ManArgs),
    /// Merge two versions of a JSON file for git, by the document's rules
    MergeDriver(MergeDriverArgs),
}

/// Which document a command is about, and how to reach it.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// The JSON file that it is about, or a folder that holds job_history.json
    #[arg(short = 'f', long = "file", value_name = "FILE|DIR", default_value = FILE_DEFAULT)]
    pub path: PathBuf,

    /// Where the journal is kept; by default in the user's state folder
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// The token of a running server that is another user's; one's own server is known
    #[arg(long, env = "PLAINSYNC_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
}

impl Target {
    /// The file itself, also where a folder was named.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        file_of(&self.path)
    }
}

/// The file that a path names: itself, or the history in a folder.
#[must_use]
pub fn file_of(path: &Path) -> PathBuf {
    let names_folder = path.is_dir()
        || path
            .as_os_str()
            .to_string_lossy()
            .ends_with(std::path::is_separator);
    if names_folder {
        path.join(FILE_NAME_DEFAULT)
    } else {
        path.to_owned()
    }
}

/// What its help says first.
const SERVE_ABOUT: &str = "Serves a JSON file: the dashboard in the browser, its HTTP API under /api/docs, and /sync for \
        automerge-repo clients. Edits are on disk before they are acknowledged; hand edits of the file are \
        merged. Ctrl-C stops it, with the file up to date.";

/// What `plainsync serve` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync serve\n  \
        plainsync serve ~/Dropbox/board --open\n  \
        plainsync serve --host 0.0.0.0 --token \"$(openssl rand -hex 32)\"")]
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

    /// How the JSON file shows images from now on; without this, as before
    #[arg(long, value_enum)]
    pub images: Option<ImagesArg>,

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
    /// As links to files in a folder beside it, called after it: job_history.images
    Files,
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
    fn a_folder_means_the_history_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(
            file_of(folder.path()),
            folder.path().join("job_history.json")
        );
        assert_eq!(
            file_of(Path::new("new/")),
            Path::new("new/job_history.json")
        );
        assert_eq!(file_of(Path::new("a/b.json")), Path::new("a/b.json"));
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
