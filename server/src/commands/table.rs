//! Jobs as rows of a table, for spreadsheets, and back from our own CSV (T5).
//!
//! A spreadsheet runs what begins with `=`, `+`, `-`, `@`, a tab, a carriage return or NUL. Such
//! a text gets a `'` in front, and so does a text that begins with `'` already; reading takes
//! one `'` away, so that every text comes back as it was. Numbers are numbers and need none.
//!
//! | value | cell |
//! |---|---|
//! | a text of a column of texts (`id`, `prompt`, `status`, …) | its letters |
//! | null, or absent | empty; reading gives a new job null where the history has null by default |
//! | an image | `blob:sha256-…`, never a data URL |
//! | anything else | its JSON |
//!
//! **Invariant:** no cell begins with a character that makes it a formula.

use std::collections::BTreeSet;

use plainsync_core::schema::Schema;
use serde_json::{Map, Value};

/// Characters that make a spreadsheet read a cell as something to run.
const ARMED: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

/// Columns whose values are texts, written without quotes.
const TEXT_COLUMNS: [&str; 5] = ["id", "prompt", "seed", "status", "error"];

/// Most characters that a cell of a spreadsheet holds, in UTF-16 units.
pub(super) const CELL_UNITS_MAX: usize = 32_767;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// A number: its JSON, and its nearest value.
    Number(String, f64),
    /// A text, harmless.
    Text(String),
}

impl Cell {
    /// As CSV has it.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Number(text, _) | Self::Text(text) => text,
        }
    }
}

/// The columns for `jobs`: those of the history in its order, then what else there is.
pub(super) fn columns<'a>(jobs: impl IntoIterator<Item = &'a Map<String, Value>>) -> Vec<String> {
    let schema = Schema::job_history();
    let mut further = BTreeSet::new();
    let mut rare = BTreeSet::new();
    for name in jobs.into_iter().flat_map(Map::keys) {
        if !schema.field_order.contains(name) {
            further.insert(name.clone());
        } else if name == "isRotation" || name == "rotationData" {
            rare.insert(name.clone());
        }
    }
    let known = schema.field_order.iter();
    let is_shown = |name: &&String| {
        !matches!(name.as_str(), "isRotation" | "rotationData") || rare.contains(*name)
    };
    known.filter(is_shown).cloned().chain(further).collect()
}

/// The cell for a job's value in `column`.
pub(super) fn cell(column: &str, value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Empty,
        Some(Value::Number(number)) if !TEXT_COLUMNS.contains(&column) => {
            Cell::Number(number.to_string(), number.as_f64().unwrap_or_default())
        }
        Some(Value::String(text)) if is_plain(column, text) => Cell::Text(defuse(text)),
        // An image that is none: its text would be a wall of letters, and runs nothing here.
        Some(Value::String(text)) if is_data_url(text) => Cell::Empty,
        Some(other) => Cell::Text(defuse(&without_data_urls(other).to_string())),
    }
}

/// Whether `text` can stand in a cell of `column` as it is and come back as it was.
fn is_plain(column: &str, text: &str) -> bool {
    if text.is_empty() || is_data_url(text) && !TEXT_COLUMNS.contains(&column) {
        return false;
    }
    if TEXT_COLUMNS.contains(&column) {
        return !text.starts_with('"');
    }
    serde_json::from_str::<Value>(text).is_err()
}

fn is_data_url(text: &str) -> bool {
    text.get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:"))
}

/// `value` without the texts that no cell may hold.
fn without_data_urls(value: &Value) -> Value {
    match value {
        Value::String(text) if is_data_url(text) => Value::Null,
        Value::Array(items) => items.iter().map(without_data_urls).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let kept = fields.map(|(name, value)| (name.clone(), without_data_urls(value)));
            Value::Object(kept.collect())
        }
        other => other.clone(),
    }
}

