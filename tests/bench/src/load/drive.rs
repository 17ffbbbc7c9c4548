//! One client with its connection: gives it what comes, sends what it wants to, and lets a
//! writer make its edits in time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::socket::Socket;
use super::{Client, Ledger, LoadError, Role, Seen};

/// How long a client that may answer late lets messages gather that it has not answered: about what it
/// takes a browser to commit them.
pub(super) const ANSWER_AFTER: Duration = Duration::from_millis(5);

/// How far the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Clients connect.
    Connecting,
    /// All are there, and the seeder leaves.
    Settling,
    /// Edits are made; the first may be made at that time.
    Going(Instant),
    /// All is measured.
    Over,
}

/// What a client tells the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It has the first records.
    Ready,
    /// It has every edit.
    Done,
}

/// What a client leaves.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) role: Role,
    pub(super) seen: Seen,
    pub(super) received_bytes: u64,
    pub(super) version: String,
}

/// What all clients of a run share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) url: String,
    pub(super) ledger: Arc<Ledger>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) events: mpsc::UnboundedSender<Event>,
}

/// Drives `client` until the run is over.
pub(super) async fn drive(
    mut client: Box<dyn Client>,
    role: Role,
    shared: Shared,
) -> Result<Report, LoadError> {
    let Shared {
        url,
        ledger,
        mut phase,
        events,
    } = shared;
    let load = *ledger.load();
    let mut seen = Seen::new(ledger.clone(), role);
    let mut socket = Socket::connect(&url).await?;
    let (mut out, mut told_ready, mut told_done) = (Vec::new(), false, false);
    let (mut ticks, mut number, edits) = match role {
        Role::Writer(_) => (None, 0, load.edits),
        Role::Reader | Role::Seeder => (None, 0, 0),
    };
    client.open(&mut out)?;
    let mut answer_at = None;
    loop {
        socket.send(&mut out).await?;
        if !told_ready && client.is_ready() {
            told_ready = true;
            let _over = events.send(Event::Ready);
        }
        if !told_done && seen.missing() == 0 && number == edits {
            told_done = true;
            let _over = events.send(Event::Done);
        }
        if client.owes() {
            answer_at.get_or_insert_with(|| Instant::now() + ANSWER_AFTER);
        } else {
            answer_at = None;
        }
        tokio::select! {
            changed = phase.changed() => {
                let now = match changed {
                    Ok(()) => *phase.borrow_and_update(),
                    Err(_) => Phase::Over,
                };
                match now {
                    Phase::Connecting => {}
                    Phase::Over => break,
                    _ if role == Role::Seeder => break,
                    Phase::Settling => {}
                    Phase::Going(start) => {
                        client.begin();
                        socket.received_bytes = 0;
                        if let Role::Writer(writer) = role {
                            ticks = Some(ticking(start, writer, load.writers, load.interval));
                        }
                    }
                }
            }
            () = tick(&mut ticks), if number < edits => {
                if let Role::Writer(writer) = role {
                    ledger.made(ledger.edit(writer, number));
                }
                client.edit(number, &mut out)?;
                number += 1;
            }
            () = at(answer_at) => client.answer(&mut out)?,
            bytes = socket.next() => client.receive(&bytes?, &mut out, &mut seen)?,
        }
    }
    let report = Report {
        role,
        seen,
        received_bytes: socket.received_bytes,
        version: client.version(),
    };
    socket.close().await;
    Ok(report)
}

/// The times of a writer's edits: writers take turns within the interval, and make up for what
/// they were late.
fn ticking(
    start: Instant,
    writer: usize,
    writers: usize,
    every: Duration,
) -> tokio::time::Interval {
    let turn = u32::try_from(writer).unwrap_or(0);
    let of = u32::try_from(writers).unwrap_or(1).max(1);
    let mut ticks = interval_at(start + every * turn / of, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}

/// Until that time, if there is one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn tick(ticks: &mut Option<tokio::time::Interval>) {
    match ticks {
        Some(ticks) => {
            ticks.tick().await;
        }
        None => std::future::pending().await,
    }
}
