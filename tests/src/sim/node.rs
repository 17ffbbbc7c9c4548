//! A process of the simulation: a replica, its disk and its clock.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::replica::{Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;

use crate::model::{Shown, ShownRow};

/// How far a clock may be off, in milliseconds: ten years.
const SKEW_MS_MAX: u64 = 10 * 365 * 24 * 3600 * 1000;

/// See the module's text.
pub(super) struct Node {
    pub(super) name: usize,
    pub(super) starts: u8,
    pub(super) replica: Replica,
    /// Chunks that are synced to disk.
    pub(super) disk: Vec<Vec<u8>>,
    /// Written, not synced yet: number and bytes.
    pub(super) unsynced: Vec<(u64, Vec<u8>)>,
    /// Versions that the disk has confirmed.
    pub(super) confirmed: BTreeSet<ChangeHash>,
    /// What the server is known to have, kept as hosts keep it.
    pub(super) server_has: Vec<ChangeHash>,
    /// How far the clock is ahead of the slowest possible one, in milliseconds.
    skew_ms: u64,
}

impl Node {
    /// A process that has no history yet. `dice` sets its clock.
    pub(super) fn new(name: usize, dice: u64) -> Self {
        Self {
            name,
            starts: 1,
            replica: boot(name, 1, &[]),
            disk: Vec::new(),
            unsynced: Vec::new(),
            confirmed: BTreeSet::new(),
            server_has: Vec::new(),
            skew_ms: dice % (2 * SKEW_MS_MAX),
        }
    }

    /// What this node's clock says when it is `now`.
    pub(super) fn clock(&self, now: u64) -> Millis {
        Millis(now + self.skew_ms - SKEW_MS_MAX)
    }

    /// Starts anew from the disk, with another clock.
    pub(super) fn restart(&mut self, dice: u64) {
        self.unsynced.clear();
        self.starts += 1;
        self.skew_ms = dice % (2 * SKEW_MS_MAX);
        self.replica = boot(self.name, self.starts, &self.disk);
        self.replica.set_server_heads(&self.server_has);
    }

    /// What is shown here.
    pub(super) fn shown(&self) -> Shown {
        let document = self.replica.document();
        let rows = document.view().all().map(|row| {
            let conflicts = if row.conflicts.is_empty() {
                BTreeMap::new()
            } else {
                let listed = document.conflicts(&row.key).into_iter();
                let listed = listed.filter(|conflict| row.conflicts.contains(&conflict.field));
                listed
                    .map(|conflict| {
                        let values = conflict.values.into_iter().map(|side| side.value);
                        (conflict.field, values.collect())
                    })
                    .collect()
            };
            let shown = ShownRow {
                job: row.job.clone(),
                label: row.label.clone(),
                in_bin: row.in_bin,
                purged: row.purged,
                kept_by_edit: row.kept_by_edit,
                run: row.run.as_ref().map(|run| run.id.clone()),
                conflicts,
            };
            (row.key.clone(), shown)
        });
        Shown {
            rows: rows.collect(),
            next_number: document.view().next_number(),
        }
    }

    /// The file.
    pub(super) fn export(&self) -> String {
        let bytes = self.replica.document().export(&|_| None::<Cow<'_, [u8]>>);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// How node `name` calls itself.
pub(super) fn peer(name: usize) -> PeerId {
    PeerId::new(format!("node-{name}")).expect("a short name without control characters")
}

/// The node that calls itself so.
pub(super) fn number(peer: &PeerId) -> usize {
    let number = peer.as_str().trim_start_matches("node-");
    number.parse().expect("the simulator's own names")
}

fn boot(name: usize, starts: u8, disk: &[Vec<u8>]) -> Replica {
    let mut actor = [0; 16];
    actor[0] = u8::try_from(name).expect("few nodes");
    actor[1] = starts; // Another actor at each start, as hosts draw them.
    let device = format!("{name:016x}");
    let mut replica = Replica::new(ReplicaConfig {
        document: DocumentId::from_random([9; 16]),
        schema: Schema::job_history(),
        device: device.parse().expect("16 hexadecimal digits"),
        author: None,
        actor,
        peer: peer(name),
    });
    replica.restore(disk).expect("the disk holds whole chunks");
    replica
}
