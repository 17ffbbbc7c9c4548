//! What is printed: a table of medians over the runs, and another of ratios.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::load::{Kind, Outcome};
use crate::measure::{median, percentile};
use crate::peers::Server;

/// What one cell of the comparison shows: one server under one load.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) outcomes: Vec<Outcome>,
    /// Why runs have none.
    pub(crate) failures: Vec<String>,
}

/// All cells, by clients, kind and server.
pub(crate) type Cells = BTreeMap<(usize, Kind, Server), Cell>;

/// The medians over the runs of one cell.
struct Row {
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    converged_ms: f64,
    cpu_us: f64,
    peak_mib: f64,
    received_kib: f64,
}

impl Row {
    fn of(cell: &Cell) -> Option<Self> {
        if cell.outcomes.is_empty() {
            return None;
        }
        let over =
            |value: &dyn Fn(&Outcome) -> f64| median(cell.outcomes.iter().map(value).collect());
        let share = |share: f64| over(&|run| percentile(&run.took_us, share) as f64 / 1e3);
        Some(Self {
            p50_ms: share(0.5),
            p99_ms: share(0.99),
            max_ms: share(1.0),
            converged_ms: over(&|run| run.converged_us as f64 / 1e3),
            cpu_us: over(&|run| run.cpu_us),
            peak_mib: over(&|run| run.peak_kib as f64 / 1024.0),
            received_kib: over(&|run| run.received_bytes as f64 / 1024.0),
        })
    }
}

/// The table of what was measured, and why something was not.
pub(crate) fn measured(cells: &Cells) -> String {
    let mut text = format!(
        "{:<15} {:>4} {:<5} {:>4} {:>9} {:>9} {:>9} {:>10} {:>10} {:>9} {:>11}\n",
        "server",
        "load",
        "kind",
        "runs",
        "p50 ms",
        "p99 ms",
        "max ms",
        "settled ms",
        "CPU us/dlv",
        "peak MiB",
        "KiB/reader",
    );
    for ((clients, kind, server), cell) in cells {
        let head = format!(
            "{server:<15} {clients:>4} {kind:<5}",
            server = server.to_string(),
            kind = kind.to_string()
        );
        if let Some(row) = Row::of(cell) {
            let _infallible = writeln!(
                text,
                "{head} {:>4} {:>9.2} {:>9.2} {:>9.2} {:>10.1} {:>10.1} {:>9.1} {:>11.1}",
                cell.outcomes.len(),
                row.p50_ms,
                row.p99_ms,
                row.max_ms,
                row.converged_ms,
                row.cpu_us,
                row.peak_mib,
                row.received_kib,
            );
        }
        let mut failures = cell.failures.clone();
        failures.sort_unstable();
        failures.dedup();
        for failure in failures {
            let _infallible = writeln!(text, "{head}      {failure}");
        }
    }
    text
}

/// The table of ratios: how many times ours, and how many times the better Yjs relay's, each figure
/// for itself.
pub(crate) fn ratios(cells: &Cells) -> String {
    let mut text = format!(
        "{:<15} {:>4} {:<5} {:>9} {:>9} {:>9}   {:>9} {:>9} {:>9}\n",
        "times",
        "load",
        "kind",
        "p50/ours",
        "p99/ours",
        "CPU/ours",
        "p50/yjs",
        "p99/yjs",
        "CPU/yjs",
    );
    for ((clients, kind, server), cell) in cells {
        let Some(row) = Row::of(cell) else { continue };
        let ours = cells
            .get(&(*clients, *kind, Server::Ours))
            .and_then(Row::of);
        let relays: Vec<Row> = cells
            .iter()
            .filter(|((of, like, server), _)| of == clients && like == kind && server.is_yjs())
            .filter_map(|(_, cell)| Row::of(cell))
            .collect();
        let _infallible = write!(
            text,
            "{:<15} {clients:>4} {:<5}",
            server.to_string(),
            kind.to_string()
        );
        let figures: [fn(&Row) -> f64; 3] = [|row| row.p50_ms, |row| row.p99_ms, |row| row.cpu_us];
        for figure in figures {
            let of = ours.as_ref().map(figure);
            let _infallible = write!(text, " {:>9}", ratio(figure(&row), of));
        }
        text.push_str("  ");
        for figure in figures {
            let of = relays.iter().map(figure).reduce(f64::min);
            let _infallible = write!(text, " {:>9}", ratio(figure(&row), of));
        }
        text.push('\n');
    }
    text
}

fn ratio(value: f64, of: Option<f64>) -> String {
    match of {
        Some(of) if of > 0.0 => format!("{:.2}", value / of),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(took_us: u64) -> Outcome {
        Outcome {
            took_us: vec![took_us; 4],
            converged_us: 1_000,
            cpu_us: 10.0,
            peak_kib: 2_048,
            received_bytes: 1_024,
        }
    }

    fn cells() -> Cells {
        let cell = |took_us: &[u64]| Cell {
            outcomes: took_us.iter().map(|took| outcome(*took)).collect(),
            failures: Vec::new(),
        };
        let mut cells = Cells::from([
            ((20, Kind::Ack, Server::Ours), cell(&[4_000, 2_000, 9_000])),
            ((20, Kind::Ack, Server::YWebsocket), cell(&[2_000])),
        ]);
        let absent = cells.entry((20, Kind::Ack, Server::Samod)).or_default();
        absent.failures = vec!["not installed".to_owned(); 3];
        cells
    }

    #[test]
    fn medians_are_shown_and_a_failure_once() {
        let text = measured(&cells());
        let ours = text.lines().find(|line| line.starts_with("ours"));
        assert!(
            ours.is_some_and(|line| line.contains(" 3      4.00 ")),
            "{text}"
        );
        assert_eq!(text.matches("not installed").count(), 1, "{text}");
    }

    #[test]
    fn ratios_are_to_ours_and_to_the_better_relay() {
        let text = ratios(&cells());
        let row = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let words = line.unwrap_or_default().split_whitespace();
            words.skip(3).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(row("ours"), "1.00 1.00 1.00 2.00 2.00 1.00");
        assert_eq!(row("y-websocket"), "0.50 0.50 1.00 1.00 1.00 1.00");
    }
}
