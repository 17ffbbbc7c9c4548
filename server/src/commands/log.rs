//! `plainsync log`: what was done to a document, or to one job, newest first.

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::diff::RecordChange;
use super::export::escape;
use super::failure::Failure;
use super::reach::{Purpose, Reach};
use super::telling::{By, Colour, Field, Paint, counts, plain};
use super::{Outcome, output, progress};
use crate::cli::Target;
use crate::http::limits::PAGE_VERSIONS_MAX;

/// What the help of `plainsync log` says first.
pub(crate) const ABOUT: &str = "Tells what was done, newest first: the version that it made, when (UTC), who, and what.\n\n\
        A version is what its line and all lines below it made. `plainsync diff` and `plainsync restore` take \
        its name, or as few of its digits as no other has, at least four. What a server reported of one run is \
        one line. Times are those of the writers' clocks.";

/// What `plainsync log` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync log --limit 5\n  \
        plainsync log --job job-7\n  \
        plainsync log --json --file ~/Dropbox/board")]
pub struct LogArgs {
    /// Only what changed this job, with its fields before and after
    #[arg(short, long, value_name = "LABEL")]
    pub job: Option<String>,

    /// How many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,

    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    version: String,
    #[serde(flatten)]
    by: By,
    added: usize,
    changed: usize,
    removed: usize,
    restored: usize,
    purged: usize,
    records: Vec<Touched>,
    root: Vec<String>,
}

#[derive(Deserialize)]
struct Touched {
    label: String,
    fields: Vec<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct RecordEntry {
    version: String,
    #[serde(flatten)]
    by: By,
    happened: String,
    fields: Vec<Field>,
}

/// Runs `plainsync log`.
pub(super) async fn run(args: LogArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Read, "log").await?;
    let read = progress::during("reading the history", read(&args, &reach)).await;
    reach.close().await;
    let (entries, next) = read?;
    if args.json {
        output::json(&serde_json::json!({ "entries": entries, "next": next }))?;
        return Ok(0);
    }
    let paint = Paint::of_stdout();
    let lines = if args.job.is_some() {
        let entries: Vec<RecordEntry> = output::known(Value::from(entries))?;
        of_record(&entries, paint)
    } else {
        let entries: Vec<Entry> = output::known(Value::from(entries))?;
        of_document(&entries, paint)
    };
    output::data(lines.as_bytes())?;
    Ok(0)
}

async fn read(args: &LogArgs, reach: &Reach) -> Result<(Vec<Value>, Value), Failure> {
    let limit = usize::try_from(args.limit).unwrap_or(PAGE_VERSIONS_MAX);
    let job = args.job.as_ref().map(|job| format!("&job={}", escape(job)));
    let (mut entries, mut after) = (Vec::new(), String::new());
    loop {
        let wanted = (limit - entries.len()).min(PAGE_VERSIONS_MAX);
        let job = job.as_deref().unwrap_or_default();
        let path = reach.path(&format!("versions?limit={wanted}{job}{after}"));
        let mut page: Value = reach.get(&path).await?;
        if let Value::Array(more) = page["entries"].take() {
            entries.extend(more);
        }
        match page["next"].as_str() {
            Some(next) if entries.len() < limit => after = format!("&after={next}"),
            _ => return Ok((entries, page["next"].take())),
        }
    }
}

fn of_document(entries: &[Entry], paint: Paint) -> String {
    let names = entries.iter().map(|entry| &entry.version);
    let who: Vec<String> = entries.iter().map(|entry| entry.by.who()).collect();
    let widths = (width(names), width(who.iter()));
    let mut lines = String::new();
    for (entry, who) in entries.iter().zip(&who) {
        let head = headed(&entry.version, &entry.by, who, widths, paint);
        lines.push_str(&format!("{head}  {}\n", entry.told()));
    }
    lines
}

fn of_record(entries: &[RecordEntry], paint: Paint) -> String {
    let names = entries.iter().map(|entry| &entry.version);
    let who: Vec<String> = entries.iter().map(|entry| entry.by.who()).collect();
    let widths = (width(names), width(who.iter()));
    let mut lines = String::new();
    for (entry, who) in entries.iter().zip(&who) {
        let head = headed(&entry.version, &entry.by, who, widths, paint);
        lines.push_str(&format!("{head}  {}\n", entry.happened));
        let is_new = entry.happened == "added";
        let fields = entry.fields.iter();
        for field in fields.filter(|field| !is_new || field.is_worth_telling()) {
            lines.push_str(&field.told(paint));
            lines.push('\n');
        }
    }
    lines
}

fn headed(
    version: &str,
    by: &By,
    who: &str,
    (version_width, who_width): (usize, usize),
    paint: Paint,
) -> String {
    let version = paint.with(Colour::Yellow, &format!("{version:version_width$}"));
    let time = paint.with(Colour::Faint, &by.time());
    format!("{version}  {time}  {who:who_width$}")
}

fn width<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

impl Entry {
    /// `job-7 changed: prompt, width`, or `3 removed: job-1, job-2, job-3`.
    fn told(&self) -> String {
        let counted = [
            (self.added, "added"),
            (self.changed, "changed"),
            (self.removed, "removed"),
            (self.restored, "restored"),
            (self.purged, "purged"),
        ];
        let records: usize = counted.iter().map(|(count, _)| count).sum();
        let Some(all) = counts(&counted) else {
            let root = self.root.join(", ");
            return format!("the file's {}", plain(&root));
        };
        let [only] = self.records.as_slice() else {
            let labels: Vec<String> = self.records.iter().map(|one| plain(&one.label)).collect();
            let more = if records > labels.len() { ", …" } else { "" };
            return format!("{all}: {}{more}", labels.join(", "));
        };
        let label = plain(&only.label);
        let did = counted.iter().find(|(count, _)| *count > 0);
        let did = did.map_or("changed", |(_, what)| what);
        match &only.status {
            Some(status) if did == "changed" => format!("{label} ran: {}", plain(status)),
            _ if only.fields.is_empty() || did != "changed" => format!("{label} {did}"),
            _ => format!("{label} {did}: {}", plain(&only.fields.join(", "))),
        }
    }
}

/// Also used by `diff`, which tells records in the same way.
pub(super) fn told_record(record: &RecordChange, paint: Paint) -> String {
    let (sign, colour) = match record.happened.as_str() {
        "added" | "restored" => ("+", Colour::Green),
        "removed" => ("-", Colour::Red),
        _ => ("~", Colour::Yellow),
    };
    let mut lines = paint.with(colour, &format!("{sign} {}", plain(&record.label)));
    if record.happened == "restored" {
        lines.push_str(" (from the bin)");
    }
    if record.happened == "removed" {
        let prompt = record.fields.iter().find_map(|field| field.was("prompt"));
        lines.push_str(
            &prompt
                .map(|prompt| format!("  {prompt}"))
                .unwrap_or_default(),
        );
        lines.push('\n');
        return lines;
    }
    lines.push('\n');
    let is_new = record.happened == "added";
    for field in record
        .fields
        .iter()
        .filter(|field| !is_new || field.is_worth_telling())
    {
        lines.push_str(&field.told(paint));
        lines.push('\n');
    }
    lines
}
