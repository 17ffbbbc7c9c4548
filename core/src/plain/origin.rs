//! What a file is, before anything is done with it (F6, F8, F9).

use automerge::ChangeHash;

use super::file;
use super::import::ImportError;
use crate::document::Document;

/// Where a file comes from, and whether somebody edited it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// It says no version: an old file, an old dashboard's list.
    Unversioned,
    /// It was written from another document.
    OtherDocument {
        /// That document's id, as the file says it.
        document: String,
    },
    /// It was written at a version that has not arrived here.
    Ahead {
        /// The first unknown head.
        missing: String,
    },
    /// It is what would be written now; images and spelling apart.
    Current,
    /// It is an older version, and nobody edited it: not to be taken for a wish to go back, but
    /// to be offered once (F9). [`Edit::Return`](crate::edit::Edit::Return) with these heads goes
    /// back to it.
    Older {
        /// The version.
        heads: Vec<ChangeHash>,
    },
    /// Somebody edited it.
    Edited {
        /// The version that was edited.
        heads: Vec<ChangeHash>,
    },
    /// It is a backup: taking it in means to go back to what it says (F8).
    Backup {
        /// The version that it was written at.
        heads: Vec<ChangeHash>,
        /// The version that replaced it, from which the way back is a change.
        replaced_by: Vec<ChangeHash>,
    },
}

impl Document {
    /// What `text` is. Costs as much as an import, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`ImportError::Text`]: it is no such file.
    pub fn origin(&self, text: &[u8]) -> Result<Origin, ImportError> {
        let file = file::read(text, self.schema())?;
        let Some(sync) = &file.sync else {
            return Ok(Origin::Unversioned);
        };
        let (heads, base) = match self.named_by(sync) {
            Ok(Some(versions)) => versions,
            Ok(None) => {
                let document = sync.document.clone();
                return Ok(Origin::OtherDocument { document });
            }
            Err(ImportError::Parked { missing }) => return Ok(Origin::Ahead { missing }),
            Err(other) => return Err(other),
        };
        if base != heads {
            return Ok(Origin::Backup {
                heads,
                replaced_by: base,
            });
        }
        let edited = self.is_edited(file)?;
        let is_now = {
            let mut sorted = heads.clone();
            sorted.sort_unstable();
            sorted == self.heads()
        };
        Ok(match (edited, is_now) {
            (false, true) => Origin::Current,
            (false, false) => Origin::Older { heads },
            (true, _) => Origin::Edited { heads },
        })
    }
}
