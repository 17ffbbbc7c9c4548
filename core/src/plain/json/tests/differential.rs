//! Beside serde_json: what we take, it takes and reads the same; what only it takes, we refuse
//! for one of the reasons that we have.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::plain::json::{JsonErrorKind, parse};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from), // Infinities and NaN become null.
        any::<String>().prop_map(Value::from),
        "[ -~]{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let field = ("[a-c]{0,2}|\\PC{0,6}|__proto__", inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(Value::from),
            prop::collection::vec(field, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Pieces from which texts are put together that are nearly JSON.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "d83d",
        "0",
        "-",
        "1",
        "9",
        ".",
        "e",
        "E+",
        "1e400",
        "18446744073709551616",
        "true",
        "fals",
        "null",
        "\"a\"",
        "\"a\":",
        "\"b\":",
        " ",
        "\n",
        "\r\n",
        "\t",
        "\u{feff}",
        "\0",
        "é",
        "😀",
        "\u{1}",
        "<<<<<<< HEAD\n",
        "=======",
        "/",
        "'",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Compares our reading of `bytes` with serde_json's.
fn compare(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<Value>(bytes);
    match (parse(bytes), theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert_eq!(ours.to_value().to_string(), theirs.to_string());
            prop_assert_eq!(ours.to_value(), theirs);
        }
        (Ok(ours), Err(error)) => prop_assert!(false, "only we take it: {ours:?}, {error}"),
        (Err(error), Ok(_)) => {
            use JsonErrorKind::{DuplicateKey, NumberInexact, NumberTooLong, TooDeep};
            let ours = matches!(
                error.kind,
                DuplicateKey { .. } | NumberInexact { .. } | NumberTooLong { .. } | TooDeep
            );
            prop_assert!(ours, "refused for no reason of ours: {error}");
        }
        (Err(error), Err(_)) => {
            prop_assert!(error.offset <= bytes.len());
            prop_assert!(!error.to_string().is_empty());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn d8_values_round_trip_in_both_spellings(value in values()) {
        for text in [value.to_string(), format!("{value:#}")] {
            let ours = parse(text.as_bytes()).expect("serde_json writes JSON");
            prop_assert_eq!(ours.to_value().to_string(), value.to_string());
            prop_assert_eq!(ours.into_value(), value.clone());
        }
    }

    #[test]
    fn mutated_json_is_read_as_serde_json_reads_it(
        value in values(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = value.to_string().into_bytes();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        compare(&bytes)?;
    }

    #[test]
    fn texts_that_are_nearly_json_are_read_as_serde_json_reads_them(text in pieces()) {
        compare(text.as_bytes())?;
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        compare(&bytes)?;
    }
}