/// `text` so that no spreadsheet runs it.
pub(super) fn defuse(text: &str) -> String {
    if text.starts_with(ARMED) || text.starts_with('\'') {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// What [`defuse`] was given.
fn arm(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// `jobs` as CSV (RFC 4180, UTF-8).
pub(super) fn write_csv(jobs: &[Map<String, Value>]) -> Result<Vec<u8>, csv::Error> {
    let columns = columns(jobs);
    let mut out = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // A field's name comes from data, too.
    out.write_record(columns.iter().map(|name| defuse(name)))?;
    for job in jobs {
        let cells = columns.iter().map(|name| cell(name, job.get(name)));
        out.write_record(cells.map(|cell| cell.text().to_owned()))?;
    }
    out.into_inner().map_err(|error| error.into_error().into())
}

/// Whether `bytes` begin as our CSV does: with a row of names, `id` or `prompt` among them.
pub(super) fn is_ours(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let Some(Ok(line)) = line.map(std::str::from_utf8) else {
        return false;
    };
    let mut names = line.split(',').map(|name| name.trim_matches('"'));
    line.contains(',') && names.any(|name| name == "id" || name == "prompt")
}

/// Our CSV as a list of jobs.
pub(super) fn read_csv(bytes: &[u8]) -> Result<Vec<u8>, String> {
    // Spreadsheets put a mark in front when they save as UTF-8.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let schema = Schema::job_history();
    let mut rows = csv::Reader::from_reader(bytes);
    let names = rows.headers().map_err(|error| error.to_string())?.clone();
    let names: Vec<&str> = names.iter().map(arm).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    if unique.len() < names.len() {
        return Err("line 1: a column's name stands twice".to_owned());
    }
    let mut jobs = Vec::new();
    for row in rows.records() {
        let row = row.map_err(|error| error.to_string())?;
        let mut job = Map::new();
        for (name, text) in names.iter().zip(&row) {
            if let Some(value) = value(&schema, name, text) {
                job.insert((*name).to_owned(), value);
            }
        }
        jobs.push(Value::Object(job));
    }
    Ok(serde_json::json!({ "jobs": jobs }).to_string().into_bytes())
}

/// What a cell of `column` says; `None`: nothing.
fn value(schema: &Schema, column: &str, cell: &str) -> Option<Value> {
    if cell.is_empty() {
        return schema
            .defaults
            .get(column)
            .filter(|value| value.is_null())
            .cloned();
    }
    let text = arm(cell);
    if TEXT_COLUMNS.contains(&column) && !text.starts_with('"') {
        return Some(Value::from(text));
    }
    let parsed = serde_json::from_str(text);
    Some(parsed.unwrap_or_else(|_| Value::from(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn job(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn back(bytes: &[u8]) -> Vec<Map<String, Value>> {
        let text = read_csv(bytes).expect("our own CSV");
        let list: Value = serde_json::from_slice(&text).expect("JSON");
        let jobs = list["jobs"].as_array().expect("a list");
        jobs.iter().cloned().map(job).collect()
    }

    #[test]
    fn t5_formulas_are_defused_and_come_back() {
        for armed in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\0x",
            "'quoted",
            "''",
            "=cmd|' /C calc'!A0",
        ] {
            let one = job(json!({"id": "job-1", "prompt": armed, "note": armed}));
            let csv = write_csv(std::slice::from_ref(&one)).expect("written");
            let mut rows = csv::Reader::from_reader(csv.as_slice());
            for row in rows.records() {
                for cell in &row.expect("a row") {
                    assert!(!cell.starts_with(ARMED), "{armed:?} is armed: {cell:?}");
                }
            }
            let found = &back(&csv)[0];
            assert_eq!(found["prompt"], one["prompt"]);
            assert_eq!(found["note"], one["note"]);
        }
    }

    #[test]
    fn t5_a_fields_name_is_defused_too() {
        let one = job(json!({"id": "job-1", "=evil": 1}));
        let csv = write_csv(std::slice::from_ref(&one)).expect("written");
        assert!(String::from_utf8_lossy(&csv).contains("'=evil"));
        assert_eq!(back(&csv)[0]["=evil"], one["=evil"]);
    }

    #[test]
    fn t5_no_cell_holds_a_data_url() {
        let image = format!("blob:sha256-{}", "0".repeat(64));
        let one = job(json!({
            "id": "job-1", "result": image, "other": "data:text/html,x",
            "deep": {"list": ["DATA:x", 5]},
        }));
        let csv = String::from_utf8(write_csv(&[one]).expect("written")).expect("UTF-8");
        assert!(csv.contains(&image), "{csv}");
        assert!(!csv.to_lowercase().contains("data:"), "{csv}");
    }

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[=+@\\-'\"a\t\r\n, \0ß😀]{0,6}".prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(json!([1, "two", {"three": null}])),
            Just(json!("5")),
            Just(json!("null")),
        ]
    }

    proptest! {
        /// T5: what is written as CSV is read as it was, whatever the texts.
        #[test]
        fn t5_csv_comes_back_as_it_was(
            prompt in "[=+@\\-'\"a\t\r\n, \0ß😀]{0,9}",
            further in proptest::collection::btree_map("[a-z=']{1,5}x", values(), 0..4),
        ) {
            let mut one = job(json!({"id": "job-1", "prompt": prompt, "width": 64, "seed": "7"}));
            one.extend(further);
            let csv = write_csv(std::slice::from_ref(&one)).expect("written");
            let mut found = back(&csv).remove(0);
            for name in ["status", "result", "error", "startTime", "endTime", "duration"] {
                prop_assert_eq!(found.remove(name).unwrap_or(Value::Null), Value::Null);
            }
            prop_assert_eq!(found, one);
        }
    }
}
