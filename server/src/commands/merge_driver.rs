//! `plainsync merge-driver`: what git calls to merge two branches' JSON.
//!
//! Set up by `.gitattributes` (`*.json merge=plainsync`) and `git config merge.plainsync.driver
//! 'plainsync merge-driver %O %A %B %P'`.
//!
//! **Invariant:** nothing is written but the file of the second argument, and that whole or not
//! at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::cli::{MergeDriverArgs, complain, exit};
use crate::document::disk::{Disk as _, RealDisk, write_whole};
use crate::document::three_way::{History, Merged, Texts, document_of, merge};

/// Longest value that is repeated in a sentence, in characters.
const VALUE_CHARS_MAX: usize = 80;

/// Merges, tells what was in conflict, and ends as git expects: 0 if the file is merged.
#[must_use]
pub fn run(args: &MergeDriverArgs) -> ExitCode {
    match drive(args) {
        Ok(merged) => {
            tell(&name_of(args), &merged);
            ExitCode::SUCCESS
        }
        Err((code, sentence)) => {
            complain(&sentence);
            ExitCode::from(code)
        }
    }
}

fn drive(args: &MergeDriverArgs) -> Result<Merged, (u8, String)> {
    let read = |path: &PathBuf| {
        let failed = |error: io::Error| {
            let sentence = format!("{} cannot be read: {error}", path.display());
            (exit::FILE, sentence)
        };
        fs::read(path).map_err(failed)
    };
    let (base, ours, theirs) = (read(&args.base)?, read(&args.ours)?, read(&args.theirs)?);
    let texts = Texts {
        base: &base,
        ours: &ours,
        theirs: &theirs,
    };
    let document = document_of(&ours).filter(|ours| document_of(&theirs) == Some(*ours));
    let file = args.path.as_ref().unwrap_or(&args.ours);
    let history =
        document.and_then(|document| History::find(file, args.state.as_deref(), document));
    let merged = merge(texts, history.as_ref()).map_err(|unreadable| {
        let sentence = format!(
            "{} is not merged, {unreadable}; the file is left as it is",
            name_of(args)
        );
        (exit::FAILED, sentence)
    })?;
    write(&args.ours, &merged.text).map_err(|error| {
        let sentence = format!("{} cannot be written: {error}", args.ours.display());
        (exit::FILE, sentence)
    })?;
    Ok(merged)
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mode = RealDisk.look(path)?.mode;
    write_whole(&RealDisk, path, text, mode)
}

/// One line for each thing that somebody may want to look at again.
fn tell(name: &str, merged: &Merged) {
    for conflict in &merged.conflicts {
        let other: Vec<String> = conflict.other.iter().map(short).collect();
        complain(&format!(
            "{name}: {}, {}: both branches changed it; {} is in the file, {} is not",
            conflict.label,
            conflict.field,
            short(&conflict.shown),
            other.join(" and ")
        ));
    }
    for label in &merged.kept {
        complain(&format!(
            "{name}: {label} was removed on one branch and edited on the other; it stays"
        ));
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn name_of(args: &MergeDriverArgs) -> String {
    args.path
        .as_ref()
        .unwrap_or(&args.ours)
        .display()
        .to_string()
}
