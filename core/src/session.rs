//! One conversation with one peer about one document: automerge's sync protocol.
//!
//! A session knows what the peer said it has and what was sent to it. It never speaks
//! before it may: the side that opened the connection begins, and the [`Replica`] asks for
//! messages only while everything that it holds is durable (S2).
//!
//! [`Replica`]: crate::replica::Replica

use automerge::ChangeHash;
use automerge::sync::{Message, State, SyncDoc};

use crate::document::Document;

/// Why a peer's message was refused. The connection is closed: a peer resends what was
/// refused only on a new one (S4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The bytes are no sync message.
    #[error("the sync message cannot be read: {0}")]
    Unreadable(String),
    /// The guard refused them before anything was read of them.
    #[cfg(feature = "fan-out")]
    #[error("the guard refused the message: {0}")]
    Guarded(#[from] crate::guard::GuardError),
    /// The changes in it were refused.
    #[error("the changes were refused: {0}")]
    Refused(String),
}

/// What is known about one peer.
#[derive(Debug)]
pub(crate) struct Session {
    state: State,
    /// We opened the connection, so we speak first.
    dial: bool,
    /// The peer has said something.
    heard: bool,
    /// We have said something.
    spoke: bool,
    /// What the peer advertises is on its disk.
    pub(crate) server: bool,
}

impl Session {
    pub(crate) fn new(dial: bool, server: bool) -> Self {
        Self {
            state: State::new(),
            dial,
            heard: false,
            spoke: false,
            server,
        }
    }

    /// Whether the next message is the first of a conversation that we opened.
    pub(crate) fn is_opening(&self) -> bool {
        self.dial && !self.spoke
    }

    /// Whether the peer takes part in the conversation yet.
    pub(crate) fn is_open(&self) -> bool {
        self.dial || self.heard
    }

    /// The heads that the peer advertised last.
    pub(crate) fn their_heads(&self) -> Option<&[ChangeHash]> {
        self.state.their_heads.as_deref()
    }

    /// The next message for the peer, if it should get one.
    pub(crate) fn next_message(&mut self, document: &Document) -> Option<Vec<u8>> {
        if !self.is_open() {
            return None;
        }
        let message = document
            .automerge()
            .generate_sync_message(&mut self.state)?;
        self.spoke = true;
        Some(message.encode())
    }

    /// Takes in a message of the peer's. Changes in it are part of the document afterwards,
    /// but not of its view: the caller takes them in there.
    pub(crate) fn receive(
        &mut self,
        document: &mut Document,
        data: &[u8],
    ) -> Result<(), SessionError> {
        #[cfg(feature = "fan-out")]
        crate::guard::check_message(data, &crate::guard::Limits::PEER)?;
        let message =
            Message::decode(data).map_err(|error| SessionError::Unreadable(error.to_string()))?;
        self.heard = true;
        let said = self.state.last_sent_heads.clone();
        let received = document
            .automerge_mut()
            .receive_sync_message(&mut self.state, message);
        // Automerge takes equal heads for a conversation that has ended. Ours has not while the
        // peer has never heard them from us: that is how it knows that we have them on disk (S2).
        if !self.state.last_sent_heads.is_empty() {
            self.state.last_sent_heads = said;
        }
        received.map_err(|error| SessionError::Refused(error.to_string()))
    }
}
