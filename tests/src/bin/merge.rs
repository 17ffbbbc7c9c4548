//! Merges changes and writes what the file would say: the native half of showing that wasm and
//! native agree (D1, F5).
//!
//! Reads `{"document": "<id>", "changes": ["<base64>", …], "files": ["<text>", …]}` from stdin: takes
//! in the changes, then the files, and writes the export to stdout. The export names its heads,
//! so that equal exports are equal histories (F5).

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plainsync_core::document::Document;
use plainsync_core::id::DocumentId;
use plainsync_core::plain::import::ImportOptions;
use plainsync_core::schema::Schema;

/// What stdin holds.
#[derive(serde::Deserialize)]
struct Asked {
    document: String,
    changes: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
}

fn main() -> ExitCode {
    match merged().and_then(|json| Ok(io::stdout().write_all(&json)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("merge: {error}");
            ExitCode::FAILURE
        }
    }
}

fn merged() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let asked: Asked = serde_json::from_str(&text)?;
    let changes = asked
        .changes
        .iter()
        .map(|change| BASE64_STANDARD.decode(change))
        .collect::<Result<Vec<_>, _>>()?;
    let id = DocumentId::from_text(&asked.document)?;
    let mut document = Document::new(id, Schema::job_history());
    document.restore(&changes)?;
    for file in &asked.files {
        document.import(file.as_bytes(), &ImportOptions::default())?;
    }
    Ok(document.export(&|_| None))
}
