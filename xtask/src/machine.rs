//! What must be on this machine: the wasm target, Node with npm, npm packages, Chromium.
//!
//! Installs what it may, says so first, and otherwise tells in one sentence what to install.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use xshell::cmd;

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::{House, WASM_TARGET},
    stamp::Stamp,
};

/// The oldest Node that the web tools run on, as major and minor version.
const NODE_VERSION_MIN: (u32, u32) = (20, 19);

/// Where Chromium is looked for on the PATH, in this order.
const CHROMIUM_NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Makes sure that the pinned toolchain can build for wasm.
///
/// # Errors
///
/// Fails when the target is absent and rustup cannot add it.
pub(crate) fn wasm_target(house: &House) -> Done {
    let shell = &house.shell;
    let sysroot = cmd!(shell, "rustc --print sysroot")
        .quiet()
        .read()
        .or_advise("Install Rust from https://rustup.rs and try again.")?;
    if Path::new(&sysroot)
        .join("lib/rustlib")
        .join(WASM_TARGET)
        .is_dir()
    {
        return Ok(());
    }
    eprintln!("The target {WASM_TARGET} is absent: adding it with rustup.");
    cmd!(shell, "rustup target add {WASM_TARGET}").run().or_advise(
        "Check the network, or add the target wasm32-unknown-unknown to your Rust toolchain by hand.",
    )
}

/// Makes sure that rustfmt and clippy of the pinned toolchain are there.
///
/// # Errors
///
/// Fails when one is absent and rustup cannot add it.
pub(crate) fn lint_tools(house: &House) -> Done {
    let shell = &house.shell;
    for (program, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if house
            .cargo()
            .args([program, "--version"])
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok()
        {
            continue;
        }
        eprintln!("{component} is absent: adding it with rustup.");
        cmd!(shell, "rustup component add {component}")
            .run()
            .or_advise(&format!(
                "Check the network, or install {component} by hand."
            ))?;
    }
    Ok(())
}

/// Makes sure that Node is new enough and npm is there.
///
/// # Errors
///
/// Fails when either is absent or too old.
pub(crate) fn node(house: &House) -> Done {
    let shell = &house.shell;
    let (major_min, minor_min) = NODE_VERSION_MIN;
    let advice = format!(
        "Install Node {major_min}.{minor_min} or newer with npm from https://nodejs.org and try again."
    );
    let text = cmd!(shell, "node --version")
        .quiet()
        .read()
        .or_advise(&advice)?;
    if version(&text).is_none_or(|found| found < NODE_VERSION_MIN) {
        return Err(Failure::new(format!("Node is {text}. {advice}")));
    }
    cmd!(shell, "npm --version")
        .quiet()
        .ignore_stderr()
        .read()
        .or_advise(&advice)?;
    Ok(())
}

/// Reads `v20.19.1` as (20, 19).
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Installs the npm packages that `folder`'s lock file names, unless they are there already.
///
/// # Errors
///
/// Fails when Node is too old, or npm cannot fetch a package.
pub(crate) fn npm_packages(house: &House, folder: &Path) -> Done {
    node(house)?;
    let name = folder
        .strip_prefix(&house.root)
        .unwrap_or(folder)
        .display()
        .to_string();
    let lock = folder.join("package-lock.json");
    let stamp = Stamp::of(
        house,
        &format!("npm-{}", name.replace(['/', '\\'], "-")),
        &[lock],
    )?;
    if stamp.is_current(&folder.join("node_modules/.package-lock.json")) {
        return Ok(());
    }
    eprintln!("Installing the npm packages of {name}.");
    let shell = &house.shell;
    let _there = shell.push_dir(folder);
    cmd!(shell, "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error").run().or_advise(&format!(
        "Check the network; if {name}/package.json was edited, run `npm install` in {name} and commit its package-lock.json."
    ))?;
    stamp.keep()
}

/// Finds Chromium: the path in `CHROMIUM`, else one on the PATH, else installs Debian's.
///
/// # Errors
///
/// Fails when there is none and it cannot be installed from here.
pub(crate) fn chromium(house: &House) -> Done<PathBuf> {
    let advice = "Install Chromium (Debian: `sudo apt-get install chromium`) or set CHROMIUM to the path of one.";
    if let Some(path) = env::var_os("CHROMIUM")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
    {
        return match path.is_file() {
            true => Ok(path),
            false => Err(Failure::new(format!(
                "CHROMIUM names {}, which is not a file. {advice}",
                path.display()
            ))),
        };
    }
    if let Some(found) = CHROMIUM_NAMES.iter().find_map(|name| on_path(name)) {
        return Ok(found);
    }
    if on_path("apt-get").is_none() || !is_root(house) {
        return Err(Failure::new(format!(
            "No Chromium for the browser tests was found. {advice}"
        )));
    }
    eprintln!("No Chromium was found: installing Debian's with apt-get.");
    let shell = &house.shell;
    cmd!(shell, "apt-get update").run().or_advise(advice)?;
    cmd!(
        shell,
        "apt-get install --yes --no-install-recommends chromium"
    )
    .env("DEBIAN_FRONTEND", "noninteractive")
    .run()
    .or_advise(advice)?;
    CHROMIUM_NAMES
        .iter()
        .find_map(|name| on_path(name))
        .ok_or_else(|| {
            Failure::new(format!(
                "apt-get installed no Chromium that can be found. {advice}"
            ))
        })
}

/// The program `name` on the PATH.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| fs::metadata(file).is_ok_and(|at| at.is_file()))
}

fn is_root(house: &House) -> bool {
    let shell = &house.shell;
    cmd!(shell, "id -u")
        .quiet()
        .ignore_stderr()
        .read()
        .is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        assert_eq!(version("v20.19.1\n"), Some((20, 19)));
        assert!(version("v22.4.0") > version("v20.19.0"));
        assert!(version("v20.9.0").expect("it parses") < NODE_VERSION_MIN);
        assert_eq!(version("nonsense"), None);
    }
}
