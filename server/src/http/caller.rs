//! Which old client is asking (L2).
//!
//! Old clients carry no name. A browser is given one in a cookie, which it sends back by itself;
//! who keeps no cookies is known by address, user agent and origin. A client that shows no cookie
//! yet is given one, and what it is handed is noted under both, because it may or may not keep it;
//! when it shows the cookie and saves, what it held is no longer looked for under the other name.
//!
//! The cookie is no secret and opens nothing: it only tells whose list is whose.
//!
//! **Invariant:** nothing here refuses anybody.

use axum::extract::FromRequestParts;
use axum::response::Response;
use hyper::http::header::{COOKIE, ORIGIN, SET_COOKIE, USER_AGENT};
use hyper::http::request::Parts;
use hyper::http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};
use std::convert::Infallible;

use super::state::App;
use super::trust::Ends;
use crate::document::OldClient;

/// Browsers send it to every port of this host: several servers then know one browser by one id,
/// each for itself.
const COOKIE_NAME: &str = "plainsync_client";

/// How long a browser keeps the cookie, in seconds.
const COOKIE_SECONDS_MAX: u64 = 400 * 24 * 60 * 60;

/// Characters of the id in a cookie.
const ID_CHARS: usize = 22;

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Caller {
    /// By what the document knows it.
    pub client: OldClient,
    cookie: Option<HeaderValue>,
}

impl Caller {
    /// Gives a browser that has no name yet one with its answer.
    pub fn name_it(self, response: &mut Response) {
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        if let Some(id) = shown(&parts.headers) {
            return Ok(Self {
                client: OldClient::named(format!("cookie {id}")).formerly(origin_of(parts)),
                cookie: None,
            });
        }
        let client = OldClient::named(origin_of(parts));
        // Without randomness it stays known by where it comes from.
        let Ok(id) = app.random_key("") else {
            return Ok(Self {
                client,
                cookie: None,
            });
        };
        let secure = if app.trust.scheme() == "https" {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{COOKIE_NAME}={id}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_SECONDS_MAX}{secure}"
        );
        Ok(Self {
            client: client.or(format!("cookie {id}")),
            cookie: HeaderValue::from_str(&cookie).ok(),
        })
    }
}

/// The id in the cookie, if it is one of ours.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let is_ours = |id: &&str| {
        id.len() == ID_CHARS
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (headers.get_all(COOKIE).iter())
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, id)| id)
        .find(is_ours)
}

/// Where a request comes from, as far as it can be told: address, program, page.
fn origin_of(parts: &Parts) -> String {
    let address = parts.extensions.get::<Ends>();
    let address = address.map(|ends| ends.peer.ip().to_canonical().to_string());
    let header = |name: HeaderName| {
        parts
            .headers
            .get(name)
            .map_or(&[][..], HeaderValue::as_bytes)
    };
    let mut hash = Sha256::new();
    for part in [
        address.unwrap_or_default().as_bytes(),
        header(USER_AGENT),
        header(ORIGIN),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hash: String = (hash.finalize().iter().take(16))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("from {hash}")
}
