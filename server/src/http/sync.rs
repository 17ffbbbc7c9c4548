//! `/sync`: the automerge-repo protocol over one WebSocket (S1).
//!
//! One task per connection, in two halves that do not wait for each other: the reader hands
//! frames to the documents, the writer sends what the documents queue. Each document has a
//! bounded queue for this peer and never waits on it; a queue that is full, or a frame that is
//! refused, ends the connection with a reason (S4, S6).
//!
//! **Invariant:** a frame that was refused is never followed by another on the same connection:
//! a peer resends what was refused only on a new one.

mod news;
mod pace;

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::response::Response;
use futures_util::stream::{SelectAll, SplitSink, SplitStream, poll_fn};
use futures_util::{SinkExt as _, Stream, StreamExt as _};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::limits::{FRAME_BYTES_MAX, MESSAGES_AHEAD_MAX};
use plainsync_core::wire::{Frame, PROTOCOL};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use self::pace::Pace;
use super::door::Place;
use super::problem::{ApiError, Kind, echo};
use super::state::App;
use crate::document::outgoing::Outgoing;
use crate::document::{Connection, OUTBOUND_FRAMES_MAX};
use crate::metrics::{Connections, Refusal};

/// How long a peer may take to introduce itself.
const JOIN_MAX: Duration = Duration::from_secs(10);

/// How often a peer is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How long a peer may be silent, pongs included.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How long the closing of a connection may take.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// Orders of the reader that may wait for the writer.
const ORDERS_MAX: usize = 16;

/// What is read of a socket at once, in bytes: held for every connection and cleared for every read,
/// and most frames are smaller.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Documents that one peer may open over one connection.
const DOCUMENTS_PER_PEER_MAX: usize = 32;

/// Most bytes of a close reason that the protocol carries.
const CLOSE_REASON_BYTES_MAX: usize = 123;

/// Why a connection ends: a WebSocket close code, and a sentence.
#[derive(Debug)]
struct End {
    code: u16,
    reason: String,
    /// What it counts as; `None` where nobody was refused, or a document counted it.
    refused: Option<Refusal>,
}

impl End {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            refused: None,
        }
    }

    fn protocol(reason: impl Into<String>) -> Self {
        Self::new(close_code::PROTOCOL, reason).because(Refusal::Protocol)
    }

    /// Past a limit of time or number.
    fn limit(reason: impl Into<String>) -> Self {
        Self::new(close_code::POLICY, reason).because(Refusal::Limits)
    }

    fn because(mut self, refused: Refusal) -> Self {
        self.refused = Some(refused);
        self
    }
}

/// Who ended a connection.
enum Stopped {
    /// This side of it, for this reason.
    Here(End),
    /// A document; its connection knows why.
    ByDocument(DocumentId),
}

/// What the reader asks of the writer.
enum Order {
    /// Send this frame.
    Send(Frame),
    /// Send what this document queues, too.
    Attach(Outbound),
}

/// What one document has for this peer; its queue yields `None` inside once when the document ended it.
pub(super) type Outbound = std::pin::Pin<Box<dyn Stream<Item = Queued> + Send>>;

/// Something a document queued, or that it queues no more.
pub(super) enum Queued {
    Bytes(Bytes),
    Ended(DocumentId),
}

/// `GET /sync`: upgrades to a WebSocket.
#[utoipa::path(
    get, path = "/sync", tag = "sync",
    responses((status = 101, description = "automerge-repo network protocol, version 1"), (status = 426, description = "the request asks for no WebSocket"))
)]
pub async fn upgrade(
    State(app): State<App>,
    place: Option<Extension<Place>>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let socket = asked.map_err(|refused| {
        ApiError::new(
            Kind::Upgrade,
            format!("`/sync` speaks WebSocket: {}", refused.body_text()),
        )
    })?;
    let seat = app.sync_places.clone().try_acquire_owned().map_err(|_| {
        ApiError::new(
            Kind::Unavailable,
            "too many peers are connected; try again in a moment",
        )
    })?;
    let tracker = app.conversations.clone();
    Ok(socket
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(move |socket| tracker.track_future(converse(app, socket, seat, place))))
}

