//! One conversation with one peer about one document: automerge's sync protocol.
//!
//! A session knows what the peer said it has and what was sent to it. It never speaks
//! before it may: the side that opened the connection begins, and the [`Replica`] asks for
//! messages only while everything that it holds is durable (S2).
//!
//! Histories are compared until the peer has everything; from then on, where peers are many, it
//! follows a log of what is new.
//!
//! [`Replica`]: crate::replica::Replica

#[cfg(feature = "fan-out")]
use std::collections::HashSet;

#[cfg(feature = "fan-out")]
use automerge::sync::MessageFlags;
use automerge::sync::{ChunkList, Message, State, SyncDoc};
use automerge::{Change, ChangeHash};

use crate::arrivals::Arrivals;
use crate::document::Document;
#[cfg(feature = "fan-out")]
use crate::fan_out::{Following, Next, Place, Round, SessionNumber};
#[cfg(feature = "fan-out")]
use crate::limits::MESSAGES_AHEAD_MAX;
#[cfg(feature = "fan-out")]
use crate::time::Millis;

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
    /// Two clients write as one: which came first on our disk stays.
    #[cfg(feature = "fan-out")]
    #[error(
        "another change {seq} of actor {actor} came first: a copied client needs an actor of its own"
    )]
    Cloned {
        /// Whose.
        actor: String,
        /// The number that both changes have.
        seq: u64,
    },
    /// The peer left out what its changes build on.
    #[cfg(feature = "fan-out")]
    #[error(
        "{bytes} bytes of changes wait for others that were never sent; at most {bytes_max} may"
    )]
    TooManyOrphans {
        /// All that would wait, of this peer or of all.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
}

/// What a peer's connection is closed for, for those who count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// What it sent is no message.
    Unreadable,
    /// The guard or the document refused what it sent.
    Refused,
    /// It is past a limit.
    Limit,
    /// It does not keep to the protocol.
    Protocol,
}

impl SessionError {
    /// What it counts as.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::Unreadable(_) => Cause::Unreadable,
            Self::Refused(_) => Cause::Refused,
            #[cfg(feature = "fan-out")]
            Self::Guarded(_) | Self::Cloned { .. } => Cause::Refused,
            #[cfg(feature = "fan-out")]
            Self::TooManyOrphans { .. } => Cause::Limit,
        }
    }
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
    #[cfg(feature = "fan-out")]
    follows: Follows,
}

/// How far the peer follows.
#[cfg(feature = "fan-out")]
#[derive(Debug, Default)]
struct Follows {
    number: SessionNumber,
    /// Messages that the peer takes before it answers the first of them.
    ahead: u32,
    following: Option<Following>,
    /// The version that the peer was told last while histories were compared, and its place.
    told: Option<(Vec<ChangeHash>, Place)>,
}

impl Session {
    pub(crate) fn new(dial: bool, server: bool) -> Self {
        Self {
            state: State::new(),
            dial,
            heard: false,
            spoke: false,
            server,
            #[cfg(feature = "fan-out")]
            follows: Follows::default(),
        }
    }

    /// Tells this session from all others of the replica.
    #[cfg(feature = "fan-out")]
    pub(crate) fn numbered(mut self, number: SessionNumber) -> Self {
        self.follows.number = number;
        self
    }

    /// The peer takes `ahead` messages before it answers the first of them; one at least.
    #[cfg(feature = "fan-out")]
    pub(crate) fn taking(mut self, ahead: u32) -> Self {
        self.follows.ahead = ahead.clamp(1, MESSAGES_AHEAD_MAX);
        self
    }

