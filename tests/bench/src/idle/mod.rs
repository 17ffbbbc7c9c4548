//! What connections cost on which nobody says anything: memory of the server, and whether others are
//! answered meanwhile.
//!
//! Each kind gets a server of its own, since memory that was used once is not given back. Plain
//! connections ask once and wait, which the server lets them do for half a minute; sync peers get the
//! whole document, and answer pings from then on.
//!
//! **Invariant:** a figure counts only connections that the server itself says are open.

pub(crate) mod plain;
mod witness;

use std::fmt;
use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use self::witness::Witness;
use crate::load::{LoadError, lingering};
use crate::measure::resident_kib;
use crate::peers::{self, Programs, Running, Server};

/// Connections that are being made at a time.
const TOGETHER: usize = 64;

/// Connections that come from one address; each has some 28,000 ports.
const PER_ADDRESS: usize = 8_000;

/// Open files that we need beside the connections.
const FILES_BESIDE: u64 = 256;

/// Before memory is read: what was begun is over then.
const QUIET: Duration = Duration::from_secs(2);

/// How large the crowd is.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Connections of each kind
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connections: usize,
    /// How long the sync peers stay, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 40)]
    stay: u64,
    #[command(flatten)]
    programs: Programs,
}

/// What one kind of connections cost.
struct Row {
    kind: &'static str,
    asked: usize,
    open: usize,
    took: Duration,
    before_kib: u64,
    with_kib: u64,
    /// Healths that were answered meanwhile, and the longest that one took.
    healths: (usize, Duration),
}

/// Measures both kinds, and tells what came of it.
///
/// # Errors
///
/// A sentence: the system does not let so many files be open, or a connection failed.
pub(crate) async fn measured(options: &Options) -> Result<String, String> {
    raise_open_files(options.connections)?;
    let stay = Duration::from_secs(options.stay);
    let rows = [
        plain(options).await.map_err(|error| error.to_string())?,
        sync(options, stay)
            .await
            .map_err(|error| error.to_string())?,
    ];
    let mut text = format!("{}\n\n{}", crate::heading(), Row::HEAD);
    for row in rows.iter().flatten() {
        text.push_str(&row.to_string());
    }
    Ok(text)
}

/// Keep-alive connections that asked once.
async fn plain(options: &Options) -> Result<Vec<Row>, LoadError> {
    let (server, witness) = started(options).await?;
    let (row, crowd) = crowd(&server, &witness, options, "plain, asked once", |index| {
        plain::asked_once(server.host(), address(index))
    })
    .await?;
    drop(crowd);
    witness.end().await?;
    server.end().await;
    Ok(vec![row])
}

/// Sync peers that have the document, at once and after a while.
async fn sync(options: &Options, stay: Duration) -> Result<Vec<Row>, LoadError> {
    let (server, witness) = started(options).await?;
    let (row, crowd) = crowd(&server, &witness, options, "sync, joined", |index| {
        listening(&server, index)
    })
    .await?;
    sleep(stay).await; // Longer than the silence after which a peer is dropped.
    let later = Row {
        kind: "sync, a while later",
        open: witness.open("sync").await?,
        with_kib: resident_kib(server.pid)?,
        healths: witness.so_far(),
        ..row
    };
    drop(crowd);
    witness.end().await?;
    server.end().await;
    Ok(vec![row, later])
}

/// A sync peer that has the document, and answers pings until it is dropped.
async fn listening(server: &Running, index: usize) -> Result<JoinSet<()>, LoadError> {
    let mut socket = lingering::joined(server, index, address(index)).await?;
    let mut reading = JoinSet::new();
    reading.spawn(async move { while socket.next().await.is_ok() {} });
    Ok(reading)
}

/// A server with the document in it, and somebody who asks for its health all the time.
async fn started(options: &Options) -> Result<(Running, Witness), LoadError> {
    let server = peers::start(Server::Ours, &options.programs, 0).await;
    let server = server.map_err(|error| LoadError::Socket(error.to_string()))?;
    lingering::seed(&server).await?;
    let witness = Witness::of(server.host());
    sleep(QUIET).await;
    Ok((server, witness))
}

/// Makes all connections; what they cost, and they themselves.
async fn crowd<T, F>(
    server: &Running,
    witness: &Witness,
    options: &Options,
    kind: &'static str,
    connect: impl Fn(usize) -> F,
) -> Result<(Row, Vec<T>), LoadError>
where
    F: Future<Output = Result<T, LoadError>>,
{
    let before_kib = resident_kib(server.pid)?;
    let began = Instant::now();
    let crowd: Vec<T> = stream::iter(0..options.connections)
        .map(connect)
        .buffer_unordered(TOGETHER)
        .try_collect()
        .await?;
    let took = began.elapsed();
    sleep(QUIET).await;
    let of = kind.split(',').next().unwrap_or(kind);
    let row = Row {
        kind,
        asked: options.connections,
        open: witness
            .open(if of == "sync" { "sync" } else { "http" })
            .await?,
        took,
        before_kib,
        with_kib: resident_kib(server.pid)?,
        healths: witness.so_far(),
    };
    Ok((row, crowd))
}

/// Where the connection of that number comes from.
fn address(index: usize) -> Ipv4Addr {
    let nth = u8::try_from(index / PER_ADDRESS).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 0, 1, nth.saturating_add(1))
}

/// Lets this process have as many files open as the crowd needs.
fn raise_open_files(connections: usize) -> Result<(), String> {
    let needed = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(FILES_BESIDE);
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = now.maximum.filter(|maximum| *maximum < needed) {
        return Err(format!(
            "{connections} connections need {needed} open files; the system allows {maximum}"
        ));
    }
    let more = Rlimit {
        current: Some(needed),
        ..now
    };
    setrlimit(Resource::Nofile, more).map_err(|error| error.to_string())
}

impl Row {
    const HEAD: &'static str = "| kind | connections | open | made in | resident before | with them | each | /health meanwhile |\n|---|---|---|---|---|---|---|---|\n";

    /// Memory for each open connection, in KiB.
    fn each_kib(&self) -> f64 {
        let grown = self.with_kib.saturating_sub(self.before_kib);
        grown as f64 / self.open.max(1) as f64
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (answered, longest) = self.healths;
        writeln!(
            f,
            "| {} | {} | {} | {:.1} s | {:.1} MiB | {:.1} MiB | {:.1} KiB | {answered} answered, {} ms at most |",
            self.kind,
            self.asked,
            self.open,
            self.took.as_secs_f64(),
            self.before_kib as f64 / 1024.0,
            self.with_kib as f64 / 1024.0,
            self.each_kib(),
            longest.as_millis(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_connections_come_from_several_addresses() {
        assert_eq!(address(0), Ipv4Addr::new(127, 0, 1, 1));
        assert_eq!(address(9_999), Ipv4Addr::new(127, 0, 1, 2));
    }
}
