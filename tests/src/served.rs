//! The program as a process, and requests to it.
//!
//! **Invariant:** a process that was started here ends at the latest with its value, also when
//! a test panics; it is ended by its own id.

use std::fs::File;
use std::future::Future;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Once;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::home::{PATIENCE, is_clean};

/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A running server.
#[derive(Debug)]
pub struct Served {
    child: Child,
    log: PathBuf,
    /// Its address without a slash at its end, such as `http://127.0.0.1:49152`.
    pub url: String,
}

/// An answer, its body read to the end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, of whatever status.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The body as JSON; panics with what was answered unless the status is a 2xx.
    #[allow(
        clippy::must_use_candidate,
        reason = "often called to check the status alone"
    )]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or an empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Served {
    pub(crate) async fn start(command: &mut Command, log: PathBuf) -> Self {
        let words = File::options().create(true).append(true).open(&log);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(words.expect("a log"))
            .kill_on_drop(true);
        let mut child = command.spawn().expect("the program starts");
        let data = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(data).lines();
        let first = timeout(PATIENCE, lines.next_line()).await;
        let first = first.expect("it listens in time").expect("its output");
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let url = first.unwrap_or_else(|| panic!("it ended at its start: {}", said()));
        let url = url.trim_end_matches('/').to_owned();
        Self { child, log, url }
    }

    /// Where it listens, as `127.0.0.1:port`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Most memory that it has held at any time, in KiB; none where the system does not tell.
    #[must_use]
    pub fn peak_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().trim_end_matches(" kB").parse().ok()
    }

    /// Where replicas connect.
    #[must_use]
    pub fn sync_url(&self) -> String {
        format!("ws://{}/sync", self.host())
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.start_kill().expect("it runs");
        self.child.wait().await.expect("it ends");
    }

    /// Asks it to stop, and waits until it has: what was acknowledged is in the file then.
    pub async fn stop(mut self) {
        self.ask_to_stop();
        let status = self.ended().await;
        assert!(is_clean(status), "it ended with {status}: {}", self.said());
    }

    fn ask_to_stop(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).expect("it runs");
        kill_process(id, Signal::TERM).expect("it can be told");
    }

    async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("it does not stop: {}", self.said()))
            .expect("it ends")
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a request; `None` if the connection broke before the answer was whole.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Option<Answer> {
        try_send(&self.url, method, path, headers, body).await
    }

    /// Sends a request.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let answer = self.try_send(method, path, headers, body.into()).await;
        answer.unwrap_or_else(|| panic!("{method} {path}: no answer; {}", self.said()))
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Sends `body` as JSON.
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string()).await
    }
}

/// Sends a request to the server at `url`; `None` if no whole answer came.
pub async fn try_send(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Option<Answer> {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = client().request(method, format!("{url}{path}")).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response: Response = request.send().await.ok()?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.ok()?.to_vec();
    Some(Answer {
        status,
        headers,
        body,
    })
}

/// Waits until `holds` gives a value.
///
/// # Panics
///
/// After [`PATIENCE`], naming `what` did not come.
pub async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut holds: impl FnMut() -> F,
) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = holds().await {
            return found;
        }
        assert!(Instant::now() < give_up, "never came: {what}");
        sleep(LOOK).await;
    }
}

fn client() -> Client {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // An error means that somebody was first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    // A connection of its own for each request: each test has its own runtime, and servers die.
    Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}
