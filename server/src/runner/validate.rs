//! The parameters of a job: what is allowed, and the sentence for what is not.
//!
//! The same check serves the HTTP paths (before a job is made) and the queue (before one is
//! started: jobs also come from files, other machines and older programs).
//!
//! **Invariant:** nothing is guessed. A width of `"64"` is a text, and is refused as one.

use super::generator::Direction;
use serde_json::{Map, Value};

/// Longest prompt, in characters.
pub const PROMPT_CHARS_MAX: usize = 2_000;

/// Longest seed, in characters.
pub const SEED_CHARS_MAX: usize = 100;

/// Smallest side of a picture, in pixels.
pub const SIDE_PX_MIN: u32 = 16;

/// Largest side of a picture, in pixels.
pub const SIDE_PX_MAX: u32 = 256;

/// Side of a picture when nothing is said, in pixels.
pub const SIDE_PX_DEFAULT: u32 = 64;

/// What is asked for in words, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// As written, without spaces around it.
    pub prompt: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// `None` when absent, null or empty.
    pub seed: Option<String>,
}

/// What is asked for a rotation, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationParameters {
    /// A data URL or a `blob:sha256-…` reference, not looked at yet.
    pub image: String,
    /// Where the figure shall look.
    pub to_direction: Direction,
    /// Where it looks; towards the viewer when nothing is said.
    pub from_direction: Direction,
    /// Pixels across; `None`: as the picture has.
    pub width: Option<u32>,
    /// Pixels down; `None`: as the picture has.
    pub height: Option<u32>,
}

/// A parameter that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}; allowed is {allowed}")]
pub struct InvalidParameter {
    /// The field, as it is called in the job or the request.
    pub field: &'static str,
    /// What was found there, shortened.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
}

impl InvalidParameter {
    fn new(field: &'static str, found: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self {
            field,
            found: found.into(),
            allowed: allowed.into(),
        }
    }
}

/// Checks `prompt`, `width`, `height` and `seed` of a job or of a body of `/generate-character`.
///
/// Width and height default to [`SIDE_PX_DEFAULT`]. A seed may be a text or a whole number.
///
/// # Errors
///
/// [`InvalidParameter`] for the first of them that is not allowed.
pub fn parameters(fields: &Map<String, Value>) -> Result<Parameters, InvalidParameter> {
    Ok(Parameters {
        prompt: prompt(fields)?,
        width: side(fields, "width")?.unwrap_or(SIDE_PX_DEFAULT),
        height: side(fields, "height")?.unwrap_or(SIDE_PX_DEFAULT),
        seed: seed(fields)?,
    })
}

/// Checks `image_data_url`, `to_direction`, `from_direction`, `width` and `height` of a body of
/// `/rotate-character`.
///
/// # Errors
///
/// [`InvalidParameter`] for the first of them that is not allowed.
pub fn rotation(fields: &Map<String, Value>) -> Result<RotationParameters, InvalidParameter> {
    rotation_named(
        fields,
        fields,
        ["image_data_url", "to_direction", "from_direction"],
    )
}

/// Checks `rotationData`, `width` and `height` of a job with `isRotation: true`.
///
/// # Errors
///
/// [`InvalidParameter`] for the first of them that is not allowed.
pub fn rotation_of_job(job: &Map<String, Value>) -> Result<RotationParameters, InvalidParameter> {
    let data = match job.get("rotationData") {
        Some(Value::Object(data)) => data,
        other => {
            let allowed = "an object with imageDataUrl, toDirection and fromDirection";
            return Err(InvalidParameter::new("rotationData", found(other), allowed));
        }
    };
    rotation_named(job, data, ["imageDataUrl", "toDirection", "fromDirection"])
}

/// Whether this job turns a picture instead of making one from words.
#[must_use]
pub fn is_rotation(job: &Map<String, Value>) -> bool {
    job.get("isRotation") == Some(&Value::Bool(true))
}