/// Talks with one peer until either side ends it.
async fn converse(
    app: App,
    socket: WebSocket,
    _seat: OwnedSemaphorePermit,
    _place: Option<Extension<Place>>,
) {
    let _open = app.documents.metrics().open(Connections::Sync);
    let (sink, mut stream) = socket.split();
    let (orders, ordered) = mpsc::channel(ORDERS_MAX);
    let mut writer = Writer {
        sink,
        queues: SelectAll::new(),
        ordered,
    };
    let (mut peer, mut open) = (None, HashMap::new());
    let end = {
        let reading = read(&app, &mut stream, orders, &mut peer, &mut open);
        let writing = writer.run();
        tokio::select! {
            end = reading => Stopped::Here(end),
            stopped = writing => stopped,
            () = app.stopping.cancelled() => Stopped::Here(End::new(close_code::AWAY, "the server is stopping")),
        }
    };
    let end = match end {
        Stopped::Here(end) => end,
        Stopped::ByDocument(document) => {
            let said = open
                .get(&document)
                .map_or_else(String::new, Connection::end);
            End::new(close_code::AGAIN, said)
        }
    };
    let name = peer
        .as_ref()
        .map_or_else(|| "a peer".to_owned(), |peer: &PeerId| echo(peer.as_str()));
    if let Some(reason) = end.refused {
        app.documents.metrics().refused(reason);
    }
    if end.code == close_code::NORMAL || end.code == close_code::AWAY {
        tracing::debug!("{name} left: {}", end.reason);
    } else {
        tracing::info!("closed the connection of {name}: {}", end.reason);
    }
    let _too_slow = timeout(CLOSE_MAX, writer.close(end)).await;
}

/// Reads frames until the connection ends.
async fn read(
    app: &App,
    stream: &mut SplitStream<WebSocket>,
    orders: mpsc::Sender<Order>,
    name: &mut Option<PeerId>,
    open: &mut HashMap<DocumentId, Connection>,
) -> End {
    let mut pace = Pace::new(Instant::now());
    let joined = match timeout(JOIN_MAX, first_frame(stream, &mut pace)).await {
        Ok(Ok(Frame::Join {
            sender,
            versions,
            ahead,
            ..
        })) => (sender, versions, ahead),
        Ok(Ok(other)) => {
            return End::protocol(format!(
                "found `{}` first; a peer first says `join`",
                echo(other.kind())
            ));
        }
        Ok(Err(end)) => return end,
        Err(_) => return End::limit(format!("no `join` within {} s", JOIN_MAX.as_secs())),
    };
    let (peer, versions, ahead) = joined;
    *name = Some(peer.clone());
    if !versions.iter().any(|version| version == PROTOCOL) {
        return End::protocol(format!(
            "the peer speaks {}; this server speaks {PROTOCOL}",
            echo(&versions.join(", "))
        ));
    }
    let mut reader = Reader {
        app,
        peer,
        ahead,
        orders,
        open,
    };
    let welcome = Frame::Peer {
        sender: app.documents.peer().clone(),
        target: reader.peer.clone(),
        storage_id: Some(app.documents.server_device().to_string()),
        ephemeral: false,
        ahead: MESSAGES_AHEAD_MAX,
        version: PROTOCOL.to_owned(),
    };
    if let Err(end) = reader.answer(welcome).await {
        return end;
    }
    loop {
        let frame = match timeout(SILENCE_MAX, next_message(stream, &mut pace)).await {
            Ok(Ok(Some(frame))) => frame,
            Ok(Ok(None)) => continue,
            Ok(Err(end)) => return end,
            Err(_) => {
                return End::limit(format!("nothing was heard for {} s", SILENCE_MAX.as_secs()));
            }
        };
        if let Err(end) = reader.take(frame).await {
            return end;
        }
    }
}

