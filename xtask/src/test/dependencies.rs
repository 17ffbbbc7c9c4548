//! The arrows of the house: core does no I/O, and wasm and server never meet.
//!
//! Core's whole tree is written down here, natively and for wasm. A crate that is new to it fails
//! the step until someone has looked at what it does and added it; none may read a clock, files or
//! the network.

use std::collections::BTreeSet;

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::{House, WASM_TARGET},
};

/// Every crate that core may build on, each looked at: they compute, and do nothing else.
///
/// Two of them could do more and are kept from it. `getrandom` comes with automerge, which draws an
/// actor only when none is passed in (clippy bans those calls in core). `chrono` is built
/// without `now` and `clock`, and so without a clock or time zones.
const CORE_MAY_USE: &[&str] = &[
    "adler2",
    "automerge",
    "base64",
    "block-buffer",
    "bs58",
    "chrono",
    "cfg-if",
    "chacha20",
    "const-oid",
    "cpufeatures",
    "crc",
    "crc-catalog",
    "crc32fast",
    "crypto-common",
    "digest",
    "either",
    "flate2",
    "generic-array",
    "getrandom",
    "hex",
    "hexane",
    "hybrid-array",
    "itertools",
    "itoa",
    "js-sys",
    "leb128",
    "litemap",
    "libc",
    "memchr",
    "minicbor",
    "miniz_oxide",
    "num-traits",
    "once_cell",
    "pin-project-lite",
    "proc-macro2",
    "quote",
    "rand",
    "rand_core",
    "rustc-hash",
    "rustversion",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "sha2",
    "simd-adler32",
    "smol_str",
    "syn",
    "thiserror",
    "thiserror-impl",
    "tinyvec",
    "tracing",
    "tracing-attributes",
    "tracing-core",
    "typenum",
    "unicode-ident",
    "unicode-segmentation",
    "version_check",
    "wasm-bindgen",
    "wasm-bindgen-macro",
    "wasm-bindgen-macro-support",
    "wasm-bindgen-shared",
    "zlib-rs",
    "zmij",
];

/// Features that would give a crate of core's tree a clock, files or a network.
const CORE_MAY_NOT_ENABLE: &[(&str, &[&str])] = &[("chrono", &["std", "now", "clock", "wasmbind"])];

/// Crates of processes: none may come near the browser's part. (tokio's channels come with `idb`;
/// its sockets and files would bring `mio` and `socket2`.)
const WASM_MAY_NOT_USE: &[&str] = &[
    "axum",
    "hyper",
    "mio",
    "plainsync",
    "reqwest",
    "socket2",
    "tempfile",
];

/// Crates of tabs: none may come near the server.
const SERVER_MAY_NOT_USE: &[&str] = &["plainsync-wasm", "wasm-bindgen", "web-sys"];

/// Checks every arrow.
///
/// # Errors
///
/// Fails with the first crate or feature that is where it may not be.
pub(super) fn check(house: &House) -> Done {
    for target in [None, Some(WASM_TARGET)] {
        let tree = tree(house, "plainsync-core", target)?;
        check_core(&tree)?;
        eprintln!(
            "core for {}: {} crates, each known to do no I/O",
            target.unwrap_or("this machine"),
            names(&tree).len()
        );
    }
    forbid(
        "plainsync-wasm",
        &tree(house, "plainsync-wasm", Some(WASM_TARGET))?,
        WASM_MAY_NOT_USE,
    )?;
    forbid(
        "plainsync",
        &tree(house, "plainsync", None)?,
        SERVER_MAY_NOT_USE,
    )?;
    eprintln!("wasm and server never meet");
    Ok(())
}

/// What `package` builds on, itself included: lines of `name features`, features parted by commas.
fn tree(house: &House, package: &str, target: Option<&str>) -> Done<Vec<String>> {
    let text = house
        .cargo()
        .args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p}|{f}",
        ])
        .args(target.iter().flat_map(|target| ["--target", target]))
        .quiet()
        .read()
        .or_advise("Run `cargo metadata` to see what is wrong with the manifests.")?;
    Ok(text.lines().filter_map(tidy).collect())
}

/// `serde_json v1.0.154|std` as `serde_json std`.
fn tidy(line: &str) -> Option<String> {
    let (package, features) = line.split_once('|')?;
    let name = package.split(' ').next()?;
    Some(format!("{name} {features}"))
}

fn names(tree: &[String]) -> BTreeSet<&str> {
    tree.iter()
        .filter_map(|line| line.split(' ').next())
        .collect()
}

fn check_core(tree: &[String]) -> Done {
    for name in names(tree) {
        if name != "plainsync-core" && !CORE_MAY_USE.contains(&name) {
            return Err(Failure::new(format!(
                "core now builds on `{name}`. Look whether it reads a clock, files or the network; if not, add it to CORE_MAY_USE in xtask/src/test/dependencies.rs, else do without."
            )));
        }
    }
    for line in tree {
        let (name, features) = line.split_once(' ').unwrap_or((line, ""));
        let Some((_, banned)) = CORE_MAY_NOT_ENABLE.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        if let Some(feature) = features.split(',').find(|feature| banned.contains(feature)) {
            return Err(Failure::new(format!(
                "core builds `{name}` with the feature `{feature}`, which lets it do I/O. Turn the feature off in Cargo.toml."
            )));
        }
    }
    Ok(())
}

fn forbid(package: &str, tree: &[String], banned: &[&str]) -> Done {
    match names(tree)
        .into_iter()
        .find(|name| *name != package && banned.contains(name))
    {
        None => Ok(()),
        Some(name) => Err(Failure::new(format!(
            "{package} builds on `{name}`, which it may never meet. See it with `cargo tree --package {package} --invert {name}` and remove the dependency."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(tree: &[&str]) -> Vec<String> {
        tree.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_line_of_cargo_tree_is_name_and_features() {
        assert_eq!(
            tidy("serde_json v1.0.154|std,alloc").as_deref(),
            Some("serde_json std,alloc")
        );
        assert_eq!(tidy("core v0.1.0 (/somewhere)|").as_deref(), Some("core "));
        assert_eq!(tidy(""), None);
    }

    #[test]
    fn a_crate_nobody_looked_at_is_refused() {
        assert!(check_core(&lines(&["plainsync-core ", "automerge default"])).is_ok());
        let failure =
            check_core(&lines(&["plainsync-core ", "tokio net"])).expect_err("tokio does I/O");
        assert!(failure.to_string().contains("`tokio`"), "{failure}");
    }

    #[test]
    fn a_feature_that_brings_a_clock_is_refused() {
        assert!(check_core(&lines(&["chrono alloc"])).is_ok());
        assert!(check_core(&lines(&["chrono alloc,clock"])).is_err());
    }

    #[test]
    fn wasm_and_server_may_not_meet() {
        assert!(
            forbid(
                "plainsync",
                &lines(&["plainsync ", "tokio net"]),
                SERVER_MAY_NOT_USE
            )
            .is_ok()
        );
        assert!(
            forbid(
                "plainsync",
                &lines(&["plainsync ", "web-sys "]),
                SERVER_MAY_NOT_USE
            )
            .is_err()
        );
    }
}
