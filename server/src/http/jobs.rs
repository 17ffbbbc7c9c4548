//! `/api/v1/jobs`: the jobs of the served file, by key or by the label people see.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use hyper::http::header::LOCATION;
use hyper::http::{HeaderMap, HeaderValue, StatusCode};
use plainsync_core::edit::{Edit, Key, RunOrder};
use plainsync_core::id::derived_key;
use plainsync_core::query::{self, Query};
use plainsync_core::view::Row;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::body::{ApiJson, ApiQuery};
use super::limits::{PAGE_JOBS_DEFAULT, PAGE_JOBS_MAX};
use super::problem::{ApiError, Kind, echo};
use super::shapes::{JobFields, RowShape};
use super::state::App;
use super::{check, documents, shapes};
use crate::document::{DocumentHandle, Snapshot};
use crate::runner::validate::SIDE_PX_DEFAULT;

/// What `GET /api/v1/jobs` takes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// What to find: `status:error,queued width:>64 created:2025-10 has:conflict "two words" -dragon`.
    q: String,
    /// A field to sort by, `-` in front for descending; newest first when absent.
    sort: String,
    /// Whether to list the bin instead.
    bin: bool,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many jobs, 1 to 1000.
    limit: usize,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            q: String::new(),
            sort: String::new(),
            bin: false,
            after: None,
            limit: PAGE_JOBS_DEFAULT,
        }
    }
}

/// One page of jobs.
#[derive(Serialize, ToSchema)]
pub struct JobPage {
    /// The jobs.
    #[schema(value_type = Vec<RowShape>)]
    jobs: Vec<Shown>,
    /// How many match in all.
    total: usize,
    /// What to pass as `after` for the next page; null on the last.
    next: Option<String>,
}

/// A row as it is answered.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Shown(#[serde(serialize_with = "shapes::row")] pub Arc<Row>);

/// How many jobs were removed.
#[derive(Serialize, ToSchema)]
pub struct Cleared {
    /// How many jobs went to the bin.
    removed: usize,
}

/// `GET /api/v1/jobs?q=…&sort=…&after=…&limit=…`: newest first, page by page.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", params(ListQuery),
    responses((status = 200, body = JobPage), (status = 422, description = "a parameter is not allowed"))
)]
pub async fn list(
    State(app): State<App>,
    ApiQuery(asked): ApiQuery<ListQuery>,
) -> Result<Json<JobPage>, ApiError> {
    listed(&app.document(), &asked)
}

/// `GET /api/v1/documents/{id}/jobs?q=…`: the same of any document that is served.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/jobs", tag = "jobs",
    params(("id" = String, Path, description = "the document's id"), ListQuery),
    responses((status = 200, body = JobPage), (status = 404, description = "no such document"), (status = 422, description = "a parameter is not allowed"))
)]
pub async fn list_of(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiQuery(asked): ApiQuery<ListQuery>,
) -> Result<Json<JobPage>, ApiError> {
    listed(&documents::find(&app, &id).await?, &asked)
}

fn listed(document: &DocumentHandle, asked: &ListQuery) -> Result<Json<JobPage>, ApiError> {
    if !(1..=PAGE_JOBS_MAX).contains(&asked.limit) {
        let detail = format!(
            "`limit` is {}; allowed is 1 to {PAGE_JOBS_MAX}",
            asked.limit
        );
        return Err(ApiError::new(Kind::Invalid, detail));
    }
    let snapshot = document.snapshot();
    let cursor = asked.after.as_deref().map(Cursor::parse).transpose()?;
    let page = page(&snapshot, asked, cursor.as_ref())?;
    Ok(Json(page))
}

/// `GET /api/v1/jobs/{id}`: one job, in the bin or not.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "the job's key or its label")),
    responses((status = 200, body = RowShape), (status = 404, description = "no such job"))
)]
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Shown>, ApiError> {
    let snapshot = app.document().snapshot();
    find(&snapshot, &id).map(|row| Json(Shown(row)))
}

