//! What page and worker say to each other, as JSON; `web/client/src/protocol.ts` is the other half.

use plainsync_core::edit::{EditId, Key};
use plainsync_core::query::Query;
use plainsync_core::stats::Stats;
use plainsync_core::tagged;
use plainsync_core::view::Row;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// From the page.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToWorker {
    /// Before the document is known: what was noted about this server?
    Recall {
        /// The note's name.
        server: String,
    },
    /// The first message: which document, and what the page holds of it.
    Open(Open),
    /// Edits, in order. `replay`: they may have been applied by another worker.
    Edits {
        /// Stamped edits; each is checked on its own.
        edits: Vec<Value>,
        /// Look in the database whether they are known.
        replay: bool,
    },
    /// Keep this window up to date.
    Subscribe {
        /// Its number.
        sub: u32,
        /// What it shows.
        query: Query,
    },
    /// Show other rows in that window.
    Move {
        /// Its number.
        sub: u32,
        /// How many found rows come before it.
        offset: usize,
        /// How many rows it shows.
        limit: usize,
    },
    /// Forget that window.
    Unsubscribe {
        /// Its number.
        sub: u32,
    },
    /// A question.
    Call {
        /// Its number.
        call: u32,
        /// What is asked.
        ask: Ask,
    },
    /// Back from the page cache.
    Resume {},
    /// The browser thinks that the network came or went.
    Network {
        /// Which of the two.
        online: bool,
    },
    /// Whether the page wrote what [`FromWorker::Keep`] asked it to.
    Kept {
        /// Which request.
        seq: u64,
        /// It did.
        ok: bool,
    },
    /// Finish.
    Close {},
}

impl<'de> Deserialize<'de> for ToWorker {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tagged::read(deserializer, Self::deserialize)
    }
}

/// What a tab opens.
#[derive(Clone, Debug, Deserialize)]
pub struct Open {
    /// The document's id.
    pub document: String,
    /// The server's http origin.
    pub server: String,
    /// This browser profile's device id.
    pub device: String,
    /// Recorded with edits made here.
    pub author: Option<String>,
    /// `{key, home}`: to be noted, and recalled when localStorage has lost it.
    pub home: String,
    /// Chunks that the page's localStorage holds.
    pub hashes: Vec<String>,
}

/// A question with one answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Ask {
    /// One window, once.
    Query {
        /// What it shows.
        query: Query,
    },
    /// One row.
    Get {
        /// Its key.
        key: Key,
    },
    /// What stands against what in one record.
    Conflicts {
        /// Its key.
        key: Key,
    },
    /// The keys of all listed rows.
    Keys {},
    /// An image's bytes.
    Image {
        /// `blob:sha256-…`
        blob: String,
    },
    /// Rows for the next first paint.
    First {
        /// How many.
        limit: usize,
    },
    /// The file's text.
    Export {},
    /// Take a file in; its text comes beside the message.
    Import {
        /// Where it came from: `pixellab_jobs_v1` is old and removes nothing.
        origin: String,
    },
    /// Fold all chunks into one.
    Fold {},
    /// Chunks of the page's that the database lacks.
    Chunks {
        /// Their texts.
        chunks: Vec<ChunkText>,
    },
}

impl<'de> Deserialize<'de> for Ask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tagged::read(deserializer, Self::deserialize)
    }
}

/// A chunk as localStorage holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkText {
    /// Its name.
    pub hash: String,
    /// Its text, checksummed.
    pub text: String,
}

/// Where chunks are durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// In the database.
    IndexedDb,
    /// In the page's localStorage: there is no database here.
    Page,
}

/// A committed edit.
#[derive(Clone, Debug, Serialize)]
pub struct SavedEdit<'a> {
    /// Its id.
    pub id: EditId,
    /// The row that it made, for an insert.
    pub rows: Vec<&'a Row>,
}

/// The connection as people see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Connection {
    /// No server answers.
    Offline,
    /// Dialling for the first time, or just cut.
    #[default]
    Connecting,
    /// Talking.
    Online,
    /// The server said no.
    Refused,
}

/// The worker's part of the status.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Committed changes that the server is not known to have on disk.
    pub waiting: usize,
    /// When the oldest was made, ms.
    pub oldest_waiting_at: Option<u64>,
    /// How the connection is.
    pub connection: Connection,
    /// The server has all that is here on its disk.
    pub server_has_it: bool,
    /// The device id of the server talked with.
    pub server_id: Option<String>,
    /// Why it was refused, or what went wrong last.
    pub detail: Option<String>,
}

/// Whose change it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Made in this tab.
    Local,
    /// Came from elsewhere.
    Remote,
}

/// To the page.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FromWorker<'a> {
    /// What an earlier `open` noted about the server.
    Recalled {
        /// The page's own words.
        home: Option<String>,
    },
    /// The replica is loaded.
    Ready {
        /// Where chunks will be kept.
        storage: StorageKind,
        /// Chunks of the page that are not in the database.
        want: Vec<String>,
        /// What this browser lacks, in sentences.
        warnings: Vec<String>,
    },
    /// The page is to write these, then say `kept`.
    Keep {
        /// The request's number.
        seq: u64,
        /// What to write.
        chunks: Vec<ChunkText>,
    },
    /// These edits are committed.
    Saved {
        /// Which.
        edits: Vec<SavedEdit<'a>>,
        /// What replaces them in localStorage.
        chunks: Vec<ChunkText>,
        /// The status after it.
        status: Status,
    },
    /// The engine refuses an edit.
    Refused {
        /// Which.
        id: String,
        /// Why.
        message: String,
    },
    /// The database failed; it is tried again.
    StorageFailed {
        /// Why.
        message: String,
    },
    /// An answer.
    Answer {
        /// To which question.
        call: u32,
        /// The answer.
        value: Value,
    },
    /// No answer.
    Failed {
        /// To which question.
        call: u32,
        /// Why not.
        message: String,
    },
    /// A window whose query cannot be answered.
    PageFailed {
        /// Which.
        sub: u32,
        /// Why.
        message: String,
        /// Where in the query, in characters, counted from 1.
        at: Option<usize>,
    },
    /// New counters.
    Stats {
        /// They.
        stats: Stats,
    },
    /// A new status.
    Status {
        /// It.
        status: Status,
    },
    /// Rows changed.
    Change {
        /// Listed now and not before.
        added: Vec<&'a Row>,
        /// Changed and still where they were.
        updated: Vec<&'a Row>,
        /// No longer listed.
        removed: Vec<&'a Row>,
        /// By whom.
        origin: Origin,
    },
    /// A line for the log.
    Log {
        /// SYSTEM, JOB, API, UI or QUEUE.
        area: &'static str,
        /// INFO, SUCCESS, WARNING, ERROR or DEBUG.
        level: &'static str,
        /// A sentence.
        message: String,
        /// What goes with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// Something failed that does not stop us.
    Error {
        /// `sync` or `storage`.
        code: &'static str,
        /// A sentence.
        message: String,
    },
    /// Somebody's presence message, which comes beside it.
    Presence {
        /// Who sent it first.
        sender: &'a str,
    },
    /// All that the server had when we connected is here.
    Synced,
    /// Many small chunks: folding is due.
    FoldDue,
    /// Finished.
    Closed,
    /// Throw this worker away.
    Dead {
        /// Why.
        message: String,
    },
}
