//! `plainsync clear`: all jobs to the bin, and a readable file again.

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::reach::{Purpose, Reach};
use super::{Outcome, output};
use crate::cli::{Target, complain, exit};

/// What its help says first.
pub(crate) const ABOUT: &str = "Moves all jobs to the bin, from which they can be taken again, on every replica.\n\n\
        A file that cannot be read is put into the archive beside it and written anew; one that was deleted is \
        written as an empty list. What somebody else edits apart from this, stays in the list.";

/// What `plainsync clear` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync clear --yes\n  \
        plainsync clear --yes --file ~/Dropbox/board\n\n\
        Without --yes it only tells what it would do, and ends with exit code 8.")]
pub struct ClearArgs {
    /// Do it
    #[arg(short, long)]
    pub yes: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// Runs `plainsync clear`.
pub(super) async fn run(args: ClearArgs) -> Outcome {
    let purpose = if args.yes {
        Purpose::Write
    } else {
        Purpose::Read
    };
    let reach = Reach::open(&args.target, purpose, "clear").await?;
    let done = clear(&args, &reach).await;
    reach.close().await;
    done
}

async fn clear(args: &ClearArgs, reach: &Reach) -> Outcome {
    let info = reach.info().await?;
    let jobs = usize::try_from(info["jobs"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
    let shown = output::counted(jobs, "job", "jobs");
    if !args.yes {
        let sentence = format!("{shown} would go to the bin; --yes does it");
        return Err(Failure::new(exit::CONFIRM, sentence));
    }
    let state = info["fileState"]["state"].as_str().unwrap_or_default();
    let file = reach.path("file");
    if matches!(state, "unparsable" | "parked" | "awaiting-answer") {
        let _: Value = reach.post(&file, &json!({"answer": "replace"})).await?;
        complain(
            "the file that was there is in the archive beside it, .plainsync/<document>/archive",
        );
    }
    if info["offer"]["kind"] == "start-fresh" {
        let _: Value = reach.post(&file, &json!({"answer": "fresh"})).await?;
        output::line(&format!("{shown} moved to the bin"))?;
        return Ok(0);
    }
    let done: Value = reach.post(&reach.path("clear"), &json!({})).await?;
    let removed = usize::try_from(done["removed"].as_u64().unwrap_or_default()).unwrap_or(jobs);
    let shown = output::counted(removed, "job", "jobs");
    output::line(&format!("{shown} moved to the bin"))?;
    Ok(0)
}
