//! Decides what runs next. One task; it alone knows what waits and what runs.

use super::super::board::Board;
use super::run::{self, End};
use super::{QueueStatus, Shared, sentences};
use plainsync_core::edit::Key;
use plainsync_core::view::Row;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};

/// How long to gather changes of a document before its rows are looked through again.
const GATHER: Duration = Duration::from_millis(20);

/// How often to look again without a change: what the disk refused may work now.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// One run of one record of one document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    desk: usize,
    pub(super) key: Key,
    pub(super) run: String,
}

struct Desk {
    board: Arc<dyn Board>,
    changes: watch::Receiver<u64>,
    /// Whether its rows have been looked through by this process.
    seen: bool,
    /// Look through its rows, changed or not.
    due: bool,
}

/// What this process did with a run that its row still shows as queued or running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    /// A task runs it.
    Running,
    /// A task marks it.
    Marking,
    /// Its end is written, though the row that was read may not show it yet.
    Over,
}

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    desks: Vec<Desk>,
    stages: HashMap<Name, Stage>,
    waiting: VecDeque<Name>,
    tasks: JoinSet<End>,
    names: HashMap<Id, Name>,
    running: usize,
}

impl Dispatcher {
    pub(super) fn new(boards: Vec<Arc<dyn Board>>, shared: Arc<Shared>) -> Dispatcher {
        let desks = boards
            .into_iter()
            .map(|board| Desk {
                changes: board.changes(),
                board,
                seen: false,
                due: true,
            })
            .collect();
        Dispatcher {
            shared,
            desks,
            stages: HashMap::new(),
            waiting: VecDeque::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
            running: 0,
        }
    }

