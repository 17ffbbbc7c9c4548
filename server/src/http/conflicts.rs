//! `/api/v1/documents/{id}/conflicts`: fields that were edited apart, and settling them (D4).

use axum::Json;
use axum::extract::{Path, State};
use plainsync_core::edit::{Edit, EditError};
use plainsync_core::view::Row;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::ToSchema;

use super::body::ApiJson;
use super::check;
use super::documents::find;
use super::jobs::Shown;
use super::limits::CONFLICTS_MAX;
use super::problem::{ApiError, Kind, echo};
use super::shapes::RowShape;
use super::state::{App, now};
use super::versions::key_of;
use crate::document::DocumentError;

/// How a conflict is settled: `choose` one of its sides, or give a `value`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// The job, by key or label.
    job: String,
    /// The field, or `run` for a run's fields together.
    field: String,
    /// The side to keep, by its `op`.
    #[serde(default)]
    choose: Option<String>,
    /// Another value; not for `run`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
    /// The `op` of every side that was looked at: refused if they are not those that stand there.
    seen: Vec<String>,
}

/// Tells null from nothing.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// `GET /api/v1/documents/{id}/conflicts`: every field that was edited apart, with who wrote which value.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/conflicts", tag = "versions",
    params(("id" = String, Path, description = "the document's id")),
    responses((status = 200, description = "{conflicts: [{key, label, field, values: [{op, value, run, device, author, at}]}], more}; the value that is shown is the last; `run` is there where the field is `run`"), (status = 404, description = "no such document"))
)]
pub async fn list(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let contested = find(&app, &id).await?.conflicts().await?;
    let mut all = Vec::new();
    for record in contested {
        for conflict in record.conflicts {
            all.push(json!({
                "key": record.key,
                "label": record.label,
                "field": conflict.field,
                "values": conflict.values,
            }));
        }
    }
    let more = all.len().saturating_sub(CONFLICTS_MAX);
    all.truncate(CONFLICTS_MAX);
    Ok(Json(json!({ "conflicts": all, "more": more })))
}

/// `POST /api/v1/documents/{id}/conflicts`: settles one, unless one of its sides has moved since it was looked at.
#[utoipa::path(
    post, path = "/api/v1/documents/{id}/conflicts", tag = "versions", request_body = Resolution,
    params(("id" = String, Path, description = "the document's id")),
    responses(
        (status = 200, body = RowShape), (status = 404, description = "no such document or job"),
        (status = 409, description = "it is not the conflict that was looked at"), (status = 422, description = "a field is not allowed")
    )
)]
pub async fn resolve(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(asked): ApiJson<Resolution>,
) -> Result<Json<Shown>, ApiError> {
    let document = find(&app, &id).await?;
    let key = key_of(&document, &asked.job)?;
    let moved = || {
        let label = document.snapshot().get(&key).map(|row| row.label.clone());
        let field = asked.field.clone();
        let label = label.unwrap_or_else(|| asked.job.clone());
        DocumentError::from(EditError::Moved { label, field })
    };
    let value = match (&asked.choose, &asked.value) {
        (Some(op), None) if !asked.seen.contains(op) => {
            let detail = format!("`choose` is `{}`; allowed is one of `seen`", echo(op));
            return Err(ApiError::new(Kind::Invalid, detail));
        }
        (Some(op), None) => {
            let side = document.side_of(key.clone(), asked.field.clone(), op.clone());
            side.await?.ok_or_else(moved)?
        }
        (None, Some(_)) if asked.field == "run" => {
            let detail = "a run is chosen, by `choose`; its fields are changed through the job";
            return Err(ApiError::new(Kind::Invalid, detail));
        }
        (None, Some(value)) => {
            let mut field = Map::new();
            field.insert(asked.field.clone(), value.clone());
            check::fields(&field)?;
            value.clone()
        }
        _ => {
            let detail = "one of `choose` and `value` is needed, and not both";
            return Err(ApiError::new(Kind::Invalid, detail));
        }
    };
    let edit = Edit::Resolve {
        key: key.clone(),
        field: asked.field.clone(),
        value,
        seen: asked.seen.clone(),
    };
    let stamped = plainsync_core::edit::StampedEdit {
        id: plainsync_core::edit::EditId(app.random_key("e")?),
        at: now(),
        edit,
    };
    let rows: Vec<Arc<Row>> = document.edit(stamped).await?.rows;
    let row = rows.into_iter().find(|row| row.key == key);
    let row = row.or_else(|| document.snapshot().get(&key).cloned());
    row.map(|row| Json(Shown(row)))
        .ok_or_else(|| moved().into())
}
