//! How a command reaches a document, whether a server has it or not.
//!
//! If nobody serves the folder, the document is opened here as `serve` opens it, and the same
//! router answers without a socket. If a server does, its own router answers over HTTP. A command
//! cannot tell the difference: it calls paths of the API.
//!
//! ```ignore
//! let reach = Reach::open(&args.target, Purpose::Write, "clear").await?;
//! let cleared: Value = reach.post(&reach.path("jobs/clear"), &json!({})).await?;
//! reach.close().await?;
//! ```
//!
//! | purpose | nobody serves the folder | a server does |
//! |---|---|---|
//! | [`Purpose::Read`] | opened on a [`ShadowDisk`]: nothing on disk changes | asked |
//! | [`Purpose::Write`] | opened with its lock, drained by [`Reach::close`] (S7) | asked |
//! | [`Purpose::Make`] | the same; a document that is not there is made | asked |
//!
//! **Invariant:** a document has one opener: who does not get the lock asks its holder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Bytes;
use hyper::http::header::{CONTENT_TYPE, HOST};
use hyper::http::{Method, StatusCode};
use plainsync_core::id::DocumentId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;
use tower::ServiceExt as _;

use super::failure::Failure;
use super::there::There;
use crate::access::Access;
use crate::cli::{Target, complain, exit};
use crate::document::disk::{Disk, RealDisk, ShadowDisk};
use crate::document::lock::{Holder, LockError};
use crate::document::place::{self, Place};
use crate::document::{Documents, DocumentsConfig, OpenError};
use crate::http::routes;
use crate::http::session::Sessions;
use crate::http::state::App;
use crate::http::trust::Trust;
use crate::runner::local::Local;
use crate::runner::queue::{Queue, STOP_GRACE};

/// How long another command may hold the folder, or a server take to start, before we give up.
const BUSY_MAX: Duration = Duration::from_secs(20);

/// How often the holder is asked again.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Who a request without a socket says that it is for.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// What a command is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Only look.
    Read,
    /// Change a document that is there.
    Write,
    /// Change a document, or make it.
    Make,
}

/// A document within reach.
pub(super) struct Reach {
    way: Way,
    document: DocumentId,
    /// Removed with it.
    _stand_in: Option<TempDir>,
}

enum Way {
    Here(Here),
    There(There),
}

/// The document is open in this process.
struct Here {
    app: App,
    router: Router,
}

/// What the API answered, a success.
pub(super) struct Answer {
    pub(super) bytes: Bytes,
}

impl Answer {
    /// The body as JSON of a known shape.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.bytes).map_err(|error| {
            let sentence = format!("the server answered what this version does not know: {error}");
            Failure::new(exit::FAILED, sentence)
        })
    }
}

impl Reach {
    /// Opens the document that `target` names, or finds the server that has it. `command` is what
    /// others are told who want the folder meanwhile.
    pub(super) async fn open(
        target: &Target,
        purpose: Purpose,
        command: &str,
    ) -> Result<Self, Failure> {
        let disk: Arc<dyn Disk> = match purpose {
            Purpose::Read => Arc::new(ShadowDisk::new()),
            Purpose::Write | Purpose::Make => Arc::new(RealDisk),
        };
        if purpose != Purpose::Make {
            require(target)?;
        }
        Self::open_on(target, disk, command).await
    }

    /// Opens a document to try a file on it, and changes nothing. `is_own`: the file is the
    /// document's own JSON, which must not be taken in before it is tried.
    ///
    /// A document that is not there is tried on an empty one.
    pub(super) async fn open_to_try(
        target: &Target,
        is_own: bool,
        command: &str,
    ) -> Result<Self, Failure> {
        let file = target.file();
        let place = find_place(target, &file).ok();
        let has_history = place
            .as_ref()
            .is_some_and(|place| place.state.join("journal").exists());
        let has_folder = place
            .as_ref()
            .is_some_and(|place| place.own_folder().exists());
        let is_there = has_history || has_folder || (!is_own && file.symlink_metadata().is_ok());
        if !is_there {
            return Self::open_stand_in(command).await;
        }
        let disk = ShadowDisk::new();
        if let (true, true, Some(place)) = (is_own, has_history, place) {
            disk.hide(&place.file);
            disk.hide(&place.folder.join(&place.name));
        }
        Self::open_on(target, Arc::new(disk), command).await
    }

