//! Older versions as files: `.plainsync/<document>/snapshots/<time>.<device>.<cause>[.<label>].json`.
//!
//! ```no_run
//! # fn example(document: &plainsync_core::document::Document) -> std::io::Result<()> {
//! use std::path::Path;
//! use std::sync::Arc;
//! use plainsync::document::{disk::RealDisk, ring::{Cause, Ring}};
//! let folder = Path::new("dashboards/.plainsync/4NMNn…/snapshots");
//! let ring = Ring::new(Arc::new(RealDisk), folder, "0000000000000001".parse().expect("an id"));
//! ring.create(&document.heading(), document.view(), Cause::Asked, Some("before-the-move"), 1_769_854_271)?;
//! for version in ring.list()? {
//!     println!("{} of {} bytes", version.name, version.bytes);
//! }
//! # Ok(()) }
//! ```
//!
//! While a document changes, one version an hour is kept for a day, and one a day for a month;
//! those that somebody asked for are kept until there are [`ASKED_MAX`] newer ones. A version is
//! the JSON with references in place of images, which lie beside it. Each device keeps a ring
//! of its own, and removes nothing from another's.
//!
//! **Invariant:** a version is there whole or not at all, and never changes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plainsync_core::id::DeviceId;
use plainsync_core::plain::export::{Heading, Rows};
use serde::Serialize;

use super::disk::{Disk, make_folders, write_whole};
use super::sum::with_sum;

/// Versions kept at one an hour.
pub const HOURLY_MAX: usize = 24;

/// Versions kept at one a day.
pub const DAILY_MAX: usize = 31;

/// Versions kept that somebody asked for.
pub const ASKED_MAX: usize = 50;

/// Longest label of a version, in bytes.
pub const LABEL_BYTES_MAX: usize = 60;

/// Between two versions that are kept by themselves, in seconds.
const HOUR_SECONDS: i64 = 3_600;

/// How times stand in names: sorted by name is sorted by time.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// Why a version was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An hour with changes had passed.
    Hourly,
    /// Somebody asked for it.
    Asked,
}

impl Cause {
    const fn word(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Asked => "asked",
        }
    }
}

/// A version that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The file's name, by which it is restored.
    pub name: String,
    /// When it was kept, in seconds since the Unix epoch.
    pub at: i64,
    /// Why.
    pub cause: Cause,
    /// What somebody called it.
    pub label: Option<String>,
    /// Which device kept it.
    pub device: DeviceId,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// The ring of one device. Clones are the same ring.
#[derive(Clone)]
pub struct Ring {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    device: DeviceId,
}

impl Ring {
    /// The ring that `device` keeps in `folder`, which is made with the first version.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, folder: &Path, device: DeviceId) -> Self {
        Self {
            disk,
            folder: folder.to_owned(),
            device,
        }
    }

    /// Every version that any device keeps, newest first.
    ///
    /// # Errors
    ///
    /// Those of the file system; that nothing is kept yet is none.
    pub fn list(&self) -> io::Result<Vec<Kept>> {
        let names = match self.disk.list(&self.folder) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let read = |name: std::ffi::OsString| {
            let name = name.to_str()?.to_owned();
            let bytes = self.disk.look(&self.folder.join(&name)).ok()?.len;
            parse(name, bytes)
        };
        let mut kept: Vec<_> = names.into_iter().filter_map(read).collect();
        kept.sort_by(|one, other| other.name.cmp(&one.name));
        Ok(kept)
    }

    /// Keeps the version that `heading` and `rows` are; it is on disk on return. `now` is in seconds since the Unix
    /// epoch; where one of that second is kept already, the next free second counts.
    ///
    /// # Errors
    ///
    /// Those of the file system, or `label` is none ([`is_label`]): nothing was kept.
    pub fn create(
        &self,
        heading: &Heading,
        rows: &impl Rows,
        cause: Cause,
        label: Option<&str>,
        now: i64,
    ) -> io::Result<Kept> {
        if let Some(label) = label.filter(|label| !is_label(label)) {
            let reason = format!("{label:?} is no name for a version");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        make_folders(&*self.disk, &self.folder)?;
        let taken: Vec<i64> = self.own(cause)?.iter().map(|kept| kept.at).collect();
        let mut free = now;
        while taken.contains(&free) {
            free += 1;
        }
        let at = Timestamp::from_second(free).map_err(io::Error::other)?;
        let time = at.to_zoned(TimeZone::UTC).strftime(TIME);
        let called = label.map(|label| format!(".{label}")).unwrap_or_default();
        let name = format!("{time}.{}.{}{called}.json", self.device, cause.word());
        let text = text_of(heading, rows);
        write_whole(&*self.disk, &self.folder.join(&name), &text, None)?;
        Ok(Kept {
            name,
            at: free,
            cause,
            label: label.map(str::to_owned),
            device: self.device,
            bytes: text.len() as u64,
        })
    }

    /// The full name of the version that is called `name`: by its own name, or, of those with
    /// that label, the newest.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn find(&self, name: &str) -> io::Result<Option<String>> {
        let kept = self.list()?;
        let named = kept.iter().find(|kept| kept.name == name);
        let called = |kept: &&Kept| kept.label.as_deref() == Some(name);
        let found = named.or_else(|| kept.iter().find(called));
        Ok(found.map(|kept| kept.name.clone()))
    }

    /// The text of a version; `None` if none is called so.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        if parse(name.to_owned(), 0).is_none() {
            return Ok(None); // Also what would lead out of the folder.
        }
        match self.disk.read(&self.folder.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a version if this device has kept none for an hour, and lets old ones go.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub(super) fn tend(&self, heading: &Heading, rows: &impl Rows, now: i64) -> io::Result<()> {
        let hourly: Vec<_> = self.own(Cause::Hourly)?;
        // A clock that was set back keeps no versions until it has caught up.
        let is_due = hourly
            .first()
            .is_none_or(|newest| now - newest.at >= HOUR_SECONDS);
        if is_due {
            self.create(heading, rows, Cause::Hourly, None, now)?;
        }
        for old in superfluous(&self.own(Cause::Hourly)?) {
            self.disk.remove(&self.folder.join(&old.name))?;
        }
        for old in self.own(Cause::Asked)?.iter().skip(ASKED_MAX) {
            self.disk.remove(&self.folder.join(&old.name))?;
        }
        Ok(())
    }

    fn own(&self, cause: Cause) -> io::Result<Vec<Kept>> {
        let mut kept = self.list()?;
        kept.retain(|kept| kept.device == self.device && kept.cause == cause);
        Ok(kept)
    }
}

