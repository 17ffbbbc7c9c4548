//! An older version as a document of its own, and going back with one record only.

use automerge::ChangeHash;
use serde_json::Map;

use super::VersionError;
use crate::document::Document;
use crate::edit::{Edit, Key};
use crate::value::same;

impl Document {
    /// The document as it was at the version `heads`, all of which it has, to be read and exported.
    /// Costs as much as loading it.
    ///
    /// # Errors
    ///
    /// [`VersionError::Unknown`]: the merge library cannot go there.
    pub fn at_version(&self, heads: &[ChangeHash]) -> Result<Self, VersionError> {
        let then = self.automerge().fork_at(heads);
        let unknown = |_| super::find::unknown(&self.name_of(heads));
        let actor = self.automerge().get_actor().clone();
        let mut then = then.map_err(unknown)?;
        then.set_actor(actor);
        Ok(self.holding(then))
    }

    /// The edits that make the record at `key` what it was at the version `heads`, in order: none
    /// if it is. What others wrote to other records stays; each edit can be taken back like any.
    ///
    /// # Errors
    ///
    /// [`VersionError::NoSuchRecord`].
    pub fn edits_to_return(
        &self,
        key: &Key,
        heads: &[ChangeHash],
    ) -> Result<Vec<Edit>, VersionError> {
        let no_such = || VersionError::NoSuchRecord { key: key.0.clone() };
        let now = self.record(key).ok_or_else(no_such)?;
        if now.purged {
            return Ok(Vec::new()); // What was purged does not return.
        }
        let keys = vec![key.clone()];
        let then = self.record_in(self.reader_at(heads), key);
        let Some(then) = then.filter(|then| !then.purged) else {
            let is_listed = !now.in_bin;
            return Ok(is_listed
                .then_some(Edit::Remove { keys })
                .into_iter()
                .collect());
        };
        let (was_binned, is_binned) = (then.in_bin, now.in_bin);
        let is_kept = now.removed.is_some(); // By an edit, without which the removal holds again.
        let (now, then) = (now.into_values(), then.into_values());
        let mut set = Map::new();
        for (name, value) in &then {
            if now.get(name).is_none_or(|now| !same(now, value)) {
                set.insert(name.clone(), value.clone());
            }
        }
        let gone = now.keys().filter(|name| !then.contains_key(*name));
        let unset: Vec<String> = gone.cloned().collect();
        let mut edits = Vec::new();
        let differs = !set.is_empty() || !unset.is_empty();
        if differs {
            let key = key.clone();
            edits.push(Edit::Change { key, set, unset });
        }
        if !was_binned && (is_binned || (is_kept && differs)) {
            edits.push(Edit::Restore { keys });
        } else if was_binned && (differs || !is_binned) {
            edits.push(Edit::Remove { keys });
        }
        Ok(edits)
    }
}
