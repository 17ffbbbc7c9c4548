//! Passing on to many peers what one of them wrote.
//!
//! Comparing histories, as automerge's sync protocol does, costs more than the change that is
//! passed on. So the replica keeps a [`Log`] of what came last, in the order in which it came. A
//! peer that is known to have everything is [`Following`]: it has a place in the log, and is sent
//! what came after it, once, in a sync message that any client of the protocol understands.
//!
//! At most one message is on its way to a peer, or as many as it says that it takes ahead of its
//! answer. What comes meanwhile goes together in the next, so that a slow peer gets fewer and larger
//! messages. Reading an answer costs about as much as sending a message: our own client, which
//! answers when what came is on its disk, answers many with one.
//!
//! **Invariant:** a peer that asks for something, names a version that is not known here or does
//! not answer, is no longer following; histories are compared again (S3).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use automerge::sync::{BloomFilter, ChunkList, Have, Message, MessageVersion};
use automerge::{Change, ChangeHash};

use crate::limits::{ANSWER_MS_MAX, LOG_BYTES_MAX};
use crate::time::Millis;

/// Tells one session from all others of a replica.
pub(crate) type SessionNumber = u64;

/// A place in a [`Log`]: how many changes came before it.
pub(crate) type Place = u64;

/// What came last, in the order in which it came.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// The place of the first entry.
    start: Place,
    entries: VecDeque<Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    bytes: Box<[u8]>,
    /// Whom it came from.
    from: Option<SessionNumber>,
}

impl Log {
    /// Notes changes that came from `from`, or were made here.
    pub(crate) fn add(&mut self, changes: &[Change], from: Option<SessionNumber>) {
        for change in changes {
            let bytes: Box<[u8]> = change.raw_bytes().into();
            self.bytes += bytes.len();
            self.entries.push_back(Entry { bytes, from });
        }
        while self.bytes > LOG_BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.start += 1;
            self.bytes -= oldest.bytes.len();
        }
    }

    /// The place behind everything.
    pub(crate) fn end(&self) -> Place {
        self.start + self.entries.len() as u64
    }

    /// What came after `place`; none if it is not at hand any more.
    fn after(&self, place: Place) -> Option<impl Iterator<Item = &Entry>> {
        let skip = usize::try_from(place.checked_sub(self.start)?).ok()?;
        Some(self.entries.iter().skip(skip))
    }
}

/// The sync messages made for one round of sending: peers at one place get the same one.
pub(crate) struct Round<'l> {
    log: &'l Log,
    /// The version that the messages tell: all of it is durable.
    heads: &'l [ChangeHash],
    made: Vec<(Place, Arc<[u8]>)>,
}

impl<'l> Round<'l> {
    pub(crate) fn new(log: &'l Log, heads: &'l [ChangeHash]) -> Self {
        Self {
            log,
            heads,
            made: Vec::new(),
        }
    }

    /// The version that this round tells.
    pub(crate) fn heads(&self) -> &'l [ChangeHash] {
        self.heads
    }

    /// The place that this round leads to.
    pub(crate) fn end(&self) -> Place {
        self.log.end()
    }

    /// What came after `place`, without what came from session `number`, and whether that is
    /// anything at all; none if it is not at hand any more.
    fn message(&mut self, place: Place, number: SessionNumber) -> Option<(Arc<[u8]>, bool)> {
        let is_own = |entry: &&Entry| entry.from == Some(number);
        let wrote = self.log.after(place)?.any(|entry| is_own(&entry));
        if !wrote && let Some((_, data)) = self.made.iter().find(|(at, _)| *at == place) {
            return Some((Arc::clone(data), place < self.end()));
        }
        let changes: Vec<Vec<u8>> = self
            .log
            .after(place)?
            .filter(|entry| !is_own(entry))
            .map(|entry| entry.bytes.to_vec())
            .collect();
        let any = !changes.is_empty();
        let message = Message {
            heads: self.heads.to_vec(),
            need: Vec::new(),
            have: vec![Have {
                last_sync: self.heads.to_vec(),
                bloom: BloomFilter::default(),
            }],
            changes: ChunkList::from(changes),
            flags: None,
            version: MessageVersion::V1,
        };
        let data: Arc<[u8]> = message.encode().into();
        if !wrote {
            self.made.push((place, Arc::clone(&data)));
        }
        Some((data, any))
    }
}

/// A peer that is known to have everything before its place in the log.
#[derive(Debug)]
pub(crate) struct Following {
    place: Place,
    /// The version that it was told last.
    told: Vec<ChangeHash>,
    /// The messages with changes that it has not answered yet: when each was sent, and the version
    /// that it leads to.
    unanswered: VecDeque<(Millis, Vec<ChangeHash>)>,
}

/// What there is for a peer.
pub(crate) enum Next {
    /// Nothing, or nothing yet.
    Nothing,
    /// This message.
    Message(Arc<[u8]>),
    /// Histories must be compared.
    Lost,
}

impl Following {
    pub(crate) fn new(place: Place, told: Vec<ChangeHash>) -> Self {
        Self {
            place,
            told,
            unanswered: VecDeque::new(),
        }
    }

    /// Whether the peer was told `heads` lately: then they are known here.
    pub(crate) fn told(&self, heads: &[ChangeHash]) -> bool {
        self.told == heads || self.unanswered.iter().any(|(_, told)| told == heads)
    }

    /// The peer, which takes `ahead` messages before it answers, said something when it had `has`. One
    /// that takes one answers that; one that takes many answers those that lead to what it has.
    pub(crate) fn heard(&mut self, ahead: u32, has: impl FnOnce() -> HashSet<ChangeHash>) {
        if ahead <= 1 {
            self.unanswered.clear();
        }
        if self.unanswered.is_empty() {
            return;
        }
        let has = has();
        let arrived =
            |(_, told): &(Millis, Vec<ChangeHash>)| told.iter().all(|hash| has.contains(hash));
        if let Some(last) = self.unanswered.iter().rposition(arrived) {
            self.unanswered.drain(..=last);
        }
    }

    /// What to send to the peer of session `number`, which takes `ahead` messages before it answers
    /// and has said last that it has `theirs`.
    pub(crate) fn next(
        &mut self,
        now: Millis,
        (number, ahead): (SessionNumber, u32),
        theirs: &[ChangeHash],
        round: &mut Round<'_>,
    ) -> Next {
        let first = self.unanswered.front();
        if first.is_some_and(|(since, _)| now.0.saturating_sub(since.0) > ANSWER_MS_MAX) {
            return Next::Lost;
        }
        if self.unanswered.len() >= ahead as usize {
            return Next::Nothing;
        }
        if theirs == round.heads() {
            self.place = round.end(); // It has everything, however it came to it.
        }
        if self.place == round.end() && self.told == round.heads() {
            return Next::Nothing;
        }
        let Some((data, any)) = round.message(self.place, number) else {
            return Next::Lost;
        };
        self.place = round.end();
        self.told = round.heads().to_vec();
        if any {
            self.unanswered.push_back((now, self.told.clone()));
        }
        Next::Message(data)
    }
}
