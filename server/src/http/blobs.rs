//! `/api/v1/blobs`: images by the hash of their bytes.
//!
//! **Invariant:** what is stored here hashes to its name and begins as a PNG, JPEG, WebP or GIF
//! does; what is answered carries the type that its bytes say.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use hyper::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use hyper::http::{HeaderMap, HeaderValue, StatusCode};
use plainsync_core::blob::{BlobRef, Mime};
use plainsync_core::limits::BLOB_BYTES_MAX;

use super::problem::{ApiError, Kind, echo};
use super::state::App;
use super::{body, documents};
use crate::document::DocumentHandle;

/// `GET /api/v1/blobs/sha256-<hex>`: the image.
#[utoipa::path(
    get, path = "/api/v1/blobs/{name}", tag = "blobs", params(("name" = String, Path, description = "sha256-<64 hex digits>")),
    responses((status = 200, description = "the image, by the type its bytes say"), (status = 404, description = "not held here"))
)]
pub async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app.document(), &name, &headers).await
}

/// `GET /api/v1/documents/{id}/blobs/sha256-<hex>`: the same of any document that is served.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/blobs/{name}", tag = "blobs",
    params(("id" = String, Path, description = "the document's id"), ("name" = String, Path, description = "sha256-<64 hex digits>")),
    responses((status = 200, description = "the image, by the type its bytes say"), (status = 404, description = "no such document, or not held here"))
)]
pub async fn show_of(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&documents::find(&app, &id).await?, &name, &headers).await
}

async fn answer(
    document: &DocumentHandle,
    name: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let hash = named(name)?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", hash.name())).map_err(|_| not_held(name))?;
    let caching = [
        (
            CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=31536000, immutable"),
        ),
        (ETAG, tag.clone()),
    ];
    let Some((mime, bytes)) = document.get_blob(hash).await? else {
        return Err(not_held(name));
    };
    if headers.get(IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(CONTENT_TYPE, mime.as_str())], bytes).into_response())
}

/// `PUT /api/v1/blobs/sha256-<hex>`: stores an image; its bytes must have that hash.
#[utoipa::path(
    put, path = "/api/v1/blobs/{name}", tag = "blobs", params(("name" = String, Path, description = "sha256-<64 hex digits>")),
    responses((status = 201, description = "stored"), (status = 204, description = "known already"), (status = 422, description = "other bytes, or no image"))
)]
pub async fn store(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let hash = named(&name)?;
    let given = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|given| given.to_str().ok())
        .unwrap_or_default();
    if Mime::from_name(given).is_none() {
        let allowed = Mime::ALL.map(Mime::as_str).join(", ");
        return Err(ApiError::new(
            Kind::MediaType,
            format!(
                "found content type `{}`; allowed are {allowed}",
                echo(given)
            ),
        ));
    }
    let bytes = body::read(request.into_body(), &app, BLOB_BYTES_MAX).await?;
    let is_new = app.document().put_blob(hash, bytes.to_vec()).await?;
    Ok(if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::NO_CONTENT
    })
}

fn named(name: &str) -> Result<BlobRef, ApiError> {
    BlobRef::from_name(name)
        .map_err(|error| ApiError::new(Kind::NotFound, format!("`{}`: {error}", echo(name))))
}

fn not_held(name: &str) -> ApiError {
    ApiError::new(
        Kind::NotFound,
        format!("no image `{}` is held here", echo(name)),
    )
}
