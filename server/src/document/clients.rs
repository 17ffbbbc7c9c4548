//! What old clients hold: the versions of the list that each was given, or made by its last save
//! (L2).
//!
//! ```text
//! <state>/<hash of folder>/<file>/clients = chunk*
//! chunk = one client as JSON; a later one of the same name replaces an earlier one
//! ```
//!
//! A client *holds* what it may have before its eyes: every list that it was given since its last
//! save, or what that save made. What it held *before* is remembered for a while as well: two
//! tabs of one browser are one client, and the second one may still show an older list.
//!
//! A record is on disk before its answer is sent, so that a crash loses no version that a client
//! has. What is lost or damaged all the same is as if the client had never come: its next list adds
//! and updates, and removes nothing (F6).
//!
//! **Invariant:** nothing here is ever a reason to refuse a list.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use plainsync_core::chunk;
use plainsync_core::limits::BASE_VERSIONS_MAX;
use plainsync_core::plain::base::{Handed, remember};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::disk::{Disk, write_whole};

/// Old clients remembered for each document; those not heard of for longest are forgotten first.
pub const OLD_CLIENTS_MAX: usize = 200;

/// How long a client that is not heard of is remembered, in seconds.
pub const OLD_CLIENT_AGE_SECONDS_MAX: i64 = 90 * 24 * 60 * 60;

/// The file is only appended to below this, in bytes.
const REWRITE_BYTES_MIN: usize = 256 * 1024;

/// It is written anew when it has grown to this many times what it was then.
const REWRITE_GROWTH: usize = 4;

/// Longest name of a client, in bytes.
pub const CLIENT_NAME_BYTES_MAX: usize = 64;

/// Who asks. The first name is how it is recognised; what it is given is noted under all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldClient {
    names: Vec<String>,
    /// How it was known before it showed its name.
    former: Option<String>,
}

impl OldClient {
    /// A client that shows `name`.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            names: vec![name.into()],
            former: None,
        }
    }

    /// The same, which will perhaps show `other` from now on.
    #[must_use]
    pub fn or(mut self, other: impl Into<String>) -> Self {
        self.names.push(other.into());
        self
    }

    /// The same, which was known as `former` before it showed its name: what it holds is not
    /// looked for there any more.
    #[must_use]
    pub fn formerly(mut self, former: impl Into<String>) -> Self {
        self.former = Some(former.into());
        self
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        let short = |name: &&String| name.len() <= CLIENT_NAME_BYTES_MAX;
        self.names.iter().filter(short)
    }
}

/// What is known of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    /// What it may have before its eyes, oldest first.
    pub holds: Vec<Handed>,
    /// What it held earlier, oldest first.
    #[serde(default)]
    pub before: Vec<Handed>,
    /// How many records the newest of `holds` has.
    pub records: usize,
    /// A digest of the last list that it posted, if `holds` is what that made.
    #[serde(default)]
    pub posted: Option<String>,
    /// When it was heard of last, in seconds since the Unix epoch.
    pub at: i64,
}

impl Held {
    fn make_room(&mut self) {
        let room = BASE_VERSIONS_MAX.saturating_sub(self.holds.len());
        let excess = self.before.len().saturating_sub(room);
        self.before.drain(..excess);
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    held: Held,
}

/// See the module's text.
pub(super) struct Clients {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    known: HashMap<String, Held>,
    /// Names whose lines are to be written.
    dirty: BTreeSet<String>,
    /// How long the file is, and how long it was when it was written anew, in bytes.
    bytes: usize,
    rewritten_bytes: usize,
    /// Something in the file is not as it was written: nothing may be appended to it.
    damaged: bool,
}

impl Clients {
    /// What `path` says; a line that cannot be read is as if it had never been written.
    pub(super) fn open(disk: Arc<dyn Disk>, path: PathBuf, now: i64) -> Self {
        let mut clients = Self {
            disk,
            path,
            known: HashMap::new(),
            dirty: BTreeSet::new(),
            bytes: 0,
            rewritten_bytes: 0,
            damaged: false,
        };
        clients.read();
        clients.forget_old(now);
        clients
    }

    /// Back to what is on disk.
    pub(super) fn read(&mut self) {
        self.known.clear();
        self.dirty.clear();
        let bytes = self.disk.read(&self.path).unwrap_or_default();
        self.bytes = bytes.len();
        self.damaged = false;
        let mut chunks = chunk::read(&bytes);
        while let Some(next) = chunks.next() {
            match next {
                Ok(chunk) => {
                    if let Ok(Line { name, held }) = serde_json::from_slice(chunk.bytes) {
                        self.known.insert(name, held);
                    }
                }
                Err(broken) => {
                    warn!(
                        file = %self.path.display(), at = broken.at,
                        "what old clients hold was not noted whole; lists of theirs may only add and update"
                    );
                    // An older line of the same client may stand before the damage: it would be
                    // believed although a newer one is lost.
                    self.known.clear();
                    self.damaged = true;
                    let Some(at) = broken.next else { break };
                    chunks.go_on(at);
                }
            }
        }
    }

