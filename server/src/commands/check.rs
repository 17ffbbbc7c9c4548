//! `plainsync check`: what is wrong with a file, and what taking it in would do. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use hyper::body::Bytes;
use hyper::http::Method;
use plainsync_core::blob::BlobRef;
use plainsync_core::plain::json::{self, Node, Tree, position};
use serde_json::{Value, json};

use super::failure::Failure;
use super::import::{Told, explained};
use super::question::{Kind, Question};
use super::reach::{Purpose, Reach, has_history};
use super::source::Source;
use super::{Outcome, output, progress};
use crate::cli::{FILE_DEFAULT, Target, complain, exit, file_of};
use crate::config::Token;

/// Findings of one kind that are written out; of further ones only the number is.
const SHOWN_MAX: usize = 20;

/// What is said of a file that removes too much to be believed at once.
const REMOVES_MOST: &str = "that is more than half of them: it is done only when confirmed";

/// What its help says first.
pub(crate) const ABOUT: &str = "Reads a file as an import would and tells line and column of what is wrong, which labels stand \
        twice, which images are missing, and what taking it in would add, change, remove or leave in conflict. \
        It changes nothing, and works on files that no server ever saw.\n\n\
        Of the document's own file it also tells what waits for an answer: an older version that was put back, a file that \
        was deleted, one that cannot be taken in as it is. `plainsync answer` answers.";

/// What `plainsync check` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync check\n  \
        plainsync check --json downloads/job_history.json\n  \
        plainsync check old/job_history.json --into dashboards\n\n\
        Exit codes: 0 fine, nothing to take in; 9 fine, and taking it in, or what is on offer, would change something; \
        8 fine, and it would remove more than half of the jobs; 6 written at a version that is not known here; \
        7 broken; 4 missing, or cannot be read.")]
pub struct CheckArgs {
    /// The file to check, or a folder that holds job_history.json
    #[arg(value_name = "FILE|DIR", default_value = FILE_DEFAULT)]
    pub path: PathBuf,

    /// The document that it would be taken into, as a file or folder; by default the file's own
    #[arg(short, long, value_name = "FILE|DIR")]
    pub into: Option<PathBuf>,

    /// Tell it as JSON
    #[arg(long)]
    pub json: bool,

    /// Where the journal is kept; by default in the user's state folder
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// The token of a running server that is another user's; one's own server is known
    #[arg(long, env = "PLAINSYNC_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
}

/// What was found in a file.
#[derive(Default)]
struct Findings {
    /// Labels that stand more than once, with their lines.
    twice: Vec<(String, Vec<usize>)>,
    /// Images that the file names and that are not here.
    missing: Vec<String>,
}

/// Why a file could not be checked, and what can be done about it.
struct Refused {
    failure: Failure,
    question: Option<Question>,
    /// It is not there.
    is_missing: bool,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            question: None,
            is_missing: false,
        }
    }
}

/// Runs `plainsync check`.
pub(super) async fn run(args: CheckArgs) -> Outcome {
    let path = if args.path == Path::new(super::source::STDIN) {
        args.path.clone()
    } else {
        file_of(&args.path)
    };
    let refused = match check(&args, &path).await {
        Ok(code) => return Ok(code),
        Err(refused) => refused,
    };
    let Refused {
        failure, question, ..
    } = &refused;
    if args.json {
        let state = match failure.code {
            exit::BROKEN => "broken",
            exit::REFUSED => "unknown-version",
            _ if refused.is_missing => "missing",
            _ => "unreadable",
        };
        let path = path.display().to_string();
        let question = question.as_ref().map(Question::as_json);
        output::json(&json!({
            "file": path, "state": state, "reason": failure.sentence, "question": question,
        }))?;
    }
    complain(&failure.sentence);
    for hint in question.iter().flat_map(|asked| asked.hints(&args.path)) {
        complain(&hint);
    }
    Ok(failure.code)
}

async fn check(args: &CheckArgs, path: &Path) -> Result<u8, Refused> {
    let target = Target {
        path: args.into.clone().unwrap_or_else(|| path.to_owned()),
        state: args.state.clone(),
        token: args.token.clone(),
    };
    let is_own = args.into.is_none();
    let source = match Source::read(path) {
        Ok(source) => source,
        Err(failure) if is_own && is_missing(path) && has_history(&target) => {
            return Err(missing(&target, failure).await);
        }
        Err(failure) => return Err(failure.into()),
    };
    let reach = Reach::open_to_try(&target, is_own, "check").await?;
    let work = async {
        let path = reach.path(&format!("import?dry_run=true&as_file={is_own}"));
        let body = Bytes::from(source.text.clone());
        let told: Value = reach.call(Method::POST, &path, Some(body)).await?.json()?;
        let findings = look(&reach, &source).await?;
        Ok((told, findings))
    };
    let done = progress::during("checking", work).await;
    let opened = reach.info().await;
    let is_served = reach.is_served();
    reach.close().await;
    let has_history = is_own && (is_served || has_history(&target));
    let asked = |kind, detail: &str| {
        let detail = detail.to_owned();
        has_history.then_some(Question { kind, detail })
    };
    let (mut told, findings) = match done {
        Ok(done) => done,
        Err(failure) => {
            let failure = explained(failure, &source);
            let question = match failure.code {
                exit::BROKEN => asked(Kind::Unparsable, &failure.sentence),
                exit::REFUSED => asked(Kind::Parked, &failure.sentence),
                _ => None,
            };
            return Err(Refused {
                question,
                ..Refused::from(failure)
            });
        }
    };
    let question = if told["needsConfirmation"] == true {
        asked(Kind::AwaitingAnswer, REMOVES_MOST)
    } else if is_own && is_served {
        opened.as_ref().ok().and_then(Question::of)
    } else if has_history {
        question_of(&target).await
    } else {
        None
    };
    let last = &opened?["lastImport"];
    if is_own && !is_served && last["source"] == "what the file holds" {
        // Opening took it in, because its history was found beside it: that is what it would do.
        told["report"] = last["report"].clone();
    }
    Ok(tell(args, &source, &told, &findings, question.as_ref())?)
}

