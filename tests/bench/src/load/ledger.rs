//! When each edit was made, and when each client had it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use super::{Load, LoadError, Role};

/// The first four bytes of a change's hash, which stand in the change as its checksum.
pub(crate) type Mark = [u8; 4];

/// All edits of one run.
#[derive(Debug)]
pub(crate) struct Ledger {
    load: Load,
    origin: Instant,
    /// Microseconds since `origin`, by edit.
    made_us: Vec<AtomicU64>,
    /// How often an edit reached a client.
    reached: AtomicUsize,
    marks: RwLock<HashMap<Mark, usize>>,
}

impl Ledger {
    pub(crate) fn new(load: Load) -> Self {
        Self {
            load,
            origin: Instant::now(),
            made_us: (0..load.all_edits()).map(|_| AtomicU64::new(0)).collect(),
            reached: AtomicUsize::new(0),
            marks: RwLock::default(),
        }
    }

    pub(crate) fn load(&self) -> &Load {
        &self.load
    }

    /// The number of an edit among those of all writers.
    pub(crate) fn edit(&self, writer: usize, number: usize) -> usize {
        writer * self.load.edits + number
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// `edit` is about to be made.
    pub(crate) fn made(&self, edit: usize) {
        if let Some(at) = self.made_us.get(edit) {
            at.store(self.now_us(), Ordering::Release);
        }
    }

    /// Edits are known by `mark` from now on.
    ///
    /// # Errors
    ///
    /// Fails if another edit has it: then the run cannot tell them apart.
    pub(crate) fn name(&self, mark: Mark, edit: usize) -> Result<(), LoadError> {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        match marks.insert(mark, edit) {
            None => Ok(()),
            Some(other) => Err(LoadError::Edit(format!(
                "the hashes of the edits {other} and {edit} begin alike; run it again"
            ))),
        }
    }

    /// The edits among `marks`.
    pub(crate) fn edits_of(&self, marks: &[Mark]) -> Vec<usize> {
        let known = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks
            .iter()
            .filter_map(|mark| known.get(mark).copied())
            .collect()
    }

    /// How often an edit reached a client so far.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::Relaxed)
    }

    /// When the last edit was made.
    pub(crate) fn last_made_us(&self) -> u64 {
        let all = self.made_us.iter().map(|at| at.load(Ordering::Acquire));
        all.max().unwrap_or(0)
    }
}

/// What one client has had so far.
#[derive(Debug)]
pub(crate) struct Seen {
    ledger: Arc<Ledger>,
    /// Microseconds that each edit took; `None` until it is here.
    took_us: Vec<Option<u64>>,
    missing: usize,
    /// When the last one came, in the ledger's time.
    last_us: u64,
}

impl Seen {
    /// Nothing yet; a writer's own edits are not waited for.
    pub(crate) fn new(ledger: Arc<Ledger>, role: Role) -> Self {
        let load = *ledger.load();
        let own = match role {
            Role::Writer(_) => load.edits,
            Role::Reader | Role::Seeder => 0,
        };
        let mut took_us = vec![None; load.all_edits()];
        if let Role::Writer(number) = role {
            took_us[number * load.edits..][..load.edits].fill(Some(0));
        }
        Self {
            ledger,
            took_us,
            missing: load.all_edits() - own,
            last_us: 0,
        }
    }

    /// `edits` are here now.
    pub(crate) fn mark(&mut self, edits: impl IntoIterator<Item = usize>) {
        let now = self.ledger.now_us();
        for edit in edits {
            let Some(took @ None) = self.took_us.get_mut(edit) else {
                continue;
            };
            let made = self.ledger.made_us[edit].load(Ordering::Acquire);
            *took = Some(now.saturating_sub(made));
            self.missing -= 1;
            self.ledger.reached.fetch_add(1, Ordering::Relaxed);
            self.last_us = now;
        }
    }

    /// How many edits are not here yet.
    pub(crate) fn missing(&self) -> usize {
        self.missing
    }

    /// When the last edit came.
    pub(crate) fn last_us(&self) -> u64 {
        self.last_us
    }

    /// What each edit took, as far as they came.
    pub(crate) fn took_us(&self) -> impl Iterator<Item = u64> {
        self.took_us.iter().flatten().copied()
    }
}
