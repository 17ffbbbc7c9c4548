//! A folder, a state folder, and the program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// How long a command may take before it counts as hanging.
const HANGING: Duration = Duration::from_secs(120);

/// A history of two jobs, as the old server wrote it.
pub(crate) const OLD: &str = r#"{
  "version": "1.0",
  "jobs": [
    {"id": "job-1", "prompt": "a knight", "width": 64, "height": 64, "seed": null, "status": "idle", "result": null, "error": null, "startTime": null, "endTime": null, "duration": null, "createdAt": 1},
    {"id": "job-2", "prompt": "=1+1", "width": 32, "height": 32, "seed": "7", "status": "idle", "result": null, "error": null, "startTime": null, "endTime": null, "duration": null, "createdAt": 2}
  ],
  "lastJobId": 3
}"#;

/// A PNG of one pixel as a data URL.
pub(crate) const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Where a test happens; gone with it.
pub(crate) struct Home(TempDir);

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(home.folder()).expect("a folder");
        home
    }

    /// A home whose document holds `text` and was opened once.
    pub(crate) fn with(text: &str) -> Self {
        let home = Self::new();
        std::fs::write(home.file(), text).expect("written");
        home.run(&["import", home.file().to_str().expect("a path")])
            .expect(0);
        home
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path().join("folder")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("job_history.json")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Runs a command on this document.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    /// The same, with something on stdin.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        let document = if arguments[0] == "check" {
            None
        } else {
            Some("--file")
        };
        if let Some(flag) = document {
            command.arg(flag).arg(self.folder());
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let _closed = stdin.write_all(input.as_bytes()); // It need not read it.
        drop(stdin);
        said(finished(child, arguments))
    }

    /// The program with this home's state, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plainsync"));
        command
            .args(arguments)
            .arg("--state")
            .arg(self.state())
            .current_dir(self.root())
            .env_remove("PLAINSYNC_TOKEN")
            .env_remove("PLAINSYNC_LOG");
        command
    }

    /// Starts a server of this document and waits until it serves.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Served {
        let mut command = self.command(&["serve", "--port", "0", "--log", "warn"]);
        command
            .args(arguments)
            .arg(self.folder())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut url = String::new();
        out.read_line(&mut url).expect("it says where it serves");
        Served {
            child,
            url: url.trim().to_owned(),
        }
    }

    /// Every file below the home with its content, lock files apart.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let kind = path.symlink_metadata().expect("it is there").file_type();
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    found.push((path, bytes));
                } else {
                    found.push((path, Vec::new()));
                }
            }
        }
        found.sort();
        found
    }
}

impl Said {
    /// The same, if it ended with `code`.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A server that ends with the value.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a service manager does; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill").success());
        self.child.wait().expect("it ended").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill(); // It may have ended already.
        let _ended = self.child.wait();
    }
}

/// Waits for the end of `child`, and ends it if it hangs.
pub(crate) fn finished(child: Child, what: &[&str]) -> Output {
    let pid = child.id().to_string();
    let (reply, answer) = mpsc::channel();
    std::thread::spawn(move || reply.send(child.wait_with_output()));
    let Ok(output) = answer.recv_timeout(HANGING) else {
        let _ended = Command::new("kill").arg("-9").arg(pid).status();
        panic!("{what:?} hangs");
    };
    output.expect("it ended")
}

pub(crate) fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
