//! One run's life: written down, then performed, then written down.

use super::super::board::{Board, BoardError, Written};
use super::super::generator::{
    GenerateRequest, GeneratorError, Picture, ResultObject, ResultStatus, RotateRequest,
};
use super::super::source::{self, SourceError};
use super::super::validate::{self, InvalidParameter};
use super::dispatcher::Name;
use super::{Shared, sentences};
use futures_util::FutureExt as _;
use plainsync_core::blob;
use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::id::derived_key;
use plainsync_core::time::Millis;
use serde_json::{Map, Value, json};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longest time that a generator may take altogether.
const RUN_MAX: Duration = Duration::from_secs(600);

/// How long to wait before an end that the disk refused is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(2);

/// What became of a task, as far as the queue must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The run's end is durable, or it can never be written: it is over.
    Written,
    /// Nothing was written: the run is as it was.
    Unwritten,
}

/// Why a run made no picture.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Parameter(#[from] InvalidParameter),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Generator(#[from] GeneratorError),
    #[error("the generator took longer than {} s; run the job again", RUN_MAX.as_secs())]
    TooLong,
    #[error("{0}")]
    Other(&'static str),
}

/// Starts and ends one run.
pub(super) async fn perform(shared: Arc<Shared>, board: Arc<dyn Board>, name: Name) -> End {
    let started = now();
    let clock = Instant::now();
    let set = json!({"status": "running", "startTime": started.0});
    match write(&*board, &name, "start", started, set).await {
        Ok(Written { repeated: false }) => {}
        Ok(Written { repeated: true }) => {
            return mark(&*board, &name, sentences::STARTED_BEFORE).await;
        }
        Err(error) => return unwritten(&name, &error),
    }
    // Between the last look and the disk it may have been removed.
    let row = board.row(&name.key);
    let Some(row) = row.filter(|row| row.is_listed()) else {
        return mark(&*board, &name, sentences::REMOVED).await;
    };
    tracing::info!(
        job = row.label,
        run = name.run,
        generator = shared.generator.name(),
        "started"
    );
    let made = tokio::select! {
        biased;
        made = AssertUnwindSafe(picture(&shared, &*board, &row.job)).catch_unwind() => {
            made.unwrap_or(Err(Failure::Other(sentences::BROKE)))
        }
        () = shared.cut.cancelled() => Err(Failure::Other(sentences::STOPPED)),
        () = tokio::time::sleep(RUN_MAX) => Err(Failure::TooLong),
    };
    let duration_s = (clock.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    let ended = now();
    let mut set = match made {
        Ok(made) => {
            tracing::info!(job = row.label, run = name.run, duration_s, "finished");
            let result = made.into_result(duration_s, ended);
            json!({"status": "success", "result": result, "error": null})
        }
        Err(failure) => {
            tracing::warn!(
                job = row.label,
                run = name.run,
                duration_s,
                "failed: {failure}"
            );
            json!({"status": "error", "error": failure.to_string()})
        }
    };
    set["endTime"] = ended.0.into();
    set["duration"] = duration_s.into();
    finish(&shared, &*board, &name, ended, set).await
}

/// Writes the end of a run that was performed. It may have cost money, so a failing disk is
/// asked again until the server stops.
async fn finish(shared: &Shared, board: &dyn Board, name: &Name, at: Millis, set: Value) -> End {
    loop {
        match write(board, name, "end", at, set.clone()).await {
            Ok(_) => return End::Written,
            Err(error @ BoardError::NotNow(_)) if !shared.cut.is_cancelled() => {
                tracing::warn!(key = %name.key, run = name.run, %error, "the result is not saved yet");
                tokio::select! {
                    () = tokio::time::sleep(WRITE_AGAIN) => {}
                    () = shared.cut.cancelled() => {}
                }
            }
            Err(BoardError::Refused(reason)) => {
                tracing::error!(key = %name.key, run = name.run, reason, "the result is lost");
                return mark(
                    board,
                    name,
                    &format!("the result could not be saved: {reason}"),
                )
                .await;
            }
            Err(error) => {
                tracing::error!(key = %name.key, run = name.run, %error, "the result is lost");
                return End::Unwritten;
            }
        }
    }
}

/// Ends a run that is not performed.
pub(super) async fn mark(board: &dyn Board, name: &Name, sentence: &str) -> End {
    let at = now();
    let set = json!({"status": "error", "error": sentence, "endTime": at.0});
    // Not named after the run: an older version that comes back must be marked again.
    let named = format!("mark-{}", at.0);
    match write(board, name, &named, at, set).await {
        Ok(_) => End::Written,
        Err(error) => unwritten(name, &error),
    }
}

fn unwritten(name: &Name, error: &BoardError) -> End {
    tracing::warn!(key = %name.key, run = name.run, %error, "the run could not be written");
    match error {
        // It never can be: it is gone.
        BoardError::Refused(_) => End::Written,
        BoardError::NotNow(_) | BoardError::Closed => End::Unwritten,
    }
}

/// Writes `set` into the run, by an edit that is named after the run and `step`.
async fn write(
    board: &dyn Board,
    name: &Name,
    step: &str,
    at: Millis,
    set: Value,
) -> Result<Written, BoardError> {
    let Value::Object(set) = set else {
        return Err(BoardError::Refused("not an object".to_owned()));
    };
    let edit = Edit::Progress {
        key: name.key.clone(),
        run_id: name.run.clone(),
        set,
    };
    // Of a fixed length, however long the names are that other programs give their runs.
    let parts = [name.key.0.as_bytes(), name.run.as_bytes(), step.as_bytes()];
    let id = EditId(derived_key("run-", &parts));
    board.edit(StampedEdit { id, at, edit }).await
}

/// A picture and what was asked for it.
struct Made {
    picture: Picture,
    prompt: String,
    width: u32,
    height: u32,
    seed: Option<String>,
}

impl Made {
    fn into_result(self, duration_s: f64, ended: Millis) -> ResultObject {
        ResultObject {
            status: ResultStatus::Success,
            prompt: self.prompt,
            width: self.width,
            height: self.height,
            duration: duration_s,
            timestamp: ended.0,
            image_path: None,
            // The document takes the image out and keeps it as a blob.
            image_data_url: Some(blob::to_data_url(self.picture.mime, &self.picture.bytes)),
            seed: self.seed,
            error_message: None,
        }
    }
}

async fn picture(
    shared: &Shared,
    board: &dyn Board,
    job: &Map<String, Value>,
) -> Result<Made, Failure> {
    if validate::is_rotation(job) {
        return turned(shared, board, job).await;
    }
    let asked = validate::parameters(job)?;
    let (prompt, width, height) = (asked.prompt, asked.width, asked.height);
    // Without a seed each run gets one of its own, and the result says which.
    let seed = asked.seed.or_else(random_seed);
    let request = GenerateRequest {
        prompt: prompt.clone(),
        width,
        height,
        seed: seed.clone(),
    };
    let picture = shared.generator.generate(request).await?;
    Ok(Made {
        picture,
        prompt,
        width,
        height,
        seed,
    })
}

async fn turned(
    shared: &Shared,
    board: &dyn Board,
    job: &Map<String, Value>,
) -> Result<Made, Failure> {
    let asked = validate::rotation_of_job(&with_source(board, job))?;
    let image = source::image(board, &asked.image).await?;
    let (own_width, own_height) = source::own_sides(&image);
    let (width, height) = (
        asked.width.unwrap_or(own_width),
        asked.height.unwrap_or(own_height),
    );
    let request = RotateRequest {
        image,
        to_direction: asked.to_direction,
        from_direction: asked.from_direction,
        width,
        height,
    };
    let picture = shared.generator.rotate(request).await?;
    let prompt = job
        .get("prompt")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    Ok(Made {
        picture,
        prompt,
        width,
        height,
        seed: None,
    })
}

/// The job; where it names the job whose picture it turns but not the picture, with that picture.
fn with_source(board: &dyn Board, job: &Map<String, Value>) -> Map<String, Value> {
    let mut job = job.clone();
    let Some(Value::Object(data)) = job.get_mut("rotationData") else {
        return job;
    };
    if matches!(data.get("imageDataUrl"), None | Some(Value::Null))
        && let Some(source) = data.get("sourceJobId").and_then(Value::as_str)
        && let Some(row) = board.find(source)
        && let Some(image) = source::result_image(&row.job)
    {
        data.insert("imageDataUrl".to_owned(), image.into());
    }
    job
}

/// A whole number that PixelLab's seeds can be, as text.
fn random_seed() -> Option<String> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).ok()?;
    Some((u32::from_le_bytes(bytes) >> 1).to_string())
}

/// The wall clock, for what people read.
fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
