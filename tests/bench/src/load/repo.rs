//! A client of automerge-repo's protocol, the same for every server that speaks it.
//!
//! As [`Kind::Apply`] it is what a real client is: a document and automerge's own sync state, one
//! answer to each message. As [`Kind::Ack`] it reads a message only as far as needed to know its
//! edits and heads, and answers as a client would that has them all: each message, as the protocol
//! has it, or, where the server sends ahead of the answers, all that came within [`ANSWER_AFTER`] with one,
//! as our own does, which answers when what came is on its disk.

use std::collections::HashSet;
use std::sync::Arc;

use automerge::sync::{Have, Message, MessageVersion, State, SyncDoc as _};
use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, Automerge, ChangeHash, ObjId, ObjType, ROOT, ReadDoc as _};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::limits::MESSAGES_AHEAD_MAX;
use plainsync_core::wire::{Frame, PROTOCOL};

use super::chunks::{Found, find};
#[cfg(doc)]
use super::drive::ANSWER_AFTER;
use super::{Client, Kind, Ledger, LoadError, RECORDS, Role, Seen, record_key};

/// See the module's text.
pub(super) struct RepoClient {
    me: PeerId,
    document: DocumentId,
    role: Role,
    kind: Kind,
    ledger: Arc<Ledger>,
    server: Option<PeerId>,
    doc: Automerge,
    state: State,
    seeded: bool,
    /// Messages that the server sends before the first of them is answered.
    ahead: u32,
    /// Only acknowledges from now on.
    acks: Option<Acks>,
    /// Edits that came and that wait for others before them.
    waiting: Vec<usize>,
}

/// What a client knows that only acknowledges.
#[derive(Default)]
struct Acks {
    server_heads: Vec<ChangeHash>,
    own: HashSet<ChangeHash>,
    /// The last own change, until the server says that it has it.
    pending: Option<ChangeHash>,
    told: Vec<ChangeHash>,
    /// Messages that came since the last answer.
    unanswered: u32,
}

impl Acks {
    /// The heads of one who has all that the server and itself have.
    fn heads(&self) -> Vec<ChangeHash> {
        let mut heads = self.server_heads.clone();
        if let Some(pending) = self.pending {
            heads.retain(|head| !self.own.contains(head));
            heads.push(pending);
            heads.sort_unstable();
        }
        heads
    }

    /// The server has `heads`.
    fn heard(&mut self, heads: Vec<ChangeHash>) {
        if self.pending.is_some_and(|pending| heads.contains(&pending)) {
            self.pending = None;
        }
        self.server_heads = heads;
    }
}

