//! What becomes of a file.

use plainsync_core::document::Document;
use plainsync_core::guard::{Limits, check};
use plainsync_core::plain::import::{ImportBase, ImportError, ImportOptions, Imported};
use plainsync_core::plain::json;

use super::document::{document, empty, export};
use super::says;

/// A text is parsed as a value that is written and parsed again as itself, or is refused at a place
/// inside it. A file is taken in whole, by the same changes everywhere, and what is written
/// afterwards says nothing new; or it is refused at its place and the document stays as it was.
pub fn import(bytes: &[u8]) -> bool {
    let is_json = parses(bytes);
    let may_remove_most = ImportOptions {
        may_remove_most: true,
        ..ImportOptions::default()
    };
    let add_only = ImportOptions {
        base: ImportBase::Unknown,
        ..ImportOptions::default()
    };
    let mut taken = false;
    for options in [ImportOptions::default(), may_remove_most, add_only] {
        let mut here = document().clone();
        match take(&mut here, bytes, &options) {
            Ok(imported) => {
                taken = true;
                let mut there = document().clone();
                let again = there.import(bytes, &options).unwrap();
                assert_eq!(again.report, imported.report);
                assert_eq!(there.heads(), here.heads(), "the same changes everywhere");
                is_read_again(&mut here);
            }
            Err(ImportError::RemovesMost { .. }) => {}
            Err(_) => break, // The others would be refused for the same reason, or are.
        }
    }
    assert!(is_json || !taken);
    // With nothing to compare with.
    let mut new = empty(2);
    if take(&mut new, bytes, &ImportOptions::default()).is_ok() {
        is_read_again(&mut new);
    }
    taken
}

/// Imports, and holds what a refusal promises.
fn take(
    document: &mut Document,
    bytes: &[u8],
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let (heads, shown) = (document.heads(), export(document));
    let made = document.import(bytes, options);
    match &made {
        Ok(imported) => {
            let is_same = document.heads() == heads;
            assert_eq!(imported.changes.is_empty(), is_same);
            for change in &imported.changes {
                check(change.raw_bytes(), &Limits::PEER).expect("others take it, too");
            }
        }
        Err(error) => {
            says(error);
            assert_eq!(document.heads(), heads, "what is refused changes nothing");
            assert_eq!(export(document), shown);
            if let ImportError::Text { line, column, .. } = error {
                is_inside(bytes, *line, *column);
            }
        }
    }
    made
}

/// What is written is taken in again and asks for nothing, but that what names a label which no
/// record bore when it was read names the record that bears it now. Then it asks for nothing.
fn is_read_again(document: &mut Document) {
    let mut asked = Vec::new();
    for _ in 0..2 {
        let written = export(document);
        let again = document
            .import(&written, &ImportOptions::default())
            .unwrap_or_else(|error| panic!("what was written is refused: {error}"));
        let changes = again.changes.iter();
        asked = changes
            .flat_map(|change| change.decode().operations)
            .collect();
        for op in &asked {
            let is_reference = format!("{:?}", op.key).contains("sourceJobId");
            assert!(is_reference, "{:?}: {op:?}", again.report);
        }
    }
    assert!(asked.is_empty(), "{asked:?}");
}

/// There is such a line, and it reaches to this column.
fn is_inside(bytes: &[u8], line: usize, column: usize) {
    let found = bytes.split(|byte| *byte == b'\n').nth(line - 1);
    let chars = found.unwrap_or_else(|| panic!("there is no line {line}"));
    assert!((1..=chars.len() + 1).contains(&column), "column {column}");
}

fn parses(bytes: &[u8]) -> bool {
    match json::parse(bytes) {
        Ok(node) => {
            let value = node.to_value();
            let theirs: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            assert_eq!(value, theirs, "read as others read it");
            let written = serde_json::to_vec(&value).unwrap();
            assert_eq!(json::parse(&written).unwrap().to_value(), value);
            true
        }
        Err(error) => {
            says(&error);
            assert!(error.offset <= bytes.len());
            let place = json::position(bytes, error.offset);
            assert_eq!((place.line, place.column), (error.line, error.column));
            is_inside(bytes, error.line, error.column);
            false
        }
    }
}
