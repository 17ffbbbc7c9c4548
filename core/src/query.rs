//! Finding rows: words, `field:value` terms, order and pages.
//!
//! A query is words separated by spaces. `status:error` asks for a field's exact value,
//! `has:conflict` for rows with a conflict; `"two words"` is one word; a leading `-`
//! excludes. Other words are looked for in label, prompt and error, whatever their case.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::limits::{PAGE_ROWS_MAX, QUERY_BYTES_MAX, QUERY_TERMS_MAX};
use crate::view::{Row, View, text_of};

/// What rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// The query text; empty finds everything.
    pub q: String,
    /// A field to sort by, with `-` in front for descending; empty means newest first.
    pub sort: String,
    /// Whether to look in the bin instead of the list.
    pub bin: bool,
    /// How many found rows to skip.
    pub offset: usize,
    /// How many rows to return, at most [`PAGE_ROWS_MAX`]; none means that many.
    pub limit: Option<usize>,
}

/// What a query found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The asked-for page of rows.
    pub rows: Vec<Arc<Row>>,
    /// How many rows match in all.
    pub total: usize,
}

/// Why a query was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text is too long.
    #[error("the query is {found_bytes} bytes long; the limit is {QUERY_BYTES_MAX}")]
    TooLong {
        /// Its length in bytes.
        found_bytes: usize,
    },
    /// There are too many words.
    #[error("the query has {found} words; the limit is {QUERY_TERMS_MAX}")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A quote was opened and not closed.
    #[error("the quote at character {at} of the query is not closed")]
    OpenQuote {
        /// The position of the quote, in characters, counted from 1.
        at: usize,
    },
}

#[derive(Debug)]
struct Term {
    negated: bool,
    field: Option<String>,
    text: String,
}

/// Finds rows in `view`.
///
/// # Errors
///
/// [`QueryError`]: the query text is too long, has too many words or an open quote.
pub fn run(view: &View, query: &Query) -> Result<Found, QueryError> {
    if query.bin {
        run_over(view.bin().rev(), query)
    } else {
        run_over(view.rows().rev(), query)
    }
}

/// Finds rows among these, the newest record first, which are the list or the bin as `query`
/// says: for hosts that keep rows without their view.
///
/// # Errors
///
/// [`QueryError`]: the query text is too long, has too many words or an open quote.
pub fn run_over<'a>(
    rows: impl Iterator<Item = &'a Arc<Row>>,
    query: &Query,
) -> Result<Found, QueryError> {
    let terms = parse(&query.q)?;
    let matches = |row: &&Arc<Row>| terms.iter().all(|term| term.accepts(row));
    let mut rows: Vec<&Arc<Row>> = rows.filter(matches).collect();
    match query
        .sort
        .strip_prefix('-')
        .map_or((query.sort.as_str(), false), |name| (name, true))
    {
        ("" | "created", true) | ("", false) => {}
        ("created", false) => rows.reverse(),
        (field, descending) => {
            let mut placed: Vec<(usize, &Arc<Row>)> = rows.into_iter().enumerate().collect();
            placed.sort_unstable_by(|(nth, a), (other, b)| {
                compare(a.job.get(field), b.job.get(field), descending).then(nth.cmp(other))
            });
            rows = placed.into_iter().map(|(_, row)| row).collect();
        }
    }
    let total = rows.len();
    let limit = query.limit.unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX);
    let rows = rows
        .into_iter()
        .skip(query.offset)
        .take(limit)
        .cloned()
        .collect();
    Ok(Found { rows, total })
}

fn parse(text: &str) -> Result<Vec<Term>, QueryError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(QueryError::TooLong {
            found_bytes: text.len(),
        });
    }
    let mut terms = Vec::new();
    let mut word = String::new();
    let mut quoted_at = None;
    let mut any = false;
    for (at, letter) in text.chars().enumerate() {
        match letter {
            '"' if quoted_at.is_some() => quoted_at = None,
            '"' => (quoted_at, any) = (Some(at + 1), true),
            letter if letter.is_whitespace() && quoted_at.is_none() => {
                if any {
                    terms.push(Term::of(&word));
                }
                word.clear();
                any = false;
            }
            letter => {
                word.push(letter);
                any = true;
            }
        }
    }
    if let Some(at) = quoted_at {
        return Err(QueryError::OpenQuote { at });
    }
    if any {
        terms.push(Term::of(&word));
    }
    if terms.len() > QUERY_TERMS_MAX {
        let found = terms.len();
        return Err(QueryError::TooMany { found });
    }
    Ok(terms)
}

impl Term {
    fn of(word: &str) -> Self {
        let (negated, rest) = match word.strip_prefix('-') {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, word),
        };
        let (field, text) = match rest.split_once(':') {
            Some((field, text)) if !field.is_empty() && !text.is_empty() => (Some(field), text),
            _ => (None, rest),
        };
        Self {
            negated,
            field: field.map(str::to_owned),
            text: text.to_lowercase(),
        }
    }

    fn accepts(&self, row: &Row) -> bool {
        let found = match self.field.as_deref() {
            Some("has") => self.text == "conflict" && !row.conflicts.is_empty(),
            Some(field) => row.job.get(field).is_some_and(|value| {
                text_of(value).to_lowercase() == self.text
            }),
            None => ["id", "prompt", "error"].iter().any(|field| {
                matches!(row.job.get(*field), Some(Value::String(text)) if text.to_lowercase().contains(&self.text))
            }) || row.label.to_lowercase().contains(&self.text),
        };
        found != self.negated
    }
}

/// Numbers by size, texts by letters, numbers before texts; absent values last, whichever way round.
fn compare(left: Option<&Value>, right: Option<&Value>, descending: bool) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        Some(Value::Number(_)) => 0,
        Some(Value::String(_)) => 1,
        Some(Value::Bool(_)) => 2,
        Some(Value::Array(_) | Value::Object(_)) => 3,
        Some(Value::Null) | None => 4,
    };
    let order = match (left, right) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a
            .as_f64()
            .partial_cmp(&b.as_f64())
            .unwrap_or(Ordering::Equal),
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    };
    if descending && rank(left) != 4 && rank(right) != 4 {
        order.reverse()
    } else {
        order
    }
}
