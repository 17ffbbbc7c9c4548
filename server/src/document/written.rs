//! Which versions the JSON held: where a file that has lost its `sync` block may come from (F6).
//!
//! ```text
//! <state>/<hash of folder>/<file>/written     a line each, oldest first: <count of writes> <heads>
//! ```
//!
//! The last ones are all remembered, of older ones ever fewer, and the first for ever, so that a
//! copy of any age finds a version near it and the list stays short. Where there is no list, as
//! after a loss of the private state, the backup and the newest kept versions stand in.
//!
//! **Invariant:** a version that is not remembered costs no data: what would be an edit of it only
//! adds and updates.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plainsync_core::document::Document;
use plainsync_core::limits::WRITTEN_VERSIONS_MAX;
use plainsync_core::plain::base::Handed;
use plainsync_core::plain::import::ImportError;
use plainsync_core::plain::made_from::MadeFrom;
use tracing::warn;

use super::disk::{Disk, temp_beside};
use super::inspect::inspect;
use super::note::{seal, unseal};
use super::ring::Ring;

/// The note's name.
pub(super) const WRITTEN: &str = "written";

/// Of this many writes every version is remembered.
const RECENT: usize = 8;

/// Kept versions that are asked where little was noted.
const KEPT_ASKED_MAX: usize = 8;

/// Versions that are remembered; the rest of what is tried are the backup and kept ones.
const REMEMBERED_MAX: usize = WRITTEN_VERSIONS_MAX - KEPT_ASKED_MAX;

/// See the module's text. Clones are the same list.
#[derive(Clone)]
pub(super) struct Written {
    disk: Arc<dyn Disk>,
    note: PathBuf,
    backup: PathBuf,
    ring: Ring,
    lines: Arc<Mutex<Vec<Line>>>,
}

/// A version that was in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// How many writes there had been.
    count: u64,
    heads: Vec<String>,
}

impl Written {
    /// What `note` says; without it, nothing.
    pub(super) fn open(disk: Arc<dyn Disk>, note: PathBuf, backup: PathBuf, ring: Ring) -> Self {
        let bytes = disk.read(&note).unwrap_or_default();
        let lines = unseal(&bytes).unwrap_or_default().lines().filter_map(read);
        let lines = Arc::new(Mutex::new(lines.collect()));
        Self {
            disk,
            note,
            backup,
            ring,
            lines,
        }
    }

    /// The file holds the version that `heads` name.
    pub(super) fn add(&self, heads: &[String]) {
        let mut lines = self.lines();
        if heads.is_empty() || lines.last().is_some_and(|last| last.heads == heads) {
            return;
        }
        let count = lines.last().map_or(0, |last| last.count) + 1;
        lines.retain(|line| line.heads != heads);
        lines.push(Line {
            count,
            heads: heads.to_vec(),
        });
        thin(&mut lines);
        let text: Vec<String> = lines.iter().map(Line::text).collect();
        drop(lines);
        // Not synced: after a crash the last version may be missing, and the file says it itself.
        let noted = temp_beside(&self.note).and_then(|temp| {
            let mut file = self.disk.create(&temp, Some(0o600))?;
            file.append(&seal(&text.join("\n")))?;
            self.disk.rename(&temp, &self.note)
        });
        if let Err(error) = noted {
            warn!(path = %self.note.display(), %error, "it was not noted which version the file holds");
        }
    }

    /// The version that the file `text` is an edit of, if it does not say so and can be one.
    ///
    /// # Errors
    ///
    /// [`ImportError::Text`]: it is no such file.
    pub(super) fn made(
        &self,
        document: &Document,
        text: &[u8],
    ) -> Result<Option<MadeFrom>, ImportError> {
        if inspect(text).is_ok_and(|found| found.version.is_some()) {
            return Ok(None);
        }
        document.made_from(text, &self.versions())
    }

    fn versions(&self) -> Vec<Handed> {
        let noted: Vec<Vec<String>> = self.lines().iter().map(|line| line.heads.clone()).collect();
        let mut versions = Vec::new();
        if noted.len() < RECENT {
            versions.extend(self.beside());
        }
        versions.extend(noted);
        let handed = |heads| Handed {
            heads,
            fingerprint: None,
        };
        versions.into_iter().map(handed).collect()
    }

