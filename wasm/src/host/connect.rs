//! The connection to the server: dialling, the handshake, presence, and dialling again.

use plainsync_core::id::PeerId;
use plainsync_core::limits::MESSAGES_AHEAD_MAX;
use plainsync_core::replica::Input;
use plainsync_core::wire::{Frame, PROTOCOL};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;

use super::{Alarm, Dead, Host, now, random};
use crate::backoff::Backoff;
use crate::messages::{Connection, FromWorker};
use crate::presence::{self, Heard};
use crate::socket::{self, Socket, SocketEvent};

/// How long the server may take to introduce itself, in milliseconds.
const HANDSHAKE_MS: u32 = 10_000;
/// How long a server that said no is left alone, in milliseconds.
const REFUSED_MS: u32 = 30_000;
/// The close code by which a server says that we broke its rules.
const POLICY: u16 = 1008;
/// What Plainsync servers call themselves: what they advertise is on their disk (S2), which others do not promise.
const OUR_SERVER: &str = "plainsync-";

/// What is known about the connection.
#[derive(Debug)]
pub(super) struct Connected {
    socket: Option<Socket>,
    /// Counts sockets, so that events of an earlier one are told apart.
    dial: u64,
    backoff: Backoff,
    state: Connection,
    detail: Option<String>,
    /// Who is at the other end, once it has said so.
    server: Option<PeerId>,
    server_id: Option<String>,
    /// All that the server had is here: said once per connection.
    synced: bool,
    /// What the page says of itself, to everybody who comes.
    said: Vec<u8>,
    /// Presence messages sent.
    beats: u64,
    heard: Heard,
}

impl Connected {
    pub(super) fn new() -> Self {
        Self {
            socket: None,
            dial: 0,
            backoff: Backoff::default(),
            state: Connection::default(),
            detail: None,
            server: None,
            server_id: None,
            synced: false,
            said: presence::NOTHING.to_vec(),
            beats: 0,
            heard: Heard::default(),
        }
    }

    /// What the status says of it.
    pub(super) fn told(&self) -> (Connection, Option<String>, Option<String>) {
        (self.state, self.detail.clone(), self.server_id.clone())
    }

    pub(super) fn is_online(&self) -> bool {
        self.server.is_some()
    }
}

impl Host {
    /// Dials, unless there is a connection.
    pub(super) fn dial(&mut self) -> Result<(), Dead> {
        if self.connected.socket.is_some() || self.closing {
            return Ok(());
        }
        self.timers.remove(&Alarm::Dial);
        self.connected.dial += 1;
        match Socket::dial(
            &socket::address(&self.open.server),
            self.connected.dial,
            self.events.clone(),
        ) {
            Ok(socket) => {
                self.connected.socket = Some(socket);
                self.set_timer(Alarm::Handshake, HANDSHAKE_MS);
            }
            Err(reason) => self.refuse(reason),
        }
        Ok(())
    }

    pub(super) fn on_socket(&mut self, dial: u64, event: SocketEvent) -> Result<(), Dead> {
        if dial != self.connected.dial || self.connected.socket.is_none() {
            return Ok(()); // Of a socket that was given up.
        }
        match event {
            SocketEvent::Opened => {
                let join = Frame::Join {
                    sender: self.me.clone(),
                    storage_id: None,
                    ephemeral: true,
                    ahead: MESSAGES_AHEAD_MAX, // One answer follows each commit, to all that came.
                    versions: vec![PROTOCOL.to_owned()],
                };
                self.send(&join);
                Ok(())
            }
            SocketEvent::Received(bytes) => {
                if let Some(socket) = &self.connected.socket {
                    socket.handled(bytes.len());
                }
                match Frame::decode(&bytes) {
                    Ok(frame) => self.on_frame(frame),
                    Err(error) => {
                        self.page.error(
                            "sync",
                            format!("The server sent what cannot be read: {error}"),
                        );
                        self.lost()
                    }
                }
            }
            SocketEvent::Closed {
                code: POLICY,
                reason,
            } => {
                self.refuse(if reason.is_empty() {
                    "The server refused the connection.".to_owned()
                } else {
                    reason
                });
                Ok(())
            }
            SocketEvent::Closed { .. } => self.lost(),
        }
    }

    fn on_frame(&mut self, frame: Frame) -> Result<(), Dead> {
        let ours = *self.replica.document().id();
        match frame {
            Frame::Peer {
                sender,
                storage_id,
                ephemeral,
                ..
            } => {
                if self.connected.server.is_some() {
                    return Ok(());
                }
                self.timers.remove(&Alarm::Handshake);
                let server =
                    !ephemeral && storage_id.is_some() && sender.as_str().starts_with(OUR_SERVER);
                self.connected.state = Connection::Online;
                self.connected.detail = None;
                self.connected.server_id = storage_id;
                self.connected.server = Some(sender.clone());
                self.step(Input::Connected {
                    peer: sender,
                    dial: true,
                    server,
                    ahead: 1,
                })?;
                self.announce();
                self.upload();
                Ok(())
            }
            Frame::Request { document, .. }
            | Frame::Sync { document, .. }
            | Frame::Ephemeral { document, .. }
            | Frame::DocUnavailable { document, .. }
                if document != ours =>
            {
                Ok(())
            }
            Frame::Request { .. }
            | Frame::Sync { .. }
            | Frame::Ephemeral { .. }
            | Frame::DocUnavailable { .. } => {
                let Some(peer) = self.connected.server.clone() else {
                    return Ok(());
                };
                self.step(Input::Received { peer, frame })
            }
            Frame::Leave { .. } => self.lost(),
            Frame::Error { message } => {
                self.refuse(message);
                Ok(())
            }
            _ => Ok(()), // What is unknown is ignored.
        }
    }

