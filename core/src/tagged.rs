//! JSON objects whose member `type` says what they are, to and from serde's own form
//! `{"<type>": {…}}`.
//!
//! serde can read them by itself, but buffers in a representation of its own: with the enums that
//! are read here that is a twentieth of the page's wasm. `serde_json::Map` is there anyway.
//!
//! An enum that derives with `#[serde(remote = "Self")]` has its derived code as inherent functions, and
//! its trait implementations go through [`read()`] and [`write()`].

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Error, Map, Value};

const TAG: &str = "type";

/// Reads an object with a `type` by means of `derived`, which wants `{"<type>": {…}}`.
///
/// # Errors
///
/// As `derived`, and where there is no object or its `type` is not text.
pub fn read<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    derived: fn(Value) -> Result<T, Error>,
) -> Result<T, D::Error> {
    let mut fields: Map<String, Value> = Map::deserialize(deserializer)?;
    match fields.remove(TAG) {
        Some(Value::String(kind)) => {
            let mut named = Map::new();
            named.insert(kind, Value::Object(fields));
            derived(Value::Object(named)).map_err(D::Error::custom)
        }
        Some(_) => Err(D::Error::custom("the member `type` is not text")),
        None => Err(D::Error::missing_field(TAG)),
    }
}

/// Writes `value` as an object with a `type`, where `derived` gives `{"<type>": {…}}`.
///
/// # Errors
///
/// As `derived` and `serializer`.
pub fn write<T, S: Serializer>(
    value: &T,
    derived: fn(&T) -> Result<Value, Error>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let named = derived(value).map_err(S::Error::custom)?;
    let Value::Object(named) = named else {
        return Err(S::Error::custom("not a variant with fields"));
    };
    let mut fields = Map::new();
    for (kind, content) in named {
        fields.insert(TAG.to_owned(), Value::String(kind));
        if let Value::Object(content) = content {
            fields.extend(content);
        }
    }
    fields.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(remote = "Self", rename_all = "camelCase")]
    enum Shape {
        Circle { radius: u32 },
        Point {},
    }

    fn parse(text: &str) -> Result<Shape, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        read(&mut json, Shape::deserialize).map_err(|error| error.to_string())
    }

    #[test]
    fn d8_objects_are_read_by_their_type() {
        for (text, expected) in [
            (
                r#"{"type":"circle","radius":3}"#,
                Ok(Shape::Circle { radius: 3 }),
            ),
            (
                r#"{"radius":3,"type":"circle"}"#,
                Ok(Shape::Circle { radius: 3 }),
            ),
            (r#"{"type":"point"}"#, Ok(Shape::Point {})),
            (r#"{"radius":3}"#, Err("missing field `type`")),
            (r#"{"type":3}"#, Err("the member `type` is not text")),
            (r#"{"type":"box"}"#, Err("unknown variant `box`")),
            (r#"{"type":"circle"}"#, Err("missing field `radius`")),
            ("[1]", Err("invalid type: sequence")),
        ] {
            match (parse(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn d8_what_is_written_is_read_back() {
        for shape in [Shape::Circle { radius: 7 }, Shape::Point {}] {
            let written = write(
                &shape,
                |shape| Shape::serialize(shape, serde_json::value::Serializer),
                serde_json::value::Serializer,
            );
            let text = written.expect("it is a plain object").to_string();
            assert_eq!(parse(&text), Ok(shape), "{text}");
        }
    }
}
