//! Values of every kind that JSON has, and keys that mean something elsewhere (D8).

use crate::row::{Row, file, push, put, replace, row, set};

pub fn rows() -> Vec<Row> {
    vec![
        row("1.0 in place of 1 is the same number")
            .before([r#"{"width":1,"height":2.0}"#])
            .apart([set(1, r#"{"prompt":"x"}"#)])
            .by_hand([
                replace("\"width\": 1,", "\"width\": 1.0,"),
                replace("\"height\": 2.0", "\"height\": 2"),
            ])
            .after([r#"job-1 {"height":2.0,"prompt":"x","width":1}"#]),
        row("the largest whole numbers come back digit for digit")
            .before([r#"{"width":1}"#])
            .by_hand([put(
                1,
                r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993}"#,
            )])
            .after([
                r#"job-1 {"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993,"width":1}"#,
            ])
            .report("1 changed"),
        row("neighbours beyond 2^53 are different numbers")
            .before([r#"{"a":9007199254740993}"#])
            .by_hand([replace("9007199254740993", "9007199254740992")])
            .after([r#"job-1 {"a":9007199254740992}"#])
            .report("1 changed"),
        row("-0 keeps its sign, and in place of 0 is no edit")
            .before([r#"{"a":0}"#])
            .by_hand([replace("\"a\": 0", "\"a\": -0"), put(1, r#"{"b":-0.0}"#)])
            .after([r#"job-1 {"a":0,"b":-0.0}"#])
            .report("1 changed"),
        row("fractions and exponents by value")
            .before([r#"{"a":0.1}"#])
            .by_hand([
                replace("\"a\": 0.1", "\"a\": 1e-1"),
                ])
            .after([r#"job-1 {"a":0.1}"#]),
        row("texts in every script, escapes, and letters that combine differently")
            .before([r#"{"prompt":"e\u0301"}"#])
            .by_hand([put(1, r#"{"prompt":"\u00e9","note":"🦊\u0000\u2028 \"\\/"}"#)])
            .after(["job-1 {\"note\":\"🦊\\u0000\u{2028} \\\"\\\\/\",\"prompt\":\"é\"}"])
            .report("1 changed"),
        row("__proto__, constructor and the empty name are names like others")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([put(1, r#"{"__proto__":{"x":1},"constructor":"y","":0}"#)])
            .after([r#"job-1 {"":0,"__proto__":{"x":1},"constructor":"y","prompt":"a"}"#])
            .report("1 changed"),
        row("a job whose id is __proto__")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([push(r#"{"id":"__proto__","prompt":"b","createdAt":2}"#)])
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"__proto__ {"createdAt":2,"prompt":"b"}"#,
            ])
            .report("1 added"),
        row("an id that is a number is one")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([push(r#"{"id":17,"prompt":"b"}"#)])
            .after([r#"job-1 {"prompt":"a"}"#, r#"17 {"prompt":"b"}"#])
            .report("1 added"),
        row("lists in lists, empty ones, and null inside")
            .before([r#"{"a":[[],{}]}"#])
            .by_hand([put(1, r#"{"a":[[],{},[null,[1,{"b":[]}]]]}"#)])
            .after([r#"job-1 {"a":[[],{},[null,[1,{"b":[]}]]]}"#])
            .report("1 changed"),
        row("an empty object, filled on both sides")
            .before([r#"{"extra":{}}"#])
            .apart([set(1, r#"{"extra":{"elsewhere":1}}"#)])
            .by_hand([put(1, r#"{"extra":{"by hand":2}}"#)])
            .after([r#"job-1 {"extra":{"by hand":2,"elsewhere":1}}"#])
            .report("1 changed"),
        row("a new member of the file that is a list of lists")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([file(r#"{"palette":[[1,2],[3]]}"#)])
            .after([r#"job-1 {"prompt":"a"}"#])
            .root(r#"{"palette":[[1,2],[3]]}"#),
    ]
}
