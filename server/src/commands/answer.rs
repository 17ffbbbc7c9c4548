//! `plainsync answer`: what is to become of a file that waits for an answer (F6, F7, F9).

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::diff::Told;
use super::failure::Failure;
use super::question::{Kind, Question, Word};
use super::reach::{Purpose, Reach};
use super::{Outcome, output, progress};
use crate::cli::{Target, complain, exit};

/// How long a running server may take to see what was just saved.
const SEEN_MAX: Duration = Duration::from_secs(3);

/// How often it is asked.
const SEEN_PAUSE: Duration = Duration::from_millis(100);

/// What its help says first.
pub(crate) const ABOUT: &str = "Answers what `plainsync check` asks about the file: take what the file says, or keep what the history says.\n\n  \
        The file                           take                      keep\n  \
        is an older version, put back      goes back to it           jobs stay as they are\n  \
        was deleted                        all jobs go to the bin    jobs stay as they are\n  \
        would remove more than half        removes them              archived, written anew\n  \
        is of a version that is not here   adds and updates from it  archived, written anew\n  \
        cannot be read                                               archived, written anew\n\n\
        Nothing is lost either way: what was taken is an edit that `plainsync restore` takes back, and what was \
        archived lies in .plainsync/<document>/archive beside the file.";

/// What `plainsync answer` accepts.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:\n  \
        git checkout HEAD~3 job_history.json && plainsync answer take --file .\n  \
        plainsync answer keep\n\n\
        Exit codes: 0 done; 6 nothing waits for an answer; 7 it cannot be taken, because it cannot be read."
)]
pub struct AnswerArgs {
    /// The answer
    #[arg(value_enum)]
    pub answer: Word,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// Runs `plainsync answer`.
pub(super) async fn run(args: AnswerArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Write, "answer").await?;
    let done = progress::during("answering", answer(&args, &reach)).await;
    reach.close().await;
    for line in done? {
        match line {
            Line::Out(line) => output::line(&line)?,
            Line::Aside(line) => complain(&line),
        }
    }
    Ok(0)
}

/// What is to be said when it is done.
enum Line {
    Out(String),
    Aside(String),
}

async fn answer(args: &AnswerArgs, reach: &Reach) -> Result<Vec<Line>, Failure> {
    let before = waiting(reach).await?;
    let Some(question) = Question::of(&before) else {
        let sentence = "nothing waits for an answer; `plainsync check` tells how the file does";
        return Err(Failure::new(exit::REFUSED, sentence));
    };
    let Some(word) = question.answer(args.answer) else {
        let sentence = format!(
            "{}; mend it, or answer `keep`: it goes to the archive and is written anew",
            question.detail
        );
        return Err(Failure::new(exit::BROKEN, sentence));
    };
    let mut lines = Vec::new();
    if reach.is_served() || question.is_offer() {
        // Of a file that was opened here and left alone the log has said so.
        lines.push(Line::Aside(question.detail.clone()));
    }
    let _: Value = reach
        .post(&reach.path("file"), &json!({"answer": word}))
        .await?;
    match args.answer {
        Word::Take => lines.extend(taken(reach, &before).await?),
        Word::Keep => lines.push(Line::Out(kept(question.kind).to_owned())),
    }
    if let Some(next) = Question::of(&reach.info().await?) {
        lines.push(Line::Aside(format!("and there is more: {}", next.detail)));
    }
    Ok(lines)
}

/// What the document says of itself, when something waits or a server has had the time to see it.
async fn waiting(reach: &Reach) -> Result<Value, Failure> {
    let give_up = Instant::now() + SEEN_MAX;
    loop {
        let info = reach.info().await?;
        let is_final = Question::of(&info).is_some() || !reach.is_served();
        if is_final || Instant::now() >= give_up {
            return Ok(info);
        }
        sleep(SEEN_PAUSE).await;
    }
}

/// What was done with the jobs, and how to take it back.
async fn taken(reach: &Reach, before: &Value) -> Result<Vec<Line>, Failure> {
    let heads = before["heads"].as_array().cloned().unwrap_or_default();
    let heads: Vec<&str> = heads.iter().filter_map(Value::as_str).collect();
    let path = format!("diff?from={}&to=HEAD", heads.join(","));
    let told: Told = reach.get(&reach.path(&path)).await?;
    let Some(what) = told.counted() else {
        return Ok(vec![Line::Out("taken: no job differs".to_owned())]);
    };
    let mut lines = vec![Line::Out(format!("taken: {what}"))];
    lines.extend(told.lines().lines().map(|line| Line::Out(line.to_owned())));
    lines.push(Line::Aside(format!(
        "`plainsync restore {}` brings back what was there before",
        told.from
    )));
    Ok(lines)
}

fn kept(kind: Kind) -> &'static str {
    match kind {
        Kind::OlderVersion | Kind::StartFresh => "kept: the jobs are as they were",
        Kind::Unparsable | Kind::Parked | Kind::AwaitingAnswer => {
            "kept: what was there is in the archive beside it, .plainsync/<document>/archive; the file is written anew"
        }
    }
}
