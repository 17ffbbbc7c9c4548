//! A server as a process that says in its first line where it listens.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::StartError;

/// What a server says of itself.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) url: String,
    pub(super) document: String,
    pub(super) version: String,
}

/// Most bytes of a server's complaint that are shown.
const COMPLAINT_BYTES_MAX: u64 = 300;

/// Starts `command` and returns the first line that it writes. It ends with the returned value.
pub(super) async fn started(command: &mut Command) -> Result<(Child, String), StartError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(StartError::failed)?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(StartError::failed("its output cannot be read"));
    };
    let mut lines = BufReader::new(stdout).lines();
    let Some(line) = lines.next_line().await.map_err(StartError::failed)? else {
        let mut complaint = String::new();
        let mut stderr = stderr.take(COMPLAINT_BYTES_MAX);
        let _unreadable = stderr.read_to_string(&mut complaint).await;
        return Err(StartError::Failed(complaint.replace('\n', " ")));
    };
    // Whatever it says later is read and dropped, so that it never waits for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    tokio::spawn(async move {
        let mut stderr = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = stderr.next_line().await {
            eprintln!("  it says: {line}");
        }
    });
    Ok((child, line))
}

/// Starts a server that writes what it is as JSON.
pub(super) async fn telling(command: &mut Command) -> Result<(Child, Told), StartError> {
    let (child, line) = started(command).await?;
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
    Ok((child, told))
}
