//! A WebSocket connection of one client, which sends at once.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::LoadError;

/// See the module's text.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Bytes of the messages that came, without what WebSocket and TCP add.
    pub(super) received_bytes: u64,
}

impl Socket {
    /// Connects to `url`, which begins with `ws://` and names host and port.
    pub(super) async fn connect(url: &str) -> Result<Self, LoadError> {
        Self::connect_from(url, Ipv4Addr::LOCALHOST).await
    }

    /// The same from an address of its own: each has some 28,000 ports.
    pub(super) async fn connect_from(url: &str, from: Ipv4Addr) -> Result<Self, LoadError> {
        let host = url.trim_start_matches("ws://").split('/').next();
        let tcp = connect_from(host.unwrap_or_default(), from).await?;
        tcp.set_nodelay(true).map_err(failed)?;
        let (stream, _) = tokio_tungstenite::client_async(url, tcp)
            .await
            .map_err(failed)?;
        Ok(Self {
            stream,
            received_bytes: 0,
        })
    }

    /// The next message. May be dropped and called again without losing one.
    pub(crate) async fn next(&mut self) -> Result<Vec<u8>, LoadError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    self.received_bytes += bytes.len() as u64;
                    return Ok(bytes.into());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => {
                    return Err(LoadError::Socket(format!("the server ended it: {other}")));
                }
                Some(Err(error)) => return Err(failed(error)),
                None => return Err(LoadError::Socket("the server ended it".into())),
            }
        }
    }

    /// Sends all of `out`, and leaves it empty.
    pub(super) async fn send(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        if out.is_empty() {
            return Ok(());
        }
        for bytes in out.drain(..) {
            let message = Message::Binary(bytes.into());
            self.stream.feed(message).await.map_err(failed)?;
        }
        self.stream.flush().await.map_err(failed)
    }

    /// Says good-bye.
    pub(crate) async fn close(mut self) {
        let _gone = self.stream.close(None).await;
    }
}

/// Connects to `host`, an address of this machine with its port, from the address `from`.
pub(crate) async fn connect_from(host: &str, from: Ipv4Addr) -> Result<TcpStream, LoadError> {
    let socket = TcpSocket::new_v4().map_err(failed)?;
    socket.bind((IpAddr::V4(from), 0).into()).map_err(failed)?;
    let to = host.parse().map_err(failed)?;
    socket.connect(to).await.map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> LoadError {
    LoadError::Socket(error.to_string())
}
