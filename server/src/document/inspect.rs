//! What a JSON file is, before anything is made of it: whether it parses, and which version
//! of which document it carries.
//!
//! ```
//! use plainsync::document::inspect::inspect;
//!
//! let half = inspect(b"{\"jobs\": [\n  {\"id\": ").expect_err("it ends too early");
//! assert_eq!((half.line, half.column), (2, 9));
//! ```
//!
//! **Invariant:** nothing here changes anything, and a file that is not wholly understood is
//! never called empty.

mod root;

use plainsync_core::id::DocumentId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::way::{PIECE_BYTES, give_way};

/// Why a file is not JSON that could be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Unreadable {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1, in bytes.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

/// The version that a file carries (F3), as far as it says one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// The document that it is of.
    pub document: Option<DocumentId>,
    /// The heads of that version, in hexadecimal, sorted.
    pub heads: Vec<String>,
    /// It is a backup, which says what replaced it (F2).
    pub is_backup: bool,
    /// When its newest change was made, in seconds since the Unix epoch, if it says so.
    pub saved_seconds: Option<i64>,
}

/// A file that parses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Its version; `None` without a `sync` block.
    pub version: Option<Version>,
    /// When its newest change was made, in seconds since the Unix epoch, if it says so.
    pub saved_seconds: Option<i64>,
    /// Where the value of `sync` stands, as a range of bytes.
    pub sync_span: Option<std::ops::Range<usize>>,
}

#[derive(Deserialize)]
struct Sync {
    #[serde(default)]
    document: serde_json::Value,
    #[serde(default)]
    heads: serde_json::Value,
    #[serde(default, rename = "replacedBy")]
    replaced_by: serde_json::Value,
}

/// Reads what a file says of itself.
///
/// # Errors
///
/// [`Unreadable`]: the file is empty, half, not UTF-8, not JSON, or not one JSON object.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, Unreadable> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(unreadable(1, 1, "the file is empty"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        let reason = "the file begins with a byte order mark; save it as UTF-8 without one";
        return Err(unreadable(1, 1, reason));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unreadable(1, 1, "the file is UTF-16; save it as UTF-8"));
    }
    utf8(bytes)?;
    let failed = |error| explain(bytes, &error);
    if !bytes.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(failed)?;
        return Err(unreadable(1, 1, "the file is not one JSON object"));
    }
    let root = root::read(bytes).map_err(failed)?;
    let sync_span = root.sync.map(|raw| {
        // Borrowed from `bytes`, so the distance is the offset.
        let start = raw.get().as_ptr() as usize - bytes.as_ptr() as usize;
        start..start + raw.get().len()
    });
    let version = root
        .sync
        .and_then(|raw| serde_json::from_str::<Sync>(raw.get()).ok())
        .map(|sync| Version {
            saved_seconds: root.saved_at.and_then(seconds),
            ..version(&sync)
        });
    Ok(Inspected {
        version,
        saved_seconds: root.saved_at.and_then(seconds),
        sync_span,
    })
}

/// Checks that `bytes` are UTF-8, giving way between pieces.
fn utf8(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut at = 0;
    while at < bytes.len() {
        give_way();
        let end = bytes.len().min(at + PIECE_BYTES);
        at = match std::str::from_utf8(&bytes[at..end]) {
            Ok(_) => end,
            // A character that goes on in the next piece, which begins with it.
            Err(error) if error.error_len().is_none() && end < bytes.len() => {
                at + error.valid_up_to()
            }
            Err(error) => {
                let (line, column) = position(bytes, at + error.valid_up_to());
                return Err(unreadable(line, column, "a byte that is not UTF-8"));
            }
        };
    }
    Ok(())
}

fn version(sync: &Sync) -> Version {
    let mut heads: Vec<String> = sync
        .heads
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|head| head.as_str().map(str::to_owned))
        .collect();
    heads.sort();
    Version {
        document: sync
            .document
            .as_str()
            .and_then(|document| document.parse().ok()),
        heads,
        is_backup: sync.replaced_by.is_array(),
        saved_seconds: None,
    }
}

fn seconds(saved_at: &RawValue) -> Option<i64> {
    let text: String = serde_json::from_str(saved_at.get()).ok()?;
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(at.as_second())
}

