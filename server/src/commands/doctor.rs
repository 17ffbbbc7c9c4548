//! `plainsync doctor`: verifies all that is on disk of a document, and repairs it when asked to.

mod git;
mod repair;

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::reach::find_place;
use super::{Outcome, output, progress};
use crate::cli::{Target, exit};
use crate::document::examine::{Examined, Finding, Severity, examine};
use crate::document::place::Place;

/// Stack of the thread that examines, in bytes: merging recurses as deep as documents nest.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// What its help says first.
pub(crate) const ABOUT: &str = "Verifies what lies on disk of a document: the sums of all journals, the history that they give, \
        the images against their hashes, the backup, the kept versions and the JSON against the history, the small notes \
        against their sums, and what crashes and folder syncers left. One line a finding, with path and, where it can be \
        known, byte. It needs no server, disturbs none, and changes nothing.\n\n\
        With --repair everything that is damaged is first copied aside, into the state folder; then what can be made \
        again is: journals from what is whole and from what was published, images from the JSON, backup and kept \
        versions from the history. A damaged note is removed: what it remembered is asked or done once more.";

/// What `plainsync doctor` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync doctor\n  \
        plainsync doctor --repair --file ~/Dropbox/board\n  \
        plainsync doctor --git >> .gitattributes\n\n\
        Exit codes: 0 nothing is damaged (there may be notes); 10 something is.")]
pub struct DoctorArgs {
    /// Make again what can be made again, after copying it aside
    #[arg(long)]
    pub repair: bool,

    /// Print what git needs to know to merge the file by Plainsync's rules, and do nothing else
    #[arg(long, conflicts_with = "repair")]
    pub git: bool,

    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// Runs `plainsync doctor`.
pub(super) async fn run(args: DoctorArgs) -> Outcome {
    let file = args.target.file();
    if args.git {
        return git::print(&file);
    }
    let place = find_place(&args.target, &file)?;
    if file.symlink_metadata().is_err() && !place.state.exists() && !place.own_folder().exists() {
        let sentence = format!("there is nothing at {}", file.display());
        return Err(Failure::new(exit::FILE, sentence));
    }
    let mut examined = examined(&place).await?;
    if args.repair && examined.is_damaged() {
        for finding in &examined.findings {
            if finding.severity == Severity::Damage {
                crate::cli::complain(&finding.to_string());
            }
        }
        repair::repair(&args.target, &place, &examined).await?;
        examined = self::examined(&place).await?;
    }
    tell(&args, &place, &examined)
}

async fn examined(place: &Place) -> Result<Examined, Failure> {
    let place = place.clone();
    let (reply, answer) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("examine".to_owned());
    let spawned = thread
        .stack_size(STACK_BYTES)
        .spawn(move || drop(reply.send(examine(&place))));
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(
            exit::FAILED,
            format!("the document cannot be examined: {error}"),
        )
    };
    spawned.map_err(|error| failed(&error))?;
    let answer = progress::during("examining", answer).await;
    answer.map_err(|error| failed(&error))
}

fn tell(args: &DoctorArgs, place: &Place, examined: &Examined) -> Outcome {
    let code = if examined.is_damaged() {
        exit::DAMAGED
    } else {
        0
    };
    if args.json {
        let findings: Vec<Value> = examined.findings.iter().map(as_json).collect();
        output::json(&json!({
            "file": place.file.display().to_string(),
            "damaged": examined.is_damaged(), "served": examined.is_held, "jobs": examined.jobs,
            "records": examined.records, "images": examined.images, "versions": examined.versions,
            "findings": findings,
        }))?;
        return Ok(code);
    }
    for finding in &examined.findings {
        output::line(&finding.to_string())?;
    }
    let held = if examined.is_held {
        "; somebody has it open"
    } else {
        ""
    };
    let jobs = examined.jobs.map_or_else(
        || "no history".to_owned(),
        |jobs| output::counted(jobs, "job", "jobs"),
    );
    output::line(&format!(
        "{}: {jobs}; {}, {} and {} are whole{held}",
        place.file.display(),
        output::counted(examined.records, "record", "records"),
        output::counted(examined.images, "image", "images"),
        output::counted(examined.versions, "kept version", "kept versions"),
    ))?;
    let damaged = examined.findings.iter();
    let damaged = damaged
        .filter(|finding| finding.severity == Severity::Damage)
        .count();
    let verdict = match (damaged, args.repair) {
        (0, _) => "nothing is damaged".to_owned(),
        (count, false) => format!(
            "{} damaged; `plainsync doctor --repair` copies it aside and makes again what it can",
            output::counted(count, "thing is", "things are")
        ),
        (count, true) => format!(
            "{} damaged still, and cannot be made again here",
            output::counted(count, "thing is", "things are")
        ),
    };
    output::line(&verdict)?;
    Ok(code)
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "severity": match finding.severity { Severity::Note => "note", Severity::Damage => "damage" },
        "path": finding.path.display().to_string(), "offset": finding.offset, "what": finding.what,
    })
}
