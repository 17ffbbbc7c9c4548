//! Why a command did not do what was asked: one sentence and an exit code.

use std::path::Path;

use hyper::http::StatusCode;
use serde::Deserialize;

use crate::cli::exit;
use crate::document::OpenError;
use crate::document::lock::LockError;

/// A sentence for stderr and the exit code that goes with it.
#[derive(Debug)]
pub(super) struct Failure {
    /// One of [`exit`].
    pub(super) code: u8,
    /// What was found, where, and what is allowed.
    pub(super) sentence: String,
}

/// What is read of a problem document (RFC 9457).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    r#type: String,
    detail: String,
}

impl Failure {
    pub(super) fn new(code: u8, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: sentence.into(),
        }
    }

    /// Refuses a folder where the JSON itself should be: it is not looked into for another one.
    pub(super) fn unless_folder(file: &Path) -> Result<(), Self> {
        if !file.is_dir() {
            return Ok(());
        }
        let sentence = format!("{} is a folder; a file is expected there", file.display());
        Err(Self::new(exit::FILE, sentence))
    }

    /// What an answer of the API with an error status means to a command.
    pub(super) fn of_answer(status: StatusCode, body: &[u8]) -> Self {
        let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
        let slug = problem.r#type.rsplit('#').next().unwrap_or_default();
        let code = match (slug, status) {
            ("confirm", _) => exit::CONFIRM,
            ("unauthorized" | "unknown-host", _) => exit::BUSY,
            ("storage", _) => exit::FILE,
            (_, StatusCode::BAD_REQUEST) => exit::BROKEN,
            (_, status) if status.is_client_error() => exit::REFUSED,
            _ => exit::FAILED,
        };
        let sentence = if problem.detail.is_empty() {
            format!("the server answered {status} without a reason")
        } else {
            problem.detail
        };
        Self::new(code, sentence)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let code = match error {
            OpenError::Lock(LockError::Held { .. } | LockError::HeldByUnknown { .. }) => exit::BUSY,
            _ => exit::FILE,
        };
        Self::new(code, error.to_string())
    }
}
