//! The names that folder syncers give: conflict copies beside the JSON (F10), and files of
//! their own that are none of our business.
//!
//! ```
//! use plainsync::document::copies::{Kinship, kinship};
//!
//! let dropbox = "job_history (Ann's conflicted copy 2026-01-31).json";
//! assert_eq!(kinship("job_history.json", dropbox), Some(Kinship::Certain));
//! assert_eq!(kinship("job_history.json", "job_history (1).json"), Some(Kinship::Probable));
//! assert_eq!(kinship("job_history.json", "notes.json"), None);
//! ```

/// How sure a name is to be a conflict copy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// Only a syncer names files so.
    Certain,
    /// A person may, too: it is one only if it carries a version of the same document.
    Probable,
}

/// Longest host name in a conflict copy's name, in bytes.
const HOST_BYTES_MAX: usize = 63;

/// Whether `name` is that of a conflict copy of `file`.
#[must_use]
pub fn kinship(file: &str, name: &str) -> Option<Kinship> {
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    let middle = name
        .strip_prefix(stem)?
        .strip_suffix(extension)?
        .strip_suffix(if extension.is_empty() { "" } else { "." })?;
    // Dropbox: " (Ann's conflicted copy 2026-01-31)", and a copy of that.
    if middle.starts_with(" (") && middle.contains("conflicted copy") {
        return Some(Kinship::Certain);
    }
    // Syncthing: ".sync-conflict-20260131-101112-ABCDEFG".
    if let Some(rest) = middle.strip_prefix(".sync-conflict-") {
        let mut parts = rest.splitn(3, '-');
        let is =
            |part: Option<&str>, len| part.is_some_and(|part| digits(part) && part.len() == len);
        return (is(parts.next(), 8) && is(parts.next(), 6)).then_some(Kinship::Certain);
    }
    // Drive: " (1)"; iCloud: " 2".
    let numbered = middle.strip_prefix(' ').map(|text| {
        let inside = text.strip_prefix('(');
        inside
            .and_then(|text| text.strip_suffix(')'))
            .unwrap_or(text)
    });
    if numbered.is_some_and(digits) {
        return Some(Kinship::Probable);
    }
    // OneDrive: "-HOST". Lower-case words are what people add: `-old`, `-backup`.
    let host = middle.strip_prefix('-')?;
    let named = !host.is_empty()
        && host.len() <= HOST_BYTES_MAX
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && host.bytes().any(|b| b.is_ascii_uppercase());
    named.then_some(Kinship::Probable)
}

/// Whether `name` is a file that a syncer is still writing.
#[must_use]
pub fn is_syncers_own(name: &str) -> bool {
    let temporary = name.ends_with(".tmp")
        && (name.starts_with(".syncthing.") || name.starts_with("~syncthing~"));
    temporary || name.starts_with(".~") || name.ends_with(".partial") || name.ends_with(".icloud")
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= 8 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f10_the_names_of_five_syncers_are_known() {
        use Kinship::{Certain, Probable};
        for (name, expected) in [
            (
                "job_history (X's conflicted copy 2026-01-31).json",
                Some(Certain),
            ),
            (
                "job_history (X's conflicted copy 2026-01-31 (1)).json",
                Some(Certain),
            ),
            (
                "job_history (X's conflicted copy 2026-01-31) 2.json",
                Some(Certain),
            ),
            (
                "job_history.sync-conflict-20260131-101112-ABCDEFG.json",
                Some(Certain),
            ),
            ("job_history-DESKTOP-AB12CD.json", Some(Probable)),
            ("job_history-MacBook-Pro.json", Some(Probable)),
            ("job_history (1).json", Some(Probable)),
            ("job_history 2.json", Some(Probable)),
            ("job_history.json", None),
            ("job_history.json.backup", None),
            ("job_history-old.json", None),
            ("job_history-2024.json", None),
            ("job_history (old).json", None),
            ("job_history.sync-conflict-.json", None),
            ("other (1).json", None),
            ("job_history2.json", None),
            ("job_history (1).txt", None),
        ] {
            assert_eq!(kinship("job_history.json", name), expected, "{name}");
        }
        assert_eq!(kinship("notes", "notes (1)"), Some(Probable));
    }

    #[test]
    fn f10_what_a_syncer_is_writing_is_left_alone() {
        for name in [
            ".syncthing.job_history.json.tmp",
            "~syncthing~job_history.json.tmp",
        ] {
            assert!(is_syncers_own(name), "{name}");
            assert_eq!(kinship("job_history.json", name), None, "{name}");
        }
        assert!(!is_syncers_own("job_history.json"));
    }
}
