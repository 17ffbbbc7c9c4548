//! Which hosts and which pages may talk to this server.
//!
//! A page anywhere on the web can send requests to 127.0.0.1. Two exact lists keep it out:
//! `Host` must name this server, port included (a rebound DNS name does not), and `Origin`,
//! which browsers add to every cross-site request and every WebSocket, must be our own or one
//! named by `--allow-origin`. Programs send no `Origin` and pass.
//!
//! **Invariant:** every request and every upgrade goes through [`guard`]; no answer carries
//! `Access-Control-Allow-Origin: *`.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, HOST, LOCATION, ORIGIN, VARY,
};
use hyper::http::request::Parts;
use hyper::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::problem::{ApiError, Kind, echo};
use super::state::App;
use crate::config::{AllowedHost, Origin};

/// How often one refused origin or host is logged.
const REFUSAL_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Refused origins and hosts remembered for that.
const REFUSALS_REMEMBERED_MAX: usize = 64;

/// The two ends of a connection, put into each of its requests by the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The address the client reached us at.
    pub local: SocketAddr,
    /// The client's address.
    pub peer: SocketAddr,
}

/// The host a request named, after it was found to be ours.
#[derive(Clone, Debug)]
pub struct TrustedHost(pub String);

/// Who may talk to this server.
#[derive(Debug)]
pub struct Trust {
    scheme: &'static str,
    port: u16,
    hosts: HashSet<String>,
    /// The one host that browsers are sent to from the other loopback names.
    canonical: Option<String>,
    origins: HashSet<String>,
    refusals: Mutex<HashMap<String, Instant>>,
}

/// What an `Origin` header (or its absence) means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// No page: a program.
    Program,
    /// Our own page.
    Own,
    /// A page that `--allow-origin` names.
    Allowed(HeaderValue),
}

impl Trust {
    /// The lists for a server that listens at `bound`.
    #[must_use]
    pub fn new(bound: SocketAddr, tls: bool, hosts: &[AllowedHost], origins: &[Origin]) -> Self {
        let port = bound.port();
        let mut trusted = Self {
            scheme: if tls { "https" } else { "http" },
            port,
            hosts: HashSet::new(),
            // A certificate names its host, so under TLS nobody is sent to another one.
            canonical: canonical_loopback(bound.ip())
                .filter(|_| !tls)
                .map(|host| format!("{host}:{port}")),
            origins: origins
                .iter()
                .map(|origin| origin.as_str().to_owned())
                .collect(),
            refusals: Mutex::default(),
        };
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            trusted.add(format!("{host}:{port}"));
        }
        if !bound.ip().is_unspecified() {
            trusted.add(authority_of(bound));
        }
        for host in hosts {
            trusted.add(host.authority(port));
        }
        trusted
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The port we listen on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    fn add(&mut self, authority: String) {
        if let Some(bare) = authority.strip_suffix(self.default_port_suffix()) {
            self.hosts.insert(bare.to_owned());
        }
        self.hosts.insert(authority);
    }

