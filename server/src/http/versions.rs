//! `/api/v1/documents/{id}/versions` and around it: the log, older versions, differences, and the
//! way back.
//!
//! A version is named as [`Document::find_version`](plainsync_core::document::Document::find_version)
//! says: a name from the log, `HEAD`, `HEAD~3`, or a time.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use hyper::http::header::CONTENT_TYPE;
use plainsync_core::edit::Key;
use plainsync_core::history::{Happened, LogPage};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::body::{ApiJson, ApiQuery};
use super::documents::find;
use super::limits::{DIFF_RECORDS_MAX, PAGE_VERSIONS_DEFAULT, PAGE_VERSIONS_MAX};
use super::problem::{ApiError, Kind, echo};
use super::state::App;
use crate::document::{Between, DocumentHandle};

/// What the log takes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// One job's own history, by key or label: with the values of its fields before and after.
    job: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many entries, 1 to 500.
    limit: usize,
}

impl Default for LogQuery {
    fn default() -> Self {
        Self {
            job: None,
            after: None,
            limit: PAGE_VERSIONS_DEFAULT,
        }
    }
}

/// Which versions to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// The first version.
    from: String,
    /// The second; the newest when absent.
    #[serde(default = "newest")]
    to: String,
}

fn newest() -> String {
    "HEAD".to_owned()
}

/// Where to go back to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WayBack {
    /// The version: a name from the log, `HEAD~3`, or a time.
    version: String,
    /// Only this job, by key or label.
    #[serde(default)]
    job: Option<String>,
    /// Only tell what it would change.
    #[serde(default)]
    dry_run: bool,
}

/// `GET /api/v1/documents/{id}/versions`: what was done, newest first, each with the version that it made.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/versions", tag = "versions",
    params(("id" = String, Path, description = "the document's id"), LogQuery),
    responses(
        (status = 200, description = "{entries: [{version, heads, at, device, author, message, changes, added, changed, removed, restored, purged, records: [{key, label, fields, status}], root}], next}; for one job {label, entries: [{version, heads, at, device, author, message, happened, fields: [{field, before?, after?}]}], next}"),
        (status = 404, description = "no such document, job or page")
    )
)]
pub async fn log(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiQuery(asked): ApiQuery<LogQuery>,
) -> Result<Response, ApiError> {
    let document = find(&app, &id).await?;
    if !(1..=PAGE_VERSIONS_MAX).contains(&asked.limit) {
        let detail = format!(
            "`limit` is {}; allowed is 1 to {PAGE_VERSIONS_MAX}",
            asked.limit
        );
        return Err(ApiError::new(Kind::Invalid, detail));
    }
    if let Some(job) = &asked.job {
        let key = key_of(&document, job)?;
        let log = document.record_log(key, asked.after, asked.limit).await?;
        return Ok(Json(log).into_response());
    }
    let page: LogPage = document.log(asked.after, asked.limit).await?;
    Ok(Json(page).into_response())
}

/// `GET /api/v1/documents/{id}/versions/{version}`: the file as it was then.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/versions/{version}", tag = "versions",
    params(("id" = String, Path, description = "the document's id"), ("version" = String, Path, description = "a name from the log, `HEAD~3`, or a time; times are the writers' clocks'")),
    responses((status = 200, description = "the whole history, as in the file", content_type = "application/json"), (status = 404, description = "no such document or version"), (status = 422, description = "this names no version, or several"))
)]
pub async fn show(
    State(app): State<App>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let bytes = find(&app, &id).await?.export_version(version).await?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// `GET /api/v1/documents/{id}/diff`: what differs between two versions.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/diff", tag = "versions",
    params(("id" = String, Path, description = "the document's id"), DiffQuery),
    responses(
        (status = 200, description = "{from, to, added, restored, removed, changed, records: [{key, label, happened, fields: [{field, before?, after?}]}], more: how many records are not listed, root: [{field, before?, after?}]}"),
        (status = 404, description = "no such document or version"), (status = 422, description = "this names no version, or several")
    )
)]
pub async fn diff(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiQuery(asked): ApiQuery<DiffQuery>,
) -> Result<Json<Value>, ApiError> {
    let between = find(&app, &id).await?.diff(asked.from, asked.to).await?;
    Ok(Json(told(between)))
}

/// `POST /api/v1/documents/{id}/restore`: goes back to a version, as one more edit that can be taken back in the same way.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/restore", tag = "versions", request_body = WayBack,
    params(("id" = String, Path, description = "the document's id")),
    responses(
        (status = 200, description = "what it changed, as of `diff`; `from` is the version before, `to` the one after (of a trial: the one asked for)"),
        (status = 404, description = "no such document, job or version"), (status = 422, description = "this names no version, or several")
    )
)]
pub async fn restore(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(asked): ApiJson<WayBack>,
) -> Result<Json<Value>, ApiError> {
    let document = find(&app, &id).await?;
    let key = match &asked.job {
        Some(job) => Some(key_of(&document, job)?),
        None => None,
    };
    let between = document.go_back(asked.version, key, asked.dry_run).await?;
    Ok(Json(told(between)))
}

/// The key of the job whose key or label is `job`, wherever it is.
pub(super) fn key_of(document: &DocumentHandle, job: &str) -> Result<Key, ApiError> {
    let snapshot = document.snapshot();
    let row = snapshot.find(job).map(|row| row.key.clone());
    row.ok_or_else(|| {
        let detail = format!("there is no job with the key or the label `{}`", echo(job));
        ApiError::new(Kind::NotFound, detail)
    })
}

fn told(between: Between) -> Value {
    let Between { from, to, mut diff } = between;
    let count = |happened| diff.count(happened);
    let (added, restored) = (count(Happened::Added), count(Happened::Restored));
    let (removed, changed) = (count(Happened::Removed), count(Happened::Changed));
    let more = diff.records.len().saturating_sub(DIFF_RECORDS_MAX);
    diff.records.truncate(DIFF_RECORDS_MAX);
    json!({
        "from": from,
        "to": to,
        "added": added,
        "restored": restored,
        "removed": removed,
        "changed": changed,
        "records": diff.records,
        "more": more,
        "root": diff.root,
    })
}
