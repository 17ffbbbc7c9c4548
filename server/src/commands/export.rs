//! `plainsync export`: the jobs as JSON, CSV or an Excel sheet.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hyper::http::Method;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::reach::{Purpose, Reach};
use super::table::{self, CELL_UNITS_MAX, Cell};
use super::{Outcome, output, progress};
use crate::cli::{Target, complain, exit};
use crate::http::limits::PAGE_JOBS_MAX;

/// Rows of an Excel sheet, the first for the names.
const SHEET_ROWS_MAX: usize = 1_048_576;

/// Columns of an Excel sheet.
const SHEET_COLUMNS_MAX: usize = 16_384;

/// What its help says first.
pub(crate) const ABOUT: &str = "Writes the jobs as JSON, CSV or an Excel sheet, to stdout or to a file.\n\n\
        JSON is the file itself, byte for byte, images inside. CSV and Excel have a row a job; images are \
        named in them (blob:sha256-…), formulas are defused by a ' in front, and `plainsync import` takes \
        our CSV back as it was. Nothing on disk changes but the file that --output names.";

/// What `plainsync export` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync export > copy.json\n  \
        plainsync export --format csv --query 'status:error' --output errors.csv\n  \
        plainsync export --format xlsx --output jobs.xlsx --file ~/Dropbox/board")]
pub struct ExportArgs {
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,

    /// Only the jobs that this finds, as in the dashboard's search: words, field:value, -without, has:conflict
    #[arg(short, long, value_name = "QUERY", allow_hyphen_values = true)]
    pub query: Option<String>,

    /// Where to write it; stdout when absent
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// The document.
    #[command(flatten)]
    pub target: Target,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The file itself, images inside
    Json,
    /// A row a job, for any spreadsheet
    Csv,
    /// The same as an Excel workbook
    Xlsx,
}

/// Runs `plainsync export`.
pub(super) async fn run(args: ExportArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Read, "export").await?;
    let written = write(&args, &reach).await;
    reach.close().await;
    output::to_file(args.output.as_deref(), &written?)?;
    Ok(0)
}

async fn write(args: &ExportArgs, reach: &Reach) -> Result<Vec<u8>, Failure> {
    if args.format == Format::Json {
        let path = reach.path("export.json");
        let whole = progress::during("exporting", reach.call(Method::GET, &path, None)).await?;
        let Some(query) = &args.query else {
            return Ok(whole.bytes.to_vec());
        };
        let found = jobs(reach, query).await?;
        return only(&whole.bytes, &found);
    }
    let jobs = jobs(reach, args.query.as_deref().unwrap_or_default()).await?;
    let failed = |error: &dyn std::fmt::Display| Failure::new(exit::FAILED, error.to_string());
    if args.format == Format::Csv {
        return table::write_csv(&jobs).map_err(|error| failed(&error));
    }
    let (bytes, cut) = workbook(&jobs)?;
    if cut > 0 {
        complain(&format!(
            "{} cut at {CELL_UNITS_MAX} characters, the most that Excel holds; CSV and JSON have them whole",
            output::counted(cut, "cell is", "cells are")
        ));
    }
    Ok(bytes)
}

/// One page of the list.
#[derive(Deserialize)]
struct Page {
    jobs: Vec<Row>,
    total: usize,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    job: Map<String, Value>,
}

/// The jobs that `query` finds, oldest first, as in the file.
async fn jobs(reach: &Reach, query: &str) -> Result<Vec<Map<String, Value>>, Failure> {
    let mut found = Vec::new();
    let mut after = String::new();
    let bar = progress::bar("reading jobs", 0);
    loop {
        let asked = format!("jobs?limit={PAGE_JOBS_MAX}&q={}{after}", escape(query));
        let page: Page = reach.get(&reach.path(&asked)).await?;
        bar.set_length(page.total as u64);
        progress::step(&bar, page.jobs.len() as u64);
        found.extend(page.jobs.into_iter().map(|row| row.job));
        match page.next {
            Some(next) => after = format!("&after={}", escape(&next)),
            None => break,
        }
    }
    bar.finish_and_clear();
    found.reverse();
    Ok(found)
}

/// `text` as a value in an address.
pub(super) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The parts of the file that a part of its jobs needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(borrow)]
    jobs: Vec<&'a RawValue>,
    #[serde(borrow)]
    last_job_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// The file with only the jobs that were found. It names no version: it is no edit of the
