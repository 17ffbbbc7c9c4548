//! Why a text is not JSON that we take, in words for the person who wrote it.

use std::fmt;

use crate::limits::{
    JSON_BYTES_MAX, JSON_DEPTH_MAX, JSON_NUMBER_BYTES_MAX, JSON_TEXT_BYTES_MAX, JSON_VALUES_MAX,
};

/// A place in a text as people count: both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where byte `offset` of `bytes` stands; an offset past the end is the end.
///
/// Reads all bytes before `offset`: for messages, not for every node.
#[must_use]
pub fn position(bytes: &[u8], offset: usize) -> Position {
    let before = &bytes[..offset.min(bytes.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    // All bytes of a character but the first are 10xxxxxx in UTF-8.
    let column = 1 + before[line_start..]
        .iter()
        .filter(|byte| **byte & 0xc0 != 0x80)
        .count();
    Position { line, column }
}

/// Longest piece of the text quoted in a message, in characters.
const QUOTE_CHARS_MAX: usize = 40;

/// `text`, cut to what fits in a message.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text was refused as JSON: what is wrong, and where.
///
/// Nothing was taken from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", Place(.line, .column, .kind))]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The byte in the text, from 0.
    pub offset: usize,
}

/// The place before a message, unless the message is about the whole text.
struct Place<'a>(&'a usize, &'a usize, &'a JsonErrorKind);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use JsonErrorKind::{Bom, Empty, TooLarge, Utf16};
        match self.2 {
            Empty { .. } | Bom | Utf16 | TooLarge { .. } => Ok(()),
            _ => write!(f, "line {}, column {}: ", self.0, self.1),
        }
    }
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// It is larger than any that is parsed.
    #[error("the text is {len_bytes} bytes; the limit is {JSON_BYTES_MAX}")]
    TooLarge {
        /// Size found, in bytes.
        len_bytes: usize,
    },
    /// Nothing, or only white space.
    #[error("the text is empty: {}", if *.len_bytes == 0 { "0 bytes" } else { "only white space" })]
    Empty {
        /// Size found, in bytes.
        len_bytes: usize,
    },
    /// It ends before it is complete, as a half-written file does.
    #[error(
        "the text ends in the middle of {inside} that begins at {begins}; the rest of it is missing"
    )]
    HalfFile {
        /// What was not complete.
        inside: &'static str,
        /// Where that began.
        begins: Position,
    },
    /// It begins with a byte order mark.
    #[error("the text begins with a byte order mark; save it as UTF-8 without BOM")]
    Bom,
    /// It is UTF-16 or UTF-32.
    #[error("the text is UTF-16 or UTF-32; save it as UTF-8")]
    Utf16,
    /// It is not UTF-8.
    #[error("the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8")]
    Utf8 {
        /// The first byte that is not.
        byte: u8,
    },
    /// A NUL byte, such as a crash leaves where data was not yet written.
    #[error("a NUL byte; data that a crash cut off often ends in these")]
    Nul,
    /// A merge left its markers behind.
    #[error(
        "git left a merge conflict here ({marker:?}); decide between the two sides and delete the marker lines"
    )]
    MergeMarker {
        /// The marker's line.
        marker: String,
    },
    /// Something else than what must follow.
    #[error("{found:?} stands where {expected} is expected{}", Hint(.hint))]
    Unexpected {
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
        /// What probably went wrong.
        hint: Option<&'static str>,
    },
    /// More text after the value.
    #[error("{found:?} follows after the JSON is complete")]
    Trailing {
        /// What stands there.
        found: String,
    },
    /// An object has a key twice.
    #[error("the key {key:?} is used twice in one object, first at {first}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stood the first time.
        first: Position,
    },
    /// Nested too deeply.
    #[error("lists and objects are nested more than {JSON_DEPTH_MAX} deep")]
    TooDeep,
    /// More values than any document of ours holds.
    #[error("there are more than {JSON_VALUES_MAX} values")]
    TooMany,
    /// A control character inside a text.
    #[error("a raw control character (0x{byte:02x}) inside a text; write it as \\u{byte:04x}{}", Hint(&(*.byte == b'\n').then_some("is a closing quote missing?")))]
    Control {
        /// The character.
        byte: u8,
    },
    /// A backslash before something that it cannot stand before.
    #[error(
        "{found:?} is no escape; after a backslash come \" \\ / b f n r t or u and four hexadecimal digits"
    )]
    Escape {
        /// The backslash and what follows it.
        found: String,
    },
    /// Half of a surrogate pair: no character at all.
    #[error("{found:?} is half of a surrogate pair; both halves are needed to make a character")]
    LoneSurrogate {
        /// The escape.
        found: String,
    },
    /// A text longer than any that a document keeps, images included.
    #[error("a text of more than {JSON_TEXT_BYTES_MAX} bytes; that is the limit, images included")]
    TextTooLong,
    /// A number that is spelled wrong.
    #[error("the number {found:?} is not spelled as JSON does: {reason}")]
    NumberSpelling {
        /// The number.
        found: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A number that would not come back as it was.
    #[error("the number {found} cannot be kept exactly: it would become {kept}")]
    NumberInexact {
        /// The number.
        found: String,
        /// The nearest that can be kept.
        kept: String,
    },
    /// A number longer than any that can be exact.
    #[error("the number has {len_bytes} digits and signs; the limit is {JSON_NUMBER_BYTES_MAX}")]
    NumberTooLong {
        /// Length found, in bytes.
        len_bytes: usize,
    },
}

/// A remark after a message, if there is one.
struct Hint<'a>(&'a Option<&'static str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}
