//! The servers that are compared, and how each is started.
//!
//! Every run gets a new process with an empty folder; both go with [`Running`].

mod process;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plainsync_core::id::DocumentId;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::load::Protocol;

/// How long a server may take until it listens.
const START_MAX: Duration = Duration::from_secs(120);

/// Between two looks at a file that our server is about to write.
const LOOK: Duration = Duration::from_millis(20);

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Server {
    /// Plainsync: history, acknowledgements, and the disk synced before each
    Ours,
    /// automerge-repo's server in Node, with its storage on files
    AutomergeRepo,
    /// The Rust port of automerge-repo, with its storage on files
    Samod,
    /// The relay of y-websocket 2, in memory
    YWebsocket,
    /// Hocuspocus, in memory
    Hocuspocus,
}

impl Server {
    pub(crate) fn is_yjs(self) -> bool {
        matches!(self, Self::YWebsocket | Self::Hocuspocus)
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Ours | Self::AutomergeRepo | Self::Samod => Protocol::Repo,
            Self::YWebsocket => Protocol::Yjs,
            Self::Hocuspocus => Protocol::YjsNamed,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours",
            Self::AutomergeRepo => "automerge-repo",
            Self::Samod => "samod",
            Self::YWebsocket => "y-websocket",
            Self::Hocuspocus => "hocuspocus",
        })
    }
}

/// Where the servers' programs are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Programs {
    /// Our server's program
    #[arg(long, value_name = "FILE")]
    plainsync: PathBuf,
    /// The program of samod's server; without it, samod counts as not built
    #[arg(long, value_name = "FILE")]
    samod: Option<PathBuf>,
    /// The folder with the scripts and packages of the servers in Node; without it, they count as not installed
    #[arg(long, value_name = "FOLDER")]
    node: Option<PathBuf>,
}

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Running {
    process: process::Process,
    folder: TempDir,
    pub(crate) pid: u32,
    pub(crate) protocol: Protocol,
    pub(crate) url: String,
    pub(crate) document: String,
    pub(crate) version: String,
}

impl Running {
    fn of(
        server: Server,
        folder: TempDir,
        process: process::Process,
        told: process::Told,
    ) -> Result<Self, StartError> {
        let pid = process.child.id();
        let pid = pid.ok_or_else(|| StartError::failed("it has ended"))?;
        Ok(Self {
            process,
            folder,
            pid,
            protocol: server.protocol(),
            url: told.url,
            document: told.document,
            version: told.version,
        })
    }

    /// Its address and port.
    pub(crate) fn host(&self) -> &str {
        let host = self.url.trim_start_matches("ws://");
        host.split('/').next().unwrap_or(host)
    }

    /// The last that it wrote to stderr.
    pub(crate) fn said(&self) -> Vec<String> {
        self.process.said()
    }

    /// Ends it, and waits until it is gone.
    pub(crate) async fn end(mut self) {
        let _gone = self.process.child.kill().await;
        let _left = self.folder.close();
    }
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Its program or its packages are not there.
    #[error("not installed")]
    Absent,
    /// It did not start.
    #[error("does not start: {0}")]
    Failed(String),
}