/// The next message: a frame, or `None` for a ping or pong, which only proves that the peer lives.
async fn next_message(
    stream: &mut SplitStream<WebSocket>,
    pace: &mut Pace,
) -> Result<Option<Frame>, End> {
    let next = stream.next().await;
    if let Some(Ok(message)) = &next {
        let paced = pace.take(Instant::now(), len_of(message));
        paced.map_err(|hurry| End::limit(hurry.to_string()))?;
    }
    match next {
        Some(Ok(Message::Binary(bytes))) => Frame::decode(&bytes).map(Some).map_err(|error| {
            End::protocol(format!("a frame was refused: {error}")).because(Refusal::Unreadable)
        }),
        Some(Ok(Message::Text(_))) => Err(End::new(
            close_code::UNSUPPORTED,
            "found a text message; frames are binary",
        )
        .because(Refusal::Unreadable)),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Close(_))) | None => {
            Err(End::new(close_code::NORMAL, "it closed the connection"))
        }
        Some(Err(error)) => {
            let said = error.to_string();
            if said.starts_with("IO error") || said.contains("without closing") {
                return Err(End::new(close_code::NORMAL, said)); // It broke; nobody was refused.
            }
            let is_size = said.contains("too long") || said.contains("too large");
            let (code, refused) = if is_size {
                (close_code::SIZE, Refusal::Limits)
            } else {
                (close_code::PROTOCOL, Refusal::Protocol)
            };
            Err(End::new(code, said).because(refused))
        }
    }
}

fn len_of(message: &Message) -> usize {
    match message {
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Text(text) => text.len(),
        Message::Close(_) => 0,
    }
}

/// The first frame.
async fn first_frame(stream: &mut SplitStream<WebSocket>, pace: &mut Pace) -> Result<Frame, End> {
    loop {
        if let Some(frame) = next_message(stream, pace).await? {
            return Ok(frame);
        }
    }
}

/// The half that hands frames to documents.
struct Reader<'a> {
    app: &'a App,
    peer: PeerId,
    /// Messages that it takes before it answers.
    ahead: u32,
    orders: mpsc::Sender<Order>,
    open: &'a mut HashMap<DocumentId, Connection>,
}

impl Reader<'_> {
    async fn take(&mut self, frame: Frame) -> Result<(), End> {
        let document = match &frame {
            Frame::Request {
                document, sender, ..
            }
            | Frame::Sync {
                document, sender, ..
            } => {
                if *sender != self.peer {
                    let reason = "a frame names another sender than `join` did";
                    return Err(End::limit(reason).because(Refusal::Protocol));
                }
                *document
            }
            Frame::DocUnavailable { document, .. } | Frame::Ephemeral { document, .. } => *document,
            Frame::Join { .. } | Frame::Peer { .. } => {
                return Err(End::protocol(format!(
                    "found `{}` after the handshake",
                    frame.kind()
                )));
            }
            Frame::Leave { .. } => return Err(End::new(close_code::NORMAL, "it left")),
            Frame::Error { message } => {
                return Err(End::new(
                    close_code::NORMAL,
                    format!("it reports: {}", echo(message)),
                ));
            }
            _ => return Ok(()), // A newer protocol's kind: ignored.
        };
        if !self.open.contains_key(&document) {
            if !matches!(frame, Frame::Request { .. } | Frame::Sync { .. }) {
                return Ok(());
            }
            let found = self.app.documents.get(&document).await;
            let found = found.unwrap_or_else(|error| {
                tracing::error!(%document, %error, "a document cannot be opened");
                None
            });
            let Some(handle) = found else {
                let unavailable = Frame::DocUnavailable {
                    document,
                    sender: self.app.documents.peer().clone(),
                    target: self.peer.clone(),
                };
                return self.answer(unavailable).await;
            };
            if self.open.len() >= DOCUMENTS_PER_PEER_MAX {
                return Err(End::limit(format!(
                    "one connection opens at most {DOCUMENTS_PER_PEER_MAX} documents"
                )));
            }
            let (queue, queued) = mpsc::channel(OUTBOUND_FRAMES_MAX);
            let connection = handle.connect(self.peer.clone(), self.ahead, queue).await;
            self.order(Order::Attach(outbound(document, queued)))
                .await?;
            let (server, peer) = (self.app.documents.peer().clone(), self.peer.clone());
            self.order(Order::Attach(news::stream(&handle, server, peer)))
                .await?;
            self.open.insert(document, connection);
        }
        let Some(connection) = self.open.get_mut(&document) else {
            return Ok(());
        };
        connection
            .received(frame)
            .await
            .map_err(|refused| End::new(close_code::POLICY, refused.to_string()))
    }

    async fn answer(&self, frame: Frame) -> Result<(), End> {
        self.order(Order::Send(frame)).await
    }

    async fn order(&self, order: Order) -> Result<(), End> {
        self.orders
            .send(order)
            .await
            .map_err(|_| End::new(close_code::NORMAL, "the writer is gone"))
    }
}

