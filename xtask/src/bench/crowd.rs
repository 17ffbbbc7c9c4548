//! `cargo xtask bench idle` and `folder`: our server with many connections, or with many documents.

use super::{engine::Passed, sync::build};
use crate::{
    failure::{Done, OrAdvise},
    house::House,
};

/// Builds our server and what measures it, and measures.
///
/// # Errors
///
/// Fails when something does not build, or the server does not answer.
pub(super) fn run(house: &House, what: &str, passed: &Passed) -> Done {
    let ours = build(house, "plainsync", "plainsync", &[])?;
    let bench = build(house, "plainsync-bench", "plainsync-bench", &[])?;
    house
        .shell
        .cmd(bench)
        .args([what, "--plainsync"])
        .arg(ours)
        .args(&passed.args)
        .run()
        .or_advise("The last lines above say what stopped it; many connections need many open files (`ulimit -Hn`).")
}
