//! JSON values ⇄ values of the merged document.
//!
//! Strings are stored as scalars, because automerge's text type merges letters: two
//! statuses edited apart would become a third. A text that another client wrote is read,
//! and becomes a scalar when it is next written.

use automerge::{AutomergeError, ObjId, ObjType, ScalarValue};
use base64::Engine as _;
use serde_json::{Map, Number, Value};

use crate::document::Write;
use crate::limits::VALUE_DEPTH_MAX;
use crate::plain::json::{Node, Tree};
use crate::read::Reader;

/// The JSON of `value`, whose object (if it is one) is `obj`. Nesting past
/// [`VALUE_DEPTH_MAX`] reads as null: a hostile document cannot overflow the
/// stack, nor make a file that is too deep to be read again.
pub(crate) fn read(from: Reader<'_>, value: &automerge::Value<'_>, obj: &ObjId) -> Value {
    read_at(from, value, obj, 0)
}

fn read_at(from: Reader<'_>, value: &automerge::Value<'_>, obj: &ObjId, depth: usize) -> Value {
    match value {
        automerge::Value::Scalar(scalar) => read_scalar(scalar),
        automerge::Value::Object(_) if depth >= VALUE_DEPTH_MAX => Value::Null,
        automerge::Value::Object(ObjType::Map | ObjType::Table) => {
            let mut map = Map::new();
            for item in from.items(obj) {
                let id = item.id();
                let value = automerge::Value::from(item.value);
                map.insert(item.key.into_owned(), read_at(from, &value, &id, depth + 1));
            }
            Value::Object(map)
        }
        automerge::Value::Object(ObjType::List) => from
            .list(obj)
            .map(|item| {
                let id = item.id();
                read_at(from, &automerge::Value::from(item.value), &id, depth + 1)
            })
            .collect(),
        automerge::Value::Object(ObjType::Text) => {
            from.text(obj).map_or(Value::Null, Value::String)
        }
    }
}

/// The JSON of one scalar. What JSON cannot say (a NaN, a future kind) reads as null.
pub(crate) fn read_scalar(scalar: &ScalarValue) -> Value {
    match scalar {
        ScalarValue::Str(text) => Value::from(text.as_str()),
        ScalarValue::Int(n) | ScalarValue::Timestamp(n) => Value::from(*n),
        ScalarValue::Uint(n) => Value::from(*n),
        ScalarValue::F64(n) => Number::from_f64(*n).map_or(Value::Null, Value::Number),
        ScalarValue::Counter(n) => Value::from(i64::from(n)),
        ScalarValue::Boolean(b) => Value::from(*b),
        ScalarValue::Bytes(bytes) => {
            Value::from(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        ScalarValue::Unknown { .. } | ScalarValue::Null => Value::Null,
    }
}

/// The scalar for a JSON value that is not an array or object; null for those.
pub(crate) fn to_scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Bool(b) => ScalarValue::Boolean(*b),
        Value::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(n), _, _) => ScalarValue::Int(n),
            (None, Some(n), _) => ScalarValue::Uint(n),
            (None, None, Some(n)) => ScalarValue::F64(n),
            (None, None, None) => ScalarValue::Null,
        },
        Value::String(text) => ScalarValue::Str(text.as_str().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => ScalarValue::Null,
    }
}

/// The JSON of `value` on one line.
pub(crate) fn to_text(value: &Value) -> String {
    // Not by Display: that is a second writer of JSON, and a page would download both.
    serde_json::to_string(value).unwrap_or_default()
}

/// A map of `fields`, which come one by one: `collect` would sort them first, by code that a page
/// would download.
pub(crate) fn to_map(fields: impl Iterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut map = Map::new();
    fields.for_each(|(name, value)| drop(map.insert(name, value)));
    map
}

/// Turns the value at `prop` of `obj` from `old` into `new`, writing only what differs.
/// Objects are compared field by field (D3); an array is one value.
pub(crate) fn assign(
    tx: &mut dyn Write,
    obj: &ObjId,
    prop: &str,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), AutomergeError> {
    if let (Some(Value::Object(before)), Value::Object(after)) = (old, new)
        && let Some(child) = tx.map_at(obj, prop)?
    {
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            tx.delete(&child, name.as_str())?;
        }
        for (name, value) in after {
            assign(tx, &child, name, before.get(name), value)?;
        }
        return Ok(());
    }
    if old.is_some_and(|old| same(old, new)) {
        return Ok(());
    }
    tx.put(obj, prop, new)
}

/// As [`same`], for a value that was just parsed.
pub(crate) fn same_as_parsed(node: &Node, value: &Value) -> bool {
    match (&node.tree, value) {
        (Tree::Null, Value::Null) => true,
        (Tree::Bool(a), Value::Bool(b)) => a == b,
        (Tree::Number(a), Value::Number(b)) => a == b || same_number(a, b),
        (Tree::String(a), Value::String(b)) => a == b,
        (Tree::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_as_parsed(a, b))
        }
        (Tree::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|member| {
                    let there = b.get(&member.key);
                    there.is_some_and(|there| same_as_parsed(&member.node, there))
                })
        }
        _ => false,
    }
}

/// Whether two values mean the same: numbers by value (`1` is `1.0`), the rest exactly.
#[must_use]
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A double and a whole number are equal only where doubles are exact; two whole numbers only
/// if they are the same one, however near.
fn same_number(a: &Number, b: &Number) -> bool {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: every integer up to here is a double.
    let (double, whole) = match (a.is_f64(), b.is_f64()) {
        (true, false) => (a.as_f64(), b.as_i64()),
        (false, true) => (b.as_f64(), a.as_i64()),
        _ => return a == b,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "whole numbers up to 2^53 are exact both ways"
    )]
    match (double, whole) {
        (Some(x), Some(n)) => x.abs() <= EXACT && x as i64 == n && n as f64 == x,
        _ => false,
    }
}
