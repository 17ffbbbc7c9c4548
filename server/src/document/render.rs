//! The text of the JSON file, from a heading and rows of one version.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use plainsync_core::blob::{BlobRef, to_data_url};
use plainsync_core::edit::Key;
use plainsync_core::plain::export::{Heading, Rows};
use plainsync_core::view::Row;

use super::blobs::{BlobError, Blobs};
use super::way::give_way;

/// The text of the JSON file.
pub(super) struct Rendered {
    pub(super) bytes: Vec<u8>,
    /// Images that it refers to and that are not here.
    pub(super) missing: Vec<BlobRef>,
}

/// The JSON that the file holds, images as the document says: inlined or linked. `images` tells all
/// that any record refers to.
///
/// # Errors
///
/// As [`render`]; also where a linked image cannot be written.
pub(super) fn render_file(
    heading: &Heading,
    rows: &impl Rows,
    images: impl FnOnce() -> HashSet<BlobRef>,
    blobs: &Blobs,
) -> Result<Rendered, BlobError> {
    if !heading.links_images() {
        return render(heading, rows, blobs);
    }
    let mut images: Vec<BlobRef> = images().into_iter().collect();
    images.sort_unstable();
    let links = blobs.link_all(images)?;
    let missing = RefCell::new(Vec::new());
    let bytes = heading.export(&Giving(rows), &|hash| {
        let link = links.get(hash).cloned();
        if link.is_none() {
            missing.borrow_mut().push(*hash);
        }
        link
    });
    Ok(Rendered {
        bytes,
        missing: missing.into_inner(),
    })
}

/// The JSON with images inlined where they are here.
///
/// # Errors
///
/// An image is here but cannot be read: a file without it would look as if it were lost.
pub(super) fn render(
    heading: &Heading,
    rows: &impl Rows,
    blobs: &Blobs,
) -> Result<Rendered, BlobError> {
    let (failed, missing) = (RefCell::new(None), RefCell::new(Vec::new()));
    let bytes = heading.export(&Giving(rows), &|hash| match blobs.get(hash) {
        Ok(Some((mime, bytes))) => Some(to_data_url(mime, &bytes)),
        Ok(None) => {
            missing.borrow_mut().push(*hash);
            None
        }
        Err(error) => {
            failed.borrow_mut().get_or_insert(error);
            None
        }
    });
    match failed.into_inner() {
        None => Ok(Rendered {
            bytes,
            missing: missing.into_inner(),
        }),
        Some(error) => Err(error),
    }
}

/// Rows that are rendered between two questions whether somebody waits.
const ROWS: usize = 16;

/// Rows on whose way to the text others go first.
struct Giving<'r, R>(&'r R);

impl<R: Rows> Rows for Giving<'_, R> {
    fn listed(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.0.listed().enumerate().map(|(nth, row)| {
            if nth % ROWS == 0 {
                give_way();
            }
            row
        })
    }

    fn row(&self, key: &Key) -> Option<&Arc<Row>> {
        self.0.row(key)
    }
}
