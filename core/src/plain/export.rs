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
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use crate::blob::{BlobRef, sniff, to_data_url};
use crate::document::{Document, FROM, IMAGES, IMAGES_LINKED};
use crate::edit::Key;
use crate::schema::Schema;
use crate::sorted::by_key;
use crate::view::{Row, View};

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
        self.heading().export(self.view(), show)
    }

    /// What its file says beside the records.
    #[must_use]
    pub fn heading(&self) -> Heading {
        Heading {
            schema: Arc::clone(self.schema()),
            root: self.root_fields(),
            saved_seconds: self.newest_seconds(),
            next_number: self.view().next_number(),
            version: self.version(),
        }
    }

    /// One row as it stands in the file: labels instead of keys, images inlined.
    #[must_use]
    pub fn plain_row<'a>(
        &self,
        row: &Row,
        image: &dyn Fn(&BlobRef) -> Option<Cow<'a, [u8]>>,
    ) -> Map<String, Value> {
        row_shown(self.schema(), self.view(), row, &|hash| {
            let bytes = image(hash)?;
            Some(to_data_url(sniff(&bytes)?, &bytes))
        })
    }
}

/// Rows that a file is made of: those of a [`View`], or what a host keeps of one.
pub trait Rows {
    /// The rows of the list, oldest record first.
    fn listed(&self) -> impl Iterator<Item = &Arc<Row>>;

    /// The row with this key, wherever it is.
    fn row(&self, key: &Key) -> Option<&Arc<Row>>;
}

impl Rows for View {
    fn listed(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows()
    }

    fn row(&self, key: &Key) -> Option<&Arc<Row>> {
        self.get(key)
    }
}

/// What a file says beside its records: with [`Rows`] of the same version, all of it. It costs the
/// same at any size of the document, where a copy of that costs milliseconds.
#[derive(Clone, Debug)]
pub struct Heading {
    schema: Arc<Schema>,
    root: Map<String, Value>,
    saved_seconds: i64,
    next_number: u64,
    version: Version,
}

impl Heading {
    /// As [`Document::export_shown`], of `rows`.
    #[must_use]
    pub fn export(&self, rows: &impl Rows, show: &dyn Fn(&BlobRef) -> Option<String>) -> Vec<u8> {
        let file = File {
            heading: self,
            rows,
            show,
        };
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What its records are.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// As [`Document::links_images`].
    #[must_use]
    pub fn links_images(&self) -> bool {
        self.root.get(IMAGES).and_then(Value::as_str) == Some(IMAGES_LINKED)
    }
}

fn row_shown(
    schema: &Schema,
    rows: &impl Rows,
    row: &Row,
    show: &dyn Fn(&BlobRef) -> Option<String>,
) -> Map<String, Value> {
    let mut job = Value::Object(row.job.clone());
    let skip: Vec<&str> = schema.text_fields.iter().map(String::as_str).collect();
    crate::blob::show(&mut job, &skip, show);
    let Value::Object(mut job) = job else {
        return Map::new();
    };
    // D7: references are shown as the labels of the records that they name.
    for path in &schema.references {
        if let Some(text) = crate::document::at_path(&mut job, path)
            && let Value::String(key) = &*text
            && let Some(row) = rows.row(&Key(key.clone()))
        {
            *text = Value::from(row.label.clone());
        }
    }
    job
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

struct File<'d, R> {
    heading: &'d Heading,
    rows: &'d R,
    show: &'d dyn Fn(&BlobRef) -> Option<String>,
}

impl<R: Rows> Serialize for File<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (heading, schema) = (self.heading, &self.heading.schema);
        let mut root = heading.root.clone();
        let from = root.remove(FROM);
        let mut map = serializer.serialize_map(None)?;
        let version = root
            .remove("version")
            .or_else(|| schema.format_version.clone().map(Value::from));
        if let Some(version) = version {
            map.serialize_entry("version", &version)?;
        }
        map.serialize_entry("savedAt", &crate::time::rfc3339(heading.saved_seconds))?;
        if let Some(counter) = &schema.counter {
            map.serialize_entry(counter, &heading.next_number)?;
        }
        for (name, value) in root.iter().filter(|(name, _)| !is_file_field(name)) {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry(&schema.collection, &List(self))?;
        let mut sync = Map::new();
        let version = heading.version.clone();
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

struct List<'f, 'd, R>(&'f File<'d, R>);

impl<R: Rows> Serialize for List<'_, '_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (file, schema) = (self.0, &self.0.heading.schema);
        let mut list = serializer.serialize_seq(None)?;
        for row in file.rows.listed() {
            let job = row_shown(schema, file.rows, row, file.show);
            list.serialize_element(&Fields {
                schema,
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
