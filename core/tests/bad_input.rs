//! Rules F7, L3 and S5: whatever bytes a file holds, they are taken in or refused with place and
//! reason, the state stays, and nothing panics. The table of hand edits has the everyday ones.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Device, device};
use plainsync_core::edit::Edit;
use plainsync_core::guard::{Limits, check};
use plainsync_core::limits::{
    JSON_TEXT_BYTES_MAX, RECORD_FIELDS_MAX, RECORD_VALUES_MAX, TEXT_BYTES_MAX,
};
use plainsync_core::plain::import::{ImportError, ImportOptions};
use proptest::prelude::*;
use serde_json::json;

fn kept() -> Device {
    let mut a = device(1);
    a.insert("record-1", json!({"prompt": "knight", "createdAt": 1}));
    a.insert(
        "record-2",
        json!({"prompt": "mage", "extra": {"a": [1, {"b": null}]}}),
    );
    a
}

/// The bytes are refused with a sentence that begins so, and nothing changes.
#[track_caller]
fn refused(bytes: &[u8], begins: &str) {
    let mut a = kept();
    let before = a.json();
    let document = a.replica.document_mut();
    let error = document
        .import(bytes, &ImportOptions::default())
        .unwrap_err();
    let says = error.to_string();
    assert!(
        says.starts_with(begins),
        "{says:?} does not begin with {begins:?}"
    );
    assert!(matches!(error, ImportError::Text { .. }), "{error:?}");
    assert!(
        says.len() < 600,
        "a message is no dump: {} bytes",
        says.len()
    );
    assert_eq!(a.json(), before);
}

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark
        .then_some(0xfeff)
        .into_iter()
        .chain(text.encode_utf16());
    let bytes = units.map(|unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    });
    bytes.flatten().collect()
}

#[test]
fn f7_other_encodings_and_what_a_crash_leaves_are_named() {
    let file = "{\"jobs\": []}";
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        refused(
            &utf16(file, big, mark),
            "line 1, column 1: the text is UTF-16 or UTF-32; save it as UTF-8",
        );
    }
    refused(
        b"\xef\xbb\xbf{\"jobs\": []}",
        "line 1, column 1: the text begins with a byte order mark",
    );
    refused(
        b"{\"jobs\": [{\"id\": \"\xff\"}]}",
        "line 1, column 19: the byte 0xff is not UTF-8",
    );
    refused(&[0; 4096], "line 1, column 1: a NUL byte");
    refused(
        b"{\"jobs\": [\n  {\"id\": \"job-1\"},\0\0\0\0",
        "line 2, column 19: a NUL byte",
    );
    refused(
        b"{\"jobs\": [{\"id\": \"a\0b\"}]}",
        "line 1, column 20: a NUL byte",
    );
    refused(
        b"{\"jobs\": [], \"note\": \"\xc3",
        "line 1, column 23: the text ends in the middle of a character",
    );
}

#[test]
fn s5_what_is_too_deep_too_long_or_too_many_is_refused_where_it_is_met() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!(
            "{{\"jobs\": [{{\"x\": {}1{}}}]}}",
            open.repeat(5000),
            close.repeat(5000)
        );
        refused(deep.as_bytes(), "line 1, column ");
        refused(&deep.as_bytes()[..deep.len() / 2], "line 1, column ");
        let root = format!("{}1{}", open.repeat(5000), close.repeat(5000));
        refused(root.as_bytes(), "line 1, column ");
    }
    let fields: Vec<String> = (0..=RECORD_FIELDS_MAX)
        .map(|n| format!("\"f{n}\": 0"))
        .collect();
    let many = format!("{{\"jobs\": [\n{{{}}}]}}", fields.join(","));
    refused(
        many.as_bytes(),
        "line 2, column 1: jobs[0] has 1001 fields; the limit is 1000",
    );
    let digits = format!("{{\"jobs\": [{{\"n\": {}}}]}}", "9".repeat(100_000));
    refused(
        digits.as_bytes(),
        "line 1, column 17: the number has 100000 digits and signs",
    );
}

#[test]
fn s5_a_text_of_100_megabytes_is_refused_before_it_is_copied() {
    let mut text = b"{\"jobs\": [\n{\"prompt\": \"".to_vec();
    text.resize(100 * 1024 * 1024, b'x');
    text.extend(b"\"}]}");
    let says = format!("line 2, column 12: a text of more than {JSON_TEXT_BYTES_MAX} bytes");
    refused(&text, &says);
    // Escapes make a text piece by piece: the pieces count together.
    let mut escaped = b"{\"jobs\": [\n{\"prompt\": \"".to_vec();
    escaped.extend(b"\\u0041".repeat(JSON_TEXT_BYTES_MAX + 2));
    escaped.extend(b"\"}]}");
    refused(&escaped, &says);
}

