//! Numbers: what the system says about a process and this machine, and what stands in the middle.

use std::fs;

use crate::load::LoadError;

/// Of the clock that processor time is counted by; Linux has no other.
const TICKS_PER_SECOND: u64 = 100;

/// What a process and its children have used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_us: u64,
    /// The most memory that each held at a time, summed.
    pub(crate) peak_kib: u64,
}

impl Usage {
    /// Reads what the process `pid` and its children used.
    ///
    /// # Errors
    ///
    /// Fails if it has ended, and where there is no `/proc`.
    pub(crate) fn of(pid: u32) -> Result<Self, LoadError> {
        let read = |what: &str| {
            let path = format!("/proc/{pid}/{what}");
            fs::read_to_string(&path)
                .map_err(|error| LoadError::Measure(format!("{path}: {error}")))
        };
        let unclear = || LoadError::Measure(format!("/proc/{pid} is not as expected"));
        let mut usage = Self {
            cpu_us: ticks(&read("stat")?).ok_or_else(unclear)? * (1_000_000 / TICKS_PER_SECOND),
            peak_kib: peak_kib(&read("status")?).ok_or_else(unclear)?,
        };
        for child in children(pid) {
            if let Ok(used) = Self::of(child) {
                usage.cpu_us += used.cpu_us;
                usage.peak_kib += used.peak_kib;
            }
        }
        Ok(usage)
    }
}

/// User and system time, that of children that have ended included.
fn ticks(stat: &str) -> Option<u64> {
    // The name may hold anything, so count from its end: utime is the 12th field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields = fields.split_whitespace().skip(11).take(4);
    fields.map(|field| field.parse::<u64>().ok()).sum()
}

/// What the process `pid` holds in memory now.
///
/// # Errors
///
/// Fails if it has ended, and where there is no `/proc`.
pub(crate) fn resident_kib(pid: u32) -> Result<u64, LoadError> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).ok();
    let found = status.and_then(|status| kib(&status, "VmRSS:"));
    found.ok_or_else(|| LoadError::Measure(format!("{path} does not tell")))
}

fn peak_kib(status: &str) -> Option<u64> {
    kib(status, "VmHWM:")
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| {
            let ids = text.split_whitespace().filter_map(|id| id.parse().ok());
            ids.collect::<Vec<_>>()
        })
        .collect()
}

/// This machine in a few words.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    format!("{cores} cores, {model}")
}

/// The value that `share` of the sorted `values` do not exceed; 0 of none.
pub(crate) fn percentile(values: &[u64], share: f64) -> u64 {
    let rank = (values.len() as f64 * share).ceil() as usize;
    let at = rank.clamp(1, values.len().max(1)) - 1;
    values.get(at).copied().unwrap_or(0)
}

/// The middle of `values`, or the mean of the two in the middle; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_there() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(percentile(&values, 0.5), 100);
        assert_eq!(percentile(&values, 0.99), 198);
        assert_eq!(percentile(&values, 1.0), 200);
        assert_eq!(percentile(&[7], 0.01), 7);
        assert_eq!(percentile(&[], 0.5), 0);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }

    #[test]
    fn a_strange_name_does_not_move_the_fields() {
        let stat = "7 (a) b) 3) S 1 7 7 0 -1 4 100 0 0 0 11 5 2 1 20 0 8 0 99";
        assert_eq!(ticks(stat), Some(19));
        assert_eq!(ticks("nonsense"), None);
        assert_eq!(peak_kib("Name:\tx\nVmHWM:\t  1204 kB\n"), Some(1204));
    }

    #[test]
    fn this_process_has_used_something() {
        let usage = Usage::of(std::process::id()).expect("there is a /proc");
        assert!(usage.peak_kib > 0);
    }
}