/// `POST /api/v1/jobs`: a new job; `"run": true` also orders its run.
///
/// With an `Idempotency-Key` header, sending the same request again makes no second job.
#[utoipa::path(
    post, path = "/api/v1/jobs", tag = "jobs", request_body = JobFields,
    params(("Idempotency-Key" = Option<String>, Header, description = "makes a repeated request harmless")),
    responses((status = 201, body = RowShape), (status = 422, description = "a field is not allowed"))
)]
pub async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    ApiJson(body): ApiJson<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let mut record = body;
    let run = match record.remove("run") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => {
            return Err(invalid(format!(
                "`run` is {}; allowed is true or false",
                echo(&other.to_string())
            )));
        }
    };
    if !record.contains_key("prompt") {
        return Err(invalid(
            "the job has no `prompt`; it needs one, such as {\"prompt\": \"a heroic knight\"}"
                .to_owned(),
        ));
    }
    for side in ["width", "height"] {
        record.entry(side).or_insert(Value::from(SIDE_PX_DEFAULT));
    }
    check::fields(&record)?;
    let key = match headers.get("idempotency-key") {
        Some(given) => Key(derived_key("k", &[b"idempotency", given.as_bytes()])),
        None => Key(app.random_key("k")?),
    };
    let order = if run { Some(order(&app)?) } else { None };
    let row = app
        .edit_one(
            Edit::Insert {
                key: key.clone(),
                record,
                order,
            },
            &key,
        )
        .await?;
    let location = HeaderValue::from_str(&format!("/api/v1/jobs/{key}")).ok();
    let mut response = (StatusCode::CREATED, Json(Shown(row))).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `PATCH /api/v1/jobs/{id}`: new values for the fields named, or `{"set": {…}, "unset": […]}`.
#[utoipa::path(
    patch, path = "/api/v1/jobs/{id}", tag = "jobs", request_body = JobFields,
    params(("id" = String, Path, description = "the job's key or its label")),
    responses((status = 200, body = RowShape), (status = 404, description = "no such job"), (status = 422, description = "a field is not allowed"))
)]
pub async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(body): ApiJson<Map<String, Value>>,
) -> Result<Json<Shown>, ApiError> {
    let key = find(&app.document().snapshot(), &id)?.key.clone();
    let (set, unset) = set_and_unset(body)?;
    check::fields(&set)?;
    let edit = Edit::Change {
        key: key.clone(),
        set,
        unset,
    };
    Ok(Json(Shown(app.edit_one(edit, &key).await?)))
}

