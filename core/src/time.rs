//! Time as the host tells it: milliseconds for schedules, seconds for changes.
//!
//! ```
//! use plainsync_core::time::{Millis, rfc3339};
//!
//! let now = Millis(1_769_817_600_250);
//! assert_eq!(now.seconds(), 1_769_817_600);
//! assert_eq!(rfc3339(now.seconds()), "2026-01-31T00:00:00Z");
//! ```
//!
//! **Invariant:** nothing here reads a clock, and no time decides which edit wins.

use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, supplied by the host: core reads no clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The Unix second that this falls in: the precision of a change's time.
    #[must_use]
    pub fn seconds(self) -> i64 {
        // A u64 of milliseconds has at most 2^54 seconds.
        (self.0 / 1000).cast_signed()
    }

    /// Milliseconds passed since `earlier`; zero when the clock went backwards.
    #[must_use]
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Millis {
    type Output = Millis;

    /// `ms` later, stopping at the end of time.
    fn add(self, ms: u64) -> Millis {
        Millis(self.0.saturating_add(ms))
    }
}

impl Sub<u64> for Millis {
    type Output = Millis;

    /// `ms` earlier, stopping at the epoch.
    fn sub(self, ms: u64) -> Millis {
        Millis(self.0.saturating_sub(ms))
    }
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The last second that has a text in every time zone: RFC 3339 has four digits for a year.
const SECONDS_MAX: i64 = 253_402_207_200;

/// A Unix second as RFC 3339 text in UTC: `2026-01-31T00:00:00Z`.
///
/// A change's time comes from whoever wrote it, so any number must have a text, and the same
/// one everywhere: what lies before 1970, or past the last hours of 9999, is shown as that border.
#[must_use]
pub fn rfc3339(seconds: i64) -> String {
    let seconds = seconds.clamp(0, SECONDS_MAX);
    DateTime::from_timestamp(seconds, 0)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The Unix second of an RFC 3339 text, rounded down; a text without a zone is taken as UTC.
///
/// `None` when the text is no time: another shape, or a date that is in no calendar.
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<i64> {
    let zoned = DateTime::parse_from_rfc3339(text);
    let utc = |_| DateTime::parse_from_rfc3339(&format!("{text}Z"));
    zoned.or_else(utc).ok().map(|time| time.timestamp())
}

/// Unix seconds from `start` on, up to `end` and without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondsRange {
    /// The first.
    pub start: i64,
    /// The first after it.
    pub end: i64,
}

/// All seconds that a person means by `text`: a month (`2026-01`), a day (`2026-01-31`), a minute
/// (`2026-01-31 10:11`) or a second of it. The time stands after a space or a `T`, and is in UTC
/// where no zone is named.
///
/// `None` when it is no time.
#[must_use]
pub fn seconds_within(text: &str) -> Option<SecondsRange> {
    let text = text.trim();
    let range = |start: i64, len: i64| {
        Some(SecondsRange {
            start,
            end: start.saturating_add(len),
        })
    };
    if text.len() == 7 {
        let start = from_rfc3339(&format!("{text}-01T00:00:00"))?;
        let (year, month) = text.split_once('-')?;
        let (year, month) = (year.parse::<u32>().ok()?, month.parse::<u32>().ok()?);
        let next = format!("{:04}-{:02}-01T00:00:00", year + month / 12, month % 12 + 1);
        // After 9999 there are no texts; December has 31 days.
        let end = from_rfc3339(&next).unwrap_or(start + 31 * DAY_SECONDS);
        return range(start, end - start);
    }
    let (day, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        return range(from_rfc3339(&format!("{day}T00:00:00"))?, DAY_SECONDS);
    }
    let time = rest.strip_prefix([' ', 'T', 't'])?;
    let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(zone_at)?;
    let clock = clock.trim_end();
    let (seconds, len) = match clock.matches(':').count() {
        1 => (":00", 60),
        _ => ("", 1),
    };
    range(from_rfc3339(&format!("{day}T{clock}{seconds}{zone}"))?, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q3_a_time_is_all_that_lies_in_it() {
        for (text, seconds) in [
            ("2026-01", Some((1_767_225_600, 31 * 86_400))),
            ("2024-02", Some((1_706_745_600, 29 * 86_400))),
            ("2025-12", Some((1_764_547_200, 31 * 86_400))),
            ("2026-01-31", Some((1_769_817_600, 86_400))),
            ("2026-01-31 10:11", Some((1_769_854_260, 60))),
            ("2026-01-31T12:11+02:00", Some((1_769_854_260, 60))),
            ("2026-01-31T10:11:11.5Z", Some((1_769_854_271, 1))),
            ("2026-13", None),
            ("2026-00", None),
            ("2026-1", None),
            ("202601x", None),
            ("2026-02-30", None),
            ("9999-12", Some((253_399_622_400, 31 * 86_400))),
            ("", None),
        ] {
            let seconds = seconds.map(|(start, len)| SecondsRange {
                start,
                end: start + len,
            });
            assert_eq!(seconds_within(text), seconds, "{text}");
        }
    }

    #[test]
    fn d2_any_time_has_a_text_and_none_fails() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_769_854_271, "2026-01-31T10:11:11Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (SECONDS_MAX, "9999-12-30T22:00:00Z"),
            (SECONDS_MAX + 1, "9999-12-30T22:00:00Z"),
            (i64::MAX, "9999-12-30T22:00:00Z"),
            (-1, "1970-01-01T00:00:00Z"),
            (i64::MIN, "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn f3_times_are_read_as_people_and_python_write_them() {
        for (text, seconds) in [
            ("2026-01-31T10:11:11Z", Some(1_769_854_271)),
            ("2026-01-31T12:11:11.999+02:00", Some(1_769_854_271)),
            ("2026-01-31T10:11:11.123456", Some(1_769_854_271)),
            ("2026-01-31T10:11:11", Some(1_769_854_271)),
            ("2026-02-30T10:11:11Z", None),
            ("2026-01-31", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(from_rfc3339(text), seconds, "{text}");
        }
    }

    #[test]
    fn d2_milliseconds_never_wrap() {
        assert_eq!(Millis(1_999).seconds(), 1);
        assert_eq!(Millis(u64::MAX).seconds(), 18_446_744_073_709_551);
        assert_eq!(Millis(u64::MAX) + 1, Millis(u64::MAX));
        assert_eq!(Millis(3) - 5, Millis(0));
        assert_eq!(Millis(3).since(Millis(5)), 0);
        assert_eq!(Millis(5).since(Millis(3)), 2);
    }
}
