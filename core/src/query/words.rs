//! A query text as words: letters, and which of them were meant as they stand.

use super::QueryError;
use crate::limits::{QUERY_BYTES_MAX, QUERY_TERMS_MAX};

/// One letter of a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter {
    pub(super) letter: char,
    /// Where it stands in the query, in characters, counted from 1.
    pub(super) at: usize,
    /// It stood in quotes: `:`, `-`, `,`, `>` and the like are only letters.
    quoted: bool,
}

impl Letter {
    /// Whether it is this sign, and stands for what that does.
    pub(super) fn is_sign(self, sign: char) -> bool {
        !self.quoted && self.letter == sign
    }
}

/// What stands between spaces.
#[derive(Debug)]
pub(super) struct Word {
    /// Where it begins, in characters, counted from 1.
    pub(super) at: usize,
    pub(super) letters: Vec<Letter>,
}

/// The letters as text.
pub(super) fn text_of(letters: &[Letter]) -> String {
    letters.iter().map(|letter| letter.letter).collect()
}

/// Takes a query text apart.
pub(super) fn split(text: &str) -> Result<Vec<Word>, QueryError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(QueryError::TooLong {
            found_bytes: text.len(),
        });
    }
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quoted_at = None;
    let mut letters = (1..).zip(text.chars());
    while let Some((at, letter)) = letters.next() {
        let quoted = quoted_at.is_some();
        if letter.is_whitespace() && !quoted {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert(Word {
            at,
            letters: Vec::new(),
        });
        let mut push = |at, letter| word.letters.push(Letter { letter, at, quoted });
        match letter {
            '"' => quoted_at = if quoted { None } else { Some(at) },
            '\\' if quoted => match letters.next() {
                Some((at, letter @ ('"' | '\\'))) => push(at, letter),
                Some((next, other)) => {
                    push(at, letter);
                    push(next, other);
                }
                None => {}
            },
            letter => push(at, letter),
        }
    }
    if let Some(at) = quoted_at {
        return Err(QueryError::OpenQuote { at });
    }
    words.extend(word);
    if words.len() > QUERY_TERMS_MAX {
        return Err(QueryError::TooMany { found: words.len() });
    }
    Ok(words)
}
