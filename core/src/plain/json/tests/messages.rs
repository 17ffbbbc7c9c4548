//! F7: each way in which a file is broken has a sentence of its own.

use super::super::*;

fn says(text: impl AsRef<[u8]>, sentence: &str) {
    let error = parse(text.as_ref()).expect_err(sentence);
    assert_eq!(error.to_string(), sentence);
}

#[test]
fn f7_a_file_that_is_no_json_at_all_is_named() {
    says("", "the text is empty: 0 bytes");
    says(" \r\n\t", "the text is empty: only white space");
    says(
        "\u{feff}{}",
        "the text begins with a byte order mark; save it as UTF-8 without BOM",
    );
    let utf16 = "the text is UTF-16 or UTF-32; save it as UTF-8";
    says(b"\xff\xfe{\0}\0", utf16);
    says(b"\xfe\xff\0{\0}", utf16);
    says(b"{\0}\0", utf16);
    says(b"\0{\0}", utf16);
    says(b"{\0\0\0}\0\0\0", utf16);
    says(b"\0\0\0{\0\0\0}", utf16);
    says(
        b"{\"a\": \"\xe9\"}",
        "line 1, column 8: the byte 0xe9 is not UTF-8; save the file as UTF-8",
    );
    says(
        b"\"\xed\xa0\x80\"",
        "line 1, column 2: the byte 0xed is not UTF-8; save the file as UTF-8",
    );
    says(
        "jobs",
        "line 1, column 1: \"jobs\" stands where a value is expected",
    );
    says(
        "<html>",
        "line 1, column 1: \"<\" stands where a value is expected",
    );
}

#[test]
fn f7_nul_bytes_of_a_crash_are_named() {
    let nul = "a NUL byte; data that a crash cut off often ends in these";
    says([0; 512], &format!("line 1, column 1: {nul}"));
    says("{\0\0\0\0\0", &format!("line 1, column 2: {nul}"));
    says("{}\n\0\0", &format!("line 2, column 1: {nul}"));
    says("[\"a\0\0", &format!("line 1, column 4: {nul}"));
    says("[1,\0", &format!("line 1, column 4: {nul}"));
}

#[test]
fn f7_a_merge_conflict_is_named() {
    let said = |place: &str, marker: &str| {
        format!(
            "{place}: git left a merge conflict here ({marker:?}); \
             decide between the two sides and delete the marker lines"
        )
    };
    let conflict = "{\n<<<<<<< HEAD\n  \"a\": 1\n=======\n  \"a\": 2\n>>>>>>> main\n}";
    says(conflict, &said("line 2, column 1", "<<<<<<< HEAD"));
    says("{\r\n<<<<<<<\r\n", &said("line 2, column 1", "<<<<<<<"));
    says(
        "{\"a\": 1\n=======\n\"a\": 2}",
        &said("line 2, column 1", "======="),
    );
    says(
        "{\"a\": 1,\n>>>>>>> main\n}",
        &said("line 2, column 1", ">>>>>>> main"),
    );
    says(
        "[1\n||||||| base\n]",
        &said("line 2, column 1", "||||||| base"),
    );
    says(
        "[1]\n>>>>>>> main\n",
        &said("line 2, column 1", ">>>>>>> main"),
    );
    says(
        "[\n<<<<<<<<\n]",
        "line 2, column 1: \"<\" stands where a value is expected",
    );
    assert!(
        parse(b"[\"\\n<<<<<<< HEAD\\n\"]").is_ok(),
        "inside a text it is text"
    );
}

#[test]
fn f7_half_a_file_is_named_with_what_was_open() {
    let said = |place: &str, inside: &str, begins: &str| {
        format!(
            "{place}: the text ends in the middle of {inside} that begins at {begins}; \
             the rest of it is missing"
        )
    };
    says(
        "{",
        &said("line 1, column 2", "an object", "line 1, column 1"),
    );
    says(
        "{\"a\": 1,\n",
        &said("line 2, column 1", "an object", "line 1, column 1"),
    );
    says(
        "{\"a\": [1,\n2",
        &said("line 2, column 2", "a list", "line 1, column 7"),
    );
    says(
        "[\"abc",
        &said("line 1, column 6", "a text", "line 1, column 2"),
    );
    says(
        "[\"\\u00",
        &said("line 1, column 7", "a text", "line 1, column 2"),
    );
    says(
        "[tr",
        &said("line 1, column 4", "a word", "line 1, column 2"),
    );
    says(
        "[-",
        &said("line 1, column 3", "a number", "line 1, column 2"),
    );
    says(
        b"[\"\xc3",
        &said("line 1, column 3", "a character", "line 1, column 3"),
    );
}

