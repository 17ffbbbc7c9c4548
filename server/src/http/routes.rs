//! Every path on one screen.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use hyper::http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

use super::limits::REQUEST_MAX;
use super::state::App;
use super::{assets, dress, health, openapi, session, trust};

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

    let guarded = Router::new()
        .route("/health", get(health::show))
        .route("/api/openapi.json", get(openapi::json))
        .route("/api/docs", get(openapi::page))
        .route("/api/docs.css", get(openapi::style))
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
        .layer(from_fn_with_state(app, trust::guard))
        .layer(from_fn(dress::dress))
}
