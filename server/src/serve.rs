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
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::document::{Documents, DocumentsConfig, OpenError};
use crate::http::door::Door;
use crate::http::limits::DRAIN_MAX;
use crate::http::routes;
use crate::http::session::Sessions;
use crate::http::state::App;
use crate::http::tls::{self, TlsError};
use crate::http::trust::Trust;
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
/// [`ServeError`] before the first connection is accepted: nothing was served.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    Server::open(listener, &config).await?.run(shutdown).await;
    Ok(())
}

/// A server that is ready: its documents are open, nothing is accepted yet.
pub struct Server {
    listener: TcpListener,
    app: App,
    acceptor: Option<TlsAcceptor>,
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
        let trust = Trust::new(
            bound,
            acceptor.is_some(),
            &config.allow_hosts,
            &config.allow_origins,
        );
        let sessions = Sessions::new(config.token.clone(), bound.port(), acceptor.is_some());
        let documents = Documents::open(DocumentsConfig {
            state: config.state_dir.clone(),
            url: format!("{}://{bound}/", trust.scheme()),
            ..DocumentsConfig::new(&config.file)
        })
        .await?;
        let boards = documents
            .list()
            .map(|document| Arc::new(document.clone()) as Arc<dyn Board>);
        let queue = Queue::start(
            boards.collect(),
            documents.server_device().to_string(),
            Arc::clone(&config.generator),
            config.parallel_jobs_max,
        );
        let generator = Arc::clone(&config.generator);
        let app = App::new(trust, sessions, documents, generator, queue);
        Ok(Self {
            listener,
            app,
            acceptor,
        })
    }

    /// Serves until `shutdown` resolves, then drains: everything acknowledged is on disk and in
    /// the JSON on return.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let app = self.app;
        let door = Door::new(&app, routes::router(app.clone()), self.acceptor);
        tokio::select! {
            () = door.accept(&self.listener) => {}
            () = shutdown => {}
        }
        drop(self.listener);
        tracing::info!("stopping");
        app.stopping.cancel();
        tokio::join!(door.close(DRAIN_MAX), app.queue.stop(STOP_GRACE));
        app.documents.shutdown().await;
    }
}
