//! Compares our sync server with others under one load, and measures what idle connections and closed
//! documents cost; started by `cargo xtask bench sync`, `bench idle` and `bench folder`.
//!
//! Runs are interleaved, so that what else this machine does hits all servers alike. A server that
//! is not there, does not start or does not converge is a line of the table and not a failure.

mod folder;
mod growth;
mod idle;
mod load;
mod measure;
mod peers;
mod profile;
mod table;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::load::{Kind, Load, Outcome};
use crate::measure::percentile;
use crate::peers::{Programs, Server};
use crate::table::{Cells, measured, ratios};

/// Measures sync servers.
#[derive(Parser)]
#[command(name = "plainsync-bench", version, max_term_width = 100)]
enum Task {
    /// Compares our sync server with others under one load
    Sync(Options),
    /// What connections cost on which nobody says anything
    Idle(idle::Options),
    /// What documents cost that nobody uses any more
    Folder(folder::Options),
}

#[derive(clap::Args)]
struct Options {
    /// Runs of each comparison; medians are printed
    #[arg(long, value_name = "N", default_value_t = 3)]
    runs: usize,
    /// Servers to compare
    #[arg(
        long,
        value_name = "SERVERS",
        value_delimiter = ',',
        default_value = "ours,automerge-repo,samod,y-websocket,hocuspocus"
    )]
    servers: Vec<Server>,
    /// Loads, by their number of clients: 20 (4 writers, an edit every 5 ms) or 50 (4 writers, one every 10 ms)
    #[arg(long, value_name = "CLIENTS", value_delimiter = ',', default_value = "20,50", value_parser = known_load)]
    loads: Vec<usize>,
    /// What clients do with what they get
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        default_value = "apply,ack"
    )]
    kinds: Vec<Kind>,
    /// Records each run of our server with `perf` into this folder
    #[arg(long, value_name = "FOLDER")]
    profile: Option<PathBuf>,
    /// Compares our server with itself instead: few and many jobs, few and many actors
    #[arg(long)]
    growth: bool,
    #[command(flatten)]
    programs: Programs,
}

fn known_load(text: &str) -> Result<usize, String> {
    let clients = text
        .parse()
        .ok()
        .filter(|clients| Load::of(*clients).is_some());
    clients.ok_or_else(|| format!("found {text:?}; there are loads of 20 and of 50 clients"))
}

#[tokio::main]
async fn main() -> ExitCode {
    let text = match Task::parse() {
        Task::Sync(options) if options.growth => growth::compare(&options).await,
        Task::Sync(options) => compared(&options).await,
        Task::Idle(options) => match idle::measured(&options).await {
            Ok(text) => text,
            Err(failure) => return failed(&failure),
        },
        Task::Folder(options) => match folder::measured(&options).await {
            Ok(text) => text,
            Err(failure) => return failed(&failure.to_string()),
        },
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn failed(failure: &str) -> ExitCode {
    eprintln!("{failure}");
    ExitCode::FAILURE
}

/// Where and when something was measured.
fn heading() -> String {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    format!("{}; {now}", measure::machine())
}

/// Runs all comparisons, and tells what came of them.
async fn compared(options: &Options) -> String {
    let (cells, versions) = compare(options).await;
    let versions: Vec<_> = versions
        .iter()
        .map(|(server, version)| format!("{server} {version}"))
        .collect();
    format!(
        "{}; {}\n\n{}\n{}",
        heading(),
        versions.join(", "),
        measured(&cells),
        ratios(&cells),
    )
}

/// Runs everything, and returns what came of it with the versions of the servers.
async fn compare(options: &Options) -> (Cells, BTreeMap<Server, String>) {
    let (mut cells, mut versions) = (Cells::new(), BTreeMap::new());
    for clients in &options.loads {
        let Some(load) = Load::of(*clients) else {
            continue;
        };
        for kind in &options.kinds {
            for run in 1..=options.runs {
                for server in &options.servers {
                    eprint!("{server}, {clients} clients, {kind}, run {run}: ");
                    let cell = cells.entry((*clients, *kind, *server)).or_default();
                    match one(options, *server, load, *kind, &mut versions).await {
                        Ok(outcome) => {
                            let p50_ms = percentile(&outcome.took_us, 0.5) as f64 / 1e3;
                            let p99_ms = percentile(&outcome.took_us, 0.99) as f64 / 1e3;
                            eprintln!(
                                "p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, CPU {:.1} us",
                                outcome.cpu_us
                            );
                            cell.outcomes.push(outcome);
                        }
                        Err(failure) => {
                            eprintln!("{failure}");
                            cell.failures.push(failure);
                        }
                    }
                }
            }
        }
    }
    (cells, versions)
}

/// One run of one server; the error is a sentence for the table.
async fn one(
    options: &Options,
    server: Server,
    load: Load,
    kind: Kind,
    versions: &mut BTreeMap<Server, String>,
) -> Result<Outcome, String> {
    let running = peers::start(server, &options.programs, 0)
        .await
        .map_err(|error| error.to_string())?;
    versions.insert(server, running.version.clone());
    let recording = match (&options.profile, server) {
        (Some(folder), Server::Ours) => Some(profile::start(running.pid, folder, &load, kind)?),
        _ => None,
    };
    let outcome = load::run(&running, load, kind).await;
    if outcome.is_err() {
        for line in running.said() {
            eprintln!("\n  it said: {line}");
        }
    }
    running.end().await;
    if let Some(recording) = recording {
        recording.end().await?;
    }
    outcome.map_err(|error| error.to_string())
}
