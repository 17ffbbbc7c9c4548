//! The windows of rows that the page watches, the counters, and what changed since they were last told.
//!
//! Nothing here is sent twice: a window is told when other rows stand in it than before, and of its rows only
//! those that it has not been told.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use plainsync_core::edit::Key;
use plainsync_core::query::{self, Query, QueryError};
use plainsync_core::stats::Stats;
use plainsync_core::view::{Row, View};
use serde::Serialize;

use crate::messages::{FromWorker, Origin};

/// Rows in one `change` message, at most: the page handles each in a few milliseconds.
const CHANGE_ROWS_MAX: usize = 500;
/// Rows that a window shows when it does not say, as `web/client`'s types promise.
const LIMIT: usize = 100;

/// All windows of one page.
#[derive(Debug, Default)]
pub struct Windows {
    watched: HashMap<u32, Watched>,
    stats: Option<Stats>,
    /// Every row as the page was last told: what is listed, and the row itself for when it goes.
    told: HashMap<Key, Arc<Row>>,
    changed: HashMap<Origin, BTreeSet<Key>>,
}

/// One window, and what the page knows of it.
#[derive(Debug)]
struct Watched {
    query: Query,
    told: Option<Told>,
    /// It was moved: the page waits for an answer, even if nothing else stands there.
    moved: bool,
}

/// What stood in a window when it was told last.
#[derive(Debug)]
enum Told {
    Rows {
        offset: usize,
        rows: Vec<Arc<Row>>,
        total: usize,
    },
    Failed(QueryError),
}

/// One row's change: as it was told last, and as it is.
struct News {
    before: Option<Arc<Row>>,
    now: Option<Arc<Row>>,
}

/// A window: which rows stand in it, in order, and those of them that the page does not have.
#[derive(Serialize)]
#[serde(tag = "type", rename = "page")]
struct PageMessage<'a> {
    sub: u32,
    offset: usize,
    total: usize,
    keys: Vec<&'a Key>,
    rows: Vec<&'a Row>,
}

impl Windows {
    /// Starts to watch; the next [`Windows::look`] tells its rows.
    pub fn watch(&mut self, sub: u32, query: Query) {
        self.watched.insert(
            sub,
            Watched {
                query,
                told: None,
                moved: false,
            },
        );
    }

    /// Moves a window; the next [`Windows::tell_window`] tells what stands in it, in any case.
    pub fn shift(&mut self, sub: u32, offset: usize, limit: usize) {
        if let Some(watched) = self.watched.get_mut(&sub) {
            watched.query.offset = offset;
            watched.query.limit = Some(limit);
            watched.moved = true;
        }
    }

    /// Stops watching.
    pub fn forget(&mut self, sub: u32) {
        self.watched.remove(&sub);
    }

    /// The rows that are there when the page begins to listen: no news.
    pub fn begin(&mut self, view: &View) {
        self.told = view
            .all()
            .map(|row| (row.key.clone(), Arc::clone(row)))
            .collect();
    }

    /// These rows changed.
    pub fn touch(&mut self, keys: impl IntoIterator<Item = Key>, origin: Origin) {
        let mut keys = keys.into_iter().peekable();
        if keys.peek().is_some() {
            self.changed.entry(origin).or_default().extend(keys);
        }
    }

    /// Any row may have changed: compares them all.
    pub fn touch_all(&mut self, view: &View) {
        let is_known = |row: &Arc<Row>| self.told.get(&row.key).is_some_and(|told| same(told, row));
        let news = view.all().filter(|row| !is_known(row));
        let gone = self
            .told
            .values()
            .filter(|row| view.get(&row.key).is_none());
        let keys: Vec<Key> = news.chain(gone).map(|row| row.key.clone()).collect();
        self.touch(keys, Origin::Remote);
    }

    /// Whether rows changed since the last look.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Tells, through `post`, all that is new: changes, then windows, then counters.
    pub fn look(&mut self, view: &View, post: &mut dyn FnMut(String)) {
        self.tell_changes(view, post);
        let subs: Vec<u32> = self.watched.keys().copied().collect();
        for sub in subs {
            self.tell_window(sub, view, post);
        }
        let stats = Stats::of(view);
        if self.stats.as_ref() != Some(&stats) {
            post(json(&FromWorker::Stats {
                stats: stats.clone(),
            }));
            self.stats = Some(stats);
        }
    }

