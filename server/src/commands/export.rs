//! `plainsync export`: the jobs as JSON, CSV or an Excel sheet.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hyper::http::Method;

use super::reach::{Purpose, Reach};
use super::{Outcome, output, progress};
use crate::cli::Target;

/// What `plainsync export` accepts.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub format: Format,

    /// Where to write it; stdout when absent
    #[arg(short, long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// The document
    #[command(flatten)]
    pub target: Target,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The file itself, images inside
    Json,
}

/// Runs `plainsync export`.
pub(super) async fn run(args: ExportArgs) -> Outcome {
    let reach = Reach::open(&args.target, Purpose::Read, "export").await?;
    let path = reach.path("export.json");
    let exported = progress::during("exporting", reach.call(Method::GET, &path, None)).await?;
    reach.close().await;
    output::to_file(args.output.as_deref(), &exported.bytes)?;
    Ok(0)
}
