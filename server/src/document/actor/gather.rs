//! How long the actor lets its inbox fill before the next batch.
//!
//! ```text
//! nothing said for GATHER: at once         busy: a batch each GATHER, with all that came meanwhile
//! ```
//!
//! A batch costs a thread's waking, an `fsync` and a message to each peer, however much is in
//! it. So under load what comes goes together, and who edits alone waits for nothing.

use std::time::{Duration, Instant};

/// Least time from one batch that peers heard of to the next.
pub(super) const GATHER: Duration = Duration::from_millis(1);

/// When peers heard last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gather {
    spoke: Option<Instant>,
}

impl Gather {
    /// Peers are told something now.
    pub(super) fn speak(&mut self, now: Instant) {
        self.spoke = Some(now);
    }

    /// How long the inbox is to fill before the next batch.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.spoke.map_or(Duration::ZERO, |spoke| {
            (spoke + GATHER).saturating_duration_since(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s6_what_comes_alone_is_not_kept_waiting_and_what_comes_at_once_goes_together() {
        let start = Instant::now();
        let mut gather = Gather::default();
        assert_eq!(gather.wait(start), Duration::ZERO);
        gather.speak(start);
        assert_eq!(gather.wait(start), GATHER);
        assert_eq!(gather.wait(start + GATHER / 4), GATHER - GATHER / 4);
        assert_eq!(gather.wait(start + GATHER), Duration::ZERO);
        assert_eq!(gather.wait(start + 2 * GATHER), Duration::ZERO);
    }
}