/// `DELETE /api/v1/jobs/{id}`: moves the job to the bin.
#[utoipa::path(
    delete, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "the job's key or its label")),
    responses((status = 204, description = "it is in the bin"), (status = 404, description = "no such job"))
)]
pub async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let row = find(&app.document().snapshot(), &id)?;
    if !row.in_bin {
        app.edit(Edit::Remove {
            keys: vec![row.key.clone()],
        })
        .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/jobs/clear`: moves every job to the bin.
#[utoipa::path(post, path = "/api/v1/jobs/clear", tag = "jobs", responses((status = 200, body = Cleared)))]
pub async fn clear(
    State(app): State<App>,
    ApiJson(Empty {}): ApiJson<Empty>,
) -> Result<Json<Cleared>, ApiError> {
    let keys: Vec<Key> = app
        .document()
        .snapshot()
        .rows()
        .map(|row| row.key.clone())
        .collect();
    let removed = keys.len();
    if removed > 0 {
        app.edit(Edit::Remove { keys }).await?;
    }
    Ok(Json(Cleared { removed }))
}

/// `POST /api/v1/jobs/{id}/restore`: brings the job back from the bin.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/restore", tag = "jobs", params(("id" = String, Path, description = "the job's key or its label")),
    responses((status = 200, body = RowShape), (status = 404, description = "no such job"))
)]
pub async fn restore(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(Empty {}): ApiJson<Empty>,
) -> Result<Json<Shown>, ApiError> {
    let key = find(&app.document().snapshot(), &id)?.key.clone();
    Ok(Json(Shown(
        app.edit_one(
            Edit::Restore {
                keys: vec![key.clone()],
            },
            &key,
        )
        .await?,
    )))
}

/// `POST /api/v1/jobs/{id}/run`: orders a run of the job at this server.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/run", tag = "jobs", params(("id" = String, Path, description = "the job's key or its label")),
    responses((status = 200, body = RowShape), (status = 404, description = "no such job"), (status = 409, description = "it is in the bin"))
)]
pub async fn run(
    State(app): State<App>,
    Path(id): Path<String>,
    ApiJson(Empty {}): ApiJson<Empty>,
) -> Result<Json<Shown>, ApiError> {
    let key = find(&app.document().snapshot(), &id)?.key.clone();
    let edit = Edit::Run {
        keys: vec![key.clone()],
        orders: vec![order(&app)?],
    };
    Ok(Json(Shown(app.edit_one(edit, &key).await?)))
}

/// A body that says nothing: absent or `{}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

fn order(app: &App) -> Result<RunOrder, ApiError> {
    Ok(RunOrder {
        run_id: app.random_key("r")?,
        server: app.documents.server_device().to_string(),
    })
}

/// The row whose key or label is `id`.
fn find(snapshot: &Snapshot, id: &str) -> Result<Arc<Row>, ApiError> {
    snapshot
        .find(id)
        .filter(|row| !row.purged)
        .cloned()
        .ok_or_else(|| {
            ApiError::new(
                Kind::NotFound,
                format!("there is no job with the key or the label `{}`", echo(id)),
            )
        })
}

/// Fields to set and fields to delete, from either form of a PATCH body.
fn set_and_unset(
    mut body: Map<String, Value>,
) -> Result<(Map<String, Value>, Vec<String>), ApiError> {
    let is_long_form = !body.is_empty() && body.keys().all(|name| name == "set" || name == "unset");
    if !is_long_form {
        return Ok((body, Vec::new()));
    }
    let set = match body.remove("set") {
        None => Map::new(),
        Some(Value::Object(set)) => set,
        Some(other) => {
            return Err(invalid(format!(
                "`set` is {}; allowed is an object of fields",
                echo(&other.to_string())
            )));
        }
    };
    let unset = match body.remove("unset") {
        None => Vec::new(),
        Some(list) => serde_json::from_value(list).map_err(|_| {
            invalid(
                "`unset` is not a list of field names; allowed is such as [\"note\"]".to_owned(),
            )
        })?,
    };
    Ok((set, unset))
}

fn invalid(detail: String) -> ApiError {
    ApiError::new(Kind::Invalid, detail)
}

/// Where a page ended: the last row's key, and how many rows were before the next page.
struct Cursor {
    offset: usize,
    key: Key,
}

impl Cursor {
    /// `<offset>.<key>`.
    fn parse(text: &str) -> Result<Self, ApiError> {
        let parsed = text.split_once('.').and_then(|(offset, key)| {
            Some(Self {
                offset: offset.parse().ok()?,
                key: Key(key.to_owned()),
            })
        });
        parsed.ok_or_else(|| {
            invalid(format!(
                "`after` is `{}`; allowed is the `next` of another page",
                echo(text)
            ))
        })
    }
}

/// The rows after `cursor`. Rows added or removed meanwhile neither repeat nor hide others:
/// the cursor's row is looked for, near its old place first.
fn page(
    snapshot: &Snapshot,
    asked: &ListQuery,
    cursor: Option<&Cursor>,
) -> Result<JobPage, ApiError> {
    let query = |offset, limit| Query {
        q: asked.q.clone(),
        sort: asked.sort.clone(),
        bin: asked.bin,
        offset,
        limit: Some(limit),
    };
    let run = |offset, limit| {
        let found = snapshot.query(&query(offset, limit));
        found.map_err(|error| invalid(format!("`q`: {error}")))
    };
    let offset = match cursor {
        None => 0,
        Some(cursor) => {
            let is_there = |offset: usize| -> Result<bool, ApiError> {
                Ok(run(offset, 1)?
                    .rows
                    .first()
                    .is_some_and(|row| row.key == cursor.key))
            };
            let before = cursor.offset.saturating_sub(1);
            if is_there(before)? {
                before + 1
            } else {
                position(&run, &cursor.key)?.unwrap_or(cursor.offset)
            }
        }
    };
    let found = run(offset, asked.limit)?;
    let end = offset + found.rows.len();
    let last = found.rows.last().filter(|_| end < found.total);
    Ok(JobPage {
        next: last.map(|row| format!("{end}.{}", row.key)),
        total: found.total,
        jobs: found.rows.into_iter().map(Shown).collect(),
    })
}

/// How many rows there are up to and including `key`, wherever it is now.
fn position(
    run: &impl Fn(usize, usize) -> Result<query::Found, ApiError>,
    key: &Key,
) -> Result<Option<usize>, ApiError> {
    let mut offset = 0;
    loop {
        let found = run(offset, PAGE_JOBS_MAX)?;
        if let Some(at) = found.rows.iter().position(|row| row.key == *key) {
            return Ok(Some(offset + at + 1));
        }
        offset += found.rows.len();
        if found.rows.is_empty() {
            return Ok(None);
        }
    }
}
