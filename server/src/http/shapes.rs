//! The shapes of the API as they are described to programs.
//!
//! The rows themselves are the engine's; these types only describe them.

use std::sync::Arc;

use plainsync_core::view::Row;
use serde::{Serialize as _, Serializer};
use utoipa::ToSchema;

/// One job as it is answered.
#[derive(ToSchema)]
#[schema(as = Row)]
#[allow(dead_code, reason = "describes a shape, is never made")]
pub struct RowShape {
    /// The job's identity: unique, the same for ever.
    key: String,
    /// Its fields; images are references to `/api/v1/blobs/…`.
    #[schema(value_type = JobFields)]
    job: JobFields,
    /// Whether it is in the bin.
    #[schema(rename = "inBin")]
    in_bin: bool,
    /// Whether it was removed apart from an edit that won.
    #[schema(rename = "keptByEdit")]
    kept_by_edit: bool,
    /// Fields edited apart to different values; `run` stands for a run's fields.
    conflicts: Vec<String>,
    /// The run that the fields describe.
    run: Option<RunShape>,
}

/// The run that a job shows.
#[derive(ToSchema)]
#[schema(as = Run)]
#[allow(dead_code, reason = "describes a shape, is never made")]
pub struct RunShape {
    /// The run's id.
    id: String,
    /// The server that was ordered to start it, by device id.
    server: Option<String>,
}

/// The fields of a job. Unknown fields are kept.
#[derive(ToSchema)]
#[schema(as = Job)]
#[allow(dead_code, reason = "describes a shape, is never made")]
pub struct JobFields {
    /// What people call it, such as `job-6`; given by the server when absent.
    id: Option<String>,
    /// What to draw, up to 2000 characters.
    prompt: Option<String>,
    /// 16 to 256 pixels; 64 when absent.
    width: Option<u32>,
    /// 16 to 256 pixels; 64 when absent.
    height: Option<u32>,
    /// Equal seeds give equal pictures.
    seed: Option<String>,
    /// idle, queued, running, success or error.
    status: Option<String>,
    /// A `blob:sha256-…` reference, a data URL, or a result object.
    #[schema(value_type = Option<Object>)]
    result: Option<()>,
    /// Why the run failed.
    error: Option<String>,
    /// Milliseconds since 1970.
    #[schema(rename = "startTime")]
    start_time: Option<f64>,
    /// Milliseconds since 1970.
    #[schema(rename = "endTime")]
    end_time: Option<f64>,
    /// Seconds.
    duration: Option<f64>,
    /// Milliseconds since 1970.
    #[schema(rename = "createdAt")]
    created_at: Option<f64>,
}

/// Writes a shared row as the row it is.
///
/// # Errors
///
/// The serializer's.
pub fn row<S: Serializer>(row: &Arc<Row>, into: S) -> Result<S::Ok, S::Error> {
    row.as_ref().serialize(into)
}
