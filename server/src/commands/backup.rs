//! `plainsync backup`: the older versions that are kept as files (F2).

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::export::escape;
use super::failure::Failure;
use super::reach::{Purpose, Reach};
use super::telling::{By, plain};
use super::{Outcome, output};
use crate::cli::{Target, complain, exit};
use crate::document::ring::is_label;

/// What the help of `plainsync backup` says first.
pub(crate) const ABOUT: &str = "Lists, makes and brings back the versions that are kept as files beside the JSON, in \
        .plainsync/<document>/snapshots: one an hour for a day, one a day for a month, and those that you make. \
        Each machine that shares the folder keeps its own. job_history.json.backup, beside the JSON, is always the \
        version before the newest; copying it over the file brings it back.";

/// What `plainsync backup` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync backup create before-the-move\n  \
        plainsync backup list\n  \
        plainsync backup restore before-the-move")]
pub struct BackupArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub what: What,
}

/// What may be done with backups.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Tell which are kept, newest first
    List {
        /// Tell it as JSON
        #[arg(long)]
        json: bool,
        /// The document.
        #[command(flatten)]
        target: Target,
    },
    /// Keep the document as it is now
    Create {
        /// What to call it: letters, digits, - and _
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// The document.
        #[command(flatten)]
        target: Target,
    },
    /// Go back to one, as one more edit that can be taken back
    Restore {
        /// Its name, or the file's
        #[arg(value_name = "NAME")]
        name: String,
        /// The document.
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Deserialize)]
struct Kept {
    name: String,
    at: u64,
    cause: String,
    label: Option<String>,
    device: String,
    bytes: u64,
}

/// Runs `plainsync backup`.
pub(super) async fn run(args: BackupArgs) -> Outcome {
    match args.what {
        What::List { json, target } => list(json, &target).await,
        What::Create { name, target } => create(name, &target).await,
        What::Restore { name, target } => restore(&name, &target).await,
    }
}

async fn list(json: bool, target: &Target) -> Outcome {
    let reach = Reach::open(target, Purpose::Read, "backup").await?;
    let listed = reach.get::<Value>(&reach.path("snapshots")).await;
    reach.close().await;
    let mut listed = listed?;
    if json {
        output::json(&listed)?;
        return Ok(0);
    }
    let all: Vec<Kept> = output::known(listed["snapshots"].take())?;
    let mut lines = String::new();
    for kept in all {
        let by = By {
            at: Some(kept.at.saturating_mul(1000)),
            device: Some(kept.device),
            author: None,
            message: None,
        };
        let name = plain(kept.label.as_deref().unwrap_or(&kept.name));
        let (time, who) = (by.time(), by.who());
        let (cause, kib) = (plain(&kept.cause), kept.bytes.div_ceil(1024));
        lines.push_str(&format!("{time}  {who}  {cause:6}  {kib:>7} KiB  {name}\n"));
    }
    if lines.is_empty() {
        complain("nothing is kept yet; `plainsync backup create` keeps the document as it is");
    }
    output::data(lines.as_bytes())?;
    Ok(0)
}

async fn create(name: Option<String>, target: &Target) -> Outcome {
    if let Some(bad) = name.as_deref().filter(|name| !is_label(name)) {
        let sentence = format!(
            "{:?} is no name for a backup; allowed are 1 to 60 of A-Z a-z 0-9 - _",
            plain(bad)
        );
        return Err(Failure::new(exit::USAGE, sentence));
    }
    let reach = Reach::open(target, Purpose::Write, "backup").await?;
    let body = json!({ "label": name });
    let made = reach.post::<Kept>(&reach.path("snapshots"), &body).await;
    reach.close().await;
    output::line(&plain(&made?.name))?;
    Ok(0)
}

async fn restore(name: &str, target: &Target) -> Outcome {
    let reach = Reach::open(target, Purpose::Write, "backup").await?;
    let done = bring_back(name, &reach).await;
    reach.close().await;
    let before = done?;
    output::line(&format!("back to {}", plain(name)))?;
    complain(&format!(
        "`plainsync restore {before}` brings back what was there before"
    ));
    Ok(0)
}

async fn bring_back(name: &str, reach: &Reach) -> Result<String, Failure> {
    let now: Value = reach.get(&reach.path("diff?from=HEAD")).await?;
    let path = reach.path(&format!("snapshots/{}/restore", escape(name)));
    let _: Value = reach.post(&path, &json!({})).await?;
    Ok(now["to"].as_str().unwrap_or("HEAD~1").to_owned())
}
