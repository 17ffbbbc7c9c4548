//! `/api/v1/stats`: the counters of the dashboard.

use axum::Json;
use axum::extract::State;
use plainsync_core::stats::Stats;

use super::state::App;

/// `GET /api/v1/stats`: how many jobs stand where, and how they went.
#[utoipa::path(
    get, path = "/api/v1/stats", tag = "jobs",
    responses((status = 200, description = "{total, idle, queued, running, success, error, bin, successRate, averageDuration}"))
)]
pub async fn show(State(app): State<App>) -> Json<Stats> {
    Json(app.document().snapshot().stats().clone())
}
