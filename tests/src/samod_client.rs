//! samod, automerge-repo's library for Rust, as a client. It is not changed for this: only its
//! socket is made here, by the WebSocket library that the other tests use.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::{SinkExt as _, StreamExt as _};
use samod::{BackoffConfig, DialError, Dialer, DialerHandle, DocHandle, Repo, Transport, Url};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::home::PATIENCE;

/// A socket to a server, as samod asks for one.
struct Socket(Url);

/// Why a socket failed; samod wants an error that it may keep.
#[derive(Debug)]
struct Broken(Error);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Broken {}

impl Dialer for Socket {
    type Error = Infallible;

    fn url(&self) -> Url {
        self.0.clone()
    }

    fn connect(&self) -> BoxFuture<'static, Result<Transport, DialError<Infallible>>> {
        let url = self.0.clone();
        async move {
            let (socket, _) = connect_async(url.as_str())
                .await
                .map_err(DialError::transient)?;
            let (sink, stream) = socket.split();
            let frames = stream.filter_map(|message| {
                ready(match message {
                    Ok(Message::Binary(bytes)) => Some(Ok(bytes.to_vec())),
                    Ok(_) => None, // A ping; the library answers it by itself.
                    Err(error) => Some(Err(Broken(error))),
                })
            });
            let sink = sink
                .with(|bytes: Vec<u8>| ready(Ok::<_, Error>(Message::Binary(bytes.into()))))
                .sink_map_err(Broken);
            Ok(Transport::new(frames.boxed(), sink))
        }
        .boxed()
    }
}

/// A samod client of a server; it stops with [`Client::stop`].
#[allow(missing_debug_implementations, reason = "the library's have none")]
pub struct Client {
    /// The library's own.
    pub repo: Repo,
    /// Its connection.
    pub dialer: DialerHandle<Infallible>,
}

impl Client {
    /// Connects to the server at `url`, as `name`.
    pub async fn connect(url: &str, name: &str) -> Self {
        let repo = Repo::build_tokio()
            .with_peer_id(samod::PeerId::from(name))
            .load()
            .await;
        let url = url.parse().expect("a URL");
        let backoff = BackoffConfig {
            initial_delay: Duration::from_millis(50),
            max_delay: Duration::from_millis(200),
            max_retries: None,
        };
        let dialer = repo.dial(backoff, Arc::new(Socket(url))).expect("it runs");
        let client = Self { repo, dialer };
        let welcome = timeout(PATIENCE, client.dialer.established()).await;
        welcome.expect("in time").expect("it is welcomed");
        client
    }

    /// The document with this id; `None`: the server does not have it.
    pub async fn find(&self, id: &str) -> Option<DocHandle> {
        let found = self.repo.find(id.parse().expect("an id"));
        let found = timeout(PATIENCE, found).await.expect("it is told in time");
        found.expect("the repo runs")
    }

    /// Disconnects and ends it.
    pub async fn stop(self) {
        self.dialer.close();
        timeout(PATIENCE, self.repo.stop()).await.expect("it stops");
    }
}
