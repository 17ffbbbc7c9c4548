//! `cargo xtask bench idle`: builds our server and the crowd, and measures what idle connections cost.

use clap::Args;

use super::sync::build;
use crate::{
    failure::{Done, OrAdvise},
    house::House,
};

/// How large the crowd is.
#[derive(Args)]
pub(crate) struct Options {
    /// Connections of each kind
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connections: usize,
    /// How long the sync peers stay, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 40)]
    stay: u64,
}

/// Builds what is needed and measures.
///
/// # Errors
///
/// Fails when our server or the crowd does not build, or a connection is not taken.
pub(super) fn run(house: &House, options: &Options) -> Done {
    let ours = build(house, "plainsync", "plainsync", &[])?;
    let bench = build(house, "plainsync-bench", "plainsync-bench", &[])?;
    house
        .shell
        .cmd(bench)
        .args(["idle", "--plainsync"])
        .arg(ours)
        .args(["--connections", &options.connections.to_string()])
        .args(["--stay", &options.stay.to_string()])
        .run()
        .or_advise("The last line above says what stopped it; `ulimit -Hn` tells how many files may be open.")
}
