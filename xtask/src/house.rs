//! The repository as the tasks see it: its folders, and a shell that stands at its root.

use std::{
    env,
    path::{Path, PathBuf},
};

use xshell::{Cmd, Shell};

use crate::failure::{Done, Failure, OrAdvise};

/// The target that the browser's part is built for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The repository's folders and a shell at its root.
pub(crate) struct House {
    /// The folder that holds the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// Runs commands from the root and prints each before it runs.
    pub(crate) shell: Shell,
}

impl House {
    /// Finds the repository that this task was started from.
    ///
    /// # Errors
    ///
    /// Fails when started by hand outside of the repository.
    pub(crate) fn find() -> Done<Self> {
        let from = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => env::current_dir().or_advise("Start it from the repository.")?,
        };
        let root = from
            .ancestors()
            .find(|folder| folder.join("rust-toolchain.toml").is_file())
            .map(Path::to_path_buf)
            .ok_or_else(|| {
                Failure::new("Not inside the repository: run `cargo xtask` from a folder of it.")
            })?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        let shell = Shell::new().or_advise("Start it from a folder that exists.")?;
        shell.change_dir(&root);
        Ok(Self {
            root,
            target,
            shell,
        })
    }

    /// A cargo command at the root.
    pub(crate) fn cargo(&self) -> Cmd<'_> {
        self.shell.cmd("cargo")
    }

    /// The folder that holds the npm workspaces of client and dashboard.
    pub(crate) fn web(&self) -> PathBuf {
        self.root.join("web")
    }

    /// The folder of the browser tests.
    pub(crate) fn browser_tests(&self) -> PathBuf {
        self.root.join("tests/browser")
    }

    /// The folder of the tests with clients that others wrote.
    pub(crate) fn interop_tests(&self) -> PathBuf {
        self.root.join("tests/interop")
    }

    /// Where the client finds the built wasm.
    pub(crate) fn client_wasm(&self) -> PathBuf {
        self.root.join("web/client/wasm")
    }
}
