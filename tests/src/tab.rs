//! A sync client as a browser tab is one: the engine's replica behind a WebSocket.
//!
//! It keeps everything in memory and calls that durable, so it loses nothing while it lives. A
//! server may die under it at any moment: what was not acknowledged is sent again.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use plainsync_core::blob::Blob;
use plainsync_core::edit::{Edit, EditId, StampedEdit};
use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::limits::MESSAGES_AHEAD_MAX;
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::wire::{Frame, PROTOCOL};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::home::PATIENCE;
use crate::served::try_send;

/// See the module's text.
#[derive(Debug)]
pub struct Tab {
    replica: Replica,
    name: String,
    edits: u64,
    now: u64,
    /// Images that the server has not confirmed.
    images: Vec<Blob>,
    connection: Option<Connection>,
    /// Presence messages that arrived: whose, and what they say in CBOR.
    presence: Vec<(PeerId, Vec<u8>)>,
    announced: u64,
}

#[derive(Debug)]
struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    server: PeerId,
}

impl Tab {
    /// A tab that has seen nothing of `document` yet; `number` tells tabs apart.
    #[must_use]
    pub fn new(document: DocumentId, number: u8) -> Self {
        let name = format!("tab-{number}");
        let replica = Replica::new(ReplicaConfig {
            document,
            schema: Schema::job_history(),
            device: DeviceId::from_random([number; 8]),
            author: None,
            actor: [number; 16],
            peer: PeerId::new(name.clone()).expect("a short name"),
        });
        Self {
            replica,
            name,
            edits: 0,
            now: 1_763_000_000_000,
            images: Vec::new(),
            connection: None,
            presence: Vec::new(),
            announced: 0,
        }
    }

    /// What it has.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Whether the server is known to have every edit made here on its disk, images included.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.replica.waiting().edits == 0 && self.images.is_empty()
    }

    /// Whether a connection stands, as far as is known.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Connects to `url`; false if the server does not answer or goes away meanwhile.
    pub async fn connect(&mut self, url: &str) -> bool {
        self.disconnect();
        let Ok(Ok((mut socket, _))) = timeout(PATIENCE, connect_async(url)).await else {
            return false;
        };
        let join = Frame::Join {
            sender: PeerId::new(self.name.clone()).expect("a short name"),
            storage_id: None,
            ephemeral: false,
            ahead: MESSAGES_AHEAD_MAX,
            versions: vec![PROTOCOL.to_owned()],
        };
        if socket
            .send(Message::Binary(join.encode().into()))
            .await
            .is_err()
        {
            return false;
        }
        let Ok(Some(Ok(Message::Binary(bytes)))) = timeout(PATIENCE, socket.next()).await else {
            return false;
        };
        let Ok(Frame::Peer { sender: server, .. }) = Frame::decode(&bytes) else {
            return false;
        };
        let peer = server.clone();
        self.connection = Some(Connection { socket, server });
        self.step(Input::Connected {
            peer,
            dial: true,
            server: true,
            ahead: 1,
        })
        .await;
        self.is_connected()
    }

    /// Makes one edit, and sends it if there is a connection.
    pub async fn edit(&mut self, edit: Edit) {
        self.edits += 1;
        let stamped = StampedEdit {
            id: EditId(format!("edit-{}-{:010}", self.name, self.edits)),
            at: Millis(self.now),
            edit,
        };
        self.step(Input::Edit(stamped)).await;
    }

    /// Presence messages that arrived so far: whose, and what they say in CBOR.
    #[must_use]
    pub fn presence(&self) -> &[(PeerId, Vec<u8>)] {
        &self.presence
    }

    /// Sends a presence message, CBOR, to whoever else has the document open.
    pub async fn announce(&mut self, data: Vec<u8>) {
        self.announced += 1;
        let Some(connection) = &self.connection else {
            return;
        };
        let frame = Frame::Ephemeral {
            document: *self.replica.document().id(),
            sender: PeerId::new(self.name.clone()).expect("a short name"),
            target: connection.server.clone(),
            count: self.announced,
            session: format!("session-of-{}", self.name),
            data,
        };
        self.send(frame).await;
    }

    /// Uploads the images that the server at `url` has not confirmed yet, as far as it answers.
    pub async fn upload(&mut self, url: &str) {
        while let Some(image) = self.images.last() {
            let (path, kind) = (format!("/api/v1/{}", path_of(image)), image.mime.as_str());
            let headers = [("content-type", kind)];
            let answer = try_send(url, "PUT", &path, &headers, image.bytes.clone()).await;
            let Some(answer) = answer else { return };
            assert!(answer.status.is_success(), "{path}: {}", answer.text());
            self.images.pop();
        }
    }

    /// Takes in what arrives within `wait`. False when the connection is gone.
    pub async fn listen(&mut self, wait: Duration) -> bool {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let Some(connection) = &mut self.connection else {
                return false;
            };
            let message = match tokio::time::timeout_at(deadline, connection.socket.next()).await {
                Err(_) => return true,
                Ok(message) => message,
            };
            match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let frame = Frame::decode(&bytes).expect("a frame of the server's");
                    let peer = connection.server.clone();
                    self.step(Input::Received { peer, frame }).await;
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => self.disconnect(),
            }
        }
    }

    fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            let peer = connection.server;
            let input = Input::Disconnected { peer };
            self.replica
                .step(Millis(self.now), input)
                .expect("a disconnection is never refused");
        }
    }

    async fn step(&mut self, input: Input) {
        self.now += 1;
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let effects = self.replica.step(Millis(self.now), input);
            for effect in effects.expect("the replica takes it") {
                match effect {
                    Effect::Persist { seq, .. } => inputs.push(Input::Persisted { seq }),
                    Effect::Blobs(images) => self.images.extend(images),
                    Effect::Send { frame, .. } => self.send(frame).await,
                    Effect::Presence { sender, data } => self.presence.push((sender, data)),
                    Effect::Close { reason, .. } => panic!("the replica closes: {reason}"),
                    _ => {}
                }
            }
        }
    }

    async fn send(&mut self, frame: Frame) {
        let Some(connection) = &mut self.connection else {
            return; // It went while the effects before this one were performed.
        };
        let message = Message::Binary(frame.encode().into());
        if connection.socket.send(message).await.is_err() {
            self.disconnect();
        }
    }
}

/// `blob:sha256-…` as the server's path has it: `blobs/sha256-…`.
fn path_of(image: &Blob) -> String {
    image.hash.to_string().replacen("blob:", "blobs/", 1)
}
