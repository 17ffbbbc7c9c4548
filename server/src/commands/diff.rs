//! `plainsync diff`: what differs between two versions.

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::export::escape;
use super::log::told_record;
use super::reach::{Purpose, Reach};
use super::telling::{Field, Paint, counts};
use super::{Outcome, output, progress};
use crate::cli::Target;

/// What the help of `plainsync diff` says first.
pub(crate) const ABOUT: &str = "Tells what differs between two versions, one field a line: + added or back from the bin, \
        - removed, ~ changed.\n\n\
        A version is a name that `plainsync log` tells, HEAD for the newest, HEAD~2 for the one two lines of the \
        log below, or a time in UTC: the newest version at or before it by the writers' clocks. Images are told \
        by their address.";

/// What `plainsync diff` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync diff HEAD~1\n  \
        plainsync diff 9f3c2a1b 77aa01cd\n  \
        plainsync diff '2026-01-31 10:00' HEAD --json")]
pub struct DiffArgs {
    /// The older version
    #[arg(value_name = "A")]
    pub from: String,

    /// The newer version
    #[arg(value_name = "B", default_value = "HEAD")]
    pub to: String,

    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// What differs, as the API tells it.
#[derive(Deserialize)]
pub(super) struct Told {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) added: usize,
    pub(super) restored: usize,
    pub(super) removed: usize,
    pub(super) changed: usize,
    pub(super) records: Vec<RecordChange>,
    pub(super) more: usize,
    pub(super) root: Vec<Field>,
}

/// A record that differs.
#[derive(Deserialize)]
pub(super) struct RecordChange {
    pub(super) label: String,
    pub(super) happened: String,
    pub(super) fields: Vec<Field>,
}

/// Runs `plainsync diff`.
pub(super) async fn run(args: DiffArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Read, "diff").await?;
    let (from, to) = (escape(&args.from), escape(&args.to));
    let path = reach.path(&format!("diff?from={from}&to={to}"));
    let compared = progress::during("comparing", reach.get::<Value>(&path)).await;
    reach.close().await;
    let compared = compared?;
    if args.json {
        output::json(&compared)?;
        return Ok(0);
    }
    let told: Told = output::known(compared)?;
    let what = told.counted();
    let what = what.unwrap_or_else(|| {
        let same = if told.root.is_empty() {
            "the same"
        } else {
            "the same jobs"
        };
        same.to_owned()
    });
    output::line(&format!("{} → {}: {what}", told.from, told.to))?;
    output::data(told.lines().as_bytes())?;
    Ok(0)
}

impl Told {
    /// `2 restored, 1 changed`; none if no record differs.
    pub(super) fn counted(&self) -> Option<String> {
        counts(&[
            (self.added, "added"),
            (self.restored, "restored"),
            (self.removed, "removed"),
            (self.changed, "changed"),
        ])
    }

    /// The records and fields that differ.
    pub(super) fn lines(&self) -> String {
        let paint = Paint::of_stdout();
        let mut lines = String::new();
        for field in &self.root {
            lines.push_str(field.told(paint).trim_start());
            lines.push('\n');
        }
        for record in &self.records {
            lines.push_str(&told_record(record, paint));
        }
        if self.more > 0 {
            let more = output::counted(self.more, "further job differs", "further jobs differ");
            lines.push_str(&format!("… {more}\n"));
        }
        lines
    }
}