/// whole, and taking it in removes nothing.
fn only(whole: &[u8], found: &[Map<String, Value>]) -> Result<Vec<u8>, Failure> {
    let failed = |error: serde_json::Error| Failure::new(exit::FAILED, error.to_string());
    let file: File<'_> = serde_json::from_slice(whole).map_err(failed)?;
    let wanted: HashSet<&str> = found
        .iter()
        .filter_map(|job| job.get("id")?.as_str())
        .collect();
    let mut out = String::from("{\n  \"version\": \"1.0\",\n");
    if let Some(next) = file.last_job_id {
        out.push_str(&format!("  \"lastJobId\": {next},\n"));
    }
    out.push_str("  \"jobs\": [");
    let mut separator = "\n    ";
    for job in file.jobs {
        let named: Named = serde_json::from_str(job.get()).map_err(failed)?;
        if wanted.contains(named.id.as_str()) {
            out.push_str(separator);
            out.push_str(job.get());
            separator = ",\n    ";
        }
    }
    out.push_str(if separator.starts_with(',') {
        "\n  ]\n}\n"
    } else {
        "]\n}\n"
    });
    Ok(out.into_bytes())
}

/// An Excel workbook, and how many of its cells had to be cut.
fn workbook(jobs: &[Map<String, Value>]) -> Result<(Vec<u8>, usize), Failure> {
    let columns = table::columns(jobs);
    if jobs.len() >= SHEET_ROWS_MAX || columns.len() > SHEET_COLUMNS_MAX {
        let sentence = format!(
            "{} jobs with {} fields do not fit into an Excel sheet, which has {SHEET_ROWS_MAX} rows and {SHEET_COLUMNS_MAX} columns; CSV has no such limit",
            jobs.len(),
            columns.len()
        );
        return Err(Failure::new(exit::REFUSED, sentence));
    }
    fill(jobs, &columns)
        .map_err(|error| Failure::new(exit::FAILED, format!("the sheet cannot be made: {error}")))
}

fn fill(jobs: &[Map<String, Value>], columns: &[String]) -> Result<(Vec<u8>, usize), XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("jobs")?;
    let mut cut = 0;
    for (column, name) in (0_u16..).zip(columns) {
        sheet.write_string(0, column, shortened(&table::defuse(name), &mut cut))?;
    }
    for (row, job) in (1_u32..).zip(jobs) {
        for (column, name) in (0_u16..).zip(columns) {
            match table::cell(name, job.get(name)) {
                Cell::Empty => {}
                Cell::Number(_, number) => {
                    sheet.write_number(row, column, number)?;
                }
                Cell::Text(text) => {
                    sheet.write_string(row, column, shortened(&text, &mut cut))?;
                }
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok((book.save_to_buffer()?, cut))
}

/// `text`, cut to what a cell holds.
fn shortened(text: &str, cut: &mut usize) -> String {
    if text.encode_utf16().count() <= CELL_UNITS_MAX {
        return text.to_owned();
    }
    *cut += 1;
    let mut units = 0;
    let kept = text.chars().take_while(|letter| {
        units += letter.len_utf16();
        units < CELL_UNITS_MAX
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_a_cell_holds_no_more_than_excel_does() {
        for (text, is_cut) in [
            ("x".repeat(CELL_UNITS_MAX), false),
            ("x".repeat(CELL_UNITS_MAX + 1), true),
            ("😀".repeat(CELL_UNITS_MAX), true),
        ] {
            let mut cut = 0;
            let kept = shortened(&text, &mut cut);
            assert!(kept.encode_utf16().count() <= CELL_UNITS_MAX);
            assert_eq!((cut == 1, kept != text), (is_cut, is_cut));
        }
    }

    #[test]
    fn a_part_of_the_file_names_no_version() {
        let whole = br#"{"jobs":[{"id":"job-1","n":1.50},{"id":"job-2"}],"lastJobId":3,"sync":{"document":"x","heads":["y"]}}"#;
        let found = serde_json::json!({"id": "job-1"});
        let found = found.as_object().expect("an object").clone();
        let part = only(whole, &[found]).expect("a part");
        let part = String::from_utf8(part).expect("UTF-8");
        assert!(
            part.contains(r#"{"id":"job-1","n":1.50}"#) && !part.contains("job-2"),
            "{part}"
        );
        assert!(!part.contains("sync"), "{part}");
        serde_json::from_str::<Value>(&part).expect("JSON");
        let none = only(whole, &[]).expect("nothing");
        serde_json::from_slice::<Value>(&none).expect("JSON");
    }
}
