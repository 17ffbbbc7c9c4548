//! Keeps the JSON file of one document: a thread that writes it and watches for others who do.
//!
//! The document's actor sends [`Order`]s and gets [`Report`]s. Writing waits for nothing
//! here: the actor says when. Watching is a look at the file's time, size and number every
//! [`Pace::poll`]; what changed is read, and offered once it has been the same twice.
//!
//! **Invariant:** content that the actor has not called settled is never replaced, and
//! content that it refused is offered again only when it changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::warn;

use super::disk::{Disk, Look, temp_beside};
use super::projection::{ContentHash, Found, Projection, Replaced};

/// A file whose time is closer than this to our look may change again without a new time.
const TIME_GRAIN: Duration = Duration::from_secs(2);

/// How long things take; the defaults are for people, tests use shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at the file.
    pub poll: Duration,
    /// Between finding changed content and accepting it.
    pub stable: Duration,
    /// Without a change, before the file is written.
    pub quiet: Duration,
    /// Longest time that steady changes keep the file from being written.
    pub busy: Duration,
    /// After a failure of the disk, before it is tried again; doubles up to 32 times this.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            stable: Duration::from_millis(300),
            quiet: Duration::from_millis(200),
            busy: Duration::from_secs(2),
            retry: Duration::from_secs(1),
        }
    }
}

/// Makes the file's bytes, away from the actor's thread.
///
/// # Errors
///
/// A sentence: the file is not written.
pub(super) type Render = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

/// What the actor asks for.
pub(super) enum Order {
    /// Replace the file.
    Write {
        /// Gives the bytes.
        render: Render,
        /// The heads of their version.
        heads: Vec<String>,
    },
    /// This content is in the document.
    Settled(ContentHash),
    /// This content was looked at already, and refused.
    Refused(ContentHash),
    /// Look again at content that was refused.
    Recheck,
}

/// What the actor hears.
#[derive(Debug)]
pub(super) enum Report {
    /// Content that is not settled is there, and does not change any more.
    Found {
        /// The content.
        bytes: Vec<u8>,
        /// Its hash, for [`Order::Settled`].
        hash: ContentHash,
    },
    /// The file is gone.
    Missing,
    /// The file is as ordered.
    Written {
        /// Its size, in bytes.
        len: u64,
        /// How long rendering and writing took.
        took: Duration,
    },
    /// Content that is not settled is there; it will be offered when it no longer changes.
    Postponed,
    /// The file could not be written as ordered; a sentence.
    Failed(String),
    /// The file could not be read; a sentence.
    Unread(String),
    /// It could be read again.
    ReadAgain,
}

/// See the module's text.
pub(super) struct Keeper {
    disk: Arc<dyn Disk>,
    projection: Projection,
    pace: Pace,
    orders: Receiver<Order>,
    report: Box<dyn Fn(Report) + Send>,
    /// Where the hash and heads of the last projection are noted for the next start.
    note: PathBuf,
    /// What the file looked like when its content was last known to be dealt with.
    dealt_with: Option<Look>,
    /// Content that was offered, and not settled since.
    offered: Option<ContentHash>,
    /// Content that was seen once.
    candidate: Option<(ContentHash, Look)>,
    /// In how many looks the file has been missing.
    missing: u32,
    /// What could not be read was reported.
    failed: bool,
    next_poll: Instant,
}

