//! Somebody who asks for the server's health all the time, each time over a new connection.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::plain::ask;
use crate::load::LoadError;
use crate::load::lingering::connect_from;

/// Between an answer and the next question.
const PAUSE: Duration = Duration::from_millis(50);

/// Own connections that are open while it asks how many there are.
const OWN: usize = 1;

/// See the module's text.
pub(super) struct Witness {
    host: String,
    seen: Arc<Mutex<(usize, Duration)>>,
    asking: JoinHandle<LoadError>,
}

impl Witness {
    /// Begins to ask.
    pub(super) fn of(host: &str) -> Self {
        let seen = Arc::new(Mutex::new((0, Duration::ZERO)));
        let (host, noted) = (host.to_owned(), Arc::clone(&seen));
        let asking = tokio::spawn({
            let host = host.clone();
            async move {
                loop {
                    let began = Instant::now();
                    if let Err(error) = answered(&host, "/health").await {
                        return error;
                    }
                    {
                        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                        noted.0 += 1;
                        noted.1 = noted.1.max(began.elapsed());
                    }
                    sleep(PAUSE).await;
                }
            }
        });
        Self { host, seen, asking }
    }

    /// How many healths were answered, and the longest that one took.
    pub(super) fn so_far(&self) -> (usize, Duration) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections of `kind` are open, as the server itself counts them; without this one.
    ///
    /// # Errors
    ///
    /// Fails if it does not tell.
    pub(super) async fn open(&self, kind: &str) -> Result<usize, LoadError> {
        let text = answered(&self.host, "/metrics").await?;
        let name = format!("plainsync_connections_open{{kind=\"{kind}\"}} ");
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix(&name)?.parse().ok());
        let open: usize = found.ok_or_else(|| LoadError::Measure(format!("no {name}in {text}")))?;
        Ok(if kind == "http" {
            open.saturating_sub(OWN)
        } else {
            open
        })
    }

    /// Asks no more.
    ///
    /// # Errors
    ///
    /// One question was not answered.
    pub(super) async fn end(self) -> Result<(), LoadError> {
        self.asking.abort();
        match self.asking.await {
            Ok(error) => Err(error),
            Err(_stopped) => Ok(()),
        }
    }
}

async fn answered(host: &str, path: &str) -> Result<String, LoadError> {
    let mut stream = connect_from(host, Ipv4Addr::LOCALHOST).await?;
    ask(&mut stream, host, path).await
}
