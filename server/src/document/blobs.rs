//! Images beside the JSON, by the SHA-256 of their bytes:
//! `.plainsync/<document>/blobs/<first two digits>/<64 digits>`.
//!
//! A blob is written once, whole and durably, and never changes. [`Blobs::put`] checks what
//! comes from outside; [`Blobs::get`] checks what comes from disk.
//!
//! Where a file shows images as links (F12), each lies once more in a folder beside it, called
//! after its bytes: `job_history.images/<64 digits>.png`. That folder is a copy for people, made
//! again where it lacks something; and what arrives there without our own folder is taken over.
//!
//! **Invariant:** a file here holds the bytes that its name says, or is treated as absent.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plainsync_core::blob::{self, Blob, BlobRef, Mime};
use plainsync_core::limits::BLOB_BYTES_MAX;

use super::disk::{Disk, folder_of, make_folders, temp_beside};

/// Most images that are written at once: each is an open file.
const FILES_OPEN_MAX: usize = 128;

/// Why an image was not stored or not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The image is too large.
    #[error("the image is {len_bytes} bytes; the limit is {max_bytes}")]
    TooLarge {
        /// Size found, in bytes.
        len_bytes: usize,
        /// Size allowed, in bytes.
        max_bytes: usize,
    },
    /// The bytes are not those that the name says.
    #[error("the bytes hash to {found}, but were sent as {named}")]
    OtherHash {
        /// What the bytes are.
        found: BlobRef,
        /// What they were called.
        named: BlobRef,
    },
    /// The bytes are no image that we keep.
    #[error("the bytes are no PNG, JPEG, WebP or GIF; other kinds of image are not kept")]
    NotAnImage,
    /// The file system refused.
    #[error("the image store {path} failed: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The image store of one document. Clones share it.
#[derive(Clone)]
pub struct Blobs {
    disk: Arc<dyn Disk>,
    folder: Arc<Path>,
    /// The folder of linked images.
    linked: Arc<Path>,
}