    /// The versions that the newest kept files and the backup name.
    fn beside(&self) -> Vec<Vec<String>> {
        let kept = self.ring.list().unwrap_or_default().into_iter();
        let kept = kept.take(KEPT_ASKED_MAX - 1);
        let texts = kept.map(|kept| self.ring.read(&kept.name).ok().flatten());
        let texts = texts.chain([self.disk.read(&self.backup).ok()]);
        let heads = texts.flatten().filter_map(|text| {
            let version = inspect(&text).ok()?.version?;
            Some(version.heads)
        });
        heads.filter(|heads| !heads.is_empty()).collect()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn text(&self) -> String {
        format!("{} {}", self.count, self.heads.join(" "))
    }
}

fn read(line: &str) -> Option<Line> {
    let mut words = line.split(' ');
    let count = words.next()?.parse().ok()?;
    let heads: Vec<String> = words.map(str::to_owned).collect();
    (!heads.is_empty()).then_some(Line { count, heads })
}

/// Lets go of what is too much: the version whose neighbours are nearest to each other, measured
/// by how long ago they were.
fn thin(lines: &mut Vec<Line>) {
    while lines.len() > REMEMBERED_MAX {
        let newest = lines.last().map_or(0, |last| last.count);
        let gap = |nth: usize| {
            let (before, after) = (lines[nth - 1].count, lines[nth + 1].count);
            // Per mille of the age, so that old gaps may be wide.
            (after - before).saturating_mul(1_000) / (newest - before).max(1)
        };
        let middle = 1..lines.len() - RECENT;
        let Some(least) = middle.min_by_key(|nth| gap(*nth)) else {
            return;
        };
        lines.remove(least);
    }
}

#[cfg(test)]
mod tests {
    use plainsync_core::id::{DeviceId, DocumentId};
    use plainsync_core::plain::import::ImportOptions;
    use plainsync_core::schema::Schema;

    use super::*;
    use crate::document::disk::RealDisk;

    fn written(folder: &std::path::Path) -> Written {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let device = DeviceId::from_random([1; 8]);
        let ring = Ring::new(Arc::clone(&disk), &folder.join("snapshots"), device);
        let backup = folder.join("a.json.backup");
        Written::open(disk, folder.join(WRITTEN), backup, ring)
    }

    fn counts(written: &Written) -> Vec<u64> {
        written.lines().iter().map(|line| line.count).collect()
    }

    #[test]
    fn f6_recent_versions_are_remembered_all_and_older_ones_ever_fewer() {
        let folder = tempfile::tempdir().expect("a folder");
        let list = written(folder.path());
        for n in 1..=2_000_u64 {
            list.add(&[format!("{n:064x}")]);
            list.add(&[format!("{n:064x}")]); // The same again is no other version.
        }
        let known = counts(&list);
        assert_eq!(known.len(), REMEMBERED_MAX);
        assert_eq!(known[0], 1, "the first stays");
        let recent: Vec<u64> = (2_000 - RECENT as u64 + 1..=2_000).collect();
        assert!(known.ends_with(&recent), "{known:?}");
        for pair in known.windows(2) {
            let (age, gap) = (2_000 - pair[0], pair[1] - pair[0]);
            assert!(gap <= age.div_ceil(2).max(1), "{pair:?} of {known:?}");
        }
        assert_eq!(counts(&written(folder.path())), known, "across restarts");
    }

    #[test]
    fn f6_without_a_list_the_backup_and_the_kept_versions_stand_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let list = written(folder.path());
        let id = DocumentId::from_random([2; 16]);
        let mut document = Document::new(id, Schema::job_history());
        let text =
            br#"{"jobs": [{"id": "job-1", "createdAt": 1}, {"id": "job-2", "createdAt": 2}]}"#;
        document
            .import(text, &ImportOptions::default())
            .expect("taken in");
        assert_eq!(list.made(&document, text), Ok(None), "nothing is known");
        list.ring
            .tend(&document.heading(), document.view(), 1_769_817_600)
            .expect("kept");
        let from = list.made(&document, text).expect("read").expect("found");
        assert_eq!((from.heads, from.distance.differing), (document.heads(), 0));
        std::fs::write(folder.path().join(WRITTEN), "damaged").expect("written");
        let list = written(folder.path());
        assert!(list.made(&document, text).expect("read").is_some());
    }
}