fn rotation_named(
    sizes: &Map<String, Value>,
    data: &Map<String, Value>,
    [image, to, from]: [&'static str; 3],
) -> Result<RotationParameters, InvalidParameter> {
    let text = match data.get(image) {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        other => {
            return Err(InvalidParameter::new(
                image,
                found(other),
                "a picture as a data URL or its blob: reference",
            ));
        }
    };
    let to_direction = direction(data, to)?;
    let to_direction =
        to_direction.ok_or_else(|| InvalidParameter::new(to, "missing", direction_names()))?;
    Ok(RotationParameters {
        image: text,
        to_direction,
        from_direction: direction(data, from)?.unwrap_or_default(),
        width: side(sizes, "width")?,
        height: side(sizes, "height")?,
    })
}

fn prompt(fields: &Map<String, Value>) -> Result<String, InvalidParameter> {
    let allowed = format!("a text of 1 to {PROMPT_CHARS_MAX} characters");
    let Some(Value::String(text)) = fields.get("prompt") else {
        return Err(InvalidParameter::new(
            "prompt",
            found(fields.get("prompt")),
            allowed,
        ));
    };
    let text = text.trim();
    match text.chars().count() {
        0 => Err(InvalidParameter::new("prompt", "empty", allowed)),
        count if count > PROMPT_CHARS_MAX => Err(InvalidParameter::new(
            "prompt",
            format!("{count} characters long"),
            allowed,
        )),
        _ => Ok(text.to_owned()),
    }
}

fn side(fields: &Map<String, Value>, field: &'static str) -> Result<Option<u32>, InvalidParameter> {
    let value = match fields.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let whole = value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|number| number.fract() == 0.0)
            .map(|number| number as u64)
    });
    whole
        .and_then(|side| u32::try_from(side).ok())
        .filter(|side| (SIDE_PX_MIN..=SIDE_PX_MAX).contains(side))
        .map(Some)
        .ok_or_else(|| {
            let allowed = format!("a whole number from {SIDE_PX_MIN} to {SIDE_PX_MAX}");
            InvalidParameter::new(field, found(Some(value)), allowed)
        })
}

fn seed(fields: &Map<String, Value>) -> Result<Option<String>, InvalidParameter> {
    let allowed = format!("a text of at most {SEED_CHARS_MAX} characters, a whole number or null");
    match fields.get("seed") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
            Ok(Some(number.to_string()))
        }
        Some(Value::String(text)) => match text.trim() {
            "" => Ok(None),
            text if text.chars().count() > SEED_CHARS_MAX => Err(InvalidParameter::new(
                "seed",
                format!("{} characters long", text.chars().count()),
                allowed,
            )),
            text => Ok(Some(text.to_owned())),
        },
        other => Err(InvalidParameter::new("seed", found(other), allowed)),
    }
}

fn direction(
    data: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<Direction>, InvalidParameter> {
    match data.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if Direction::from_name(name).is_some() => {
            Ok(Direction::from_name(name))
        }
        other => Err(InvalidParameter::new(
            field,
            found(other),
            direction_names(),
        )),
    }
}

fn direction_names() -> String {
    let names = Direction::ALL.map(Direction::name);
    format!("one of {}", names.join(", "))
}

/// Most characters of a wrong value that are repeated.
const FOUND_CHARS_MAX: usize = 60;

