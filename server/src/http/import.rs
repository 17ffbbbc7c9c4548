//! `/api/v1/documents/{id}/import`: a file taken in, or only tried.

use axum::Json;
use axum::extract::{Path, Request, State};
use plainsync_core::plain::import::ImportReport;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::body::{ApiQuery, json_bytes};
use super::documents::find;
use super::limits::LIST_BYTES_MAX;
use super::problem::ApiError;
use super::state::App;
use crate::document::{DocumentHandle, ImportOrigin};

/// What `POST …/import` takes in its address.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Only tell what it would do.
    dry_run: bool,
    /// With `dry_run`: as if the document's own file held it. Without a version it is then an edit of the closest
    /// one that the file held.
    as_file: bool,
    /// It may move more than half of the jobs to the bin.
    confirmed: bool,
}

/// What an import did, or would do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportOutcome {
    /// Nothing was done.
    dry_run: bool,
    /// It would have to be confirmed.
    needs_confirmation: bool,
    /// In numbers.
    report: ImportReport,
    /// The document's newest changes, in hexadecimal.
    heads: Vec<String>,
}

/// `POST /api/v1/documents/{id}/import?dry_run=true`: takes in a history, an export, or an old client's list.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/import", tag = "documents",
    params(("id" = String, Path, description = "the document's id"), ImportQuery),
    request_body(content = Object, description = "the file itself; what it says of its version counts"),
    responses((status = 200, description = "{dryRun, needsConfirmation, report: {added, changed, removed, restored, conflicting, kept, fields, stale, records, known}, heads}; it is on disk"), (status = 400, description = "no such file; the reason names line and column"), (status = 404, description = "no such document"), (status = 409, description = "it would remove more than half of the jobs and is not confirmed"), (status = 412, description = "it was written at a version that is not known here"))
)]
pub async fn create(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiQuery(asked): ApiQuery<ImportQuery>,
    request: Request,
) -> Result<Json<ImportOutcome>, ApiError> {
    let document = find(&app, &id).await?;
    let bytes = json_bytes(request, &app, LIST_BYTES_MAX).await?.to_vec();
    let (report, needs_confirmation) = if asked.dry_run {
        document.import_trial(bytes, asked.as_file).await?
    } else {
        let confirmed = asked.confirmed;
        let origin = ImportOrigin::Upload { confirmed };
        (document.import(bytes, origin).await?, false)
    };
    Ok(Json(ImportOutcome {
        dry_run: asked.dry_run,
        needs_confirmation,
        report,
        heads: heads(&document),
    }))
}

fn heads(document: &DocumentHandle) -> Vec<String> {
    document.snapshot().heads.clone()
}
