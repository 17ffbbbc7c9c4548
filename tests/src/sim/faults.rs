//! What befalls the simulated system from outside: connections, partitions, time, disks, crashes.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use plainsync_core::limits::MESSAGES_AHEAD_MAX;
use plainsync_core::replica::Input;

use super::node::peer;
use super::{Breakage, PATIENCE_MS, SERVER, Sim};
use crate::model::{Violation, must};

impl Sim {
    pub(super) fn connect(&mut self, client: usize) -> Result<(), Violation> {
        if !self.network.connect(client) {
            return Ok(());
        }
        // Every other client takes many messages before it answers, as tabs do.
        let ahead = if client.is_multiple_of(2) {
            MESSAGES_AHEAD_MAX
        } else {
            1
        };
        self.input(
            SERVER,
            Input::Connected {
                peer: peer(client),
                dial: false,
                server: false,
                ahead,
            },
        )?;
        self.input(
            client,
            Input::Connected {
                peer: peer(SERVER),
                dial: true,
                server: true,
                ahead: 1,
            },
        )
    }

    pub(super) fn cut(&mut self, client: usize) -> Result<(), Violation> {
        if !self.network.cut(client) {
            return Ok(());
        }
        self.input(SERVER, Input::Disconnected { peer: peer(client) })?;
        self.input(client, Input::Disconnected { peer: peer(SERVER) })
    }

    /// Some clients, or none, cannot reach the server from now on.
    pub(super) fn part(&mut self) -> Result<(), Violation> {
        let dice = self.chance.draw();
        let apart: BTreeSet<usize> = (1..self.nodes.len())
            .filter(|client| dice >> client & 1 == 1)
            .collect();
        for client in &apart {
            self.cut(*client)?;
        }
        self.network.part(apart);
        Ok(())
    }

    pub(super) fn tick(&mut self) -> Result<(), Violation> {
        self.now += self.chance.below(PATIENCE_MS);
        for name in 0..self.nodes.len() {
            self.input(name, Input::Tick)?;
        }
        Ok(())
    }

    /// Confirms what was written so far.
    pub(super) fn sync_disk(&mut self, name: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[name];
        let Some((seq, _)) = node.unsynced.last() else {
            return Ok(());
        };
        let seq = *seq;
        node.disk
            .extend(node.unsynced.drain(..).map(|(_, bytes)| bytes));
        node.confirmed.extend(node.replica.document().heads());
        self.input(name, Input::Persisted { seq })
    }

    /// Kills the process, connections too. Of what its disk had not confirmed, a beginning `may`
    /// be there after all.
    pub(super) fn crash(&mut self, name: usize, may: bool) -> Result<(), Violation> {
        self.counts.crashes += 1;
        for client in 1..self.nodes.len() {
            if (name == SERVER || name == client) && self.network.cut(client) {
                let (other, gone) = if name == SERVER {
                    (client, SERVER)
                } else {
                    (SERVER, client)
                };
                self.input(other, Input::Disconnected { peer: peer(gone) })?;
            }
        }
        let written = self.nodes[name].unsynced.len() + 1;
        let there = if may { self.below(written) } else { 0 };
        let dice = self.chance.draw();
        let node = &mut self.nodes[name];
        let broken = self.breakage.filter(|_| name == SERVER);
        if broken == Some(Breakage::ForgetsWhatWasSynced) {
            node.disk.pop();
            node.unsynced.clear();
        } else if broken != Some(Breakage::AcknowledgesBeforeSync) {
            let written = node.unsynced.drain(..there);
            node.disk.extend(written.map(|(_, bytes)| bytes));
        }
        node.restart(dice);
        self.check_acknowledged()?;
        let node = &self.nodes[name];
        let confirmed: Vec<ChangeHash> = node.confirmed.iter().copied().collect();
        must(node.replica.document().has(&confirmed), "S2", || {
            format!("node {name} lost what its disk had confirmed")
        })?;
        self.check(name)
    }
}
