//! D8 and F7: what parses comes back as it was; what does not says why and where.
#![allow(clippy::unwrap_used, reason = "tests")]

mod differential;
mod messages;
mod numbers;

use serde_json::json;

use super::*;
use crate::limits::JSON_DEPTH_MAX;

/// The kind of the error that `text` gives.
fn kind(text: impl AsRef<[u8]>) -> JsonErrorKind {
    parse(text.as_ref()).unwrap_err().kind
}

fn value(text: &str) -> serde_json::Value {
    parse(text.as_bytes()).unwrap().to_value()
}

#[test]
fn d8_values_are_what_was_written() {
    for (text, expected) in [
        ("null", json!(null)),
        (" true ", json!(true)),
        ("\n[ ]\t", json!([])),
        ("{ }", json!({})),
        ("[1 ,[2],{\"a\":[]}]", json!([1, [2], {"a": []}])),
        (r#"{"a":1,"b":{"a":2}}"#, json!({"a": 1, "b": {"a": 2}})),
        (
            r#"{"":"","__proto__":1,"constructor":2}"#,
            json!({"": "", "__proto__": 1, "constructor": 2}),
        ),
        (
            r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\u0000x""#,
            json!("\"\\/\u{8}\u{c}\n\r\té😀\0x"),
        ),
        (
            "\"é😀\u{7f}\u{2028}\u{feff}\"",
            json!("é😀\u{7f}\u{2028}\u{feff}"),
        ),
        (r#""\uFFFF\uD7FF\uE000""#, json!("\u{ffff}\u{d7ff}\u{e000}")),
    ] {
        assert_eq!(value(text), expected, "{text}");
        assert_eq!(
            parse(text.as_bytes()).unwrap().into_value(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn every_node_knows_where_it_began() {
    let text = "{\n \"é\": [1, {\"b\" : \"x\"}]\n}";
    let root = parse(text.as_bytes()).unwrap();
    let list = root.get("é").unwrap();
    let inner = &list.as_array().unwrap()[1];
    let b = &inner.as_object().unwrap()[0];
    assert_eq!(root.at, 0);
    for (at, expected) in [
        (list.at, "[1"),
        (list.as_array().unwrap()[0].at, "1,"),
        (inner.at, "{\"b\""),
        (b.at, "\"b\" "),
        (b.node.at, "\"x\""),
    ] {
        assert!(text[at..].starts_with(expected), "{at}: {expected}");
    }
    assert_eq!(b.node.as_str(), Some("x"));
    assert_eq!(root.what(), "an object");
}

#[test]
fn a_position_counts_characters_from_one() {
    let text = "a\r\n\u{e9}\u{1f600}b\n\nc".as_bytes();
    for (offset, line, column) in [
        (0, 1, 1),
        (1, 1, 2),
        (2, 1, 3),
        (3, 2, 1),
        (5, 2, 2),
        (9, 2, 3),
        (11, 3, 1),
        (12, 4, 1),
        (13, 4, 2),
        (999, 4, 2),
    ] {
        assert_eq!(
            position(text, offset),
            Position { line, column },
            "{offset}"
        );
    }
}

#[test]
fn objects_and_lists_keep_their_order() {
    let root = parse(br#"{"z":1,"a":2,"m":3}"#).unwrap();
    let keys: Vec<&str> = root
        .as_object()
        .unwrap()
        .iter()
        .map(|m| m.key.as_str())
        .collect();
    assert_eq!(keys, ["z", "a", "m"]);
}

#[test]
fn s5_depth_is_limited_where_it_is_met() {
    let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(parse(&nested(JSON_DEPTH_MAX)).is_ok());
    let error = parse(&nested(JSON_DEPTH_MAX + 1)).unwrap_err();
    assert_eq!(
        (error.kind, error.offset),
        (JsonErrorKind::TooDeep, JSON_DEPTH_MAX)
    );
    assert_eq!(kind(vec![b'['; 1_000_000]), JsonErrorKind::TooDeep);
    assert_eq!(kind("{\"a\":".repeat(1_000_000)), JsonErrorKind::TooDeep);
    let wide = format!("[{}[]]", "[[]],".repeat(1_000));
    assert!(parse(wide.as_bytes()).is_ok(), "siblings are no depth");
}

#[test]
fn s5_the_number_of_values_is_limited() {
    let text = br#"{"a": [1, "", null], "b": {}}"#;
    assert!(parse::parse_at_most(text, 6).is_ok());
    let error = parse::parse_at_most(text, 5).unwrap_err();
    assert_eq!((error.kind, error.offset), (JsonErrorKind::TooMany, 26));
}

#[test]
fn d8_a_key_twice_is_refused_in_small_and_large_objects() {
    let same = br#"{"a":1,"\u0061":2}"#;
    assert!(matches!(kind(same), JsonErrorKind::DuplicateKey { key, .. } if key == "a"));
    let many: Vec<String> = (0..1_000).map(|n| format!("\"k{n}\":{n}")).collect();
    assert!(parse(format!("{{{}}}", many.join(",")).as_bytes()).is_ok());
    let text = format!("{{{},\"k7\":0,\"k3\":0}}", many.join(",\n"));
    let error = parse(text.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1000, column 12: the key \"k7\" is used twice in one object, first at line 8, column 1"
    );
}

/// A text cut anywhere says that it was cut, never that something is wrong in it.
#[test]
fn f7_a_text_cut_at_any_byte_is_called_half() {
    let text = r#" { "jobs" : [ { "id":"job-é-\u00e9\ud83d\ude00\n", "n":-1.5e-3, "t":true, "f":false, "x":null, "e":[], "o":{} } ] }"#;
    assert!(parse(text.as_bytes()).is_ok());
    for cut in 2..text.len() {
        let error = parse(&text.as_bytes()[..cut]).unwrap_err();
        assert!(
            matches!(error.kind, JsonErrorKind::HalfFile { .. }),
            "cut at {cut}: {error}"
        );
    }
    assert!(matches!(
        kind(&text[..1]),
        JsonErrorKind::Empty { len_bytes: 1 }
    ));
}