    /// Sends one frame; a connection that does not take it is given up.
    pub(super) fn send(&mut self, frame: &Frame) {
        if self
            .connected
            .socket
            .as_ref()
            .is_some_and(|socket| !socket.send(&frame.encode()))
        {
            // Its own closing event will not come any more: the timer dials again.
            self.connected.detail = Some("The connection was stuck.".to_owned());
            self.set_timer(Alarm::Handshake, 0);
        }
    }

    /// The server has not said who it is, or takes nothing any more.
    pub(super) fn handshake_is_late(&mut self) -> Result<(), Dead> {
        self.connected
            .detail
            .get_or_insert_with(|| "The server did not introduce itself.".to_owned());
        self.lost()
    }

    /// The connection is gone: dials again after a while.
    fn lost(&mut self) -> Result<(), Dead> {
        self.hang_up()?;
        self.connected.state = Connection::Offline;
        let pause = self
            .connected
            .backoff
            .next_ms(u32::from_be_bytes(random()?));
        self.set_timer(Alarm::Dial, pause);
        Ok(())
    }

    /// The server, or the replica, wants no more of this connection.
    pub(super) fn refuse(&mut self, reason: String) {
        self.page.error("sync", reason.clone());
        self.connected.detail = Some(reason);
        self.connected.state = Connection::Refused;
        self.connected.socket = None;
        self.connected.synced = false;
        if let Some(peer) = self.connected.server.take() {
            // Telling the replica that a peer is gone has no effects that could fail.
            drop(self.replica.step(now(), Input::Disconnected { peer }));
        }
        self.timers.remove(&Alarm::Handshake);
        self.set_timer(Alarm::Dial, REFUSED_MS);
    }

    /// Ends the connection on this side.
    pub(super) fn hang_up(&mut self) -> Result<(), Dead> {
        self.connected.socket = None;
        self.connected.synced = false;
        self.timers.remove(&Alarm::Handshake);
        self.timers.remove(&Alarm::Heartbeat);
        match self.connected.server.take() {
            Some(peer) => self.step(Input::Disconnected { peer }),
            None => Ok(()),
        }
    }

    /// The browser thinks that the network came or went.
    pub(super) fn network(&mut self, online: bool) -> Result<(), Dead> {
        if online {
            self.connected.backoff.reset();
            return self.dial();
        }
        if self.connected.socket.is_some() {
            self.lost()
        } else {
            Ok(())
        }
    }

    /// From now on this is what others are told of us.
    pub(super) fn says(&mut self, data: Vec<u8>) {
        self.connected.said = data;
        self.announce();
    }

    /// Says all that there is to say of us, and will say that we are here.
    fn announce(&mut self) {
        self.say(self.connected.said.clone());
    }

    /// Says that we are here.
    pub(super) fn beat(&mut self) {
        if self.connected.beats.is_multiple_of(presence::REPEAT_EVERY) {
            self.announce();
        } else {
            self.say(presence::HEARTBEAT.to_vec());
        }
    }

    pub(super) fn on_presence(&mut self, sender: PeerId, data: &[u8]) {
        if Some(&sender) == self.connected.server.as_ref() {
            // Not about presence: a message for the page, after a CBOR text's head of five bytes.
            let text = data
                .get(5..)
                .and_then(|text| std::str::from_utf8(text).ok());
            if let Some(text) = text.filter(|text| text.starts_with("{\"type\":\"news\"")) {
                self.page.post_json(text);
            }
            return;
        }
        let is_small = data.len() <= presence::PRESENCE_BYTES_MAX;
        let data = if is_small { data } else { &[] };
        if self.connected.heard.one_more(now(), data.len()) {
            self.page.post_bytes(
                &FromWorker::Presence {
                    sender: sender.as_str(),
                },
                data,
            );
        }
    }

    /// Finishes with the server and the other tabs.
    pub(super) fn say_goodbye(&mut self) -> Result<(), Dead> {
        if self.connected.is_online() {
            self.say(presence::GOODBYE.to_vec());
            self.send(&Frame::Leave {
                sender: self.me.clone(),
            });
        }
        self.hang_up()
    }

    /// Says it to everybody, if there is a connection, and that we are here after a while.
    fn say(&mut self, data: Vec<u8>) {
        let Some(target) = self.connected.server.clone() else {
            return;
        };
        self.connected.beats += 1;
        let sender = self.me.clone();
        let frame = Frame::Ephemeral {
            document: *self.replica.document().id(),
            // Drawn anew with each load, so it names the session too.
            session: sender.to_string(),
            sender,
            target,
            count: self.connected.beats,
            data,
        };
        self.send(&frame);
        self.set_timer(Alarm::Heartbeat, presence::HEARTBEAT_MS);
    }

    /// Says once per connection that all the server had is here, and fetches images ahead.
    pub(super) fn tell_synced(&mut self) {
        if self.connected.synced
            || !self.connected.is_online()
            || !self.replica.waiting().server_has_it
        {
            return;
        }
        self.connected.synced = true;
        self.connected.backoff.reset();
        let document = self.replica.document();
        let jobs = document.view().rows().count();
        self.page.log(
            "SYSTEM",
            "SUCCESS",
            "Loaded jobs from server",
            Some(json!({ "jobs": jobs })),
        );
        self.page.post(&FromWorker::Synced);
        let wanted = super::calls::images_newest_first(document);
        let blobs = self.blobs.clone();
        spawn_local(async move { blobs.fetch_ahead(wanted).await });
    }

    /// Uploads the images that the server lacks, while there is a server.
    pub(super) fn upload(&self) {
        if self.connected.is_online() {
            let blobs = self.blobs.clone();
            spawn_local(async move { blobs.upload().await });
        }
    }
}
