//! All changes as one list, newest first.

use std::collections::{BTreeSet, HashMap};

use automerge::{Automerge, ChangeHash};

/// Most heads that a version of the log is named by: a person does not type more, and somebody who
/// opens thousands of branches must not make every line as long.
const HEADS_MAX: usize = 32;

/// Goes through the changes of a document: newest first by their times, never a change before
/// all that follow it were passed.
pub(super) struct Walk {
    changes: Vec<Passed>,
    by_hash: HashMap<ChangeHash, usize>,
    /// What may come next: just these are the heads of what has not been passed.
    ready: BTreeSet<(i64, ChangeHash)>,
}

struct Passed {
    hash: ChangeHash,
    seconds: i64,
    parents: Vec<usize>,
    /// How many that follow it have not been passed.
    followers: usize,
}

impl Walk {
    /// A walk from the newest version.
    pub(super) fn new(doc: &Automerge) -> Self {
        let metas = doc.get_changes_meta(&[]);
        let by_hash: HashMap<ChangeHash, usize> = (metas.iter().enumerate())
            .map(|(at, meta)| (meta.hash, at))
            .collect();
        let mut changes: Vec<Passed> = (metas.iter())
            .map(|meta| Passed {
                hash: meta.hash,
                seconds: meta.timestamp,
                parents: (meta.deps.iter())
                    .filter_map(|hash| by_hash.get(hash).copied())
                    .collect(),
                followers: 0,
            })
            .collect();
        for at in 0..changes.len() {
            for nth in 0..changes[at].parents.len() {
                let parent = changes[at].parents[nth];
                changes[parent].followers += 1;
            }
        }
        let ready = (changes.iter())
            .filter(|change| change.followers == 0)
            .map(|change| (change.seconds, change.hash))
            .collect();
        Self {
            changes,
            by_hash,
            ready,
        }
    }

    /// Every change, in no particular order.
    pub(super) fn hashes(&self) -> impl Iterator<Item = ChangeHash> {
        self.changes.iter().map(|change| change.hash)
    }

    /// Every change with its time in seconds, in no particular order.
    pub(super) fn times(&self) -> impl Iterator<Item = (ChangeHash, i64)> {
        let times = self.changes.iter();
        times.map(|change| (change.hash, change.seconds))
    }

    /// The next change, without passing it.
    pub(super) fn peek(&self) -> Option<ChangeHash> {
        self.ready.last().map(|(_, hash)| *hash)
    }

    /// The version that the next change and all behind it make, sorted. Where that has more than
    /// [`HEADS_MAX`] heads, it is the next change's own.
    pub(super) fn heads(&self) -> Vec<ChangeHash> {
        if self.ready.len() > HEADS_MAX {
            return self.peek().into_iter().collect();
        }
        let mut heads: Vec<ChangeHash> = self.ready.iter().map(|(_, hash)| *hash).collect();
        heads.sort_unstable();
        heads
    }

    /// The next change.
    pub(super) fn next(&mut self) -> Option<ChangeHash> {
        let (_, hash) = self.ready.pop_last()?;
        let at = *self.by_hash.get(&hash)?;
        for parent in std::mem::take(&mut self.changes[at].parents) {
            let parent = &mut self.changes[parent];
            parent.followers -= 1;
            if parent.followers == 0 {
                self.ready.insert((parent.seconds, parent.hash));
            }
        }
        Some(hash)
    }
}
