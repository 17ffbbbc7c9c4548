//! A message's changes, taken apart and applied as they are.
//!
//! Asking the merge library for a change again builds it anew, at many times the cost of
//! keeping it. A change whose predecessors are missing waits here and not inside the merge
//! library: what waits there takes its place among its actor's changes before anybody knows
//! whether it ever counts, and the actor's own next change would be refused for it (S4).
//!
//! **Invariant:** what waits is bounded (S5). A message that would go past it is refused before
//! anything of it is applied.
//!
//! **Invariant:** a change that is refused takes with it what hangs on it, and nothing else.

use std::collections::{HashMap, HashSet};
use std::panic::catch_unwind;
use std::sync::Arc;

use automerge::sync::ChunkList;
use automerge::{Automerge, AutomergeError, Change, ChangeHash};

use super::Arrivals;
use super::careful::Failure;
use crate::document::Document;
use crate::fan_out::SessionNumber;
use crate::limits::{ORPHAN_BYTES_MAX, ORPHANS_BYTES_MAX};
use crate::session::SessionError;

/// Automerge's chunk header: 4 bytes magic, 4 bytes checksum, 1 byte kind, then the length.
const HEADER_BYTES: usize = 9;
const KIND_AT: usize = 8;
const KIND_CHANGE: u8 = 1;
const KIND_COMPRESSED_CHANGE: u8 = 2;

/// What a change that waits takes besides its bytes, so that many empty ones are bounded too.
const ORPHAN_OVERHEAD_BYTES: usize = 1024;

/// A change that waits for those that it follows.
#[derive(Debug)]
pub(super) struct Orphan {
    change: Arc<Change>,
    /// Who has sent it.
    from: Vec<SessionNumber>,
}

impl Arrivals {
    /// As [`Arrivals::take`]; none if there is anything but single changes in the message.
    pub(super) fn take_apart(
        &mut self,
        document: &mut Document,
        chunks: &ChunkList,
        from: SessionNumber,
    ) -> Option<(Vec<Change>, Result<(), SessionError>)> {
        let mut changes = Vec::new();
        for chunk in chunks.iter() {
            match single_changes(chunk)? {
                Ok(parsed) => changes.extend(parsed),
                Err(reason) => return Some((Vec::new(), Err(SessionError::Refused(reason)))),
            }
        }
        changes.retain(|change| !document.has(&[change.hash()]));
        if changes.is_empty() {
            return Some((changes, Ok(())));
        }
        Some(self.settle(document, changes, Some(from)))
    }

    /// Takes in the changes of a saved document that the merge library refused as a whole.
    pub(super) fn take_saved(
        &mut self,
        document: &mut Document,
        saved: &[u8],
        from: Option<SessionNumber>,
    ) -> Result<(), SessionError> {
        let loaded = catch_unwind(|| Automerge::load(saved));
        let loaded = loaded.unwrap_or_else(|_| Err(AutomergeError::Fail));
        let loaded = loaded.map_err(|error| SessionError::Refused(error.to_string()))?;
        let mut changes = loaded.get_changes(&[]);
        changes.retain(|change| !document.has(&[change.hash()]));
        self.settle(document, changes, from).1
    }

