//! The document's past as people think of it: what was done when, by whom, and how to name it.
//!
//! ```
//! # use std::borrow::Cow;
//! # use plainsync_core::document::Document;
//! # fn example(document: &Document) -> Result<(), Box<dyn std::error::Error>> {
//! let page = document.log(None, 20)?;
//! for entry in &page.entries {
//!     println!("{} {} added, {} removed", entry.version, entry.did.added, entry.did.removed);
//! }
//! let before = document.find_version("HEAD~1")?; // or `9f3c2a1b`, or `2026-01-31 10:00`
//! let diff = document.diff(&before, &document.heads());
//! # Ok(()) }
//! ```
//!
//! # Which version an entry is
//!
//! Changes made apart have no order of their own, and a person who goes back to "the line below
//! the clear" means everything that the list shows from there on. So the log is one list,
//! newest first by the writers' clocks but never a change before one that it follows, and an
//! entry's version is what it and all entries below it made together. Where they were made
//! apart that takes several heads, and the version's name has several parts:
//! `9f3c2a1b,77aa01cd`.
//!
//! What a server reports about one run (started, finished, its image) is one entry, as long as
//! these changes are near each other.
//!
//! **Invariant:** the same changes give the same log everywhere, and a version's name means the
//! same for ever: clocks order lines of the list, they decide nothing.

mod did;
mod diff;
mod find;
mod names;
mod record_log;
mod restore;
mod walk;

use std::collections::HashMap;

use automerge::{ActorId, ChangeHash};
use serde::Serialize;

pub use self::did::{Did, Touched};
pub use self::diff::{Diff, FieldChange, Happened, RecordChange};
pub use self::find::{VersionError, seconds_of};
pub use self::record_log::{RecordEntry, RecordLog};

use self::did::Decoded;
use self::names::Names;
use self::walk::Walk;
use crate::document::Document;
use crate::edit::Key;
use crate::time::Millis;

/// Most entries of one page of the log.
pub const LOG_ENTRIES_MAX: usize = 500;

/// Changes between two of the same run past which they are two entries.
const FOLD_REACH_CHANGES: usize = 32;

/// Digits of a version's name where fewer would be unique, too.
const NAME_DIGITS_MIN: usize = 8;

/// Fewest digits by which a version may be asked for.
pub const PREFIX_DIGITS_MIN: usize = 4;

/// One page of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPage {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// What to pass for the page after it; none on the last.
    pub next: Option<String>,
}

/// One line of the log: what somebody did, and the version that it made.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The version's name: the beginnings of its heads, with commas between them.
    pub version: String,
    /// The version's heads in full.
    pub heads: Vec<String>,
    /// Who, when and with which words.
    #[serde(flatten)]
    pub made: Made,
    /// How many changes it is: more than one where those of a run are told together.
    pub changes: usize,
    /// What it did.
    #[serde(flatten)]
    pub did: Did,
}

/// Who made a change, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// When, as the writer's clock said; shown, never compared (D2).
    pub at: Millis,
    /// The device that wrote it; none for files and foreign clients.
    pub device: Option<String>,
    /// The person or program, if it said so.
    pub author: Option<String>,
    /// `file` for what came from a file or a list, `restore` for a way back; what a foreign client wrote there.
    pub message: Option<String>,
}

