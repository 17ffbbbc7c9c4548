//! `/api/v1/edits`: any edit, with an id by which a repetition is recognised.

use axum::Json;
use axum::extract::State;
use plainsync_core::edit::{Edit, StampedEdit};
use serde::Serialize;
use utoipa::ToSchema;

use super::body::ApiJson;
use super::check;
use super::jobs::Shown;
use super::problem::{ApiError, Kind};
use super::shapes::RowShape;
use super::state::App;

/// The rows that an edit changed.
#[derive(Serialize, ToSchema)]
pub struct Changed {
    /// The rows as they are now.
    #[schema(value_type = Vec<RowShape>)]
    rows: Vec<Shown>,
}

/// `POST /api/v1/edits {id, at, edit}`: applies one edit, at most once.
#[utoipa::path(
    post, path = "/api/v1/edits", tag = "edits",
    request_body(content = Object, description = "{id, at, edit: {type: insert | change | remove | restore | purge | run | resolve | return, …}}"),
    responses((status = 200, body = Changed), (status = 404, description = "no such job"), (status = 409, description = "the state does not allow it"), (status = 422, description = "a field is not allowed"))
)]
pub async fn create(
    State(app): State<App>,
    ApiJson(stamped): ApiJson<StampedEdit>,
) -> Result<Json<Changed>, ApiError> {
    match &stamped.edit {
        Edit::Insert { record, .. } => check::fields(record)?,
        Edit::Change { set, .. } => check::fields(set)?,
        Edit::Progress { .. } => {
            let detail = "`progress` is reported by the server that owns the run, not by a request";
            return Err(ApiError::new(Kind::Invalid, detail));
        }
        _ => {}
    }
    let outcome = app.document().edit(stamped).await?;
    Ok(Json(Changed {
        rows: outcome.rows.into_iter().map(Shown).collect(),
    }))
}
