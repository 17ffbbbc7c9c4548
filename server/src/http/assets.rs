//! The dashboard, embedded in the binary.
//!
//! Files under `/assets/` carry their hash in their name and are cached for ever; everything
//! else is asked for again each time and answered with 304 while it is the same. Where the build
//! left a compressed sibling (`x.js.br`, `.zst`, `.gz`), it is sent to clients that take it.

use std::borrow::Cow;

use axum::http::Uri;
use axum::response::{Html, IntoResponse, Response};
use hyper::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    VARY,
};
use hyper::http::{HeaderMap, HeaderValue, Method, StatusCode};
use rust_embed::RustEmbed;

use super::problem::{ApiError, Kind, echo};

#[derive(RustEmbed)]
#[folder = "../web/dashboard/dist"]
#[allow_missing = true]
struct Dashboard;

/// A file to be sent.
struct File {
    bytes: Cow<'static, [u8]>,
    hash: [u8; 32],
}

impl File {
    fn embedded(path: &str) -> Option<Self> {
        let file = Dashboard::get(path)?;
        let hash = file.metadata.sha256_hash();
        Some(Self {
            bytes: file.data,
            hash,
        })
    }
}

/// The encodings a sibling may have, best first: name in `Accept-Encoding`, file ending.
const SIBLINGS: [(&str, &str); 3] = [("br", "br"), ("zstd", "zst"), ("gzip", "gz")];

/// What is shown while no dashboard is built in.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Plainsync</title>\
<h1>Plainsync runs</h1><p>The dashboard is not part of this build. <code>cargo xtask build</code> makes one that has it; \
<code>cargo xtask serve</code> builds it and serves it. The API is described at <a href=\"/api/docs\">/api/docs</a>.</p></html>";

/// `GET` of any other path: a file of the dashboard.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    find(&method, uri.path(), &headers, File::embedded)
}

fn find(
    method: &Method,
    asked: &str,
    headers: &HeaderMap,
    file: impl Fn(&str) -> Option<File>,
) -> Response {
    let path = match asked.trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let unknown = || {
        let detail = format!("there is nothing at `{}`", echo(asked));
        ApiError::new(Kind::NotFound, detail).into_response()
    };
    if path.starts_with("api/") || path.split('/').any(|part| part == "..") {
        return unknown();
    }
    if *method != Method::GET && *method != Method::HEAD {
        return ApiError::new(Kind::Method, format!("`{}` takes GET", echo(asked)))
            .with(ALLOW, HeaderValue::from_static("GET, HEAD"))
            .into_response();
    }
    let siblings = SIBLINGS.iter().filter(|(name, _)| accepts(headers, name));
    let sibling = siblings.map(|(name, ending)| (file(&format!("{path}.{ending}")), Some(*name)));
    let found = sibling.chain(std::iter::once_with(|| (file(path), None)));
    match found
        .into_iter()
        .find_map(|(file, encoding)| Some((file?, encoding)))
    {
        Some((file, encoding)) => answer(path, file, encoding, headers),
        None if path == "index.html" => Html(NOT_BUILT).into_response(),
        None => unknown(),
    }
}

fn answer(path: &str, file: File, encoding: Option<&'static str>, asked: &HeaderMap) -> Response {
    let tag: String = file
        .hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{tag}\"");
    let is_same = asked.get_all(IF_NONE_MATCH).iter().any(|known| {
        known.to_str().is_ok_and(|known| {
            known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        })
    });
    let mut response = if is_same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.bytes.into_owned().into_response()
    };
    let headers = response.headers_mut();
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    if !is_same {
        headers.insert(CONTENT_TYPE, media_type(path));
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
    }
    response
}

fn media_type(path: &str) -> HeaderValue {
    let known = match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "map" | "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => {
            let guess = mime_guess::from_path(path).first_or_octet_stream();
            return HeaderValue::from_str(guess.essence_str())
                .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        }
    };
    HeaderValue::from_static(known)
}

/// Whether `Accept-Encoding` names `encoding` without forbidding it by `q=0`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            let is_named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            let is_forbidden = parts.any(|part| {
                part.strip_prefix("q=")
                    .and_then(|weight| weight.parse::<f32>().ok())
                    .is_some_and(|weight| weight <= 0.0)
            });
            is_named && !is_forbidden
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f13_encodings_are_taken_by_name_and_weight() {
        let offers = |text: &'static str, encoding: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
            accepts(&headers, encoding)
        };
        assert!(offers("gzip, deflate, br", "br") && offers("GZIP;q=0.5", "gzip"));
        assert!(!offers("gzip, br;q=0", "br") && !offers("gzip", "br") && !offers("", "gzip"));
    }

    fn ask(path: &str, headers: &[(&'static str, &str)]) -> Response {
        let built = |path: &str| {
            let bytes: &'static [u8] = match path {
                "index.html" => b"<!doctype html>",
                "assets/app-1a2b.js" => b"run()",
                "assets/app-1a2b.js.br" => b"packed",
                _ => return None,
            };
            Some(File {
                bytes: bytes.into(),
                hash: [bytes.len() as u8; 32],
            })
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).expect("a header value"));
        }
        find(&Method::GET, path, &map, built)
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().expect("text"))
    }

    #[test]
    fn hashed_files_are_kept_for_ever_and_the_page_is_asked_for() {
        let page = ask("/", &[]);
        assert_eq!(
            (page.status().as_u16(), header(&page, "cache-control")),
            (200, "no-cache")
        );
        let again = ask("/index.html", &[("if-none-match", header(&page, "etag"))]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let script = ask("/assets/app-1a2b.js", &[]);
        assert_eq!(
            header(&script, "cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(
            header(&script, "content-type"),
            "text/javascript; charset=utf-8"
        );
        for nothing in ["/assets/other.js", "/../Cargo.toml", "/api/nothing"] {
            assert_eq!(
                ask(nothing, &[]).status(),
                StatusCode::NOT_FOUND,
                "{nothing}"
            );
        }
    }

    #[test]
    fn f13_a_packed_sibling_goes_to_who_takes_it() {
        let packed = ask("/assets/app-1a2b.js", &[("accept-encoding", "gzip, br")]);
        assert_eq!(header(&packed, "content-encoding"), "br");
        assert_eq!(
            header(&packed, "content-type"),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(header(&packed, "vary"), "accept-encoding");
        let plain = ask("/assets/app-1a2b.js", &[("accept-encoding", "gzip")]);
        assert_eq!(header(&plain, "content-encoding"), "");
        assert_ne!(header(&plain, "etag"), header(&packed, "etag"));
    }

    #[test]
    fn wasm_and_modules_have_the_type_browsers_insist_on() {
        assert_eq!(media_type("assets/core-1a2b.wasm"), "application/wasm");
        assert_eq!(media_type("sw.js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("icon.png"), "image/png");
    }
}