impl Blobs {
    /// The store in `folder`, which is made when the first image arrives, and the images linked
    /// by the file in `linked`.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, folder: &Path, linked: &Path) -> Self {
        Self {
            disk,
            folder: folder.into(),
            linked: linked.into(),
        }
    }

    /// Stores an image that came from outside under `named`. `false`: it was here already.
    ///
    /// The image is on disk when this returns. Blocks.
    ///
    /// # Errors
    ///
    /// - [`BlobError::TooLarge`], [`BlobError::OtherHash`], [`BlobError::NotAnImage`].
    /// - [`BlobError::Io`]: nothing is stored.
    pub fn put(&self, named: &BlobRef, bytes: &[u8]) -> Result<bool, BlobError> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(BlobError::TooLarge {
                len_bytes: bytes.len(),
                max_bytes: BLOB_BYTES_MAX,
            });
        }
        let found = BlobRef::of(bytes);
        if found != *named {
            return Err(BlobError::OtherHash {
                found,
                named: *named,
            });
        }
        blob::sniff(bytes).ok_or(BlobError::NotAnImage)?;
        self.store([(self.path(named), bytes)])
    }

    /// Stores images that the engine has taken out of an edit. All are on disk on return. Blocks.
    ///
    /// # Errors
    ///
    /// [`BlobError::Io`]: not all of them are stored.
    pub fn put_all(&self, blobs: &[Blob]) -> Result<(), BlobError> {
        for group in blobs.chunks(FILES_OPEN_MAX) {
            let group = group.iter();
            self.store(group.map(|blob| (self.path(&blob.hash), blob.bytes.as_slice())))?;
        }
        Ok(())
    }

    /// The links that stand in the file for `images`, of those that are here. All files that
    /// they name are on disk on return. Blocks.
    ///
    /// # Errors
    ///
    /// [`BlobError::Io`]: not all of them are there.
    pub fn link_all(
        &self,
        images: impl IntoIterator<Item = BlobRef>,
    ) -> Result<HashMap<BlobRef, String>, BlobError> {
        let mut links = HashMap::new();
        let mut waiting = Vec::new();
        for hash in images {
            let mut mime = self.linked_as(&hash);
            if mime.is_none()
                && let Some((found, bytes)) = self.get(&hash)?
            {
                waiting.push((self.link_path(&hash, found), bytes));
                mime = Some(found);
            }
            if waiting.len() == FILES_OPEN_MAX {
                self.link(&mut waiting)?;
            }
            links.extend(mime.map(|mime| (hash, self.link_text(&hash, mime))));
        }
        self.link(&mut waiting)?;
        Ok(links)
    }

    fn link(&self, waiting: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<(), BlobError> {
        let images = waiting.iter();
        self.store(images.map(|(path, bytes)| (path.clone(), bytes.as_slice())))?;
        waiting.clear();
        Ok(())
    }

    /// Removes linked images that nothing in `needed` names and that the store has as well.
    /// Other files in that folder are somebody's and stay. Returns how many went. Blocks.
    ///
    /// # Errors
    ///
    /// [`BlobError::Io`]: the folder cannot be read.
    pub fn unlink_others(&self, needed: &HashSet<BlobRef>) -> Result<usize, BlobError> {
        let entries = match self.disk.list(&self.linked) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(source) => return Err(io_at(&self.linked, source)),
        };
        let mut gone = 0;
        for name in entries {
            let link = format!("{}/{}", self.linked_name(), name.to_string_lossy());
            let orphan = BlobRef::from_link(&link).ok();
            if let Some(hash) = orphan.filter(|hash| !needed.contains(hash))
                && self.is_there(&self.path(&hash))
                && self.disk.remove(&self.linked.join(name)).is_ok()
            {
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// The image `hash` and what kind it is; `None` if it is not here. Blocks.
    ///
    /// # Errors
    ///
    /// [`BlobError::Io`].
    pub fn get(&self, hash: &BlobRef) -> Result<Option<(Mime, Vec<u8>)>, BlobError> {
        let path = self.path(hash);
        let found = self.read(&path, hash)?;
        if found.is_some() {
            return Ok(found);
        }
        // It may have come with the file alone, as a linked image.
        let Some(mime) = self.linked_as(hash) else {
            return Ok(None);
        };
        let found = self.read(&self.link_path(hash, mime), hash)?;
        if let Some((_, bytes)) = &found {
            self.store([(path, bytes.as_slice())])?;
        }
        Ok(found)
    }

    fn read(&self, path: &Path, hash: &BlobRef) -> Result<Option<(Mime, Vec<u8>)>, BlobError> {
        let bytes = match self.disk.read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_at(path, source)),
        };
        if BlobRef::of(&bytes) != *hash {
            tracing::warn!(path = %path.display(), "an image on disk is damaged; it is treated as absent");
            return Ok(None);
        }
        Ok(blob::sniff(&bytes).map(|mime| (mime, bytes)))
    }

    /// Whether the image is here, told by its length alone.
    #[must_use]
    pub fn has(&self, hash: &BlobRef) -> bool {
        self.is_there(&self.path(hash)) || self.linked_as(hash).is_some()
    }

    fn is_there(&self, path: &Path) -> bool {
        self.disk.look(path).is_ok_and(|look| look.len > 0)
    }

    /// As what kind the image lies in the folder of linked ones, if it does.
    fn linked_as(&self, hash: &BlobRef) -> Option<Mime> {
        let mut kinds = Mime::ALL.into_iter();
        kinds.find(|mime| self.is_there(&self.link_path(hash, *mime)))
    }

    fn link_path(&self, hash: &BlobRef, mime: Mime) -> PathBuf {
        self.linked
            .join(format!("{}.{}", digits(hash), mime.extension()))
    }

    /// The link as it stands in the file, relative to it.
    fn link_text(&self, hash: &BlobRef, mime: Mime) -> String {
        format!(
            "{}/{}.{}",
            self.linked_name(),
            digits(hash),
            mime.extension()
        )
    }

    fn linked_name(&self) -> Cow<'_, str> {
        self.linked
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    }

    /// Writes all, syncs all, names all: the disk may sync many at the cost of one.
    fn store<'a>(
        &self,
        blobs: impl IntoIterator<Item = (PathBuf, &'a [u8])>,
    ) -> Result<bool, BlobError> {
        let mut new = Vec::new();
        let stored = (|| {
            for (path, bytes) in blobs {
                let len = bytes.len() as u64;
                // A damaged file of another length is replaced; one of the same length is
                // found out when it is read.
                if self.disk.look(&path).is_ok_and(|look| look.len == len) {
                    continue;
                }
                new.push(self.write(path, bytes)?);
            }
            for (file, _, path) in &mut new {
                file.sync().map_err(|source| io_at(path, source))?;
            }
            Ok(())
        })();
        if let Err(error) = stored {
            for (_, temp, _) in &new {
                let _ = self.disk.remove(temp); // A leftover is untidy, not wrong.
            }
            return Err(error);
        }
        let mut folders = std::collections::BTreeSet::new();
        for (_, temp, path) in &new {
            self.disk
                .rename(temp, path)
                .map_err(|source| io_at(path, source))?;
            folders.insert(folder_of(path));
        }
        for folder in folders {
            self.disk
                .sync_folder(folder)
                .map_err(|source| io_at(folder, source))?;
        }
        Ok(!new.is_empty())
    }

    fn write(&self, path: PathBuf, bytes: &[u8]) -> Result<Written, BlobError> {
        let io = |source| io_at(&path, source);
        let folder = folder_of(&path);
        if self.disk.look(folder).is_err() {
            make_folders(&*self.disk, folder).map_err(io)?;
            for above in folder.ancestors().skip(1).take(3) {
                self.disk.sync_folder(above).map_err(io)?;
            }
        }
        let temp = temp_beside(&path).map_err(io)?;
        let written = self.disk.create(&temp, None).and_then(|mut file| {
            file.append(bytes)?;
            Ok(file)
        });
        match written {
            Ok(file) => Ok((file, temp, path)),
            Err(error) => {
                let _ = self.disk.remove(&temp);
                Err(io(error))
            }
        }
    }

    fn path(&self, hash: &BlobRef) -> PathBuf {
        let digits = digits(hash);
        self.folder.join(&digits[..2]).join(digits)
    }
}

