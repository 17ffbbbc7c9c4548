//! The old paths that carry the whole list: `GET /load-jobs` and `POST /save-jobs` (L1-L3).
//!
//! An old client knows one list. What it is given names its version (`ETag`, `sync`), so a
//! client that sends either back is merged from exactly there. One that does not is known by a
//! cookie, or by where it comes from ([`super::caller`]): the document remembers what each holds.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use hyper::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use hyper::http::{HeaderMap, HeaderValue};
use plainsync_core::plain::import::ImportBase;
use plainsync_core::time::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::body::{json_bytes, parse};
use super::caller::Caller;
use super::check;
use super::limits::LIST_BYTES_MAX;
use super::problem::{ApiError, Kind, echo};
use super::state::App;
use crate::document::Snapshot;

/// The parts of the file that old clients read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(borrow)]
    jobs: &'a RawValue,
    #[serde(borrow)]
    last_job_id: Option<&'a RawValue>,
    #[serde(borrow)]
    saved_at: Option<&'a RawValue>,
    #[serde(borrow)]
    sync: Option<&'a RawValue>,
}

/// The answer of `GET /load-jobs`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Loaded<'a> {
    status: &'static str,
    message: String,
    last_job_id: Option<&'a RawValue>,
    saved_at: Option<&'a RawValue>,
    sync: Option<&'a RawValue>,
    jobs: &'a RawValue,
}

/// `GET /load-jobs`: the whole list, images inside.
#[utoipa::path(
    get, path = "/load-jobs", tag = "old paths",
    responses((status = 200, description = "{status: \"ok\", jobs, lastJobId, savedAt, sync, message: \"Loaded 5 jobs\"}; ETag names the version"))
)]
pub async fn load(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let bytes = app.document().load_list(caller.client.clone()).await?;
    let unreadable = |error: serde_json::Error| {
        ApiError::new(
            Kind::Internal,
            format!("the export is not as it should be: {error}"),
        )
    };
    let file: File<'_> = serde_json::from_slice(&bytes).map_err(unreadable)?;
    let count = serde_json::from_str::<Vec<serde::de::IgnoredAny>>(file.jobs.get())
        .map_err(unreadable)?
        .len();
    let loaded = Loaded {
        status: "ok",
        message: format!("Loaded {}", counted(count)),
        last_job_id: file.last_job_id,
        saved_at: file.saved_at,
        sync: file.sync,
        jobs: file.jobs,
    };
    let body = serde_json::to_vec(&loaded).map_err(unreadable)?;
    let mut response = ([(CONTENT_TYPE, "application/json")], body).into_response();
    let sync: Value = file
        .sync
        .and_then(|sync| serde_json::from_str(sync.get()).ok())
        .unwrap_or_default();
    let heads = sync["heads"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    set_version(&mut response, heads);
    caller.name_it(&mut response);
    Ok(response)
}

/// `POST /save-jobs {jobs, lastJobId}`: merges a whole list. The answer's `ETag` names the version
/// that this list is, which is not the newest one where others edit, too; there is none where the
/// list is no version.
#[utoipa::path(
    post, path = "/save-jobs", tag = "old paths",
    params(("If-Match" = Option<String>, Header, description = "the ETag of the version the list was made from")),
    request_body(content = Object, description = "{jobs: […], lastJobId}; a `sync` block sent back names the version too"),
    responses((status = 200, description = "{status: \"ok\", message: \"Saved 5 jobs\", savedAt, fileSize}"), (status = 400, description = "{status: \"error\", message}"))
)]
pub async fn save(
    State(app): State<App>,
    headers: HeaderMap,
    caller: Caller,
    request: Request,
) -> Result<Response, ApiError> {
    let base = base(&headers)?;
    let bytes = json_bytes(request, &app, LIST_BYTES_MAX).await?;
    let document = app.document();
    let snapshot = document.snapshot();
    let checked = {
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || check_list(&bytes, &snapshot)).await
    };
    let count =
        checked.map_err(|_| ApiError::new(Kind::Internal, "the list could not be looked at"))??;
    let saved = document.save_list(&bytes, base, caller.client.clone());
    let saved = saved.await.map_err(|refused| {
        let refused = ApiError::from(refused);
        let kind = if refused.kind == Kind::Invalid {
            Kind::Malformed
        } else {
            refused.kind
        };
        ApiError { kind, ..refused }
    })?;
    let body = json!({
        "status": "ok",
        "message": format!("Saved {}", counted(count)),
        "savedAt": rfc3339(saved.saved_at),
        "fileSize": saved.file_bytes,
    });
    let mut response = axum::Json(body).into_response();
    if let Some(version) = &saved.version {
        set_version(&mut response, version.iter().map(String::as_str));
    }
    caller.name_it(&mut response);
    Ok(response)
}

