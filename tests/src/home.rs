//! A folder to serve, with the state that belongs to it, for one test.
//!
//! ```no_run
//! # async fn example() {
//! use plainsync_tests::home::Home;
//! let home = Home::new(env!("CARGO_PKG_NAME")); // In a test: the path of the program.
//! home.write(br#"{"jobs": [], "lastJobId": 1}"#);
//! let server = home.serve(&[]).await;
//! server.get("/health").await.ok();
//! server.stop().await;
//! assert!(home.json()["sync"].is_object());
//! # }
//! ```
//!
//! **Invariant:** nothing outside the folder is touched, and the folder goes with its value.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::served::{Served, until};

/// Longest wait for something that must happen, generous because tests share their machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// See the module's text.
#[derive(Debug)]
pub struct Home {
    root: TempDir,
    program: PathBuf,
}

/// How the program ended when it did not serve.
#[derive(Debug)]
pub struct Refusal {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stderr.
    pub words: String,
    /// What it wrote to stdout.
    pub data: String,
}

impl Home {
    /// An empty folder for `program`, which is the server; `PLAINSYNC_BIN` names another.
    #[must_use]
    pub fn new(program: &str) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("files")).expect("a folder to serve");
        let program = std::env::var_os("PLAINSYNC_BIN").map_or_else(|| program.into(), Into::into);
        Self { root, program }
    }

    /// The folder that is served.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("files")
    }

    /// The JSON file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder().join("job_history.json")
    }

    /// The private state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Writes the JSON file in place, as an editor does.
    pub fn write(&self, bytes: &[u8]) {
        fs::write(self.file(), bytes).expect("the file is written");
    }

    /// The JSON file's bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.file()).expect("the file is there")
    }

    /// The JSON file's text, once it is there and as asked: the server writes it only after it
    /// answered, and until then a new folder has none.
    pub async fn written(&self, what: &str, asked: impl Fn(&str) -> bool) -> String {
        until(what, || async {
            fs::read_to_string(self.file())
                .ok()
                .filter(|text| asked(text))
        })
        .await
    }

    /// The JSON file.
    #[must_use]
    pub fn json(&self) -> Value {
        parsed(&self.bytes())
    }

    /// The backup beside it.
    #[must_use]
    pub fn backup(&self) -> Value {
        let path = self.folder().join("job_history.json.backup");
        parsed(&fs::read(path).expect("there is a backup"))
    }

    /// The journal of the served file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        let folders = fs::read_dir(self.state()).expect("there is a state");
        let journals = folders
            .map(|folder| folder.expect("it can be listed").path())
            .map(|folder| folder.join("job_history.json/journal"));
        let mut found: Vec<_> = journals.filter(|path| path.is_file()).collect();
        assert_eq!(found.len(), 1, "one journal in {}", self.state().display());
        found.remove(0)
    }

    /// Removes what is published beside the file, as if a syncer had not brought it.
    pub fn unpublish(&self) {
        let folders = fs::read_dir(self.folder().join(".plainsync")).expect("our folder");
        for folder in folders {
            let folder = folder.expect("it can be listed").path();
            for entry in folder.read_dir().into_iter().flatten() {
                let path = entry.expect("it can be listed").path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "journal")
                {
                    fs::remove_file(path).expect("it can be removed");
                }
            }
        }
    }

    /// Everything the server logged so far, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.root.path().join("server.log")
    }

    /// Starts the server on a free port and waits until it listens.
    pub async fn serve(&self, arguments: &[&str]) -> Served {
        let mut command = self.command(&self.file(), arguments);
        Served::start(&mut command, self.log_path()).await
    }

    /// Starts the server on `path`, a file or a folder, at `port`, where 0 is a free one, and
    /// waits until it listens.
    pub async fn serve_at(&self, path: &Path, port: &str) -> Served {
        let mut command = Command::new(&self.program);
        self.dress(&mut command, path, port);
        Served::start(&mut command, self.log_path()).await
    }

    /// Starts the server by a shell that runs `prelude` first, such as `ulimit -f 100`.
    pub async fn serve_after(&self, prelude: &str) -> Served {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{prelude}; exec \"$0\" \"$@\"")])
            .arg(&self.program);
        self.dress(&mut command, &self.file(), "0");
        Served::start(&mut command, self.log_path()).await
    }

    /// Starts the server and kills it `after` that, wherever it is by then.
    pub async fn kill_at_start(&self, after: Duration) {
        let mut command = self.command(&self.file(), &[]);
        let none = Stdio::null;
        let command = command.kill_on_drop(true).stdin(none()).stdout(none());
        let mut child = command.stderr(none()).spawn().expect("the program starts");
        sleep(after).await;
        child.kill().await.expect("it is gone");
    }

    /// Starts the server where it must refuse to serve, and waits for its end.
    pub async fn refused(&self, path: &Path, arguments: &[&str]) -> Refusal {
        let mut command = self.command(path, arguments);
        let command = command.kill_on_drop(true).stdin(Stdio::null());
        let ended = timeout(PATIENCE, command.output()).await;
        let output = ended
            .expect("it ends by itself")
            .expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Refusal {
            code: output.status.code(),
            words: text(&output.stderr),
            data: text(&output.stdout),
        }
    }

    fn command(&self, path: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        self.dress(&mut command, path, "0");
        command.args(arguments);
        command
    }

    fn dress(&self, command: &mut Command, path: &Path, port: &str) {
        command
            .arg("serve")
            .arg(path)
            .args(["--port", port, "--log", "info", "--state"])
            .arg(self.state())
            .current_dir(self.root.path());
        // No test reaches a service outside, whatever the environment says.
        for name in ["PLAINSYNC_TOKEN", "PIXELLAB_API_KEY", "PIXELLAB_BASE_URL"] {
            command.env_remove(name);
        }
    }
}

/// Whether a program ended as it does after it was asked to stop.
#[must_use]
pub fn is_clean(status: ExitStatus) -> bool {
    status.code() == Some(0)
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(bytes);
        panic!("the file is no JSON ({error}): {text:.2000}")
    })
}
