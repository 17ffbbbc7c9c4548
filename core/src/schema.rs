//! What a collection of records is, as data.
//!
//! A file is one JSON object whose `collection` holds an array of records. A [`Schema`]
//! says which field names a record to people, which fields describe one run of a job,
//! in what order fields are written and what a new record starts with. The engine has no
//! other knowledge of jobs: [`Schema::job_history`] is one value, not a special case.
//!
//! **Invariant:** two replicas of one document use the same schema; the first change of
//! the document is made from it.

mod job_history;

use std::sync::Arc;

use serde_json::{Map, Value};

/// How the records of one file are named, ordered and started.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The root field that holds the records: `jobs`.
    pub collection: String,
    /// The field that names a record to people: `id`.
    pub label_field: String,
    /// What generated labels start with: `job-`. A number follows.
    pub label_prefix: String,
    /// The root field that holds the next number to give (D9), if the format has one.
    pub counter: Option<String>,
    /// The field that tells when a record was made; with the label it identifies a record in
    /// a file that carries no version (F6).
    pub created_field: String,
    /// The register that names a record's current run; empty when records have no runs.
    pub run_fields: Vec<String>,
    /// Fields in the order in which they are written; others follow by name.
    pub field_order: Vec<String>,
    /// Fields whose text is never an image.
    pub text_fields: Vec<String>,
    /// Paths of fields that name another record; keys in the document, labels in the file (D7).
    pub references: Vec<Vec<String>>,
    /// What an inserted record has where the caller says nothing.
    pub defaults: Map<String, Value>,
    /// What `version` the file says; none for plain collections.
    pub format_version: Option<String>,
}

impl Schema {
    /// The history of PixelLab jobs: `dashboards/job_history.json`.
    #[must_use]
    pub fn job_history() -> Arc<Self> {
        Arc::new(job_history::schema())
    }

    /// A plain list of records under `collection`, named by `key_field`.
    #[must_use]
    pub fn generic(collection: &str, key_field: &str) -> Arc<Self> {
        Arc::new(Self {
            collection: collection.to_owned(),
            label_field: key_field.to_owned(),
            label_prefix: String::new(),
            counter: None,
            created_field: "createdAt".to_owned(),
            run_fields: Vec::new(),
            field_order: vec![key_field.to_owned()],
            text_fields: vec![key_field.to_owned()],
            references: Vec::new(),
            defaults: Map::new(),
            format_version: None,
        })
    }

    /// Whether `field` describes one run, and so wins or loses with the others (D5).
    #[must_use]
    pub fn is_run_field(&self, field: &str) -> bool {
        self.run_fields.iter().any(|name| name == field)
    }

    /// Where `field` stands among the fields of a record, for writing.
    #[must_use]
    pub fn rank(&self, field: &str) -> usize {
        self.field_order
            .iter()
            .position(|name| name == field)
            .unwrap_or(self.field_order.len())
    }

    /// The number in a generated label: 6 for `job-6`, none for any other text.
    #[must_use]
    pub fn label_number(&self, label: &str) -> Option<u64> {
        let digits = label.strip_prefix(&self.label_prefix)?;
        if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }

    /// The label that number `n` gives.
    #[must_use]
    pub fn label(&self, n: u64) -> String {
        format!("{}{n}", self.label_prefix)
    }
}
