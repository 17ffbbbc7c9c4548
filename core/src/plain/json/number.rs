//! Numbers: kept exactly, or refused.
//!
//! A number comes back exactly if the decimal that it is written as and the shortest decimal
//! of the double that holds it are the same number. `0.1` is: the double nearest to it is
//! written again as 0.1. `0.10000000000000000555` is not, although it is closer to that double.

use serde_json::Number;

use super::error::{JsonErrorKind, shorten};
use crate::limits::JSON_NUMBER_BYTES_MAX;

/// Significant digits that every double keeps.
const DIGITS_SAFE: usize = 15;
/// Decimal exponents, in either direction, within which [`DIGITS_SAFE`] holds: far from both the
/// smallest and the largest double.
const EXPONENTS_SAFE: std::ops::RangeInclusive<i64> = -250..=250;

/// Reads the number `text`, which [`end`] found to be spelled well.
pub(super) fn read(text: &str) -> Result<Number, JsonErrorKind> {
    let whole = !text.contains(['.', 'e', 'E']);
    // -0 is whole, but only a double keeps its sign.
    if whole && text != "-0" {
        if let Ok(number) = text.parse::<i64>() {
            return Ok(number.into());
        }
        if let Ok(number) = text.parse::<u64>() {
            return Ok(number.into());
        }
    }
    if text.len() > JSON_NUMBER_BYTES_MAX {
        return Err(JsonErrorKind::NumberTooLong {
            len_bytes: text.len(),
        });
    }
    let inexact = |kept: String| JsonErrorKind::NumberInexact {
        found: shorten(text),
        kept,
    };
    // Read by serde_json, whose table of powers a page has already: std would bring one more.
    // The text is spelled well, so what cannot be held is out of range.
    let number = serde_json::from_str::<f64>(text);
    let number = number.ok().and_then(Number::from_f64);
    let number = number.ok_or_else(|| inexact("infinite".to_owned()))?;
    let written = Decimal::of(text);
    let safe = written.digits.len() <= DIGITS_SAFE && EXPONENTS_SAFE.contains(&written.exponent);
    // The text that serde_json writes is the shortest one that gives this double.
    let kept = if safe {
        String::new()
    } else {
        number.to_string()
    };
    if safe || written == Decimal::of(&kept) {
        Ok(number)
    } else {
        Err(inexact(kept))
    }
}

/// A number that is not spelled as JSON does.
pub(super) struct Misspelled {
    /// The byte at which that shows.
    pub(super) at: usize,
    /// What is wrong there.
    pub(super) reason: &'static str,
    /// Whether more digits would mend it.
    pub(super) unfinished: bool,
}

impl Misspelled {
    fn missing(at: usize, reason: &'static str) -> Misspelled {
        Misspelled {
            at,
            reason,
            unfinished: true,
        }
    }
}

/// Where the number ends that begins at byte `at`.
///
/// # Errors
///
/// [`Misspelled`]: it does not end well.
pub(super) fn end(bytes: &[u8], at: usize) -> Result<usize, Misspelled> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let whole = at + usize::from(bytes.get(at) == Some(&b'-'));
    let mut end = digits(whole);
    if end == whole {
        return Err(Misspelled::missing(end, "a digit is missing"));
    }
    if bytes[whole] == b'0' && end > whole + 1 {
        return Err(Misspelled {
            at: end,
            reason: "it begins with a needless zero",
            unfinished: false,
        });
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return Err(Misspelled::missing(
                end,
                "a digit is missing after the point",
            ));
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(exponent);
        if end == exponent {
            return Err(Misspelled::missing(
                end,
                "a digit is missing in the exponent",
            ));
        }
    }
    Ok(end)
}

/// A decimal number in its one normal form: `±0.digits × 10^exponent`, with no zeros at either
/// end of the digits.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The number that `text` spells, as JSON does.
    fn of(text: &str) -> Decimal {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let negative = mantissa.starts_with('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes())
            .filter(u8::is_ascii_digit)
            .collect();
        let whole_digits = digits.len() - fraction.len().min(digits.len());
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Decimal {
                negative,
                digits,
                exponent: 0,
            };
        }
        // At most JSON_NUMBER_BYTES_MAX either way: only the exponent itself can be too large,
        // and then no double comes near it.
        let shift = i64::try_from(whole_digits).unwrap_or(i64::MAX)
            - i64::try_from(leading).unwrap_or(i64::MAX);
        let far = if exponent.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        };
        let exponent = exponent.parse::<i64>().unwrap_or(far).saturating_add(shift);
        Decimal {
            negative,
            digits,
            exponent,
        }
    }
}
