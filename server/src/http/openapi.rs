//! The description of the API: OpenAPI for programs, one page for people.
//!
//! Both are made from the handlers' own annotations. The page is rendered here, escaped, with
//! one stylesheet and no script: it obeys the policy that every page of this server obeys.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::response::{Html, IntoResponse, Response};
use hyper::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problem::Kind;
use super::{
    blobs, conflicts, documents, edits, export, generate, health, import, jobs, legacy, metrics,
    runner, session, stats, sync, versions,
};

/// The groups of the page, in its order; others follow.
const GROUPS: [&str; 8] = [
    "jobs",
    "edits",
    "blobs",
    "documents",
    "versions",
    "session",
    "sync",
    "old paths",
];

/// The whole description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plainsync",
        description = "One JSON file, many browsers and machines. Writes are answered only when they are on disk. Errors are problem details (RFC 9457), except on the old paths."
    ),
    paths(
        jobs::list, jobs::create, jobs::show, jobs::change, jobs::remove, jobs::clear, jobs::restore, jobs::run,
        runner::show,
        runner::change,
        edits::create, stats::show, export::show, export::of, documents::list, documents::answer, documents::snapshots, documents::keep, documents::snapshot, documents::restore, documents::clear, versions::log, versions::show, versions::diff, versions::restore, conflicts::list, conflicts::resolve, import::create, jobs::list_of, blobs::show_of, blobs::show, blobs::store,
        session::show, session::create, session::remove, sync::upgrade,
        metrics::show, health::show, legacy::load, legacy::save,
        generate::generate, generate::rotate, generate::balance,
    ),
    modifiers(&Tokens),
    security(("token" = []), ("cookie" = []), ()),
)]
struct Description;

/// The two ways of showing the token, where the server needs one.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("plainsync_<port>"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

static JSON: LazyLock<String> =
    LazyLock::new(|| Description::openapi().to_json().unwrap_or_default());
static PAGE: LazyLock<String> =
    LazyLock::new(|| render(&serde_json::from_str(&JSON).unwrap_or_default()));

/// `GET /api/openapi.json`.
pub async fn json() -> Response {
    (
        [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-cache"),
        ],
        JSON.as_str(),
    )
        .into_response()
}

/// `GET /api/docs`.
pub async fn page() -> Response {
    ([(CACHE_CONTROL, "no-cache")], Html(PAGE.as_str())).into_response()
}

/// `GET /api/docs.css`.
pub async fn style() -> Response {
    (
        [
            (CONTENT_TYPE, "text/css; charset=utf-8"),
            (CACHE_CONTROL, "no-cache"),
        ],
        STYLE,
    )
        .into_response()
}

const STYLE: &str = include_str!("docs.css");

/// The reference page of an OpenAPI description.
fn render(openapi: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Plainsync API</title><link rel=\"icon\" href=\"/favicon.svg\"><link rel=\"stylesheet\" href=\"/api/docs.css\"></head><body><main><h1>Plainsync API</h1>",
    );
    paragraph(&mut page, text(&openapi["info"]["description"]));
    page.push_str("<p>For programs: <a href=\"/api/openapi.json\">/api/openapi.json</a></p>");
    let mut groups: Vec<(&str, Vec<String>)> = GROUPS.map(|name| (name, Vec::new())).into();
    for (path, methods) in openapi["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let group = operation["tags"][0].as_str().unwrap_or("other");
            let shown = show_operation(path, method, operation);
            match groups.iter_mut().find(|(name, _)| *name == group) {
                Some((_, operations)) => operations.push(shown),
                None => groups.push((group, vec![shown])),
            }
        }
    }
    for (group, operations) in groups
        .into_iter()
        .filter(|(_, operations)| !operations.is_empty())
    {
        let _ = write!(page, "<h2>{}</h2>{}", escape(group), operations.concat());
    }
    page.push_str("<h2>Shapes</h2>");
    for (name, schema) in openapi["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        show_schema(&mut page, name, schema);
    }
    page.push_str("<h2>Errors</h2><table><thead><tr><th>type</th><th>status</th><th>title</th></tr></thead><tbody>");
    for kind in Kind::ALL {
        let (slug, status, title) = (kind.slug(), kind.status().as_u16(), kind.title());
        let _ = write!(
            page,
            "<tr id=\"{slug}\"><td><code>{slug}</code></td><td>{status}</td><td>{}</td></tr>",
            escape(title)
        );
    }
    page.push_str("</tbody></table></main></body></html>");
    page
}

