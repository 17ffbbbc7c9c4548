//! What one change did, read from its operations.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use automerge::{ChangeHash, ObjId, ReadDoc as _, legacy};
use serde::Serialize;

use crate::document::Document;
use crate::edit::Key;
use crate::record::{PURGED, REMOVED, RUN, RUNS, SERVER};

/// Records of one change that are told by name; of the others only the number is.
pub(super) const TOUCHED_MAX: usize = 5;

/// Fields of one record, or of the file, that are told by name.
pub(super) const FIELDS_MAX: usize = 20;

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Did {
    /// Records that are new.
    pub added: usize,
    /// Records of which some field changed.
    pub changed: usize,
    /// Records that were moved to the bin.
    pub removed: usize,
    /// Records that were taken out of it.
    pub restored: usize,
    /// Records that were emptied for good.
    pub purged: usize,
    /// The first of them.
    pub records: Vec<Touched>,
    /// Fields of the file outside its records.
    pub root: Vec<String>,
}

/// A record that a change wrote to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Touched {
    /// Its identity.
    pub key: Key,
    /// What it is called now.
    pub label: String,
    /// Its fields that were written, sorted; none for those that are new. Of very many the first.
    pub fields: Vec<String>,
    /// The status that a run of it was given.
    pub status: Option<String>,
}

/// A change as it is told.
pub(super) struct Decoded {
    pub(super) did: Did,
    /// The one run that it wrote to, if it wrote to nothing else.
    pub(super) run: Option<(Key, String)>,
}

/// Where an object stands.
#[derive(Clone)]
enum At {
    /// Above or beside the records, below this field of the root.
    Root(String),
    Collection,
    Record(Key),
    /// The runs of a record.
    Runs(Key),
    /// One run.
    Run(Key, String),
    /// Below a field of a record.
    Inside(Key, String),
    /// Below a field of a run.
    InsideRun(Key, String, String),
}

/// What was written to one record.
#[derive(Default)]
struct Written {
    first: usize,
    made: bool,
    purged: bool,
    removed: bool,
    restored: bool,
    own: bool,
    fields: BTreeSet<String>,
    runs: BTreeSet<String>,
    status: Option<String>,
}

impl Decoded {
    /// Reads the change `hash`; none if the document has no such change.
    pub(super) fn read(document: &Document, hash: ChangeHash) -> Option<Self> {
        let change = document.automerge().get_change_by_hash(&hash)?.decode();
        let collections = document.collections(document.reader());
        let mut objects: HashMap<ObjId, At> = HashMap::new();
        let mut records: BTreeMap<Key, Written> = BTreeMap::new();
        let mut root: BTreeSet<String> = BTreeSet::new();
        for (nth, op) in (0..).zip(&change.operations) {
            let obj = match &op.obj {
                legacy::ObjectId::Root => ObjId::Root,
                legacy::ObjectId::Id(id) => ObjId::Id(id.counter(), id.actor().clone(), 0),
            };
            let at = match objects.get(&obj) {
                Some(at) => at.clone(),
                None => {
                    let at = locate(document, &collections, &obj);
                    objects.insert(obj, at.clone());
                    at
                }
            };
            let name = match &op.key {
                legacy::Key::Map(name) => name.to_string(),
                legacy::Key::Seq(_) => String::new(),
            };
            if matches!(op.action, legacy::OpType::Make(_)) {
                let made = ObjId::Id(change.start_op.get() + nth, change.actor_id.clone(), 0);
                objects.insert(made, at.below(document, &name));
            }
            let Some(key) = at.key(&name) else {
                let field = match at {
                    At::Root(field) if !field.is_empty() => field,
                    _ => name,
                };
                root.insert(field);
                continue;
            };
            let order = records.len();
            let written = records.entry(key).or_insert_with(|| Written {
                first: order,
                ..Written::default()
            });
            written.note(&at, &name, &op.action);
        }
        Some(Self::of(document, records, root))
    }

