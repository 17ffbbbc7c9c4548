//! A client of the Yjs sync protocol, with Hocuspocus's name before each message or without.
//!
//! As [`Kind::Apply`] it applies updates to a document of its own. As [`Kind::Ack`] it reads who
//! made an update and where that ends, which stands at its beginning; the protocol has no
//! acknowledgement that a reader could send.

use std::sync::Arc;

use yrs::updates::decoder::Decode as _;
use yrs::updates::encoder::Encode as _;
use yrs::{Any, ClientID, Doc, Map as _, MapPrelim, MapRef, Out, ReadTxn as _, StateVector};
use yrs::{Transact as _, Update};

use super::chunks::{number as take_number, put_number};
use super::{Client, Kind, Ledger, LoadError, Protocol, RECORDS, Role, Seen, record_key};

/// The ids of writers begin here, so that an update says which of them made it.
const FIRST_WRITER_ID: u64 = 1_000;
/// The ids of readers begin here.
const FIRST_READER_ID: u64 = 2_000;
const SEEDER_ID: u64 = 1;

// Kinds of messages.
const SYNC: u64 = 0;
const AUTH: u64 = 2;
const SYNC_REPLY: u64 = 4;

// Kinds of sync messages.
const STEP_1: u64 = 0;
const STEP_2: u64 = 1;
const UPDATE: u64 = 2;

// Kinds of auth messages.
const TOKEN: u64 = 0;
const PERMISSION_DENIED: u64 = 1;

/// See the module's text.
pub(super) struct YjsClient {
    /// What stands before each message.
    prefix: Vec<u8>,
    role: Role,
    kind: Kind,
    ledger: Arc<Ledger>,
    doc: Doc,
    jobs: MapRef,
    /// Applies nothing from now on.
    only_reads: bool,
    seeded: bool,
    server_has_it: bool,
    /// For each writer, how many of its edits have come.
    had: Vec<usize>,
}

impl YjsClient {
    pub(super) fn new(
        index: usize,
        document: &str,
        protocol: Protocol,
        role: Role,
        kind: Kind,
        ledger: Arc<Ledger>,
    ) -> Self {
        let id = match role {
            Role::Seeder => SEEDER_ID,
            Role::Writer(number) => FIRST_WRITER_ID + number as u64,
            Role::Reader => FIRST_READER_ID + index as u64,
        };
        let mut prefix = Vec::new();
        if protocol == Protocol::YjsNamed {
            put_bytes(document.as_bytes(), &mut prefix);
        }
        let doc = Doc::with_client_id(id);
        let jobs = doc.get_or_insert_map("jobs");
        let had = vec![0; ledger.load().writers];
        Self {
            prefix,
            role,
            kind,
            ledger,
            doc,
            jobs,
            only_reads: false,
            seeded: false,
            server_has_it: false,
            had,
        }
    }

    /// A message of whole numbers and then, perhaps, one byte string.
    fn message(&self, numbers: &[u64], bytes: &[u8]) -> Vec<u8> {
        let mut message = self.prefix.clone();
        for number in numbers {
            put_number(*number, &mut message);
        }
        put_bytes(bytes, &mut message);
        message
    }

    /// Marks the edits of the writer with that id before `end`.
    fn has_until(&mut self, id: u64, end: usize, seen: &mut Seen) {
        let writer = id.checked_sub(FIRST_WRITER_ID).map(usize::try_from);
        let Some(Ok(writer)) = writer else { return };
        let Some(had) = self.had.get_mut(writer) else {
            return;
        };
        if end > *had {
            seen.mark((*had..end).map(|number| self.ledger.edit(writer, number)));
            *had = end;
        }
    }

    /// Marks the edits that are in the document.
    fn has_applied(&mut self, seen: &mut Seen) {
        let state = self.doc.transact().state_vector();
        self.has_all(&state, seen);
    }

    fn has_all(&mut self, state: &StateVector, seen: &mut Seen) {
        for writer in 0..self.had.len() {
            let id = FIRST_WRITER_ID + writer as u64;
            let end = usize::try_from(state.get(&ClientID::new(id))).unwrap_or_default();
            self.has_until(id, end, seen);
        }
    }

    /// Reads an update only as far as it must be, to know which edits it brings.
    fn read(&mut self, update: &[u8], seen: &mut Seen) -> Result<(), LoadError> {
        let header = header(update).ok_or_else(|| LoadError::message("an update is cut off"))?;
        match header {
            Header::Empty => {}
            Header::One { client, clock } => {
                self.has_until(client, usize::try_from(clock).unwrap_or_default() + 1, seen);
            }
            Header::Several => {
                let update = Update::decode_v1(update).map_err(LoadError::message)?;
                self.has_all(&update.state_vector(), seen);
            }
        }
        Ok(())
    }

