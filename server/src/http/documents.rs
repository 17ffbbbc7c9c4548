//! `/api/v1/documents`: what this server serves, and answers about files that wait for one.

use axum::Json;
use axum::extract::{Path, State};
use plainsync_core::id::DocumentId;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body::ApiJson;
use super::problem::{ApiError, Kind, echo};
use super::state::App;
use crate::document::{DocumentInfo, FileAnswer};

/// What to do with a file that awaits an answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileDecision {
    answer: Decision,
}

/// The two answers.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Take the file in as it is.
    Take,
    /// Put it into the archive and write the document's own content.
    Replace,
}

/// `GET /api/v1/documents`: name, id, url, heads, number of jobs and state of the file of each.
#[utoipa::path(
    get, path = "/api/v1/documents", tag = "documents",
    responses((status = 200, description = "{documents: [{name, id, url, heads, jobs, fileState}]}"))
)]
pub async fn list(State(app): State<App>) -> Json<Value> {
    Json(json!({ "documents": app.document_infos() }))
}

/// `POST /api/v1/documents/{id}/file`: decides about a file that is left alone until somebody does.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/file", tag = "documents", request_body = FileDecision,
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 200, description = "done; the document as it is now"), (status = 404, description = "no such document"), (status = 409, description = "its file awaits no answer"))
)]
pub async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(asked): ApiJson<FileDecision>,
) -> Result<Json<DocumentInfo>, ApiError> {
    let unknown = || {
        ApiError::new(
            Kind::NotFound,
            format!("no document `{}` is served here", echo(&id)),
        )
    };
    let known = DocumentId::from_text(&id).map_err(|_| unknown())?;
    let document = app.documents.get(&known).ok_or_else(unknown)?;
    let answer = match asked.answer {
        Decision::Take => FileAnswer::Take,
        Decision::Replace => FileAnswer::Replace,
    };
    document.answer_file(answer).await?;
    Ok(Json(document.info()))
}
