//! The texts that the history can write again: the backup, kept versions, and what is archived.

use std::path::Path;
use std::sync::Arc;

use plainsync_core::document::Document;
use plainsync_core::id::{DeviceId, DocumentId};
use plainsync_core::plain::file::sync_block;
use plainsync_core::plain::origin::Origin;

use super::{Cure, Examined, read, sorted};
use crate::document::backup::backup_text;
use crate::document::blobs::Blobs;
use crate::document::disk::Disk;
use crate::document::inspect::inspect;
use crate::document::place::Place;
use crate::document::projection::{BACKUP_SUFFIX, ContentHash};
use crate::document::render::render_file;
use crate::document::ring::text_of;
use crate::document::shared::{JOURNAL_SUFFIX, device_of};
use crate::document::sum::{self, Sum};

const CHANGED: &str = "its text is not the one that its sum was made of";

impl Examined {
    /// The backup against its sum.
    pub(super) fn backup(&mut self, disk: &Arc<dyn Disk>, place: &Place, document: &Document) {
        let path = place.folder.join(format!("{}{BACKUP_SUFFIX}", place.name));
        let bytes = match read(&**disk, &path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(error) => {
                self.damage(&path, format!("it cannot be read: {error}"), Cure::None);
                return;
            }
        };
        let version = match inspect(&bytes) {
            Ok(found) => found.version,
            Err(error) => {
                let what = format!("it cannot be read as JSON: {error}");
                self.damage(&path, what, Cure::Remove);
                return;
            }
        };
        if !version.is_some_and(|version| version.is_backup) {
            let what = "it does not say which version replaced it, as a backup does";
            self.damage(&path, what, Cure::Remove);
            return;
        }
        match sum::check(&bytes) {
            Sum::Right => {}
            Sum::Absent => self.note(
                &path,
                "it has no sum: an older version wrote it, or somebody else",
            ),
            Sum::Wrong => {
                let blobs = Blobs::new(
                    Arc::clone(disk),
                    &place.blobs(document.id()),
                    &place.linked_images(),
                );
                let again = backup_again(&bytes, document, &blobs);
                self.changed(&path, &bytes, again);
            }
        }
    }

    /// Each version that is kept as a file against its sum and the history.
    pub(super) fn versions(
        &mut self,
        disk: &dyn Disk,
        place: &Place,
        id: &DocumentId,
        device: Option<DeviceId>,
        document: &Document,
    ) {
        let folder = place.snapshots(id);
        for name in sorted(disk, &folder) {
            if !name.ends_with(".json") {
                continue;
            }
            let path = folder.join(&name);
            let bytes = match read(disk, &path) {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(error) => {
                    self.damage(&path, format!("it cannot be read: {error}"), Cure::None);
                    continue;
                }
            };
            let is_own = device.is_some_and(|device| name.contains(&device.to_string()));
            let is_changed = sum::check(&bytes) == Sum::Wrong;
            match document.origin(&bytes) {
                Ok(_) if is_changed => {
                    let then = named(&bytes).and_then(|(heads, _)| as_of(document, &heads));
                    self.changed(
                        &path,
                        &bytes,
                        then.map(|then| text_of(&then.heading(), then.view())),
                    );
                }
                Ok(Origin::Current | Origin::Older { .. }) => self.versions += 1,
                Ok(Origin::Ahead { missing }) if !is_own => {
                    let what = format!(
                        "another device keeps it, and its version is not known here yet ({missing})"
                    );
                    self.note(&path, what);
                }
                Ok(Origin::Ahead { missing }) => {
                    let what = format!("it names a version that is in no journal ({missing})");
                    self.damage(&path, what, Cure::Remove);
                }
                Ok(Origin::Edited { .. }) => {
                    let what = "it does not say what the history says of its version";
                    self.damage(&path, what, Cure::Remove);
                }
                Ok(_) => self.damage(&path, "it is no version of this document", Cure::Remove),
                Err(error) => self.damage(&path, error.to_string(), Cure::Remove),
            }
        }
    }

    /// A text whose sum is wrong; `again` is what the history writes for the version that it names.
    fn changed(&mut self, path: &Path, bytes: &[u8], again: Option<Vec<u8>>) {
        // Of another length it is another text, and the first difference says nothing.
        let offset = again.as_ref().filter(|again| again.len() == bytes.len());
        let offset = offset.and_then(|again| {
            let mut pairs = again.iter().zip(bytes);
            pairs.position(|(one, other)| one != other)
        });
        let cure = again.map_or(Cure::Remove, Cure::Again);
        self.damage_at(path, offset.map(|at| at as u64), CHANGED, cure);
    }

    /// What was put aside, against the hash in its name.
    pub(super) fn archive(&mut self, disk: &dyn Disk, place: &Place, id: &DocumentId) {
        let folder = place.archive(id);
        for name in sorted(disk, &folder) {
            let path = folder.join(&name);
            let bytes = match read(disk, &path) {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(error) => {
                    self.damage(&path, format!("it cannot be read: {error}"), Cure::None);
                    continue;
                }
            };
            if device_of(&name).is_some() {
                self.journal(&path, &bytes, &Cure::None);
                continue;
            }
            let said = name.rsplit('.').next().unwrap_or_default();
            if ContentHash::of(&bytes).short() != said {
                let what =
                    "it is not what was put aside: its bytes are not those that its name says";
                self.damage(&path, what, Cure::None);
            }
        }
        for name in sorted(disk, &place.state) {
            if name.starts_with("retired-") && name.ends_with(JOURNAL_SUFFIX) {
                let path = place.state.join(&name);
                let bytes = disk.read(&path).unwrap_or_default();
                self.journal(&path, &bytes, &Cure::None);
            }
        }
    }
}

/// The version that a text names, and the one that replaced it.
fn named(text: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
    let block = sync_block(text).ok()??;
    Some((block.heads, block.replaced_by.unwrap_or_default()))
}

fn as_of(document: &Document, heads: &[String]) -> Option<Document> {
    let heads: Result<Vec<_>, _> = heads.iter().map(|head| head.parse()).collect();
    document.as_of(&heads.ok().filter(|heads| !heads.is_empty())?)
}

/// The backup as the history gives it, if both versions that it names are of it.
fn backup_again(bytes: &[u8], document: &Document, blobs: &Blobs) -> Option<Vec<u8>> {
    let (heads, replaced_by) = named(bytes)?;
    as_of(document, &replaced_by)?;
    let then = as_of(document, &heads)?;
    let text = render_file(&then.heading(), then.view(), || then.blob_refs(), blobs)
        .ok()?
        .bytes;
    backup_text(&text, document.id(), &replaced_by).ok()
}
