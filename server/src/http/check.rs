//! What the known fields of a job may hold when the API writes them.
//!
//! Files and old clients are taken as they are (D8); a program that speaks the API is told at
//! once what it got wrong. Unknown fields pass.

use plainsync_core::blob::{self, BlobRef};
use serde_json::{Map, Value};

use super::problem::{ApiError, Kind, echo};
use crate::runner::validate::{PROMPT_CHARS_MAX, SIDE_PX_MAX, SIDE_PX_MIN};

/// The statuses that a job can have.
const STATUSES: [&str; 5] = ["idle", "queued", "running", "success", "error"];

/// Fields whose text is never an image.
const TEXT_FIELDS: [&str; 5] = ["id", "prompt", "seed", "error", "error_message"];

/// Checks the fields that are known; unknown ones may hold anything but a false image.
///
/// # Errors
///
/// [`Kind::Invalid`], saying which field, what was found and what is allowed.
pub fn fields(fields: &Map<String, Value>) -> Result<(), ApiError> {
    for (name, value) in fields {
        let allowed = match name.as_str() {
            "prompt" => (!is_prompt(value)).then(|| format!("text of 1 to {PROMPT_CHARS_MAX} characters")),
            "width" | "height" => {
                (!is_side(value)).then(|| format!("a whole number from {SIDE_PX_MIN} to {SIDE_PX_MAX}"))
            }
            "seed" | "error" => (!(value.is_string() || value.is_null())).then(|| "text or null".to_owned()),
            "id" => (value.as_str().is_none_or(str::is_empty)).then(|| "text that is not empty".to_owned()),
            "status" => (!value.as_str().is_some_and(|status| STATUSES.contains(&status))).then(|| STATUSES.join(", ")),
            "startTime" | "endTime" | "duration" => {
                (!(value.is_number() || value.is_null())).then(|| "a number or null".to_owned())
            }
            "createdAt" => (!value.is_number()).then(|| "a number of milliseconds since 1970".to_owned()),
            "isRotation" => (!value.is_boolean()).then(|| "true or false".to_owned()),
            "rotationData" => (!value.is_object()).then(|| "an object".to_owned()),
            "result" => (!is_result(value)).then(|| {
                "null, a result object, or a data URL of a PNG, JPEG, WebP or GIF whose bytes are such an image".to_owned()
            }),
            _ => None,
        };
        if let Some(allowed) = allowed {
            return Err(refused(name, value, &allowed));
        }
        if !TEXT_FIELDS.contains(&name.as_str())
            && let Some(false_image) = false_image(value)
        {
            let allowed =
                "as a data URL only a PNG, JPEG, WebP or GIF whose bytes are such an image";
            return Err(refused(name, &Value::from(false_image), allowed));
        }
    }
    Ok(())
}

fn refused(name: &str, value: &Value, allowed: &str) -> ApiError {
    let found = echo(&value.to_string());
    ApiError::new(
        Kind::Invalid,
        format!("`{}` is {found}; allowed is {allowed}", echo(name)),
    )
}

fn is_prompt(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| !text.trim().is_empty() && text.chars().count() <= PROMPT_CHARS_MAX)
}

fn is_side(value: &Value) -> bool {
    value
        .as_u64()
        .is_some_and(|pixels| (SIDE_PX_MIN.into()..=SIDE_PX_MAX.into()).contains(&pixels))
}

fn is_result(value: &Value) -> bool {
    match value {
        Value::Null | Value::Object(_) => true,
        Value::String(text) => {
            text.parse::<BlobRef>().is_ok() || blob::from_data_url(text).is_some()
        }
        _ => false,
    }
}

/// The first text in `value` that claims to be an image and is none that may be shown.
#[must_use]
pub fn false_image(value: &Value) -> Option<&str> {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) => {
                let claims = text
                    .get(..5)
                    .is_some_and(|start| start.eq_ignore_ascii_case("data:"));
                if claims && blob::from_data_url(text).is_none() {
                    return Some(text);
                }
            }
            Value::Array(items) => stack.extend(items),
            Value::Object(inner) => {
                stack.extend(
                    inner
                        .iter()
                        .filter(|(name, _)| !TEXT_FIELDS.contains(&name.as_str()))
                        .map(|(_, value)| value),
                );
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    fn check(job: Value) -> Result<(), String> {
        let Value::Object(job) = job else {
            panic!("a job is an object")
        };
        fields(&job).map_err(|error| error.detail)
    }

    #[test]
    fn t2_good_jobs_pass() {
        for job in [
            json!({"prompt": "a <b>knight</b>", "width": 64, "height": 256, "seed": null}),
            json!({"status": "success", "result": PIXEL, "duration": 1.5}),
            json!({"result": {"status": "success", "image_data_url": PIXEL}, "error": null}),
            json!({"prompt": "data:image/svg+xml,words are words", "mood": [1, {"any": "thing"}]}),
            json!({"result": "blob:sha256-0000000000000000000000000000000000000000000000000000000000000000"}),
        ] {
            assert_eq!(check(job.clone()), Ok(()), "{job}");
        }
    }

    #[test]
    fn t2_t3_bad_values_are_named() {
        let svg = "data:image/svg+xml;base64,PHN2Zy8+";
        let false_png = "data:image/png;base64,PHN2Zy8+";
        for (job, field) in [
            (json!({"width": 0}), "width"),
            (json!({"width": 1e9}), "width"),
            (json!({"width": "64"}), "width"),
            (json!({"height": 64.5}), "height"),
            (json!({"height": null}), "height"),
            (json!({"prompt": ""}), "prompt"),
            (
                json!({"prompt": "x".repeat(PROMPT_CHARS_MAX + 1)}),
                "prompt",
            ),
            (json!({"seed": 5}), "seed"),
            (json!({"status": "done"}), "status"),
            (json!({"result": svg}), "result"),
            (json!({"result": false_png}), "result"),
            (json!({"result": "https://example.org/a.png"}), "result"),
            (json!({"result": {"image_data_url": svg}}), "result"),
            (
                json!({"other": {"deep": ["DATA:text/html,<script>"]}}),
                "other",
            ),
            (
                json!({"rotationData": {"imageDataUrl": svg}}),
                "rotationData",
            ),
        ] {
            let sentence = check(job.clone()).expect_err("refused");
            assert!(
                sentence.starts_with(&format!("`{field}` is ")),
                "{job}: {sentence}"
            );
        }
    }
}
