//! The shape of a file: which of its JSON are records, version and counter.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::import::ImportError;
use super::json::{self, Member, Node, Tree, position};
use crate::blob::{Blob, BlobRef};
use crate::limits::{RECORD_FIELDS_MAX, RECORD_VALUES_MAX, TEXT_BYTES_MAX};
use crate::record::is_reserved;
use crate::schema::Schema;
use crate::value::to_map;

/// What the `sync` block says (F3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncBlock {
    /// The document's id.
    pub document: String,
    /// The newest changes at which the file was written.
    pub heads: Vec<String>,
    /// In a backup: the newest changes of the version that took its place (F8).
    pub replaced_by: Option<Vec<String>>,
}

/// One record of the file, its images lifted out.
#[derive(Clone, Debug)]
pub(crate) struct FileRecord {
    pub(crate) members: Vec<Member>,
}

impl FileRecord {
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let found = self.members.iter().find(|member| member.key == name);
        found.map(|member| &member.node)
    }

    /// Its fields without their places.
    pub(crate) fn to_fields(&self) -> Map<String, Value> {
        let fields = self.members.iter();
        to_map(fields.map(|member| (member.key.clone(), member.node.to_value())))
    }
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
    /// It is an answer of `/load-jobs`: records, and no other field of the file.
    pub(crate) is_answer: bool,
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
    let (mut envelope, mut values) = (0, 0);
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
            check_text(&node, &member.key).map_err(|(at, reason)| text_error(text, at, reason))?;
            values += count(&node);
            check_count(text, member.at, "all that is no record", values)?;
            file.root.insert(member.key, node.into_value());
        } else {
            envelope += 1;
        }
    }
    file.is_answer = envelope > 1;
    if !found {
        let reason = format!(
            "the file has no {collection:?}; a list of objects under that name is expected"
        );
        return Err(text_error(text, at, reason));
    }
    let skip: Vec<&str> = schema.text_fields.iter().map(String::as_str).collect();
    let mut images = Images {
        skip: &skip,
        blobs: Vec::new(),
        seen: BTreeSet::new(),
    };
    for (nth, record) in file.records.iter_mut().enumerate() {
        images
            .lift_members(&mut record.members)
            .map_err(|(at, reason)| {
                text_error(text, at, format!("in {collection}[{nth}], {reason}"))
            })?;
    }
    file.blobs = images.blobs;
    Ok(file)
}

/// How many values `node` is, itself and all in it.
fn count(node: &Node) -> usize {
    1 + match &node.tree {
        Tree::Array(items) => items.iter().map(count).sum(),
        Tree::Object(members) => members.iter().map(|member| count(&member.node)).sum(),
        _ => 0,
    }
}

/// Refuses more values than one change can hold.
fn check_count(text: &[u8], at: usize, name: &str, values: usize) -> Result<(), ImportError> {
    if values > RECORD_VALUES_MAX {
        let reason = format!("{name} has {values} values; the limit is {RECORD_VALUES_MAX}");
        return Err(text_error(text, at, reason));
    }
    Ok(())
}

/// Refuses texts that are too long, anywhere inside what `name` holds.
fn check_text(node: &Node, name: &str) -> Result<(), (usize, String)> {
    match &node.tree {
        Tree::String(text) if text.len() > TEXT_BYTES_MAX => {
            let len_bytes = text.len();
            let reason = format!(
                "{name} is a text of {len_bytes} bytes; allowed is text up to {TEXT_BYTES_MAX} bytes, or in a record a PNG, JPEG, WebP or GIF image"
            );
            Err((node.at, reason))
        }
        Tree::Array(items) => items.iter().try_for_each(|item| check_text(item, name)),
        Tree::Object(members) => members
            .iter()
            .try_for_each(|member| check_text(&member.node, &member.key)),
        _ => Ok(()),
    }
}

/// Takes the images out of records, leaving references.
struct Images<'s> {
    /// Fields whose text is never an image.
    skip: &'s [&'s str],
    blobs: Vec<Blob>,
    seen: BTreeSet<BlobRef>,
}

impl Images<'_> {
    fn lift_members(&mut self, members: &mut [Member]) -> Result<(), (usize, String)> {
        for member in members {
            let may_be_image = !self.skip.contains(&member.key.as_str());
            self.lift(&mut member.node, &member.key, may_be_image)?;
        }
        Ok(())
    }

    fn lift(
        &mut self,
        node: &mut Node,
        name: &str,
        may_be_image: bool,
    ) -> Result<(), (usize, String)> {
        match &mut node.tree {
            Tree::String(text) => {
                if may_be_image && let Ok(linked) = BlobRef::from_link(text) {
                    *text = linked.to_string(); // F12: its bytes are the host's to fetch.
                    return Ok(());
                }
                let image = may_be_image.then(|| crate::blob::from_data_url(text));
                let Some(blob) = image.flatten() else {
                    return check_text(node, name);
                };
                *text = blob.hash.to_string();
                if self.seen.insert(blob.hash) {
                    self.blobs.push(blob);
                }
                Ok(())
            }
            Tree::Array(items) => items
                .iter_mut()
                .try_for_each(|item| self.lift(item, name, may_be_image)),
            Tree::Object(members) if may_be_image => self.lift_members(members),
            _ => check_text(node, name),
        }
    }
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
    if let Some(member) = members.iter().find(|member| is_reserved(&member.key)) {
        let reason = format!(
            "{name} has a field {:?}, a name that is kept for the engine",
            member.key
        );
        return Err(text_error(text, member.at, reason));
    }
    if members.len() > RECORD_FIELDS_MAX {
        let reason = format!(
            "{name} has {} fields; the limit is {RECORD_FIELDS_MAX}",
            members.len()
        );
        return Err(text_error(text, at, reason));
    }
    let values = members.iter().map(|member| count(&member.node)).sum();
    check_count(text, at, &name, values)?;
    Ok(FileRecord { members })
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
    let hashes = |list: &Node| {
        let list = list
            .as_array()
            .ok_or_else(|| refused(list.at, "has a version that is no list"))?;
        list.iter()
            .map(|head| {
                head.as_str()
                    .filter(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()))
                    .map(str::to_owned)
                    .ok_or_else(|| refused(head.at, "has a head that is no hash"))
            })
            .collect::<Result<Vec<String>, _>>()
    };
    let heads = node.get("heads");
    let heads = hashes(heads.ok_or_else(|| refused(node.at, "has no \"heads\""))?)?;
    let replaced_by = node.get("replacedBy").map(hashes).transpose()?;
    Ok(SyncBlock {
        document,
        heads,
        replaced_by,
    })
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
