//! Connections that wait for a request, the one that has waited longest first.
//!
//! Anybody can open connections and say nothing. Where all places are taken, a new connection gets
//! the place of the one that has said nothing for longest, so that who does have something to say
//! is answered.
//!
//! **Invariant:** a connection is here exactly while no request of it is being answered.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio_util::sync::CancellationToken;

/// See the module's text.
#[derive(Debug, Default)]
pub(super) struct Idle(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    /// In the order in which they began to wait.
    connections: BTreeMap<u64, CancellationToken>,
}

impl Idle {
    /// A connection begins, and waits.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Stay> {
        let stay = Arc::new(Stay {
            idle: Arc::clone(self),
            number: Mutex::default(),
            sent_away: CancellationToken::new(),
        });
        stay.wait();
        stay
    }

    /// Sends the connection away that has waited longest; false if none waits.
    pub(super) fn send_one_away(&self) -> bool {
        let first = lock(&self.0).connections.pop_first();
        first.is_some_and(|(_, sent_away)| {
            sent_away.cancel();
            true
        })
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Stay {
    idle: Arc<Idle>,
    /// Its number while it waits.
    number: Mutex<Option<u64>>,
    /// It is to end.
    pub(super) sent_away: CancellationToken,
}

impl Stay {
    fn wait(&self) {
        let mut waiting = lock(&self.idle.0);
        waiting.last += 1;
        let number = waiting.last;
        waiting.connections.insert(number, self.sent_away.clone());
        *lock(&self.number) = Some(number);
    }

    /// A request has come: the connection waits no longer, until the value is dropped.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.leave();
        Answering(Arc::clone(self))
    }

    fn leave(&self) {
        let mut waiting = lock(&self.idle.0);
        if let Some(number) = lock(&self.number).take() {
            waiting.connections.remove(&number);
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<Stay>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// The body of an answer; the request is answered when it has been sent.
pub(super) struct Answer {
    body: Body,
    _answering: Answering,
}

impl Answer {
    pub(super) fn new(body: Body, answering: Answering) -> Self {
        Self {
            body,
            _answering: answering,
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s5_who_has_waited_longest_is_sent_away_and_nobody_who_is_answered() {
        let idle = Arc::new(Idle::default());
        let (first, second, third) = (idle.enter(), idle.enter(), idle.enter());
        let answering = first.answer();
        assert!(idle.send_one_away());
        assert!(second.sent_away.is_cancelled());
        drop(answering); // It waits again, behind the third.
        drop(second);
        assert!(idle.send_one_away());
        assert!(third.sent_away.is_cancelled() && !first.sent_away.is_cancelled());
        let answering = first.answer();
        assert!(!idle.send_one_away(), "nobody waits");
        drop((answering, first, third));
        assert!(!idle.send_one_away(), "who is gone is not here");
    }
}