impl RepoClient {
    pub(super) fn new(
        name: &str,
        document: &str,
        role: Role,
        kind: Kind,
        ledger: Arc<Ledger>,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            me: PeerId::new(name).map_err(LoadError::message)?,
            document: DocumentId::from_text(document).map_err(LoadError::message)?,
            role,
            kind,
            ledger,
            server: None,
            ahead: 0,
            doc: Automerge::new(),
            state: State::new(),
            seeded: false,
            acks: None,
            waiting: Vec::new(),
        })
    }

    fn frame(&self, mut message: Message, first: bool) -> Result<Vec<u8>, LoadError> {
        if self.kind == Kind::Ack {
            // So the server sends changes and never whole documents, which would have to be loaded.
            message.flags = None;
        }
        let (document, sender) = (self.document, self.me.clone());
        let target = self
            .server
            .clone()
            .ok_or_else(|| LoadError::message("it comes before the server's `peer`"))?;
        let data = message.encode();
        let frame = if first {
            Frame::Request {
                document,
                sender,
                target,
                data,
            }
        } else {
            Frame::Sync {
                document,
                sender,
                target,
                data,
            }
        };
        Ok(frame.encode())
    }

    /// Says what the sync state has to say.
    fn speak(&mut self, first: bool, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        if let Some(message) = self.doc.generate_sync_message(&mut self.state) {
            out.push(self.frame(message, first)?);
        }
        Ok(())
    }

    fn apply(&mut self, message: Message, found: &Found, seen: &mut Seen) -> Result<(), LoadError> {
        let before = found.other.then(|| self.doc.get_heads());
        self.doc
            .receive_sync_message(&mut self.state, message)
            .map_err(LoadError::message)?;
        let mut edits = self.ledger.edits_of(&found.marks);
        if let Some(before) = before {
            let changes = self.doc.get_changes(&before);
            let marks: Vec<_> = changes.iter().map(|change| mark(&change.hash())).collect();
            edits.extend(self.ledger.edits_of(&marks));
        }
        self.waiting.append(&mut edits);
        if !self.waiting.is_empty() && self.doc.get_missing_deps(&[]).is_empty() {
            seen.mark(self.waiting.drain(..));
        }
        Ok(())
    }

    /// The seeder's part: once it has what the server has, it adds the records.
    fn seed(&mut self) -> Result<(), LoadError> {
        if self.seeded || self.state.their_heads.as_ref() != Some(&self.doc.get_heads()) {
            return Ok(());
        }
        self.seeded = true;
        for number in 0..RECORDS {
            let mut transaction = self.doc.transaction();
            let jobs = match transaction.get(ROOT, "jobs").map_err(LoadError::edit)? {
                Some((_, jobs)) => jobs,
                None => transaction
                    .put_object(ROOT, "jobs", ObjType::Map)
                    .map_err(LoadError::edit)?,
            };
            let key = record_key(number);
            let record = transaction
                .put_object(&jobs, key.as_str(), ObjType::Map)
                .map_err(LoadError::edit)?;
            let number = i64::try_from(number).unwrap_or_default();
            let texts = [
                ("id", format!("job-{}", number + 1)),
                ("prompt", "a knight".to_owned()),
            ];
            for (name, value) in texts {
                transaction
                    .put(&record, name, value)
                    .map_err(LoadError::edit)?;
            }
            let numbers = [
                ("width", 64),
                ("height", 64),
                ("createdAt", 1_700_000_000_000 + number),
            ];
            for (name, value) in numbers {
                transaction
                    .put(&record, name, value)
                    .map_err(LoadError::edit)?;
            }
            transaction.commit();
        }
        self.write_as_others()
    }

    /// One change of each of the further actors that the load asks for.
    fn write_as_others(&mut self) -> Result<(), LoadError> {
        let own = self.doc.get_actor().clone();
        for number in 0..self.ledger.load().actors {
            let record = self.record(number % RECORDS)?;
            self.doc.set_actor(ActorId::random());
            let mut transaction = self.doc.transaction();
            transaction
                .put(&record, "height", i64::try_from(number).unwrap_or_default())
                .map_err(LoadError::edit)?;
            transaction.commit();
        }
        self.doc.set_actor(own);
        Ok(())
    }

    fn record(&self, number: usize) -> Result<ObjId, LoadError> {
        let get = |of: &ObjId, name: &str| -> Result<ObjId, LoadError> {
            let found = self.doc.get(of, name).map_err(LoadError::edit)?;
            let (_, object) =
                found.ok_or_else(|| LoadError::edit(format!("the document has no {name}")))?;
            Ok(object)
        };
        get(&get(&ROOT, "jobs")?, &record_key(number))
    }
}

