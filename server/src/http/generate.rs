//! The old paths that make a picture at once: `/generate-character`, `/rotate-character`, and
//! `/balance` (L1).
//!
//! **Invariant:** nothing here touches a document; the old client keeps what it gets.

use axum::Json;
use axum::extract::State;
use plainsync_core::blob;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::body::ApiJson;
use super::problem::{ApiError, Kind};
use super::state::{App, now};
use crate::runner::generator::{
    GenerateRequest, GeneratorError, Picture, ResultObject, ResultStatus, RotateRequest,
};
use crate::runner::source;
use crate::runner::validate::{self, InvalidParameter};

/// `POST /generate-character {prompt, width?, height?, seed?}`: a picture from words.
#[utoipa::path(
    post, path = "/generate-character", tag = "old paths",
    request_body(content = Object, description = "{prompt, width?, height?, seed?}"),
    responses((status = 200, description = "{status: \"success\" | \"fail\", prompt, width, height, duration, timestamp, image_path, image_data_url, seed, error_message}"), (status = 400, description = "{status: \"error\", message}"))
)]
pub async fn generate(
    State(app): State<App>,
    ApiJson(body): ApiJson<Map<String, Value>>,
) -> Result<Json<ResultObject>, ApiError> {
    let asked = validate::parameters(&body).map_err(invalid)?;
    let request = GenerateRequest {
        prompt: asked.prompt.clone(),
        width: asked.width,
        height: asked.height,
        seed: asked.seed.clone(),
    };
    let _turn = turn(&app).await?;
    let began = Instant::now();
    let made = app.generator.generate(request).await;
    Ok(Json(result(
        made,
        began,
        asked.prompt,
        (asked.width, asked.height),
        asked.seed,
    )))
}

/// `POST /rotate-character {image_data_url, to_direction, from_direction?, width?, height?}`:
/// the same figure from another side.
#[utoipa::path(
    post, path = "/rotate-character", tag = "old paths",
    request_body(content = Object, description = "{image_data_url, to_direction, from_direction?, width?, height?}"),
    responses((status = 200, description = "as /generate-character"), (status = 400, description = "{status: \"error\", message}"))
)]
pub async fn rotate(
    State(app): State<App>,
    ApiJson(body): ApiJson<Map<String, Value>>,
) -> Result<Json<ResultObject>, ApiError> {
    let asked = validate::rotation(&body).map_err(invalid)?;
    let image = source::image(&app.document(), &asked.image)
        .await
        .map_err(|error| ApiError::new(Kind::Malformed, error.to_string()))?;
    let (own_width, own_height) = source::own_sides(&image);
    let (width, height) = (
        asked.width.unwrap_or(own_width),
        asked.height.unwrap_or(own_height),
    );
    let words = body
        .get("prompt")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let request = RotateRequest {
        image,
        to_direction: asked.to_direction,
        from_direction: asked.from_direction,
        width,
        height,
    };
    let _turn = turn(&app).await?;
    let began = Instant::now();
    let made = app.generator.rotate(request).await;
    Ok(Json(result(made, began, words, (width, height), None)))
}

/// `GET /balance`: what remains on the account that pays for pictures.
#[utoipa::path(
    get, path = "/balance", tag = "old paths",
    responses((status = 200, description = "{status: \"ok\", usd, type}, {status: \"missing\"} or {status: \"error\", message}"))
)]
pub async fn balance(State(app): State<App>) -> Json<Value> {
    Json(app.balance().await)
}

/// Waits for a place among the pictures made at once for old clients.
async fn turn(app: &App) -> Result<tokio::sync::SemaphorePermit<'_>, ApiError> {
    let closed = |_| ApiError::new(Kind::Unavailable, "the server is stopping");
    app.picture_places.acquire().await.map_err(closed)
}

fn result(
    made: Result<Picture, GeneratorError>,
    began: Instant,
    prompt: String,
    (width, height): (u32, u32),
    seed: Option<String>,
) -> ResultObject {
    let (image_data_url, error_message) = match made {
        Ok(picture) => (Some(blob::to_data_url(picture.mime, &picture.bytes)), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let status = if image_data_url.is_some() {
        ResultStatus::Success
    } else {
        ResultStatus::Fail
    };
    let duration = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    ResultObject {
        status,
        prompt,
        width,
        height,
        duration,
        timestamp: now().0,
        image_path: None,
        image_data_url,
        seed,
        error_message,
    }
}

fn invalid(error: InvalidParameter) -> ApiError {
    ApiError::new(Kind::Malformed, error.to_string())
}
