//! Keeps the files of one document: a thread that writes the JSON and the published journal, and
//! watches for others who write.
//!
//! The document's actor sends [`Order`]s and gets [`Report`]s. Writing waits for nothing
//! here: the actor says when. Watching is a look at each file's time, size and number every
//! [`Pace::poll`], and when somebody says that something happened; what changed in the JSON is
//! read, and offered once it has been the same twice.
//!
//! **Invariant:** content that the actor has not called settled is never replaced, and
//! content that it refused is offered again only when it changed.

mod copies;
mod orders;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use plainsync_core::blob::BlobRef;
use plainsync_core::document::Document;
use tracing::warn;

use super::actor::now;
use super::blobs::Blobs;
use super::disk::{Disk, Look, make_folders, temp_beside};
use super::inspect::inspect;
use super::join::Rivals;
use super::journal::Record;
use super::note::{seal, unseal};
use super::projection::{ContentHash, Found, Projection, Replaced};
use super::render::{Rendered, render_file};
use super::ring::Ring;
use super::shared::{Arrived, Neighbours, Published};
use super::snapshot::Version;
use super::way::{FreedInSteps, waited};
use super::written::Written;

use self::copies::ConflictCopies;
pub use self::orders::Pace;
pub(super) use self::orders::{Kept, Order, Publishing, Report};

/// How the note of what is about to be written ends.
pub(super) const NEXT: &str = "next";

/// Longest time between two looks at a folder that the system does not watch for us.
const UNWATCHED_POLL_MAX: Duration = Duration::from_secs(1);

/// A file whose time is closer than this to our look may change again without a new time.
const TIME_GRAIN: Duration = Duration::from_secs(2);

