//! Two histories of one file: started apart, joined when they meet (F6).
//!
//! A machine that gets the JSON before its history starts a new document, which remembers the
//! version it was made `from`. When the old history arrives in the folder the new document is
//! *retired*: its content becomes the JSON as if made by hand at that version, or a conflict copy
//! beside it if somebody else has written there, and the machine goes on with the old one, which
//! merges it like any other. Of two histories
//! that know nothing of each other the one with the smaller id stays; the other's content adds
//! and updates.
//!
//! **Invariant:** the content of a retired document is on disk in a place where it will be merged
//! before anything of it is moved away.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use plainsync_core::document::Document;
use plainsync_core::id::{DeviceId, DocumentId};
use serde_json::json;
use tracing::{info, warn};

use super::blobs::Blobs;
use super::disk::{Disk, folder_of, make_folders, write_whole};
use super::inspect::inspect;
use super::place::Place;
use super::projection::ContentHash;
use super::render::render;
use super::shared::{Contents, Header, JOURNAL_SUFFIX, device_of, published_for};

/// The histories of the file at `place` that others published under another id than `mine`.
pub(super) fn rivals(disk: &dyn Disk, place: &Place, mine: &Header) -> Vec<Header> {
    let mut rivals = published_for(disk, &place.own_folder(), &place.name);
    rivals.retain(|header| header.document != mine.document);
    rivals
}

/// Watches for a history that takes the place of the one that is open.
pub(super) struct Rivals {
    disk: Arc<dyn Disk>,
    place: Place,
    mine: Header,
    /// The folders of documents, and how many files each had, at the last look.
    seen: Vec<(OsString, usize)>,
}

impl Rivals {
    pub(super) fn new(disk: Arc<dyn Disk>, place: Place, mine: Header) -> Self {
        Self {
            disk,
            place,
            mine,
            seen: Vec::new(),
        }
    }

    /// Whether such a history has arrived.
    pub(super) fn look(&mut self) -> bool {
        let own_folder = self.place.own_folder();
        let mine = self.mine.document.to_string();
        let mut seen: Vec<_> = self.disk.list(&own_folder).unwrap_or_default();
        seen.retain(|name| {
            *name != *mine && DocumentId::from_text(&name.to_string_lossy()).is_ok()
        });
        seen.sort();
        let files = |name: &OsString| {
            self.disk
                .list(&own_folder.join(name))
                .map_or(0, |all| all.len())
        };
        let seen: Vec<_> = seen
            .into_iter()
            .map(|name| (name.clone(), files(&name)))
            .collect();
        if seen.is_empty() || seen == self.seen {
            return false;
        }
        let rivals = rivals(&*self.disk, &self.place, &self.mine);
        let is_over = winner(&self.mine, &rivals).is_some();
        // A header that has not arrived whole is looked at again.
        if !is_over && rivals.len() == seen.len() {
            self.seen = seen;
        }
        is_over
    }
}

/// Which of `rivals` takes the place of `mine`, if one does. Every machine decides alike.
pub(super) fn winner<'a>(mine: &Header, rivals: &'a [Header]) -> Option<&'a Header> {
    let comes_from = |one: &Header, other: &Header| {
        one.from
            .as_ref()
            .is_some_and(|from| from.document == other.document)
    };
    rivals
        .iter()
        .filter(|rival| {
            let is_older = comes_from(mine, rival);
            is_older || (!comes_from(rival, mine) && rival.document < mine.document)
        })
        .min_by_key(|rival| (!comes_from(mine, rival), rival.document))
}

/// What the file of a retired history is called beside `file`. Its content is part of the name:
/// two devices that retire the same history at different versions would else overwrite each
/// other's through the syncer.
pub(super) fn copy_name(file: &str, retired: &DocumentId, text: &[u8]) -> String {
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let content = ContentHash::of(text).short();
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{stem} (conflicted copy of {retired} {content}){dot}{extension}")
}

/// What a rival's journals hold, as a file made at the version of `mine` it came from, if it did.
pub(super) fn export_of(
    disk: &Arc<dyn Disk>,
    place: &Place,
    rival: &Header,
    mine: &Header,
) -> Option<Vec<u8>> {
    let folder = place.shared(&rival.document);
    let mut document = Document::new(rival.document, rival.identity().schema());
    for name in disk.list(&folder).unwrap_or_default() {
        if device_of(&name.to_string_lossy()).is_none() {
            continue;
        }
        let bytes = disk.read(&folder.join(&name)).unwrap_or_default();
        if let Err(error) = document.restore_of_others(&Contents::read(&bytes, 0).chunks) {
            warn!(path = %folder.join(&name).display(), %error, "a part of another history was refused");
        }
    }
    text_for(disk, place, &document, rival, mine)
        .inspect_err(|error| warn!(document = %rival.document, %error, "another history of the file could not be read"))
        .ok()
}

