//! What every answer wears: security headers, and errors in the shape its reader knows.
//!
//! The content security policy lets a page run our own scripts and wasm, and nothing else:
//! nothing inline, nothing from elsewhere, no frames around it.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HOST, REFERRER_POLICY, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::metrics::refusal;
use super::problem::{ApiError, Kind};
use super::state::App;

/// The old paths, whose errors are `{"status":"error","message":…}`.
pub const OLD_PATHS: [&str; 6] = [
    "/load-jobs",
    "/save-jobs",
    "/health",
    "/generate-character",
    "/rotate-character",
    "/balance",
];

/// Dresses the answer of everything inside, counts refusals, and logs the request.
pub async fn dress(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let is_old = OLD_PATHS.contains(&request.uri().path());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .map(str::to_owned);
    let response = next.run(request).await;
    let mut response = reshape(response, is_old, &path);
    secure(response.headers_mut(), host.as_deref());
    let (status, taken_ms) = (response.status().as_u16(), began.elapsed().as_millis());
    let refused = response
        .extensions()
        .get::<Arc<ApiError>>()
        .map(|error| (error.kind, error.detail.clone()));
    let reason = refused.as_ref().and_then(|(kind, _)| refusal(*kind));
    if let Some(reason) = reason {
        app.documents.metrics().refused(reason);
    }
    match refused {
        Some((_, why)) if status >= 500 => tracing::error!(%method, path, status, taken_ms, why),
        // Logged where they are refused, but not each time: any page could fill the log.
        Some((Kind::UnknownHost | Kind::UnknownOrigin, why)) => {
            tracing::debug!(%method, path, status, taken_ms, why);
        }
        Some((_, why)) => tracing::info!(%method, path, status, taken_ms, why),
        None => tracing::debug!(%method, path, status, taken_ms),
    }
    response
}

/// Turns errors that a layer made without a body of ours into problem details, and all errors
/// of an old path into the old shape.
fn reshape(response: Response, is_old: bool, path: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let own = response
        .extensions()
        .get::<Arc<ApiError>>()
        .map(|error| ApiError::clone(error));
    match own {
        Some(error) if is_old => keep_headers(response.headers(), error.into_legacy_response()),
        Some(_) => response,
        None => {
            let is_bare = response
                .headers()
                .get(CONTENT_TYPE)
                .is_none_or(|media_type| media_type.as_bytes().starts_with(b"text/plain"));
            if !is_bare {
                return response;
            }
            let error = bare_error(status, response.headers(), path);
            let remade = if is_old {
                error.into_legacy_response()
            } else {
                error.into_response()
            };
            keep_headers(response.headers(), remade)
        }
    }
}

fn bare_error(status: StatusCode, headers: &HeaderMap, path: &str) -> ApiError {
    let kind = Kind::ALL
        .iter()
        .copied()
        .find(|kind| kind.status() == status);
    match kind {
        Some(Kind::Method) => {
            let allowed = headers
                .get(ALLOW)
                .and_then(|allow| allow.to_str().ok())
                .unwrap_or("another method");
            ApiError::new(Kind::Method, format!("`{path}` takes {allowed}"))
        }
        Some(kind) => ApiError::new(kind, format!("the request to `{path}` was refused")),
        None if status.is_client_error() => ApiError::new(
            Kind::Malformed,
            format!("the request to `{path}` was refused with {status}"),
        ),
        None => ApiError::new(
            Kind::Internal,
            format!("the request to `{path}` failed with {status}"),
        ),
    }
}

/// Carries headers such as CORS and `Allow` over to a remade answer, but none that describe the old body.
fn keep_headers(from: &HeaderMap, mut remade: Response) -> Response {
    const OF_THE_BODY: [HeaderName; 4] = [
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
        ACCEPT_RANGES,
    ];
    for (name, value) in from {
        if !remade.headers().contains_key(name) && !OF_THE_BODY.contains(name) {
            remade.headers_mut().append(name.clone(), value.clone());
        }
    }
    remade
}

fn secure(headers: &mut HeaderMap, host: Option<&str>) {
    // Some browsers do not take 'self' for our own WebSocket, so it is spelled out.
    let sockets = host
        .filter(|host| {
            host.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
        })
        .map_or_else(String::new, |host| format!(" ws://{host} wss://{host}"));
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; \
         connect-src 'self'{sockets}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; worker-src 'self'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// What is answered when a handler panicked: the connection and everything else go on.
pub fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(message, "a request handler panicked");
    ApiError::new(
        Kind::Internal,
        "an unexpected fault; the server's log says more, and the state is intact",
    )
    .into_response()
}
