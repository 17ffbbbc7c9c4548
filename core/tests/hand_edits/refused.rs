//! Files that are no such file: left alone, with the place and the reason (F7, L3).

use crate::row::{ByHand, Row, file, instead, parsed, push, put, replace, row, set};

const JOB: &str = r#"{"prompt":"a"}"#;
const AFTER: &str = r#"job-1 {"prompt":"edited","width":1}"#;

/// A file that is refused with this sentence, while edits go on elsewhere.
fn refused(what: &'static str, by_hand: ByHand, says: &'static str) -> Row {
    row(what)
        .before([JOB])
        .apart([set(1, r#"{"prompt":"edited","width":1}"#)])
        .by_hand([by_hand])
        .refused(says)
        .after([AFTER])
}

pub fn rows() -> Vec<Row> {
    vec![
        refused(
            "nothing in it",
            instead(""),
            "line 1, column 1: the text is empty: 0 bytes",
        ),
        refused(
            "only space",
            instead(" \n\n"),
            "line 1, column 1: the text is empty: only white space",
        ),
        refused(
            "half of it",
            instead("{\"jobs\": [{\"id\": \"jo"),
            "line 1, column 21: the text ends in the middle of a text",
        ),
        refused(
            "a mark in front",
            instead("\u{feff}{\"jobs\": []}"),
            "line 1, column 1: ",
        ),
        refused(
            "merge markers",
            instead("{\n<<<<<<< HEAD\n\"jobs\": []}"),
            "line 2, column 1: ",
        ),
        refused("a NUL", instead("{\"jobs\": [\0]}"), "line 1, column 11: "),
        refused(
            "a key twice",
            replace("\"seed\"", "\"prompt\""),
            "line 9, column 7: ",
        ),
        refused(
            "a number that no machine keeps",
            replace("\"prompt\": \"a\"", "\"prompt\": 1e400"),
            "line 8, column 17: ",
        ),
        refused(
            "2^64",
            replace("\"prompt\": \"a\"", "\"prompt\": 18446744073709551616"),
            "line 8, column 17: ",
        ),
        refused(
            "half a surrogate pair",
            replace("\"prompt\": \"a\"", "\"prompt\": \"\\ud800\""),
            "line 8, column 18: ",
        ),
        refused(
            "jobs is an object",
            file(r#"{"jobs":{}}"#),
            "line 2, column 11: \"jobs\" is an object; a list of objects is expected",
        ),
        refused(
            "no jobs at all",
            crate::row::no("jobs"),
            "line 1, column 1: the file has no \"jobs\"",
        ),
        refused(
            "a list of jobs by itself",
            parsed(|file| *file = file["jobs"].take()),
            "line 1, column 1: the file is a list",
        ),
        refused(
            "a job that is a text",
            parsed(|file| file["jobs"][0] = "job".into()),
            "line 3, column 5: jobs[0] is a text; an object is expected",
        ),
        refused(
            "lastJobId a text",
            file(r#"{"lastJobId":"7"}"#),
            "line 16, column 16: \"lastJobId\" is a text; a whole number is expected",
        ),
        refused(
            "lastJobId negative",
            file(r#"{"lastJobId":-7}"#),
            "line 16, column 16: \"lastJobId\" is -7",
        ),
        refused(
            "a name that is the engine's",
            put(1, r#"{"removed":"x"}"#),
            "line 10, column 7: jobs[0] has a field \"removed\"",
        ),
        refused(
            "runs written by hand",
            push(r#"{"runs":{}}"#),
            "line 16, column 7: jobs[1] has a field \"runs\"",
        ),
        refused(
            "a version that is none",
            file(r#"{"sync":7}"#),
            "line 18, column 11: the \"sync\" block has no \"document\"",
        ),
        refused(
            "a head that is no hash",
            parsed(|file| file["sync"]["heads"] = vec!["x"].into()),
            "line 21, column 7: the \"sync\" block has a head that is no hash",
        ),
    ]
}