    /// What [`Session::numbered`] was given.
    #[cfg(feature = "fan-out")]
    pub(crate) fn number(&self) -> SessionNumber {
        self.follows.number
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
    #[cfg(not(feature = "fan-out"))]
    pub(crate) fn next_message(&mut self, document: &Document) -> Option<Vec<u8>> {
        self.compare(document)
    }

    /// The next message for the peer, if it should get one.
    #[cfg(feature = "fan-out")]
    pub(crate) fn next_message(
        &mut self,
        now: Millis,
        document: &Document,
        arrivals: &Arrivals,
        round: &mut Round<'_>,
    ) -> Option<Vec<u8>> {
        if let Some(following) = &mut self.follows.following {
            let theirs = self.state.their_heads.as_deref().unwrap_or_default();
            let whom = (self.follows.number, self.follows.ahead);
            match following.next(now, whom, theirs, round) {
                Next::Nothing => return None,
                Next::Message(data) => return Some(data.to_vec()),
                Next::Lost => self.lose(),
            }
        }
        let message = self.compare(document, arrivals);
        if message.is_some() {
            self.follows.told = Some((round.heads().to_vec(), round.end()));
        }
        message
    }

    /// The next message of a comparison of histories.
    fn compare(
        &mut self,
        document: &Document,
        #[cfg(feature = "fan-out")] arrivals: &Arrivals,
    ) -> Option<Vec<u8>> {
        if !self.is_open() {
            return None;
        }
        let message = document
            .automerge()
            .generate_sync_message(&mut self.state)?;
        #[cfg(feature = "fan-out")]
        let message = self.asking(message, document, arrivals);
        self.spoke = true;
        Some(message.encode())
    }

    /// `message`, which asks for what the changes that wait here wait for.
    #[cfg(feature = "fan-out")]
    fn asking(&self, mut message: Message, document: &Document, arrivals: &Arrivals) -> Message {
        if arrivals.is_waiting() && !message.need.is_empty() {
            let theirs = self.state.their_heads.as_deref().unwrap_or_default();
            message.need = arrivals.missing(document, theirs);
        }
        message
    }

    /// Histories are to be compared again.
    #[cfg(feature = "fan-out")]
    pub(crate) fn lose(&mut self) {
        if self.follows.following.take().is_some() {
            let theirs = self.state.their_heads.take();
            self.state = State::new();
            self.state.their_heads = theirs;
        }
        self.follows.told = None;
    }

    /// Takes in a message of the peer's. Returns the changes in it that were new: they are part
    /// of the document afterwards, also where the rest was refused, but not of its view, which
    /// the caller is to let take them in.
    pub(crate) fn receive(
        &mut self,
        document: &mut Document,
        arrivals: &mut Arrivals,
        data: &[u8],
    ) -> (Vec<Change>, Result<(), SessionError>) {
        #[cfg(feature = "fan-out")]
        if let Err(error) = crate::guard::check_message(data, &crate::guard::Limits::PEER) {
            return (Vec::new(), Err(error.into()));
        }
        let mut message = match Message::decode(data) {
            Ok(message) => message,
            Err(error) => return (Vec::new(), Err(SessionError::Unreadable(error.to_string()))),
        };
        self.heard = true;
        let chunks = std::mem::replace(&mut message.changes, ChunkList::empty());
        let (changes, taken) = if chunks.is_empty() {
            (Vec::new(), Ok(()))
        } else {
            arrivals.take(
                document,
                &chunks,
                #[cfg(feature = "fan-out")]
                self.number(),
            )
        };
        if taken.is_err() {
            return (changes, taken);
        }
        #[cfg(feature = "fan-out")]
        if self.still_follows(document, &message, &changes) {
            self.state.their_heads = Some(message.heads);
            return (changes, Ok(()));
        }
        #[cfg(feature = "fan-out")]
        let place = self.place_after(document, &message, &changes);
        let said = self.state.last_sent_heads.clone();
        let received = document
            .automerge_mut()
            .receive_sync_message(&mut self.state, message);
        // Automerge takes equal heads for a conversation that has ended. Ours has not while the
        // peer has never heard them from us: that is how it knows that we have them on disk (S2).
        if !self.state.last_sent_heads.is_empty() {
            self.state.last_sent_heads = said;
        }
        #[cfg(feature = "fan-out")]
        if let (Some((told, place)), Ok(())) = (place, &received) {
            self.follows.following = Some(Following::new(place, told));
        }
        let received = received.map_err(|error| SessionError::Refused(error.to_string()));
        (changes, received)
    }

    /// Whether the peer goes on following after `message`.
    #[cfg(feature = "fan-out")]
    fn still_follows(
        &mut self,
        document: &Document,
        message: &Message,
        changes: &[Change],
    ) -> bool {
        let Some(following) = &mut self.follows.following else {
            return false;
        };
        // Mostly it names what it was told, which costs less to see than to look up.
        let is_known = |heads: &[ChangeHash]| following.told(heads) || document.has(heads);
        let asks = !message.need.is_empty()
            || message.heads.is_empty()
            || (message.flags).is_some_and(|flags| flags.contains(MessageFlags::SYNC_RESET))
            || !is_known(&message.heads)
            || (message.have.first()).is_some_and(|have| !is_known(&have.last_sync));
        if asks {
            self.lose();
            return false;
        }
        following.heard(self.follows.ahead, || newest(message, changes));
        true
    }

    /// What the peer was told last, and where in the log that is, if it has all of it now: it
    /// says so, or has made `changes` on top of it.
    #[cfg(feature = "fan-out")]
    fn place_after(
        &mut self,
        document: &Document,
        message: &Message,
        changes: &[Change],
    ) -> Option<(Vec<ChangeHash>, Place)> {
        let (told, _) = self.follows.told.as_ref()?;
        let only_reads =
            (message.flags).is_some_and(|flags| flags.contains(MessageFlags::READ_ONLY));
        if !message.need.is_empty() || only_reads || !document.has(&message.heads) {
            return None;
        }
        let has = newest(message, changes);
        if told.iter().all(|hash| has.contains(hash)) {
            self.follows.told.take()
        } else {
            None
        }
    }
}

/// The newest changes that a peer has: those that `message` names, and those that `changes`, which it
/// brought, are made on.
#[cfg(feature = "fan-out")]
fn newest(message: &Message, changes: &[Change]) -> HashSet<ChangeHash> {
    let mut has: HashSet<ChangeHash> = message.heads.iter().copied().collect();
    for change in changes.iter().rev() {
        if has.contains(&change.hash()) {
            has.extend(change.deps());
        }
    }
    has
}
