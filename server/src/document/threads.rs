//! The threads of a document: one answers, the others stand behind it.
//!
//! ```text
//! doc NAME      the actor: somebody waits for what it does, so it takes short turns (as do all
//!               threads of the runtime: those of `/sync` and HTTP, and those that open documents)
//! file NAME     the keeper, and the watcher's threads: they read and write tens of megabytes
//!               that nobody waits for, with a low priority and in long turns
//! ```
//!
//! On a machine with fewer processors than busy threads an edit would else wait for its turn
//! behind a file that is being written.

use std::thread::{self, JoinHandle};

use super::error::OpenError;

/// Stack of a document's thread, in bytes: merging recurses as deep as documents nest.
pub(super) const STACK_BYTES: usize = 16 * 1024 * 1024;

/// By how much the threads that stand behind are nicer than the others, in the units of `nice`:
/// with both at work on one processor they get about a tenth of it.
#[cfg(unix)]
const NICE: i32 = 10;

/// For how long a thread that answers wants a processor at once, in nanoseconds: the least that Linux
/// grants.
const TURN_NANOS_MIN: u64 = 100_000;

/// The same of a thread that stands behind: more than Linux gives unasked, which is 0.7 to 3 ms.
const TURN_NANOS_BEHIND: u64 = 10_000_000;

/// From this size on a piece of memory is the system's own, in bytes, and goes back when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const APART_BYTES: libc::c_int = 16 * 1024 * 1024;

/// So much free memory at the end of a heap is kept, in bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 32 * 1024 * 1024;

/// Starts the thread `name` for `work`.
///
/// # Errors
///
/// [`OpenError::Thread`]: the system has none to give.
pub(super) fn spawn(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map_err(|source| OpenError::Thread {
            name: name.to_owned(),
            source,
        })
}

/// From now on this thread, and what it starts, takes short turns: when it wakes, a busy thread that
/// takes long ones makes room at once. Else it would come last after each `fsync`, when a file of
/// megabytes is being written and there are fewer processors than busy threads.
///
/// Linux 6.12 and later; elsewhere nothing changes.
pub fn answer_soon() {
    take_turns(TURN_NANOS_MIN);
}

/// Asks for turns of `nanos` on a processor, with the policy and the priority that this thread has;
/// policies without turns, such as those for real time, refuse it. Linux' scheduler, EEVDF, gives a turn first to those whose turn would end first (`sched_setattr(2)`). A wish: a
/// system that does not grant it goes on as before.
fn take_turns(nanos: u64) {
    #[cfg(target_os = "linux")]
    {
        let Ok(nice) = rustix::process::getpriority_process(None) else {
            return;
        };
        let wanted = libc::sched_attr {
            size: u32::try_from(size_of::<libc::sched_attr>()).unwrap_or_default(),
            sched_policy: 0,
            sched_flags: u64::from(libc::SCHED_FLAG_KEEP_POLICY.unsigned_abs()),
            sched_nice: nice,
            sched_priority: 0,
            sched_runtime: nanos,
            sched_deadline: 0,
            sched_period: 0,
        };
        #[allow(
            unsafe_code,
            reason = "no crate wraps it; it reads one struct of the size that is named in it"
        )]
        // SAFETY: `wanted` outlives the call, which only reads it.
        let _refused = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const wanted, 0) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = nanos;
}

/// From now on this thread, and what it starts, leaves the processor to those who answer.
pub(super) fn stand_behind() {
    #[cfg(unix)]
    let _ = rustix::process::nice(NICE); // Refused: it competes, and is right all the same.
    take_turns(TURN_NANOS_BEHIND);
}

/// What `work` returns on a thread that stands behind, as do the threads that it starts. `None`:
/// the system has no thread to give.
pub(super) fn behind<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let started = thread::Builder::new().spawn_scoped(scope, || {
            stand_behind();
            work()
        });
        started.ok()?.join().ok()
    })
}

/// Memory that is free stays with this process, up to 32 MiB in each place that the C library
/// keeps it in. Else it goes back to the system after each large edit or file, and comes anew page by
/// page, cleared, while somebody waits.
pub fn keep_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (which, bytes) in [
        (libc::M_MMAP_THRESHOLD, APART_BYTES),
        (libc::M_TRIM_THRESHOLD, KEPT_BYTES),
    ] {
        #[allow(
            unsafe_code,
            reason = "no safe function does it; it takes two numbers and touches no memory that is in use"
        )]
        // SAFETY: mallopt may be called at any time, from any thread.
        let _was_set = unsafe { libc::mallopt(which, bytes) };
    }
}

/// Gives memory that is free back to the system: what the threads of a closed document had, the C
/// library would keep for threads to come.
pub(super) fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[allow(
            unsafe_code,
            reason = "no safe function does it; it takes a number and touches no memory that is in use"
        )]
        // SAFETY: malloc_trim may be called at any time, from any thread.
        let _gave = unsafe { libc::malloc_trim(0) };
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The niceness of this thread, as the system says.
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux has it");
        let (_, after_name) = stat.rsplit_once(')').expect("a name in brackets");
        let nth = after_name.split_whitespace().nth(16).expect("proc(5)");
        nth.parse().expect("a number")
    }

    #[test]
    fn who_answers_keeps_its_priority() {
        let ours = niceness();
        let theirs = thread::spawn(|| {
            answer_soon();
            niceness()
        });
        assert_eq!(theirs.join().expect("it ends"), ours);
    }

    /// For how long this thread wants a processor at once, in nanoseconds, where the system tells.
    fn turn() -> Option<u64> {
        let told = std::fs::read_to_string("/proc/thread-self/sched").ok()?;
        let line = told.lines().find(|line| line.starts_with("se.slice"))?;
        line.rsplit_once(':')?.1.trim().parse().ok()
    }

    #[test]
    fn turns_are_as_asked_where_they_are_granted() {
        let ours = turn();
        let soon = thread::spawn(|| {
            answer_soon();
            turn()
        });
        let soon = soon.join().expect("it ends");
        let later = behind(turn).expect("a thread");
        // Linux before 6.12 tells a turn, and grants none.
        if soon != ours {
            assert_eq!(
                (soon, later),
                (Some(TURN_NANOS_MIN), Some(TURN_NANOS_BEHIND))
            );
        }
        assert_eq!(turn(), ours);
    }

    #[test]
    fn who_stands_behind_is_nicer_and_so_is_what_it_starts() {
        let ours = niceness();
        let theirs = behind(|| {
            let child = thread::spawn(niceness).join().expect("it ends");
            (niceness(), child)
        });
        let nicer = (ours + NICE).min(19);
        assert_eq!(theirs, Some((nicer, nicer)));
        assert_eq!(niceness(), ours);
    }
}