/// A version as it is kept: with a sum, and with references in place of images.
pub(super) fn text_of(heading: &Heading, rows: &impl Rows) -> Vec<u8> {
    with_sum(heading.export(rows, &|_| None))
}

/// Which of `kept`, newest first, are neither one of the latest nor the last of their day.
fn superfluous(kept: &[Kept]) -> Vec<&Kept> {
    let mut days = Vec::new();
    let mut old = Vec::new();
    for version in kept.iter().skip(HOURLY_MAX) {
        let day = &version.name[..8];
        if days.contains(&day) || days.len() >= DAILY_MAX {
            old.push(version);
        } else {
            days.push(day);
        }
    }
    old
}

/// Whether a version may be called `text`: 1 to [`LABEL_BYTES_MAX`] of `a-z A-Z 0-9 _ -`.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=LABEL_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

fn parse(name: String, bytes: u64) -> Option<Kept> {
    let mut parts = name.strip_suffix(".json")?.split('.');
    let (time, device, cause) = (parts.next()?, parts.next()?, parts.next()?);
    let time = jiff::civil::DateTime::strptime(TIME, time).ok()?;
    let at = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    let device = device.parse().ok()?;
    let cause = [Cause::Hourly, Cause::Asked]
        .into_iter()
        .find(|known| known.word() == cause)?;
    let label = parts.next();
    let is_all = parts.next().is_none() && label.is_none_or(is_label);
    is_all.then_some(Kept {
        at,
        cause,
        label: label.map(str::to_owned),
        device,
        bytes,
        name,
    })
}

#[cfg(test)]
mod tests {
    use plainsync_core::document::Document;
    use plainsync_core::id::DocumentId;
    use plainsync_core::schema::Schema;

    use super::*;
    use crate::document::disk::RealDisk;

    const DAY: i64 = 24 * HOUR_SECONDS;

    #[test]
    fn f2_a_ring_keeps_hours_of_a_day_and_days_of_a_month() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("snapshots");
        let device = DeviceId::from_random([1; 8]);
        let ring = Ring::new(Arc::new(RealDisk), &path, device);
        assert_eq!(ring.list().expect("nothing yet"), []);
        let document = Document::new(DocumentId::from_random([2; 16]), Schema::job_history());
        let start = 1_769_817_600;
        let asked = ring
            .create(
                &document.heading(),
                document.view(),
                Cause::Asked,
                None,
                start,
            )
            .expect("kept");
        for quarter in 0..(60 * 96) {
            ring.tend(
                &document.heading(),
                document.view(),
                start + quarter * HOUR_SECONDS / 4,
            )
            .expect("tended");
        }
        let kept = ring.list().expect("listed");
        assert_eq!(kept.len(), 1 + HOURLY_MAX + DAILY_MAX);
        assert!(kept.contains(&asked));
        let newest = start + 60 * DAY - HOUR_SECONDS;
        assert_eq!(kept[0].at, newest);
        assert_eq!(kept[HOURLY_MAX - 1].at, newest - 23 * HOUR_SECONDS);
        let text = ring.read(&kept[0].name).expect("read").expect("there");
        assert_eq!(text, text_of(&document.heading(), document.view()));
        assert_eq!(ring.read("../../secret").expect("refused"), None);
        // Another device's ring is not touched.
        let other = Ring::new(Arc::new(RealDisk), &path, DeviceId::from_random([3; 8]));
        other
            .tend(&document.heading(), document.view(), newest + 90 * DAY)
            .expect("tended");
        assert_eq!(other.list().expect("listed").len(), kept.len() + 1);
    }

    #[test]
    fn f2_a_version_that_was_asked_for_may_have_a_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let device = DeviceId::from_random([1; 8]);
        let ring = Ring::new(Arc::new(RealDisk), folder.path(), device);
        let document = Document::new(DocumentId::from_random([2; 16]), Schema::job_history());
        let keep = |label| {
            ring.create(
                &document.heading(),
                document.view(),
                Cause::Asked,
                label,
                1_769_817_600,
            )
        };
        let first = keep(Some("before-the-move")).expect("kept");
        let second = keep(Some("before-the-move")).expect("kept");
        assert_eq!(second.at, first.at + 1, "the first stays");
        let names = |found: Option<String>| found.expect("there");
        assert_eq!(
            names(ring.find("before-the-move").expect("read")),
            second.name
        );
        assert_eq!(names(ring.find(&first.name).expect("read")), first.name);
        assert_eq!(ring.list().expect("listed"), [second, first]);
        for bad in ["", "a.b", "../x", "a b", &"x".repeat(LABEL_BYTES_MAX + 1)] {
            assert!(keep(Some(bad)).is_err(), "{bad}");
        }
    }
}
