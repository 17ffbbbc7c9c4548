//! A server as a process that says in its first line where it listens.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::StartError;

/// What a server says of itself.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) url: String,
    pub(super) document: String,
    pub(super) version: String,
}

/// Most lines of a server's complaints that are kept: the last ones.
const COMPLAINT_LINES_MAX: usize = 10;

/// A server's process, which ends with this value.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) child: Child,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    /// The last that it wrote to stderr.
    pub(super) fn said(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().cloned().collect()
    }
}

/// Starts `command` and returns the first line that it writes.
pub(super) async fn started(command: &mut Command) -> Result<(Process, String), StartError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(StartError::failed)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(StartError::failed("its output cannot be read"));
    };
    let said = Arc::new(Mutex::new(VecDeque::new()));
    let keep = said.clone();
    let listening = tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut said = keep.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_back(line);
            if said.len() > COMPLAINT_LINES_MAX {
                said.pop_front();
            }
        }
    });
    let process = Process { child, said };
    let mut lines = BufReader::new(stdout).lines();
    let Some(line) = lines.next_line().await.map_err(StartError::failed)? else {
        let _heard_all = listening.await;
        return Err(StartError::Failed(process.said().join(" ")));
    };
    // Whatever it says later is read and dropped, so that it never waits for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((process, line))
}

/// Starts a server that writes what it is as JSON.
pub(super) async fn telling(command: &mut Command) -> Result<(Process, Told), StartError> {
    let (process, line) = started(command).await?;
    let told: serde_json::Value = serde_json::from_str(&line).map_err(StartError::failed)?;
    let text = |name: &str| {
        let found = told[name].as_str().map(str::to_owned);
        found.ok_or_else(|| StartError::Failed(format!("its line has no {name}: {line}")))
    };
    let told = Told {
        url: text("url")?,
        document: text("document")?,
        version: text("version")?,
    };
    Ok((process, told))
}