impl Keeper {
    /// A keeper for `projection`; [`Keeper::run`] makes it work.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        projection: Projection,
        pace: Pace,
        note: PathBuf,
        orders: Receiver<Order>,
        report: Box<dyn Fn(Report) + Send>,
    ) -> Self {
        Self {
            disk,
            projection,
            pace,
            orders,
            report,
            note,
            dealt_with: None,
            offered: None,
            candidate: None,
            missing: 0,
            failed: false,
            next_poll: Instant::now() + pace.poll,
        }
    }

    /// Works until nobody can send orders any more.
    pub(super) fn run(mut self) {
        loop {
            let wait = self.next_poll.saturating_duration_since(Instant::now());
            match self.orders.recv_timeout(wait) {
                Ok(Order::Write { render, heads }) => self.write(render, &heads),
                Ok(Order::Settled(hash)) => self.projection.settle(hash),
                Ok(Order::Refused(hash)) => self.offered = Some(hash),
                Ok(Order::Recheck) => {
                    (self.offered, self.dealt_with) = (None, None);
                    self.next_poll = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.next_poll <= Instant::now() {
                self.next_poll = Instant::now() + self.pace.poll;
                self.poll();
            }
        }
    }

    fn write(&mut self, render: Render, heads: &[String]) {
        let started = Instant::now();
        let replaced = render().and_then(|bytes| {
            let replaced = self.projection.replace(&bytes, heads);
            Ok((replaced.map_err(|error| error.to_string())?, bytes))
        });
        (self.report)(match replaced {
            Ok((Replaced::Written | Replaced::Same, bytes)) => {
                self.missing = 0;
                self.offered = None;
                self.write_note(&bytes, heads);
                Report::Written {
                    len: bytes.len() as u64,
                    took: started.elapsed(),
                }
            }
            Ok((Replaced::Other, _)) => {
                self.next_poll = Instant::now();
                Report::Postponed
            }
            Err(sentence) => Report::Failed(sentence),
        });
    }

    /// Notes what was written. It only saves work at the next start: failing is no matter,
    /// and neither is a crash that leaves half of it.
    fn write_note(&self, bytes: &[u8], heads: &[String]) {
        let note = note_text(ContentHash::of(bytes), heads);
        let written = temp_beside(&self.note).and_then(|temp| {
            let mut file = self.disk.create(&temp, Some(0o600))?;
            file.append(note.as_bytes())?;
            self.disk.rename(&temp, &self.note)
        });
        if let Err(error) = written {
            warn!(path = %self.note.display(), %error, "a note for a faster start could not be written");
        }
    }

    fn poll(&mut self) {
        match self.look_and_find() {
            Ok(()) if self.failed => {
                self.failed = false;
                (self.report)(Report::ReadAgain);
            }
            Ok(()) => {}
            Err(error) if !self.failed => {
                self.failed = true;
                let file = self.projection.file().display();
                (self.report)(Report::Unread(format!("{file} cannot be read: {error}")));
            }
            Err(_) => {}
        }
    }

    fn look_and_find(&mut self) -> std::io::Result<()> {
        let Some(look) = self.projection.look()? else {
            self.candidate = None;
            self.dealt_with = None;
            self.missing += 1;
            match self.missing {
                1 => self.next_poll = Instant::now() + self.pace.stable,
                2 => (self.report)(Report::Missing),
                _ => {}
            }
            return Ok(());
        };
        self.missing = 0;
        if self.dealt_with.as_ref() == Some(&look) {
            return Ok(());
        }
        let bytes = match self.projection.find()? {
            Found::Missing => return Ok(()),
            Found::Settled => {
                self.deal_with(look);
                return Ok(());
            }
            Found::Other(bytes) => bytes,
        };
        let hash = ContentHash::of(&bytes);
        if self.offered == Some(hash) {
            self.deal_with(look);
        } else if self.candidate == Some((hash, look.clone())) {
            self.deal_with(look);
            self.offered = Some(hash);
            (self.report)(Report::Found { bytes, hash });
        } else {
            self.candidate = Some((hash, look));
            self.next_poll = Instant::now() + self.pace.stable;
        }
        Ok(())
    }

    fn deal_with(&mut self, look: Look) {
        self.candidate = None;
        let fresh = look
            .modified
            .and_then(|modified| modified.elapsed().ok())
            .is_some_and(|age| age < TIME_GRAIN);
        self.dealt_with = (!fresh).then_some(look);
    }
}

/// What is noted of a projection: its hash and its heads.
pub(super) fn note_text(hash: ContentHash, heads: &[String]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in hash.0 {
        let _ = write!(text, "{byte:02x}"); // A String takes everything.
    }
    format!("{text}\n{}\n", heads.join("\n"))
}
