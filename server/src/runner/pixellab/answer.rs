//! Reads PixelLab's answers, good and bad, and trusts nothing in them.

use super::super::generator::{Balance, DETAIL_CHARS_MAX, GeneratorError, Picture};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plainsync_core::blob::sniff;
use plainsync_core::limits::BLOB_BYTES_MAX;
use serde_json::Value;

/// Most complaints of a 422 that are repeated.
const COMPLAINTS_MAX: usize = 3;

/// The image of `{"image": {"base64": …}}`, checked by its first bytes.
pub(super) fn picture(answer: &Value) -> Result<Picture, GeneratorError> {
    let bad = |detail: &str| GeneratorError::BadAnswer {
        detail: detail.to_owned(),
    };
    let text = answer
        .pointer("/image/base64")
        .and_then(Value::as_str)
        .ok_or_else(|| bad("it holds no image"))?;
    // Some versions of the service answer with a whole data URL here.
    let encoded = text
        .split_once(";base64,")
        .map_or(text, |(_, encoded)| encoded);
    let bytes = STANDARD
        .decode(encoded.trim())
        .map_err(|_| bad("its image is no base64"))?;
    if bytes.len() > BLOB_BYTES_MAX {
        return Err(bad(&format!(
            "its image has {} bytes; the limit is {BLOB_BYTES_MAX}",
            bytes.len()
        )));
    }
    let mime = sniff(&bytes).ok_or_else(|| bad("its image is no PNG, JPEG, WebP or GIF"))?;
    Ok(Picture { bytes, mime })
}

/// `{"type": "usd", "usd": 1.5}`.
pub(super) fn balance(answer: &Value) -> Balance {
    match answer.get("usd").and_then(Value::as_f64) {
        Some(usd) => {
            let kind = answer.get("type").and_then(Value::as_str).unwrap_or("usd");
            Balance::Known {
                usd,
                kind: shortened(kind),
            }
        }
        None => Balance::Failed {
            message: "PixelLab's answer names no balance".to_owned(),
        },
    }
}

/// The service's own words about a refusal, in one line, without the key.
pub(super) fn complaint(body: &[u8], key: &str) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => complaint_of(&value),
        Err(_) => None,
    };
    match text {
        Some(text) if !text.trim().is_empty() => shortened(&text.replace(key, "…")),
        _ => "it gave no reason".to_owned(),
    }
}

fn complaint_of(value: &Value) -> Option<String> {
    let detail = ["detail", "error", "message"]
        .iter()
        .find_map(|name| value.get(name))?;
    match detail {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            let mut said: Vec<String> = list.iter().take(COMPLAINTS_MAX).filter_map(one).collect();
            if list.len() > COMPLAINTS_MAX {
                said.push(format!("and {} more", list.len() - COMPLAINTS_MAX));
            }
            Some(said.join("; "))
        }
        Value::Object(_) => one(detail).or_else(|| complaint_of(detail)),
        _ => None,
    }
}

/// `{"loc": ["body", "image_size", "width"], "msg": "too large"}` as `image_size.width: too large`.
fn one(entry: &Value) -> Option<String> {
    let message = entry.get("msg")?.as_str()?;
    let path: Vec<String> = entry
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|part| part.as_str() != Some("body"))
        .map(|part| {
            part.as_str()
                .map_or_else(|| part.to_string(), str::to_owned)
        })
        .collect();
    Some(if path.is_empty() {
        message.to_owned()
    } else {
        format!("{}: {message}", path.join("."))
    })
}

fn shortened(text: &str) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL_CHARS_MAX)
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn complaints_become_one_line_without_the_key() {
        for (body, expected) in [
            (json!({"detail": "Invalid token sk-1"}), "Invalid token …"),
            (
                json!({"detail": [{"loc": ["body", "image_size", "width"], "msg": "too large"}]}),
                "image_size.width: too large",
            ),
            (
                json!({"detail": [{"loc": ["body", 0], "msg": "a"}, {"msg": "b"}, {"msg": "c"}, {"msg": "d"}]}),
                "0: a; b; c; and 1 more",
            ),
            (json!({"error": {"message": "two\nlines"}}), "two lines"),
            (json!({"detail": 5}), "it gave no reason"),
            (json!([]), "it gave no reason"),
        ] {
            assert_eq!(complaint(body.to_string().as_bytes(), "sk-1"), expected);
        }
        assert_eq!(complaint(b"<html>", "sk-1"), "it gave no reason");
        let long = complaint(
            json!({"detail": "é".repeat(5000)}).to_string().as_bytes(),
            "sk-1",
        );
        assert_eq!(long.chars().count(), DETAIL_CHARS_MAX + 1);
    }

    #[test]
    fn only_real_images_are_taken() {
        let image = |text: &str| picture(&json!({"image": {"type": "base64", "base64": text}}));
        let gif = "R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
        assert!(image(gif).is_ok());
        assert_eq!(image(&format!("data:image/png;base64,{gif}")), image(gif));
        for (answer, words) in [
            (
                image(&STANDARD.encode("<svg xmlns=''>")),
                "no PNG, JPEG, WebP or GIF",
            ),
            (image("%%%"), "no base64"),
            (image(""), "no PNG"),
            (picture(&json!({"image": gif})), "no image"),
            (picture(&json!(null)), "no image"),
        ] {
            let error = answer.expect_err("refused").to_string();
            assert!(
                error.starts_with("PixelLab's answer cannot be used: ") && error.contains(words),
                "{error}"
            );
        }
    }
}
