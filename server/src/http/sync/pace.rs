//! How much one peer may send, and how fast.
//!
//! Frames that are worth reading are held back by the documents, which take them in their turn.
//! This is for the others: pings, presence and what nobody knows cost little each, and without
//! end they would keep a core busy. So the limits are far above what a client ever does.

use tokio::time::Instant;

/// Messages that a peer may send per second in the long run.
const MESSAGES_PER_SECOND_MAX: u64 = 2_000;

/// Messages that it may send at once.
const MESSAGES_BURST_MAX: u64 = 40_000;

/// Bytes that a peer may send per second in the long run.
const BYTES_PER_SECOND_MAX: u64 = 64 * 1024 * 1024;

/// Bytes that it may send at once.
const BYTES_BURST_MAX: u64 = 1024 * 1024 * 1024;

/// What a peer may still send.
#[derive(Debug)]
pub(super) struct Pace {
    messages: Allowance,
    bytes: Allowance,
}

#[derive(Debug)]
struct Allowance {
    left: u64,
    burst_max: u64,
    per_second: u64,
    /// When it last grew.
    at: Instant,
}

/// A peer sends more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Hurry {
    #[error(
        "more than {MESSAGES_BURST_MAX} messages came at once; {MESSAGES_PER_SECOND_MAX} a second may come in the long run"
    )]
    Messages,
    #[error(
        "more than {BYTES_BURST_MAX} bytes came at once; {BYTES_PER_SECOND_MAX} a second may come in the long run"
    )]
    Bytes,
}

impl Pace {
    /// A peer that has sent nothing yet.
    pub(super) fn new(now: Instant) -> Self {
        let allow = |burst_max, per_second| Allowance {
            left: burst_max,
            burst_max,
            per_second,
            at: now,
        };
        Self {
            messages: allow(MESSAGES_BURST_MAX, MESSAGES_PER_SECOND_MAX),
            bytes: allow(BYTES_BURST_MAX, BYTES_PER_SECOND_MAX),
        }
    }

    /// A message of `len` bytes has come.
    pub(super) fn take(&mut self, now: Instant, len: usize) -> Result<(), Hurry> {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        if !self.messages.take(now, 1) {
            return Err(Hurry::Messages);
        }
        if !self.bytes.take(now, len) {
            return Err(Hurry::Bytes);
        }
        Ok(())
    }
}

impl Allowance {
    fn take(&mut self, now: Instant, count: u64) -> bool {
        let millis = u64::try_from((now - self.at).as_millis()).unwrap_or(u64::MAX);
        let grown = millis.saturating_mul(self.per_second) / 1_000;
        if grown > 0 {
            self.left = self.left.saturating_add(grown).min(self.burst_max);
            self.at = now;
        }
        let is_allowed = count <= self.left;
        self.left = self.left.saturating_sub(count);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn s5_a_peer_may_send_a_burst_and_then_at_a_pace() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..MESSAGES_BURST_MAX {
            assert_eq!(pace.take(now, 100), Ok(()));
        }
        assert_eq!(pace.take(now, 100), Err(Hurry::Messages));
        for _ in 0..10 {
            now += Duration::from_secs(1);
            for _ in 0..MESSAGES_PER_SECOND_MAX {
                assert_eq!(pace.take(now, 100), Ok(()));
            }
        }
        assert_eq!(pace.take(now, 100), Err(Hurry::Messages));
        now += Duration::from_secs(3_600);
        assert_eq!(pace.take(now, 1 << 30), Ok(()));
        assert_eq!(pace.take(now, 1), Err(Hurry::Bytes));
    }
}