impl StartError {
    fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Starts `server` with an empty folder, or ours with a file of `jobs`, and waits until it listens.
///
/// # Errors
///
/// - [`StartError::Absent`]: there is nothing to start.
/// - [`StartError::Failed`]: it ended, said nothing in time, or not what was expected.
pub(crate) async fn start(
    server: Server,
    programs: &Programs,
    jobs: usize,
) -> Result<Running, StartError> {
    let folder = tempfile::tempdir().map_err(StartError::failed)?;
    let started = async {
        match server {
            Server::Ours => ours(&programs.plainsync, folder.path(), jobs).await,
            Server::Samod => {
                let program = programs.samod.as_deref().ok_or(StartError::Absent)?;
                let mut command = Command::new(program);
                command.arg(folder.path());
                process::telling(&mut command).await
            }
            Server::AutomergeRepo | Server::YWebsocket | Server::Hocuspocus => {
                let scripts = programs.node.as_deref().ok_or(StartError::Absent)?;
                let mut command = Command::new("node");
                command
                    .arg(scripts.join(format!("{server}.mjs")))
                    .arg(folder.path());
                process::telling(&mut command).await
            }
        }
    };
    let (process, told) = in_time(started).await?;
    Running::of(server, folder, process, told)
}

/// What a server says that begins to listen.
async fn in_time(
    started: impl Future<Output = Result<(process::Process, process::Told), StartError>>,
) -> Result<(process::Process, process::Told), StartError> {
    timeout(START_MAX, started)
        .await
        .map_err(|_| StartError::Failed(format!("it is silent for {} s", START_MAX.as_secs())))?
}

/// Our server with a folder of so many documents, each of so many jobs; one more is the first, and empty.
///
/// # Errors
///
/// See [`start`].
pub(crate) async fn start_with_folder(
    programs: &Programs,
    documents: usize,
    jobs: usize,
) -> Result<Running, StartError> {
    let folder = tempfile::tempdir().map_err(StartError::failed)?;
    for number in 0..documents {
        let file = folder.path().join(format!("files/board-{number}.json"));
        // A file that names a document is served without being asked for; of one whose history is
        // not there a new document is made.
        let sync = serde_json::json!({
            "document": format!("automerge:{}", DocumentId::from_bytes(named(number))),
            "heads": ["00".repeat(32)],
        });
        write_jobs(&file, jobs, Some(&sync)).map_err(StartError::failed)?;
    }
    let (process, told) = in_time(ours(&programs.plainsync, folder.path(), 0)).await?;
    Running::of(Server::Ours, folder, process, told)
}

/// Bytes of a document's name, as random as need be.
fn named(number: usize) -> [u8; 16] {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    bytes
}

/// A file of `jobs` as somebody may have typed it.
fn write_jobs(file: &Path, jobs: usize, sync: Option<&Value>) -> std::io::Result<()> {
    let job = |number: usize| {
        serde_json::json!({
            "id": format!("job-{number}"), "prompt": format!("a knight, the {number}th"),
            "width": 64, "height": 64, "createdAt": 1_700_000_000_000_usize + number,
        })
    };
    let jobs: Vec<_> = (1..=jobs).map(job).collect();
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::json!({ "jobs": jobs });
    if let Some(sync) = sync {
        text["sync"] = sync.clone();
    }
    std::fs::write(file, text.to_string())
}

/// Our server, as people start it. It says where it listens; the document's name is in the file.
async fn ours(
    program: &Path,
    folder: &Path,
    jobs: usize,
) -> Result<(process::Process, process::Told), StartError> {
    let files = folder.join("files");
    std::fs::create_dir_all(&files).map_err(StartError::failed)?;
    let file = files.join("job_history.json");
    if jobs > 0 {
        write_jobs(&file, jobs, None).map_err(StartError::failed)?;
    }
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg(&files)
        .args(["--port", "0", "--log", "warn", "--state"])
        .arg(folder.join("state"));
    for name in ["PLAINSYNC_TOKEN", "PIXELLAB_API_KEY", "PIXELLAB_BASE_URL"] {
        command.env_remove(name);
    }
    let (process, line) = process::started(&mut command).await?;
    let host = line.trim().trim_end_matches('/');
    let host = host.strip_prefix("http://").unwrap_or(host);
    let document = loop {
        let text = tokio::fs::read(&file).await.unwrap_or_default();
        let value: Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(document) = value["sync"]["document"].as_str() {
            break document.trim_start_matches("automerge:").to_owned();
        }
        sleep(LOOK).await;
    };
    let told = process::Told {
        url: format!("ws://{host}/sync"),
        document,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    Ok((process, told))
}
