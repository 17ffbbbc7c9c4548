//! One document that everything is tried on, and what is asked of it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use plainsync_core::document::{Authorship, Document};
use plainsync_core::edit::Key;
use plainsync_core::id::DocumentId;
use plainsync_core::limits::{PAGE_ROWS_MAX, QUERY_BYTES_MAX, QUERY_TERMS_MAX};
use plainsync_core::plain::import::ImportOptions;
use plainsync_core::query::{self, Query, QueryError};
use plainsync_core::schema::Schema;

use super::says;

/// The document's id.
pub fn id() -> DocumentId {
    DocumentId::from_random([7; 16])
}

/// A document that nobody has written to.
pub fn empty(actor: u8) -> Document {
    let mut document = Document::new(id(), Schema::job_history());
    let device = "0000000000000001".parse().unwrap();
    document.set_actor([actor; 16], &Authorship { device, name: None });
    document
}

/// The JSON that the document is written as.
pub fn export(document: &Document) -> Vec<u8> {
    document.export(&|_| None)
}

/// A few jobs of all kinds, one of them in the bin, one edited apart. Imports make it, and these
/// are a function of the file (F5): it is the same each time, and files of the corpus name its
/// versions.
pub fn document() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut document = empty(1);
        let options = ImportOptions::default();
        let first = include_bytes!("../corpus/import/historic.json");
        document.import(first, &options).unwrap();
        let text = String::from_utf8(export(&document)).unwrap();
        for (from, to) in [
            ("a heroic knight", "a tired knight"),
            ("a heroic knight", "a green knight"),
            ("\"id\": \"job-4\"", "\"id\": \"job-44\""),
        ] {
            assert!(text.contains(from));
            let edited = text.replacen(from, to, 1);
            document.import(edited.as_bytes(), &options).unwrap();
        }
        let mut kept: serde_json::Value = serde_json::from_slice(&export(&document)).unwrap();
        kept["jobs"].as_array_mut().unwrap().remove(2);
        document
            .import(kept.to_string().as_bytes(), &options)
            .unwrap();
        document
    })
}

/// A query finds rows that there are, each once; its pages put together are the whole, and what
/// excludes a word finds all others. Lines: the text, the field to sort by, `bin`.
pub fn query(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let asked = Query {
        q: next(),
        sort: next(),
        bin: next() == "bin",
        offset: 0,
        limit: None,
    };
    let view = document().view();
    let there: BTreeSet<&Key> = if asked.bin {
        view.bin().map(|row| &row.key).collect()
    } else {
        view.rows().map(|row| &row.key).collect()
    };
    let found = match query::run(view, &asked) {
        Ok(found) => found,
        Err(error) => {
            says(&error);
            match error {
                QueryError::TooMany { found } => assert!(found > QUERY_TERMS_MAX),
                QueryError::TooLong { found_bytes } => {
                    assert!(found_bytes == asked.q.len() && found_bytes > QUERY_BYTES_MAX);
                }
                QueryError::OpenQuote { at } => {
                    assert_eq!(asked.q.chars().nth(at - 1), Some('"'));
                }
                _ => {}
            }
            return false;
        }
    };
    let keys: BTreeSet<&Key> = found.rows.iter().map(|row| &row.key).collect();
    assert!(keys.is_subset(&there));
    assert_eq!(keys.len(), found.rows.len(), "a row is found once");
    assert_eq!(found.total, found.rows.len(), "fewer than {PAGE_ROWS_MAX}");
    let mut pages = Vec::new();
    for offset in (0..found.total + 3).step_by(3) {
        let page = Query {
            offset,
            limit: Some(3),
            ..asked.clone()
        };
        pages.extend(query::run(view, &page).unwrap().rows);
    }
    assert_eq!(pages, found.rows, "the pages are the whole");
    let is_one_word = !asked.q.is_empty()
        && !asked.q.starts_with('-')
        && !asked
            .q
            .contains(|letter: char| letter.is_whitespace() || letter == '"');
    if is_one_word && asked.q.len() < QUERY_BYTES_MAX {
        let others = Query {
            q: format!("-{}", asked.q),
            ..asked
        };
        let others = query::run(view, &others).unwrap();
        assert_eq!(others.total + found.total, there.len());
    }
    true
}
