//! A client that others wrote, as the server sees it: automerge and automerge-repo's frames,
//! nothing of ours. It is honest or not, as a test wants it.
//!
//! ```no_run
//! # async fn example(server: plainsync_tests::served::Served) {
//! use plainsync_tests::foreign::Foreign;
//! let mut client = Foreign::join(&server, "client", b"its-actor").await;
//! client.write("note", "an edit");
//! client.acknowledged(&server).await;
//! client.say(b"no sync message".to_vec()).await;
//! println!("{}", client.closing().await.reason);
//! # }
//! ```

use automerge::sync::{Message as SyncMessage, State, SyncDoc as _};
use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, Change, ROOT, ReadDoc as _};
use futures_util::{SinkExt as _, StreamExt as _};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::wire::{Frame, PROTOCOL};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::home::PATIENCE;
use crate::served::Served;

/// Times that an edit is brought again after the server closed the connection.
const ATTEMPTS_MAX: usize = 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// See the module's text.
#[derive(Debug)]
pub struct Foreign {
    /// What it has.
    pub doc: Automerge,
    document: DocumentId,
    name: PeerId,
    state: State,
    server: PeerId,
    socket: Socket,
}

/// How the server ended a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// The code of the close frame; none if there was no such frame.
    pub code: Option<u16>,
    /// What the error frame says, or else the close frame.
    pub reason: String,
}

/// The id of the document that `server` serves.
///
/// # Panics
///
/// If it serves none.
pub async fn document_of(server: &Served) -> DocumentId {
    let health = server.get("/health").await.ok();
    let id = health["documents"][0]["id"].as_str().expect("a document");
    DocumentId::from_text(id).expect("an id")
}

impl Foreign {
    /// Connects, says who it is, and fetches all that there is.
    ///
    /// # Panics
    ///
    /// If the server does not take it.
    pub async fn join(server: &Served, name: &str, actor: &[u8]) -> Self {
        let document = document_of(server).await;
        let name = PeerId::new(name).expect("a short name");
        let (socket, greeted) = greet(server, &name).await;
        let mut client = Self {
            doc: Automerge::new().with_actor(ActorId::from(actor)),
            document,
            name,
            state: State::new(),
            server: greeted,
            socket,
        };
        client.acknowledged(server).await;
        client
    }

    /// Connects anew, as after a restart: what was sent is sent again.
    ///
    /// # Panics
    ///
    /// If the server does not take it.
    pub async fn rejoin(&mut self, server: &Served) {
        (self.socket, self.server) = greet(server, &self.name).await;
        self.state = State::new();
    }

    /// Writes a field of the first job. Nothing is sent.
    ///
    /// # Panics
    ///
    /// If there is no job.
    pub fn write(&mut self, field: &str, value: &str) -> Change {
        let (_, jobs) = self.doc.get(ROOT, "jobs").expect("read").expect("jobs");
        let key = self.doc.keys(&jobs).next().expect("a job");
        let (_, job) = self.doc.get(&jobs, key).expect("read").expect("a job");
        let mut edit = self.doc.transaction();
        edit.put(&job, field, value).expect("a map");
        let hash = edit.commit().0.expect("something new");
        self.doc.get_change_by_hash(&hash).expect("it was made")
    }

    /// Sends what it has until the server says that it has it on its disk. Where the server closed
    /// the connection for another one's sake, it connects again.
    ///
    /// # Panics
    ///
    /// If the server never says so.
    pub async fn acknowledged(&mut self, server: &Served) {
        let mut ended = Closing::default();
        for _ in 0..ATTEMPTS_MAX {
            match self.exchange().await {
                Ok(()) => return,
                Err(closing) => ended = closing,
            }
            self.rejoin(server).await;
        }
        panic!("never acknowledged: {ended:?}");
    }

    /// As [`Foreign::acknowledged`], over this connection only.
    ///
    /// # Errors
    ///
    /// How the server ended the connection.
    pub async fn exchange(&mut self) -> Result<(), Closing> {
        loop {
            if let Some(message) = self.doc.generate_sync_message(&mut self.state) {
                self.say(message.encode()).await;
            }
            let heads = self.doc.get_heads();
            if !heads.is_empty() && self.state.their_heads.as_ref() == Some(&heads) {
                return Ok(());
            }
            match self.hear().await {
                Ok(Some(Frame::Sync { data, .. })) => {
                    let message = SyncMessage::decode(&data).expect("the server's");
                    (self.doc)
                        .receive_sync_message(&mut self.state, message)
                        .expect("the server's");
                }
                Ok(_) => {}
                Err(closing) => return Err(closing),
            }
        }
    }

    /// Sends `data` as if it were a sync message. A connection that is gone does not matter.
    pub async fn say(&mut self, data: Vec<u8>) {
        let frame = self.frame(data);
        self.send(Message::Binary(frame.encode().into())).await;
    }

    /// The frame that [`Foreign::say`] sends.
    #[must_use]
    pub fn frame(&self, data: Vec<u8>) -> Frame {
        Frame::Sync {
            document: self.document,
            sender: self.name.clone(),
            target: self.server.clone(),
            data,
        }
    }

    /// Sends a message, of whatever kind.
    pub async fn send(&mut self, message: Message) {
        let _gone = self.socket.send(message).await;
    }

    /// Reads until the server ends the connection.
    pub async fn closing(&mut self) -> Closing {
        loop {
            if let Err(closing) = self.hear().await {
                return closing;
            }
        }
    }

    /// The next frame; none for pings.
    async fn hear(&mut self) -> Result<Option<Frame>, Closing> {
        let mut closing = Closing::default();
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            match next.expect("the server says something in time") {
                Some(Ok(Message::Binary(bytes))) => match Frame::decode(&bytes) {
                    Ok(Frame::Error { message }) => closing.reason = message,
                    frame => return Ok(frame.ok()),
                },
                Some(Ok(Message::Close(close))) => {
                    if let Some(close) = close {
                        closing.code = Some(close.code.into());
                        if closing.reason.is_empty() {
                            closing.reason = close.reason.to_string();
                        }
                    }
                    return Err(closing);
                }
                Some(Ok(_)) if closing.reason.is_empty() => return Ok(None),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(closing),
            }
        }
    }
}

async fn greet(server: &Served, name: &PeerId) -> (Socket, PeerId) {
    let connected = timeout(PATIENCE, connect_async(server.sync_url())).await;
    let (mut socket, _) = connected.expect("it answers in time").expect("a socket");
    let join = Frame::Join {
        sender: name.clone(),
        storage_id: None,
        ephemeral: false,
        ahead: 0,
        versions: vec![PROTOCOL.to_owned()],
    };
    let join = Message::Binary(join.encode().into());
    socket.send(join).await.expect("it listens");
    let next = timeout(PATIENCE, socket.next()).await;
    match next.expect("it greets in time") {
        Some(Ok(Message::Binary(bytes))) => match Frame::decode(&bytes) {
            Ok(Frame::Peer { sender, .. }) => (socket, sender),
            other => panic!("found {other:?} instead of a greeting"),
        },
        other => panic!("found {other:?} instead of a greeting"),
    }
}