#[test]
fn s5_a_long_text_that_is_no_image_is_refused_wherever_it_stands() {
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    let jobs = [
        (
            format!("{{\"jobs\": [{{\"prompt\": \"{long}\"}}]}}"),
            "in jobs[0], prompt",
        ),
        (
            format!("{{\"jobs\": [{{\"e\": {{\"f\": [\"{long}\"]}}}}]}}"),
            "in jobs[0], f",
        ),
        (
            format!("{{\"jobs\": [{{\"result\": \"data:image/png;base64,{long}\"}}]}}"),
            "in jobs[0], result",
        ),
        (
            format!("{{\"jobs\": [], \"note\": {{\"deep\": \"{long}\"}}}}"),
            "deep",
        ),
    ];
    for (text, name) in jobs {
        let column = text.find("\"xxx").or_else(|| text.find("\"data:")).unwrap() + 1;
        refused(
            text.as_bytes(),
            &format!("line 1, column {column}: {name} is a text of "),
        );
    }
}

/// What one replica takes in, all others must: the guard counts the rows of each change.
#[test]
fn s5_more_values_than_one_change_holds_are_refused_where_they_stand() {
    let list = |first: usize| (first..first + RECORD_VALUES_MAX - 3).map(|n| format!("\"{n}\":0"));
    let object = |first| format!("{{{}}}", list(first).collect::<Vec<_>>().join(","));
    let jobs = |first, more| {
        format!(
            "{{\"jobs\": [\n{{\"id\": \"job-1\", \"createdAt\": {more}, \"x\": {}}}]}}",
            object(first)
        )
    };
    let root = |more| format!("{{\"jobs\": [],\n\"x\": {}, \"y\": {more}}}", object(0));
    let over = RECORD_VALUES_MAX + 1;
    refused(
        jobs(0, "[1]").as_bytes(),
        &format!("line 2, column 1: jobs[0] has {over} values; the limit is {RECORD_VALUES_MAX}"),
    );
    let says = format!("all that is no record has {over} values");
    let column = root("").find(", \"y\"").unwrap() + 3 - root("").find('\n').unwrap() - 1;
    refused(
        root("[1, 1]").as_bytes(),
        &format!("line 2, column {column}: {says}"),
    );
    // As many as are allowed, and others in their place, are taken everywhere.
    let mut a = device(1);
    for file in [jobs(0, "1"), root("1"), jobs(RECORD_VALUES_MAX, "1")] {
        a.import_with(
            &file,
            ImportOptions {
                may_remove_most: true,
                ..ImportOptions::default()
            },
        )
        .unwrap();
    }
    for chunk in &a.chunks {
        check(chunk, &Limits::PEER).unwrap();
    }
    let value = serde_json::from_str(&object(0)).unwrap();
    let mut record = common::map(json!({"createdAt": 1, "y": [1]}));
    record.insert("x".to_owned(), value);
    let key = plainsync_core::edit::Key("key-many".to_owned());
    let edit = Edit::Insert {
        key,
        record,
        order: None,
    };
    let error = a.try_edit(edit).unwrap_err();
    assert!(
        error.to_string().contains("values in one record"),
        "{error}"
    );
}

#[test]
fn f7_a_file_cut_at_any_byte_is_refused() {
    let file = kept().json();
    let end = file.trim_end().len();
    for cut in 0..end {
        let mut a = kept();
        let made = a
            .replica
            .document_mut()
            .import(&file.as_bytes()[..cut], &ImportOptions::default());
        let error = made.unwrap_err();
        assert!(
            matches!(error, ImportError::Text { .. }),
            "cut at {cut}: {error}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// F7: damage anywhere is refused, or read as the edit that it looks like; the state is intact
    /// either way, and what is written afterwards can be read again.
    #[test]
    fn f7_a_damaged_file_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut a = kept();
        let mut bytes = a.json().into_bytes();
        for (at, byte, how) in damage {
            if bytes.is_empty() {
                break; // Cut to nothing; there is nothing left to damage.
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"{}[]\",:0-e\\\0 \n"[usize::from(byte) % 14]),
                2 => { bytes.remove(at); }
                _ => bytes.truncate(at.max(1)),
            }
        }
        let before = a.json();
        let made = a.replica.document_mut().import(&bytes, &ImportOptions::default());
        let after = a.json();
        match made {
            Err(_) => prop_assert_eq!(&after, &before),
            Ok(_) => {
                a.import(&after).unwrap();
                prop_assert_eq!(a.json(), after);
            }
        }
    }

    /// L3: any bytes at all.
    #[test]
    fn l3_any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut a = kept();
        let before = a.json();
        if a.replica.document_mut().import(&bytes, &ImportOptions::default()).is_err() {
            prop_assert_eq!(a.json(), before);
        }
    }
}
