//! One change as bytes: automerge's columns, written without a document at the change's parents.
//!
//! The format is automerge's own ("Automerge Binary Format Specification", change chunks), and
//! the columns are written by hexane, the library that automerge writes them with. What
//! this knows beyond it is which columns there are.
//!
//! ```text
//! magic | checksum | 1 | length | parents | actor | seq | first op | seconds | message | other actors | columns | extra
//! ```
//!
//! **Invariant:** for equal operations the bytes are those of automerge's own transaction.

use std::ops::Range;

use automerge::{ActorId, Change, ChangeHash, ScalarValue};
use hexane::EncoderApi as _;
use hexane::leb128::{DeltaEncoder, Encoder};
use sha2::{Digest as _, Sha256};

use crate::edit::EditError;

/// The first bytes of every chunk.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// The kind of chunk that one change is.
const CHANGE: u8 = 1;

/// What an operation does, as the format numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    MakeMap = 0,
    Put = 1,
    MakeList = 2,
    Delete = 3,
}

/// An operation's number, and the actor that made it: none is the change's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpId {
    pub(super) counter: u64,
    pub(super) actor: Option<ActorId>,
}

/// Where in its object an operation writes.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A field of a map.
    Field(String),
    /// The beginning of a list.
    First,
    /// Behind an item of a list.
    After(OpId),
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Op {
    /// The object written to; none is the root.
    pub(super) obj: Option<OpId>,
    pub(super) place: Place,
    pub(super) action: Action,
    /// What [`Action::Put`] puts; null for every other action.
    pub(super) value: ScalarValue,
    /// The operations that it writes over, sorted.
    pub(super) over: Vec<OpId>,
}

/// Everything of a change but its operations.
pub(super) struct Frame<'f> {
    pub(super) actor: &'f ActorId,
    /// Which change of its actor it is, counted from 1.
    pub(super) seq: u64,
    pub(super) first_op: u64,
    pub(super) seconds: i64,
    pub(super) message: &'f str,
    /// Sorted.
    pub(super) parents: &'f [ChangeHash],
    pub(super) extra: &'f [u8],
}

/// The change that consists of `ops`.
///
/// # Errors
///
/// [`EditError::Document`] if automerge does not read what was written, which no input causes.
pub(super) fn encode(frame: &Frame<'_>, ops: &[Op]) -> Result<Change, EditError> {
    let actors = Actors::of(frame.actor, ops);
    let mut data = Vec::new();
    let (columns, column_bytes) = columns(ops, &actors);
    unsigned(&mut data, frame.parents.len() as u64);
    for parent in frame.parents {
        data.extend_from_slice(&parent.0);
    }
    prefixed(&mut data, frame.actor.to_bytes());
    unsigned(&mut data, frame.seq);
    unsigned(&mut data, frame.first_op);
    signed(&mut data, frame.seconds);
    prefixed(&mut data, frame.message.as_bytes());
    unsigned(&mut data, actors.others.len() as u64);
    for actor in &actors.others {
        prefixed(&mut data, actor.to_bytes());
    }
    unsigned(&mut data, columns.len() as u64);
    for (kind, range) in columns {
        unsigned(&mut data, u64::from(kind));
        unsigned(&mut data, range.len() as u64);
    }
    data.extend(column_bytes);
    data.extend_from_slice(frame.extra);

    let mut body = vec![CHANGE];
    prefixed(&mut body, &data);
    let checksum = Sha256::digest(&body);
    let mut chunk = MAGIC.to_vec();
    chunk.extend_from_slice(&checksum[..4]);
    chunk.extend(body);
    Change::from_bytes(chunk).map_err(|error| EditError::Document(error.to_string()))
}

/// The actors that a change names: its own is number 0, the others follow in their order.
struct Actors<'o> {
    others: Vec<&'o ActorId>,
}

impl<'o> Actors<'o> {
    fn of(own: &ActorId, ops: &'o [Op]) -> Self {
        let named = ops.iter().flat_map(|op| {
            let after = match &op.place {
                Place::After(item) => Some(item),
                Place::Field(_) | Place::First => None,
            };
            op.obj.iter().chain(after).chain(&op.over)
        });
        let mut others = Vec::new();
        for actor in named.filter_map(|id| id.actor.as_ref()) {
            if actor != own
                && let Err(at) = others.binary_search(&actor)
            {
                others.insert(at, actor);
            }
        }
        Self { others }
    }

    fn number(&self, id: &OpId) -> u64 {
        let other = id.actor.as_ref();
        let at = other.and_then(|actor| self.others.binary_search(&actor).ok());
        at.map_or(0, |at| at as u64 + 1)
    }
}

