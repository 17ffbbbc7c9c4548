//! Conflict copies that folder syncers leave beside the JSON (F10): found, and offered once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::settled_look;
use crate::document::disk::{Disk, Look, folder_of};
use crate::document::place::resolve_links;
use crate::document::projection::ContentHash;
use crate::document::shared::copies::kinship;

#[derive(Default)]
struct Known {
    /// `None`: it may change without looking different.
    look: Option<Look>,
    /// Content that was seen once.
    candidate: Option<ContentHash>,
    /// Content that was offered.
    offered: Option<ContentHash>,
}

/// See the module's text.
pub(super) struct ConflictCopies {
    disk: Arc<dyn Disk>,
    file: PathBuf,
    known: BTreeMap<PathBuf, Known>,
}

impl ConflictCopies {
    /// Those of `file`.
    pub(super) fn new(disk: Arc<dyn Disk>, file: &Path) -> Self {
        Self {
            disk,
            file: file.to_owned(),
            known: BTreeMap::new(),
        }
    }

    /// All are to be offered again.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Whether one was seen that may still be changing.
    pub(super) fn waits(&self) -> bool {
        self.known.values().any(|known| known.candidate.is_some())
    }

    /// Those that have been the same twice, and were not offered yet.
    pub(super) fn look(&mut self) -> Vec<(PathBuf, Vec<u8>, ContentHash)> {
        let Ok(file) = resolve_links(&self.file) else {
            return Vec::new();
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let mut found = Vec::new();
        let mut present = Vec::new();
        for other in self.disk.list(folder_of(&file)).unwrap_or_default() {
            if kinship(&name, &other.to_string_lossy()).is_none() {
                continue;
            }
            let path = file.with_file_name(&other);
            present.push(path.clone());
            let known = self.known.entry(path.clone()).or_default();
            let Ok(look) = self.disk.look(&path) else {
                continue;
            };
            if known.look.as_ref() == Some(&look) {
                continue;
            }
            let Ok(bytes) = self.disk.read(&path) else {
                continue;
            };
            let hash = ContentHash::of(&bytes);
            if known.offered == Some(hash) {
                known.look = settled_look(look);
            } else if known.candidate == Some(hash) {
                (known.candidate, known.offered) = (None, Some(hash));
                found.push((path, bytes, hash));
            } else {
                known.candidate = Some(hash);
            }
        }
        self.known.retain(|path, _| present.contains(path));
        found
    }
}
