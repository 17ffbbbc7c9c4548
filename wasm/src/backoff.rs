//! How long to wait before dialling again: longer each time, and never all clients at once (S3).
//!
//! ```
//! use plainsync_wasm::backoff::Backoff;
//!
//! let mut backoff = Backoff::default();
//! assert_eq!(backoff.next_ms(u32::MAX), 250);
//! assert_eq!(backoff.next_ms(0), 250); // Half of 500.
//! backoff.reset();
//! assert_eq!(backoff.next_ms(0), 125);
//! ```

/// The first wait, in milliseconds.
const FIRST_MS: u32 = 250;
/// The longest wait, in milliseconds.
const LONGEST_MS: u32 = 30_000;

/// Waits that double, each cut by up to a half at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait in milliseconds; `random` is drawn evenly by the host.
    pub fn next_ms(&mut self, random: u32) -> u32 {
        let whole = FIRST_MS
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        let half = whole / 2;
        let share = u64::from(whole - half) * u64::from(random) / u64::from(u32::MAX);
        half + u32::try_from(share).unwrap_or(0)
    }

    /// It went well: the next wait is short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_waits_grow_to_a_limit_and_stay_within_their_halves() {
        let mut backoff = Backoff::default();
        for failures in 0..40_u32 {
            let whole = (u64::from(FIRST_MS) << failures.min(16)).min(u64::from(LONGEST_MS));
            let (mut low, mut high) = (backoff, backoff);
            let random = u64::from(backoff.next_ms(1 << 31));
            assert_eq!(u64::from(low.next_ms(0)), whole / 2);
            assert_eq!(u64::from(high.next_ms(u32::MAX)), whole);
            assert!((whole / 2..=whole).contains(&random), "{random} of {whole}");
        }
    }
}
