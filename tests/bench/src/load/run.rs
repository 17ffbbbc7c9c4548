//! One run: all clients connect, the load goes, and the server is measured.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::drive::{Event, Phase, Report, Shared, drive};
use super::repo::RepoClient;
use super::yjs::YjsClient;
use super::{Client, Kind, Ledger, Load, LoadError, Protocol, Role};
use crate::measure::Usage;
use crate::peers::Running;

/// How long clients may take to connect and get the first records.
const CONNECT_MAX: Duration = Duration::from_secs(600);

/// How long after the last edit all clients may take to have every edit.
const CONVERGE_MAX: Duration = Duration::from_secs(60);

/// Before the edits begin, and before the server is measured after them: late answers and
/// what a server does after a pause, such as saving, count as its work too.
const QUIET: Duration = Duration::from_secs(1);

/// From the word that the load begins until the first edit.
const START_IN: Duration = Duration::from_millis(50);

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What each delivery took, in microseconds, in rising order.
    pub(crate) took_us: Vec<u64>,
    /// From the last edit until every client had every edit.
    pub(crate) converged_us: u64,
    /// Processor time of the server for each delivery.
    pub(crate) cpu_us: f64,
    /// Most memory that the server held at a time.
    pub(crate) peak_kib: u64,
    /// What each reader received, on average.
    pub(crate) received_bytes: u64,
}

/// Puts `load` on `server`.
///
/// # Errors
///
/// Fails if a client or the server does, and if not every client has every edit in time.
pub(crate) async fn run(server: &Running, load: Load, kind: Kind) -> Result<Outcome, LoadError> {
    let ledger = Arc::new(Ledger::new(load));
    let (phase, watching) = watch::channel(Phase::Connecting);
    let (events, heard) = mpsc::unbounded_channel();
    let shared = Shared {
        url: server.url.clone(),
        ledger: ledger.clone(),
        phase: watching,
        events,
    };
    let mut crowd = Crowd {
        clients: JoinSet::new(),
        heard,
        reports: Vec::new(),
    };
    // The seeder comes first, and stays until others are there: some servers forget a document
    // that nobody has open.
    let seeder = client(server, 0, Role::Seeder, kind, &ledger)?;
    crowd.add(seeder, Role::Seeder, shared.clone());
    crowd.wait(Event::Ready, 1, CONNECT_MAX).await?;
    for index in 1..=load.clients() {
        let role = match index {
            index if index <= load.writers => Role::Writer(index - 1),
            _ => Role::Reader,
        };
        let client = client(server, index, role, kind, &ledger)?;
        crowd.add(client, role, shared.clone());
        // One after the other: a large document takes each of them seconds to read, and who waits
        // for a turn of this machine's processors would look dead to the server.
        crowd.wait(Event::Ready, 1, CONNECT_MAX).await?;
    }
    drop(shared);
    let _nobody = phase.send(Phase::Settling);
    sleep(QUIET).await;

    let before = Usage::of(server.pid)?;
    let edits = u32::try_from(load.edits).unwrap_or(u32::MAX);
    let _nobody = phase.send(Phase::Going(Instant::now() + START_IN));
    let most = START_IN + load.interval * edits + CONVERGE_MAX;
    crowd
        .wait(Event::Done, load.clients(), most)
        .await
        .map_err(|error| match error {
            LoadError::Apart(reason) => LoadError::Apart(format!(
                "{reason}; {} of {} edits arrived",
                ledger.reached(),
                load.all_edits() * (load.clients() - 1),
            )),
            other => other,
        })?;
    sleep(QUIET).await;
    let after = Usage::of(server.pid)?;

    let _nobody = phase.send(Phase::Over);
    let reports = crowd.leave().await?;
    same_everywhere(&reports)?;
    Ok(outcome(&reports, &ledger, &before, &after))
}

/// All clients of a run.
struct Crowd {
    clients: JoinSet<Result<Report, LoadError>>,
    heard: mpsc::UnboundedReceiver<Event>,
    reports: Vec<Report>,
}

impl Crowd {
    fn add(&mut self, client: Box<dyn Client>, role: Role, shared: Shared) {
        self.clients.spawn(drive(client, role, shared));
    }

    /// Waits until `count` clients told `event`, and fails as soon as any client does.
    async fn wait(&mut self, event: Event, count: usize, most: Duration) -> Result<(), LoadError> {
        let mut told = 0;
        let give_up = Instant::now() + most;
        while told < count {
            tokio::select! {
                heard = self.heard.recv() => told += usize::from(heard == Some(event)),
                Some(ended) = self.clients.join_next() => self.reports.push(report(ended)?),
                () = sleep_until(give_up) => {
                    let seconds = most.as_secs();
                    return Err(LoadError::Apart(match event {
                        Event::Ready => format!("after {seconds} s {told} of {count} clients have the first records"),
                        Event::Done => format!("after {seconds} s {told} of {count} clients have every edit"),
                    }));
                }
            }
        }
        Ok(())
    }

    /// Waits until all clients have left, and returns what they leave.
    async fn leave(mut self) -> Result<Vec<Report>, LoadError> {
        while let Some(ended) = self.clients.join_next().await {
            self.reports.push(report(ended)?);
        }
        Ok(self.reports)
    }
}

fn report(
    ended: Result<Result<Report, LoadError>, tokio::task::JoinError>,
) -> Result<Report, LoadError> {
    ended.map_err(|error| LoadError::Socket(format!("a client fell over: {error}")))?
}

/// A client for `server`; `index` tells it from the others.
fn client(
    server: &Running,
    index: usize,
    role: Role,
    kind: Kind,
    ledger: &Arc<Ledger>,
) -> Result<Box<dyn Client>, LoadError> {
    let (document, ledger) = (&server.document, ledger.clone());
    Ok(match server.protocol {
        Protocol::Repo => Box::new(RepoClient::new(
            &format!("client-{index}"),
            document,
            role,
            kind,
            ledger,
        )?),
        protocol @ (Protocol::Yjs | Protocol::YjsNamed) => Box::new(YjsClient::new(
            index, document, protocol, role, kind, ledger,
        )),
    })
}

/// Checks that all who apply hold one version.
fn same_everywhere(reports: &[Report]) -> Result<(), LoadError> {
    let clients = reports.iter().filter(|report| report.role != Role::Seeder);
    let versions: BTreeSet<_> = clients.map(|report| &report.version).collect();
    match versions.len() {
        1 => Ok(()),
        several => Err(LoadError::Apart(format!(
            "the clients hold {several} different versions at the end"
        ))),
    }
}

fn outcome(reports: &[Report], ledger: &Ledger, before: &Usage, after: &Usage) -> Outcome {
    let load = ledger.load();
    let of = |role: Role| reports.iter().filter(move |report| report.role == role);
    let mut took_us: Vec<u64> = of(Role::Reader)
        .flat_map(|report| report.seen.took_us())
        .collect();
    took_us.sort_unstable();
    let last = reports.iter().map(|report| report.seen.last_us()).max();
    let received: u64 = of(Role::Reader).map(|report| report.received_bytes).sum();
    let used_us = after.cpu_us.saturating_sub(before.cpu_us);
    Outcome {
        converged_us: last.unwrap_or(0).saturating_sub(ledger.last_made_us()),
        cpu_us: used_us as f64 / load.deliveries() as f64,
        peak_kib: after.peak_kib,
        received_bytes: received / load.readers as u64,
        took_us,
    }
}
