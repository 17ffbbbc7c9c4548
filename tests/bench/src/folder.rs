//! What documents of a folder cost once nobody uses them any more.
//!
//! Every document is asked for its jobs in turn; then nobody asks, until the server itself says that
//! only the first is open.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::idle::plain::ask;
use crate::load::LoadError;
use crate::load::lingering::connect_from;
use crate::measure::{median, resident_kib};
use crate::peers::{self, Programs, Running};

/// Between two looks at what the server says.
const LOOK: Duration = Duration::from_millis(500);

/// How long the server may take, for each document, to look through the folder or to close it.
const EACH_MAX: Duration = Duration::from_millis(500);

/// And how long besides: it closes a document only when nobody used it for a while.
const REST_MAX: Duration = Duration::from_secs(300);

/// Of memory at the start, what the server may hold at the end.
const BOUND: f64 = 1.5;

/// How large the folder is.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Documents besides the first
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    documents: usize,
    /// Jobs of each
    #[arg(long, value_name = "N", default_value_t = 100)]
    jobs: usize,
    #[command(flatten)]
    programs: Programs,
}

/// Measures, and tells what came of it.
///
/// # Errors
///
/// The server does not start, does not answer, or does not close what nobody uses.
pub(crate) async fn measured(options: &Options) -> Result<String, LoadError> {
    let server = peers::start_with_folder(&options.programs, options.documents, options.jobs).await;
    let server = server.map_err(|error| LoadError::Socket(error.to_string()))?;
    let outcome = on(&server, options).await;
    if outcome.is_err() {
        for line in server.said() {
            eprintln!("it said: {line}");
        }
    }
    server.end().await;
    outcome
}

async fn on(server: &Running, options: &Options) -> Result<String, LoadError> {
    let began = Instant::now();
    let ids = found(server, options).await?;
    rested(server, options).await?;
    let (looked, before_kib) = (began.elapsed(), resident_kib(server.pid)?);
    let (mut took_ms, mut most_kib, mut most_open) = (Vec::new(), 0, 0);
    for id in &ids {
        let began = Instant::now();
        let text = answered(server, &format!("/api/v1/documents/{id}/jobs?limit=1")).await?;
        took_ms.push(began.elapsed().as_secs_f64() * 1e3);
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        if value["total"] != options.jobs {
            return Err(LoadError::Message(format!("document {id} answered {text}")));
        }
        most_kib = most_kib.max(resident_kib(server.pid)?);
        most_open = most_open.max(open(server).await?);
    }
    let slowest_ms = took_ms.iter().copied().fold(0.0, f64::max);
    let began = Instant::now();
    rested(server, options).await?;
    let (rested, after_kib) = (began.elapsed(), resident_kib(server.pid)?);
    let mib = |kib: u64| kib as f64 / 1024.0;
    let times = after_kib as f64 / before_kib as f64;
    let holds = if times <= BOUND { "holds" } else { "MISSED" };
    Ok(format!(
        "{}\n\n| {} documents of {} jobs | resident | open |\n|---|---|---|\n\
         | looked through in {:.1} s | {:.1} MiB | 1 |\n\
         | each asked for in turn: {:.0} ms in the middle, {slowest_ms:.0} ms at most | {:.1} MiB | {most_open} at most |\n\
         | {:.0} s later | {:.1} MiB, {times:.2} times (bound {BOUND}: {holds}) | 1 |\n",
        crate::heading(),
        ids.len(),
        options.jobs,
        looked.as_secs_f64(),
        mib(before_kib),
        median(took_ms),
        mib(most_kib),
        rested.as_secs_f64(),
        mib(after_kib),
    ))
}

/// The ids of all documents besides the first, once the server has looked through each.
async fn found(server: &Running, options: &Options) -> Result<Vec<String>, LoadError> {
    within(options, "to look through the folder", async || {
        let text = answered(server, "/api/v1/documents").await?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let all = value["documents"].as_array().into_iter().flatten();
        let ids: Vec<_> = all
            .filter_map(|document| document["id"].as_str())
            .map(|id| id.trim_start_matches("automerge:").to_owned())
            .filter(|id| *id != server.document)
            .collect();
        Ok((ids.len() == options.documents).then_some(ids))
    })
    .await
}

/// Waits until only the first document is open.
async fn rested(server: &Running, options: &Options) -> Result<(), LoadError> {
    within(options, "to close what nobody uses", async || {
        Ok((open(server).await? <= 1).then_some(()))
    })
    .await
}

/// Looks until there is something to see.
async fn within<T>(
    options: &Options,
    what: &str,
    look: impl AsyncFn() -> Result<Option<T>, LoadError>,
) -> Result<T, LoadError> {
    let documents = u32::try_from(options.documents).unwrap_or(u32::MAX);
    let longest = EACH_MAX.saturating_mul(documents) + REST_MAX;
    let seen = timeout(longest, async {
        loop {
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
            sleep(LOOK).await;
        }
    });
    seen.await.unwrap_or_else(|_late| {
        let waited = longest.as_secs();
        Err(LoadError::Message(format!(
            "the server took longer than {waited} s {what}"
        )))
    })
}

/// How many documents are open, as the server itself counts them.
async fn open(server: &Running) -> Result<u64, LoadError> {
    let text = answered(server, "/metrics").await?;
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix("plainsync_documents_open ")?.parse().ok());
    found.ok_or_else(|| LoadError::Measure(format!("no open documents in {text}")))
}

async fn answered(server: &Running, path: &str) -> Result<String, LoadError> {
    let mut stream = connect_from(server.host(), Ipv4Addr::LOCALHOST).await?;
    ask(&mut stream, server.host(), path).await
}
