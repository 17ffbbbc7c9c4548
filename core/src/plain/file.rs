//! The shape of a file: which of its JSON are records, version and counter.

use serde_json::{Map, Value};

use super::import::ImportError;
use super::json::{self, Node, Tree, position};
use crate::blob::Blob;
use crate::record::is_reserved;
use crate::schema::Schema;

/// What the `sync` block says (F3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncBlock {
    /// The document's id.
    pub document: String,
    /// The newest changes at which the file was written.
    pub heads: Vec<String>,
}

/// One record of the file.
#[derive(Clone, Debug)]
pub(crate) struct FileRecord {
    pub(crate) fields: Map<String, Value>,
}

/// A file that has the right shape.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) records: Vec<FileRecord>,
    pub(crate) counter: Option<u64>,
    pub(crate) sync: Option<SyncBlock>,
    pub(crate) saved_seconds: Option<i64>,
    /// Root fields that are none of the above.
    pub(crate) root: Map<String, Value>,
    /// Images lifted out of the records.
    pub(crate) blobs: Vec<Blob>,
}

/// Answers of the old server carry these beside the history; they are not part of it.
const ENVELOPE: [&str; 3] = ["status", "message", "fileSize"];

pub(crate) fn text_error(text: &[u8], at: usize, reason: String) -> ImportError {
    let place = position(text, at);
    ImportError::Text {
        line: place.line,
        column: place.column,
        reason,
    }
}

/// Reads only the version of a file: cheap enough to ask before anything else.
///
/// # Errors
///
/// [`ImportError::Text`]: the text is not such a file.
pub fn sync_block(text: &[u8]) -> Result<Option<SyncBlock>, ImportError> {
    let root = parse(text)?;
    root.get("sync")
        .map(|node| read_sync(text, node))
        .transpose()
}

fn parse(text: &[u8]) -> Result<Node, ImportError> {
    json::parse(text).map_err(|error| ImportError::Text {
        line: error.line,
        column: error.column,
        reason: error.kind.to_string(),
    })
}

pub(crate) fn read(text: &[u8], schema: &Schema) -> Result<File, ImportError> {
    let root = parse(text)?;
    let at = root.at;
    let collection = &schema.collection;
    let Tree::Object(members) = root.tree else {
        let reason = format!(
            "the file is {}; an object with {collection:?} is expected",
            root.what()
        );
        return Err(text_error(text, at, reason));
    };
    let mut file = File::default();
    let mut found = false;
    for member in members {
        let node = member.node;
        if member.key == *collection {
            found = true;
            let (at, what) = (node.at, node.what());
            let Tree::Array(items) = node.tree else {
                let reason = format!("{collection:?} is {what}; a list of objects is expected");
                return Err(text_error(text, at, reason));
            };
            for (nth, item) in items.into_iter().enumerate() {
                file.records.push(read_record(text, schema, nth, item)?);
            }
        } else if Some(&member.key) == schema.counter.as_ref() {
            file.counter = read_counter(text, &member.key, &node)?;
        } else if member.key == "sync" {
            file.sync = Some(read_sync(text, &node)?);
        } else if member.key == "savedAt" {
            file.saved_seconds = seconds_of(&node);
        } else if !ENVELOPE.contains(&member.key.as_str()) || schema.format_version.is_none() {
            file.root.insert(member.key, node.into_value());
        }
    }
    if !found {
        let reason = format!(
            "the file has no {collection:?}; a list of objects under that name is expected"
        );
        return Err(text_error(text, at, reason));
    }
    let skip: Vec<&str> = schema.text_fields.iter().map(String::as_str).collect();
    for record in &mut file.records {
        let mut value = Value::Object(std::mem::take(&mut record.fields));
        file.blobs
            .extend(crate::blob::externalize(&mut value, &skip));
        if let Value::Object(fields) = value {
            record.fields = fields;
        }
    }
    Ok(file)
}

fn read_record(
    text: &[u8],
    schema: &Schema,
    nth: usize,
    item: Node,
) -> Result<FileRecord, ImportError> {
    let (at, what) = (item.at, item.what());
    let name = format!("{}[{nth}]", schema.collection);
    let Tree::Object(members) = item.tree else {
        return Err(text_error(
            text,
            at,
            format!("{name} is {what}; an object is expected"),
        ));
    };
    let mut fields = Map::new();
    for member in members {
        if is_reserved(&member.key) {
            let reason = format!(
                "{name} has a field {:?}, a name that is kept for the engine",
                member.key
            );
            return Err(text_error(text, member.at, reason));
        }
        fields.insert(member.key, member.node.into_value());
    }
    crate::document::check_record(&fields)
        .map_err(|error| text_error(text, at, format!("in {name}, {error}")))?;
    Ok(FileRecord { fields })
}

fn read_counter(text: &[u8], name: &str, node: &Node) -> Result<Option<u64>, ImportError> {
    match &node.tree {
        Tree::Null => Ok(None),
        Tree::Number(number) => match number.as_u64().filter(|n| *n < 1 << 53) {
            Some(number) => Ok(Some(number)),
            None => Err(text_error(
                text,
                node.at,
                format!("{name:?} is {number}; a whole number from 0 to 2^53 is expected"),
            )),
        },
        _ => {
            let reason = format!("{name:?} is {}; a whole number is expected", node.what());
            Err(text_error(text, node.at, reason))
        }
    }
}

fn read_sync(text: &[u8], node: &Node) -> Result<SyncBlock, ImportError> {
    let refused = |at: usize, what: &str| {
        let reason = format!(
            "the \"sync\" block {what}; it needs \"document\", a text, and \"heads\", a list of 64-digit hashes. Remove the whole block to import the file without its version"
        );
        text_error(text, at, reason)
    };
    let document = node.get("document").and_then(Node::as_str);
    let document = document
        .ok_or_else(|| refused(node.at, "has no \"document\""))?
        .to_owned();
    let heads = node.get("heads").and_then(Node::as_array);
    let heads = heads.ok_or_else(|| refused(node.at, "has no \"heads\""))?;
    let heads = heads
        .iter()
        .map(|head| {
            head.as_str()
                .filter(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()))
                .map(str::to_owned)
                .ok_or_else(|| refused(head.at, "has a head that is no hash"))
        })
        .collect::<Result<_, _>>()?;
    Ok(SyncBlock { document, heads })
}

/// The time that a file says it was saved at: ISO text, or milliseconds as the old dashboard wrote.
fn seconds_of(node: &Node) -> Option<i64> {
    match &node.tree {
        Tree::String(text) => crate::time::from_rfc3339(text),
        Tree::Number(number) => number.as_u64().map(|ms| crate::time::Millis(ms).seconds()),
        _ => None,
    }
    .filter(|seconds| *seconds > 0)
}
