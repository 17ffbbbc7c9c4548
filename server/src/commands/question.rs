//! What waits for an answer about the JSON, as the API tells it, and what each answer does.
//!
//! A file can put five questions, and two words answer all of them: *take* what the file says, or
//! *keep* what the history says.
//!
//! | the file | take | keep |
//! |---|---|---|
//! | cannot be read (F7) | | archived, and written anew |
//! | is of a version that is not here (F6) | adds and updates, as it is | archived, and written anew |
//! | would remove more than half (F7) | removes them | archived, and written anew |
//! | was an older version (F9) | goes back to it | the offer ends |
//! | was deleted (F7) | all jobs go to the bin | the offer ends |

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::telling::plain;
use crate::cli::FILE_DEFAULT;

/// What to do about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Word {
    /// The history follows the file
    Take,
    /// The file follows the history
    Keep,
}

/// What a file asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unparsable,
    Parked,
    AwaitingAnswer,
    OlderVersion,
    StartFresh,
}

/// Its name in the API, what *take* and *keep* are called there, and what they do.
struct Row {
    kind: Kind,
    name: &'static str,
    take: Option<(&'static str, &'static str)>,
    keep: (&'static str, &'static str),
}

const ANEW: &str = "puts it into the archive and writes the file anew from the history";

const ROWS: [Row; 5] = [
    Row {
        kind: Kind::Unparsable,
        name: "unparsable",
        take: None,
        keep: ("replace", ANEW),
    },
    Row {
        kind: Kind::Parked,
        name: "parked",
        take: Some((
            "take",
            "adds and updates from it as it is, and removes nothing",
        )),
        keep: ("replace", ANEW),
    },
    Row {
        kind: Kind::AwaitingAnswer,
        name: "awaiting-answer",
        take: Some(("take", "takes it in, and moves what it lacks to the bin")),
        keep: ("replace", ANEW),
    },
    Row {
        kind: Kind::OlderVersion,
        name: "older-version",
        take: Some(("return", "goes back to it, as one more edit")),
        keep: ("dismiss", "leaves the jobs as they are"),
    },
    Row {
        kind: Kind::StartFresh,
        name: "start-fresh",
        take: Some(("fresh", "moves all jobs to the bin")),
        keep: ("dismiss", "leaves the jobs as they are"),
    },
];

/// A question that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) kind: Kind,
    /// A sentence.
    pub(super) detail: String,
}

impl Question {
    /// The one to answer first, of what a document says of itself: what is on disk now goes before
    /// what is on offer.
    pub(super) fn of(info: &Value) -> Option<Self> {
        let (state, offer) = (&info["fileState"], &info["offer"]);
        let told = |word: &Value, detail: &Value| {
            let row = ROWS.iter().find(|row| *word == row.name)?;
            let detail = plain(detail.as_str().unwrap_or(row.name));
            Some(Self {
                kind: row.kind,
                detail,
            })
        };
        told(&state["state"], &state["detail"]).or_else(|| told(&offer["kind"], &offer["detail"]))
    }

    fn row(&self) -> &'static Row {
        let row = ROWS.iter().find(|row| row.kind == self.kind);
        row.unwrap_or(&ROWS[0])
    }

    /// What the API is told; `None`: there is no such answer.
    pub(super) fn answer(&self, word: Word) -> Option<&'static str> {
        let row = self.row();
        match word {
            Word::Take => row.take.map(|(answer, _)| answer),
            Word::Keep => Some(row.keep.0),
        }
    }

    /// The document is well, and may be changed in a way that is on offer.
    pub(super) fn is_offer(&self) -> bool {
        matches!(self.kind, Kind::OlderVersion | Kind::StartFresh)
    }

    /// How to answer it, a line each. `file` is how the document was named.
    pub(super) fn hints(&self, file: &Path) -> Vec<String> {
        let row = self.row();
        let of = match file == Path::new(FILE_DEFAULT) {
            true => String::new(),
            false => format!(" --file {}", plain(&file.display().to_string())),
        };
        let line = |word, does| format!("`plainsync answer {word}{of}` {does}");
        let take = row.take.map(|(_, does)| line("take", does));
        take.into_iter().chain([line("keep", row.keep.1)]).collect()
    }

    pub(super) fn as_json(&self) -> Value {
        json!({"kind": self.row().name, "detail": self.detail})
    }
}
