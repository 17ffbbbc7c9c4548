//! `GET /metrics`: what the server counts of itself.

use axum::extract::State;
use axum::response::IntoResponse;
use hyper::http::header::CONTENT_TYPE;

use super::problem::Kind;
use super::state::App;
use crate::metrics::{self, Refusal};

/// `GET /metrics`: counters, gauges and histograms for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "documents",
    responses((status = 200, content_type = "text/plain", description = "Prometheus text format, version 0.0.4"))
)]
pub async fn show(State(app): State<App>) -> impl IntoResponse {
    let open = app.documents.open_now().into_iter();
    let documents: Vec<_> = open.map(|document| document.moment()).collect();
    let text = app.documents.metrics().render(&documents);
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}

/// What an error of `kind` counts as; `None`: it refuses nobody.
pub(super) fn refusal(kind: Kind) -> Option<Refusal> {
    Some(match kind {
        Kind::NotFound => return None,
        Kind::Malformed => Refusal::Unreadable,
        Kind::Invalid => Refusal::Value,
        Kind::Unauthorized => Refusal::Auth,
        Kind::UnknownHost => Refusal::Host,
        Kind::UnknownOrigin => Refusal::Origin,
        Kind::Method | Kind::Upgrade => Refusal::Protocol,
        Kind::Timeout | Kind::TooLarge | Kind::TooMany => Refusal::Limits,
        Kind::MediaType => Refusal::ContentType,
        Kind::Conflict | Kind::Confirm | Kind::Precondition => Refusal::Conflict,
        Kind::Unavailable | Kind::Storage => Refusal::Unavailable,
        Kind::Internal | Kind::Upstream => Refusal::Failure,
    })
}
