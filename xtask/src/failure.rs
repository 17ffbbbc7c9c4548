//! Why a task stopped, as one sentence that tells what to do next.

use std::fmt;

/// The result of every task.
pub(crate) type Done<T = ()> = Result<T, Failure>;

/// Why a task stopped. Its text says what failed and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure that reads as `sentence`.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Turns whatever went wrong into a [`Failure`] that tells what to do.
pub(crate) trait OrAdvise<T> {
    /// Keeps a success; a failure becomes its own text followed by `advice`.
    fn or_advise(self, advice: &str) -> Done<T>;
}

impl<T, E: fmt::Display> OrAdvise<T> for Result<T, E> {
    fn or_advise(self, advice: &str) -> Done<T> {
        self.map_err(|error| Failure::new(format!("{error:#}. {advice}")))
    }
}