/// See the module's text.
pub(super) struct Keeper {
    disk: Arc<dyn Disk>,
    projection: Projection,
    published: Published,
    neighbours: Neighbours,
    rivals: Rivals,
    ring: Ring,
    written: Written,
    copies: ConflictCopies,
    blobs: Blobs,
    pace: Pace,
    orders: Receiver<Order>,
    report: Box<dyn Fn(Report) + Send>,
    note: PathBuf,
    archive: PathBuf,
    /// Images that the file refers to and that are not here.
    wanted: Vec<BlobRef>,
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
    /// A keeper; [`Keeper::run`] makes it work.
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        kept: Kept,
        pace: Pace,
        orders: Receiver<Order>,
        report: Box<dyn Fn(Report) + Send>,
    ) -> Self {
        Self {
            copies: ConflictCopies::new(Arc::clone(&disk), kept.projection.file()),
            disk,
            projection: kept.projection,
            published: kept.published,
            neighbours: kept.neighbours,
            rivals: kept.rivals,
            ring: kept.ring,
            written: kept.written,
            blobs: kept.blobs,
            pace,
            orders,
            report,
            note: kept.note,
            archive: kept.archive,
            wanted: Vec::new(),
            dealt_with: None,
            offered: None,
            candidate: None,
            missing: 0,
            failed: false,
            next_poll: Instant::now() + pace.poll,
        }
    }

    /// Nobody will say that something happened.
    pub(super) fn look_more_often(&mut self) {
        self.pace.poll = self.pace.poll.min(UNWATCHED_POLL_MAX);
        self.next_poll = self.next_poll.min(Instant::now() + self.pace.poll);
    }

    pub(super) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// What lies in the folder of shared histories at the start: that of others, and this
    /// device's own.
    pub(super) fn first_look(&mut self) -> (Vec<Arrived>, Vec<u8>) {
        self.published.sweep();
        let own = self.published.found_other().ok().flatten();
        (self.neighbours.look(), own.unwrap_or_default())
    }

    /// Works until nobody can send orders any more.
    pub(super) fn run(mut self) {
        loop {
            let wait = self.next_poll.saturating_duration_since(Instant::now());
            match self.orders.recv_timeout(wait) {
                Ok(order) => self.take(order),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.next_poll <= Instant::now() {
                self.next_poll = Instant::now() + self.pace.poll;
                self.poll();
            }
        }
    }

    /// Does what waits to be done, and looks once: [`Keeper::run`] without time.
    pub(super) fn turn(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            self.take(order);
        }
        self.poll();
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Write(version) => self.write(&version),
            Order::Settled(hash) => {
                self.projection.settle(hash);
                // If a crash comes before the file is written: what is in it then is no version put back.
                self.note_next([Some(hash)]);
                self.look_anew(); // What lies there may have been settled, and is not any more.
            }
            Order::Refused(hash) => self.offered = Some(hash),
            Order::NothingRefused => {
                self.offered = None;
                self.look_anew();
            }
            Order::Recheck => {
                self.offered = None;
                self.neighbours.forget();
                self.copies.forget();
                self.look_anew();
            }
            Order::Look => self.next_poll = Instant::now(),
            Order::Publish { records, version } => self.publish(&records, &version),
            Order::PublishWhole { document, version } => self.publish_whole(&document, &version),
            Order::PublishedComplete => self.published.adopt_shown(),
            Order::Archive { path, hash } => {
                if let Err(error) = self.archive_copy(&path, hash) {
                    warn!(path = %path.display(), %error, "a conflict copy that was merged could not be moved to the archive");
                }
            }
        }
    }

    /// Reads the file at the next look, whatever it looks like, and does not wait for that.
    fn look_anew(&mut self) {
        self.dealt_with = None;
        self.next_poll = Instant::now();
    }

    fn publish(&mut self, records: &[Record], version: &Version) {
        let appended = self.published.append(records);
        self.tell_published(appended.map(|appended| match appended {
            true => Publishing::Done,
            false => Publishing::NeedsWhole,
        }));
        self.keep_version(version);
    }

    fn publish_whole(&mut self, document: &Document, version: &Version) {
        let written = self.published.rewrite(document.save());
        self.tell_published(written.map(|()| Publishing::Done));
        self.keep_version(version);
    }

    fn tell_published(&self, done: io::Result<Publishing>) {
        let done = done.unwrap_or_else(|error| {
            let path = self.published.path().display();
            Publishing::Failed(format!("{path} cannot be written: {error}"))
        });
        (self.report)(Report::Published(done));
    }

    fn keep_version(&self, version: &Version) {
        let now = i64::try_from(now().0 / 1000).unwrap_or(i64::MAX);
        if let Err(error) = self.ring.tend(&version.heading, &*version.snapshot, now) {
            warn!(%error, "an older version could not be kept; the history itself is in the journal");
        }
    }

    /// Moves a conflict copy away, unless it has become another one.
    fn archive_copy(&self, path: &Path, hash: ContentHash) -> io::Result<()> {
        match self.disk.read(path) {
            Ok(bytes) if ContentHash::of(&bytes) == hash => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        make_folders(&*self.disk, &self.archive)?;
        let to = self.archive.join(format!("{name}.{}", hash.short()));
        match self.disk.rename(path, &to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()), // Another did it.
            other => other,
        }
    }

    fn write(&mut self, version: &Version) {
        let started = Instant::now();
        let (rows, heads) = (&*version.snapshot, &version.snapshot.heads);
        let waited_before = waited();
        // Before the file is made: who saved it waits for us to take it in.
        if self.projection.is_other(heads) {
            self.look_anew();
            (self.report)(Report::Postponed);
            return;
        }
        let rendered = render_file(&version.heading, rows, || version.blob_refs(), &self.blobs);
        let rendered = rendered.map_err(|error| error.to_string());
        let replaced = rendered.and_then(|Rendered { bytes, missing }| {
            // If a crash comes before the note below: what is in the file then is ours, or what it replaces.
            self.note_next([Some(ContentHash::of(&bytes)), self.projection.settled()]);
            let replaced = self.projection.replace(&bytes, heads);
            self.wanted = missing;
            Ok((
                replaced.map_err(|error| error.to_string())?,
                FreedInSteps(bytes),
            ))
        });
        let report = match replaced {
            Ok((Replaced::Written | Replaced::Same, bytes)) => {
                self.missing = 0;
                self.offered = None;
                self.write_note(heads);
                self.note_next([self.projection.settled()]); // What was replaced may be put back from now on.
                self.written.add(heads);
                Report::Written {
                    len: bytes.len() as u64,
                    took: started.elapsed().saturating_sub(waited() - waited_before),
                }
            }
            Ok((Replaced::Other, _)) => {
                self.report_displaced();
                self.look_anew();
                Report::Postponed
            }
            Err(sentence) => Report::Failed(sentence),
        };
        (self.report)(report);
    }

    /// Whole saves that stood there for a moment are taken in at once (F7): before the file is looked at, somebody
    /// who has not seen them may save over them. What lies there now comes last: it is what was found.
    fn report_displaced(&mut self) {
        for bytes in self.projection.take_displaced().into_iter().rev() {
            if inspect(&bytes).is_ok() {
                let hash = ContentHash::of(&bytes);
                self.offered = Some(hash);
                (self.report)(Report::Found { bytes, hash });
            }
        }
    }

    /// Notes what was written. It only saves work at the next start: failing is no matter,
    /// and neither is a crash that leaves half of it.
    fn write_note(&self, heads: &[String]) {
        let Some(hash) = self.projection.settled() else {
            return;
        };
        self.write_to(&self.note, &note_text(hash, heads));
    }

    /// Notes what may be in the file if a crash comes: none of it is an older version that was put back.
    fn note_next<const N: usize>(&self, hashes: [Option<ContentHash>; N]) {
        let hashes: Vec<_> = hashes.iter().flatten().map(ToString::to_string).collect();
        self.write_to(&self.next_note(), &hashes.join("\n"));
    }

    fn next_note(&self) -> PathBuf {
        self.note.with_extension(NEXT)
    }

    /// The hashes of what may have been in the file at the end.
    pub(super) fn read_next_note(&self) -> String {
        let text = self.disk.read(&self.next_note()).unwrap_or_default();
        unseal(&text).unwrap_or_default().to_owned()
    }

    fn write_to(&self, path: &Path, text: &str) {
        let written = temp_beside(path).and_then(|temp| {
            let mut file = self.disk.create(&temp, Some(0o600))?;
            file.append(&seal(text))?;
            self.disk.rename(&temp, path)
        });
        if let Err(error) = written {
            warn!(path = %path.display(), %error, "a note for a faster start could not be written");
        }
    }

    fn poll(&mut self) {
        // Histories first: a file may wait for them.
        self.look_at_histories();
        self.look_at_copies();
        if !self.wanted.is_empty() && self.wanted.iter().any(|image| self.is_here(image)) {
            self.wanted.clear(); // The next write says what is still missing.
            (self.report)(Report::ImageArrived);
        }
        match self.look_and_find() {
            Ok(()) if self.failed => {
                self.failed = false;
                (self.report)(Report::ReadAgain);
            }
            Ok(()) => {}
            Err(error) if !self.failed => {
                self.failed = true;
                (self.report)(Report::unread(self.projection.file(), &error));
            }
            Err(_) => {}
        }
    }

    fn look_at_histories(&mut self) {
        for arrived in self.neighbours.look() {
            (self.report)(Report::Arrived(arrived));
        }
        if self.rivals.look() {
            (self.report)(Report::Superseded);
        }
        match self.published.found_other() {
            Ok(None) => {}
            Ok(Some(bytes)) => (self.report)(Report::OwnPublished(bytes)),
            Err(error) => {
                let path = self.published.path().display();
                let sentence = format!("{path} cannot be read: {error}");
                (self.report)(Report::Published(Publishing::Failed(sentence)));
            }
        }
    }

    fn look_at_copies(&mut self) {
        for (path, bytes, hash) in self.copies.look() {
            (self.report)(Report::Copy { path, bytes, hash });
        }
        if self.copies.waits() {
            self.next_poll = self.next_poll.min(Instant::now() + self.pace.stable);
        }
    }

    fn is_here(&self, image: &BlobRef) -> bool {
        self.blobs.has(image) && self.blobs.get(image).is_ok_and(|found| found.is_some())
    }

    fn look_and_find(&mut self) -> io::Result<()> {
        let Some(look) = self.projection.look()? else {
            self.candidate = None;
            self.dealt_with = None;
            self.missing += 1;
            match self.missing {
                1 => self.next_poll = Instant::now() + self.pace.stable,
                2 => {
                    self.offered = None; // Nothing is refused any more.
                    (self.report)(Report::Missing);
                }
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
                // It may be left alone for content that somebody took back.
                if self.offered.is_some() && self.offered != self.projection.settled() {
                    self.offered = None;
                    (self.report)(Report::AsBefore);
                }
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
        self.dealt_with = settled_look(look);
    }
}

/// `look`, unless the file may change again without looking different.
pub(super) fn settled_look(look: Look) -> Option<Look> {
    let fresh = look
        .modified
        .and_then(|modified| modified.elapsed().ok())
        .is_some_and(|age| age < TIME_GRAIN);
    (!fresh).then_some(look)
}

/// What is noted of a projection: its hash and its heads.
pub(super) fn note_text(hash: ContentHash, heads: &[String]) -> String {
    format!("{hash}\n{}\n", heads.join("\n"))
}
