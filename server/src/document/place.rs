//! Where a document's files are: the JSON, `.plainsync/` beside it, and the private state
//! outside the folder.
//!
//! ```text
//! <folder>/job_history.json                    the JSON, or a symlink to it
//! <folder>/job_history.json.backup             its previous version
//! <folder>/job_history.images/…                images that the JSON links to, if it does
//! <folder>/.plainsync/lock                     held while a server serves the folder
//! <folder>/.plainsync/<document>/<device>.journal  what each device publishes
//! <folder>/.plainsync/<document>/blobs/…       images
//! <folder>/.plainsync/<document>/snapshots/…   older versions
//! <folder>/.plainsync/<document>/archive/…     leftovers that could not be read, merged conflict copies
//! <state>/<hash of folder>/{device,lock}       one per served folder
//! <state>/<hash of folder>/<file>/{document,journal,projected,written,offered,offer,clients}
//! ```
//!
//! The state lies outside because `git checkout` and folder syncers replace files under an
//! open descriptor. It is found by the folder's real path: a moved or copied folder starts anew.

use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use plainsync_core::blob::LINKED_FOLDER_ENDING;
use plainsync_core::id::DocumentId;
use sha2::{Digest as _, Sha256};

use super::disk::folder_of;

/// The file that a folder is served for.
pub const DEFAULT_FILE: &str = "job_history.json";

/// The folder beside the JSON that holds what is ours.
pub const OWN_FOLDER: &str = ".plainsync";

/// Most symlinks followed from the name given to the file itself.
const LINKS_MAX: usize = 40;

/// The paths of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The JSON as it was named, which may be a symlink.
    pub file: PathBuf,
    /// The folder of the JSON itself, symlinks resolved.
    pub folder: PathBuf,
    /// The JSON's own name.
    pub name: String,
    /// The private state of the folder.
    pub folder_state: PathBuf,
    /// The private state of the file.
    pub state: PathBuf,
}

impl Place {
    /// The place of `file`, or of [`DEFAULT_FILE`] in it if it is a folder; the folder must exist.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn find(file: &Path, state_root: &Path) -> io::Result<Self> {
        let file = named_file(file);
        let real = resolve_links(&file)?;
        let folder = folder_of(&real).canonicalize()?;
        let name = real
            .file_name()
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?
            .to_string_lossy()
            .into_owned();
        let hash = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        let hash: String = hash
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let folder_state = state_root.join(hash);
        Ok(Self {
            state: folder_state.join(&name),
            folder_state,
            folder,
            name,
            file,
        })
    }

    /// `.plainsync` beside the JSON.
    #[must_use]
    pub fn own_folder(&self) -> PathBuf {
        self.folder.join(OWN_FOLDER)
    }

    /// Where `document` is beside the JSON: what devices publish of it, and the folders below.
    #[must_use]
    pub fn shared(&self, document: &DocumentId) -> PathBuf {
        self.own_folder().join(document.to_string())
    }

    /// Where images of `document` lie.
    #[must_use]
    pub fn blobs(&self, document: &DocumentId) -> PathBuf {
        self.shared(document).join("blobs")
    }

    /// Where images lie that the JSON links to (F12): `job_history.images` beside it.
    #[must_use]
    pub fn linked_images(&self) -> PathBuf {
        let stem = self.name.strip_suffix(".json").unwrap_or(&self.name);
        self.folder.join(format!("{stem}{LINKED_FOLDER_ENDING}"))
    }

    /// Where older versions of `document` lie.
    #[must_use]
    pub fn snapshots(&self, document: &DocumentId) -> PathBuf {
        self.shared(document).join("snapshots")
    }

    /// Where leftovers lie that could not be read.
    #[must_use]
    pub fn archive(&self, document: &DocumentId) -> PathBuf {
        self.shared(document).join("archive")
    }
}

/// The file meant by `path`: [`DEFAULT_FILE`] in it if it is a folder, else itself. What does
/// not exist yet is a file if it is called so, `something.json`.
#[must_use]
pub fn named_file(path: &Path) -> PathBuf {
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    if path.is_dir() || !(is_json || path.symlink_metadata().is_ok()) {
        path.join(DEFAULT_FILE)
    } else {
        path.to_owned()
    }
}

/// The file that `path` leads to, whether it exists or not.
///
/// # Errors
///
/// Those of the file system; a chain of links that does not end.
pub fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    let mut real = path.to_owned();
    for _ in 0..LINKS_MAX {
        match real.read_link() {
            Ok(target) => real = folder_of(&real).join(target),
            // Not a link, or nothing there: this is the name to write to.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
                ) =>
            {
                return Ok(real);
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!(
        "{} leads through more than {LINKS_MAX} symlinks",
        path.display()
    )))
}

/// Where private state is kept when nothing else is said: `plainsync` in the user's state folder.
///
/// # Errors
///
/// When the user has no home folder.
pub fn state_root() -> io::Result<PathBuf> {
    let base = etcetera::choose_base_strategy()
        .map_err(|error| io::Error::new(io::ErrorKind::NotFound, error.to_string()))?;
    let root = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(root.join("plainsync"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_the_history_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path");
        let place = Place::find(&root, Path::new("/state")).expect("found");
        assert_eq!(place.file, root.join(DEFAULT_FILE));
        assert_eq!(
            (place.folder.as_path(), place.name.as_str()),
            (root.as_path(), DEFAULT_FILE)
        );
        assert!(place.state.starts_with("/state") && place.state.ends_with(DEFAULT_FILE));
        assert_eq!(
            Place::find(&root.join(DEFAULT_FILE), Path::new("/state")).expect("found"),
            place
        );
    }

    #[cfg(unix)]
    #[test]
    fn f1_a_symlink_means_the_file_that_it_leads_to() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path");
        std::fs::create_dir(root.join("real")).expect("a folder");
        symlink("real/b.json", root.join("a.json")).expect("a link");
        let place = Place::find(&root.join("a.json"), Path::new("/state")).expect("found");
        assert_eq!(
            (place.folder, place.name.as_str()),
            (root.join("real"), "b.json")
        );
        symlink("loop.json", root.join("loop.json")).expect("a link");
        resolve_links(&root.join("loop.json")).expect_err("it never ends");
    }
}
