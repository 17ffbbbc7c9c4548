//! What the merge library is given, with care where it has failed before.
//!
//! A few changes that are forged well make the library panic instead of refusing them. The document
//! is worth nothing then and is restored, which takes as long as loading it. Whoever sends one such
//! change can send more, so for a while after the first all that peers send is tried on a copy:
//! a copy costs much less than a restore, but too much to make one for every message there is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, AutomergeError};

use super::Arrivals;
use crate::document::Document;
use crate::limits::CAREFUL_MESSAGES;
use crate::session::SessionError;

/// Why the library did not take something.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(AutomergeError),
    Panicked,
}

impl From<Failure> for SessionError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(AutomergeError::DuplicateSeqNumber(seq, actor)) => Self::Cloned {
                actor: actor.to_hex_string(),
                seq,
            },
            Failure::Refused(other) => Self::Refused(other.to_string()),
            Failure::Panicked => Self::Refused("the merge library fails on them".to_owned()),
        }
    }
}

impl Arrivals {
    /// From now on, and for a while, the library is not trusted to refuse what it should.
    pub(crate) fn be_careful(&mut self) {
        self.careful = CAREFUL_MESSAGES;
    }

    /// Lets `work` change what `document` holds; while careful, it changes a copy first.
    pub(super) fn on<T>(
        &mut self,
        document: &mut Document,
        work: impl FnOnce(&mut Automerge) -> Result<T, AutomergeError>,
    ) -> Result<T, Failure> {
        if self.careful == 0 {
            return work(document.automerge_mut()).map_err(Failure::Refused);
        }
        let mut copy = document.automerge().clone();
        match catch_unwind(AssertUnwindSafe(|| work(&mut copy))) {
            Ok(Ok(done)) => {
                self.careful -= 1;
                *document.automerge_mut() = copy;
                Ok(done)
            }
            Ok(Err(error)) => Err(Failure::Refused(error)),
            Err(_) => {
                self.be_careful();
                Err(Failure::Panicked)
            }
        }
    }
}
