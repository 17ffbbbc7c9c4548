//! The running server: accepts connections until it is told to stop, then drains.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use plainsync::{config::Config, serve};
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let stop = async { let _ = tokio::signal::ctrl_c().await; };
//! serve::run(listener, Config::new("job_history.json".into()), stop).await?;
//! # Ok(()) }
//! ```
//!
//! **Invariant:** when [`run`] returns `Ok`, everything that was acknowledged is on disk and in
//! the JSON file.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::access::Access;
use crate::config::Config;
use crate::document::{DocumentError, Documents, DocumentsConfig, OpenError};
use crate::http::door::Door;
use crate::http::limits::DRAIN_MAX;
use crate::http::routes;
use crate::http::session::Sessions;
use crate::http::state::App;
use crate::http::tls::{self, TlsError};
use crate::http::trust::Trust;
use crate::metrics::Metrics;
use crate::runner::board::Board;
use crate::runner::queue::{Queue, STOP_GRACE};

/// Why the server did not start, or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It would be open to everybody on the network.
    #[error(
        "{0} can be reached from other machines, so a token is needed: start with --token SECRET (or PLAINSYNC_TOKEN), or with --host 127.0.0.1 for this machine only"
    )]
    OpenWithoutToken(SocketAddr),
    /// The socket does not say where it listens.
    #[error("the listening socket has no address: {0}")]
    Socket(#[source] io::Error),
    /// https cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The file cannot be served.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Serves `config` on `listener` until `shutdown` resolves, then drains and returns.
///
/// # Errors
///
/// [`ServeError`]: nothing was served, or not any more.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    Server::open(listener, &config).await?.run(shutdown).await
}

/// A server that is ready: its documents are open, nothing is accepted yet.
pub struct Server {
    listener: TcpListener,
    bound: SocketAddr,
    config: Config,
    acceptor: Option<TlsAcceptor>,
    app: App,
    metrics: Metrics,
}

impl Server {
    /// Opens the documents that `config` names, to be served on `listener`.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: nothing is served.
    pub async fn open(listener: TcpListener, config: &Config) -> Result<Self, ServeError> {
        let bound = listener.local_addr().map_err(ServeError::Socket)?;
        if config.token.is_none() && !bound.ip().to_canonical().is_loopback() {
            return Err(ServeError::OpenWithoutToken(bound));
        }
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let metrics = Metrics::default();
        let app = open_app(config, bound, acceptor.is_some(), &metrics).await?;
        Ok(Self {
            listener,
            bound,
            config: config.clone(),
            acceptor,
            app,
            metrics,
        })
    }

    /// Serves until `shutdown` resolves, then drains: everything acknowledged is on disk and in
    /// the JSON on return. When an older history of a file arrives in its folder (F6),
    /// connections are closed for a moment and the documents opened again.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: the documents could not be opened again.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let Self {
            listener,
            bound,
            config,
            acceptor,
            mut app,
            metrics,
        } = self;
        let mut shutdown = pin!(shutdown);
        loop {
            let door = Door::new(&app, routes::router(app.clone()), acceptor.clone());
            let is_over = tokio::select! {
                () = door.accept(&listener) => true,
                () = &mut shutdown => true,
                () = app.documents.superseded() => false,
            };
            if is_over {
                drop(listener);
                tracing::info!("stopping");
                stop(&app, &door).await;
                return Ok(());
            }
            tracing::info!(
                "an older history of a file has arrived; the documents are opened again"
            );
            stop(&app, &door).await;
            drop(door);
            app = open_app(&config, bound, acceptor.is_some(), &metrics).await?;
        }
    }
}

async fn stop(app: &App, door: &Door) {
    app.stopping.cancel();
    tokio::join!(door.close(DRAIN_MAX), app.queue.stop(STOP_GRACE));
    Access::withdraw(app.documents.folder_state()); // While the lock is ours still.
    app.documents.shutdown().await;
}

/// Opens the documents and starts what works on them.
async fn open_app(
    config: &Config,
    bound: SocketAddr,
    is_tls: bool,
    metrics: &Metrics,
) -> Result<App, ServeError> {
    let (hosts, origins) = (&config.allow_hosts, &config.allow_origins);
    let trust = Trust::new(bound, is_tls, hosts, origins);
    let sessions = Sessions::new(config.token.clone(), bound.port(), is_tls);
    let documents = Documents::open(DocumentsConfig {
        state: config.state_dir.clone(),
        url: format!("{}://{bound}/", trust.scheme()),
        metrics: metrics.clone(),
        ..DocumentsConfig::new(&config.file)
    })
    .await?;
    if let Some(linked) = config.link_images {
        link_images(&documents, linked).await;
    }
    let certificate = config.tls.as_ref().and_then(tls::own_fingerprint);
    let token = config.token.as_ref().map(|token| token.expose().to_owned());
    let access = Access::to_this_process(bound, certificate, token);
    if let Err(error) = access.leave(documents.folder_state()) {
        tracing::warn!("commands will not find this server by themselves: {error}");
    }
    let others = documents.companions().iter().cloned();
    let others = others.map(|other| Arc::new(other) as Arc<dyn Board>);
    let first = Arc::new(documents.default().clone()) as Arc<dyn Board>;
    let boards = std::iter::once(first).chain(others);
    let generator = Arc::clone(&config.generator);
    let queue = Queue::start(
        boards.collect(),
        documents.server_device().to_string(),
        Arc::clone(&generator),
        config.parallel_jobs_max,
    );
    Ok(App::new(trust, sessions, documents, generator, queue))
}

/// Makes the files of all documents hold their images themselves, or links to them.
async fn link_images(documents: &Documents, linked: bool) {
    let first = documents.default();
    tell_if_unlinked(&first.info().name, first.link_images(linked).await);
    for companion in documents.companions() {
        let name = companion.info().name;
        match companion.open().await {
            Ok(open) => tell_if_unlinked(&name, open.link_images(linked).await),
            Err(error) => tracing::warn!(name, %error, "it is not served for now"),
        }
    }
}

fn tell_if_unlinked(name: &str, linked: Result<bool, DocumentError>) {
    if let Err(error) = linked {
        tracing::warn!(name, %error, "how the file shows images stays as it was");
    }
}