    fn of(document: &Document, records: BTreeMap<Key, Written>, root: BTreeSet<String>) -> Self {
        let run = match (records.first_key_value(), records.len(), root.is_empty()) {
            (Some((key, written)), 1, true) if written.is_run_only() => {
                let run = written.runs.first();
                run.map(|run| (key.clone(), run.clone()))
            }
            _ => None,
        };
        let mut did = Did {
            root: root.into_iter().take(FIELDS_MAX).collect(),
            ..Did::default()
        };
        let mut named: Vec<(Key, Written)> = Vec::new();
        for (key, written) in records {
            let count = if written.made {
                &mut did.added
            } else if written.purged {
                &mut did.purged
            } else if written.removed {
                &mut did.removed
            } else if written.restored {
                &mut did.restored
            } else {
                &mut did.changed
            };
            *count += 1;
            if written.first < TOUCHED_MAX {
                named.push((key, written));
            }
        }
        named.sort_by_key(|(_, written)| written.first);
        did.records = (named.into_iter())
            .map(|(key, written)| {
                let told = if written.made { 0 } else { FIELDS_MAX };
                Touched {
                    label: document.view().label_of(&key),
                    key,
                    fields: written.fields.into_iter().take(told).collect(),
                    status: written.status,
                }
            })
            .collect();
        Self { did, run }
    }
}

impl Written {
    /// Whether it is about a run and nothing else.
    fn is_run_only(&self) -> bool {
        let is_more = self.made || self.purged || self.removed || self.restored || self.own;
        self.runs.len() == 1 && !is_more
    }

    fn note(&mut self, at: &At, name: &str, action: &legacy::OpType) {
        let is_delete = matches!(action, legacy::OpType::Delete);
        match at {
            At::Root(_) => {}
            At::Collection => {
                self.made |= !is_delete;
                self.purged |= is_delete; // As foreign clients do it.
            }
            At::Record(_) => match name {
                REMOVED if is_delete => self.restored = true,
                REMOVED => self.removed = true,
                PURGED => self.purged = true,
                RUN | RUNS => {}
                field => self.own_field(field),
            },
            At::Inside(_, field) => self.own_field(field),
            At::Runs(_) => self.run(name),
            At::Run(_, run) => {
                self.run(run);
                if name != SERVER {
                    self.field(name);
                }
                if let ("status", legacy::OpType::Put(status)) = (name, action) {
                    let status = crate::value::read_scalar(status);
                    self.status = status.as_str().map(str::to_owned);
                }
            }
            At::InsideRun(_, run, field) => {
                self.run(run);
                self.field(field);
            }
        }
    }

    fn run(&mut self, run: &str) {
        self.runs.insert(run.to_owned());
    }

    fn own_field(&mut self, field: &str) {
        self.own = true;
        self.field(field);
    }

    fn field(&mut self, field: &str) {
        self.fields.insert(field.to_owned());
    }
}

impl At {
    /// Where an object stands that is made at `name` of this one.
    fn below(&self, document: &Document, name: &str) -> At {
        match self {
            At::Root(field) if field.is_empty() => {
                if name == document.schema().collection {
                    At::Collection
                } else {
                    At::Root(name.to_owned())
                }
            }
            At::Root(field) => At::Root(field.clone()),
            At::Collection => At::Record(Key(name.to_owned())),
            At::Record(key) if name == RUNS => At::Runs(key.clone()),
            At::Record(key) => At::Inside(key.clone(), name.to_owned()),
            At::Runs(key) => At::Run(key.clone(), name.to_owned()),
            At::Run(key, run) => At::InsideRun(key.clone(), run.clone(), name.to_owned()),
            inside => inside.clone(),
        }
    }

    /// The record that a write to `name` of this object is about.
    fn key(&self, name: &str) -> Option<Key> {
        match self {
            At::Root(_) => None,
            At::Collection => Some(Key(name.to_owned())),
            At::Record(key)
            | At::Runs(key)
            | At::Run(key, _)
            | At::Inside(key, _)
            | At::InsideRun(key, ..) => Some(key.clone()),
        }
    }
}

/// Where `obj`, which an earlier change made, stands.
fn locate(document: &Document, collections: &[ObjId], obj: &ObjId) -> At {
    if *obj == ObjId::Root {
        return At::Root(String::new());
    }
    if collections.contains(obj) {
        return At::Collection;
    }
    if let Some(row) = document.view().made_by(obj) {
        return At::Record(row.key.clone());
    }
    let mut names = Vec::new();
    let parents = document.automerge().parents(obj).into_iter().flatten();
    for parent in parents {
        names.push(match parent.prop {
            automerge::Prop::Map(name) => name,
            automerge::Prop::Seq(_) => String::new(),
        });
    }
    let top = At::Root(String::new());
    let path = names.iter().rev();
    path.fold(top, |at, name| at.below(document, name))
}
