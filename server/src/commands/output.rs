//! Data to stdout. Whoever reads it may stop reading: a closed pipe is no error.

use std::io::{self, Write as _};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::Failure;
use crate::cli::exit;
use crate::document::disk::{RealDisk, write_whole};

/// Writes `bytes` to stdout.
pub(super) fn data(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let sentence = format!("stdout cannot be written to: {error}");
            Err(Failure::new(exit::FAILED, sentence))
        }
        _ => Ok(()),
    }
}

/// Writes one line to stdout.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    data(format!("{text}\n").as_bytes())
}

/// Writes `value` to stdout, indented, for a script or a person.
pub(super) fn json(value: &Value) -> Result<(), Failure> {
    line(&format!("{value:#}"))
}

/// `value` in a shape that is known here.
pub(super) fn known<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| {
        let sentence = format!("the server answered what this version does not know: {error}");
        Failure::new(exit::FAILED, sentence)
    })
}

/// Writes `bytes` to `file`, whole or not at all; to stdout without one.
pub(super) fn to_file(file: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    let Some(file) = file else { return data(bytes) };
    let written = match file.metadata() {
        // A device or a pipe is written to and not replaced.
        Ok(found) if !found.is_file() && !found.is_dir() => std::fs::write(file, bytes),
        _ => write_whole(&RealDisk, file, bytes, None),
    };
    written.map_err(|error| {
        let sentence = format!("{} cannot be written: {error}", file.display());
        Failure::new(exit::FILE, sentence)
    })
}

/// `1 job`, `2 jobs`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