fn is_missing(path: &Path) -> bool {
    let looked = path.symlink_metadata();
    looked.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// What opening the document would ask, with its file as it lies there.
async fn question_of(target: &Target) -> Option<Question> {
    let reach = Reach::open(target, Purpose::Read, "check").await.ok()?;
    let info = reach.info().await;
    reach.close().await;
    Question::of(&info.ok()?)
}

/// The file is not there, but its history is.
async fn missing(target: &Target, failure: Failure) -> Refused {
    let Ok(reach) = Reach::open(target, Purpose::Read, "check").await else {
        return failure.into();
    };
    let info = reach.info().await;
    reach.close().await;
    let Ok(info) = info else {
        return failure.into();
    };
    let jobs = usize::try_from(info["jobs"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
    let sentence = format!(
        "{} is missing; its history has {}, and the next command or server that opens it writes it again",
        target.file().display(),
        output::counted(jobs, "job", "jobs")
    );
    Refused {
        failure: Failure::new(failure.code, sentence),
        question: Question::of(&info),
        is_missing: true,
    }
}

/// Labels that stand twice, and images that are not here.
async fn look(reach: &Reach, source: &Source) -> Result<Findings, Failure> {
    let Ok(root) = json::parse(&source.text) else {
        return Ok(Findings::default());
    };
    let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let jobs = root.get("jobs").and_then(Node::as_array);
    for job in jobs.unwrap_or_default() {
        if let Some(id) = job.get("id")
            && let Some(label) = id.as_str()
        {
            lines.entry(label).or_default().push(id.at);
        }
    }
    let mut findings = Findings::default();
    for (label, at) in lines {
        if at.len() > 1 {
            let lines = at.iter().map(|at| position(&source.text, *at).line);
            findings.twice.push((label.to_owned(), lines.collect()));
        }
    }
    let mut images = BTreeSet::new();
    collect_images(&root, &mut images);
    let bar = progress::bar("looking for images", images.len() as u64);
    for image in images {
        let path = reach.path(&format!("blobs/{}", image.name()));
        if let Err(failure) = reach.call(Method::HEAD, &path, None).await {
            if failure.code != exit::REFUSED {
                return Err(failure);
            }
            findings.missing.push(image.to_string());
        }
        progress::step(&bar, 1);
    }
    bar.finish_and_clear();
    Ok(findings)
}

fn collect_images(root: &Node, images: &mut BTreeSet<BlobRef>) {
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        match &node.tree {
            Tree::String(text) => images.extend(text.parse::<BlobRef>().ok()),
            Tree::Array(items) => waiting.extend(items),
            Tree::Object(members) => waiting.extend(members.iter().map(|member| &member.node)),
            _ => {}
        }
    }
}

fn tell(
    args: &CheckArgs,
    source: &Source,
    told: &Value,
    findings: &Findings,
    question: Option<&Question>,
) -> Outcome {
    let known: Told = serde_json::from_value(told.clone()).map_err(|error| {
        Failure::new(
            exit::FAILED,
            format!("the answer is not known here: {error}"),
        )
    })?;
    let (state, code) = if known.needs_confirmation {
        ("removes-most", exit::CONFIRM)
    } else if known.report.is_change() {
        ("changes", exit::CHANGES)
    } else if question.is_some_and(Question::is_offer) {
        ("offers", exit::CHANGES)
    } else {
        ("fine", 0)
    };
    if args.json {
        let twice = findings.twice.iter();
        let twice: Vec<Value> = twice
            .map(|(label, lines)| json!({"label": label, "lines": lines}))
            .collect();
        output::json(&json!({
            "file": source.name, "state": state, "report": told["report"],
            "labelsTwice": twice, "missingImages": findings.missing,
            "question": question.map(Question::as_json),
        }))?;
        return Ok(code);
    }
    let jobs = output::counted(known.report.records, "job", "jobs");
    let was = source.was.map(|was| format!(", {was}")).unwrap_or_default();
    output::line(&format!("{}: readable, {jobs}{was}", source.name))?;
    output::line(&format!("taking it in: {}", known.report.words()))?;
    if known.needs_confirmation {
        output::line(REMOVES_MOST)?;
    }
    for (label, lines) in findings.twice.iter().take(SHOWN_MAX) {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let lines = lines.join(" and ");
        output::line(&format!(
            "{label:?} stands more than once, on lines {lines}: each is a job of its own"
        ))?;
    }
    rest(findings.twice.len(), "labels stand more than once")?;
    for image in findings.missing.iter().take(SHOWN_MAX) {
        output::line(&format!("the image {image} is not here"))?;
    }
    rest(findings.missing.len(), "images are not here")?;
    if let Some(question) = question {
        if !known.needs_confirmation {
            output::line(&question.detail)?;
        }
        for hint in question.hints(&args.path) {
            output::line(&hint)?;
        }
    }
    Ok(code)
}

fn rest(count: usize, what: &str) -> Result<(), Failure> {
    match count.checked_sub(SHOWN_MAX) {
        Some(further @ 1..) => output::line(&format!("{further} further {what}")),
        _ => Ok(()),
    }
}