    /// Works until a stop was asked for and nothing runs any more.
    pub(super) async fn work(mut self) {
        let shared = Arc::clone(&self.shared);
        while !shared.stopping.is_cancelled() {
            for desk in 0..self.desks.len() {
                if self.desks[desk].due || self.desks[desk].changes.has_changed().unwrap_or(false) {
                    self.look(desk);
                }
            }
            self.start_next();
            self.publish();
            tokio::select! {
                () = shared.stopping.cancelled() => {}
                () = shared.wake.notified() => {}
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = any_change(&self.desks) => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(LOOK_AGAIN) => {
                    self.desks.iter_mut().for_each(|desk| desk.due = true);
                }
            }
        }
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
            self.publish();
        }
    }

    fn publish(&self) {
        let now = QueueStatus {
            running: self.running,
            waiting: self.waiting.len(),
        };
        self.shared
            .status
            .send_if_modified(|status| std::mem::replace(status, now) != now);
    }

    /// Looks through all rows of one document.
    fn look(&mut self, desk: usize) {
        self.desks[desk].changes.mark_unchanged();
        self.desks[desk].due = false;
        let board = Arc::clone(&self.desks[desk].board);
        if !board.is_open() {
            return; // That no row is seen says nothing.
        }
        let mut ours: Vec<(Name, Arc<Row>)> = Vec::new();
        board.each(&mut |row| {
            if let Some(run) = &row.run
                && run.server.as_deref() == Some(&self.shared.server)
                && matches!(status(row), "queued" | "running")
            {
                let name = Name {
                    desk,
                    key: row.key.clone(),
                    run: run.id.clone(),
                };
                ours.push((name, Arc::clone(row)));
            }
        });
        for (name, row) in &ours {
            self.consider(name, row);
        }
        // What no row shows as queued or running any more needs no memory.
        let shown: HashSet<&Name> = ours.iter().map(|(name, _)| name).collect();
        self.stages.retain(|name, stage| {
            name.desk != desk || *stage != Stage::Over || shown.contains(name)
        });
        self.desks[desk].seen |= board.is_open();
        self.drop_replaced(desk);
    }

    fn consider(&mut self, name: &Name, row: &Row) {
        match (status(row), self.stages.get(name)) {
            ("queued", None) if row.is_listed() => {
                self.stages.insert(name.clone(), Stage::Waiting);
                self.waiting.push_back(name.clone());
            }
            ("queued", None | Some(Stage::Waiting)) if !row.is_listed() => {
                self.mark(name, sentences::REMOVED)
            }
            ("running", None | Some(Stage::Waiting)) => {
                let sentence = if self.desks[name.desk].seen {
                    sentences::NOT_RUNNING
                } else {
                    sentences::INTERRUPTED
                };
                self.mark(name, sentence);
            }
            _ => {}
        }
    }

    /// Orders that wait, but whose record shows another run by now.
    fn drop_replaced(&mut self, desk: usize) {
        let board = Arc::clone(&self.desks[desk].board);
        let replaced: Vec<Name> = self
            .waiting
            .iter()
            .filter(|name| {
                let row = board.row(&name.key).filter(|_| name.desk == desk);
                row.is_some_and(|row| !is_current(&row, name))
            })
            .cloned()
            .collect();
        for name in replaced {
            self.mark(&name, sentences::REPLACED);
        }
    }

    fn start_next(&mut self) {
        while self.running < *self.shared.parallel_max.borrow() {
            let Some(name) = self.waiting.pop_front() else {
                return;
            };
            // The rows may be newer than when they were looked through.
            let board = Arc::clone(&self.desks[name.desk].board);
            let Some(row) = board.row(&name.key) else {
                self.stages.remove(&name);
                continue;
            };
            if !is_current(&row, &name) {
                self.mark(&name, sentences::REPLACED);
            } else if status(&row) != "queued" {
                self.stages.remove(&name); // Somebody else ended it; looking again decides.
            } else if !row.is_listed() {
                self.mark(&name, sentences::REMOVED);
            } else {
                let shared = Arc::clone(&self.shared);
                let task = run::perform(shared, board, name.clone());
                let id = self.tasks.spawn(task).id();
                self.running += 1;
                self.stages.insert(name.clone(), Stage::Running);
                self.names.insert(id, name);
            }
        }
    }

    fn mark(&mut self, name: &Name, sentence: &'static str) {
        self.waiting.retain(|waiting| waiting != name);
        self.stages.insert(name.clone(), Stage::Marking);
        tracing::info!(key = %name.key, run = name.run, "not started: {sentence}");
        let board = Arc::clone(&self.desks[name.desk].board);
        let task = {
            let name = name.clone();
            async move { run::mark(&*board, &name, sentence).await }
        };
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name.clone());
    }

    fn ended(&mut self, ended: Result<(Id, End), tokio::task::JoinError>) {
        let (id, end) = match ended {
            Ok((id, end)) => (id, end),
            Err(error) => {
                tracing::error!(%error, "a job's task broke");
                (error.id(), End::Unwritten)
            }
        };
        let Some(name) = self.names.remove(&id) else {
            return;
        };
        if self.stages.get(&name) == Some(&Stage::Running) {
            self.running -= 1;
        }
        match end {
            End::Written => {
                // If its row shows the end already, nothing has to be remembered of it.
                self.desks[name.desk].due = true;
                self.stages.insert(name, Stage::Over);
            }
            // Its row is looked at again, at the next change or after a while.
            End::Unwritten => {
                self.stages.remove(&name);
            }
        }
    }
}

async fn any_change(desks: &[Desk]) {
    let waits = desks.iter().map(|desk| {
        let mut changes = desk.changes.clone();
        Box::pin(async move {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await; // The document is closed.
            }
        })
    });
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        std::future::pending::<()>().await;
    }
    futures_util::future::select_all(waits).await;
}

fn is_current(row: &Row, name: &Name) -> bool {
    row.run.as_ref().is_some_and(|run| run.id == name.run)
}

/// The status of the row's run; a row without one is none of ours.
fn status(row: &Row) -> &str {
    row.job
        .get("status")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}
