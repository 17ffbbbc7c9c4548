//! Runs a decoder over many inputs, and measures.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Once};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::fuzz::{Holds, is_ours};

/// Longest that a case may take where nothing is optimised but automerge.
pub(crate) const CASE_TIME_MAX: Duration = Duration::from_secs(20);

/// Most memory that the whole run may have taken at any time, in KiB.
const PEAK_KIB_MAX: u64 = 3 << 20;

/// Longest input that a failure prints, in bytes.
const SHOWN_BYTES_MAX: usize = 8_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The cases to try: `usually` so many, unless somebody asks for others.
pub(crate) fn cases(usually: u64) -> std::ops::Range<u64> {
    let first = number("PLAINSYNC_MUTATIONS_SEED").unwrap_or(0);
    let cases = number("PLAINSYNC_MUTATIONS").unwrap_or(usually);
    first..first.saturating_add(cases)
}

/// How long this thread has had the processor: what others do meanwhile counts for nothing. Where
/// the system does not tell, the time that has passed.
pub(crate) fn spent() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told
        .split_whitespace()
        .next()
        .and_then(|text| text.parse().ok());
    nanos.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

/// The most memory that this process ever had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

thread_local! {
    /// Whether this thread's panics are looked at here.
    static IS_HELD: Cell<bool> = const { Cell::new(false) };
    /// A panic in our own code, also where somebody caught it.
    static OURS: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The last panic of all.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work` and says nothing of its panics.
///
/// # Errors
///
/// `work` panicked, or something of ours did inside it: where, and what it said.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IS_HELD.get() {
                others(info);
                return;
            }
            LAST.set(Some(info.to_string()));
            if info.location().is_some_and(|at| is_ours(at.file())) {
                OURS.set(LAST.take());
            }
        }));
    });
    OURS.set(None);
    IS_HELD.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_HELD.set(false);
    match (done, OURS.take()) {
        (Ok(done), None) => Ok(done),
        (_, Some(ours)) => Err(ours),
        (Err(_), None) => Err(LAST.take().unwrap_or_default()),
    }
}

/// What was slowest, and how much memory was taken.
#[derive(Default)]
pub(crate) struct Measured {
    cases: u64,
    slowest: Duration,
    slowest_case: u64,
    all: Duration,
}

impl Measured {
    /// Notes that `case` has run since [`spent`] was `before`.
    pub(crate) fn note(&mut self, case: u64, before: Duration) {
        let took = spent().saturating_sub(before);
        self.cases += 1;
        self.all += took;
        if took > self.slowest {
            (self.slowest, self.slowest_case) = (took, case);
        }
    }

    /// Prints it after `what` became of the cases, and holds it against what is allowed.
    pub(crate) fn hold(&self, what: &str) {
        let (
            peak,
            Self {
                cases,
                slowest,
                slowest_case,
                all,
            },
        ) = (peak_kib(), self);
        println!(
            "{what}; {cases} cases in {all:.1?}, slowest {slowest:?} (case {slowest_case}), peak {peak} KiB"
        );
        assert!(
            *slowest < CASE_TIME_MAX,
            "case {slowest_case} took {slowest:?}"
        );
        assert!(peak < PEAK_KIB_MAX, "{peak} KiB were needed at a time");
    }
}

/// Tries what `input` makes of chance on a decoder: `holds` panics where a promise is broken, and
/// tells whether the input was taken. Some must be, and some not.
pub(crate) fn hold(name: &str, usually: u64, input: impl Fn(&mut Chance) -> Vec<u8>, holds: Holds) {
    let (mut taken, mut refused) = (0, 0);
    let mut measured = Measured::default();
    for case in cases(usually) {
        let bytes = input(&mut Chance::new(case));
        let before = spent();
        match quietly(|| holds(&bytes)) {
            Ok(true) => taken += 1,
            Ok(false) => refused += 1,
            Err(says) => {
                let shown = &bytes[..bytes.len().min(SHOWN_BYTES_MAX)];
                panic!(
                    "case {case} of {name}, {} bytes: {says}\n{}",
                    bytes.len(),
                    shown.escape_ascii()
                );
            }
        }
        measured.note(case, before);
    }
    measured.hold(&format!("{name}: {taken} taken, {refused} refused"));
    assert!(
        measured.cases < 100 || taken > 0 && refused > 0,
        "mutations that are all refused, or all taken, show nothing"
    );
}