impl Document {
    /// One page of the log, at most `limit` entries, from behind `after`: the
    /// [`next`](LogPage::next) of the page before.
    ///
    /// Costs a walk over the metadata of all changes; only those shown are read.
    ///
    /// # Errors
    ///
    /// [`VersionError::Unknown`]: `after` names no change of this document.
    pub fn log(&self, after: Option<&str>, limit: usize) -> Result<LogPage, VersionError> {
        let mut walk = Walk::new(self.automerge());
        let names = Names::new(walk.hashes());
        let mut before = Vec::new();
        if let Some(after) = after {
            let cursor: ChangeHash = after.parse().map_err(|_| find::unknown(after))?;
            loop {
                let passed = walk.next().ok_or_else(|| find::unknown(after))?;
                before.push(passed);
                if passed == cursor {
                    break;
                }
            }
        }
        let mut folder = Folder::new(self, before.len());
        let near = before.len().saturating_sub(FOLD_REACH_CHANGES);
        for (at, hash) in before.iter().enumerate().skip(near) {
            folder.remember(at, *hash);
        }
        let (mut entries, mut last): (Vec<Entry>, _) = (Vec::new(), None);
        let mut ahead = 0;
        let mut next = None;
        loop {
            let heads = walk.heads();
            let Some(hash) = walk.next() else { break };
            if hash == self.first_change() {
                continue; // It makes the empty list, at no time and by nobody.
            }
            let is_full = entries.len() >= limit.clamp(1, LOG_ENTRIES_MAX);
            if is_full && next.is_none() {
                next = last.map(|last: ChangeHash| last.to_string());
            }
            if is_full {
                // The rest of runs that are told on this page.
                ahead += 1;
                if ahead > FOLD_REACH_CHANGES {
                    break;
                }
            }
            let Some(decoded) = Decoded::read(self, hash) else {
                continue;
            };
            match folder.place(&decoded, is_full) {
                Place::Into(Some(entry)) => fold(&mut entries[entry], decoded),
                Place::Into(None) => {}
                Place::New if is_full => continue,
                Place::New => entries.push(Entry {
                    version: names.of(&heads),
                    heads: heads.iter().map(ToString::to_string).collect(),
                    made: self.made(&hash),
                    changes: 1,
                    did: decoded.did,
                }),
            }
            if !is_full {
                last = Some(hash);
            }
        }
        Ok(LogPage { entries, next })
    }

    /// Who made the change `hash`, and when.
    pub(crate) fn made(&self, hash: &ChangeHash) -> Made {
        let meta = self.automerge().get_change_meta_by_hash(hash);
        let Some(meta) = meta else {
            return Made {
                at: Millis(0),
                device: None,
                author: None,
                message: None,
            };
        };
        let (device, author) = self.authorship(&meta.actor);
        let message = meta.message.filter(|message| !message.is_empty());
        Made {
            at: Millis(meta.timestamp.max(0).unsigned_abs().saturating_mul(1000)),
            device,
            author,
            message: message.map(std::borrow::Cow::into_owned),
        }
    }

    /// The device and the name that `actor` writes for.
    fn authorship(&self, actor: &ActorId) -> (Option<String>, Option<String>) {
        let author = self.automerge().get_author_for_actor(actor);
        let text = author.and_then(|author| String::from_utf8(author.as_bytes().to_vec()).ok());
        match text {
            None => (None, None),
            Some(text) => match text.split_once(' ') {
                Some((device, name)) => (Some(device.to_owned()), Some(name.to_owned())),
                None => (Some(text), None),
            },
        }
    }
}

/// Where a change is told.
enum Place {
    New,
    /// In the entry with this index; none if that one is on the page before.
    Into(Option<usize>),
}

/// Finds what belongs to the same run.
struct Folder<'d> {
    document: &'d Document,
    /// The change looked at next, counted from the newest.
    at: usize,
    entries: usize,
    /// Of each run: where its last change was seen, and the entry that tells it.
    runs: HashMap<(Key, String), (usize, Option<usize>)>,
}

impl<'d> Folder<'d> {
    fn new(document: &'d Document, at: usize) -> Self {
        Self {
            document,
            at,
            entries: 0,
            runs: HashMap::new(),
        }
    }

    /// A change of the page before.
    fn remember(&mut self, at: usize, hash: ChangeHash) {
        if let Some(run) = Decoded::read(self.document, hash).and_then(|decoded| decoded.run) {
            self.runs.insert(run, (at, None));
        }
    }

    fn place(&mut self, decoded: &Decoded, is_full: bool) -> Place {
        let at = self.at;
        self.at += 1;
        let Some(run) = &decoded.run else {
            self.entries += usize::from(!is_full);
            return Place::New;
        };
        if let Some((seen, entry)) = self.runs.get_mut(run)
            && at - *seen <= FOLD_REACH_CHANGES
        {
            *seen = at;
            return Place::Into(*entry);
        }
        if !is_full {
            self.runs.insert(run.clone(), (at, Some(self.entries)));
            self.entries += 1;
        }
        Place::New
    }
}

fn fold(entry: &mut Entry, older: Decoded) {
    entry.changes += 1;
    for (into, from) in entry.did.records.iter_mut().zip(older.did.records) {
        for field in from.fields {
            if !into.fields.contains(&field) {
                into.fields.push(field);
            }
        }
        into.fields.sort_unstable();
        into.status = into.status.take().or(from.status);
    }
}
