//! `plainsync restore`: back to an older version, as one more edit (D11).

use clap::Args;
use serde_json::{Value, json};

use super::diff::Told;
use super::reach::{Purpose, Reach};
use super::{Outcome, output, progress};
use crate::cli::{Target, complain};

/// What the help of `plainsync restore` says first.
pub(crate) const ABOUT: &str = "Goes back to an older version, with all jobs or with one.\n\n\
        Going back is one more edit, on every replica: nothing that came after is lost, and the last line tells \
        the version that brings it back. What is purged stays purged, and lastJobId does not fall. A version is \
        a name that `plainsync log` tells, HEAD~2, or by --at a time in UTC: the newest version at or before it \
        by the writers' clocks.";

/// What `plainsync restore` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync restore HEAD~1 --dry-run\n  \
        plainsync restore 9f3c2a1b\n  \
        plainsync restore --at '2026-01-31 10:00' --job job-7")]
pub struct RestoreArgs {
    /// The version to go back to
    #[arg(
        value_name = "VERSION",
        required_unless_present = "at",
        conflicts_with = "at"
    )]
    pub version: Option<String>,

    /// The time to go back to, in UTC where it names no zone
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Only this job
    #[arg(short, long, value_name = "LABEL")]
    pub job: Option<String>,

    /// Only tell what it would change
    #[arg(long)]
    pub dry_run: bool,

    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// Runs `plainsync restore`.
pub(super) async fn run(args: RestoreArgs) -> Outcome {
    let version = args.version.as_ref().or(args.at.as_ref());
    let version = version.cloned().unwrap_or_default();
    if let Some(time) = &args.at
        && plainsync_core::history::seconds_of(time).is_none()
    {
        let time = super::telling::plain(time);
        let sentence = format!(
            "--at {time:?} is no time; allowed are such as '2026-01-31 10:00' and 2026-01-31T10:00:00+01:00"
        );
        return Err(super::Failure::new(crate::cli::exit::USAGE, sentence));
    }
    let purpose = if args.dry_run {
        Purpose::Read
    } else {
        Purpose::Write
    };
    let reach = Reach::open(&args.target, purpose, "restore").await?;
    let body = json!({"version": version, "job": args.job, "dryRun": args.dry_run});
    let path = reach.path("restore");
    let done = progress::during("going back", reach.post::<Value>(&path, &body)).await;
    reach.close().await;
    let done = done?;
    if args.json {
        output::json(&done)?;
        return Ok(0);
    }
    let told: Told = output::known(done)?;
    let Some(what) = told.counted() else {
        output::line("nothing differs: nothing was changed")?;
        return Ok(0);
    };
    let would = if args.dry_run { "would be " } else { "" };
    output::line(&format!("going back: {would}{what}"))?;
    output::data(told.lines().as_bytes())?;
    if !args.dry_run {
        let from = &told.from;
        complain(&format!(
            "`plainsync restore {from}` brings back what was there before"
        ));
    }
    Ok(0)
}