#[test]
fn f7_slips_of_the_hand_are_named() {
    let comma =
        "stands where something after the comma is expected; JSON has no comma after the last one";
    let words = "the words of JSON are true, false and null";
    for (text, said) in [
        ("[1,]", format!("column 4: \"]\" {comma}")),
        ("{\"a\":1,}", format!("column 8: \"}}\" {comma}")),
        ("[1 2]", "column 4: \"2\" stands where a comma or the list's closing ] is expected".into()),
        ("{\"a\":1 \"b\":2}", "column 8: \"\\\"\" stands where a comma or the object's closing } is expected".into()),
        ("[}", "column 2: \"}\" stands where a value is expected".into()),
        ("{a:1}", "column 2: \"a\" stands where a key in double quotes is expected".into()),
        ("{\"a\" 1}", "column 6: \"1\" stands where a colon after the key is expected".into()),
        ("{'a':1}", "column 2: \"'\" stands where a key in double quotes is expected; JSON has texts in double quotes only".into()),
        ("[1, // one\n]", "column 5: \"/\" stands where a value is expected; JSON has no comments".into()),
        ("[True]", format!("column 2: \"True\" stands where a value is expected; {words}")),
        ("[nul]", "column 2: \"nul\" stands where a value is expected".into()),
        ("[nullx]", "column 2: \"nullx\" stands where a value is expected".into()),
        ("[undefined]", format!("column 2: \"undefined\" stands where a value is expected; {words}")),
        ("[NaN]", "column 2: \"NaN\" stands where a value is expected; JSON has no such number; null may stand instead".into()),
        ("[+1]", "column 2: \"+\" stands where a value is expected; JSON has numbers that begin with a digit or a minus".into()),
        ("{} {}", "column 4: \"{\" follows after the JSON is complete".into()),
        ("[1]]", "column 4: \"]\" follows after the JSON is complete".into()),
        ("[\"a\nb\"]", "column 4: a raw control character (0x0a) inside a text; write it as \\u000a; is a closing quote missing?".into()),
        ("[\"a\tb\"]", "column 4: a raw control character (0x09) inside a text; write it as \\u0009".into()),
        ("[\"\\x41\"]", "column 3: \"\\\\x\" is no escape; after a backslash come \" \\ / b f n r t or u and four hexadecimal digits".into()),
        ("[\"\\u12g4\"]", "column 3: \"\\\\u12g4\" is no escape; after a backslash come \" \\ / b f n r t or u and four hexadecimal digits".into()),
    ] {
        says(text, &format!("line 1, {said}"));
    }
}

#[test]
fn d8_half_a_surrogate_pair_is_refused() {
    for (text, found) in [
        (r#"["\ud83d"]"#, "\\ud83d"),
        (r#"["\ude00"]"#, "\\ude00"),
        (r#"["\ud83dx"]"#, "\\ud83d"),
        (r#"["\ud83d\n"]"#, "\\ud83d"),
        (r#"["\ud83d\ud83d\ude00"]"#, "\\ud83d"),
        (r#"["\ud83d\u0041"]"#, "\\ud83d"),
        (r#"["\uDE00\uD83D"]"#, "\\uDE00"),
    ] {
        says(
            text,
            &format!(
                "line 1, column 3: {found:?} is half of a surrogate pair; both halves are needed to make a character"
            ),
        );
    }
}

#[test]
fn what_a_message_quotes_is_short() {
    let error = parse("x".repeat(1_000_000).as_bytes())
        .expect_err("no value")
        .to_string();
    assert!(error.len() < 200, "{error}");
    let error =
        parse(format!("[1\n<<<<<<< {}", "é".repeat(10_000)).as_bytes()).expect_err("a marker");
    assert!(error.to_string().len() < 300);
    let key = "k".repeat(10_000);
    let error = parse(format!("{{\"{key}\":1,\"{key}\":2}}").as_bytes()).expect_err("twice");
    assert!(error.to_string().len() < 200);
}