    /// Applies of `arrived`, which a peer sent, and of what waits all whose predecessors are
    /// there. Returns what is part of the document now and was not before.
    pub(crate) fn settle(
        &mut self,
        document: &mut Document,
        arrived: Vec<Change>,
        from: Option<SessionNumber>,
    ) -> (Vec<Change>, Result<(), SessionError>) {
        let sent: HashSet<ChangeHash> = arrived.iter().map(Change::hash).collect();
        let mut ready = if self.concerns(document, &arrived, &sent) {
            let mut known = HashSet::new();
            let waited = self.waiting.iter().map(|orphan| Arc::clone(&orphan.change));
            let pool = arrived.into_iter().map(Arc::new).chain(waited);
            let pool = pool.filter(|change| known.insert(change.hash()));
            let (ready, orphans) = in_order(document, pool.collect());
            if let Err(error) = self.wait(orphans, from, &sent) {
                return (Vec::new(), Err(error));
            }
            ready.into_iter().map(Arc::unwrap_or_clone).collect()
        } else {
            arrived
        };
        ready.retain(|change| !document.has(&[change.hash()]));
        if ready.is_empty() {
            return (ready, Ok(()));
        }
        let outcome = match self.on(document, |doc| doc.apply_changes(ready.clone())) {
            Ok(()) => Ok(()),
            // One refused change refuses all others.
            Err(Failure::Refused(_)) => self.apply_each(document, &ready),
            Err(failure) => Err(failure.into()),
        };
        ready.retain(|change| document.has(&[change.hash()]));
        (ready, outcome)
    }

    /// Whether any of `arrived` has to wait, or any that waits has waited for one of them.
    fn concerns(
        &self,
        document: &Document,
        arrived: &[Change],
        sent: &HashSet<ChangeHash>,
    ) -> bool {
        if arrived.is_empty() {
            return !self.waiting.is_empty();
        }
        let is_ready = |change: &Change| change.deps().iter().all(|dep| document.has(&[*dep]));
        !arrived.iter().all(is_ready)
            || (self.waiting.iter())
                .any(|orphan| orphan.change.deps().iter().any(|dep| sent.contains(dep)))
    }

    /// Lets `orphans`, and nothing else, wait; `from` has sent those that are in `sent`.
    fn wait(
        &mut self,
        orphans: Vec<Arc<Change>>,
        from: Option<SessionNumber>,
        sent: &HashSet<ChangeHash>,
    ) -> Result<(), SessionError> {
        let before = self.waiting.iter();
        let mut senders: HashMap<ChangeHash, Vec<SessionNumber>> = before
            .map(|orphan| (orphan.change.hash(), orphan.from.clone()))
            .collect();
        let (mut own_bytes, mut all_bytes) = (0, 0);
        let mut waiting = Vec::with_capacity(orphans.len());
        for change in orphans {
            let hash = change.hash();
            let mut senders = senders.remove(&hash).unwrap_or_default();
            senders.extend(from.filter(|from| sent.contains(&hash) && !senders.contains(from)));
            let bytes = change.raw_bytes().len() + ORPHAN_OVERHEAD_BYTES;
            all_bytes += bytes;
            if from.is_some_and(|from| senders.contains(&from)) {
                own_bytes += bytes;
            }
            let from = senders;
            waiting.push(Orphan { change, from });
        }
        for (bytes, bytes_max) in [
            (own_bytes, ORPHAN_BYTES_MAX),
            (all_bytes, ORPHANS_BYTES_MAX),
        ] {
            if bytes > bytes_max {
                return Err(SessionError::TooManyOrphans { bytes, bytes_max });
            }
        }
        self.waiting = waiting;
        Ok(())
    }

    /// A peer is gone: what only it has sent waits no longer. It sends it again when it returns.
    pub(crate) fn leave(&mut self, peer: SessionNumber) {
        self.waiting.retain_mut(|orphan| {
            let before = orphan.from.len();
            orphan.from.retain(|from| *from != peer);
            orphan.from.len() == before || !orphan.from.is_empty()
        });
    }

    /// What to ask a peer for, so that all before its `heads` is here: of a change that waits,
    /// what it waits for.
    pub(crate) fn missing(&self, document: &Document, heads: &[ChangeHash]) -> Vec<ChangeHash> {
        let waiting: HashMap<ChangeHash, &Change> = (self.waiting.iter())
            .map(|orphan| (orphan.change.hash(), &*orphan.change))
            .collect();
        let mut seen = HashSet::new();
        let mut ahead = heads.to_vec();
        let mut missing = Vec::new();
        while let Some(hash) = ahead.pop() {
            if document.has(&[hash]) || !seen.insert(hash) {
                continue;
            }
            match waiting.get(&hash) {
                Some(change) => ahead.extend(change.deps()),
                None => missing.push(hash),
            }
        }
        missing.sort_unstable();
        missing
    }

