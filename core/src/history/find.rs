//! Which version somebody means.

use automerge::ChangeHash;

use super::names::Names;
use super::walk::Walk;
use super::{LOG_ENTRIES_MAX, PREFIX_DIGITS_MIN};
use crate::document::Document;
use crate::time::{SecondsRange, rfc3339, seconds_within};

/// Characters of a version's name that an error repeats.
pub(super) const FOUND_CHARS_MAX: usize = 200;

/// Why no version could be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The text does not look like one.
    #[error(
        "`{found}` names no version: allowed are a name from the log such as 9f3c2a1b, HEAD, HEAD~3, and a time such as 2026-01-31 10:00"
    )]
    NoVersion {
        /// The text.
        found: String,
    },
    /// Too few digits to mean one change.
    #[error(
        "`{found}` is too short for a version's name: at least {PREFIX_DIGITS_MIN} digits are needed"
    )]
    TooShort {
        /// The text.
        found: String,
    },
    /// Several changes begin so.
    #[error("`{found}` may mean several versions: {examples}; add a digit")]
    Ambiguous {
        /// The text.
        found: String,
        /// Some that begin so.
        examples: String,
    },
    /// No change is called so.
    #[error("the version `{found}` is not in this document's history")]
    Unknown {
        /// The text.
        found: String,
    },
    /// Nothing had been written by then.
    #[error("nothing had been written by {found}; the oldest change is of {oldest}")]
    BeforeAll {
        /// The time asked for.
        found: String,
        /// The time of the oldest change.
        oldest: String,
    },
    /// The history is shorter.
    #[error("there are only {steps} steps back from the newest version; `{found}` asks for more")]
    BeforeFirst {
        /// The text.
        found: String,
        /// How many there are.
        steps: usize,
    },
    /// So many steps are not counted.
    #[error("`{found}` goes too many steps back; at most {max} are counted, name the version instead", max = LOG_ENTRIES_MAX - 1)]
    TooFar {
        /// The text.
        found: String,
    },
    /// No record has this key.
    #[error("there is no record with the key {key:?}")]
    NoSuchRecord {
        /// The key.
        key: String,
    },
}

pub(super) fn unknown(found: &str) -> VersionError {
    VersionError::Unknown {
        found: found.chars().take(FOUND_CHARS_MAX).collect(),
    }
}

impl Document {
    /// The heads of the version that `text` means.
    ///
    /// - `HEAD` is the newest version, `HEAD~3` what was there three lines of the log before;
    /// - `9f3c2a1b`, or as few as four digits that only one change begins with, is the version
    ///   that this change made; with commas between them, several changes together;
    /// - `2026-01-31T10:00:00+01:00`, or `2026-01-31 10:00` in UTC, is the newest version at or
    ///   before that time, and `2026-01-31` the last one of that day. Times are those of the
    ///   writers' clocks: a machine whose clock was wrong is found at the wrong time.
    ///
    /// # Errors
    ///
    /// [`VersionError`]: there is no such version, or there are several.
    pub fn find_version(&self, text: &str) -> Result<Vec<ChangeHash>, VersionError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("head") {
            return Ok(self.heads());
        }
        if let Some((head, steps)) = text.split_once('~')
            && head.eq_ignore_ascii_case("head")
        {
            return self.steps_back(text, steps);
        }
        if let Some(seconds) = seconds_of(text) {
            return self.version_at(seconds);
        }
        let names = Names::new(Walk::new(self.automerge()).hashes());
        let mut heads = Vec::new();
        for part in text.split(',') {
            heads.push(names.find(part.trim())?);
        }
        Ok(self.newest_of(&heads))
    }

    /// The newest version whose changes all were made, by their own clocks, at `seconds` since
    /// the Unix epoch or before, or are followed by one that was.
    ///
    /// # Errors
    ///
    /// [`VersionError::BeforeAll`]: nothing had been written by then.
    pub fn version_at(&self, seconds: i64) -> Result<Vec<ChangeHash>, VersionError> {
        let walk = Walk::new(self.automerge());
        let is_written = |(hash, _): &(ChangeHash, i64)| *hash != self.first_change();
        let then: Vec<ChangeHash> = (walk.times().filter(is_written))
            .filter(|(_, at)| *at <= seconds)
            .map(|(hash, _)| hash)
            .collect();
        if then.is_empty() {
            let oldest = walk.times().filter(is_written).map(|(_, at)| at).min();
            return Err(VersionError::BeforeAll {
                found: rfc3339(seconds),
                oldest: oldest.map_or_else(|| "no time yet".to_owned(), rfc3339),
            });
        }
        Ok(self.newest_of(&then))
    }

    /// The name of the version with these heads, as the log writes it.
    #[must_use]
    pub fn name_of(&self, heads: &[ChangeHash]) -> String {
        Names::new(Walk::new(self.automerge()).hashes()).of(heads)
    }

    fn steps_back(&self, text: &str, steps: &str) -> Result<Vec<ChangeHash>, VersionError> {
        let found = || text.chars().take(FOUND_CHARS_MAX).collect::<String>();
        let is_number = !steps.is_empty() && steps.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(VersionError::NoVersion { found: found() });
        }
        let steps: usize = steps.parse().unwrap_or(usize::MAX);
        if steps >= LOG_ENTRIES_MAX {
            return Err(VersionError::TooFar { found: found() });
        }
        let entries = self.log(None, steps + 1)?.entries;
        let Some(entry) = entries.get(steps) else {
            return Err(VersionError::BeforeFirst {
                found: found(),
                steps: entries.len().saturating_sub(1),
            });
        };
        let heads = entry.heads.iter().filter_map(|head| head.parse().ok());
        Ok(heads.collect())
    }
}

/// The Unix second that a person means by `text`: RFC 3339, with or without seconds, with a
/// space or a `T`, in UTC where no zone is named; a day alone means its last second.
///
/// `None` when it is no time.
#[must_use]
pub fn seconds_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let SecondsRange { start, end } = seconds_within(text)?;
    match text.len() {
        7 => None, // A month is no version.
        10 => Some(end - 1),
        _ => Some(start),
    }
}

#[cfg(test)]
mod tests {
    use super::seconds_of;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("2026-01-31T10:11:11Z", Some(1_769_854_271)),
            ("2026-01-31 10:11:11", Some(1_769_854_271)),
            ("2026-01-31 12:11:11+02:00", Some(1_769_854_271)),
            ("2026-01-31 12:11:11 +02:00", Some(1_769_854_271)),
            ("2026-01-31 10:11", Some(1_769_854_260)),
            ("2026-01-31T10:11Z", Some(1_769_854_260)),
            ("2026-01-31", Some(1_769_903_999)),
            ("2026-02-30 10:11", None),
            ("10:11", None),
            ("9f3c2a1b77", None),
            ("2026-01-31x10:11", None),
            ("ééééé 10:00", None),
            ("", None),
        ] {
            assert_eq!(seconds_of(text), seconds, "{text}");
        }
    }
}
