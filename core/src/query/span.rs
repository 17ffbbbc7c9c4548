//! Numbers and times as stretches of one line, to be compared.

use serde_json::Value;

use crate::time::{SecondsRange, seconds_within};

/// What a number or a time in a query covers: `64` is a point, `2025-10` a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    from: f64,
    /// The first that is no longer covered; of a point, the point itself.
    to: f64,
}

/// How a value is to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Span {
    /// What `text` covers: a number, or a day such as `2025-10-01`, its month, or a time of it. Times
    /// are milliseconds since the Unix epoch, and in UTC where no zone is named.
    pub(super) fn of(text: &str) -> Option<Self> {
        if let Some(point) = number(text) {
            return Some(Self {
                from: point,
                to: point,
            });
        }
        let SecondsRange { start, end } = seconds_within(text)?;
        Some(Self {
            from: ms(start),
            to: ms(end),
        })
    }

    /// As [`Span::of`], where four digits are a year.
    pub(super) fn of_time(text: &str) -> Option<Self> {
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_year {
            return Self::of(text);
        }
        let (first, last) = (format!("{text}-01"), format!("{text}-12"));
        Some(Self {
            from: ms(seconds_within(&first)?.start),
            to: ms(seconds_within(&last)?.end),
        })
    }

    pub(super) fn covers(self, at: f64) -> bool {
        at == self.from || (at > self.from && at < self.to)
    }

    /// Whether `at` lies on this side of it.
    pub(super) fn has(self, side: Side, at: f64) -> bool {
        let is_point = self.from == self.to;
        match side {
            Side::Above => at > self.from && (is_point || at >= self.to),
            Side::AtLeast => at >= self.from,
            Side::Below => at < self.from,
            Side::AtMost => at < self.to || (is_point && at == self.to),
        }
    }
}

/// Where a record's value lies: numbers, and texts that are a number or a time.
pub(super) fn place_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => Span::of(text).map(|span| span.from),
        _ => None,
    }
}

fn number(text: &str) -> Option<f64> {
    serde_json::from_str(text).ok()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "years of four digits stay far below 2^53 ms"
)]
fn ms(seconds: i64) -> f64 {
    (seconds * 1000) as f64
}
