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
//! **Invariant:** nobody waits for longer than it works, but for a few milliseconds that it may have saved
//! up, and not for longer than [`WAIT_MAX`] at a time: under the heaviest load the file takes twice as
//! long, and is written. A message that takes long, or that nobody will answer any more, delays it once.

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

/// Most waiting that work done before, or rest, can pay for.
const SAVED_MAX: Duration = Duration::from_millis(20);

thread_local! {
    /// Whom this thread gives way to.
    static BEHIND: RefCell<Option<Behind>> = const { RefCell::new(None) };
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

/// Who gives way, and how long it may still wait.
struct Behind {
    way: Arc<Way>,
    account: Account,
}

/// How long somebody may wait: what its work has paid for.
struct Account {
    /// Longest wait at one question.
    max: Duration,
    /// Since when it works.
    since: Instant,
    /// Waiting that is paid for.
    saved: Duration,
    /// Waiting that was not: the system let it sleep for longer than it asked for.
    owed: Duration,
    /// How long it has waited, altogether.
    waited: Duration,
}

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
        self.stand_behind_for(WAIT_MAX);
    }

    fn stand_behind_for(self: Arc<Self>, max: Duration) {
        let _first = self.behind.set(thread::current()); // Another one waits its full time: no harm.
        BEHIND.set(Some(Behind {
            way: self,
            account: Account::new(max, Instant::now()),
        }));
    }

    /// Whether somebody has it for whom it was not yet waited in vain.
    fn is_worth_waiting(&self) -> bool {
        let answered = self.answered.load(Ordering::SeqCst);
        self.taken() > 0 && self.in_vain.load(Ordering::Relaxed) != answered.wrapping_add(1)
    }

    /// Waits until nobody has it, or for `max`.
    fn wait(&self, max: Duration) {
        let begun = Instant::now();
        while self.is_worth_waiting() {
            let Some(left) = max.checked_sub(begun.elapsed()) else {
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

impl Account {
    fn new(max: Duration, now: Instant) -> Self {
        Self {
            max,
            since: now,
            saved: SAVED_MAX.max(max),
            owed: Duration::ZERO,
            waited: Duration::ZERO,
        }
    }

    /// How long it may wait at `now`: it has worked until then.
    fn may_wait(&mut self, now: Instant) -> Duration {
        let worked = now.duration_since(self.since);
        self.since = now;
        let left = worked.saturating_sub(self.owed);
        self.owed = self.owed.saturating_sub(worked);
        self.saved = (self.saved + left).min(SAVED_MAX.max(self.max));
        self.saved.min(self.max)
    }

    /// It has waited until `now`.
    fn has_waited(&mut self, now: Instant) {
        let took = now.duration_since(self.since);
        self.since = now;
        self.owed += took.saturating_sub(self.saved);
        self.saved = self.saved.saturating_sub(took);
        self.waited += took;
    }
}

impl Behind {
    fn give_way(&mut self) {
        let most = self.account.may_wait(Instant::now());
        if !most.is_zero() && self.way.is_worth_waiting() {
            self.way.wait(most);
            self.account.has_waited(Instant::now());
        }
    }
}

/// Lets those go first for whom this thread stands behind.
pub(super) fn give_way() {
    // A thread that ends has nobody before it any more.
    let _ended = BEHIND.try_with(|behind| {
        if let Some(behind) = &mut *behind.borrow_mut() {
            behind.give_way();
        }
    });
}

/// Whether this thread gives way to anybody.
pub(super) fn is_behind() -> bool {
    BEHIND.with_borrow(Option::is_some)
}

/// How long this thread has given way so far.
pub(super) fn waited() -> Duration {
    BEHIND.with_borrow(|behind| {
        behind
            .as_ref()
            .map_or(Duration::ZERO, |behind| behind.account.waited)
    })
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

impl FreedInSteps {
    /// The bytes, which are kept after all.
    pub(super) fn keep(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

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
    fn who_stands_behind_goes_on_only_when_the_way_is_free() {
        let way = Arc::new(Way::default());
        let (first, second) = (way.take(), way.take());
        let is_free = Arc::new(AtomicUsize::new(0));
        let (behind, seen) = (Arc::clone(&way), Arc::clone(&is_free));
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            behind.stand_behind_for(Duration::from_secs(3600));
            tell.send(0).expect("heard");
            give_way();
            tell.send(seen.load(Ordering::SeqCst)).expect("heard");
        });
        assert_eq!(told.recv(), Ok(0), "it stands there");
        drop(first);
        is_free.store(1, Ordering::SeqCst);
        drop(second);
        let minute = Duration::from_secs(60);
        assert_eq!(
            told.recv_timeout(minute),
            Ok(1),
            "not before, and not long after"
        );
        thread.join().expect("it ends");
    }

    #[test]
    fn who_waits_has_worked_as_long() {
        let ms = Duration::from_millis;
        let mut now = Instant::now();
        let mut account = Account::new(WAIT_MAX, now);
        let mut worked = Duration::ZERO;
        for (work, asleep) in [(ms(1), ms(1)), (ms(1), ms(4)), (ms(0), ms(0))].repeat(100) {
            now += work;
            worked += work;
            let most = account.may_wait(now);
            assert!(most <= WAIT_MAX);
            if !most.is_zero() {
                now += most + asleep; // The system wakes it too late.
                account.has_waited(now);
            }
            assert!(account.waited <= worked + SAVED_MAX + asleep.max(ms(4)));
        }
        assert!(account.waited >= worked / 2, "it does wait");
        now += Duration::from_secs(3600);
        account.may_wait(now);
        assert_eq!(account.saved, SAVED_MAX, "rest pays for no more than that");
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
        way.wait(WAIT_MAX);
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
