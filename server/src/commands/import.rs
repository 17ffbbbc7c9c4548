//! `plainsync import`: takes in a history, an export or an old browser's data.

use std::path::PathBuf;

use clap::Args;
use hyper::body::Bytes;
use hyper::http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::failure::Failure;
use super::reach::{Purpose, Reach};
use super::source::Source;
use super::{Outcome, output, progress};
use crate::cli::{Target, complain, exit};

/// What its help says first.
pub(crate) const ABOUT: &str = "Takes a file into the document, by the rules by which a hand edit of the JSON is taken in.\n\n\
        Accepted are a job history or an export of one, our own CSV, an answer of the old server's /load-jobs, and \
        what an old dashboard kept in localStorage (the value of pixellab_jobs_v1, or an object that holds it). A \
        file that names its version is an edit of that version; any other adds jobs and updates fields, and \
        removes nothing. Importing the same file again changes nothing. An Excel sheet is not read: save it as CSV.";

/// What `plainsync import` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync import --dry-run old/job_history.json\n  \
        plainsync import errors.csv\n  \
        curl -s http://localhost:5000/load-jobs | plainsync import -\n\n\
        A file that would move more than half of the jobs to the bin is taken in only with --yes (exit code 8).")]
pub struct ImportArgs {
    /// The file to take in; - reads from stdin
    #[arg(value_name = "FILE|-")]
    pub source: PathBuf,

    /// Only tell what it would do
    #[arg(long)]
    pub dry_run: bool,

    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// Take it in also if it moves more than half of the jobs to the bin
    #[arg(short, long)]
    pub yes: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// What the API says of an import.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    /// It would have to be confirmed.
    pub(super) needs_confirmation: bool,
    /// In numbers.
    pub(super) report: Report,
}

/// See `plainsync_core::plain::import::ImportReport`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    added: usize,
    changed: usize,
    removed: usize,
    restored: usize,
    conflicting: usize,
    kept: usize,
    #[serde(default)]
    fields: usize,
    stale: usize,
    pub(super) records: usize,
    known: bool,
}

impl Report {
    /// Whether the document is another one for it.
    pub(super) fn is_change(&self) -> bool {
        self.added + self.changed + self.removed + self.restored + self.kept + self.fields > 0
    }

    /// What it did in words: `2 added, 1 changed`.
    pub(super) fn words(&self) -> String {
        if self.known {
            return "nothing new: just these edits were taken in before".to_owned();
        }
        let counts = [
            (self.added, "added"),
            (self.changed, "changed"),
            (self.removed, "moved to the bin"),
            (self.restored, "taken out of the bin"),
            (self.kept, "kept although absent, because edited apart"),
            (self.conflicting, "in conflict"),
        ];
        let jobs: Vec<String> = (counts.iter().filter(|(count, _)| *count > 0))
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let mut jobs = jobs;
        if self.fields > 0 {
            let fields = output::counted(self.fields, "field", "fields");
            jobs.push(format!("{fields} of the file itself changed"));
        }
        let mut words = if jobs.is_empty() {
            "nothing to change".to_owned()
        } else {
            jobs.join(", ")
        };
        if self.stale > 0 {
            let fields = output::counted(self.stale, "old value", "old values");
            words.push_str(&format!("; {fields} ignored"));
        }
        words
    }
}

/// Runs `plainsync import`.
pub(super) async fn run(args: ImportArgs) -> Outcome {
    let source = Source::read(&args.source)?;
    if let Some(was) = source.was {
        complain(&format!("{} is {was}", source.name));
    }
    // Trying is looking: nothing on disk changes, also where nobody serves the folder.
    let reach = if args.dry_run {
        Reach::open_to_try(&args.target, false, "import").await?
    } else {
        Reach::open(&args.target, Purpose::Make, "import").await?
    };
    let told = take(&reach, &source, &args).await;
    if !args.dry_run && told.is_ok() {
        reach.tell_about_file().await?;
    }
    reach.close().await;
    let told = told.map_err(|failure| explained(failure, &source))?;
    print(&args, &source, &told)?;
    Ok(0)
}

/// Hands the text to the document.
async fn take(reach: &Reach, source: &Source, args: &ImportArgs) -> Result<Value, Failure> {
    let asked = format!("import?dry_run={}&confirmed={}", args.dry_run, args.yes);
    let body = Bytes::from(source.text.clone());
    let path = reach.path(&asked);
    let call = reach.call(Method::POST, &path, Some(body));
    progress::during("importing", call).await?.json()
}

/// A refusal with the file's name in front, and the way out behind.
pub(super) fn explained(failure: Failure, source: &Source) -> Failure {
    let name = &source.name;
    let sentence = match (failure.code, source.was) {
        (exit::BROKEN, Some(was)) => {
            format!(
                "{name} ({was}; lines are counted in the list itself): {}",
                failure.sentence
            )
        }
        (exit::BROKEN | exit::REFUSED, _) => format!("{name}: {}", failure.sentence),
        (exit::CONFIRM, _) => format!(
            "{name}: {}; nothing was done; --yes confirms it, --dry-run tells more",
            failure.sentence
        ),
        _ => failure.sentence,
    };
    Failure {
        sentence,
        ..failure
    }
}

fn print(args: &ImportArgs, source: &Source, told: &Value) -> Result<(), Failure> {
    if args.json {
        return output::json(told);
    }
    let told: Told = serde_json::from_value(told.clone()).map_err(|error| {
        Failure::new(
            exit::FAILED,
            format!("the answer is not known here: {error}"),
        )
    })?;
    let jobs = output::counted(told.report.records, "job", "jobs");
    let would = if args.dry_run { "would be " } else { "" };
    let mut words = told.report.words();
    if args.dry_run && told.needs_confirmation {
        words.push_str("; that is more than half, and needs --yes");
    }
    let verb = if args.dry_run { "taken in" } else { "took in" };
    let line = if args.dry_run {
        format!("{} with {jobs} {would}{verb}: {words}", source.name)
    } else {
        format!("{verb} {} with {jobs}: {words}", source.name)
    };
    output::line(&line)
}
