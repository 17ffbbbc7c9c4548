//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::time::Millis;
use plainsync_core::view::Row;

use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::limits::BODIES_BYTES_MAX;
use super::places::Places;
use super::problem::{ApiError, Kind};
use super::session::Sessions;
use super::trust::Trust;
use crate::document::{DocumentHandle, DocumentInfo, Documents};
use crate::runner::generator::Generate;
use crate::runner::queue::Queue;

/// How long a balance is believed.
const BALANCE_MAX_AGE: Duration = Duration::from_secs(30);

/// The server's shared parts; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
    /// Which hosts and origins may talk to us.
    pub trust: Trust,
    /// Who has shown the token.
    pub sessions: Sessions,
    /// What is served.
    pub documents: Documents,
    /// Who makes pictures.
    pub generator: Arc<dyn Generate>,
    /// Starts the runs that are ordered from this server.
    pub queue: Queue,
    /// Cancelled when a stop was asked for: long conversations end then.
    pub stopping: CancellationToken,
    /// When the server started.
    pub started: Instant,
    /// What remains of the memory that bodies being received may take, in KiB.
    pub body_budget_kib: Semaphore,
    /// How many connections there may be.
    pub places: Places,
    /// What remains of those for WebSocket peers.
    pub sync_places: Arc<Semaphore>,
    /// What remains of the pictures that old clients may ask for at once.
    pub picture_places: Semaphore,
    /// The balance as the generator said it last, and when.
    balance: Mutex<Option<(Instant, Value)>>,
    /// The conversations that a stop waits for.
    pub conversations: TaskTracker,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(
        trust: Trust,
        sessions: Sessions,
        documents: Documents,
        generator: Arc<dyn Generate>,
        queue: Queue,
    ) -> Self {
        let places = Places::here();
        Self(Arc::new(Parts {
            trust,
            sessions,
            documents,
            generator,
            picture_places: Semaphore::new(queue.parallel_max()),
            queue,
            stopping: CancellationToken::new(),
            started: Instant::now(),
            body_budget_kib: Semaphore::new(BODIES_BYTES_MAX / 1024),
            places,
            sync_places: Arc::new(Semaphore::new(places.sync_peers)),
            balance: Mutex::default(),
            conversations: TaskTracker::new(),
        }))
    }

    /// The document of the served file.
    #[must_use]
    pub fn document(&self) -> DocumentHandle {
        self.documents.default().clone()
    }

    /// What each document says of itself.
    #[must_use]
    pub fn document_infos(&self) -> Vec<DocumentInfo> {
        self.documents.infos()
    }

    /// What the generator says of its account, in the historic shape. It is asked at most once
    /// in half a minute, however many pages ask.
    pub async fn balance(&self) -> Value {
        let mut known = self.balance.lock().await;
        if let Some((at, balance)) = known.as_ref()
            && at.elapsed() < BALANCE_MAX_AGE
        {
            return balance.clone();
        }
        let balance = self.generator.balance().await.to_json();
        *known = Some((Instant::now(), balance.clone()));
        balance
    }

    /// Applies `edit`, made now; it is on disk on return. The rows that it changed.
    ///
    /// # Errors
    ///
    /// The document's refusal; nothing was changed.
    pub async fn edit(&self, edit: Edit) -> Result<Vec<Arc<Row>>, ApiError> {
        let stamped = StampedEdit {
            id: EditId(self.random_key("e")?),
            at: now(),
            edit,
        };
        Ok(self.document().edit(stamped).await?.rows)
    }

    /// Applies `edit` and returns the row of `key`, whether it changed or not.
    ///
    /// # Errors
    ///
    /// As [`App::edit`].
    pub async fn edit_one(&self, edit: Edit, key: &Key) -> Result<Arc<Row>, ApiError> {
        let rows = self.edit(edit).await?;
        let row = rows.into_iter().find(|row| row.key == *key);
        row.or_else(|| self.document().snapshot().get(key).cloned())
            .ok_or_else(|| {
                ApiError::new(
                    Kind::NotFound,
                    format!("the job `{key}` is not there any more"),
                )
            })
    }

    /// A new unique key: `prefix` and 22 characters of `A-Za-z0-9_-`.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`]: the system gives no randomness.
    pub fn random_key(&self, prefix: &str) -> Result<String, ApiError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            ApiError::new(
                Kind::Internal,
                format!("the system gives no randomness: {error}"),
            )
        })?;
        Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The time, as edits are stamped with it.
#[must_use]
pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
