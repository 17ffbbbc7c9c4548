//! Finds the picture that a rotation turns.

use super::board::Board;
use super::validate::{SIDE_PX_DEFAULT, SIDE_PX_MAX, SIDE_PX_MIN};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use plainsync_core::blob::{BlobRef, Mime, sniff};
use plainsync_core::limits::BLOB_BYTES_MAX;
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a run waits for a picture that another device has not delivered yet.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);

/// Old pages wrote base64 with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why there is no picture to turn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Neither a data URL nor a reference.
    #[error(
        "the picture to turn is {found}; allowed is a PNG, JPEG, WebP or GIF as a data URL or its blob: reference"
    )]
    NoImage {
        /// What was found, shortened.
        found: String,
    },
    /// A reference to a picture that is elsewhere.
    #[error(
        "the picture to turn has not arrived on this server yet; open the page that has it, then run the job again"
    )]
    NotHere,
    /// The disk failed.
    #[error("the picture to turn cannot be read: {0}")]
    Unreadable(String),
}

/// The bytes of the picture that `text` is or names, checked by their first bytes.
///
/// A picture that is named but not here is waited for, at most half a minute.
///
/// # Errors
///
/// [`SourceError`], as a sentence for the job.
pub async fn image(board: &dyn Board, text: &str) -> Result<Vec<u8>, SourceError> {
    if let Ok(hash) = text.parse::<BlobRef>() {
        return held(board, hash).await;
    }
    from_data_url(text).ok_or_else(|| SourceError::NoImage {
        found: describe(text),
    })
}

async fn held(board: &dyn Board, hash: BlobRef) -> Result<Vec<u8>, SourceError> {
    let mut changes = board.changes();
    let deadline = Instant::now() + ARRIVAL_MAX;
    loop {
        changes.mark_unchanged();
        match board.image(hash).await {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => {}
            Err(error) => return Err(SourceError::Unreadable(error.to_string())),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, changes.changed()).await {
            Ok(Ok(())) => {}
            _ => return Err(SourceError::NotHere),
        }
    }
}

/// The image in a data URL; its declared type is not believed.
fn from_data_url(text: &str) -> Option<Vec<u8>> {
    let encoded = text.strip_prefix("data:")?.split_once(";base64,")?.1.trim();
    if encoded.len() > BLOB_BYTES_MAX.div_ceil(3) * 4 {
        return None;
    }
    LENIENT
        .decode(encoded)
        .ok()
        .filter(|bytes| sniff(bytes).is_some())
}

fn describe(text: &str) -> String {
    match text
        .strip_prefix("data:")
        .and_then(|rest| rest.split([';', ',']).next())
    {
        Some(mime) if Mime::from_name(mime).is_some() => {
            format!("damaged {mime}, or larger than {BLOB_BYTES_MAX} bytes")
        }
        Some(mime) => mime.chars().take(60).collect(),
        None => "no image".to_owned(),
    }
}

/// The picture of a job's result, in either of its forms.
#[must_use]
pub fn result_image(job: &Map<String, Value>) -> Option<&str> {
    match job.get("result")? {
        Value::String(text) => Some(text),
        Value::Object(result) => result.get("image_data_url")?.as_str(),
        _ => None,
    }
}

/// Width and height of a PNG within what may be asked for; the default for other pictures.
#[must_use]
pub fn own_sides(image: &[u8]) -> (u32, u32) {
    // Width and height are the first fields of a PNG's first chunk.
    let side = |at: usize| {
        let bytes: [u8; 4] = image.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes).clamp(SIDE_PX_MIN, SIDE_PX_MAX))
    };
    match (sniff(image), side(16), side(20)) {
        (Some(Mime::Png), Some(width), Some(height)) => (width, height),
        _ => (SIDE_PX_DEFAULT, SIDE_PX_DEFAULT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_images_are_taken_out_of_data_urls() {
        let gif = "R0lGODlhAQABAAAAACwAAAAAAQABAAA";
        assert!(from_data_url(&format!("data:image/gif;base64,{gif}=")).is_some());
        assert!(from_data_url(&format!("data:image/png;base64,{gif}\n")).is_some());
        for text in [
            "",
            "data:",
            "data:image/png;base64,",
            "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
            gif,
        ] {
            assert_eq!(from_data_url(text), None, "{text}");
        }
        assert_eq!(
            describe("data:image/svg+xml;base64,PHN2Zz4="),
            "image/svg+xml"
        );
        assert_eq!(describe("data:text/html,<b>"), "text/html");
        assert_eq!(describe("hello"), "no image");
        assert!(describe("data:image/png;base64,AAAA").starts_with("damaged image/png"));
    }

    #[test]
    fn both_forms_of_a_result_hold_an_image() {
        let image = |result: Value| {
            let job = json!({"result": result});
            job.as_object().and_then(result_image).map(str::to_owned)
        };
        assert_eq!(image(json!("data:a")), Some("data:a".into()));
        assert_eq!(
            image(json!({"image_data_url": "blob:b"})),
            Some("blob:b".into())
        );
        assert_eq!(image(json!({"image_data_url": null})), None);
        assert_eq!(image(json!(null)), None);
    }

    #[test]
    fn only_a_pngs_header_is_believed() {
        let mut png = vec![
            0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R',
        ];
        assert_eq!(own_sides(&png), (64, 64));
        png.extend([0, 0, 0, 32, 0, 1, 0, 0]);
        assert_eq!(own_sides(&png), (32, 256));
        assert_eq!(own_sides(b"GIF89a"), (64, 64));
    }
}
