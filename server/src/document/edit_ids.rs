//! The ids of the latest edits, by which a repeated one is recognised.
//!
//! An edit that is sent again after its answer was lost must not be applied again: in the
//! meantime somebody may have changed the same field.

use std::collections::{HashSet, VecDeque};

/// Most ids remembered; older ones are forgotten first.
pub(super) const EDIT_IDS_MAX: usize = 20_000;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct EditIds {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl EditIds {
    /// Whether the edit is among the latest.
    #[must_use]
    pub(super) fn contains(&self, id: &str) -> bool {
        self.known.contains(id)
    }

    /// Remembers an edit.
    pub(super) fn insert(&mut self, id: String) {
        if !self.known.insert(id.clone()) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > EDIT_IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// All of them, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.order.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_ids_are_known_and_the_oldest_forgotten() {
        let mut ids = EditIds::default();
        for n in 0..=EDIT_IDS_MAX {
            ids.insert(format!("edit-{n}"));
            ids.insert(format!("edit-{n}"));
        }
        assert!(!ids.contains("edit-0") && ids.contains("edit-1"));
        assert!(ids.contains(&format!("edit-{EDIT_IDS_MAX}")));
        assert_eq!(ids.iter().count(), EDIT_IDS_MAX);
    }
}
