//! What lies beside the journals: images and leftovers.

use std::path::Path;

use plainsync_core::blob::BlobRef;
use plainsync_core::document::Document;
use plainsync_core::id::DocumentId;

use super::{Cure, Examined, read, sorted};
use crate::document::disk::{Disk, TEMP_SUFFIX};
use crate::document::place::Place;
use crate::document::shared::copies::{is_syncers_own, kinship};

impl Examined {
    /// Each image against its name, and the history's images against what is there.
    pub(super) fn images(
        &mut self,
        disk: &dyn Disk,
        place: &Place,
        id: &DocumentId,
        document: &Document,
    ) {
        let mut needed = document.blob_refs();
        let root = place.blobs(id);
        let mut unused = 0_usize;
        for digits in sorted(disk, &root) {
            let folder = root.join(&digits);
            for name in sorted(disk, &folder) {
                let path = folder.join(&name);
                let Ok(hash) = BlobRef::from_name(&format!("sha256-{name}")) else {
                    if !name.ends_with(TEMP_SUFFIX) {
                        self.note(&path, "it is not called as an image is");
                    }
                    continue;
                };
                let is_needed = needed.remove(&hash);
                match read(disk, &path) {
                    Ok(bytes) if bytes.as_deref().map(BlobRef::of) == Some(hash) => {
                        self.images += 1;
                        unused += usize::from(!is_needed);
                    }
                    Ok(_) => {
                        let what = "the image's bytes are not those that its name says";
                        self.damage(&path, what, Cure::Image(hash));
                    }
                    Err(error) => {
                        self.damage(&path, format!("it cannot be read: {error}"), Cure::None);
                    }
                }
            }
        }
        self.linked_images(disk, place, &root);
        if unused > 0 {
            let what = format!("{unused} of its images are not shown by any job now");
            self.note(&root, what);
        }
        let mut missing: Vec<_> = needed.into_iter().collect();
        missing.sort();
        for hash in missing {
            let name = hash.name();
            let digits = name.trim_start_matches("sha256-");
            let path = root.join(&digits[..2]).join(digits);
            let what = "the image is missing; a job shows it";
            self.damage(&path, what, Cure::Image(hash));
        }
    }

    /// Each image that the JSON links to against its name; `store` has them as well.
    fn linked_images(&mut self, disk: &dyn Disk, place: &Place, store: &Path) {
        let folder = place.linked_images();
        let called = folder.file_name().unwrap_or_default().to_string_lossy();
        for name in sorted(disk, &folder) {
            let Ok(hash) = BlobRef::from_link(&format!("{called}/{name}")) else {
                continue; // Somebody else's.
            };
            let path = folder.join(&name);
            let is_whole = |bytes: &Vec<u8>| BlobRef::of(bytes) == hash;
            match read(disk, &path) {
                Ok(Some(bytes)) if is_whole(&bytes) => {}
                Ok(_) => {
                    let digits = hash.name().trim_start_matches("sha256-").to_owned();
                    let kept = disk.read(&store.join(&digits[..2]).join(&digits));
                    let kept = kept.ok().filter(is_whole);
                    let what = "the image's bytes are not those that its name says";
                    self.damage(&path, what, kept.map_or(Cure::Remove, Cure::Again));
                }
                Err(error) => {
                    self.damage(&path, format!("it cannot be read: {error}"), Cure::None);
                }
            }
        }
    }

    /// What crashes and folder syncers leave behind.
    pub(super) fn leftovers(&mut self, disk: &dyn Disk, place: &Place) {
        for name in sorted(disk, &place.folder) {
            let path = place.folder.join(&name);
            if name.starts_with(&format!(".{}", place.name)) && name.ends_with(TEMP_SUFFIX) {
                self.note(
                    &path,
                    "a crash left it; the next start takes it in or archives it",
                );
            } else if is_syncers_own(&name) {
                self.note(
                    &path,
                    "a folder syncer is writing it, or left it; it is not read",
                );
            } else if kinship(&place.name, &name).is_some() {
                self.note(&path, "a conflict copy; opening the document merges and archives it if it is one of ours");
            }
        }
        self.leftovers_in(disk, &place.state);
        self.leftovers_in(disk, &place.folder_state);
    }

    fn leftovers_in(&mut self, disk: &dyn Disk, folder: &Path) {
        for name in sorted(disk, folder) {
            let path = folder.join(&name);
            if name.ends_with(TEMP_SUFFIX) {
                self.note(&path, "a crash left it; nothing needs it");
            } else if name.starts_with("journal.torn-") {
                self.note(
                    &path,
                    "what was cut off a damaged journal; nothing reads it",
                );
            }
        }
    }
}
