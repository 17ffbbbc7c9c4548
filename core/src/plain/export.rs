//! The document as the JSON file that people read, edit and commit.
//!
//! Pretty-printed, fields in the schema's order, records in the document's order, one field
//! a line: a changed status is a diff of that record's lines, `savedAt` and `heads`.
//!
//! ```json
//! {
//!   "version": "1.0",
//!   "savedAt": "2026-01-31T10:11:12Z",
//!   "lastJobId": 7,
//!   "jobs": [ { "id": "job-6", "prompt": "a knight", … } ],
//!   "sync": { "document": "4NMNn…", "heads": ["…"] }
//! }
//! ```

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use crate::blob::{BlobRef, sniff, to_data_url};
use crate::document::{Document, FROM};
use crate::edit::Key;
use crate::schema::Schema;
use crate::sorted::by_key;
use crate::view::Row;

/// Names the version that a file was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The document's id.
    pub document: String,
    /// Its newest changes, sorted.
    pub heads: Vec<String>,
}

impl Document {
    /// The version that the document is at.
    #[must_use]
    pub fn version(&self) -> Version {
        let heads = self.heads().iter().map(ToString::to_string).collect();
        Version {
            document: self.id().to_string(),
            heads,
        }
    }

    /// The file's bytes. `image` gives the bytes of images that are held here; others stay
    /// references. The same changes and images give the same bytes everywhere (D1).
    #[must_use]
    pub fn export<'a>(&self, image: &dyn Fn(&BlobRef) -> Option<Cow<'a, [u8]>>) -> Vec<u8> {
        self.export_shown(&|hash| {
            let bytes = image(hash)?;
            Some(to_data_url(sniff(&bytes)?, &bytes))
        })
    }

    /// As [`Document::export`], where `show` gives the text that stands for an image: its data URL,
    /// or a link to it (F12). Images for which it gives none stay references.
    #[must_use]
    pub fn export_shown(&self, show: &dyn Fn(&BlobRef) -> Option<String>) -> Vec<u8> {
        let file = File {
            document: self,
            show,
        };
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// One row as it stands in the file: labels instead of keys, images inlined.
    #[must_use]
    pub fn plain_row<'a>(
        &self,
        row: &Row,
        image: &dyn Fn(&BlobRef) -> Option<Cow<'a, [u8]>>,
    ) -> Map<String, Value> {
        self.row_shown(row, &|hash| {
            let bytes = image(hash)?;
            Some(to_data_url(sniff(&bytes)?, &bytes))
        })
    }

    fn row_shown(
        &self,
        row: &Row,
        show: &dyn Fn(&BlobRef) -> Option<String>,
    ) -> Map<String, Value> {
        let mut job = Value::Object(row.job.clone());
        let skip: Vec<&str> = self
            .schema()
            .text_fields
            .iter()
            .map(String::as_str)
            .collect();
        crate::blob::show(&mut job, &skip, show);
        let Value::Object(mut job) = job else {
            return Map::new();
        };
        self.keys_to_labels(&mut job);
        job
    }

    /// D7: shows references as the labels of the records that they name.
    fn keys_to_labels(&self, fields: &mut Map<String, Value>) {
        for path in &self.schema().references {
            if let Some(text) = crate::document::at_path(fields, path)
                && let Value::String(key) = &*text
                && let Some(row) = self.view().get(&Key(key.clone()))
            {
                *text = Value::from(row.label.clone());
            }
        }
    }
}

/// Adds to an exported file the heads of the version that replaced it: what a backup says (F2).
///
/// Returns `None` when `file` does not end in a `sync` block as this module writes it.
#[must_use]
pub fn with_replaced_by(file: &[u8], heads: &[String]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(file).ok()?;
    let tail = "\n    ]\n  }\n}\n";
    let body = text.strip_suffix(tail)?;
    body.rfind("\n  \"sync\": {")?;
    let list: Vec<String> = heads
        .iter()
        .map(|head| format!("      {}", Value::from(head.as_str())))
        .collect();
    Some(
        format!(
            "{body}\n    ],\n    \"replacedBy\": [\n{}{tail}",
            list.join(",\n")
        )
        .into_bytes(),
    )
}

struct File<'d, 'i> {
    document: &'d Document,
    show: &'i dyn Fn(&BlobRef) -> Option<String>,
}

impl Serialize for File<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (document, schema) = (self.document, self.document.schema());
        let mut root = document.root_fields();
        let from = root.remove(FROM);
        let mut map = serializer.serialize_map(None)?;
        let version = root
            .remove("version")
            .or_else(|| schema.format_version.clone().map(Value::from));
        if let Some(version) = version {
            map.serialize_entry("version", &version)?;
        }
        map.serialize_entry("savedAt", &crate::time::rfc3339(document.newest_seconds()))?;
        if let Some(counter) = &schema.counter {
            map.serialize_entry(counter, &document.view().next_number())?;
        }
        for (name, value) in root.iter().filter(|(name, _)| !is_file_field(name)) {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(&schema.collection, &Rows(self))?;
        let mut sync = Map::new();
        let version = document.version();
        sync.insert("document".to_owned(), Value::from(version.document));
        sync.insert("heads".to_owned(), Value::from(version.heads));
        if let Some(from) = from {
            sync.insert(FROM.to_owned(), from);
        }
        map.serialize_entry("sync", &Ordered(&sync, &["document", FROM, "heads"]))?;
        map.end()
    }
}

/// Root fields that belong to the file, not to the document.
pub(crate) fn is_file_field(name: &str) -> bool {
    matches!(name, "savedAt" | "sync" | "version")
}

struct Rows<'f, 'd, 'i>(&'f File<'d, 'i>);

impl Serialize for Rows<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = self.0.document;
        let mut list = serializer.serialize_seq(None)?;
        for row in document.view().rows() {
            let job = document.row_shown(row, self.0.show);
            list.serialize_element(&Fields {
                schema: document.schema(),
                fields: &job,
            })?;
        }
        list.end()
    }
}

/// A record's fields in the schema's order.
struct Fields<'a> {
    schema: &'a Schema,
    fields: &'a Map<String, Value>,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By name they are sorted already, and the sort keeps that where ranks are equal.
        serializer.collect_map(by_key(self.fields, |(name, _)| self.schema.rank(name)))
    }
}

/// A map whose named fields come first, in this order.
struct Ordered<'a>(&'a Map<String, Value>, &'a [&'a str]);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.1
                .iter()
                .filter_map(|name| Some((name, self.0.get(*name)?))),
        )
    }
}
