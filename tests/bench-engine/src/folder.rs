//! A folder that goes with the run, on the disk that the target folder is on.

use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::TempDir;

use crate::fixed::Failed;

/// Where files are measured.
#[derive(Args, Debug)]
pub struct Where {
    /// The folder on the disk that is measured; what is written there goes with the run. Without
    /// it, one in the target folder
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Where {
    /// A new folder there.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn make(&self) -> Result<TempDir, Failed> {
        // Not the system's folder for temporary files: that is often no disk at all.
        let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
        let folder = self.folder.clone().unwrap_or_else(target);
        std::fs::create_dir_all(&folder)?;
        Ok(tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(folder)?)
    }
}