/// The text of `document`, made at the version of `target` that it came from, if it did.
fn text_for(
    disk: &Arc<dyn Disk>,
    place: &Place,
    document: &Document,
    own: &Header,
    target: &Header,
) -> io::Result<Vec<u8>> {
    let blobs = Blobs::new(
        Arc::clone(disk),
        &place.blobs(&own.document),
        &place.linked_images(),
    );
    let mut text = render(&document.heading(), document.view(), &blobs)
        .map_err(io::Error::other)?
        .bytes;
    let from = own.from.as_ref();
    if let Some(from) = from.filter(|from| from.document == target.document) {
        let span = inspect(&text).ok().and_then(|found| found.sync_span);
        let span = span.ok_or_else(|| io::Error::other("the text carries no version"))?;
        let sync = json!({"document": from.document, "heads": from.heads});
        text.splice(span, sync.to_string().into_bytes());
    }
    Ok(text)
}

/// Retires `mine`, whose history is `document`, in favour of `winner`. The next opening of the
/// file at `place` goes on with that.
///
/// # Errors
///
/// Those of the file system: the document is not retired, or will be at the next start.
pub(super) fn retire(
    disk: &Arc<dyn Disk>,
    place: &Place,
    device: DeviceId,
    document: &Document,
    mine: &Header,
    winner: &Header,
) -> io::Result<()> {
    let text = text_for(disk, place, document, mine, winner)?;
    let file = place.folder.join(&place.name);
    if document.is_new() {
        // Nothing of it has come here: there is nothing to keep.
    } else if says(&**disk, &file, &text) {
        write_whole(&**disk, &file, &text, disk.look(&file)?.mode)?;
    } else {
        let copy = place
            .folder
            .join(copy_name(&place.name, &mine.document, &text));
        write_whole(&**disk, &copy, &text, None)?;
    }
    let journal = place.state.join("journal");
    let retired = place
        .state
        .join(format!("retired-{}.journal", mine.document));
    move_durably(&**disk, &journal, &retired)?;
    winner.identity().keep(&**disk, &place.state)?;
    // Only what this device wrote itself is moved; others retire their own.
    let name = format!("{device}{JOURNAL_SUFFIX}");
    let published = place.shared(&mine.document).join(&name);
    let archive = place.archive(&mine.document);
    make_folders(&**disk, &archive)?;
    move_durably(&**disk, &published, &archive.join(&name))?;
    info!(
        file = %place.file.display(), document = %mine.document, other = %winner.document,
        "the file has an older history, which has arrived in the folder: this one is joined to it"
    );
    Ok(())
}

/// Whether `file` says the same as `text`, whatever the version.
fn says(disk: &dyn Disk, file: &Path, text: &[u8]) -> bool {
    let value = |bytes: &[u8]| {
        let mut value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        value.as_object_mut()?.remove("sync");
        Some(value)
    };
    let found = disk.read(file).ok().and_then(|bytes| value(&bytes));
    found.is_some() && found == value(text)
}

/// Renames; that there is nothing to rename is no error.
fn move_durably(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    match disk.rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    disk.sync_folder(folder_of(to))?;
    disk.sync_folder(folder_of(from))
}

#[cfg(test)]
mod tests {
    use plainsync_core::id::DocumentId;

    use super::*;
    use crate::document::identity::From;

    fn header(n: u8, from: Option<u8>) -> Header {
        Header {
            document: DocumentId::from_random([n; 16]),
            file: "a.json".to_owned(),
            collection: "jobs".to_owned(),
            from: from.map(|n| From {
                document: DocumentId::from_random([n; 16]),
                heads: Vec::new(),
            }),
        }
    }

    #[test]
    fn f6_every_machine_decides_alike_which_history_stays() {
        for (one, other, stays) in [
            (header(1, None), header(2, None), 1),
            (header(1, Some(2)), header(2, None), 2),
            (header(1, None), header(2, Some(1)), 1),
            (header(2, Some(9)), header(1, Some(9)), 1),
        ] {
            let stays = DocumentId::from_random([stays; 16]);
            for (mine, rival) in [(&one, &other), (&other, &one)] {
                let rivals = [rival.clone()];
                let winner = winner(mine, &rivals).map_or(mine.document, |found| found.document);
                assert_eq!(winner, stays);
            }
        }
    }

    /// Seed 163 of the simulated folder: the second copy, made after the first had arrived,
    /// replaced it everywhere before anybody had merged it.
    #[test]
    fn f6_two_devices_that_retire_one_history_do_not_write_one_file() {
        use crate::document::shared::copies::{Kinship, kinship};
        let retired = DocumentId::from_random([1; 16]);
        for file in ["a.json", "a"] {
            let [one, other] = [b"one", b"two"].map(|text| copy_name(file, &retired, text));
            assert_ne!(one, other);
            for name in [one, other] {
                assert_eq!(kinship(file, &name), Some(Kinship::Certain), "{name}");
            }
        }
    }
}