    /// What `client` holds.
    pub(super) fn of(&self, client: &OldClient) -> Held {
        let name = client.names().next();
        let held = name.and_then(|name| self.known.get(name));
        held.cloned().unwrap_or_default()
    }

    /// `client` is given `version`, which has so many records.
    pub(super) fn gave(&mut self, client: &OldClient, version: &Handed, records: usize, now: i64) {
        for name in client.names() {
            let held = self.known.entry(name.clone()).or_default();
            if held.holds.last() == Some(version) {
                continue; // Asked again: nothing new to note.
            }
            held.posted = None;
            remember(&mut held.holds, version.clone());
            (held.records, held.at) = (records, now);
            held.make_room();
            self.dirty.insert(name.clone());
        }
        self.forget_old(now);
    }

    /// A list of `client` was taken in: it holds `version` now, or nothing that has a name.
    /// `from` is the earlier version that it was made from, if it was not one that was held.
    pub(super) fn took(
        &mut self,
        client: &OldClient,
        version: Option<&Handed>,
        from: Option<&Handed>,
        (records, posted): (usize, String),
        now: i64,
    ) {
        let before = self.of(client);
        for name in client.names() {
            let held = self.known.entry(name.clone()).or_default();
            *held = Held {
                holds: version.cloned().into_iter().collect(),
                before: before.before.clone(),
                records,
                posted: version.is_some().then(|| posted.clone()),
                at: now,
            };
            for earlier in &before.holds {
                remember(&mut held.before, earlier.clone());
            }
            held.before
                .retain(|earlier| Some(earlier) != from && Some(earlier) != version);
            held.make_room();
            self.dirty.insert(name.clone());
        }
        if let Some(former) = &client.former
            && let Some(held) = self.known.get_mut(former)
        {
            let count = held.holds.len();
            let moved = |version: &Handed| {
                before.holds.contains(version) || before.before.contains(version)
            };
            held.holds.retain(|version| !moved(version));
            if held.holds.len() < count {
                self.dirty.insert(former.clone());
            }
        }
        self.forget_old(now);
    }

    /// Writes what is new; it is on disk on return, if the disk works.
    pub(super) fn keep(&mut self) {
        if self.dirty.is_empty() {
            return;
        }
        let large = REWRITE_BYTES_MIN.max(self.rewritten_bytes.saturating_mul(REWRITE_GROWTH));
        let written = if self.damaged || self.bytes > large {
            self.rewrite()
        } else {
            self.append()
        };
        if let Err(error) = written {
            warn!(
                file = %self.path.display(), %error,
                "it was not noted what an old client holds; after a restart its lists may only add and update"
            );
            self.damaged = true; // Whatever is there now: it is written anew next time.
            return;
        }
        self.dirty.clear();
    }

    fn append(&mut self) -> std::io::Result<()> {
        let lines = self.lines(self.dirty.iter())?;
        let mut file = self.disk.open_append(&self.path)?;
        file.append(&lines)?;
        file.sync_data()?;
        self.bytes += lines.len();
        Ok(())
    }

    fn rewrite(&mut self) -> std::io::Result<()> {
        let lines = self.lines(self.known.keys())?;
        write_whole(&*self.disk, &self.path, &lines, Some(0o600))?;
        (self.bytes, self.rewritten_bytes) = (lines.len(), lines.len());
        self.damaged = false;
        Ok(())
    }

    fn lines<'n>(&self, names: impl Iterator<Item = &'n String>) -> std::io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for name in names {
            let Some(held) = self.known.get(name) else {
                continue; // Forgotten since.
            };
            let line = Line {
                name: name.clone(),
                held: held.clone(),
            };
            chunk::append(&mut lines, &serde_json::to_vec(&line)?)
                .map_err(std::io::Error::other)?;
        }
        Ok(lines)
    }

    fn forget_old(&mut self, now: i64) {
        self.known
            .retain(|_, held| now.saturating_sub(held.at) < OLD_CLIENT_AGE_SECONDS_MAX);
        while self.known.len() > OLD_CLIENTS_MAX {
            let oldest = self
                .known
                .iter()
                .min_by_key(|(name, held)| (held.at, *name))
                .map(|(name, _)| name.clone());
            let Some(name) = oldest else { break };
            self.known.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
