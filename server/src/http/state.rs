//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::limits::BODIES_BYTES_MAX;
use super::session::Sessions;
use super::trust::Trust;

/// The server's shared parts; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
    /// Which hosts and origins may talk to us.
    pub trust: Trust,
    /// Who has shown the token.
    pub sessions: Sessions,
    /// Cancelled when a stop was asked for: long conversations end then.
    pub stopping: CancellationToken,
    /// When the server started.
    pub started: Instant,
    /// What remains of the memory that bodies being received may take, in KiB.
    pub body_budget_kib: Semaphore,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(trust: Trust, sessions: Sessions, stopping: CancellationToken) -> Self {
        Self(Arc::new(Parts {
            trust,
            sessions,
            stopping,
            started: Instant::now(),
            body_budget_kib: Semaphore::new(BODIES_BYTES_MAX / 1024),
        }))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