    /// An empty document that ends with the command.
    async fn open_stand_in(command: &str) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| {
            Failure::new(
                exit::FAILED,
                format!("no temporary folder can be made: {error}"),
            )
        };
        let folder = tempfile::tempdir().map_err(cannot)?;
        let target = Target {
            path: folder.path().join(place::DEFAULT_FILE),
            state: Some(folder.path().join("state")),
            token: None,
        };
        let mut reach = Self::open_on(&target, Arc::new(RealDisk), command).await?;
        reach._stand_in = Some(folder);
        Ok(reach)
    }

    /// As [`Reach::open`], on a disk of the caller's.
    pub(super) async fn open_on(
        target: &Target,
        disk: Arc<dyn Disk>,
        command: &str,
    ) -> Result<Self, Failure> {
        let file = target.file();
        Failure::unless_folder(&file)?;
        let config = DocumentsConfig {
            state: target.state.clone(),
            command: Some(command.to_owned()),
            disk,
            ..DocumentsConfig::new(&file)
        };
        let give_up = Instant::now() + BUSY_MAX;
        loop {
            let refused = match Documents::open(config.clone()).await {
                Ok(documents) => return Ok(Self::here(documents)),
                Err(OpenError::Lock(refused)) => refused,
                Err(error) => return Err(error.into()),
            };
            let asked = match &refused {
                LockError::Held { holder, .. } if holder.command.is_none() => {
                    Self::there(target, &file, holder).await
                }
                LockError::Held { .. } | LockError::HeldByUnknown { .. } => Ok(None),
                _ => return Err(OpenError::Lock(refused).into()),
            };
            if let Some(reach) = asked? {
                return Ok(reach);
            }
            if Instant::now() >= give_up {
                return Err(Failure::new(exit::BUSY, refused.to_string()));
            }
            sleep(BUSY_PAUSE).await;
        }
    }

    fn here(documents: Documents) -> Self {
        let document = documents.default().id();
        // No boards: what waits to be run waits for a server.
        let generator = Arc::new(Local);
        let queue = Queue::start(
            Vec::new(),
            documents.server_device().to_string(),
            generator.clone(),
            std::num::NonZeroUsize::MIN,
        );
        let trust = Trust::new(HERE, false, &[], &[]);
        let sessions = Sessions::new(None, HERE.port(), false);
        let app = App::new(trust, sessions, documents, generator, queue);
        let router = routes::router(app.clone());
        Self {
            way: Way::Here(Here { app, router }),
            document,
            _stand_in: None,
        }
    }

    /// The server that holds the folder. `None`: it has not come so far as to answer.
    async fn there(target: &Target, file: &Path, holder: &Holder) -> Result<Option<Self>, Failure> {
        let place = find_place(target, file)?;
        let mut access = Access::of(holder.pid, &place.folder_state);
        if access.is_none() && has_been_up(holder) {
            // Another user's server, or one with another --state: it left no word for us.
            access = Access::at_url(holder.pid, &holder.url);
            if access.is_none() {
                let folder = place.folder.display();
                let sentence = format!("{folder} is {holder}; --state names its state folder");
                return Err(Failure::new(exit::BUSY, sentence));
            }
        }
        let Some(mut access) = access else {
            return Ok(None);
        };
        if let Some(token) = &target.token {
            access
                .token
                .get_or_insert_with(|| token.expose().to_owned());
        }
        Self::ask(access, &place, holder).await
    }

    /// `None`: the file carries a version, so the server will list it once it has looked it through.
    async fn ask(access: Access, place: &Place, holder: &Holder) -> Result<Option<Self>, Failure> {
        let there = There::new(access);
        let (status, bytes) = there
            .call(Method::GET, "/api/v1/documents", None)
            .await
            .map_err(|reason| {
                let sentence = format!(
                    "{} is served by process {} at {}, which does not answer: {reason}",
                    place.folder.display(),
                    holder.pid,
                    holder.url
                );
                Failure::new(exit::BUSY, sentence)
            })?;
        if !status.is_success() {
            let refused = Failure::of_answer(status, &bytes);
            let sentence = format!(
                "the server at {} refuses this command: {}; --token names its token",
                holder.url, refused.sentence
            );
            return Err(Failure::new(exit::BUSY, sentence));
        }
        let listed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let listed = listed["documents"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let found = listed
            .iter()
            .find(|document| document["name"] == place.name.as_str())
            .and_then(|document| DocumentId::from_text(document["id"].as_str()?).ok());
        let Some(document) = found else {
            let bytes = std::fs::read(&place.file).unwrap_or_default();
            let file: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if file["sync"].is_object() && !has_been_up(holder) {
                return Ok(None);
            }
            let sentence = format!(
                "the server at {} has the folder of {}, but does not serve that file",
                holder.url, place.name
            );
            return Err(Failure::new(exit::BUSY, sentence));
        };
        Ok(Some(Self {
            way: Way::There(there),
            document,
            _stand_in: None,
        }))
    }

    /// Whether a running server answers.
    pub(super) fn is_served(&self) -> bool {
        matches!(self.way, Way::There(_))
    }

    /// Says on stderr if the JSON is not written at the moment. Where it was opened here, the log
    /// has said so.
    pub(super) async fn tell_about_file(&self) -> Result<(), Failure> {
        let info = self.info().await?;
        if self.is_served()
            && let Some(detail) = info["fileState"]["detail"].as_str()
        {
            complain(&format!(
                "what was done is kept in the journal, but: {detail}"
            ));
        }
        Ok(())
    }

    /// `/api/v1/documents/<this document>/<rest>`.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/api/v1/documents/{}/{rest}", self.document)
    }

    /// Calls the API; a body is JSON. An error status is a [`Failure`] with the reason given.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Answer, Failure> {
        let (status, bytes) = match &self.way {
            Way::Here(here) => here.call(method, path, body).await?,
            Way::There(there) => there.call(method, path, body).await.map_err(|reason| {
                Failure::new(exit::BUSY, format!("the server went away: {reason}"))
            })?,
        };
        if status.is_success() {
            Ok(Answer { bytes })
        } else {
            Err(Failure::of_answer(status, &bytes))
        }
    }

    /// `GET path`, as JSON.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, None).await?.json()
    }

    /// `POST path` with a JSON body, answered with JSON.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        let body = Bytes::from(body.to_string());
        self.call(Method::POST, path, Some(body)).await?.json()
    }

    /// What the document says of itself, and how its file does.
    pub(super) async fn info(&self) -> Result<Value, Failure> {
        let listed: Value = self.get("/api/v1/documents").await?;
        let id = self.document.to_string();
        let all = listed["documents"].as_array().cloned().unwrap_or_default();
        all.into_iter()
            .find(|document| document["id"] == id.as_str())
            .ok_or_else(|| Failure::new(exit::FAILED, "the document is not served any more"))
    }

    /// Ends it. What was changed is on disk and in the JSON on return (S7).
    pub(super) async fn close(&self) {
        let Way::Here(here) = &self.way else { return };
        here.app.stopping.cancel();
        here.app.queue.stop(STOP_GRACE).await;
        here.app.documents.shutdown().await;
    }
}

