//! `plainsync conflicts` and `plainsync resolve`: fields that were edited apart (D4).

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use super::reach::{Purpose, Reach};
use super::telling::{By, Colour, Paint, plain, value};
use super::{Outcome, output};
use crate::cli::{Target, exit};

/// What the help of `plainsync conflicts` says first.
pub(crate) const ABOUT: &str = "Lists the fields that were edited apart to different values: each value, who wrote it and when \
        (UTC, by the writer's clock). The one marked * is what everybody sees until `plainsync resolve` settles it. \
        `run` stands for a run's fields together.";

/// What `plainsync conflicts` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync conflicts\n  \
        plainsync resolve job-7 prompt --take 1")]
pub struct ConflictsArgs {
    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// What the help of `plainsync resolve` says first.
pub(crate) const RESOLVE_ABOUT: &str = "Settles a field that was edited apart: with one of its values, by the number that `plainsync \
        conflicts` gives it, or with another one. With --seen, and in any case while it works, it is refused if \
        a further value has arrived.";

/// What `plainsync resolve` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync resolve job-7 prompt --take 1\n  \
        plainsync resolve job-7 run --take 2 --seen 5b1e09\n  \
        plainsync resolve job-7 width --value 64")]
pub struct ResolveArgs {
    /// The job
    #[arg(value_name = "JOB")]
    pub job: String,

    /// The field, or `run`
    #[arg(value_name = "FIELD")]
    pub field: String,

    /// The value with this number
    #[arg(
        long,
        value_name = "N",
        required_unless_present = "value",
        conflicts_with = "value"
    )]
    pub take: Option<usize>,

    /// Another value, as JSON; what is no JSON is text
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub value: Option<String>,

    /// What `plainsync conflicts` wrote behind the field: settle just that
    #[arg(long, value_name = "MARK")]
    pub seen: Option<String>,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

#[derive(Deserialize)]
struct Conflict {
    key: String,
    label: String,
    field: String,
    values: Vec<Side>,
}

#[derive(Deserialize)]
struct Side {
    op: String,
    value: Value,
    #[serde(flatten)]
    by: By,
}

impl Conflict {
    /// A short name for just these sides.
    fn mark(&self) -> String {
        let mut hash = Sha256::new();
        for side in &self.values {
            hash.update(side.op.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        digest[..3]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Runs `plainsync conflicts`.
pub(super) async fn list(args: ConflictsArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Read, "conflicts").await?;
    let listed = reach.get::<Value>(&reach.path("conflicts")).await;
    reach.close().await;
    let mut listed = listed?;
    if args.json {
        output::json(&listed)?;
        return Ok(0);
    }
    let more = listed["more"].as_u64().unwrap_or_default();
    let conflicts: Vec<Conflict> = output::known(listed["conflicts"].take())?;
    let paint = Paint::of_stdout();
    let mut lines = String::new();
    for conflict in &conflicts {
        let name = format!("{} {}", plain(&conflict.label), plain(&conflict.field));
        let name = paint.with(Colour::Yellow, &name);
        lines.push_str(&format!("{name}  {}\n", conflict.mark()));
        for (nth, side) in conflict.values.iter().enumerate() {
            let is_shown = nth + 1 == conflict.values.len();
            let shown = if is_shown { "*" } else { " " };
            let by = format!("{}, {}", side.by.who(), side.by.time());
            let by = paint.with(Colour::Faint, &by);
            lines.push_str(&format!(
                "  {shown} {}  {}  {by}\n",
                nth + 1,
                value(&side.value)
            ));
        }
    }
    if conflicts.is_empty() {
        lines.push_str("no field is in conflict\n");
    }
    if more > 0 {
        lines.push_str(&format!("… and {more} more\n"));
    }
    output::data(lines.as_bytes())?;
    Ok(0)
}

/// Runs `plainsync resolve`.
pub(super) async fn resolve(args: ResolveArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Write, "resolve").await?;
    let done = settle(&args, &reach).await;
    reach.close().await;
    let shown = done?;
    let (job, field) = (plain(&args.job), plain(&args.field));
    output::line(&format!("{field} of {job} is {shown}"))?;
    Ok(0)
}

async fn settle(args: &ResolveArgs, reach: &Reach) -> Result<String, Failure> {
    let path = reach.path("conflicts");
    let mut listed: Value = reach.get(&path).await?;
    let conflicts: Vec<Conflict> = output::known(listed["conflicts"].take())?;
    let found = conflicts.iter().find(|conflict| {
        (conflict.label == args.job || conflict.key == args.job) && conflict.field == args.field
    });
    let (job, field) = (plain(&args.job), plain(&args.field));
    let Some(conflict) = found else {
        let sentence = format!("{field} of {job} is not in conflict");
        return Err(Failure::new(exit::REFUSED, sentence));
    };
    if let Some(seen) = args.seen.as_ref().filter(|seen| **seen != conflict.mark()) {
        let sentence = format!(
            "{field} of {job} has changed since it was {}; look at it again before you choose",
            plain(seen)
        );
        return Err(Failure::new(exit::REFUSED, sentence));
    }
    let seen: Vec<&str> = conflict
        .values
        .iter()
        .map(|side| side.op.as_str())
        .collect();
    let mut body = json!({"job": conflict.key, "field": args.field, "seen": seen});
    let shown = match (args.take, &args.value) {
        (Some(nth), _) => {
            let side = nth.checked_sub(1).and_then(|nth| conflict.values.get(nth));
            let side = side.ok_or_else(|| {
                let of = conflict.values.len();
                let sentence = format!("{field} of {job} has no value {nth}; allowed is 1 to {of}");
                Failure::new(exit::USAGE, sentence)
            })?;
            body["choose"] = Value::from(side.op.as_str());
            value(&side.value)
        }
        (None, given) => {
            let text = given.clone().unwrap_or_default();
            let given = serde_json::from_str(&text).unwrap_or(Value::String(text));
            body["value"] = given.clone();
            value(&given)
        }
    };
    let _: Value = reach.post(&path, &body).await?;
    Ok(shown)
}
