//! `cargo xtask bench core`: what the engine's work costs at 100, 1,000 and 10,000 jobs, with
//! `--large` at 100,000, and how it grows.

mod actors;
mod growth;
mod pair;

use clap::Parser;
use plainsync_bench_engine::fixed::Failed;
use plainsync_bench_engine::report::Report;

/// Measures the engine: no disk, no network.
#[derive(Parser)]
struct Options {
    /// Measures 100,000 jobs, too
    #[arg(long)]
    large: bool,
}

fn main() -> Result<(), Failed> {
    let options = Options::parse();
    let mut report = Report::default();
    let sizes: &[usize] = match options.large {
        true => &[100, 1_000, 10_000, 100_000],
        false => &[100, 1_000, 10_000],
    };
    growth::measure(&report, sizes)?;
    actors::measure(&mut report)?;
    report.end();
    Ok(())
}