impl Here {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(exit::FAILED, error.to_string());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, HERE.to_string())
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.unwrap_or_default()))
            .map_err(|error| failed(&error))?;
        let answered = match self.router.clone().oneshot(request).await {
            Ok(answered) => answered,
            Err(never) => match never {},
        };
        let status = answered.status();
        let collected = answered.into_body().collect().await;
        Ok((
            status,
            collected.map_err(|error| failed(&error))?.to_bytes(),
        ))
    }
}

/// The paths of the document that `target` names.
pub(super) fn find_place(target: &Target, file: &Path) -> Result<Place, Failure> {
    Failure::unless_folder(file)?;
    let state = state_root(target)?;
    Place::find(file, &state).map_err(|error| {
        Failure::new(
            exit::FILE,
            format!("{} cannot be reached: {error}", file.display()),
        )
    })
}

/// The folder of all private state.
pub(super) fn state_root(target: &Target) -> Result<PathBuf, Failure> {
    match &target.state {
        Some(state) => Ok(state.clone()),
        None => place::state_root().map_err(|error| {
            Failure::new(exit::FILE, format!("there is no state folder: {error}"))
        }),
    }
}

/// Whether this user has kept a history of what `target` names.
pub(super) fn has_history(target: &Target) -> bool {
    find_place(target, &target.file()).is_ok_and(|place| place.state.join("journal").exists())
}

/// Refuses a document of which there is neither a file nor a history: a typing error must not
/// make one.
fn require(target: &Target) -> Result<(), Failure> {
    let file = target.file();
    if file.symlink_metadata().is_ok() || has_history(target) {
        return Ok(());
    }
    let sentence = format!(
        "there is nothing at {}; --file names another file or folder, and `plainsync serve` or `plainsync import` makes one",
        file.display()
    );
    Err(Failure::new(exit::FILE, sentence))
}

/// Whether a server that left no word has had the time to do so.
fn has_been_up(holder: &Holder) -> bool {
    let since: Option<jiff::Timestamp> = holder.since.parse().ok();
    since.is_some_and(|since| {
        jiff::Timestamp::now().duration_since(since).as_secs() > BUSY_MAX.as_secs().cast_signed()
    })
}
