//! The way into a document's actor: what can be asked of it, and how many may ask at once.
//!
//! **Invariant:** the inbox is bounded: whoever asks waits for a place first, and a peer has
//! places of its own, so that one that floods fills only those.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use plainsync_core::document::Document;
use plainsync_core::edit::StampedEdit;
use plainsync_core::id::PeerId;
use plainsync_core::plain::import::{ImportBase, ImportOptions, ImportReport};
use plainsync_core::wire::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::clients::OldClient;
use super::error::DocumentError;
use super::handle::{EditOutcome, ListTaken};
use super::keeper::Report;
use super::origin::ImportOrigin;
use super::outgoing::Outgoing;
use super::peers::{End, Token};
use super::state::FileAnswer;
use super::way::{Taken, Way};

/// Most requests that wait for one document.
pub(super) const REQUESTS_MAX: usize = 1_024;

/// Who asked waits here for the answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, DocumentError>>;

/// What can be asked of a document's actor.
pub(super) enum Message {
    /// Apply an edit.
    Edit {
        /// The edit.
        edit: StampedEdit,
        /// Answered when it is durable.
        reply: Reply<EditOutcome>,
    },
    /// Take a file or list in.
    Import {
        /// Its text.
        text: Vec<u8>,
        /// How.
        options: ImportOptions,
        /// Whence, for the log.
        origin: ImportOrigin,
        /// Answered when it is durable.
        reply: Reply<ImportReport>,
    },
    /// Take an old client's whole list in.
    List {
        /// Its text.
        text: Vec<u8>,
        /// The version that the request names.
        named: ImportBase,
        /// Whose it is.
        client: OldClient,
        /// Answered when it is durable.
        reply: Reply<ListTaken>,
    },
    /// Give a copy of the document.
    Copy {
        /// Answered at once.
        reply: Reply<Box<Document>>,
    },
    /// Give a copy of the document to an old client; that it holds this version is noted first.
    Load {
        /// Which.
        client: OldClient,
        /// Answered when it is noted.
        reply: Reply<Box<Document>>,
    },
    /// A connection stands.
    Connected {
        /// Who is at the other end.
        peer: PeerId,
        /// Which connection of theirs.
        token: Token,
        /// Messages that they take before they answer the first of them.
        ahead: u32,
        /// Where frames for them go.
        outbound: tokio::sync::mpsc::Sender<Outgoing>,
        /// Where the reason goes if the document ends it.
        end: End,
    },
    /// A frame arrived.
    Received {
        /// From whom.
        peer: PeerId,
        /// Over which connection.
        token: Token,
        /// The frame.
        frame: Frame,
    },
    /// A connection is gone.
    Disconnected {
        /// Whose.
        peer: PeerId,
        /// Which.
        token: Token,
    },
    /// An image arrived that was not here before.
    BlobArrived,
    /// The keeper of the JSON says something.
    File(Report),
    /// Somebody decided about a file that awaits an answer.
    Answer {
        /// What.
        answer: FileAnswer,
        /// Answered when it is done.
        reply: Reply<()>,
    },
    /// Finish everything and end.
    Stop {
        /// Answered when the file holds everything, or cannot.
        reply: oneshot::Sender<()>,
    },
    /// End as if the process had been killed.
    Abandon,
}

/// A message and its place in the queue.
pub(super) struct Envelope {
    /// The message.
    pub message: Message,
    /// Given back when the message has been dealt with.
    pub place: Place,
}

/// What a message occupies until it has been dealt with, and what came of it is durable.
#[derive(Default)]
pub(super) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    _way: Option<Taken>,
}

/// The sending end. Clones share one queue.
#[derive(Clone)]
pub(super) struct Inbox {
    sender: Sender<Envelope>,
    places: Arc<Semaphore>,
    way: Arc<Way>,
}

impl Inbox {
    /// A new queue.
    pub(super) fn new() -> (Self, Receiver<Envelope>) {
        let (sender, receiver) = mpsc::channel();
        let inbox = Self {
            sender,
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
            way: Arc::default(),
        };
        (inbox, receiver)
    }

    /// Queues what `message` makes of a reply, once there is a place, and waits for the answer.
    pub(super) async fn ask<T>(
        &self,
        message: impl FnOnce(Reply<T>) -> Message,
    ) -> Result<T, DocumentError> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| DocumentError::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.send(message(reply), Some(place))?;
        answer.await.map_err(|_| DocumentError::Closed)?
    }

    /// How many messages wait, or are being dealt with.
    pub(super) fn waiting(&self) -> usize {
        self.way.taken()
    }

    /// Those before whom the threads that stand behind the actor give way.
    pub(super) fn way(&self) -> Arc<Way> {
        Arc::clone(&self.way)
    }

    /// Queues `message` in a place that the caller has, or in none.
    pub(super) fn send(
        &self,
        message: Message,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<(), DocumentError> {
        let place = Place {
            _permit: permit,
            _way: Some(self.way.take()),
        };
        self.sender
            .send(Envelope { message, place })
            .map_err(|_| DocumentError::Closed)
    }
}
