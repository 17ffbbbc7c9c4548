//! Bodies, read within their limits.
//!
//! [`ApiJson`] is JSON of a known shape; [`read`] is bytes. Both check the content type first,
//! so that a form on another site cannot write, then the size, then the budget that all bodies
//! share.
//!
//! **Invariant:** no handler reads a body in any other way.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;

use super::limits::{BODY_BYTES_MAX, DEPTH_MAX};
use super::problem::{ApiError, Kind, echo};
use super::state::App;

/// A JSON body of at most [`BODY_BYTES_MAX`] bytes, as `T`.
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let bytes = json_bytes(request, app, BODY_BYTES_MAX).await?;
        // `POST …/run` and the like say nothing: no body is an empty object.
        parse(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
    }
}

/// Query parameters as `T`.
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let asked = Query::<T>::try_from_uri(&parts.uri);
        asked.map(|Query(asked)| Self(asked)).map_err(|refused| {
            ApiError::new(
                Kind::Invalid,
                format!("in the query: {}", echo(&refused.body_text())),
            )
        })
    }
}

/// The bytes of a JSON body of at most `bytes_max` bytes, not yet parsed.
///
/// # Errors
///
/// As [`read`], and [`Kind::MediaType`] when the body does not say that it is JSON.
pub async fn json_bytes(request: Request, app: &App, bytes_max: usize) -> Result<Bytes, ApiError> {
    require_json(request.headers())?;
    read(request.into_parts().1, app, bytes_max).await
}

/// Whether the body says that it is JSON.
///
/// # Errors
///
/// [`Kind::MediaType`] when it says anything else, or nothing.
pub fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let allowed = "a write carries `Content-Type: application/json`";
    if let Some(encoding) = headers
        .get(CONTENT_ENCODING)
        .filter(|encoding| *encoding != "identity")
    {
        let found = echo(&String::from_utf8_lossy(encoding.as_bytes()));
        return Err(ApiError::new(
            Kind::MediaType,
            format!("found a body in encoding `{found}`; bodies are sent as they are"),
        ));
    }
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Err(ApiError::new(
            Kind::MediaType,
            format!("found no content type; {allowed}"),
        ));
    };
    let text = given.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    let is_utf8 = parts
        .filter_map(|part| part.strip_prefix("charset="))
        .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8"));
    if is_json && is_utf8 {
        return Ok(());
    }
    Err(ApiError::new(
        Kind::MediaType,
        format!("found content type `{}`; {allowed}", echo(&text)),
    ))
}

/// Reads a body of at most `bytes_max` bytes.
///
/// # Errors
///
/// [`Kind::TooLarge`] past the limit (at once when `Content-Length` says so), [`Kind::Unavailable`]
/// while all bodies being received fill their shared budget, [`Kind::Malformed`] when it breaks off.
pub async fn read(body: Body, app: &App, bytes_max: usize) -> Result<Bytes, ApiError> {
    use hyper::body::Body as _;
    let hint = body.size_hint();
    if hint.lower() > bytes_max as u64 {
        return Err(too_large(Some(hint.lower()), bytes_max));
    }
    let claimed = hint
        .upper()
        .and_then(|bytes| usize::try_from(bytes).ok())
        .unwrap_or(bytes_max)
        .min(bytes_max);
    let claimed_kib = u32::try_from(claimed.div_ceil(1024)).unwrap_or(u32::MAX);
    let Ok(_budget) = app.body_budget_kib.try_acquire_many(claimed_kib) else {
        return Err(ApiError::new(
            Kind::Unavailable,
            "too many large requests at once; try again in a moment",
        )
        .with(RETRY_AFTER, HeaderValue::from_static("1")));
    };
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(None, bytes_max)),
        Err(error) => Err(ApiError::new(
            Kind::Malformed,
            format!("the body broke off: {}", echo(&error.to_string())),
        )),
    }
}

fn too_large(found: Option<u64>, bytes_max: usize) -> ApiError {
    let found = found.map_or_else(|| "more".to_owned(), |bytes| format!("{bytes} bytes"));
    ApiError::new(
        Kind::TooLarge,
        format!("found a body of {found}; the limit here is {bytes_max} bytes"),
    )
}

/// Parses JSON as `T`, telling broken JSON (with line and column) from a wrong shape.
///
/// # Errors
///
/// [`Kind::Malformed`] for text that is not JSON or nests deeper than [`DEPTH_MAX`];
/// [`Kind::Invalid`] for JSON of another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if let Some(at) = too_deep(bytes) {
        return Err(ApiError::new(
            Kind::Malformed,
            format!("found JSON nested deeper than {DEPTH_MAX} levels at byte {at}"),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let kind = if error.is_data() {
            Kind::Invalid
        } else {
            Kind::Malformed
        };
        ApiError::new(kind, format!("in the body: {}", echo(&error.to_string())))
    })
}

/// Where JSON text first nests deeper than [`DEPTH_MAX`], counted without parsing it.
#[must_use]
pub fn too_deep(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Some(at);
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t2_depth_is_counted_outside_strings() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(too_deep(nested(DEPTH_MAX).as_bytes()), None);
        assert_eq!(too_deep(nested(DEPTH_MAX + 1).as_bytes()), Some(DEPTH_MAX));
        assert_eq!(
            too_deep(format!("\"{}\\\"{}\"", "[".repeat(99), "{".repeat(99)).as_bytes()),
            None
        );
    }

    #[test]
    fn t2_only_json_is_json() {
        let check = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_str(text).expect("a header value"),
            );
            require_json(&headers).is_ok()
        };
        assert!(
            check("application/json")
                && check("Application/JSON; charset=UTF-8")
                && check("application/merge-patch+json")
        );
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/json; charset=utf-16",
            "text/json",
            "",
        ] {
            assert!(!check(bad), "{bad} was accepted");
        }
        assert!(require_json(&HeaderMap::new()).is_err());
    }
}