/// Puts the cause that a person can act on in front of what the parser saw.
fn explain(text: &[u8], error: &serde_json::Error) -> Unreadable {
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let mut markers = ["<<<<<<<", "=======", ">>>>>>>"].into_iter();
        if let Some(marker) = markers.find(|marker| line.starts_with(marker.as_bytes())) {
            let reason = format!("an unresolved merge conflict ({marker})");
            return unreadable(index + 1, 1, &reason);
        }
    }
    if let Some(offset) = text.iter().position(|byte| *byte == 0) {
        let (line, column) = position(text, offset);
        let reason = "a NUL byte, as a write that a crash cut off leaves it";
        return unreadable(line, column, reason);
    }
    let (line, column) = (error.line().max(1), error.column().max(1));
    if error.is_eof() {
        return unreadable(
            line,
            column,
            "the file ends here, in the middle of its JSON",
        );
    }
    let said = error.to_string();
    let reason = said.split(" at line ").next().unwrap_or(&said);
    unreadable(line, column, reason)
}

fn unreadable(line: usize, column: usize, reason: &str) -> Unreadable {
    Unreadable {
        line,
        column,
        reason: reason.to_owned(),
    }
}

/// Line and column of the byte at `offset`, both counted from 1.
fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    (line, offset - line_start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f7_the_place_and_the_cause_are_named() {
        for (bytes, line, column, cause) in [
            (&b""[..], 1, 1, "empty"),
            (b" \n\n", 1, 1, "empty"),
            (b"\xef\xbb\xbf{}", 1, 1, "byte order mark"),
            (b"\xff\xfe{\0}\0", 1, 1, "UTF-16"),
            (b"{\"jobs\": [\n  {\"id\": ", 2, 9, "ends here"),
            (
                b"{\"jobs\": [\n<<<<<<< HEAD\n]}",
                2,
                1,
                "merge conflict (<<<<<<<)",
            ),
            (
                b"{\"jobs\": [\n\n=======\n]}",
                3,
                1,
                "merge conflict (=======)",
            ),
            (b"{\"jobs\": []\0\0\0", 1, 12, "NUL"),
            (b"{\"jobs\": [],}", 1, 13, "trailing comma"),
            (b"{\"jobs\":\n \"\xc3\"}", 2, 3, "UTF-8"),
            (b"[1]", 1, 1, "not one JSON object"),
            (b"[]", 1, 1, "not one JSON object"),
            (b"7", 1, 1, "not one JSON object"),
            (b"[1", 1, 2, "ends here"),
            (b"{} {}", 1, 4, "trailing characters"),
        ] {
            let found = inspect(bytes).expect_err("refused");
            let shown = String::from_utf8_lossy(bytes).into_owned();
            assert!(found.reason.contains(cause), "{shown:?}: {found}");
            assert_eq!(
                (found.line, found.column),
                (line, column),
                "{shown:?}: {found}"
            );
        }
    }

    #[test]
    fn f7_a_character_may_stand_across_two_pieces() {
        for before in 0..4 {
            let spaces = " ".repeat(PIECE_BYTES - r#"{"a": ""#.len() - before);
            let text = format!("{spaces}{{\"a\": \"\u{1f3a8}\u{1f3a8}\"}}");
            assert!(inspect(text.as_bytes()).is_ok(), "{before}");
            let mut broken = text.into_bytes();
            broken[PIECE_BYTES + 4 - before] = b'x';
            let found = inspect(&broken).expect_err("one of its bytes is another");
            assert!(found.reason.contains("UTF-8"), "{before}: {found}");
            broken.truncate(PIECE_BYTES - before + 6);
            let found = inspect(&broken).expect_err("it ends within a character");
            assert!(found.reason.contains("UTF-8"), "{before}: {found}");
        }
    }

    #[test]
    fn f3_the_version_is_read_where_there_is_one() {
        let id = DocumentId::from_random([3; 16]);
        let text =
            format!(r#"{{"jobs": [], "sync": {{"document": "{id}", "heads": ["b", "a"]}}}}"#);
        let found = inspect(text.as_bytes()).expect("it parses");
        let version = found.version.expect("a version");
        assert_eq!(version.document, Some(id));
        assert_eq!(version.heads, ["a", "b"]);
        let span = found.sync_span.expect("a place");
        assert!(text[span].starts_with(r#"{"document""#));
        for (text, version) in [
            (r#"{"jobs": []}"#, None),
            (r#"{"sync": null}"#, None),
            (r#"{"sync": 5}"#, None),
            (
                r#"{"sync": {"document": 5, "heads": "no"}}"#,
                Some(Version::default()),
            ),
        ] {
            assert_eq!(
                inspect(text.as_bytes()).expect("it parses").version,
                version,
                "{text}"
            );
        }
    }
}
