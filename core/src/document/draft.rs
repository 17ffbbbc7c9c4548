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

use automerge::{ActorId, AutomergeError, Change, ChangeHash, ObjId, ObjType, ScalarValue};
use serde_json::Value;

use super::encode::{Action, Frame, Op, OpId, Place, encode, unsigned};
use super::writer::Write;
use crate::edit::EditError;
use crate::read::Reader;
use crate::value::to_scalar;

/// Stands for the change's own actor in what automerge calls an object, until that actor is
/// known. Longer than any actor of ours, and told from a foreign one by the operation's number.
const OWN: &[u8] = b"the actor of this draft, not known yet";

/// Who makes a change, where that is not the change itself.
pub(crate) struct Writer {
    pub(crate) actor: ActorId,
    /// How many changes this actor made so far.
    pub(crate) changes_before: u64,
    /// Kept with the actor's first change.
    pub(crate) author: Option<Vec<u8>>,
    /// What the change says of itself.
    pub(crate) message: &'static str,
}

/// Operations of one change that is being written.
pub(crate) struct Draft<'d> {
    from: Reader<'d>,
    first_op: u64,
    ops: Vec<Op>,
    own: ActorId,
    /// Every place that was written to.
    #[cfg(debug_assertions)]
    written: std::collections::HashSet<(Option<OpId>, String)>,
}

