//! What a command is given to read: a file or stdin, whole, within limits, and what it is.
//!
//! Accepted are a history or an export as JSON, an answer of the old server, what an old
//! dashboard kept in `localStorage` (the value of `pixellab_jobs_v1`, as an object or as the
//! text that it was, or an object that holds it), and our own CSV.
//!
//! Excel's own formats are written (`export --format xlsx`) and not read.
//!
//! **Invariant:** nothing here waits for a pipe that nobody writes to, unless it is stdin.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use plainsync_core::limits::JSON_BYTES_MAX;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::failure::Failure;
use super::table;
use crate::cli::exit;

/// What a zip archive begins with, as `.xlsx` and `.ods` are, and an old `.xls`.
const SHEETS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// What stands for stdin.
pub(super) const STDIN: &str = "-";

/// The key under which the old dashboard kept its list.
const OLD_KEY: &str = "pixellab_jobs_v1";

/// A text that may be a job history.
pub(super) struct Source {
    /// What it is called in messages.
    pub(super) name: String,
    /// JSON, unless it is nothing that we know.
    pub(super) text: Vec<u8>,
    /// What it was before, for people; `None`: a history as it is.
    pub(super) was: Option<&'static str>,
}

impl Source {
    /// Reads `path`, or stdin for `-`, and takes the list out of what it is wrapped in.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = if path == Path::new(STDIN) {
            if io::stdin().is_terminal() {
                crate::cli::complain("reading from the terminal; end with ctrl-d");
            }
            ("stdin".to_owned(), read_all(io::stdin().lock()))
        } else {
            let name = path.display().to_string();
            (name, open(path)?.and_then(read_all))
        };
        let bytes = bytes
            .map_err(|error| Failure::new(exit::FILE, format!("{name} cannot be read: {error}")))?;
        if bytes.len() > JSON_BYTES_MAX {
            let sentence = format!("{name} is larger than {JSON_BYTES_MAX} bytes, the limit");
            return Err(Failure::new(exit::BROKEN, sentence));
        }
        if SHEETS.iter().any(|start| bytes.starts_with(start)) {
            let sentence = format!(
                "{name} is an Excel sheet or another archive; these are written and not read. Save the sheet as CSV (UTF-8) and import that, or import the JSON that `plainsync export` writes"
            );
            return Err(Failure::new(exit::BROKEN, sentence));
        }
        let (text, was) = unwrap(&name, bytes)?;
        Ok(Self { name, text, was })
    }
}

/// A file that can be read without waiting for anybody.
fn open(path: &Path) -> Result<io::Result<File>, Failure> {
    let kind = match path.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) => return Ok(Err(error)),
    };
    let is = if kind.is_file() {
        return Ok(File::open(path));
    } else if kind.is_dir() {
        "a folder"
    } else {
        "a pipe, a socket or a device"
    };
    let sentence = format!(
        "{} is {is}; a file is expected (`-` reads from stdin)",
        path.display()
    );
    Err(Failure::new(exit::FILE, sentence))
}

/// All of it, or one byte more than is allowed.
fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(JSON_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The list that `bytes` hold, and what held it.
fn unwrap(name: &str, bytes: Vec<u8>) -> Result<(Vec<u8>, Option<&'static str>), Failure> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'"') => {
            // The value of `localStorage` as a console shows it: JSON in a text.
            if let Ok(text) = serde_json::from_slice::<String>(&bytes) {
                return Ok((text.into_bytes(), Some("an old browser's list")));
            }
        }
        Some(b'{') => {
            if let Some(text) = dumped(&bytes) {
                return Ok((text, Some("a dump of an old browser's storage")));
            }
        }
        _ if table::is_ours(&bytes) => {
            let text = table::read_csv(&bytes).map_err(|reason| {
                Failure::new(
                    exit::BROKEN,
                    format!("{name} cannot be read as CSV: {reason}"),
                )
            })?;
            return Ok((text, Some("a CSV export")));
        }
        _ => {}
    }
    Ok((bytes, None))
}

#[derive(Deserialize)]
struct Storage<'a> {
    #[serde(borrow, rename = "pixellab_jobs_v1")]
    list: &'a RawValue,
}

/// The old dashboard's list in a dump of its storage.
fn dumped(bytes: &[u8]) -> Option<Vec<u8>> {
    // Whole lists are large and mostly no dumps: looked for before it is parsed.
    let start = &bytes[..bytes.len().min(1024 * 1024)];
    let is_named = start
        .windows(OLD_KEY.len())
        .any(|window| window == OLD_KEY.as_bytes());
    if !is_named {
        return None;
    }
    let storage: Storage<'_> = serde_json::from_slice(bytes).ok()?;
    let raw = storage.list.get();
    let text = serde_json::from_str::<String>(raw);
    Some(text.unwrap_or_else(|_| raw.to_owned()).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b6_an_old_browsers_list_is_found_in_each_of_its_wrappings() {
        let list = r#"{"jobs":[{"id":"job-1"}],"lastJobId":2}"#;
        let quoted = serde_json::to_string(list).expect("a text");
        for wrapped in [
            list.to_owned(),
            quoted.clone(),
            format!(r#"{{"pixellab_jobs_v1": {quoted}, "theme": "dark"}}"#),
            format!(r#"{{"pixellab_jobs_v1": {list}}}"#),
        ] {
            let (text, _) = unwrap("x", wrapped.clone().into_bytes()).expect("read");
            assert_eq!(String::from_utf8_lossy(&text), list, "{wrapped}");
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        for text in ["", "words", "{\"jobs\": [", "\"half", "[1]", "\u{feff}{}"] {
            let (kept, was) = unwrap("x", text.as_bytes().to_vec()).expect("read");
            assert_eq!((kept.as_slice(), was), (text.as_bytes(), None));
        }
    }
}
