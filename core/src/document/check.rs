//! What an edit may write: names that are free, values that are not too large.

use serde_json::{Map, Value};

use crate::edit::EditError;
use crate::limits::{RECORD_FIELDS_MAX, RECORD_VALUES_MAX, TEXT_BYTES_MAX, VALUE_DEPTH_MAX};
use crate::record::{PURGED, REMOVED, RUN, RUNS, is_reserved};

pub(super) fn reserved(name: &str) -> EditError {
    EditError::NotAllowed {
        field: name.to_owned(),
        found: "a name that the engine keeps for itself".to_owned(),
        allowed: format!("any name but {RUN}, {RUNS}, {REMOVED} and {PURGED}"),
    }
}

/// Refuses names that are the engine's own, and values that are too large or too deep.
pub(super) fn check_record(fields: &Map<String, Value>) -> Result<(), EditError> {
    if let Some(name) = fields.keys().find(|name| is_reserved(name)) {
        return Err(reserved(name));
    }
    if fields.len() > RECORD_FIELDS_MAX {
        return Err(EditError::TooMany {
            what: "fields",
            found: fields.len(),
            max: RECORD_FIELDS_MAX,
        });
    }
    let mut values = 0;
    for (name, value) in fields {
        check_value(name, value, 1, &mut values)?;
    }
    if values > RECORD_VALUES_MAX {
        return Err(EditError::TooMany {
            what: "values in one record",
            found: values,
            max: RECORD_VALUES_MAX,
        });
    }
    Ok(())
}

/// Adds how many values there are to `values`.
fn check_value(
    path: &str,
    value: &Value,
    depth: usize,
    values: &mut usize,
) -> Result<(), EditError> {
    *values += 1;
    let refused = |found: String, allowed: String| {
        Err(EditError::NotAllowed {
            field: path.to_owned(),
            found,
            allowed,
        })
    };
    match value {
        _ if depth > VALUE_DEPTH_MAX => refused(
            format!("nested {depth} levels deep"),
            format!("at most {VALUE_DEPTH_MAX} levels"),
        ),
        Value::String(text)
            if text.len() > TEXT_BYTES_MAX && crate::blob::from_data_url(text).is_none() =>
        {
            refused(
                format!("a text of {} bytes", text.len()),
                format!("text up to {TEXT_BYTES_MAX} bytes, or a PNG, JPEG, WebP or GIF image"),
            )
        }
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_value(path, item, depth + 1, values)),
        Value::Object(map) => map.iter().try_for_each(|(name, value)| {
            check_value(&format!("{path}.{name}"), value, depth + 1, values)
        }),
        _ => Ok(()),
    }
}