/// The hash as 64 digits.
fn digits(hash: &BlobRef) -> String {
    let name = hash.name();
    name.strip_prefix("sha256-").unwrap_or(&name).to_owned()
}

/// An image under its temporary name: the open file, that name, and the one to come.
type Written = (Box<dyn super::disk::DiskFile>, PathBuf, PathBuf);

fn io_at(path: &Path, source: io::Error) -> BlobError {
    BlobError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::disk::RealDisk;
    use crate::document::disk::faulty::{FaultyDisk, Operation};

    fn gif(n: u8) -> Vec<u8> {
        [b"GIF89a".as_slice(), &[n; 40]].concat()
    }

    fn store(folder: &Path) -> Blobs {
        Blobs::new(
            Arc::new(RealDisk),
            &folder.join("blobs"),
            &folder.join("x.images"),
        )
    }

    #[test]
    fn an_image_comes_back_by_its_hash() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = store(folder.path());
        let bytes = gif(1);
        let hash = BlobRef::of(&bytes);
        assert!(!blobs.has(&hash));
        assert_eq!(blobs.get(&hash).expect("read"), None);
        assert!(blobs.put(&hash, &bytes).expect("stored"));
        assert!(!blobs.put(&hash, &bytes).expect("known"));
        assert_eq!(blobs.get(&hash).expect("read"), Some((Mime::Gif, bytes)));
        let digits = &hash.name()["sha256-".len()..];
        let path = folder.path().join("blobs").join(&digits[..2]).join(digits);
        assert!(path.is_file(), "{} is the place", path.display());
        std::fs::write(&path, gif(2)).expect("damaged");
        assert_eq!(blobs.get(&hash).expect("read"), None, "damaged is absent");
    }

    #[test]
    fn t3_what_is_no_image_or_not_that_image_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = store(folder.path());
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>";
        let refused = blobs.put(&BlobRef::of(svg), svg).expect_err("SVG");
        assert!(matches!(refused, BlobError::NotAnImage));
        let refused = blobs
            .put(&BlobRef::of(&gif(1)), &gif(2))
            .expect_err("other bytes");
        assert!(matches!(refused, BlobError::OtherHash { .. }));
        let large = [gif(1), vec![0; BLOB_BYTES_MAX]].concat();
        let refused = blobs
            .put(&BlobRef::of(&large), &large)
            .expect_err("too large");
        assert!(refused.to_string().contains("the limit is"), "{refused}");
        assert!(!folder.path().join("blobs").exists(), "nothing was stored");
    }

    #[test]
    fn s2_an_image_that_is_not_durable_is_not_there() {
        for operation in [Operation::Open, Operation::Write, Operation::Sync] {
            let folder = tempfile::tempdir().expect("a folder");
            let disk = FaultyDisk::new(RealDisk);
            let blobs = Blobs::new(
                Arc::new(disk.clone()),
                &folder.path().join("blobs"),
                &folder.path().join("x.images"),
            );
            let images: Vec<_> = (0..4).filter_map(|n| Blob::from_bytes(gif(n))).collect();
            disk.fail_times(operation, "blobs", io::ErrorKind::StorageFull, 1);
            blobs.put_all(&images).expect_err("the disk fails");
            assert!(
                images.iter().all(|image| !blobs.has(&image.hash)),
                "{operation:?}"
            );
            blobs.put_all(&images).expect("the disk is well again");
            assert!(images.iter().all(|image| blobs.has(&image.hash)));
        }
    }
}
