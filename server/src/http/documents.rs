//! `/api/v1/documents`: what this server serves, and answers about files that wait for one.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use hyper::http::StatusCode;
use hyper::http::header::CONTENT_TYPE;
use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::id::DocumentId;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body::ApiJson;
use super::problem::{ApiError, Kind, echo};
use super::state::{App, now};
use crate::document::ring::{Kept, LABEL_BYTES_MAX, is_label};
use crate::document::{DocumentHandle, DocumentInfo, FileAnswer};

/// What to do with a file that awaits an answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileDecision {
    answer: Decision,
}

/// The answers: the first two to a file that is left alone, the others to what is offered.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Take the file in as it is.
    Take,
    /// Put it into the archive and write the document's own content.
    Replace,
    /// Go back to the older version that is offered.
    Return,
    /// Move everything to the bin, as is offered when the file was deleted.
    Fresh,
    /// Nothing of what is offered.
    Dismiss,
}

/// `GET /api/v1/documents`: name, id, url, heads, number of jobs and state of the file of each.
#[utoipa::path(
    get, path = "/api/v1/documents", tag = "documents",
    responses((status = 200, description = "{documents: [{name, id, url, heads, jobs, fileState, offer?, lastImport?}]}"))
)]
pub async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "documents": app.document_infos() }))
}

/// `POST /api/v1/documents/{id}/file`: decides about a file that is left alone until somebody does, or about what is offered.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/file", tag = "documents", request_body = FileDecision,
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 200, description = "done; the document as it is now"), (status = 404, description = "no such document"), (status = 409, description = "its file awaits no such answer"))
)]
pub async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(asked): ApiJson<FileDecision>,
) -> Result<Json<DocumentInfo>, ApiError> {
    let document = find(&app, &id).await?;
    let answer = match asked.answer {
        Decision::Take => FileAnswer::Take,
        Decision::Replace => FileAnswer::Replace,
        Decision::Return => FileAnswer::Return,
        Decision::Fresh => FileAnswer::Fresh,
        Decision::Dismiss => FileAnswer::Dismiss,
    };
    document.answer_file(answer).await?;
    Ok(Json(document.info()))
}

/// `GET /api/v1/documents/{id}/snapshots`: the older versions that are kept as files, newest first.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/snapshots", tag = "documents",
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 200, description = "{snapshots: [{name, at, cause, label, device, bytes}]}"), (status = 404, description = "no such document"))
)]
pub async fn snapshots(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let kept = find(&app, &id).await?.kept_versions().await?;
    Ok(Json(json!({ "snapshots": kept })))
}

/// `POST /api/v1/documents/{id}/snapshots`: keeps the document as it is now as a file.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/snapshots", tag = "documents", request_body = Keep,
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 201, description = "it is on disk: {name, at, cause, label, device, bytes}"), (status = 404, description = "no such document"), (status = 422, description = "the label is not allowed"))
)]
pub async fn keep(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(asked): ApiJson<Keep>,
) -> Result<(StatusCode, Json<Kept>), ApiError> {
    if let Some(label) = asked.label.as_deref().filter(|label| !is_label(label)) {
        let detail = format!(
            "`label` is `{}`; allowed are 1 to {LABEL_BYTES_MAX} of A-Z a-z 0-9 _ -",
            echo(label)
        );
        return Err(ApiError::new(Kind::Invalid, detail));
    }
    let kept = find(&app, &id).await?.keep_version(asked.label).await?;
    Ok((StatusCode::CREATED, Json(kept)))
}

/// `GET /api/v1/documents/{id}/snapshots/{name}`: a version that is kept, as it lies on disk: with references in place of images.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/snapshots/{name}", tag = "documents",
    params(("id" = String, Path, description = "the document's id"), ("name" = String, Path, description = "the snapshot's name, or its label")),
    responses((status = 200, description = "the JSON", content_type = "application/json"), (status = 404, description = "no such document or snapshot"))
)]
pub async fn snapshot(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let text = find(&app, &id).await?.read_version(&name).await?;
    let text = text.ok_or_else(|| no_snapshot(&name))?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

/// `POST /api/v1/documents/{id}/snapshots/{name}/restore`: goes back to a version that is kept, as one more edit.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/snapshots/{name}/restore", tag = "documents",
    params(("id" = String, Path, description = "the document's id"), ("name" = String, Path, description = "the snapshot's name, or its label")),
    responses((status = 200, description = "done; the document as it is now"), (status = 404, description = "no such document or snapshot"))
)]
pub async fn restore(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
    ApiJson(_): ApiJson<Nothing>,
) -> Result<Json<DocumentInfo>, ApiError> {
    let document = find(&app, &id).await?;
    match document.restore_version(&name).await? {
        Some(()) => Ok(Json(document.info())),
        None => Err(no_snapshot(&name)),
    }
}

fn no_snapshot(name: &str) -> ApiError {
    let detail = format!("no snapshot `{}` is kept here", echo(name));
    ApiError::new(Kind::NotFound, detail)
}

/// What to keep.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// What to call it: up to 60 of `A-Z a-z 0-9 _ -`.
    #[serde(default)]
    label: Option<String>,
}

/// `POST /api/v1/documents/{id}/clear`: moves every job to the bin.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/clear", tag = "documents",
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 200, description = "{removed: how many jobs}"), (status = 404, description = "no such document"))
)]
pub async fn clear(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(Nothing {}): ApiJson<Nothing>,
) -> Result<Json<Value>, ApiError> {
    let document = find(&app, &id).await?;
    let snapshot = document.snapshot();
    let keys: Vec<_> = snapshot.rows().map(|row| row.key.clone()).collect();
    let removed = keys.len();
    if removed > 0 {
        let edit = StampedEdit {
            id: EditId(app.random_key("e")?),
            at: now(),
            edit: Edit::Remove { keys },
        };
        document.edit(edit).await?;
    }
    Ok(Json(json!({ "removed": removed })))
}

/// A body that says nothing: `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The document with this id.
///
/// # Errors
///
/// - [`Kind::NotFound`]: none is served.
/// - [`Kind::Unavailable`]: it cannot be opened now.
pub(super) async fn find(app: &App, id: &str) -> Result<DocumentHandle, ApiError> {
    let found = match DocumentId::from_text(id) {
        Ok(known) => app.documents.get(&known).await,
        Err(_) => Ok(None),
    };
    let found = found.map_err(|error| ApiError::new(Kind::Unavailable, error.to_string()))?;
    found.ok_or_else(|| {
        ApiError::new(
            Kind::NotFound,
            format!("no document `{}` is served here", echo(id)),
        )
    })
}
