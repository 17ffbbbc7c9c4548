//! `/api/v1/export.json`: the file as it is on disk.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::http::HeaderValue;
use hyper::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::problem::ApiError;
use super::state::App;

/// `GET /api/v1/export.json`: the bytes that the JSON file has, images inside.
#[utoipa::path(
    get, path = "/api/v1/export.json", tag = "documents",
    responses((status = 200, description = "the whole history, as in the file", content_type = "application/json"))
)]
pub async fn show(State(app): State<App>) -> Result<Response, ApiError> {
    let bytes = app.document().export_json().await?;
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
