//! Errors as RFC 9457 problem details.
//!
//! A handler returns [`ApiError`]: a [`Kind`] fixes status, type and title, and `detail` is one
//! sentence that says what was found, where, and what is allowed. [`super::dress`] writes it
//! out, in the shape that old clients read where the path is an old one.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use hyper::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use hyper::http::{HeaderName, HeaderValue, StatusCode};

use super::limits::ECHO_CHARS_MAX;

/// The media type of problem details.
pub const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        /// The kinds of error, each with its status, its `type` and its `title`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Kind { $($(#[doc = $doc])+ $name),+ }

        impl Kind {
            /// Every kind, in the order of the reference page.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            /// The last part of the problem's `type`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }

            /// The problem's `title`: the same for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

kinds! {
    /// The request is not well formed: broken JSON, a missing parameter.
    Malformed = BAD_REQUEST, "malformed", "The request cannot be read";
    /// Well formed, but a value is outside what is allowed.
    Invalid = UNPROCESSABLE_ENTITY, "invalid-value", "A value is not allowed";
    /// The token is missing or wrong.
    Unauthorized = UNAUTHORIZED, "unauthorized", "A token is needed";
    /// The request names a host that is not this server.
    UnknownHost = FORBIDDEN, "unknown-host", "This is not the host that was asked for";
    /// The request comes from a page that may not use this server.
    UnknownOrigin = FORBIDDEN, "unknown-origin", "This page may not use the server";
    /// Nothing is there.
    NotFound = NOT_FOUND, "not-found", "There is nothing here";
    /// The path exists, the method does not.
    Method = METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed here";
    /// The client took too long.
    Timeout = REQUEST_TIMEOUT, "timeout", "The request took too long";
    /// The state does not allow it.
    Conflict = CONFLICT, "conflict", "The current state does not allow this";
    /// It would remove much; whoever asks must say that they know.
    Confirm = CONFLICT, "confirm", "This must be confirmed";
    /// `If-Match` names a version that is not known here.
    Precondition = PRECONDITION_FAILED, "unknown-version", "The named version is not known here";
    /// The body is past its limit.
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "The request is too large";
    /// The body has a type that is not read here.
    MediaType = UNSUPPORTED_MEDIA_TYPE, "media-type", "The content type is not accepted";
    /// The request asks for an upgrade that did not come.
    Upgrade = UPGRADE_REQUIRED, "upgrade-required", "This path speaks WebSocket";
    /// Too many requests, or too many wrong tokens.
    TooMany = TOO_MANY_REQUESTS, "too-many", "Too many requests";
    /// A fault of the server.
    Internal = INTERNAL_SERVER_ERROR, "internal", "The server failed";
    /// The image service failed.
    Upstream = BAD_GATEWAY, "generator", "The image could not be made";
    /// Not now: stopping, read-only, or too busy.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The server cannot do this now";
    /// The disk is full.
    Storage = INSUFFICIENT_STORAGE, "storage", "The disk is full";
}

/// An error as it is answered. Cheap to clone: the response carries a copy for [`super::dress`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}: {detail}", kind.title())]
pub struct ApiError {
    /// Status, type and title.
    pub kind: Kind,
    /// One sentence: what was found, where, what is allowed.
    pub detail: String,
    /// Further headers of the answer, such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error of `kind` with its sentence.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The error in the shape old clients read: `{"status":"error","message":…}`.
    #[must_use]
    pub fn into_legacy_response(self) -> Response {
        let body = serde_json::json!({ "status": "error", "message": self.detail });
        self.respond("application/json", &body)
    }

    fn into_problem_response(self) -> Response {
        let body = serde_json::json!({
            "type": format!("/api/docs#{}", self.kind.slug()),
            "title": self.kind.title(),
            "status": self.kind.status().as_u16(),
            "detail": self.detail,
        });
        self.respond(PROBLEM_JSON, &body)
    }

    fn respond(self, media_type: &'static str, body: &serde_json::Value) -> Response {
        let mut response = (self.kind.status(), body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.into_problem_response()
    }
}

/// A value from outside as it may be repeated in a sentence or a log line: control characters
/// escaped, cut at [`ECHO_CHARS_MAX`].
#[must_use]
pub fn echo(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(ECHO_CHARS_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(ECHO_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_unique() {
        let mut slugs: Vec<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Kind::ALL.len());
    }

    #[test]
    fn t3_echoed_values_are_escaped_and_cut() {
        assert_eq!(echo("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(echo(&"x".repeat(300)).chars().count(), ECHO_CHARS_MAX + 1);
    }
}
