//! The conversation of one peer with one document.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use plainsync_core::id::PeerId;
use plainsync_core::wire::Frame;
use tokio::sync::{Semaphore, mpsc};

use super::{DocumentHandle, Shared};
use crate::document::inbox::{Inbox, Message};
use crate::document::outgoing::Outgoing;
use crate::document::peers::{End, Token};

/// Bytes of received frames that may wait for the document, per peer, in KiB.
const PEER_QUEUE_KIB_MAX: u32 = 32 * 1024;

impl DocumentHandle {
    /// Begins a conversation with `peer`, which takes `ahead` messages before it answers. Encoded frames for it go to `outbound`, whose
    /// capacity is how far the peer may fall behind; the document ends the conversation by
    /// dropping its end of that queue.
    pub async fn connect(
        &self,
        peer: PeerId,
        ahead: u32,
        outbound: mpsc::Sender<Outgoing>,
    ) -> Connection {
        let token = self.shared.connections.fetch_add(1, Ordering::Relaxed);
        let end = End::default();
        self.shared.told.add(token, &outbound);
        let connection = Connection {
            shared: Arc::clone(&self.shared),
            peer: peer.clone(),
            token,
            end: Arc::clone(&end),
            inbox: self.inbox.clone(),
            _held: Arc::clone(&self.held),
            places: Arc::new(Semaphore::new(PEER_QUEUE_KIB_MAX as usize)),
        };
        let message = Message::Connected {
            peer,
            token,
            ahead,
            outbound,
            end,
        };
        if let Err(error) = self.inbox.send(message, None) {
            let _ = connection.end.set(error.to_string());
        }
        connection
    }
}

/// One peer's conversation with one document. Dropping it ends it.
pub struct Connection {
    shared: Arc<Shared>,
    peer: PeerId,
    token: Token,
    end: Arc<OnceLock<String>>,
    inbox: Inbox,
    _held: Arc<()>,
    places: Arc<Semaphore>,
}

/// The document has ended the conversation: close the socket, for this reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Ended(pub String);

impl Connection {
    /// Hands a frame of the peer's to the document. Waits while too much of the same peer's
    /// waits already.
    ///
    /// # Errors
    ///
    /// [`Ended`]: the conversation is over; close the socket.
    pub async fn received(&self, frame: Frame) -> Result<(), Ended> {
        let kib = frame_bytes(&frame) / 1024 + 1;
        let kib = u32::try_from(kib).map_or(PEER_QUEUE_KIB_MAX, |kib| kib.min(PEER_QUEUE_KIB_MAX));
        let place = Arc::clone(&self.places)
            .acquire_many_owned(kib)
            .await
            .map_err(|_| Ended(self.end()))?;
        if self.end.get().is_some() {
            return Err(Ended(self.end()));
        }
        let message = Message::Received {
            peer: self.peer.clone(),
            token: self.token,
            frame,
        };
        self.inbox
            .send(message, Some(place))
            .map_err(|error| Ended(error.to_string()))
    }

    /// Why the document ended the conversation; `None` while it goes on.
    #[must_use]
    pub fn end_reason(&self) -> Option<String> {
        self.end.get().cloned()
    }

    /// Why the document ended the conversation, once its queue has ended.
    #[must_use]
    pub fn end(&self) -> String {
        self.end
            .get()
            .cloned()
            .unwrap_or_else(|| "the server is stopping".to_owned())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.told.remove(self.token);
        let message = Message::Disconnected {
            peer: self.peer.clone(),
            token: self.token,
        };
        let _ = self.inbox.send(message, None); // A document that has ended needs no goodbye.
    }
}

fn frame_bytes(frame: &Frame) -> usize {
    match frame {
        Frame::Request { data, .. } | Frame::Sync { data, .. } | Frame::Ephemeral { data, .. } => {
            data.len()
        }
        _ => 0,
    }
}