fn show_operation(path: &str, method: &str, operation: &Value) -> String {
    let mut out = format!(
        "<section><h3><span class=\"method\">{}</span> <code>{}</code></h3>",
        escape(&method.to_uppercase()),
        escape(path)
    );
    // The first line of a handler's own text repeats its method and path.
    let summary = text(&operation["summary"]);
    paragraph(
        &mut out,
        summary.split_once("`: ").map_or(summary, |(_, what)| what),
    );
    paragraph(&mut out, text(&operation["description"]));
    let parameters = operation["parameters"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let body = &operation["requestBody"]["content"];
    if !parameters.is_empty() || body.is_object() {
        out.push_str(
            "<table><thead><tr><th>takes</th><th>where</th><th>what</th></tr></thead><tbody>",
        );
        for parameter in parameters {
            row(
                &mut out,
                text(&parameter["name"]),
                text(&parameter["in"]),
                &about(&parameter["schema"], parameter),
            );
        }
        for (media_type, content) in body.as_object().into_iter().flatten() {
            row(
                &mut out,
                media_type,
                "body",
                &about(&content["schema"], &operation["requestBody"]),
            );
        }
        out.push_str("</tbody></table>");
    }
    out.push_str("<table><thead><tr><th>answers</th><th>as</th><th>what</th></tr></thead><tbody>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let content = response["content"]
            .as_object()
            .and_then(|content| content.iter().next());
        let (media_type, schema) = content.map_or(("", &Value::Null), |(name, content)| {
            (name.as_str(), &content["schema"])
        });
        row(&mut out, status, media_type, &about(schema, response));
    }
    out.push_str("</tbody></table></section>");
    out
}

fn show_schema(page: &mut String, name: &str, schema: &Value) {
    let _ = write!(page, "<section id=\"shape-{0}\"><h3>{0}</h3>", escape(name));
    paragraph(page, text(&schema["description"]));
    if let Some(fields) = schema["properties"].as_object() {
        page.push_str(
            "<table><thead><tr><th>field</th><th>type</th><th>what</th></tr></thead><tbody>",
        );
        for (field, shape) in fields {
            row(page, field, &type_name(shape), text(&shape["description"]));
        }
        page.push_str("</tbody></table>");
    }
    page.push_str("</section>");
}

fn about(schema: &Value, described: &Value) -> String {
    let (name, what) = (type_name(schema), text(&described["description"]));
    match (name.is_empty(), what.is_empty()) {
        (false, false) => format!("{name}: {what}"),
        (false, true) => name,
        (true, _) => what.to_owned(),
    }
}

fn type_name(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(options) = schema["oneOf"]
        .as_array()
        .or_else(|| schema["anyOf"].as_array())
    {
        return options
            .iter()
            .map(type_name)
            .collect::<Vec<_>>()
            .join(" or ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => {
            format!("list of {}", type_name(&schema["items"]))
        }
        Value::String(name) => name.clone(),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => String::new(),
    }
}

fn row(out: &mut String, first: &str, second: &str, third: &str) {
    let _ = write!(
        out,
        "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
        escape(first),
        escape(second),
        prose(third)
    );
}

fn paragraph(out: &mut String, words: &str) {
    if !words.is_empty() {
        let _ = write!(out, "<p>{}</p>", prose(words));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text as it may stand in markup, what is between backticks as code.
fn prose(words: &str) -> String {
    let mut out = String::new();
    for (at, part) in words.split('`').enumerate() {
        let part = escape(part);
        if at % 2 == 1 {
            out.push_str(&format!("<code>{part}</code>"));
        } else {
            out.push_str(&part);
        }
    }
    out
}

/// Text as it may stand in markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn t3_the_page_escapes_what_it_describes() {
        let page = render(&json!({
            "info": {"description": "<script>alert(1)</script>"},
            "paths": {"/x/{<b>}": {"get": {"tags": ["a\"b"], "responses": {"200": {"description": "it's <i>"}}}}},
        }));
        assert!(
            !page.contains("<script") && !page.contains("<b>") && !page.contains("<i>"),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn every_error_is_described() {
        for kind in Kind::ALL {
            assert!(
                PAGE.contains(&format!("id=\"{}\"", kind.slug())),
                "{kind:?}"
            );
        }
    }
}
