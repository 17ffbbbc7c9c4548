//! `GET /health`: that the server runs, and what it serves.

use axum::Json;
use axum::extract::State;
use plainsync_core::time::rfc3339;
use serde_json::{Value, json};

use super::state::{App, now};

/// `GET /health`: the old fields, and the documents with the state of their files.
#[utoipa::path(
    get, path = "/health", tag = "old paths",
    responses((status = 200, description = "{status: \"ok\", server_time, uptime_seconds, api_key_detected, balance, max_parallel_jobs, server, file, documents}"))
)]
pub async fn show(State(app): State<App>) -> Json<Value> {
    let document = app.document().info();
    Json(json!({
        "status": "ok",
        "server_time": rfc3339(now().seconds()),
        "uptime_seconds": app.started.elapsed().as_secs_f64().round(),
        "api_key_detected": app.generator.has_key(),
        "balance": app.balance().await,
        "max_parallel_jobs": app.queue.parallel_max(),
        "server": app.documents.server_device(),
        "file": document.file_state,
        "documents": app.document_infos(),
    }))
}