    /// Tells one window's rows if they are others than it was told.
    pub fn tell_window(&mut self, sub: u32, view: &View, post: &mut dyn FnMut(String)) {
        let Some(Watched { query, told, moved }) = self.watched.get_mut(&sub) else {
            return;
        };
        let now = match find(view, query) {
            Ok((rows, total)) => Told::Rows {
                offset: query.offset,
                rows,
                total,
            },
            Err(error) => Told::Failed(error),
        };
        if !std::mem::take(moved) && told.as_ref().is_some_and(|told| told.is(&now)) {
            return;
        }
        post(match &now {
            Told::Rows {
                offset,
                rows,
                total,
            } => {
                let known: HashMap<&Key, &Arc<Row>> = told.iter().flat_map(Told::by_key).collect();
                let is_news =
                    |row: &&Arc<Row>| !known.get(&row.key).is_some_and(|had| same(had, row));
                json(&PageMessage {
                    sub,
                    offset: *offset,
                    total: *total,
                    keys: rows.iter().map(|row| &row.key).collect(),
                    rows: rows.iter().filter(is_news).map(AsRef::as_ref).collect(),
                })
            }
            Told::Failed(error) => json(&FromWorker::PageFailed {
                sub,
                message: error.to_string(),
                at: error.at(),
            }),
        });
        *told = Some(now);
    }

    fn tell_changes(&mut self, view: &View, post: &mut dyn FnMut(String)) {
        for (origin, keys) in std::mem::take(&mut self.changed) {
            let mut news: Vec<News> = Vec::new();
            for key in keys {
                let now = view.get(&key).map(Arc::clone);
                let before = match &now {
                    Some(row) => self.told.insert(key, Arc::clone(row)),
                    None => self.told.remove(&key),
                };
                if before != now {
                    news.push(News { before, now });
                }
            }
            for part in news.chunks(CHANGE_ROWS_MAX) {
                let (mut added, mut updated, mut removed) = (Vec::new(), Vec::new(), Vec::new());
                for News { before, now } in part {
                    let was_listed = before.as_ref().is_some_and(|row| row.is_listed());
                    match (was_listed, now) {
                        (false, Some(row)) if row.is_listed() => added.push(row.as_ref()),
                        (true, Some(row)) if !row.is_listed() => removed.push(row.as_ref()),
                        (_, Some(row)) => updated.push(row.as_ref()),
                        (true, None) => removed.extend(before.as_deref()),
                        (false, None) => {}
                    }
                }
                post(json(&FromWorker::Change {
                    added,
                    updated,
                    removed,
                    origin,
                }));
            }
        }
    }
}

impl Told {
    fn by_key(&self) -> impl Iterator<Item = (&Key, &Arc<Row>)> {
        let rows = match self {
            Told::Rows { rows, .. } => rows.as_slice(),
            Told::Failed(_) => &[],
        };
        rows.iter().map(|row| (&row.key, row))
    }

    /// Whether `other` says the same.
    fn is(&self, other: &Told) -> bool {
        match (self, other) {
            (
                Told::Rows {
                    offset,
                    rows,
                    total,
                },
                Told::Rows {
                    offset: at,
                    rows: others,
                    total: of,
                },
            ) => {
                (offset, total, rows.len()) == (at, of, others.len())
                    && rows.iter().zip(others).all(|(a, b)| same(a, b))
            }
            (Told::Failed(error), Told::Failed(other)) => error == other,
            _ => false,
        }
    }
}

/// Whether two rows are equal. One that nobody touched is the very same.
fn same(a: &Arc<Row>, b: &Arc<Row>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

/// Rows that a query finds, and how many there are in all.
///
/// # Errors
///
/// [`QueryError`]: the query cannot be understood.
pub fn find(view: &View, query: &Query) -> Result<(Vec<Arc<Row>>, usize), QueryError> {
    let query = Query {
        limit: Some(query.limit.unwrap_or(LIMIT)),
        ..query.clone()
    };
    let found = query::run(view, &query)?;
    Ok((found.rows, found.total))
}

/// A message as JSON. What we send is made of types that always have a JSON form.
pub fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap_or_else(|error| {
        format!(r#"{{"type":"dead","message":"a message has no JSON form: {error}"}}"#)
    })
}

#[cfg(test)]
mod tests;