    fn take_update(
        &mut self,
        bytes: &[u8],
        is_answer: bool,
        out: &mut Vec<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<(), LoadError> {
        if self.only_reads {
            return self.read(bytes, seen);
        }
        let update = Update::decode_v1(bytes).map_err(LoadError::message)?;
        if self.role == Role::Seeder && is_answer {
            if self.seeded {
                let own = ClientID::new(SEEDER_ID);
                let ours = self.doc.transact().state_vector().get(&own);
                self.server_has_it = update.state_vector().get(&own) >= ours;
            } else {
                return self.seed(out);
            }
        }
        self.doc
            .transact_mut()
            .apply_update(update)
            .map_err(LoadError::message)?;
        self.has_applied(seen);
        Ok(())
    }

    /// Adds the records, and asks for all that the server has then.
    fn seed(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        self.seeded = true;
        for number in 0..RECORDS {
            let mut transaction = self.doc.transact_mut();
            let created = 1_700_000_000_000 + i64::try_from(number).unwrap_or_default();
            let record: MapPrelim = [
                ("id", Any::from(format!("job-{}", number + 1))),
                ("prompt", Any::from("a knight")),
                ("width", Any::from(64)),
                ("height", Any::from(64)),
                ("createdAt", Any::from(created)),
            ]
            .into_iter()
            .collect();
            self.jobs
                .insert(&mut transaction, record_key(number), record);
            let update = transaction.encode_update_v1();
            drop(transaction);
            out.push(self.message(&[SYNC, UPDATE], &update));
        }
        let nothing = StateVector::default().encode_v1();
        out.push(self.message(&[SYNC, STEP_1], &nothing));
        Ok(())
    }
}

impl Client for YjsClient {
    fn open(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        if !self.prefix.is_empty() {
            out.push(self.message(&[AUTH, TOKEN], b""));
        }
        let state = self.doc.transact().state_vector().encode_v1();
        out.push(self.message(&[SYNC, STEP_1], &state));
        Ok(())
    }

    fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<(), LoadError> {
        let cut = || LoadError::message("a message is cut off");
        let bytes = bytes.strip_prefix(&self.prefix[..]).unwrap_or(bytes);
        let (kind, bytes) = take_number(bytes).ok_or_else(cut)?;
        let is_named = !self.prefix.is_empty();
        match kind {
            SYNC => {}
            SYNC_REPLY if is_named => {}
            AUTH if is_named => {
                return match take_number(bytes) {
                    Some((PERMISSION_DENIED, _)) => Err(LoadError::message("permission denied")),
                    _ => Ok(()),
                };
            }
            _ => return Ok(()),
        }
        let (kind, bytes) = take_number(bytes).ok_or_else(cut)?;
        let (content, _) = take_bytes(bytes).ok_or_else(cut)?;
        match kind {
            STEP_1 if self.only_reads => Ok(()),
            STEP_1 => {
                let state = StateVector::decode_v1(content).map_err(LoadError::message)?;
                let missing = self.doc.transact().encode_state_as_update_v1(&state);
                out.push(self.message(&[SYNC, STEP_2], &missing));
                Ok(())
            }
            STEP_2 => self.take_update(content, true, out, seen),
            UPDATE => self.take_update(content, false, out, seen),
            _ => Ok(()),
        }
    }

    fn is_ready(&self) -> bool {
        if self.role == Role::Seeder {
            return self.server_has_it;
        }
        self.jobs.len(&self.doc.transact()) as usize >= RECORDS
    }

    fn begin(&mut self) {
        self.only_reads = self.kind == Kind::Ack;
    }

    fn edit(&mut self, number: usize, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        let Role::Writer(writer) = self.role else {
            return Err(LoadError::edit("only writers edit"));
        };
        let mut transaction = self.doc.transact_mut();
        let record = match self.jobs.get(&transaction, &record_key(writer)) {
            Some(Out::YMap(record)) => record,
            _ => return Err(LoadError::edit("the document has no such record")),
        };
        record.insert(
            &mut transaction,
            "prompt",
            format!("knight {number} of {writer}"),
        );
        let update = transaction.encode_update_v1();
        drop(transaction);
        out.push(self.message(&[SYNC, UPDATE], &update));
        Ok(())
    }

    fn version(&self) -> String {
        if self.only_reads {
            return String::new();
        }
        let transaction = self.doc.transact();
        let state = transaction.state_vector();
        let of = |writer: usize| state.get(&ClientID::new(FIRST_WRITER_ID + writer as u64));
        let ends: Vec<String> = (0..self.had.len())
            .map(|writer| of(writer).to_string())
            .collect();
        ends.join(" ")
    }
}

/// How an update begins.
enum Header {
    /// Nothing was added.
    Empty,
    /// One thing, by that client, at that place of its own.
    One { client: u64, clock: u64 },
    /// More than one.
    Several,
}

fn header(update: &[u8]) -> Option<Header> {
    let (clients, update) = take_number(update)?;
    if clients == 0 {
        return Some(Header::Empty);
    }
    let (things, update) = take_number(update)?;
    let (client, update) = take_number(update)?;
    let (clock, _) = take_number(update)?;
    Some(match (clients, things) {
        (1, 1) => Header::One { client, clock },
        _ => Header::Several,
    })
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn take_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, bytes) = take_number(bytes)?;
    bytes.split_at_checked(usize::try_from(len).ok()?)
}
