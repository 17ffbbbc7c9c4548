//! The text of `job_history.json.backup`: the previous version, which also says what replaced
//! it (F2).
//!
//! The previous text stays byte for byte as it was, apart from its `sync` block, which gets
//! `replacedBy`, the heads of the version that took its place, and a sum of the whole; a text
//! without a block gets one.
//! With them, copying the backup over the file can be told from an old version that
//! merely came back.

use plainsync_core::id::DocumentId;
use serde_json::{Map, Value, json};

use super::inspect::{Inspected, Unreadable, inspect};
use super::sum;
use super::way::pieces;

/// The field of `sync` that names the heads of the version that replaced this one.
const REPLACED_BY: &str = "replacedBy";

/// What the note takes at most with a few heads, in bytes: with more the text grows once.
const ADDED_BYTES: usize = 1024;

/// `previous`, with a note of what replaces it.
///
/// # Errors
///
/// [`Unreadable`]: `previous` does not parse, so it is no version to keep.
pub fn backup_text(
    previous: &[u8],
    document: &DocumentId,
    replaced_by: &[String],
) -> Result<Vec<u8>, Unreadable> {
    let Inspected { sync_span, .. } = inspect(previous)?;
    let note = json!(replaced_by);
    let mut text = Vec::with_capacity(previous.len() + ADDED_BYTES);
    let mut append = |part: &[u8]| pieces(part).for_each(|piece| text.extend_from_slice(piece));
    if let Some(span) = sync_span {
        let mut sync = match serde_json::from_slice(&previous[span.clone()]) {
            Ok(Value::Object(sync)) => sync,
            _ => own(document),
        };
        sync.insert(REPLACED_BY.to_owned(), note);
        sum::forget(&mut sync);
        append(&previous[..span.start]);
        append(&block(sync));
        append(&previous[span.end..]);
        return Ok(sum::with_sum(text));
    }
    // It parses as an object, so its last brace closes it.
    let end = previous.iter().rposition(|byte| *byte == b'}').unwrap_or(0);
    let (body, tail) = previous.split_at(end);
    let body = body.trim_ascii_end();
    append(body);
    if !body.ends_with(b"{") {
        text.push(b',');
    }
    let mut sync = own(document);
    sync.insert(REPLACED_BY.to_owned(), note);
    text.extend_from_slice(b"\n  \"sync\": ");
    text.extend(block(sync));
    text.push(b'\n');
    text.extend_from_slice(tail);
    Ok(sum::with_sum(text))
}

/// A block that says which document took the file in, and claims no version of it.
fn own(document: &DocumentId) -> Map<String, Value> {
    Map::from_iter([
        ("document".to_owned(), json!(document)),
        ("heads".to_owned(), json!([])),
    ])
}

/// The block as it stands in a pretty-printed file, one level deep.
fn block(sync: Map<String, Value>) -> Vec<u8> {
    format!("{:#}", Value::Object(sync))
        .replace('\n', "\n  ")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(previous: &str, expected: &str) {
        let document = DocumentId::from_random([1; 16]);
        let heads = ["ab".to_owned(), "cd".to_owned()];
        let found = backup_text(previous.as_bytes(), &document, &heads).expect("it parses");
        assert_eq!(sum::check(&found), sum::Sum::Right);
        let found = String::from_utf8(found).expect("UTF-8");
        let expected = expected.replace("DOC", &document.to_string());
        let expected = String::from_utf8(sum::with_sum(expected.into_bytes())).expect("UTF-8");
        assert_eq!(found, expected);
        inspect(found.as_bytes()).expect("the backup parses");
    }

    #[test]
    fn f2_a_backup_names_the_heads_that_replaced_it_and_nothing_else_changes() {
        check(
            "{\n  \"jobs\": [ 1 ],\n  \"sync\": {\"document\": \"D\", \"heads\": [\"00\"]},\n  \"x\": 1e2\n}\n",
            "{\n  \"jobs\": [ 1 ],\n  \"sync\": {\n    \"document\": \"D\",\n    \"heads\": [\n      \"00\"\n    ],\n    \"replacedBy\": [\n      \"ab\",\n      \"cd\"\n    ]\n  },\n  \"x\": 1e2\n}\n",
        );
    }

    #[test]
    fn f2_a_historic_file_gets_a_note_too() {
        let note = "\n  \"sync\": {\n    \"document\": \"DOC\",\n    \"heads\": [],\n    \"replacedBy\": [\n      \"ab\",\n      \"cd\"\n    ]\n  }\n}";
        check(
            "{\"jobs\":[],\"lastJobId\":1}\n",
            &format!("{{\"jobs\":[],\"lastJobId\":1,{note}\n"),
        );
        check("{ }", &format!("{{{note}"));
    }

    #[test]
    fn f2_what_does_not_parse_is_no_backup() {
        let document = DocumentId::from_random([1; 16]);
        backup_text(b"{\"jobs\": [", &document, &[]).expect_err("half a file");
    }
}
