//! One load on one server: clients of which some edit one document, and a note of when each edit
//! reached each reader.
//!
//! A [`Client`] is what one protocol does with bytes; it does no I/O. [`drive`] gives it a
//! connection of its own. [`run()`] lets all of them connect, starts the edits, waits until every
//! client has every edit, and measures the server meanwhile.
//!
//! **Invariant:** nothing is sampled: every edit counts at every reader, once.

mod chunks;
mod drive;
mod ledger;
pub(crate) mod lingering;
mod repo;
mod run;
mod socket;
mod yjs;

use std::fmt;
use std::time::Duration;

pub(crate) use ledger::{Ledger, Seen};
pub(crate) use run::{Outcome, run};

/// Records that the document holds before the load begins, one change each.
const RECORDS: usize = 100;

/// A load: who edits how often, and how many only read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) writers: usize,
    pub(crate) readers: usize,
    /// Edits of each writer.
    pub(crate) edits: usize,
    /// Between two edits of one writer.
    pub(crate) interval: Duration,
    /// Further actors that wrote into the document before the load begins, one change each.
    pub(crate) actors: usize,
}

impl Load {
    /// The load with that many clients, if there is one.
    pub(crate) fn of(clients: usize) -> Option<Self> {
        let (readers, edits, interval_ms) = match clients {
            20 => (16, 200, 5),
            50 => (46, 100, 10),
            _ => return None,
        };
        Some(Self {
            writers: 4,
            readers,
            edits,
            interval: Duration::from_millis(interval_ms),
            actors: 0,
        })
    }

    /// All clients.
    pub(crate) fn clients(&self) -> usize {
        self.writers + self.readers
    }

    /// Edits of all writers.
    pub(crate) fn all_edits(&self) -> usize {
        self.writers * self.edits
    }

    /// How often an edit reaches a reader.
    pub(crate) fn deliveries(&self) -> usize {
        self.all_edits() * self.readers
    }
}

/// What clients do with what they get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Apply it to a document of their own, as real clients do
    Apply,
    /// Read what it brings and acknowledge it, and apply nothing: what remains is the server
    Ack,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "apply",
            Self::Ack => "ack",
        })
    }
}

/// What one client is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Puts the first records into the document, and is gone when the load begins.
    Seeder,
    /// The writer of that number, counted from 0.
    Writer(usize),
    Reader,
}

/// The protocol that a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// automerge-repo's.
    Repo,
    /// The Yjs sync protocol.
    Yjs,
    /// The same with the document's name before each message.
    YjsNamed,
}

/// One client, without its connection.
///
/// What it wants to send it appends to `out`.
pub(crate) trait Client: Send {
    /// The connection is open.
    fn open(&mut self, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError>;

    /// A message came; edits in it are marked in `seen` once this client has them.
    fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<Vec<u8>>,
        seen: &mut Seen,
    ) -> Result<(), LoadError>;

    /// Whether it has the first records; of a seeder, whether the server has them.
    fn is_ready(&self) -> bool;

    /// The load begins.
    fn begin(&mut self);

    /// Makes this writer's edit of that number, counted from 0.
    fn edit(&mut self, number: usize, out: &mut Vec<Vec<u8>>) -> Result<(), LoadError>;

    /// Whether it has yet to answer what came.
    fn owes(&self) -> bool {
        false
    }

    /// Answers all that came.
    fn answer(&mut self, _out: &mut Vec<Vec<u8>>) -> Result<(), LoadError> {
        Ok(())
    }

    /// What it holds now, to be compared with others; empty if it applies nothing.
    fn version(&self) -> String;
}

/// Why a load ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The connection could not be made, or broke.
    #[error("the connection failed: {0}")]
    Socket(String),
    /// The server sent what the protocol does not allow, or refused the document.
    #[error("the server's message was refused: {0}")]
    Message(String),
    /// An edit could not be made.
    #[error("an edit failed: {0}")]
    Edit(String),
    /// Not every client has every edit.
    #[error("did not converge: {0}")]
    Apart(String),
    /// The server's numbers cannot be read.
    #[error("the server cannot be measured: {0}")]
    Measure(String),
}

impl LoadError {
    pub(crate) fn message(error: impl fmt::Display) -> Self {
        Self::Message(error.to_string())
    }

    pub(crate) fn edit(error: impl fmt::Display) -> Self {
        Self::Edit(error.to_string())
    }
}

/// The key of a record of the document.
fn record_key(number: usize) -> String {
    format!("record-{number:03}")
}
