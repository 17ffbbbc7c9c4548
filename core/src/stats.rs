//! Counters over the list, as the dashboard shows them.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::view::{Row, View};

/// How many jobs stand where, and how they went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Rows of the list.
    pub total: usize,
    /// Jobs that wait for somebody to run them.
    pub idle: usize,
    /// Jobs ordered and not started.
    pub queued: usize,
    /// Jobs at work.
    pub running: usize,
    /// Finished jobs.
    pub success: usize,
    /// Failed jobs.
    pub error: usize,
    /// Removed jobs that can be restored.
    pub bin: usize,
    /// Rows of the list with fields that were edited apart to different values (D4).
    pub conflicts: usize,
    /// Finished among finished and failed, 0 to 1; none before the first ends.
    pub success_rate: Option<f64>,
    /// Mean duration of finished jobs, in seconds; none where none says.
    pub average_duration: Option<f64>,
}

impl Stats {
    /// Counts `view`.
    #[must_use]
    pub fn of(view: &View) -> Self {
        Self::over(view.all())
    }

    /// Counts `rows`, binned and purged ones included.
    pub fn over<'a>(rows: impl Iterator<Item = &'a Arc<Row>>) -> Self {
        let mut stats = Self::default();
        let (mut durations_sum, mut durations) = (0.0, 0_u32);
        for row in rows {
            if !row.is_listed() {
                stats.bin += usize::from(!row.purged);
                continue;
            }
            stats.total += 1;
            stats.conflicts += usize::from(!row.conflicts.is_empty());
            match row.job.get("status").and_then(Value::as_str) {
                Some("queued") => stats.queued += 1,
                Some("running") => stats.running += 1,
                Some("error") => stats.error += 1,
                Some("success") => {
                    stats.success += 1;
                    if let Some(seconds) = row.job.get("duration").and_then(Value::as_f64) {
                        durations_sum += seconds;
                        durations += 1;
                    }
                }
                _ => stats.idle += 1,
            }
        }
        let ended = stats.success + stats.error;
        if ended > 0 {
            stats.success_rate = Some(ratio(stats.success, ended));
        }
        if durations > 0 {
            stats.average_duration = Some(durations_sum / f64::from(durations));
        }
        stats
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    // Counts stay far below 2^32: documents are limited.
    f64::from(u32::try_from(part).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(whole).unwrap_or(u32::MAX))
}
