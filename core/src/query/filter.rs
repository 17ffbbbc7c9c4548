//! What a query text asks of a row.

use std::borrow::Cow;

use serde_json::Value;

use super::QueryError;
use super::needle::Needle;
use super::span::{Side, Span, place_of};
use super::words::{Letter, Word, split, text_of};
use crate::blob;
use crate::view::Row;

/// Names that a query may use for fields that hold a time.
const TIMES: [(&str, &str); 3] = [
    ("created", "createdAt"),
    ("started", "startTime"),
    ("ended", "endTime"),
];

/// The name that a query may use for the field that holds the label.
const LABEL: (&str, &str) = ("label", "id");

/// A query text, understood once and then asked of many rows.
///
/// ```
/// use plainsync_core::query::Filter;
///
/// assert!(Filter::parse("status:error,queued width:>64 -\"two words\"").is_ok());
/// let error = Filter::parse("knight width:>wide").unwrap_err();
/// assert_eq!(error.at(), Some(15));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    negated: bool,
    asked: Asked,
}

#[derive(Clone, Debug)]
enum Asked {
    /// In the label or any text field.
    Word(Needle),
    /// One of these, in this field.
    Field(Path, Vec<Wanted>),
    /// There is something in one of these fields.
    Has(Vec<Thing>),
    /// An edit won over its removal (D6).
    Kept,
}

#[derive(Clone, Debug)]
enum Thing {
    Conflict,
    Image,
    Field(Path),
}

/// A field's name, and what it may mean beside a field of that very name.
#[derive(Clone, Debug)]
struct Path {
    name: String,
    other: Option<&'static str>,
    parts: Vec<String>,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// The words of a text, or a number or a time.
    Is(Needle, Option<Span>),
    /// All of a text.
    Whole(Needle),
    Compared(Side, Span),
    Between(Span, Span),
}

impl Filter {
    /// Understands a query text.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: it is too long, or something in it means nothing; where, it says.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let terms = split(text)?
            .iter()
            .map(Term::of)
            .collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether `row` is as asked.
    #[must_use]
    pub fn accepts(&self, row: &Row) -> bool {
        self.terms
            .iter()
            .all(|term| term.asked.is_met(row) != term.negated)
    }
}

impl Term {
    fn of(word: &Word) -> Result<Self, QueryError> {
        let (negated, letters) = match word.letters.split_first() {
            Some((first, rest)) if first.is_sign('-') && !rest.is_empty() => (true, rest),
            _ => (false, &word.letters[..]),
        };
        let colon = letters.iter().position(|letter| letter.is_sign(':'));
        let asked = match colon {
            Some(colon) if colon > 0 => {
                let (field, value) = letters.split_at(colon);
                Asked::of_field(word.at, &text_of(field), &value[1..])?
            }
            _ => Asked::Word(Needle::new(&text_of(letters))),
        };
        Ok(Self { negated, asked })
    }
}

impl Asked {
    fn of_field(at: usize, field: &str, value: &[Letter]) -> Result<Self, QueryError> {
        let values: Vec<&[Letter]> = value.split(|letter| letter.is_sign(',')).collect();
        if values.iter().any(|value| Sign::read(value).1.is_empty()) {
            let field = field.to_owned();
            return Err(QueryError::NoValue { at, field });
        }
        if field == "has" {
            let things = values.iter().map(|value| Thing::of(&text_of(value)));
            return Ok(Asked::Has(things.collect()));
        }
        if field == "is" {
            let found = text_of(value);
            if found != "kept" {
                let at = value[0].at;
                return Err(QueryError::NoSuchState { at, found });
            }
            return Ok(Asked::Kept);
        }
        let is_time = TIMES
            .iter()
            .any(|(name, other)| field == *name || field == *other);
        let wanted = values.iter().map(|value| Wanted::of(value, is_time));
        Ok(Asked::Field(
            Path::of(field),
            wanted.collect::<Result<_, _>>()?,
        ))
    }

    fn is_met(&self, row: &Row) -> bool {
        match self {
            Asked::Word(needle) => {
                let mut texts = row.job.iter().filter(|(name, _)| *name != "status");
                needle.is_in(&row.label) || texts.any(|(_, value)| stands_in(needle, value))
            }
            Asked::Field(path, wanted) => path
                .value(row)
                .is_some_and(|value| wanted.iter().any(|wanted| wanted.is_met(value))),
            Asked::Has(things) => things.iter().any(|thing| thing.is_there(row)),
            Asked::Kept => row.kept_by_edit,
        }
    }
}

impl Thing {
    fn of(name: &str) -> Self {
        match name {
            "conflict" => Thing::Conflict,
            "image" => Thing::Image,
            field => Thing::Field(Path::of(field)),
        }
    }

    fn is_there(&self, row: &Row) -> bool {
        match self {
            Thing::Conflict => !row.conflicts.is_empty(),
            Thing::Image => row
                .job
                .get("result")
                .is_some_and(|result| !blob::refs(result, &[]).is_empty()),
            Thing::Field(path) => match path.value(row) {
                None | Some(Value::Null) => false,
                Some(Value::String(text)) => !text.is_empty(),
                Some(Value::Array(list)) => !list.is_empty(),
                Some(Value::Object(fields)) => !fields.is_empty(),
                Some(Value::Bool(_) | Value::Number(_)) => true,
            },
        }
    }
}