/// A queue as a stream that says when its document ended it.
fn outbound(document: DocumentId, mut queued: mpsc::Receiver<Outgoing>) -> Outbound {
    let mut ended = false;
    Box::pin(poll_fn(move |cx| {
        if ended {
            return std::task::Poll::Ready(None);
        }
        queued.poll_recv(cx).map(|next| {
            Some(next.map_or_else(
                || {
                    ended = true;
                    Queued::Ended(document)
                },
                |frame| Queued::Bytes(Bytes::from_owner(frame)), // Counted until it is written.
            ))
        })
    }))
}

/// The half that sends.
struct Writer {
    sink: SplitSink<WebSocket, Message>,
    queues: SelectAll<Outbound>,
    ordered: mpsc::Receiver<Order>,
}

impl Writer {
    async fn run(&mut self) -> Stopped {
        let mut pings = interval(PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.tick().await;
        loop {
            let message = tokio::select! {
                biased;
                order = self.ordered.recv() => match order {
                    Some(Order::Send(frame)) => Message::Binary(frame.encode().into()),
                    Some(Order::Attach(queue)) => { self.queues.push(queue); continue }
                    None => return Stopped::Here(End::new(close_code::NORMAL, "the reader is gone")),
                },
                queued = self.queues.next(), if !self.queues.is_empty() => match queued {
                    Some(Queued::Bytes(bytes)) => Message::Binary(bytes),
                    Some(Queued::Ended(document)) => return Stopped::ByDocument(document),
                    None => continue,
                },
                _ = pings.tick() => Message::Ping(Vec::new().into()),
            };
            if let Err(error) = self.sink.send(message).await {
                return Stopped::Here(End::new(
                    close_code::ABNORMAL,
                    format!("it cannot be written to: {error}"),
                ));
            }
        }
    }

    /// Says why, in a frame and in the close itself.
    async fn close(&mut self, end: End) {
        if end.code == close_code::ABNORMAL {
            return;
        }
        if !matches!(end.code, close_code::NORMAL | close_code::AWAY) {
            let error = Frame::Error {
                message: end.reason.clone(),
            };
            let _gone = self.sink.send(Message::Binary(error.encode().into())).await;
        }
        let close = CloseFrame {
            code: end.code,
            reason: cut(&end.reason).into(),
        };
        let _gone = self.sink.send(Message::Close(Some(close))).await;
        let _gone = self.sink.close().await;
    }
}

/// The longest beginning of `reason` that a close frame carries.
fn cut(reason: &str) -> &str {
    reason
        .get(..reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX))
        .unwrap_or_default()
}
