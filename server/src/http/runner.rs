//! `/api/v1/runner`: how many jobs run at once, and how many do.

use std::num::NonZeroUsize;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::ApiJson;
use super::problem::{ApiError, Kind};
use super::state::App;
use crate::runner::queue::PARALLEL_MAX;

/// What the runner is doing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunnerState {
    /// How many jobs may run at once.
    max_parallel_jobs: usize,
    /// How many run.
    running: usize,
    /// How many wait for their turn.
    waiting: usize,
}

/// What may be asked of the runner.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunnerSettings {
    /// How many jobs may run at once, 1 to 16.
    max_parallel_jobs: usize,
}

/// `GET /api/v1/runner`: how many jobs may run at once, run, and wait.
#[utoipa::path(get, path = "/api/v1/runner", tag = "jobs", responses((status = 200, body = RunnerState)))]
pub async fn show(State(app): State<App>) -> Json<RunnerState> {
    Json(state(&app))
}

/// `PUT /api/v1/runner {maxParallelJobs}`: allows that many at once, until the server stops.
#[utoipa::path(
    put, path = "/api/v1/runner", tag = "jobs", request_body = RunnerSettings,
    responses((status = 200, body = RunnerState), (status = 422, description = "the number is not allowed"))
)]
pub async fn change(
    State(app): State<App>,
    ApiJson(asked): ApiJson<RunnerSettings>,
) -> Result<Json<RunnerState>, ApiError> {
    let count =
        NonZeroUsize::new(asked.max_parallel_jobs).filter(|count| count.get() <= PARALLEL_MAX);
    let Some(count) = count else {
        let found = asked.max_parallel_jobs;
        let detail = format!(
            "`maxParallelJobs` is {found}; allowed is a whole number from 1 to {PARALLEL_MAX}"
        );
        return Err(ApiError::new(Kind::Invalid, detail));
    };
    app.queue.set_parallel_max(count);
    Ok(Json(state(&app)))
}

fn state(app: &App) -> RunnerState {
    let status = *app.queue.status().borrow();
    RunnerState {
        max_parallel_jobs: app.queue.parallel_max(),
        running: status.running,
        waiting: status.waiting,
    }
}
