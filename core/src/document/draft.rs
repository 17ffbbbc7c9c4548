//! A change written by hand: edits made at a version without going back to it.
//!
//! What a file asks is an edit made at the file's heads (F4), which are rarely the newest ones.
//! Forking the document there costs as much as loading it. A change, however, is nothing but a
//! list of operations that name what they write over, and at the file's heads those can be
//! read in place. So the operations are gathered here, and encoded as one change whose parents
//! are those heads.
//!
//! ```text
//! Draft::new(reader, next_op) → put, delete, put_map … → into_change(actor, heads, time)
//! ```
//!
//! **Invariant:** the change is the one that automerge's own transaction would make on a
//! document that holds these heads and nothing after them, to the byte.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType, SortedVec};
use automerge::{ActorId, AutomergeError, Change, ChangeHash, ExpandedChange, ObjId, ObjType};
use serde_json::Value;

use super::writer::Write;
use crate::read::Reader;
use crate::value::to_scalar;

/// Stands for the change's own actor until that is known. Longer than any actor of ours, and
/// told from a foreign one by the operation's number.
const OWN: &[u8] = b"the actor of this draft, not known yet";

/// Who makes a change, where that is not the change itself.
pub(crate) struct Writer {
    pub(crate) actor: ActorId,
    /// How many changes this actor made so far.
    pub(crate) changes_before: u64,
    /// Kept with the actor's first change.
    pub(crate) author: Option<Vec<u8>>,
}

/// Operations of one change that is being written.
pub(crate) struct Draft<'d> {
    from: Reader<'d>,
    first_op: NonZeroU64,
    ops: Vec<Op>,
    own: ActorId,
}

impl<'d> Draft<'d> {
    /// A change whose operations are numbered from `first_op` and write over what `from` shows.
    pub(crate) fn new(from: Reader<'d>, first_op: NonZeroU64) -> Self {
        Self {
            from,
            first_op,
            ops: Vec::new(),
            own: ActorId::from(OWN),
        }
    }

    /// How many operations there are.
    pub(crate) fn len(&self) -> u64 {
        self.ops.len() as u64
    }

    /// The change, made under its own hash as actor (F5): it is encoded once under an actor of
    /// zeros, and the first half of that hash is the actor. None if nothing is written.
    pub(crate) fn into_change(
        self,
        parents: &[ChangeHash],
        seconds: i64,
        message: &str,
    ) -> Option<Change> {
        let (own, first) = (self.own.clone(), self.first_op.get());
        let mut change = self.expanded(parents, seconds)?;
        change.message = Some(message.to_owned());
        let zeros = ActorId::from(&[0; 16][..]);
        rename(&mut change, &own, &zeros, first);
        let trial = Change::from(change.clone());
        let actor = ActorId::from(&trial.hash().0[..16]);
        rename(&mut change, &zeros, &actor, first);
        Some(Change::from(change))
    }

    /// The change as the next one of `writer`. None if nothing is written.
    pub(crate) fn into_change_of(
        self,
        writer: &Writer,
        parents: &[ChangeHash],
        seconds: i64,
    ) -> Option<Change> {
        let (own, first) = (self.own.clone(), self.first_op.get());
        let mut change = self.expanded(parents, seconds)?;
        change.seq = writer.changes_before + 1;
        if let Some(author) = writer.author.as_ref().filter(|_| change.seq == 1) {
            change.extra_bytes = author_footer(author);
        }
        rename(&mut change, &own, &writer.actor, first);
        Some(Change::from(change))
    }

    fn expanded(self, parents: &[ChangeHash], seconds: i64) -> Option<ExpandedChange> {
        let mut deps = parents.to_vec();
        deps.sort_unstable();
        (!self.ops.is_empty()).then_some(ExpandedChange {
            operations: self.ops,
            actor_id: self.own,
            author: None,
            hash: None,
            seq: 1,
            start_op: self.first_op,
            time: seconds,
            message: None,
            deps,
            extra_bytes: Vec::new(),
        })
    }

    /// What stands at `prop` of `obj`: its operations, oldest first, and the newest value.
    fn standing(&self, obj: &ObjId, prop: &str) -> Vec<(automerge::Value<'d>, OpId)> {
        if self.is_own(obj) {
            return Vec::new(); // Made by this change, and each field is written once.
        }
        let all = self.from.all(obj, prop).into_iter();
        all.filter_map(|(value, id)| match id {
            ObjId::Root => None,
            ObjId::Id(counter, actor, _) => Some((value, OpId::new(counter, &actor))),
        })
        .collect()
    }

    fn is_own(&self, obj: &ObjId) -> bool {
        matches!(obj, ObjId::Id(counter, actor, _)
            if *actor == self.own && *counter >= self.first_op.get())
    }

