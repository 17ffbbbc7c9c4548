//! A sign of life for what takes longer than a second: a line on the terminal, on stderr, gone
//! when the work is done. Nothing where stderr is no terminal.

use std::future::Future;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes less shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the sign moves.
const TICK: Duration = Duration::from_millis(100);

/// Does `work`, and says `what` is being done when that takes a while.
pub(super) async fn during<T>(what: &str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let sign = ProgressBar::new_spinner();
    sign.set_style(ProgressStyle::default_spinner());
    sign.set_message(what.to_owned());
    sign.enable_steady_tick(TICK);
    let done = work.await;
    sign.finish_and_clear();
    done
}

/// A bar over `len` steps that shows itself after a second, where stderr is a terminal.
pub(super) fn bar(what: &str, len: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// Moves `bar` by `steps`; from its first second on it is seen.
pub(super) fn step(bar: &ProgressBar, steps: u64) {
    bar.inc(steps);
    if bar.is_hidden() && bar.elapsed() > PATIENCE {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
}
