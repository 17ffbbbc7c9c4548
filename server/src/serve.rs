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

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::config::Config;
use crate::document::{Documents, DocumentsConfig, OpenError};
use crate::http::limits::{
    CONNECTIONS_MAX, DRAIN_MAX, HEAD_BYTES_MAX, HEAD_READ_MAX, HEADERS_MAX, TLS_HANDSHAKE_MAX,
    WRITE_STALL_MAX,
};
use crate::http::routes;
use crate::http::session::Sessions;
use crate::http::stall::StallGuard;
use crate::http::state::App;
use crate::http::tls::{self, TlsError};
use crate::http::trust::{Ends, Trust};
use crate::runner::generator::{Generate, GeneratorError};
use crate::runner::local::Local;
use crate::runner::pixellab::PixelLab;

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What a connection past the cap is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 1\r\ncontent-length: 38\r\nconnection: close\r\n\r\nToo many connections; try again soon.\n";

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
    /// The paid generator cannot be used.
    #[error(transparent)]
    Generator(#[from] GeneratorError),
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
        let generator: Arc<dyn Generate> = match &config.pixellab {
            Some(settings) => Arc::new(PixelLab::new(settings.clone())?),
            None => Arc::new(Local),
        };
        let documents = Documents::open(DocumentsConfig {
            state: config.state_dir.clone(),
            url: format!("{}://{bound}/", trust.scheme()),
            ..DocumentsConfig::new(&config.file)
        })
        .await?;
        let app = App::new(
            trust,
            sessions,
            documents,
            generator,
            config.parallel_jobs_max,
            CancellationToken::new(),
            TaskTracker::new(),
        );
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
        let door = Door {
            router: routes::router(app.clone()),
            acceptor: self.acceptor,
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            stopping: app.stopping.clone(),
            conversations: app.conversations.clone(),
        };
        tokio::select! {
            () = door.accept(&self.listener) => {}
            () = shutdown => {}
        }
        drop(self.listener);
        tracing::info!("stopping");
        app.stopping.cancel();
        app.conversations.close();
        if timeout(DRAIN_MAX, app.conversations.wait()).await.is_err() {
            tracing::warn!(
                "requests still open after {} s are cut off",
                DRAIN_MAX.as_secs()
            );
        }
        app.documents.shutdown().await;
    }
}

/// What the accept loop hands to each connection.
struct Door {
    router: Router,
    acceptor: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
    conversations: TaskTracker,
}

impl Door {
    /// Accepts connections for ever; errors of one connection are that connection's own.
    async fn accept(&self, listener: &TcpListener) {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    tracing::error!("cannot accept connections: {error}; trying again");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                tracing::warn!("refused {peer}: {CONNECTIONS_MAX} connections are open");
                let _closed = stream.try_write(FULL);
                continue;
            };
            let (router, acceptor, stopping) = (
                self.router.clone(),
                self.acceptor.clone(),
                self.stopping.clone(),
            );
            self.conversations.spawn(async move {
                if let Err(error) = converse(stream, peer, router, acceptor, stopping, place).await
                {
                    tracing::debug!("connection of {peer} ended: {error}");
                }
            });
        }
    }
}

/// Serves one connection to its end.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    stopping: CancellationToken,
    place: OwnedSemaphorePermit,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    // Without this, small frames wait up to 40 ms for the peer's acknowledgement.
    stream.set_nodelay(true)?;
    let ends = Ends {
        local: stream.local_addr()?,
        peer,
    };
    let place = Arc::new(place);
    match acceptor {
        Some(acceptor) => {
            let stream = timeout(TLS_HANDSHAKE_MAX, acceptor.accept(stream)).await??;
            speak(stream, ends, router, stopping, place).await
        }
        None => speak(stream, ends, router, stopping, place).await,
    }
}

async fn speak<S>(
    stream: S,
    ends: Ends,
    router: Router,
    stopping: CancellationToken,
    place: Arc<OwnedSemaphorePermit>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ends);
        // An upgraded connection outlives this function and keeps its place.
        request.extensions_mut().insert(Place(Arc::clone(&place)));
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(
            TokioIo::new(StallGuard::new(stream, WRITE_STALL_MAX)),
            service,
        )
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

/// A connection's place among [`CONNECTIONS_MAX`]; given back when the last copy is dropped.
#[derive(Clone, Debug)]
pub struct Place(#[allow(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