    /// Adds an operation and returns its id.
    fn push(&mut self, obj: ObjectId, key: Key, action: OpType, pred: Vec<OpId>) -> OpId {
        let id = OpId::new(self.first_op.get() + self.len(), &self.own);
        self.ops.push(Op {
            insert: matches!(key, Key::Seq(_)),
            pred: SortedVec::from(pred),
            action,
            obj,
            key,
        });
        id
    }

    /// Writes the contents of the object `made` as `value` says, level by level.
    fn fill(&mut self, made: OpId, value: &Value) {
        let mut waiting = VecDeque::from([(made, value)]);
        while let Some((parent, value)) = waiting.pop_front() {
            let obj = ObjectId::Id(parent);
            match value {
                Value::Object(fields) => {
                    let mut fields: Vec<_> = fields.iter().collect();
                    fields.sort_by_key(|(name, _)| *name);
                    for (name, value) in fields {
                        let key = Key::Map(name.as_str().into());
                        let id = self.push(obj.clone(), key, action(value), Vec::new());
                        waiting.push_back((id, value));
                    }
                }
                Value::Array(items) => {
                    let mut after = ElementId::Head;
                    for value in items {
                        let key = Key::Seq(after);
                        let id = self.push(obj.clone(), key, action(value), Vec::new());
                        after = ElementId::Id(id.clone());
                        waiting.push_back((id, value));
                    }
                }
                _ => {} // A scalar is its operation.
            }
        }
    }
}

impl Write for Draft<'_> {
    fn put(&mut self, obj: &ObjId, prop: &str, value: &Value) -> Result<(), AutomergeError> {
        let mut standing = self.standing(obj, prop);
        let mut action = action(value);
        if let OpType::Put(scalar) = &action
            && let Some((automerge::Value::Scalar(newest), _)) = standing.last()
            && newest.as_ref() == scalar
        {
            standing.pop(); // It stands there: only what stands beside it has to go.
            if standing.is_empty() {
                return Ok(());
            }
            action = OpType::Delete;
        }
        let pred = standing.into_iter().map(|(_, id)| id).collect();
        let made = self.push(object(obj), Key::Map(prop.into()), action, pred);
        self.fill(made, value);
        Ok(())
    }

    fn put_map(&mut self, obj: &ObjId, prop: &str) -> Result<ObjId, AutomergeError> {
        let pred = self.standing(obj, prop).into_iter().map(|(_, id)| id);
        let pred = pred.collect();
        let make = OpType::Make(ObjType::Map);
        let made = self.push(object(obj), Key::Map(prop.into()), make, pred);
        Ok(ObjId::Id(made.counter(), made.actor().clone(), 0))
    }

    fn delete(&mut self, obj: &ObjId, prop: &str) -> Result<(), AutomergeError> {
        let pred: Vec<OpId> = self
            .standing(obj, prop)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        if !pred.is_empty() {
            self.push(object(obj), Key::Map(prop.into()), OpType::Delete, pred);
        }
        Ok(())
    }

    fn map_at(&self, obj: &ObjId, prop: &str) -> Result<Option<ObjId>, AutomergeError> {
        let newest = self.from.all(obj, prop).pop();
        Ok(newest
            .filter(|(value, _)| matches!(value, automerge::Value::Object(ObjType::Map)))
            .map(|(_, id)| id))
    }
}

/// How automerge keeps an author behind a change: a 1, the length (LEB128), the bytes.
fn author_footer(author: &[u8]) -> Vec<u8> {
    let mut footer = vec![1];
    let mut len = author.len();
    while len > 0x7f {
        footer.push(0x80 | (len & 0x7f) as u8);
        len >>= 7;
    }
    footer.push((len & 0x7f) as u8);
    footer.extend_from_slice(author);
    footer
}

fn action(value: &Value) -> OpType {
    match value {
        Value::Object(_) => OpType::Make(ObjType::Map),
        Value::Array(_) => OpType::Make(ObjType::List),
        scalar => OpType::Put(to_scalar(scalar)),
    }
}

fn object(obj: &ObjId) -> ObjectId {
    match obj {
        ObjId::Root => ObjectId::Root,
        ObjId::Id(counter, actor, _) => ObjectId::Id(OpId::new(*counter, actor)),
    }
}

/// Gives the operations from number `first` on, and the change, `actor` in place of `before`.
fn rename(change: &mut ExpandedChange, before: &ActorId, actor: &ActorId, first: u64) {
    let own = |id: &mut OpId| {
        if id.0 >= first && id.1 == *before {
            id.1 = actor.clone();
        }
    };
    change.actor_id = actor.clone();
    for op in &mut change.operations {
        if let ObjectId::Id(id) = &mut op.obj {
            own(id);
        }
        if let Key::Seq(ElementId::Id(id)) = &mut op.key {
            own(id);
        }
    }
}
