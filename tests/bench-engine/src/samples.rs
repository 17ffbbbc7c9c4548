//! Measured times, and what is told of them.

use std::time::{Duration, Instant};

/// Times of one and the same thing, in milliseconds; figures of another unit work alike.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a time.
    pub fn push(&mut self, took: Duration) {
        self.0.push(milliseconds(took));
    }

    /// Adds a figure as it is.
    pub fn push_figure(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// Measures `work` and adds its time.
    pub fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let made = work();
        self.push(started.elapsed());
        made
    }

    /// The one in the middle.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(50)
    }

    /// The one that 99 of 100 do not pass.
    #[must_use]
    pub fn p99(&self) -> f64 {
        self.quantile(99)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn quantile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let nth = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(nth).copied().unwrap_or_default()
    }
}

/// `took` in milliseconds.
#[must_use]
pub fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

/// Measures `work`.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let made = work();
    (made, started.elapsed())
}

/// As [`timed`], for what is waited for.
pub async fn timed_async<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let made = work.await;
    (made, started.elapsed())
}
