//! The parser: one pass, descending into lists and objects to a fixed depth.

use std::collections::HashMap;

use super::error::{JsonError, JsonErrorKind, Position, position, shorten};
use super::{Member, Node, Tree, number};
use crate::limits::{JSON_BYTES_MAX, JSON_DEPTH_MAX, JSON_VALUES_MAX};

/// What is wrong, and at which byte. Boxed: it is rare, and every step returns one or a node.
pub(super) type Fault = Box<(JsonErrorKind, usize)>;

/// An object with more keys than this looks for duplicates by sorting.
const KEYS_COMPARED_MAX: usize = 16;

/// Parses `bytes` as one JSON value.
///
/// # Errors
///
/// [`JsonError`]: the bytes are not JSON that could be written again without loss. The kind
/// tells a half-written text (`HalfFile`, `Empty`, `Nul`) from a mistyped one.
pub fn parse(bytes: &[u8]) -> Result<Node, JsonError> {
    parse_at_most(bytes, JSON_VALUES_MAX)
}

/// As [`parse`], for texts of at most `values_max` values.
pub(super) fn parse_at_most(bytes: &[u8], values_max: usize) -> Result<Node, JsonError> {
    whole(bytes, values_max).map_err(|fault| {
        let (kind, offset) = *fault;
        let Position { line, column } = position(bytes, offset);
        JsonError {
            kind,
            line,
            column,
            offset,
        }
    })
}

pub(super) fn fault<T>(at: usize, kind: JsonErrorKind) -> Result<T, Fault> {
    Err(Box::new((kind, at)))
}

fn whole(bytes: &[u8], values_max: usize) -> Result<Node, Fault> {
    if bytes.len() > JSON_BYTES_MAX {
        return fault(
            0,
            JsonErrorKind::TooLarge {
                len_bytes: bytes.len(),
            },
        );
    }
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return fault(0, JsonErrorKind::Utf16),
        [0xef, 0xbb, 0xbf, ..] => return fault(0, JsonErrorKind::Bom),
        _ if padded(bytes) => return fault(0, JsonErrorKind::Utf16),
        _ => {}
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            // Cut inside a character: the rest is missing, which is the better thing to say.
            let kind = match error.error_len() {
                None => JsonErrorKind::HalfFile {
                    inside: "a character",
                    begins: position(bytes, at),
                },
                Some(_) => JsonErrorKind::Utf8 { byte: bytes[at] },
            };
            return fault(at, kind);
        }
    };
    let mut parser = Parser {
        text,
        bytes,
        at: 0,
        values_left: values_max,
    };
    parser.skip_space();
    if parser.at == bytes.len() {
        return fault(
            0,
            JsonErrorKind::Empty {
                len_bytes: bytes.len(),
            },
        );
    }
    let node = parser.value(0)?;
    parser.skip_space();
    if parser.at < bytes.len() {
        parser.special()?;
        return fault(
            parser.at,
            JsonErrorKind::Trailing {
                found: parser.found(),
            },
        );
    }
    Ok(node)
}

