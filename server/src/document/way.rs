//! Who stands behind gives way to who answers, in the middle of its work.
//!
//! A thread that writes tens of megabytes keeps its processor until the scheduler looks at it
//! again, which takes Linux up to 4 ms, and what it has given the disk stands before the journal's
//! `fsync`. So it works in pieces, and asks between them whether somebody waits for an answer:
//!
//! ```text
//! asked ─ Taken ───────────── answered            the inbox, until the message is dealt with
//! piece ─ give_way ─ piece ─ give_way ··········· piece ─ give_way      the keeper
//! ```
//!
//! Functions on the keeper's way call [`give_way`], or go through [`pieces`]; on other threads they
//! do nothing of it.
//!
//! **Invariant:** nobody gives way for longer than [`WAIT_MAX`] at a time, and not again before one
//! more was answered: under the heaviest load the file is written late, and written; and a message
//! that takes long, or that nobody will answer any more, delays it once.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How much is done between two questions, in bytes: some 10 to 50 microseconds of work.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

/// How much memory is given back at once, in bytes.
const FREED_BYTES: usize = 1024 * 1024;

/// Longest wait at one question.
const WAIT_MAX: Duration = Duration::from_millis(5);

thread_local! {
    /// Whom this thread gives way to.
    static BEFORE: RefCell<Option<Arc<Way>>> = const { RefCell::new(None) };
}

/// The way to one document: who has asked for something and not been answered.
#[derive(Default)]
pub(super) struct Way {
    taken: AtomicUsize,
    /// How many who had taken it are done.
    answered: AtomicUsize,
    /// One more than `answered` was when somebody last waited in vain; 0 at first.
    in_vain: AtomicUsize,
    behind: OnceLock<Thread>,
}

/// Somebody waits for an answer as long as this is there.
pub(super) struct Taken(Arc<Way>);

impl Way {
    /// Takes it; several may.
    pub(super) fn take(self: &Arc<Self>) -> Taken {
        self.taken.fetch_add(1, Ordering::SeqCst);
        Taken(Arc::clone(self))
    }

    /// How many have taken it.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// From now on this thread gives way to who takes `self`. One thread of a document does.
    pub(super) fn stand_behind(self: Arc<Self>) {
        let _first = self.behind.set(thread::current()); // Another one waits its full time: no harm.
        BEFORE.set(Some(self));
    }

    /// Whether somebody has it for whom it was not yet waited in vain.
    fn is_worth_waiting(&self) -> bool {
        let answered = self.answered.load(Ordering::SeqCst);
        self.taken() > 0 && self.in_vain.load(Ordering::Relaxed) != answered.wrapping_add(1)
    }

    /// Waits until nobody has it, or [`WAIT_MAX`].
    fn wait(&self) {
        let begun = Instant::now();
        while self.is_worth_waiting() {
            let Some(left) = WAIT_MAX.checked_sub(begun.elapsed()) else {
                let answered = self.answered.load(Ordering::SeqCst);
                self.in_vain
                    .store(answered.wrapping_add(1), Ordering::Relaxed);
                return;
            };
            thread::park_timeout(left); // Who frees it unparks, also before this line.
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::SeqCst);
        if self.0.taken.fetch_sub(1, Ordering::SeqCst) == 1
            && let Some(behind) = self.0.behind.get()
        {
            behind.unpark();
        }
    }
}

/// Lets those go first for whom this thread stands behind.
pub(super) fn give_way() {
    // A thread that ends has nobody before it any more.
    let _ended = BEFORE.try_with(|before| {
        if let Some(way) = &*before.borrow() {
            thread::yield_now(); // Who is about to take it may not have had a processor yet.
            way.wait();
        }
    });
}

/// `bytes` piece by piece, giving way before each.
pub(super) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(PIECE_BYTES).inspect(|_| give_way())
}

/// Whether both are the same, told piece by piece.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && pieces(one).eq(other.chunks(PIECE_BYTES))
}

/// Bytes whose memory goes back to the system in steps: all of it at once would keep others of this
/// process waiting who ask for some.
pub(super) struct FreedInSteps(pub(super) Vec<u8>);

impl Deref for FreedInSteps {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for FreedInSteps {
    fn drop(&mut self) {
        while self.0.len() > FREED_BYTES {
            self.0.truncate(self.0.len() - FREED_BYTES);
            self.0.shrink_to_fit(); // In place: the rest stays where it is.
            give_way();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn who_stands_behind_goes_on_when_the_way_is_free() {
        let way = Arc::new(Way::default());
        let (first, second) = (way.take(), way.take());
        let behind = Arc::clone(&way);
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            behind.stand_behind();
            while BEFORE.with_borrow(|way| way.as_ref().is_some_and(|way| way.taken() > 0)) {
                give_way();
            }
            tell.send(()).expect("heard");
        });
        drop(first);
        assert_eq!(way.taken(), 1);
        assert!(told.try_recv().is_err(), "one is still before it");
        drop(second);
        told.recv().expect("it went on");
        thread.join().expect("it ends");
    }

    #[test]
    fn nobody_waits_for_ever() {
        let way = Arc::new(Way::default());
        let _never_answered = way.take();
        let behind = Arc::clone(&way);
        let thread = thread::spawn(move || {
            behind.stand_behind();
            let bytes = vec![7; 3 * PIECE_BYTES + 1];
            let all: Vec<u8> = pieces(&bytes).flatten().copied().collect();
            is_same(&all, &bytes)
        });
        assert!(thread.join().expect("it ends"));
    }

    #[test]
    fn who_is_not_answered_is_waited_for_once() {
        let way = Arc::new(Way::default());
        assert!(!way.is_worth_waiting());
        let _never_answered = way.take();
        assert!(way.is_worth_waiting());
        way.wait();
        assert!(!way.is_worth_waiting());
        let next = way.take();
        assert!(!way.is_worth_waiting(), "nobody was answered meanwhile");
        drop(next);
        assert!(way.is_worth_waiting());
    }

    #[test]
    fn pieces_compare_as_wholes_do() {
        let one: Vec<u8> = (0..2 * PIECE_BYTES + 5)
            .map(|n| n.to_le_bytes()[1])
            .collect();
        assert!(is_same(&one, &one.clone()));
        assert!(is_same(&[], &[]));
        for at in [0, PIECE_BYTES - 1, PIECE_BYTES, one.len() - 1] {
            let mut other = one.clone();
            other[at] ^= 1;
            assert!(!is_same(&one, &other), "byte {at}");
        }
        assert!(!is_same(&one, &one[..one.len() - 1]));
    }

    #[test]
    fn what_is_freed_in_steps_is_whole_until_then() {
        let bytes: Vec<u8> = (0..3 * FREED_BYTES + 9)
            .map(|n| n.to_le_bytes()[2])
            .collect();
        let held = FreedInSteps(bytes.clone());
        assert!(is_same(&held, &bytes));
        drop(held);
    }
}
