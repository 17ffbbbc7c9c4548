//! Who has shown the token.
//!
//! Programs send `Authorization: Bearer <token>`. A browser is opened at `/#token=…`; its page
//! posts that token once to `/api/v1/session` and gets a cookie that scripts cannot read and
//! other sites cannot send. The cookie holds an expiry and a MAC under the token: no list of
//! sessions is kept, a restart signs nobody out, another token signs everybody out.
//!
//! **Invariant:** without `--token` nothing here refuses anything.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::http::header::{AUTHORIZATION, COOKIE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use hyper::http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

use super::body::ApiJson;
use super::problem::{ApiError, Kind};
use super::state::App;
use crate::config::Token;

/// How long a browser stays signed in without showing the token again.
const SESSION_MAX: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Wrong tokens per second, of all clients together, after which all must wait.
const WRONG_TOKENS_PER_SECOND_MAX: u32 = 10;

/// Checks tokens and cookies.
#[derive(Debug)]
pub struct Sessions {
    token: Option<Token>,
    port: u16,
    tls: bool,
    wrong: Attempts,
}

/// Counts wrong tokens in the current second.
#[derive(Debug, Default)]
struct Attempts {
    second: AtomicU32,
    count: AtomicU32,
}

impl Attempts {
    fn is_spent(&self, now: u32) -> bool {
        self.second.load(Ordering::Relaxed) == now
            && self.count.load(Ordering::Relaxed) >= WRONG_TOKENS_PER_SECOND_MAX
    }

    fn add(&self, now: u32) {
        if self.second.swap(now, Ordering::Relaxed) != now {
            self.count.store(0, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Sessions {
    /// Sessions under `token` for the server at `port`; with `None` everybody is signed in.
    #[must_use]
    pub fn new(token: Option<Token>, port: u16, tls: bool) -> Self {
        Self {
            token,
            port,
            tls,
            wrong: Attempts::default(),
        }
    }

    /// Whether a token is needed at all.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.token.is_some()
    }

    /// Cookies do not tell ports apart, so the name does.
    fn cookie_name(&self) -> String {
        let prefix = if self.tls { "__Host-" } else { "" };
        format!("{prefix}plainsync_{}", self.port)
    }

    /// Whether the request shows the token or a cookie made from it.
    ///
    /// # Errors
    ///
    /// [`Kind::Unauthorized`] without either; [`Kind::TooMany`] while wrong tokens are pouring in.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let now_s = now_s();
        if self.has_cookie(token, headers, now_s) {
            return Ok(());
        }
        match bearer(headers) {
            Some(offered) => self.check_token(token, offered, now_s),
            None => Err(unauthorized(
                "this server needs its token: open the address it printed, or send `Authorization: Bearer <token>`",
            )),
        }
    }

    fn check_token(&self, token: &Token, offered: &str, now_s: u64) -> Result<(), ApiError> {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "only compared for equality within seconds"
        )]
        let second = now_s as u32;
        if self.wrong.is_spent(second) {
            return Err(ApiError::new(
                Kind::TooMany,
                "too many wrong tokens in the last second; wait a moment",
            )
            .with(RETRY_AFTER, HeaderValue::from_static("1")));
        }
        if token.matches(offered) {
            return Ok(());
        }
        self.wrong.add(second);
        Err(unauthorized("the token is wrong"))
    }

    fn has_cookie(&self, token: &Token, headers: &HeaderMap, now_s: u64) -> bool {
        let name = self.cookie_name();
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|header| header.to_str().ok())
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .any(|(_, value)| is_signed(token, value, now_s))
    }

    fn cookie(&self, value: &str, seconds: u64) -> String {
        let secure = if self.tls { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}",
            self.cookie_name()
        )
    }
}

/// Lets a request through if it shows the token, where one is needed.
pub async fn require(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.sessions.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// What `POST /api/v1/session` takes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The token the server was started with.
    token: String,
}

/// What `GET /api/v1/session` answers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionState {
    /// Whether this server needs a token.
    token_needed: bool,
    /// Whether this request showed it.
    signed_in: bool,
}

/// `GET /api/v1/session`: whether a token is needed and was shown.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", security(()), responses((status = 200, body = SessionState)))]
pub async fn show(State(app): State<App>, headers: HeaderMap) -> Json<SessionState> {
    let signed_in = app.sessions.check(&headers).is_ok();
    Json(SessionState {
        token_needed: app.sessions.is_needed(),
        signed_in,
    })
}

/// `POST /api/v1/session {token}`: exchanges the token for a cookie.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", security(()), request_body = SignIn,
    responses((status = 204, description = "signed in; the cookie is set"), (status = 401, description = "the token is wrong"))
)]
pub async fn create(
    State(app): State<App>,
    ApiJson(body): ApiJson<SignIn>,
) -> Result<Response, ApiError> {
    let Some(token) = &app.sessions.token else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let now_s = now_s();
    app.sessions.check_token(token, &body.token, now_s)?;
    let expires_s = now_s + SESSION_MAX.as_secs();
    let cookie = app
        .sessions
        .cookie(&signed(token, expires_s), SESSION_MAX.as_secs());
    Ok(with_cookie(&cookie))
}

/// `DELETE /api/v1/session`: forgets the cookie in this browser.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", security(()), responses((status = 204, description = "signed out")))]
pub async fn remove(State(app): State<App>) -> Response {
    with_cookie(&app.sessions.cookie("", 0))
}

fn with_cookie(cookie: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn mac(token: &Token, expires_s: u64) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.expose().as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(b"plainsync session until ");
    mac.update(&expires_s.to_be_bytes());
    mac
}

fn signed(token: &Token, expires_s: u64) -> String {
    let tag = mac(token, expires_s).finalize().into_bytes();
    let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{expires_s}.{tag}")
}

fn is_signed(token: &Token, cookie: &str, now_s: u64) -> bool {
    let Some((expires, tag)) = cookie.split_once('.') else {
        return false;
    };
    let Ok(expires_s) = expires.parse::<u64>() else {
        return false;
    };
    let Some(tag) = unhex(tag) else { return false };
    expires_s > now_s && mac(token, expires_s).verify_slice(&tag).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

fn unauthorized(detail: &str) -> ApiError {
    ApiError::new(Kind::Unauthorized, detail)
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn t4_a_cookie_holds_until_it_expires_and_only_under_its_token() {
        let (token, other): (Token, Token) = (
            "correct-horse".parse().unwrap(),
            "battery-staple".parse().unwrap(),
        );
        let cookie = signed(&token, 1_000);
        assert!(is_signed(&token, &cookie, 999));
        assert!(!is_signed(&token, &cookie, 1_000), "expired");
        assert!(!is_signed(&other, &cookie, 999), "another token");
        let later = cookie.replacen("1000", "9000", 1);
        for forged in [later.as_str(), "1000.", "1000", "x.y", "1000.zz", ""] {
            assert!(!is_signed(&token, forged, 999), "{forged} was accepted");
        }
    }
}