impl<'d> Draft<'d> {
    /// A change whose operations are numbered from `first_op` and write over what `from` shows.
    pub(crate) fn new(from: Reader<'d>, first_op: u64) -> Self {
        Self {
            from,
            first_op,
            ops: Vec::new(),
            own: ActorId::from(OWN),
            #[cfg(debug_assertions)]
            written: std::collections::HashSet::new(),
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
    ) -> Result<Option<Change>, EditError> {
        if self.ops.is_empty() {
            return Ok(None);
        }
        let under = |actor: &[u8]| {
            let frame = Frame {
                actor: &ActorId::from(actor),
                seq: 1,
                first_op: self.first_op,
                seconds,
                message,
                parents,
                extra: &[],
            };
            encode(&frame, &self.ops)
        };
        let trial = under(&[0; 16])?;
        under(&trial.hash().0[..16]).map(Some)
    }

    /// The change as the next one of `writer`. None if nothing is written.
    pub(crate) fn into_change_of(
        self,
        writer: &Writer,
        parents: &[ChangeHash],
        seconds: i64,
    ) -> Result<Option<Change>, EditError> {
        if self.ops.is_empty() {
            return Ok(None);
        }
        let is_first = writer.changes_before == 0;
        let author = writer.author.as_deref().filter(|_| is_first);
        let frame = Frame {
            actor: &writer.actor,
            seq: writer.changes_before + 1,
            first_op: self.first_op,
            seconds,
            message: writer.message,
            parents,
            extra: &author.map(author_footer).unwrap_or_default(),
        };
        encode(&frame, &self.ops).map(Some)
    }

    /// What stands at `prop` of `obj`: its operations, oldest first, and the newest value.
    fn standing(&self, obj: &ObjId, prop: &str) -> Vec<(automerge::Value<'d>, OpId)> {
        if self.object(obj).is_some_and(|id| id.actor.is_none()) {
            return Vec::new(); // Made by this change, and each field is written once.
        }
        let all = self.from.all(obj, prop).into_iter();
        all.filter_map(|(value, id)| Some((value, self.object(&id)?)))
            .collect()
    }

    /// The operation that made `obj`; none for the root.
    fn object(&self, obj: &ObjId) -> Option<OpId> {
        match obj {
            ObjId::Root => None,
            ObjId::Id(counter, actor, _) => {
                let is_own = *actor == self.own && *counter >= self.first_op;
                Some(OpId {
                    counter: *counter,
                    actor: (!is_own).then(|| actor.clone()),
                })
            }
        }
    }

    /// Adds an operation and returns its id.
    fn push(&mut self, obj: Option<OpId>, place: Place, what: What, over: Vec<OpId>) -> OpId {
        let id = OpId {
            counter: self.first_op + self.len(),
            actor: None,
        };
        #[cfg(debug_assertions)]
        if let Place::Field(name) = &place {
            let is_first = self.written.insert((obj.clone(), name.clone()));
            debug_assert!(is_first, "{name} is written twice by one change");
        }
        let (action, value) = what;
        self.ops.push(Op {
            obj,
            place,
            action,
            value,
            over,
        });
        id
    }

    /// Writes the contents of the object `made` as `value` says, level by level.
    fn fill(&mut self, made: OpId, value: &Value) {
        let mut waiting = VecDeque::from([(made, value)]);
        while let Some((parent, value)) = waiting.pop_front() {
            let obj = Some(parent);
            match value {
                Value::Object(fields) => {
                    // By name: serde_json's maps are sorted, and so are automerge's operations.
                    for (name, value) in fields {
                        let place = Place::Field(name.clone());
                        let id = self.push(obj.clone(), place, what(value), Vec::new());
                        waiting.push_back((id, value));
                    }
                }
                Value::Array(items) => {
                    let mut place = Place::First;
                    for value in items {
                        let id = self.push(obj.clone(), place, what(value), Vec::new());
                        place = Place::After(id.clone());
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
        let mut what = what(value);
        if what.0 == Action::Put
            && let Some((automerge::Value::Scalar(newest), _)) = standing.last()
            && *newest.as_ref() == what.1
        {
            standing.pop(); // It stands there: only what stands beside it has to go.
            if standing.is_empty() {
                return Ok(());
            }
            what = (Action::Delete, ScalarValue::Null);
        }
        let over = standing.into_iter().map(|(_, id)| id).collect();
        let made = self.push(self.object(obj), Place::Field(prop.into()), what, over);
        self.fill(made, value);
        Ok(())
    }

    fn put_anew(&mut self, obj: &ObjId, prop: &str, value: &Value) -> Result<(), AutomergeError> {
        self.delete(obj, prop)?;
        let obj = self.object(obj);
        #[cfg(debug_assertions)]
        self.written.remove(&(obj.clone(), prop.to_owned()));
        let made = self.push(obj, Place::Field(prop.into()), what(value), Vec::new());
        self.fill(made, value);
        Ok(())
    }

    fn put_map(&mut self, obj: &ObjId, prop: &str) -> Result<ObjId, AutomergeError> {
        let over = self.standing(obj, prop).into_iter().map(|(_, id)| id);
        let over = over.collect();
        let make = (Action::MakeMap, ScalarValue::Null);
        let made = self.push(self.object(obj), Place::Field(prop.into()), make, over);
        Ok(ObjId::Id(made.counter, self.own.clone(), 0))
    }

    fn delete(&mut self, obj: &ObjId, prop: &str) -> Result<(), AutomergeError> {
        let over = self.standing(obj, prop).into_iter().map(|(_, id)| id);
        let over: Vec<OpId> = over.collect();
        if !over.is_empty() {
            let delete = (Action::Delete, ScalarValue::Null);
            self.push(self.object(obj), Place::Field(prop.into()), delete, over);
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

/// What an operation does, and with which scalar.
type What = (Action, ScalarValue);

fn what(value: &Value) -> What {
    match value {
        Value::Object(_) => (Action::MakeMap, ScalarValue::Null),
        Value::Array(_) => (Action::MakeList, ScalarValue::Null),
        scalar => (Action::Put, to_scalar(scalar)),
    }
}

/// How automerge keeps an author behind a change: a 1, the length, the bytes.
fn author_footer(author: &[u8]) -> Vec<u8> {
    let mut footer = vec![1];
    unsigned(&mut footer, author.len() as u64);
    footer.extend_from_slice(author);
    footer
}
