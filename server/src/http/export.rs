//! `export.json`: the file as it is on disk.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use hyper::http::HeaderValue;
use hyper::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::documents;
use super::problem::ApiError;
use super::state::App;
use crate::document::DocumentHandle;

/// `GET /api/v1/export.json`: the bytes that the JSON file has, images inside.
#[utoipa::path(
    get, path = "/api/v1/export.json", tag = "documents",
    responses((status = 200, description = "the whole history, as in the file", content_type = "application/json"))
)]
pub async fn show(State(app): State<App>) -> Result<Response, ApiError> {
    answer(&app.document()).await
}

/// `GET /api/v1/documents/{id}/export.json`: the same of any document that is served.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/export.json", tag = "documents",
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 200, description = "the whole history, as in the file", content_type = "application/json"), (status = 404, description = "no such document"))
)]
pub async fn of(State(app): State<App>, Path(id): Path<String>) -> Result<Response, ApiError> {
    answer(&documents::find(&app, &id).await?).await
}

async fn answer(document: &DocumentHandle) -> Result<Response, ApiError> {
    let bytes = document.export_json().await?;
    let attachment = HeaderValue::from_static("attachment; filename=\"job_history.json\"");
    Ok((
        [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CONTENT_DISPOSITION, attachment),
        ],
        bytes,
    )
        .into_response())
}