/// A wrong value as people would call it.
fn found(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_owned(),
        Some(Value::String(text)) => {
            let short: String = text.chars().take(FOUND_CHARS_MAX).collect();
            let more = if short.len() < text.len() { "…" } else { "" };
            format!("the text {short:?}{more}")
        }
        Some(Value::Array(_)) => "a list".to_owned(),
        Some(Value::Object(_)) => "an object".to_owned(),
        Some(other) => other.to_string().chars().take(FOUND_CHARS_MAX).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[track_caller]
    fn refused(value: Value, expected: &str) {
        assert_eq!(parameters(&map(value)).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_is_allowed_is_taken_as_it_is() {
        let taken = parameters(&map(
            json!({"prompt": " a knight ", "width": 16, "height": 256.0, "seed": 42}),
        ))
        .unwrap();
        let expected = Parameters {
            prompt: "a knight".into(),
            width: 16,
            height: 256,
            seed: Some("42".into()),
        };
        assert_eq!(taken, expected);
        let taken = parameters(&map(json!({"prompt": "x", "width": null, "seed": ""}))).unwrap();
        assert_eq!((taken.width, taken.height, taken.seed), (64, 64, None));
    }

    #[test]
    fn wrong_sizes_are_refused_with_what_was_found_and_what_is_allowed() {
        for (width, found) in [
            (json!(0), "0"),
            (json!(1e9), "1000000000.0"),
            (json!(15), "15"),
            (json!(257), "257"),
            (json!(-64), "-64"),
            (json!(64.5), "64.5"),
            (json!("64"), "the text \"64\""),
            (json!([64]), "a list"),
            (json!({}), "an object"),
            (json!(true), "true"),
            (json!(u64::MAX), "18446744073709551615"),
        ] {
            refused(
                json!({"prompt": "x", "width": width}),
                &format!("width is {found}; allowed is a whole number from 16 to 256"),
            );
        }
    }

    #[test]
    fn wrong_prompts_and_seeds_are_refused() {
        let allowed = "allowed is a text of 1 to 2000 characters";
        refused(json!({}), &format!("prompt is missing; {allowed}"));
        refused(
            json!({"prompt": "  \n"}),
            &format!("prompt is empty; {allowed}"),
        );
        refused(json!({"prompt": 7}), &format!("prompt is 7; {allowed}"));
        refused(
            json!({"prompt": "é".repeat(2001)}),
            &format!("prompt is 2001 characters long; {allowed}"),
        );
        assert!(parameters(&map(json!({"prompt": "é".repeat(2000)}))).is_ok());
        assert!(parameters(&map(json!({"prompt": "x", "seed": 1.5}))).is_err());
        assert!(parameters(&map(json!({"prompt": "x", "seed": {}}))).is_err());
        assert!(parameters(&map(json!({"prompt": "x", "seed": "s".repeat(101)}))).is_err());
    }

    #[test]
    fn rotations_need_a_picture_and_a_direction() {
        let ok = json!({"image_data_url": "data:…", "to_direction": "north-east"});
        let taken = rotation(&map(ok)).unwrap();
        assert_eq!(
            (taken.to_direction, taken.from_direction),
            (Direction::NorthEast, Direction::South)
        );
        assert_eq!((taken.width, taken.height), (None, None));
        for (body, field) in [
            (json!({"to_direction": "east"}), "image_data_url"),
            (json!({"image_data_url": "data:…"}), "to_direction"),
            (
                json!({"image_data_url": "data:…", "to_direction": "up"}),
                "to_direction",
            ),
            (
                json!({"image_data_url": "data:…", "to_direction": "east", "from_direction": 3}),
                "from_direction",
            ),
            (
                json!({"image_data_url": "data:…", "to_direction": "east", "width": 1}),
                "width",
            ),
        ] {
            assert_eq!(rotation(&map(body)).unwrap_err().field, field);
        }
    }

    #[test]
    fn jobs_carry_their_rotation_inside() {
        let job = json!({
            "isRotation": true, "width": 32, "height": 32,
            "rotationData": {"sourceJobId": "job-1", "imageDataUrl": "blob:sha256-…", "toDirection": "west", "fromDirection": "south"},
        });
        assert!(is_rotation(&map(job.clone())));
        assert_eq!(rotation_of_job(&map(job)).unwrap().width, Some(32));
        let error = rotation_of_job(&map(json!({"isRotation": true}))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "rotationData is missing; allowed is an object with imageDataUrl, toDirection and fromDirection"
        );
    }
}