    /// Whether anything waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Applies those of `changes` that are not refused; the error is the first refusal's.
    fn apply_each(
        &mut self,
        document: &mut Document,
        changes: &[Change],
    ) -> Result<(), SessionError> {
        let mut outcome = Ok(());
        let mut refused: HashSet<ChangeHash> = HashSet::new();
        for change in changes {
            let hangs = change.deps().iter().any(|dep| refused.contains(dep));
            if hangs {
                refused.insert(change.hash());
                continue;
            }
            let applied = self.on(document, |doc| doc.apply_changes([change.clone()]));
            if let Err(failure) = applied {
                refused.insert(change.hash());
                outcome = outcome.and(Err(failure.into()));
            }
        }
        self.forget(refused);
        outcome
    }

    /// Nothing waits any more for what was `refused`.
    fn forget(&mut self, mut refused: HashSet<ChangeHash>) {
        loop {
            let before = self.waiting.len();
            self.waiting.retain(|Orphan { change, .. }| {
                let hangs = change.deps().iter().any(|dep| refused.contains(dep));
                if hangs {
                    refused.insert(change.hash());
                }
                !hangs
            });
            if self.waiting.len() == before {
                return;
            }
        }
    }
}

/// Those of `pool` whose predecessors are in `document` or come before them, and the others.
fn in_order(document: &Document, pool: Vec<Arc<Change>>) -> (Vec<Arc<Change>>, Vec<Arc<Change>>) {
    let mut missing = vec![0_usize; pool.len()];
    let mut followers: HashMap<ChangeHash, Vec<usize>> = HashMap::new();
    for (nth, change) in pool.iter().enumerate() {
        for dep in change.deps() {
            if !document.has(&[*dep]) {
                missing[nth] += 1;
                followers.entry(*dep).or_default().push(nth);
            }
        }
    }
    let mut order: Vec<usize> = (0..pool.len()).filter(|nth| missing[*nth] == 0).collect();
    let mut at = 0;
    while let Some(nth) = order.get(at) {
        for follower in followers.remove(&pool[*nth].hash()).unwrap_or_default() {
            missing[follower] -= 1;
            if missing[follower] == 0 {
                order.push(follower);
            }
        }
        at += 1;
    }
    let mut pool: Vec<Option<Arc<Change>>> = pool.into_iter().map(Some).collect();
    let ready = order.into_iter().filter_map(|nth| pool[nth].take());
    let ready = ready.collect();
    (ready, pool.into_iter().flatten().collect())
}

/// The changes that `bytes` hold one after the other; none if there is anything else in it.
pub(super) fn single_changes(mut bytes: &[u8]) -> Option<Result<Vec<Change>, String>> {
    let mut changes = Vec::new();
    while !bytes.is_empty() {
        let kind = *bytes.get(KIND_AT)?;
        if ![KIND_CHANGE, KIND_COMPRESSED_CHANGE].contains(&kind) {
            return None;
        }
        let (len, len_bytes) = unsigned(bytes.get(HEADER_BYTES..)?)?;
        let end = HEADER_BYTES.checked_add(len_bytes)?.checked_add(len)?;
        match Change::try_from(bytes.get(..end)?) {
            Ok(change) => changes.push(change),
            Err(error) => return Some(Err(error.to_string())),
        }
        bytes = &bytes[end..];
    }
    Some(Ok(changes))
}

/// A LEB128 number and how many bytes it takes.
fn unsigned(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number: u64 = 0;
    for (nth, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * nth);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(number).ok()?, nth + 1));
        }
    }
    None
}
