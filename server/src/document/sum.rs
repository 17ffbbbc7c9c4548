//! A sum in the `sync` block of a JSON text that nobody is meant to edit: the backup, and the
//! versions that are kept as files.
//!
//! ```json
//! "sync": { "document": "4NMN…", "heads": ["47b9…"], "sum": "1f0c…" }
//! ```
//!
//! It is the beginning of the SHA-256 of the text without the sum's own digits. Imports pass it
//! over: a person may edit a copy all the same, and it is taken for what it says (F4, F8).
//!
//! **Invariant:** of a text with a sum, one changed byte, wherever it is, is noticed.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::inspect::inspect;
use super::way::pieces;

/// The member that holds it.
const SUM: &str = "sum";

/// Digits of the sum that are written.
const SUM_DIGITS: usize = 16;

/// What `sync` may hold besides: a damaged name is none of them.
const MEMBERS: [&str; 4] = ["document", "from", "heads", "replacedBy"];

/// What the sum of a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    /// It is as it was written.
    Right,
    /// It is not.
    Wrong,
    /// It has none: somebody else wrote it, or an older version.
    Absent,
}

/// `text`, which ends in a `sync` block or has one, with its sum; as it is without a block.
pub(super) fn with_sum(mut text: Vec<u8>) -> Vec<u8> {
    let span = inspect(&text).ok().and_then(|found| found.sync_span);
    let Some(end) = span.and_then(|span| span.end.checked_sub(1)) else {
        return text;
    };
    // In place, because the block is near the end: nothing of the length of a file is copied.
    let tail = text.split_off(end);
    text.truncate(text.trim_ascii_end().len());
    if !text.ends_with(b"{") {
        text.push(b',');
    }
    text.extend_from_slice(b"\n    \"sum\": \"");
    let at = text.len();
    text.extend_from_slice(&[b' '; SUM_DIGITS]);
    text.extend_from_slice(b"\"\n  ");
    text.extend_from_slice(&tail);
    let digits = digits_without(&text, at);
    text[at..at + SUM_DIGITS].copy_from_slice(digits.as_bytes());
    text
}

/// Takes the sum out of a block that is to be changed.
pub(super) fn forget(sync: &mut Map<String, Value>) {
    sync.remove(SUM);
}

/// Whether `text` is as it was when its sum was made. It parses.
pub(super) fn check(text: &[u8]) -> Sum {
    let span = inspect(text).ok().and_then(|found| found.sync_span);
    let block = span.clone().and_then(|span| text.get(span));
    let Some(Ok(Value::Object(sync))) = block.map(serde_json::from_slice) else {
        return Sum::Absent;
    };
    let Some(digits) = sync.get(SUM) else {
        let mut names = sync.keys();
        return match names.all(|name| MEMBERS.contains(&name.as_str())) {
            true => Sum::Absent,
            false => Sum::Wrong,
        };
    };
    let (Some(digits), Some(span)) = (digits.as_str(), span) else {
        return Sum::Wrong;
    };
    let said = format!("\"{SUM}\": \"{digits}\"\n  }}");
    // It is the last member as it was written, so it ends the block.
    if digits.len() != SUM_DIGITS || !text[..span.end].ends_with(said.as_bytes()) {
        return Sum::Wrong;
    }
    let at = span.end - "\"\n  }".len() - SUM_DIGITS;
    match digits_without(text, at) == digits {
        true => Sum::Right,
        false => Sum::Wrong,
    }
}

/// The sum of `text` without the digits that stand `at` a place.
fn digits_without(text: &[u8], at: usize) -> String {
    let mut digest = Sha256::new();
    for part in [&text[..at], &text[at + SUM_DIGITS..]] {
        pieces(part).for_each(|piece| digest.update(piece));
    }
    let digest = digest.finalize();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..SUM_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"jobs\": [],\n  \"sync\": {\n    \"document\": \"D\",\n    \"heads\": []\n  },\n  \"x\": \"ü\"\n}\n";

    #[test]
    fn f2_no_byte_of_a_text_with_a_sum_changes_unnoticed() {
        let whole = with_sum(TEXT.as_bytes().to_vec());
        assert_eq!(check(&whole), Sum::Right);
        assert_eq!(check(TEXT.as_bytes()), Sum::Absent);
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let is_told = inspect(&changed).is_err() || check(&changed) == Sum::Wrong;
                // Without a block it is no text of ours, and is told as that.
                let is_ours = inspect(&changed).is_ok_and(|found| found.version.is_some());
                let what = String::from_utf8_lossy(&changed).into_owned();
                assert!(is_told || !is_ours, "byte {at}: {what}");
            }
        }
    }

    #[test]
    fn f2_the_sum_is_a_member_of_the_block_and_nothing_else_changes() {
        for text in [
            TEXT,
            "{\"sync\": {}}",
            "{\"jobs\": [], \"sync\":{\"heads\":[]}} ",
        ] {
            let whole = with_sum(text.as_bytes().to_vec());
            assert_eq!(check(&whole), Sum::Right, "{text}");
            let mut value: Value = serde_json::from_slice(&whole).expect("JSON");
            let sync = value["sync"].as_object_mut().expect("a block");
            assert!(sync.contains_key(SUM));
            forget(sync);
            let before: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(value, before);
        }
        assert_eq!(with_sum(b"{\"jobs\": []}".to_vec()), b"{\"jobs\": []}");
    }
}