/// The version that `If-Match` names.
fn base(headers: &HeaderMap) -> Result<ImportBase, ApiError> {
    let Some(given) = headers.get(IF_MATCH) else {
        return Ok(ImportBase::FromText);
    };
    let text = given
        .to_str()
        .unwrap_or_default()
        .trim()
        .trim_start_matches("W/");
    if text == "*" {
        return Ok(ImportBase::FromText);
    }
    let heads: Result<Vec<_>, _> = text.trim_matches('"').split('.').map(str::parse).collect();
    heads.map(ImportBase::Heads).map_err(|_| {
        ApiError::new(
            Kind::Malformed,
            format!(
                "If-Match is `{}`; allowed is the ETag of /load-jobs",
                echo(text)
            ),
        )
    })
}

fn set_version<'a>(response: &mut Response, heads: impl Iterator<Item = &'a str>) {
    let tag = format!("\"{}\"", heads.collect::<Vec<_>>().join("."));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
}

/// Checks that the body is a list of jobs (L3) and returns how many it holds.
fn check_list(bytes: &[u8], held: &Snapshot) -> Result<usize, ApiError> {
    let malformed = |detail: String| ApiError::new(Kind::Malformed, detail);
    let allowed = "a save is {\"jobs\": […], \"lastJobId\": n}";
    let body: Value = parse(bytes)?;
    let Value::Object(mut body) = body else {
        return Err(malformed(format!("found {}; {allowed}", kind_of(&body))));
    };
    let jobs = match body.remove("jobs") {
        Some(Value::Array(jobs)) => jobs,
        Some(other) => {
            return Err(malformed(format!(
                "`jobs` is {}; {allowed}",
                kind_of(&other)
            )));
        }
        None => return Err(malformed(format!("found no `jobs`; {allowed}"))),
    };
    if let Some(number) = body
        .get("lastJobId")
        .filter(|number| number.as_u64().is_none() && !number.is_null())
    {
        return Err(malformed(format!(
            "`lastJobId` is {}; allowed is a whole number",
            echo(&number.to_string())
        )));
    }
    for (at, job) in jobs.iter().enumerate() {
        let Value::Object(job) = job else {
            return Err(malformed(format!(
                "jobs[{at}] is {}; allowed is an object",
                kind_of(job)
            )));
        };
        check_job(at, job, held)?;
    }
    Ok(jobs.len())
}

fn check_job(at: usize, job: &Map<String, Value>, held: &Snapshot) -> Result<(), ApiError> {
    let malformed = |detail: String| Err(ApiError::new(Kind::Malformed, detail));
    let id = match job.get("id") {
        Some(Value::String(id)) if !id.is_empty() => id.as_str(),
        Some(other) => {
            return malformed(format!(
                "jobs[{at}].id is {}; allowed is text such as \"job-6\"",
                echo(&other.to_string())
            ));
        }
        None => {
            return malformed(format!(
                "jobs[{at}] has no `id`; allowed is text such as \"job-6\""
            ));
        }
    };
    // What a file brought in long ago may come back unchanged, whatever it is.
    let before = held.find(id);
    for (name, value) in job {
        if before.is_some_and(|row| row.job.get(name) == Some(value)) {
            continue;
        }
        let texts = ["prompt", "status"];
        if texts.contains(&name.as_str()) && !value.is_string() {
            return malformed(format!(
                "jobs[{at}].{name} is {}; allowed is text",
                kind_of(value)
            ));
        }
        if name == "result" && !(value.is_null() || value.is_string() || value.is_object()) {
            return malformed(format!(
                "jobs[{at}].result is {}; allowed is a data URL, a result object or null",
                kind_of(value)
            ));
        }
        if texts.contains(&name.as_str()) || ["id", "seed", "error"].contains(&name.as_str()) {
            continue;
        }
        if let Some(text) = check::false_image(value) {
            return malformed(format!(
                "jobs[{at}].{} holds {}; allowed as a data URL is only a PNG, JPEG, WebP or GIF whose bytes are such an image",
                echo(name),
                echo(text)
            ));
        }
    }
    Ok(())
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn counted(jobs: usize) -> String {
    if jobs == 1 {
        "1 job".to_owned()
    } else {
        format!("{jobs} jobs")
    }
}
