//! Every path on one screen.

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use hyper::http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use super::limits::{REQUEST_MAX, SLOW_REQUEST_MAX};
use super::state::App;
use super::{
    assets, blobs, conflicts, documents, dress, edits, export, generate, health, import, jobs,
    legacy, metrics, openapi, runner, session, stats, sync, trust, versions,
};

/// The whole server as one service.
pub fn router(app: App) -> Router {
    let open = Router::new()
        .route(
            "/api/v1/session",
            get(session::show)
                .post(session::create)
                .delete(session::remove),
        )
        .fallback(assets::serve);

    let whole_files = Router::new()
        .route("/api/v1/documents/{id}/import", post(import::create))
        .layer(request_timeout(SLOW_REQUEST_MAX));

    let old = Router::new()
        .route("/health", get(health::show))
        .route("/load-jobs", get(legacy::load))
        .route("/save-jobs", post(legacy::save))
        .route("/generate-character", post(generate::generate))
        .route("/rotate-character", post(generate::rotate))
        .route("/balance", get(generate::balance))
        .layer(request_timeout(SLOW_REQUEST_MAX));

    let api = Router::new()
        .route("/api/v1/documents", get(documents::list))
        .route("/api/v1/documents/{id}/file", post(documents::answer))
        .route("/api/v1/documents/{id}/export.json", get(export::of))
        .route("/api/v1/documents/{id}/jobs", get(jobs::list_of))
        .route("/api/v1/documents/{id}/clear", post(documents::clear))
        .route("/api/v1/documents/{id}/blobs/{name}", get(blobs::show_of))
        .route(
            "/api/v1/documents/{id}/snapshots",
            get(documents::snapshots).post(documents::keep),
        )
        .route(
            "/api/v1/documents/{id}/snapshots/{name}",
            get(documents::snapshot),
        )
        .route(
            "/api/v1/documents/{id}/snapshots/{name}/restore",
            post(documents::restore),
        )
        .route("/api/v1/documents/{id}/versions", get(versions::log))
        .route(
            "/api/v1/documents/{id}/versions/{version}",
            get(versions::show),
        )
        .route("/api/v1/documents/{id}/diff", get(versions::diff))
        .route("/api/v1/documents/{id}/restore", post(versions::restore))
        .route(
            "/api/v1/documents/{id}/conflicts",
            get(conflicts::list).post(conflicts::resolve),
        )
        .route("/api/v1/jobs", get(jobs::list).post(jobs::create))
        .route("/api/v1/jobs/clear", post(jobs::clear))
        .route(
            "/api/v1/jobs/{id}",
            get(jobs::show).patch(jobs::change).delete(jobs::remove),
        )
        .route("/api/v1/jobs/{id}/restore", post(jobs::restore))
        .route("/api/v1/jobs/{id}/run", post(jobs::run))
        .route("/api/v1/edits", post(edits::create))
        .route("/api/v1/runner", get(runner::show).put(runner::change))
        .route("/api/v1/stats", get(stats::show))
        .route("/api/v1/export.json", get(export::show))
        .route("/api/v1/blobs/{name}", get(blobs::show).put(blobs::store))
        .route("/api/openapi.json", get(openapi::json))
        .route("/api/docs", get(openapi::page))
        .route("/api/docs.css", get(openapi::style))
        .route("/metrics", get(metrics::show))
        .route("/sync", any(sync::upgrade))
        .layer(request_timeout(REQUEST_MAX));

    let guarded = old
        .merge(api)
        .merge(whole_files)
        .route_layer(from_fn_with_state(app.clone(), session::require));

    let paths = open.merge(guarded).with_state(app.clone());

    // A router of its own around them, so that the layers see what the inner one adds (`Allow`).
    Router::new()
        .fallback_service(paths)
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST_MAX,
        ))
        .layer(CatchPanicLayer::custom(dress::panicked))
        .layer(from_fn_with_state(app.clone(), trust::guard))
        .layer(from_fn_with_state(app, dress::dress))
}

fn request_timeout(allowed: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, allowed)
}