    fn default_port_suffix(&self) -> &'static str {
        if self.scheme == "https" {
            ":443"
        } else {
            ":80"
        }
    }

    /// Whether `authority` (lower case) names this server. The address a client reached us at
    /// names us as well: a DNS name cannot be rebound into it.
    fn knows(&self, authority: &str, ends: Option<Ends>) -> bool {
        if self.hosts.contains(authority) {
            return true;
        }
        let Some(ends) = ends else { return false };
        let reached = authority_of(SocketAddr::new(
            ends.local.ip().to_canonical(),
            ends.local.port(),
        ));
        authority == reached || reached.strip_suffix(self.default_port_suffix()) == Some(authority)
    }

    /// The host this request names, if that is us.
    ///
    /// # Errors
    ///
    /// [`Kind::UnknownHost`] when `Host` is missing, repeated, or not on the list.
    pub fn host(&self, parts: &Parts) -> Result<String, ApiError> {
        let ends = parts.extensions.get::<Ends>().copied();
        let mut named = parts.headers.get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        let host = match (first.map(HeaderValue::to_str), second) {
            (Some(Ok(host)), None) => host.to_ascii_lowercase(),
            (None, None) => return Err(unknown_host("the request names no Host".to_owned())),
            (_, Some(_)) => return Err(unknown_host("the request names Host twice".to_owned())),
            (Some(Err(_)), None) => return Err(unknown_host("Host is not plain ASCII".to_owned())),
        };
        let target = parts
            .uri
            .authority()
            .map(|authority| authority.as_str().to_ascii_lowercase());
        for authority in [Some(&host), target.as_ref()].into_iter().flatten() {
            if !self.knows(authority, ends) {
                let name = echo(authority);
                if self.is_news(authority) {
                    tracing::warn!(
                        "refused a request for host {name}; to be reached by it, start with --allow-host {name}"
                    );
                }
                return Err(unknown_host(format!(
                    "found host `{name}`; this server answers as {}; another name is allowed by starting it with --allow-host {name}",
                    self.known_hosts()
                )));
            }
        }
        Ok(host)
    }

    fn known_hosts(&self) -> String {
        let mut names: Vec<_> = self.hosts.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.join(", ")
    }

    /// Who sends this request.
    ///
    /// # Errors
    ///
    /// [`Kind::UnknownOrigin`] when `Origin` is `null`, repeated, or a page not on the list.
    pub fn origin(&self, headers: &HeaderMap, host: &str) -> Result<From, ApiError> {
        let mut named = headers.get_all(ORIGIN).iter();
        let Some(first) = named.next() else {
            return Ok(From::Program);
        };
        if named.next().is_some() {
            return Err(unknown_origin("the request names Origin twice".to_owned()));
        }
        let Ok(text) = first.to_str() else {
            return Err(unknown_origin("Origin is not plain ASCII".to_owned()));
        };
        let own = text
            .strip_prefix(self.scheme)
            .and_then(|rest| rest.strip_prefix("://"));
        if own.is_some_and(|authority| authority == host || self.hosts.contains(authority)) {
            return Ok(From::Own);
        }
        if self.origins.contains(text) {
            return Ok(From::Allowed(first.clone()));
        }
        let shown = echo(text);
        Err(if text.parse::<Origin>().is_ok() {
            if self.is_news(text) {
                tracing::warn!(
                    "refused a request from a page of {shown}; to allow it, start with --allow-origin {shown}"
                );
            }
            unknown_origin(format!(
                "pages of `{shown}` may not use this server; they may after it was started with --allow-origin {shown}"
            ))
        } else {
            if self.is_news(text) {
                tracing::warn!(
                    "refused a request with origin {shown}: a file or a sandboxed frame; serve that page over http"
                );
            }
            unknown_origin(format!(
                "found origin `{shown}`, which is a file or a sandboxed frame; a page that may use this server is served over http or https and named by --allow-origin"
            ))
        })
    }

    /// Whether the refusal of `name` was not logged lately, so that a page cannot fill the log.
    fn is_news(&self, name: &str) -> bool {
        let now = Instant::now();
        let name = echo(name);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.retain(|_, at| now.duration_since(*at) < REFUSAL_LOG_INTERVAL);
        if refusals.contains_key(&name) || refusals.len() >= REFUSALS_REMEMBERED_MAX {
            return false;
        }
        refusals.insert(name, now);
        true
    }

    /// Where a browser that opened a page under another loopback name is sent.
    fn redirection(&self, parts: &Parts, host: &str) -> Option<Response> {
        let canonical = self
            .canonical
            .as_ref()
            .filter(|canonical| *canonical != host)?;
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        let is_alias = name == "localhost" || host.starts_with("[::1]");
        if !is_alias || port.parse() != Ok(self.port) || !is_navigation(parts) {
            return None;
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let location =
            HeaderValue::from_str(&format!("{}://{canonical}{path}", self.scheme)).ok()?;
        // Not cached: another program may use this port tomorrow.
        let headers = [
            (LOCATION, location),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Some((StatusCode::PERMANENT_REDIRECT, headers).into_response())
    }
}

/// Lets a request through if its host and its origin may; answers preflights.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let host = match app.trust.host(&parts) {
        Ok(host) => host,
        Err(refusal) => return refusal.into_response(),
    };
    let from = match app.trust.origin(&parts.headers, &host) {
        Ok(from) => from,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(elsewhere) = app.trust.redirection(&parts, &host) {
        return elsewhere;
    }
    let is_preflight = parts.method == Method::OPTIONS
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &from {
        From::Allowed(_) if is_preflight => preflight(&parts.headers),
        _ => {
            parts.extensions.insert(TrustedHost(host));
            next.run(Request::from_parts(parts, body)).await
        }
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let From::Allowed(origin) = from {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("etag, location, retry-after"),
        );
    }
    response
}

fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let allowed = HeaderValue::from_static("authorization, content-type, if-match, if-none-match");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if asked.contains_key("access-control-request-private-network") {
        headers.insert(
            "access-control-allow-private-network",
            HeaderValue::from_static("true"),
        );
    }
    response
}

/// Whether a browser is opening a page, as against fetching something for one.
pub(super) fn is_navigation(parts: &Parts) -> bool {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return false;
    }
    match parts.headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => parts
            .headers
            .get(ACCEPT)
            .is_some_and(|accept| accept.as_bytes().starts_with(b"text/html")),
    }
}

fn canonical_loopback(bound: IpAddr) -> Option<&'static str> {
    match bound.to_canonical() {
        IpAddr::V4(Ipv4Addr::LOCALHOST | Ipv4Addr::UNSPECIFIED)
        | IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Some("127.0.0.1"),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Some("[::1]"),
        _ => None,
    }
}

fn authority_of(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => format!("{ip}:{}", address.port()),
        IpAddr::V6(ip) => format!("[{ip}]:{}", address.port()),
    }
}

fn unknown_host(detail: String) -> ApiError {
    ApiError::new(Kind::UnknownHost, detail)
}

fn unknown_origin(detail: String) -> ApiError {
    ApiError::new(Kind::UnknownOrigin, detail)
}
