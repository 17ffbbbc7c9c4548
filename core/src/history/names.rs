//! Short names for changes, and back.

use automerge::ChangeHash;

use super::find::VersionError;
use super::{NAME_DIGITS_MIN, PREFIX_DIGITS_MIN};

/// How many names an error lists.
const EXAMPLES_MAX: usize = 5;

/// All hashes of a document.
pub(super) struct Names {
    sorted: Vec<ChangeHash>,
}

impl Names {
    pub(super) fn new(hashes: impl Iterator<Item = ChangeHash>) -> Self {
        let mut sorted: Vec<_> = hashes.collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    /// The name of the version with these heads.
    pub(super) fn of(&self, heads: &[ChangeHash]) -> String {
        let parts: Vec<String> = heads.iter().map(|hash| self.short(hash)).collect();
        parts.join(",")
    }

    /// The shortest beginning of `hash`, of at least [`NAME_DIGITS_MIN`] digits, that no other has.
    fn short(&self, hash: &ChangeHash) -> String {
        let at = self.sorted.partition_point(|other| other < hash);
        let before = at.checked_sub(1).and_then(|at| self.sorted.get(at));
        let neighbours = [before, self.sorted.get(at + 1)];
        let shared = neighbours.into_iter().flatten();
        let shared = shared.map(|other| shared_digits(hash, other)).max();
        let digits = (shared.unwrap_or(0) + 1).max(NAME_DIGITS_MIN);
        hash.to_string().chars().take(digits).collect()
    }

    /// The only change whose hash begins so.
    pub(super) fn find(&self, prefix: &str) -> Result<ChangeHash, VersionError> {
        let prefix = prefix.to_ascii_lowercase();
        let is_hex = prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || prefix.is_empty() || prefix.len() > 64 {
            let found = prefix.chars().take(super::find::FOUND_CHARS_MAX).collect();
            return Err(VersionError::NoVersion { found });
        }
        if prefix.len() < PREFIX_DIGITS_MIN {
            return Err(VersionError::TooShort { found: prefix });
        }
        let mut lowest = prefix.clone();
        lowest.push_str(&"0".repeat(64 - prefix.len()));
        let lowest: ChangeHash = lowest.parse().map_err(|_| super::find::unknown(&prefix))?;
        let from = self.sorted.partition_point(|hash| *hash < lowest);
        let mut matching =
            (self.sorted[from..].iter()).take_while(|hash| hash.to_string().starts_with(&prefix));
        match (matching.next(), matching.next()) {
            (Some(only), None) => Ok(*only),
            (Some(first), Some(second)) => {
                let rest = matching.take(EXAMPLES_MAX - 2);
                let all = [first, second].into_iter().chain(rest);
                let examples: Vec<String> = all.map(|hash| self.short(hash)).collect();
                Err(VersionError::Ambiguous {
                    found: prefix,
                    examples: examples.join(", "),
                })
            }
            (None, _) => Err(super::find::unknown(&prefix)),
        }
    }
}

fn shared_digits(one: &ChangeHash, other: &ChangeHash) -> usize {
    let (one, other) = (one.to_string(), other.to_string());
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(a, b)| a == b).count()
}
