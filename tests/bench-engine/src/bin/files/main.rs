//! `cargo xtask bench files`: what the file side costs, from hand edits to the journal, on a real
//! disk, and which promised bounds hold.

mod history;
mod import;
mod journal;
mod machine;
mod rewrite;
mod traffic;

use clap::{Parser, ValueEnum};
use plainsync_bench_engine::fixed::Failed;
use plainsync_bench_engine::folder::Where;
use plainsync_bench_engine::report::Report;

/// Measures the file side of a server.
#[derive(Parser)]
struct Options {
    /// Measures this alone; may be given several times
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    #[command(flatten)]
    at: Where,
}

/// What is measured, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A hand-edited field is taken in
    Import,
    /// The JSON is rewritten
    Rewrite,
    /// Edits are acknowledged while the JSON is rewritten over and over
    Traffic,
    /// What an edit costs the journal
    Journal,
    /// The log, versions, and the start
    History,
}

fn main() -> Result<(), Failed> {
    let options = Options::parse();
    plainsync::document::keep_free_memory(); // As in the server.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(plainsync::document::answer_soon) // As in the server.
        .build()?;
    let mut report = Report::default();
    for part in Part::value_variants() {
        if !options.only.is_empty() && !options.only.contains(part) {
            continue;
        }
        let folder = options.at.make()?;
        match part {
            Part::Import => import::measure(&mut report, folder.path())?,
            Part::Rewrite => rewrite::measure(&mut report, folder.path())?,
            Part::Traffic => runtime.block_on(traffic::measure(&mut report, folder.path()))?,
            Part::Journal => runtime.block_on(journal::measure(&mut report, folder.path()))?,
            Part::History => runtime.block_on(history::measure(&report, folder.path()))?,
        }
    }
    report.end();
    Ok(())
}
