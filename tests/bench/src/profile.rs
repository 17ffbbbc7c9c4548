//! `perf record` beside our server, to see where its time goes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::load::{Kind, Load};

/// Samples each second: not a round number, so that it falls in step with nothing.
const SAMPLES_PER_SECOND: &str = "1999";

/// A recording that goes on until the server ends.
#[derive(Debug)]
pub(crate) struct Recording {
    perf: Child,
    file: PathBuf,
}

/// Records the process `pid` into a file of `folder` that is called after load and kind.
///
/// # Errors
///
/// Fails with a sentence if `perf` cannot be started.
pub(crate) fn start(pid: u32, folder: &Path, load: &Load, kind: Kind) -> Result<Recording, String> {
    let failed = |error: std::io::Error| format!("perf does not start: {error}");
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = folder.join(format!("perf-{}-{kind}.data", load.clients()));
    let perf = Command::new("perf")
        .args(["record", "--quiet", "--freq", SAMPLES_PER_SECOND])
        .args(["--call-graph", "fp", "--pid", &pid.to_string(), "--output"])
        .arg(&file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    Ok(Recording { perf, file })
}

impl Recording {
    /// Waits until the recording is written, which is soon after the server's end.
    ///
    /// # Errors
    ///
    /// Fails with a sentence if `perf` does.
    pub(crate) async fn end(mut self) -> Result<(), String> {
        let status = self.perf.wait().await;
        match status.is_ok_and(|status| status.success()) {
            true => {
                eprintln!("  recorded: perf report --input {}", self.file.display());
                Ok(())
            }
            false => Err("perf failed; it said why above".to_owned()),
        }
    }
}
