//! One document without threads and without waiting, for simulations: the same actor and keeper
//! as in a server, moved by hand.
//!
//! ```no_run
//! # fn example(edit: plainsync_core::edit::StampedEdit) -> Result<(), Box<dyn std::error::Error>> {
//! use plainsync::document::{DocumentsConfig, stepped::Stepped};
//! let mut machine = Stepped::open(&DocumentsConfig::new("folder/job_history.json"))?;
//! machine.edit(edit)?;
//! machine.turn(); // Writes what is due and looks at what others wrote.
//! drop(machine); // As if the process had been killed.
//! # Ok(()) }
//! ```
//!
//! **Invariant:** nothing happens between two calls.

use plainsync_core::document::Document;
use plainsync_core::edit::StampedEdit;
use tokio::sync::oneshot;

use super::actor::Actor;
use super::documents::DocumentsConfig;
use super::error::{DocumentError, OpenError};
use super::handle::{DocumentHandle, EditOutcome};
use super::inbox::{Envelope, Message, Place, Reply};
use super::keeper::{Keeper, Pace};
use super::lock::Lock;
use super::open::{Prepared, prepare_first};
use super::state::FileAnswer;

/// See the module's text.
pub struct Stepped {
    actor: Actor,
    keeper: Keeper,
    handle: DocumentHandle,
    _locks: Vec<Lock>,
}

impl Stepped {
    /// Opens the file that `config` names; its pace is not asked for.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: no file was changed.
    pub fn open(config: &DocumentsConfig) -> Result<Self, OpenError> {
        let mut config = config.clone();
        config.pace = Pace::AT_ONCE;
        let (prepared, locks) = prepare_first(&config)?;
        let Prepared {
            actor,
            keeper,
            handle,
        } = prepared;
        Ok(Self {
            actor,
            keeper,
            handle,
            _locks: locks,
        })
    }

    /// What the rest of a server would hold.
    #[must_use]
    pub fn handle(&self) -> &DocumentHandle {
        &self.handle
    }

    /// The document as it is; `None` while a failing disk keeps its history.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.actor.document()
    }

    /// Applies an edit; it is durable on return.
    ///
    /// # Errors
    ///
    /// [`DocumentError`]: nothing of it was kept.
    pub fn edit(&mut self, edit: StampedEdit) -> Result<EditOutcome, DocumentError> {
        self.ask(|reply| Message::Edit { edit, reply })
    }

    /// Decides about a file that awaits an answer.
    ///
    /// # Errors
    ///
    /// As [`DocumentHandle::answer_file`].
    pub fn answer_file(&mut self, answer: FileAnswer) -> Result<(), DocumentError> {
        self.ask(|reply| Message::Answer { answer, reply })
    }

    /// One turn: the keeper does what was ordered and looks at the folder, the actor takes what
    /// it reports and orders what is due.
    pub fn turn(&mut self) {
        self.keeper.turn();
        while let Some(message) = self.actor.next_message() {
            self.actor.work(message);
        }
        self.actor.tend();
    }

    /// The keeper's half of a turn: the actor is busy meanwhile.
    pub fn look(&mut self) {
        self.keeper.turn();
    }

    fn ask<T>(&mut self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, DocumentError> {
        let (reply, mut answer) = oneshot::channel();
        let message = message(reply);
        self.actor.work(Envelope {
            message,
            place: Place::default(),
        });
        answer.try_recv().unwrap_or(Err(DocumentError::Closed))
    }
}