impl Client for RepoClient {
    fn open(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        let join = Frame::Join {
            sender: self.me.clone(),
            storage_id: None,
            ephemeral: true,
            ahead: match self.kind {
                Kind::Apply => 0,
                Kind::Ack => MESSAGES_AHEAD_MAX,
            },
            versions: vec![PROTOCOL.to_owned()],
        };
        out.push(join.encode());
        Ok(())
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<(), LoadError> {
        let data = match Frame::decode(bytes).map_err(LoadError::message)? {
            Frame::Peer { sender, ahead, .. } => {
                self.server = Some(sender);
                self.ahead = ahead;
                return self.speak(true, out);
            }
            Frame::Request { document, data, .. } | Frame::Sync { document, data, .. }
                if document == self.document =>
            {
                data
            }
            Frame::DocUnavailable { .. } => {
                return Err(LoadError::message("it does not have the document"));
            }
            Frame::Error { message } => return Err(LoadError::message(message)),
            _ => return Ok(()),
        };
        let message = Message::decode(&data).map_err(LoadError::message)?;
        let mut found = Found::default();
        for bytes in message.changes.iter() {
            find(bytes, &mut found)?;
        }
        if let Some(acks) = &mut self.acks {
            if found.other {
                return Err(LoadError::message(
                    "it sent a whole document to a client that takes changes only",
                ));
            }
            seen.mark(self.ledger.edits_of(&found.marks));
            acks.heard(message.heads);
            acks.unanswered += 1;
            if acks.unanswered > self.ahead / 2 {
                self.answer(out)?;
            }
            return Ok(());
        }
        self.apply(message, &found, seen)?;
        if self.role == Role::Seeder {
            self.seed()?;
        }
        self.speak(false, out)
    }

    fn is_ready(&self) -> bool {
        if self.role == Role::Seeder {
            return self.seeded && self.state.their_heads.as_ref() == Some(&self.doc.get_heads());
        }
        // Of what the seeder wrote the last that was new.
        self.record(RECORDS - 1).is_ok()
    }

    fn begin(&mut self) {
        if self.kind == Kind::Apply {
            return;
        }
        let heads = self.doc.get_heads();
        self.acks = Some(Acks {
            server_heads: heads.clone(),
            told: heads,
            ..Acks::default()
        });
        if !matches!(self.role, Role::Writer(_)) {
            self.doc = Automerge::new();
        }
    }

    fn edit(&mut self, number: usize, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        let Role::Writer(writer) = self.role else {
            return Err(LoadError::edit("only writers edit"));
        };
        let record = self.record(writer)?;
        let mut transaction = self.doc.transaction();
        transaction
            .put(&record, "prompt", format!("knight {number} of {writer}"))
            .map_err(LoadError::edit)?;
        let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(1_700_000_000));
        let hash = hash.ok_or_else(|| LoadError::edit("it changed nothing"))?;
        self.ledger
            .name(mark(&hash), self.ledger.edit(writer, number))?;
        let Some(acks) = &mut self.acks else {
            return self.speak(false, out);
        };
        let change = self
            .doc
            .get_last_local_change()
            .ok_or_else(|| LoadError::edit("the change is gone"))?;
        acks.own.insert(hash);
        acks.pending = Some(hash);
        let heads = acks.heads();
        acks.told.clone_from(&heads);
        acks.unanswered = 0;
        let changes = vec![change.raw_bytes().to_vec()];
        out.push(self.frame(told(heads, changes), false)?);
        Ok(())
    }

    fn owes(&self) -> bool {
        self.acks.as_ref().is_some_and(|acks| acks.unanswered > 0)
    }

    fn answer(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        let Some(acks) = &mut self.acks else {
            return Ok(());
        };
        acks.unanswered = 0;
        let heads = acks.heads();
        if heads != acks.told {
            acks.told.clone_from(&heads);
            out.push(self.frame(told(heads, Vec::new()), false)?);
        }
        Ok(())
    }

    fn version(&self) -> String {
        if self.acks.is_some() {
            return String::new();
        }
        let heads = self.doc.get_heads();
        heads.iter().map(ToString::to_string).collect()
    }
}

/// A message of one who has all at `heads` and needs nothing. That it names them as the last
/// common version, too, is what automerge's own state does then; with no such version at all a
/// server takes it that the client still waits for something, and sends it nothing.
fn told(heads: Vec<ChangeHash>, changes: Vec<Vec<u8>>) -> Message {
    let have = Have {
        last_sync: heads.clone(),
        ..Have::default()
    };
    Message {
        heads,
        need: Vec::new(),
        have: vec![have],
        changes: changes.into(),
        flags: None,
        version: MessageVersion::V1,
    }
}

fn mark(hash: &ChangeHash) -> [u8; 4] {
    [hash.0[0], hash.0[1], hash.0[2], hash.0[3]]
}
