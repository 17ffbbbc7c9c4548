//! `cargo xtask bench sync`: builds our server and the load, installs the others, and compares.
//!
//! A peer that cannot be installed or built is left out; the table says so.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    failure::{Done, OrAdvise},
    house::House,
    machine,
};

/// What to compare. Without options: all, three times.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs of each comparison; medians are printed
    #[arg(long, value_name = "N", default_value_t = 3)]
    runs: usize,
    /// Servers to compare
    #[arg(
        long,
        value_name = "SERVERS",
        value_delimiter = ',',
        default_value = "ours,automerge-repo,samod,y-websocket,hocuspocus"
    )]
    servers: Vec<String>,
    /// Loads, by their number of clients
    #[arg(long, value_name = "CLIENTS", default_value = "20,50")]
    loads: String,
    /// What clients do with what they get: `apply` it, or only `ack`nowledge it
    #[arg(long, value_name = "KINDS", default_value = "apply,ack")]
    kinds: String,
    /// Compares our server with itself instead: 100 and 100,000 jobs, few and 10,000 actors
    #[arg(long)]
    growth: bool,
    /// Records our server with `perf` into target/bench-profiles
    #[arg(long)]
    profile: bool,
}

/// Builds what is needed and compares.
///
/// # Errors
///
/// Fails when our server or the load does not build, or an option is not understood.
pub(crate) fn run(house: &House, options: &Options) -> Done {
    let wants = |names: &[&str]| {
        let mut servers = options.servers.iter();
        !options.growth && servers.any(|server| names.contains(&server.as_str()))
    };
    let ours = build(house, "plainsync", "plainsync", &[])?;
    let bench = build(house, "plainsync-bench", "plainsync-bench", &[])?;
    let mut command = house
        .shell
        .cmd(bench)
        .args(["sync", "--plainsync"])
        .arg(ours)
        .args(["--runs", &options.runs.to_string()])
        .args(["--servers", &options.servers.join(",")])
        .args(["--loads", &options.loads, "--kinds", &options.kinds]);
    if wants(&["samod"]) {
        match build(
            house,
            "plainsync-bench",
            "samod-peer",
            &["--features", "peers"],
        ) {
            Ok(samod) => command = command.arg("--samod").arg(samod),
            Err(failure) => eprintln!("samod is left out: {failure}"),
        }
    }
    if wants(&["automerge-repo", "y-websocket", "hocuspocus"]) {
        match peers(house) {
            Ok(folder) => command = command.arg("--node").arg(folder),
            Err(failure) => eprintln!("the servers in Node are left out: {failure}"),
        }
    }
    if options.growth {
        command = command.arg("--growth");
    }
    if options.profile {
        let folder = house.target.join("bench-profiles");
        command = command.arg("--profile").arg(folder);
    }
    command
        .run()
        .or_advise("`cargo xtask bench sync --help` tells what may be compared.")
}

/// Builds one program as users get it, and returns its path.
pub(super) fn build(
    house: &House,
    package: &str,
    program: &str,
    features: &[&str],
) -> Done<PathBuf> {
    house
        .cargo()
        .args(["build", "--release", "--package", package, "--bin", program])
        .args(features)
        .run()
        .or_advise("Mend what rustc names above and try again.")?;
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    Ok(house.target.join("release").join(name))
}

/// Puts the peers' scripts with the packages that they need into a folder of `target`.
fn peers(house: &House) -> Done<PathBuf> {
    let from = house.root.join("tests/bench/peers");
    let folder = house.target.join("bench-peers");
    let advice = "Check out the whole repository, and make its target folder writable.";
    fs::create_dir_all(&folder).or_advise(advice)?;
    for file in house.shell.read_dir(&from).or_advise(advice)? {
        let Some(name) = file.file_name() else {
            continue;
        };
        let is_wanted = |end| {
            Path::new(name)
                .extension()
                .is_some_and(|found| found == end)
        };
        if is_wanted("mjs") || is_wanted("json") {
            fs::copy(&file, folder.join(name)).or_advise(advice)?;
        }
    }
    machine::npm_packages(house, &folder)?;
    Ok(folder)
}
