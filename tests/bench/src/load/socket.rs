//! A WebSocket connection of one client, which sends at once.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::LoadError;

/// See the module's text.
pub(super) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// Bytes of the messages that came, without what WebSocket and TCP add.
    pub(super) received_bytes: u64,
}

impl Socket {
    /// Connects to `url`, which begins with `ws://` and names host and port.
    pub(super) async fn connect(url: &str) -> Result<Self, LoadError> {
        let host = url.trim_start_matches("ws://").split('/').next();
        let tcp = TcpStream::connect(host.unwrap_or_default())
            .await
            .map_err(failed)?;
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
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, LoadError> {
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
    pub(super) async fn close(mut self) {
        let _gone = self.stream.close(None).await;
    }
}

fn failed(error: impl std::fmt::Display) -> LoadError {
    LoadError::Socket(error.to_string())
}
