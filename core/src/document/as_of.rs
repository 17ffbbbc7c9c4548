//! The document as it was.

use std::collections::HashSet;
use std::sync::Arc;

use automerge::{Change, ChangeHash};

use super::Document;

impl Document {
    /// A document of its own that holds what this one held at the version named by `heads`, and
    /// nothing that came later. `None`: not all of them are known here.
    #[must_use]
    pub fn as_of(&self, heads: &[ChangeHash]) -> Option<Self> {
        if !self.has(heads) {
            return None;
        }
        let since = self.changes_since(heads);
        let since: HashSet<ChangeHash> = since.iter().map(Change::hash).collect();
        let all = self.changes_since(&[]).into_iter();
        let until = all.filter(|change| !since.contains(&change.hash()));
        let mut then = Self::new(self.id, Arc::clone(&self.schema));
        then.doc.apply_changes(until).ok()?;
        then.rebuild();
        Some(then)
    }
}
