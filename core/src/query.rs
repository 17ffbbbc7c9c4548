//! Finding rows: a query text, order and pages.
//!
//! ```text
//! query  = { term }                            separated by spaces; every one must hold
//! term   = ["-"] ( text | field ":" value { "," value } )
//! value  = text                                the words of a text, a number, a day
//!        | "=" text                            the whole text
//!        | ( ">" | ">=" | "<" | "<=" ) number-or-time
//!        | [ number-or-time ] ".." [ number-or-time ]
//! text   = letters, or "in quotes", where \" and \\ stand for themselves
//! ```
//!
//! A text alone is looked for in the label and in every text field but `status`. `-` excludes. A field is one of the
//! record, unknown ones too, or a path such as `rotationData.toDirection`; `created`, `started`, `ended` and
//! `label` are `createdAt`, `startTime`, `endTime` and `id`. `has:conflict`, `has:image` and `has:seed` ask whether
//! there is any, `is:kept` whether an edit won over a removal. Times are days (`2025-10-01`), months (`2025-10`),
//! in `created`, `started` and `ended` years (`2025`), and times of a day (`2025-10-01T14:30`, with a zone if it is not UTC);
//! each covers all that is in it.
//!
//! The same text means the same in the page, its address, the command line and the API.

mod filter;
mod needle;
mod span;
mod words;

use std::cmp::Ordering;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::limits::{PAGE_ROWS_MAX, QUERY_BYTES_MAX, QUERY_TERMS_MAX};
use crate::view::{Row, View};

pub use filter::Filter;

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
    /// A field was named, and nothing after the colon or a comma.
    #[error(
        "`{field}:` at character {at} of the query lacks a value, such as `{field}:64`; a text with a colon stands in quotes"
    )]
    NoValue {
        /// The position of the term, in characters, counted from 1.
        at: usize,
        /// The field.
        field: String,
    },
    /// What is to be compared has no order.
    #[error(
        "`{found}` at character {at} of the query cannot be compared: allowed are a number such as 64 and a time such as 2025-10-01 or 2025-10-01T14:30"
    )]
    NoNumber {
        /// Where it stands, in characters, counted from 1.
        at: usize,
        /// What stands there.
        found: String,
    },
    /// `is:` knows no such word.
    #[error(
        "`is:{found}` at character {at} of the query means nothing; allowed is is:kept, which finds what an edit kept from being removed"
    )]
    NoSuchState {
        /// Where the word stands, in characters, counted from 1.
        at: usize,
        /// The word.
        found: String,
    },
}

impl QueryError {
    /// Where the fault stands in the query, in characters, counted from 1; none where it is the whole.
    #[must_use]
    pub fn at(&self) -> Option<usize> {
        match self {
            Self::TooLong { .. } | Self::TooMany { .. } => None,
            Self::OpenQuote { at }
            | Self::NoValue { at, .. }
            | Self::NoNumber { at, .. }
            | Self::NoSuchState { at, .. } => Some(*at),
        }
    }
}

/// Finds rows in `view`.
///
/// # Errors
///
/// [`QueryError`]: the query text is too long, or something in it means nothing.
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
/// [`QueryError`]: the query text is too long, or something in it means nothing.
pub fn run_over<'a>(
    rows: impl Iterator<Item = &'a Arc<Row>>,
    query: &Query,
) -> Result<Found, QueryError> {
    let filter = Filter::parse(&query.q)?;
    let mut rows: Vec<&Arc<Row>> = rows.filter(|row| filter.accepts(row)).collect();
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
