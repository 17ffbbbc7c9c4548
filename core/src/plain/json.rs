//! A strict JSON parser whose every value knows where it stood in the text.
//!
//! A file that people edit and machines half-write needs more than "invalid JSON": an error
//! here names line, column and cause, a half file is told from a mistyped one, and what parses
//! can be written again without losing anything.
//!
//! ```
//! use plainsync_core::plain::json::{self, Position};
//!
//! let text = b"{\n  \"jobs\": [0.1]\n}";
//! let root = json::parse(text)?;
//! let jobs = root.get("jobs").expect("the field is there");
//! assert_eq!(json::position(text, jobs.at), Position { line: 2, column: 11 });
//! assert_eq!(root.to_value(), serde_json::json!({"jobs": [0.1]}));
//!
//! let error = json::parse(b"{\n  \"jobs\": [0.1").expect_err("half a file");
//! assert_eq!(
//!     error.to_string(),
//!     "line 2, column 15: the text ends in the middle of a list that begins at line 2, \
//!      column 11; the rest of it is missing"
//! );
//! # Ok::<(), json::JsonError>(())
//! ```
//!
//! Beyond what the grammar forbids, it refuses what could not come back as it was: a key twice
//! in one object, half of a surrogate pair, a number that no `i64`, `u64` or `f64` holds exactly
//! as written. A number's value is kept, not its spelling: `1e3` is written again as `1000.0`.
//! Every key is ordinary, `__proto__` too.
//!
//! **Invariant:** any bytes at all give a [`Node`] or a [`JsonError`]; nothing panics, and nothing
//! descends past [`JSON_DEPTH_MAX`](crate::limits::JSON_DEPTH_MAX).

mod error;
mod number;
mod parse;
#[cfg(test)]
mod tests;
mod text;

pub use error::{JsonError, JsonErrorKind, Position, position};
pub use parse::parse;
use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::value::to_map;

/// A JSON value and where it began.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its first byte, counted from the start of the text; [`position`] makes it line and column.
    pub at: usize,
    /// The value.
    pub tree: Tree,
}

/// A JSON value. Lists and objects keep the order of the text.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number: `i64` or `u64` if it was written whole and fits, else `f64`.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// An object, no key twice.
    Object(Vec<Member>),
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Where the key's opening quote stood, in bytes from the start of the text.
    pub at: usize,
    /// The field's name.
    pub key: String,
    /// The field's value.
    pub node: Node,
}

impl Node {
    /// The value of the field `key`, if this is an object that has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        let members = self.as_object()?;
        members
            .iter()
            .find(|member| member.key == key)
            .map(|member| &member.node)
    }

    /// The fields, if this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[Member]> {
        match &self.tree {
            Tree::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.tree {
            Tree::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.tree {
            Tree::String(text) => Some(text),
            _ => None,
        }
    }

    /// Of a text its letters, of anything else its JSON.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match &self.tree {
            Tree::String(text) => Cow::Borrowed(text),
            _ => Cow::Owned(crate::value::to_text(&self.to_value())),
        }
    }

    /// What this is, for a sentence: `a list`.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self.tree {
            Tree::Null => "null",
            Tree::Bool(_) => "true or false",
            Tree::Number(_) => "a number",
            Tree::String(_) => "a text",
            Tree::Array(_) => "a list",
            Tree::Object(_) => "an object",
        }
    }

    /// The value without its places, and the fields of each object in the order of
    /// `serde_json`'s map.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(is) => Value::Bool(*is),
            Tree::Number(number) => Value::Number(number.clone()),
            Tree::String(text) => Value::String(text.clone()),
            Tree::Array(items) => items.iter().map(Node::to_value).collect(),
            Tree::Object(members) => {
                let fields = members
                    .iter()
                    .map(|member| (member.key.clone(), member.node.to_value()));
                Value::Object(to_map(fields))
            }
        }
    }

    /// As [`Node::to_value`], without copying the texts.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(is) => Value::Bool(is),
            Tree::Number(number) => Value::Number(number),
            Tree::String(text) => Value::String(text),
            Tree::Array(items) => items.into_iter().map(Node::into_value).collect(),
            Tree::Object(members) => {
                let mut fields = Map::new();
                for Member { key, node, .. } in members {
                    fields.insert(key, node.into_value());
                }
                Value::Object(fields)
            }
        }
    }
}