impl Path {
    fn of(name: &str) -> Self {
        let mut others = TIMES.iter().chain([&LABEL]);
        let other = others.find(|(other, _)| *other == name);
        Self {
            name: name.to_owned(),
            other: other.map(|(_, field)| *field),
            parts: name.split('.').map(str::to_owned).collect(),
        }
    }

    /// The value of the field of that name, else of that other name, else at that path.
    fn value<'r>(&self, row: &'r Row) -> Option<&'r Value> {
        let own = row.job.get(&self.name);
        let other = || row.job.get(self.other?);
        own.or_else(other).or_else(|| {
            let (first, rest) = self.parts.split_first()?;
            let mut value = row.job.get(first)?;
            for part in rest {
                value = value.get(part)?;
            }
            Some(value)
        })
    }
}

impl Wanted {
    /// `is_time`: the field holds a time, so that four digits are a year.
    fn of(letters: &[Letter], is_time: bool) -> Result<Self, QueryError> {
        let span_of = if is_time { Span::of_time } else { Span::of };
        let (sign, rest) = Sign::read(letters);
        if sign == Some(Sign::Whole) {
            return Ok(Wanted::Whole(Needle::new(&text_of(rest))));
        }
        if let Some(Sign::Compare(side)) = sign {
            let found = text_of(rest);
            let at = rest.first().map_or(1, |letter| letter.at);
            let span = span_of(&found).ok_or(QueryError::NoNumber { at, found })?;
            return Ok(Wanted::Compared(side, span));
        }
        let dots = letters
            .windows(2)
            .position(|pair| pair.iter().all(|letter| letter.is_sign('.')));
        if let Some(dots) = dots {
            let (from, to) = (text_of(&letters[..dots]), text_of(&letters[dots + 2..]));
            match (span_of(&from), span_of(&to)) {
                (Some(from), Some(to)) => return Ok(Wanted::Between(from, to)),
                (Some(from), None) if to.is_empty() => {
                    return Ok(Wanted::Compared(Side::AtLeast, from));
                }
                (None, Some(to)) if from.is_empty() => {
                    return Ok(Wanted::Compared(Side::AtMost, to));
                }
                (None, None) => {} // A text with dots in it.
                (from_is, _) => {
                    let (found, bad) = match from_is {
                        Some(_) => (to, &letters[dots + 2..]),
                        None => (from, letters),
                    };
                    let at = bad.first().map_or(1, |letter| letter.at);
                    return Err(QueryError::NoNumber { at, found });
                }
            }
        }
        let text = text_of(letters);
        Ok(Wanted::Is(Needle::new(&text), span_of(&text)))
    }

    fn is_met(&self, value: &Value) -> bool {
        match self {
            Wanted::Is(needle, span) => {
                let is_there = |span: Span| place_of(value).is_some_and(|at| span.covers(at));
                (!value.is_number() && needle.is_word_of(&shown(value)))
                    || span.is_some_and(is_there)
            }
            Wanted::Whole(needle) => needle.is(&shown(value)),
            Wanted::Compared(side, span) => place_of(value).is_some_and(|at| span.has(*side, at)),
            Wanted::Between(from, to) => place_of(value)
                .is_some_and(|at| from.has(Side::AtLeast, at) && to.has(Side::AtMost, at)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Whole,
    Compare(Side),
}

impl Sign {
    /// The sign that a value begins with, and what follows it.
    fn read(letters: &[Letter]) -> (Option<Self>, &[Letter]) {
        let is = |nth: usize, sign| letters.get(nth).is_some_and(|letter| letter.is_sign(sign));
        let (sign, len) = match (is(0, '>'), is(0, '<'), is(0, '='), is(1, '=')) {
            (true, _, _, true) => (Sign::Compare(Side::AtLeast), 2),
            (true, ..) => (Sign::Compare(Side::Above), 1),
            (_, true, _, true) => (Sign::Compare(Side::AtMost), 2),
            (_, true, ..) => (Sign::Compare(Side::Below), 1),
            (_, _, true, _) => (Sign::Whole, 1),
            _ => return (None, letters),
        };
        (Some(sign), &letters[len..])
    }
}

/// A value's text: of a string its letters, of anything else its JSON.
fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(crate::value::to_text(other)),
    }
}

/// Whether the text stands in `value`: a text, or a list with one. Images are no texts.
fn stands_in(needle: &Needle, value: &Value) -> bool {
    match value {
        Value::String(text) => !is_image(text) && needle.is_in(text),
        Value::Array(list) => list.iter().any(|one| match one {
            Value::String(text) => !is_image(text) && needle.is_in(text),
            _ => false,
        }),
        _ => false,
    }
}

fn is_image(text: &str) -> bool {
    text.starts_with("blob:sha256-") || text.starts_with("data:")
}
