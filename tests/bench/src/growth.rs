//! What a delivery costs our server as the document grows: in jobs, and in actors of its history.
//!
//! Each case is a server of its own under the load with clients that only acknowledge; runs are
//! interleaved, and each case is compared with the first.

use std::fmt::Write as _;

use crate::load::{Kind, Load, Outcome};
use crate::measure::{machine, median, percentile};
use crate::peers::{self, Server};
use crate::{Options, load};

/// A document to begin with.
struct Case {
    name: &'static str,
    jobs: usize,
    actors: usize,
    /// How many times the first case's processor time a delivery may take.
    bound: f64,
}

const CASES: [Case; 3] = [
    Case {
        name: "100 jobs",
        jobs: 0,
        actors: 0,
        bound: 1.0,
    },
    Case {
        name: "100,000 jobs",
        jobs: 100_000,
        actors: 0,
        bound: 2.0,
    },
    Case {
        name: "100 jobs, 10,000 actors",
        jobs: 0,
        actors: 10_000,
        bound: 3.0,
    },
];

/// Runs all cases under each of the loads, and returns the table.
pub(crate) async fn compare(options: &Options) -> String {
    let mut text = format!(
        "{}; {}\n\n{:<25} {:>4} {:>9} {:>9} {:>10} {:>6} {:>6} {:>9}\n",
        machine(),
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC"),
        "document",
        "load",
        "p50 ms",
        "p99 ms",
        "CPU us/dlv",
        "times",
        "bound",
        "peak MiB",
    );
    for clients in &options.loads {
        let mut outcomes: Vec<Vec<Outcome>> = CASES.iter().map(|_| Vec::new()).collect();
        for run in 1..=options.runs {
            for (case, outcomes) in CASES.iter().zip(&mut outcomes) {
                match one(options, case, *clients).await {
                    Ok(outcome) => {
                        let cpu_us = outcome.cpu_us;
                        eprintln!(
                            "{}, {clients} clients, run {run}: {cpu_us:.1} us",
                            case.name
                        );
                        outcomes.push(outcome);
                    }
                    Err(failure) => {
                        eprintln!("{}, {clients} clients, run {run}: {failure}", case.name);
                        let _infallible =
                            writeln!(text, "{:<25} {clients:>4} {failure}", case.name);
                    }
                }
            }
        }
        let cpu_us = |runs: &[Outcome]| median(runs.iter().map(|run| run.cpu_us).collect());
        for (case, runs) in CASES.iter().zip(&outcomes) {
            if runs.is_empty() {
                continue;
            }
            let share = |share: f64| {
                let shares = runs.iter().map(|run| percentile(&run.took_us, share));
                median(shares.map(|us| us as f64 / 1e3).collect())
            };
            let peaks = runs.iter().map(|run| run.peak_kib as f64 / 1024.0);
            let _infallible = writeln!(
                text,
                "{:<25} {clients:>4} {:>9.2} {:>9.2} {:>10.1} {:>6.2} {:>6.1} {:>9.1}",
                case.name,
                share(0.5),
                share(0.99),
                cpu_us(runs),
                cpu_us(runs) / cpu_us(&outcomes[0]),
                case.bound,
                median(peaks.collect()),
            );
        }
    }
    text
}

async fn one(options: &Options, case: &Case, clients: usize) -> Result<Outcome, String> {
    let load = Load::of(clients).ok_or_else(|| format!("there is no load of {clients} clients"))?;
    let load = Load {
        actors: case.actors,
        ..load
    };
    let running = peers::start(Server::Ours, &options.programs, case.jobs)
        .await
        .map_err(|error| error.to_string())?;
    let outcome = load::run(&running, load, Kind::Ack).await;
    if outcome.is_err() {
        for line in running.said() {
            eprintln!("  it said: {line}");
        }
    }
    running.end().await;
    outcome.map_err(|error| error.to_string())
}
