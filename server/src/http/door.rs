//! The door: accepts connections, within limits, and serves each to its end.
//!
//! Our own loop and not the library's: that one sets no time limit on a request's head, does
//! not count connections, and does not notice a client that never reads.
//!
//! **Invariant:** what one connection does, or how it fails, ends that connection only.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::unconstrained;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::idle::{Answer, Idle};
use super::limits::{
    HEAD_BYTES_MAX, HEAD_READ_MAX, HEADERS_MAX, PLACE_MAX, REFUSAL_MAX, REFUSALS_MAX,
    SEND_AWAY_MAX, TLS_HANDSHAKE_MAX, WRITE_STALL_MAX,
};
use super::stall::StallGuard;
use super::state::App;
use super::trust::Ends;
use crate::metrics::{Connections, Metrics, Refusal};

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What a connection past the cap is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: 1\r\ncontent-length: 38\r\nconnection: close\r\n\r\nToo many connections; try again soon.\n";

/// See the module's text; each connection has a copy.
#[derive(Clone)]
pub struct Door {
    /// Answers requests.
    router: Router,
    /// Speaks TLS, where https is served.
    acceptor: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    /// How many places there are in all.
    connections_max: usize,
    /// Who may be sent away for somebody new.
    idle: Arc<Idle>,
    /// Places of those who are told that there is none.
    refusals: Arc<Semaphore>,
    /// No further requests on open connections.
    stopping: CancellationToken,
    /// No further waiting for those that are being answered.
    cut: CancellationToken,
    conversations: TaskTracker,
    metrics: Metrics,
}

impl Door {
    /// A door to `router`; connections are counted among the conversations of `app`.
    #[must_use]
    pub fn new(app: &App, router: Router, acceptor: Option<TlsAcceptor>) -> Self {
        Self {
            router,
            acceptor,
            places: Arc::new(Semaphore::new(app.places.connections)),
            connections_max: app.places.connections,
            idle: Arc::default(),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            stopping: app.stopping.clone(),
            cut: CancellationToken::new(),
            conversations: app.conversations.clone(),
            metrics: app.documents.metrics().clone(),
        }
    }

    /// Waits for the open connections to end, at most `allowed`, then cuts them off.
    pub async fn close(&self, allowed: Duration) {
        self.conversations.close();
        if timeout(allowed, self.conversations.wait()).await.is_err() {
            tracing::warn!(
                "requests still open after {} s are cut off",
                allowed.as_secs()
            );
            self.cut.cancel();
            self.conversations.wait().await;
        }
    }

    /// Accepts connections for ever; errors of one connection are that connection's own.
    pub async fn accept(&self, listener: &TcpListener) {
        let mut is_full = false;
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
            let conversation = self.clone().receive(stream, peer, &mut is_full);
            let cut = self.cut.clone();
            self.conversations.spawn(async move {
                let ended = tokio::select! {
                    ended = conversation => ended,
                    () = cut.cancelled() => return,
                };
                if let Err(error) = ended {
                    tracing::debug!("connection of {peer} ended: {error}");
                }
            });
        }
    }

    /// Finds a place for a connection, which is served then, or refused.
    fn receive(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        is_full: &mut bool,
    ) -> impl Future<Output = Result<(), Trouble>> + Send + use<> {
        // In line for a place from now on, not from when its task runs: somebody sent away for this one
        // must not leave the place to whoever comes next.
        let mut taking = Box::pin(unconstrained(Arc::clone(&self.places).acquire_owned()));
        let place = (&mut taking).now_or_never();
        let comes_free = place.is_none() && self.idle.send_one_away();
        let was_full = std::mem::replace(is_full, place.is_none() && !comes_free);
        if *is_full && !was_full {
            let max = self.connections_max;
            tracing::warn!("refused {peer} and maybe others: {max} requests are open");
        }
        let taking = comes_free.then_some(taking);
        async move {
            let place = match (place, taking) {
                (Some(place), _) => place.ok(),
                (None, Some(taking)) => {
                    let place = timeout(PLACE_MAX, taking).await;
                    place.ok().and_then(Result::ok)
                }
                (None, None) => None,
            };
            match place {
                Some(place) => self.converse(stream, peer, place).await,
                None => Ok(self.refuse(stream).await?),
            }
        }
    }

    /// Says that there is no place, and reads what the client sends meanwhile: closing with
    /// something unread would take back what was said.
    async fn refuse(&self, mut stream: TcpStream) -> io::Result<()> {
        self.metrics.refused(Refusal::Limits);
        let Ok(_refusal) = self.refusals.try_acquire() else {
            return stream.try_write(FULL).map(drop);
        };
        let said = async {
            stream.write_all(FULL).await?;
            stream.shutdown().await?;
            let mut unread = [0; 1024];
            while stream.read(&mut unread).await? > 0 {}
            Ok(())
        };
        timeout(REFUSAL_MAX, said).await.unwrap_or(Ok(()))
    }

    /// Serves one connection to its end.
    async fn converse(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Result<(), Trouble> {
        let _open = self.metrics.open(Connections::Http); // Until it ends, or speaks WebSocket.
        // Without this, small frames wait up to 40 ms for the peer's acknowledgement.
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let ends = Ends { local, peer };
        let place = Place(Arc::new(place));
        match &self.acceptor {
            Some(acceptor) => {
                let stream = timeout(TLS_HANDSHAKE_MAX, acceptor.accept(stream)).await??;
                self.speak(stream, ends, place).await
            }
            None => self.speak(stream, ends, place).await,
        }
    }

    async fn speak<S>(&self, stream: S, ends: Ends, place: Place) -> Result<(), Trouble>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let stay = self.idle.enter();
        let sent_away = stay.sent_away.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answering = stay.answer();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ends);
            // An upgraded connection outlives this function and keeps its place.
            request.extensions_mut().insert(place.clone());
            let answer = router.clone().oneshot(request);
            async move {
                let answer = answer.await?;
                Ok::<_, Infallible>(answer.map(|body| Answer::new(body, answering)))
            }
        });
        let stream = TokioIo::new(StallGuard::new(stream, WRITE_STALL_MAX));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_READ_MAX)
            .max_headers(HEADERS_MAX)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(stream, service)
            .with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            () = self.stopping.cancelled() => connection.as_mut().graceful_shutdown(),
            () = sent_away.cancelled() => {
                connection.as_mut().graceful_shutdown();
                return timeout(SEND_AWAY_MAX, connection).await?.map_err(Trouble::from);
            }
        }
        Ok(connection.await?)
    }
}

/// What ends a connection early; only logged.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// A connection's place among those that there are; given back when the last copy is dropped.
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