/// Whether these are UTF-16 or UTF-32 without a mark: those pad JSON's first character, which is
/// always ASCII, with zeros. Zeros alone, or up to the end, are what a crash leaves.
fn padded(bytes: &[u8]) -> bool {
    let zeros = |from: usize, to| (from..to).all(|at| bytes.get(at) == Some(&0));
    let letter = |at| bytes.get(at).is_some_and(|byte| *byte != 0);
    (zeros(0, 1) && letter(1))
        || (zeros(0, 3) && letter(3))
        || (letter(0) && zeros(1, 2) && letter(2))
        || (letter(0) && zeros(1, 4) && letter(4))
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) bytes: &'t [u8],
    /// The next byte to read. Always at the border of a character.
    pub(super) at: usize,
    /// How many values may still begin.
    values_left: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A value, inside `depth` lists and objects. The caller has seen that the text goes on.
    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        let at = self.at;
        let Some(left) = self.values_left.checked_sub(1) else {
            return fault(at, JsonErrorKind::TooMany);
        };
        self.values_left = left;
        let tree = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Tree::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Tree::Bool(true))?,
            Some(b'f') => self.word("false", Tree::Bool(false))?,
            Some(b'n') => self.word("null", Tree::Null)?,
            _ => return self.unexpected("a value", None),
        };
        Ok(Node { at, tree })
    }

    fn word(&mut self, word: &str, tree: Tree) -> Result<Tree, Fault> {
        let found = self.found_word();
        if found == word {
            self.at += word.len();
            return Ok(tree);
        }
        if self.at + found.len() == self.bytes.len() && word.starts_with(found) {
            return self.half("a word", self.at);
        }
        self.unexpected("a value", None)
    }

    fn number(&mut self) -> Result<Tree, Fault> {
        let at = self.at;
        let end = match number::end(self.bytes, at) {
            Ok(end) => end,
            Err(wrong) if wrong.unfinished && wrong.at == self.bytes.len() => {
                return self.half("a number", at);
            }
            Err(wrong) => {
                // All of what was meant as the number.
                let rest = &self.text[at..];
                let meant = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
                let found = shorten(&rest[..meant.unwrap_or(rest.len())]);
                let reason = wrong.reason;
                return fault(at, JsonErrorKind::NumberSpelling { found, reason });
            }
        };
        self.at = end;
        match number::read(&self.text[at..end]) {
            Ok(number) => Ok(Tree::Number(number)),
            Err(kind) => fault(at, kind),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Tree, Fault> {
        let begins = self.at;
        self.descend(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Tree::Array(items));
        }
        loop {
            if self.peek().is_none() {
                return self.half("a list", begins);
            }
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.comma(b']')?,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Tree::Array(items));
                }
                None => return self.half("a list", begins),
                Some(_) => return self.unexpected("a comma or the list's closing ]", None),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Tree, Fault> {
        let begins = self.at;
        self.descend(depth)?;
        let mut members: Vec<Member> = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Tree::Object(members));
        }
        loop {
            match self.peek() {
                Some(b'"') => {}
                None => return self.half("an object", begins),
                Some(_) => return self.unexpected("a key in double quotes", None),
            }
            let at = self.at;
            let key = self.string()?;
            self.skip_space();
            match self.peek() {
                Some(b':') => self.at += 1,
                None => return self.half("an object", begins),
                Some(_) => return self.unexpected("a colon after the key", None),
            }
            self.skip_space();
            if self.peek().is_none() {
                return self.half("an object", begins);
            }
            let node = self.value(depth + 1)?;
            members.push(Member { at, key, node });
            self.skip_space();
            match self.peek() {
                Some(b',') => self.comma(b'}')?,
                Some(b'}') => break,
                None => return self.half("an object", begins),
                Some(_) => return self.unexpected("a comma or the object's closing }", None),
            }
        }
        if let Some((first, again)) = duplicate(&members) {
            let key = shorten(&again.key);
            let first = position(self.bytes, first.at);
            return fault(again.at, JsonErrorKind::DuplicateKey { key, first });
        }
        self.at += 1;
        Ok(Tree::Object(members))
    }

    /// Steps behind an opening bracket at `depth`, and the space after it.
    fn descend(&mut self, depth: usize) -> Result<(), Fault> {
        if depth == JSON_DEPTH_MAX {
            return fault(self.at, JsonErrorKind::TooDeep);
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Steps behind a comma, after which `closing` may not come.
    fn comma(&mut self, closing: u8) -> Result<(), Fault> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(closing) {
            return self.unexpected(
                "something after the comma",
                Some("JSON has no comma after the last one"),
            );
        }
        Ok(())
    }

    /// The text ends inside something that began at byte `begins`.
    pub(super) fn half<T>(&self, inside: &'static str, begins: usize) -> Result<T, Fault> {
        let begins = position(self.bytes, begins);
        fault(self.bytes.len(), JsonErrorKind::HalfFile { inside, begins })
    }

    fn unexpected<T>(
        &self,
        expected: &'static str,
        hint: Option<&'static str>,
    ) -> Result<T, Fault> {
        self.special()?;
        let hint = hint.or_else(|| self.hint());
        fault(
            self.at,
            JsonErrorKind::Unexpected {
                found: self.found(),
                expected,
                hint,
            },
        )
    }

    /// What is wrong here, if it has a name of its own.
    fn special(&self) -> Result<(), Fault> {
        if self.peek() == Some(0) {
            return fault(self.at, JsonErrorKind::Nul);
        }
        let line_start = self.at == 0 || self.bytes[self.at - 1] == b'\n';
        let rest = &self.text[self.at..];
        let marker = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"]
            .into_iter()
            .any(|marker| {
                rest.strip_prefix(marker)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r']))
            });
        if line_start && marker {
            let marker = shorten(rest.lines().next().unwrap_or_default());
            return fault(self.at, JsonErrorKind::MergeMarker { marker });
        }
        Ok(())
    }

    /// The letters, digits and underscores here.
    fn found_word(&self) -> &str {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    /// What stands here, for a message: a word, or one character.
    fn found(&self) -> String {
        match self.found_word() {
            "" => self.quote(self.at, 1),
            word => shorten(word),
        }
    }

    /// What probably went wrong, from what stands here.
    fn hint(&self) -> Option<&'static str> {
        match self.peek()? {
            b'\'' => Some("JSON has texts in double quotes only"),
            b'/' | b'#' => Some("JSON has no comments"),
            b'+' | b'.' => Some("JSON has numbers that begin with a digit or a minus"),
            _ => match self.found_word() {
                "True" | "False" | "None" | "TRUE" | "FALSE" | "NULL" | "Null" | "undefined"
                | "nil" => Some("the words of JSON are true, false and null"),
                "NaN" | "Infinity" | "nan" | "inf" => {
                    Some("JSON has no such number; null may stand instead")
                }
                _ => None,
            },
        }
    }

    /// The first `chars` characters from byte `at` on.
    pub(super) fn quote(&self, at: usize, chars: usize) -> String {
        self.text[at..].chars().take(chars).collect()
    }
}

/// The first key that is there already, with the member that had it first.
fn duplicate(members: &[Member]) -> Option<(&Member, &Member)> {
    if members.len() <= KEYS_COMPARED_MAX {
        return members.iter().enumerate().find_map(|(n, again)| {
            members[..n]
                .iter()
                .find(|first| first.key == again.key)
                .map(|first| (first, again))
        });
    }
    let mut seen: HashMap<&str, &Member> = HashMap::new();
    members
        .iter()
        .find_map(|again| Some((seen.insert(&again.key, again)?, again)))
}
