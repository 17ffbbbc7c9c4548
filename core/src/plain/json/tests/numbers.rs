//! D8: numbers come back exactly, or are refused.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{kind, value};
use crate::limits::JSON_NUMBER_BYTES_MAX;
use crate::plain::json::{JsonErrorKind, parse};

#[test]
fn d8_numbers_keep_their_value() {
    for (text, expected) in [
        ("0", json!(0)),
        ("-0", json!(-0.0)),
        ("-0.0", json!(-0.0)),
        ("1.0", json!(1.0)),
        ("1e3", json!(1000.0)),
        ("1E+3", json!(1000.0)),
        ("0.1", json!(0.1)),
        ("0.10", json!(0.1)),
        ("1000e-4", json!(0.1)),
        ("9223372036854775807", json!(i64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("18446744073709551615", json!(u64::MAX)),
        ("100000000000000000000", json!(1e20)),
        ("9007199254740993", json!(9_007_199_254_740_993_i64)),
        ("1e22", json!(1e22)),
        ("1e23", json!(1e23)),
        ("0e999999999999999999999", json!(0.0)),
        ("0.30000000000000004", json!(0.1 + 0.2)),
        ("123456789012345.5", json!(123_456_789_012_345.5)),
        ("848713426597438.2", json!(848_713_426_597_438.2)),
        ("5e-324", json!(5e-324)),
        ("1.7976931348623157e+308", json!(f64::MAX)),
        ("2.2250738585072014e-308", json!(f64::MIN_POSITIVE)),
    ] {
        let read = value(text);
        assert_eq!(read, expected, "{text}");
        assert_eq!(
            read.to_string(),
            expected.to_string(),
            "{text}: sign and form"
        );
        assert_eq!(value(&read.to_string()), read, "{text}: written again");
    }
}

#[test]
fn d8_numbers_that_cannot_be_kept_exactly_are_refused() {
    for (text, kept) in [
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("-9223372036854775809", "-9.223372036854776e+18"),
        ("0.10000000000000000555", "0.1"),
        (
            "0.1000000000000000055511151231257827021181583404541015625",
            "0.1",
        ),
        ("9007199254740993.0", "9007199254740992.0"),
        ("9007199254740993e0", "9007199254740992.0"),
        ("0.30000000000000000001", "0.3"),
        ("1e-400", "0.0"),
        ("-1e-400", "-0.0"),
        ("4e-324", "5e-324"),
        ("1e400", "infinite"),
        ("-1e400", "infinite"),
        ("1e99999999999999999999", "infinite"),
        ("1e-99999999999999999999", "0.0"),
        ("1.7976931348623158e+308", "1.7976931348623157e+308"),
        ("1.23456789012345678", "1.2345678901234567"),
        // Halfway between two shortest forms: the even one is written, as JS and Python do.
        ("848713426597438.3", "848713426597438.2"),
    ] {
        let (found, kept) = (text.chars().take(40).collect::<String>(), kept.to_owned());
        let found = if found.len() < text.len() {
            format!("{found}…")
        } else {
            found
        };
        assert_eq!(
            kind(text),
            JsonErrorKind::NumberInexact { found, kept },
            "{text}"
        );
    }
    assert_eq!(
        parse(b"[\n18446744073709551616]").unwrap_err().to_string(),
        "line 2, column 1: the number 18446744073709551616 cannot be kept exactly: \
         it would become 1.8446744073709552e+19"
    );
}

#[test]
fn numbers_are_spelled_as_json_does() {
    for (text, found, reason) in [
        ("[01]", "01", "it begins with a needless zero"),
        ("[-01.5]", "-01.5", "it begins with a needless zero"),
        ("[1.]", "1.", "a digit is missing after the point"),
        ("[1.e5]", "1.e5", "a digit is missing after the point"),
        ("[1e]", "1e", "a digit is missing in the exponent"),
        ("[1e+x]", "1e+x", "a digit is missing in the exponent"),
        ("[-]", "-", "a digit is missing"),
        ("[--1]", "--1", "a digit is missing"),
        ("[-Infinity]", "-Infinity", "a digit is missing"),
        ("00", "00", "it begins with a needless zero"),
    ] {
        let expected = JsonErrorKind::NumberSpelling {
            found: found.into(),
            reason,
        };
        assert_eq!(kind(text), expected, "{text}");
    }
    for text in [".5", "+1", "0x10", "1_000", "1,0", "٣", "1f"] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn s5_a_number_has_a_longest_form() {
    let zeros = |n: usize| format!("0.{}", "0".repeat(n));
    assert_eq!(value(&zeros(JSON_NUMBER_BYTES_MAX - 2)), json!(0.0));
    let over = kind(zeros(JSON_NUMBER_BYTES_MAX - 1));
    assert_eq!(
        over,
        JsonErrorKind::NumberTooLong {
            len_bytes: JSON_NUMBER_BYTES_MAX + 1
        }
    );
    assert!(matches!(
        kind("9".repeat(1_000_000)),
        JsonErrorKind::NumberTooLong { .. }
    ));
}

/// The decimal that `text` spells, as whole digits and a power of ten: the naive way.
fn decimal(text: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut power = exponent.parse::<i64>().unwrap() - fraction.len() as i64;
    let mut digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    while digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
        power += 1;
    }
    let digits = digits.trim_start_matches('0').to_owned();
    if digits.is_empty() {
        power = 0;
    }
    (mantissa.starts_with('-'), digits, power)
}

proptest! {
    /// A number is taken if and only if what would be written for it is the same decimal.
    #[test]
    fn d8_a_number_is_taken_if_it_comes_back(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?") {
        let whole = !text.contains(['.', 'e', 'E']);
        // What serde_json reads and writes: correctly rounded, shortest form.
        let written = serde_json::from_str::<Value>(&text).map(|value| value.to_string());
        let exact = written.as_ref().is_ok_and(|written| decimal(written) == decimal(&text));
        let ours = parse(text.as_bytes());
        prop_assert_eq!(ours.is_ok(), exact, "{}: {:?}", text, ours);
        if let Ok(node) = ours {
            prop_assert_eq!(node.to_value().to_string(), written.unwrap());
            prop_assert_eq!(node.to_value().is_f64(), !whole || node.to_value().as_f64().is_some_and(|f| f.abs() >= 9.3e18 && node.to_value().as_u64().is_none()) || text == "-0");
        }
    }

    #[test]
    fn d8_every_double_comes_back(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        if number.is_finite() {
            let text = json!(number).to_string();
            for text in [text.to_uppercase(), text] {
                prop_assert_eq!(value(&text).as_f64().map(f64::to_bits), Some(bits), "{}", text);
            }
        }
    }

    #[test]
    fn d8_every_whole_number_comes_back(signed in any::<i64>(), unsigned in any::<u64>()) {
        prop_assert_eq!(value(&signed.to_string()), json!(signed));
        prop_assert_eq!(value(&unsigned.to_string()), json!(unsigned));
    }
}