/// The columns that are not empty, by the kind that the format gives each, and their bytes.
fn columns(ops: &[Op], actors: &Actors<'_>) -> (Vec<(u8, Range<usize>)>, Vec<u8>) {
    let mut data = Vec::new();
    let out = &mut data;
    let objs = || ops.iter().map(|op| op.obj.as_ref());
    let items = || {
        ops.iter().map(|op| match &op.place {
            Place::After(item) => Some(item),
            Place::Field(_) | Place::First => None,
        })
    };
    let behind = ops.iter().map(|op| match &op.place {
        Place::Field(_) => None,
        Place::First => Some(0),
        Place::After(item) => Some(item.counter as i64),
    });
    let names = ops.iter().map(|op| match &op.place {
        Place::Field(name) => Some(name.as_str()),
        Place::First | Place::After(_) => None,
    });
    let over = || ops.iter().flat_map(|op| &op.over);
    let mut values = Vec::new();
    let metas: Vec<u64> = ops
        .iter()
        .map(|op| scalar(&mut values, &op.value))
        .collect();
    let columns = [
        (
            0x01,
            optional(out, objs().map(|id| id.map(|id| actors.number(id)))),
        ),
        (
            0x02,
            optional(out, objs().map(|id| id.map(|id| id.counter))),
        ),
        (
            0x11,
            optional(out, items().map(|id| id.map(|id| actors.number(id)))),
        ),
        (
            0x13,
            DeltaEncoder::<Option<i64>>::encode_to_unless(out, behind, None),
        ),
        (
            0x15,
            Encoder::<Option<String>>::encode_to_unless(out, names, None),
        ),
        (
            0x34,
            Encoder::<bool>::encode_to(
                out,
                ops.iter().map(|op| !matches!(op.place, Place::Field(_))),
            ),
        ),
        (0x42, numbers(out, ops.iter().map(|op| op.action as u64))),
        (0x56, numbers(out, metas.into_iter())),
        (0x57, {
            let began = out.len();
            out.extend(values);
            began..out.len()
        }),
        (
            0x70,
            numbers(out, ops.iter().map(|op| op.over.len() as u64)),
        ),
        (0x71, numbers(out, over().map(|id| actors.number(id)))),
        (
            0x73,
            DeltaEncoder::<i64>::encode_to(out, over().map(|id| id.counter as i64)),
        ),
    ];
    let columns = columns.into_iter().filter(|(_, range)| !range.is_empty());
    (columns.collect(), data)
}

fn numbers(out: &mut Vec<u8>, all: impl Iterator<Item = u64>) -> Range<usize> {
    Encoder::<u64>::encode_to(out, all)
}

fn optional(out: &mut Vec<u8>, all: impl Iterator<Item = Option<u64>>) -> Range<usize> {
    Encoder::<Option<u64>>::encode_to_unless(out, all, None)
}

/// Appends the bytes of `value` and returns its meta: how many bytes, and of which kind.
fn scalar(out: &mut Vec<u8>, value: &ScalarValue) -> u64 {
    let began = out.len();
    let kind = match value {
        ScalarValue::Null => 0,
        ScalarValue::Boolean(false) => 1,
        ScalarValue::Boolean(true) => 2,
        ScalarValue::Uint(n) => {
            unsigned(out, *n);
            3
        }
        ScalarValue::Int(n) => {
            signed(out, *n);
            4
        }
        ScalarValue::F64(n) => {
            out.extend_from_slice(&n.to_le_bytes());
            5
        }
        ScalarValue::Str(text) => {
            out.extend_from_slice(text.as_bytes());
            6
        }
        ScalarValue::Bytes(bytes) => {
            out.extend_from_slice(bytes);
            7
        }
        ScalarValue::Counter(n) => {
            signed(out, i64::from(n));
            8
        }
        ScalarValue::Timestamp(n) => {
            signed(out, *n);
            9
        }
        ScalarValue::Unknown { type_code, bytes } => {
            out.extend_from_slice(bytes);
            u64::from(*type_code)
        }
    };
    ((out.len() - began) as u64) << 4 | kind
}

/// Appends `bytes` behind their number.
fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends `n` as LEB128.
pub(super) fn unsigned(out: &mut Vec<u8>, mut n: u64) {
    while n > 0x7f {
        out.push(0x80 | (n & 0x7f) as u8);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends `n` as signed LEB128.
fn signed(out: &mut Vec<u8>, mut n: i64) {
    loop {
        let low = (n & 0x7f) as u8;
        n >>= 7;
        let is_last = (n == 0 && low & 0x40 == 0) || (n == -1 && low & 0x40 != 0);
        if is_last {
            out.push(low);
            return;
        }
        out.push(0x80 | low);
    }
}
