//! `GET /health`: that the server runs, and what it serves.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::state::App;

/// `GET /health`.
#[utoipa::path(get, path = "/health", tag = "old paths", responses((status = 200, description = "the server runs")))]
pub async fn show(State(app): State<App>) -> Json<Value> {
    Json(json!({ "status": "ok", "uptime_seconds": app.started.elapsed().as_secs_f64() }))
}
