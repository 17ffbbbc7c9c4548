//! Builds the browser's part: cargo, then wasm-bindgen, then wasm-opt.
//!
//! wasm-bindgen runs as a library, so that no tool has to be installed and its version is the
//! one in Cargo.lock. The result goes to `web/client/wasm`: `plainsync_wasm.js`, its types, and
//! `plainsync_wasm_bg.wasm`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use wasm_bindgen_cli_support::Bindgen;
use xshell::cmd;

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::{House, WASM_TARGET},
    machine,
    stamp::Stamp,
};

/// The crate's name as its files carry it.
const NAME: &str = "plainsync_wasm";

/// What rustc uses on this target, and so what wasm-opt may use: the baseline of Rust 1.82 and later.
const FEATURES: [&str; 6] = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// How cargo is told flags for rustc; they are parted by [`FLAGS_BETWEEN`].
const FLAGS_VARIABLE: &str = "CARGO_ENCODED_RUSTFLAGS";
const FLAGS_BETWEEN: &str = "\u{1f}";

/// Builds what is not built yet and returns the path of the final wasm file.
///
/// # Errors
///
/// Fails when the code does not compile or a tool is missing; the text says which and what to do.
pub(crate) fn build(house: &House) -> Done<PathBuf> {
    machine::wasm_target(house)?;
    same_bindgen(house)?;
    house
        .cargo()
        .args(["fetch", "--locked"])
        .quiet()
        .run()
        .or_advise("Check the network and try again.")?; // So that the folders below are there.
    house
        .cargo()
        .env(FLAGS_VARIABLE, flags_without_paths(house))
        .args([
            "build",
            "--package",
            "plainsync-wasm",
            "--lib",
            "--profile",
            "web",
            "--target",
            WASM_TARGET,
        ])
        .run()
        .or_advise("Mend what rustc names above and try again.")?;
    machine::npm_packages(house, &house.web())?;

    let compiled = house
        .target
        .join(WASM_TARGET)
        .join("web")
        .join(format!("{NAME}.wasm"));
    let folder = house.client_wasm();
    let output = folder.join(format!("{NAME}_bg.wasm"));
    let inputs = [
        compiled.clone(),
        house.root.join("xtask/src/wasm.rs"),
        house.root.join("Cargo.lock"),
        house.web().join("package-lock.json"),
    ];
    let stamp = Stamp::of(house, "wasm", &inputs)?;
    if stamp.is_current(&output) {
        return Ok(output);
    }
    let bound = house.target.join("xtask").join("wasm");
    bind(&compiled, &bound)?;
    optimise(house, &bound.join(format!("{NAME}_bg.wasm")))?;
    publish(&bound, &folder).or_advise("Make web/client writable and try again.")?;
    stamp.keep()?;
    Ok(output)
}

/// Flags for rustc that leave this machine's folders out of the panic messages: shorter, and the same
/// wasm wherever it is built.
fn flags_without_paths(house: &House) -> String {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let sources = cargo_home
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .map(|home| home.join("registry/src"));
    let registries = sources
        .and_then(|sources| fs::read_dir(sources).ok())
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = registries.map(|registry| registry.path()).collect();
    folders.sort();
    folders.push(house.root.clone());
    let flags = folders
        .iter()
        .map(|folder| format!("--remap-path-prefix={}=", folder.display()));
    flags.collect::<Vec<_>>().join(FLAGS_BETWEEN)
}

/// Checks that library and tool of wasm-bindgen are one version: they share an unstable format.
fn same_bindgen(house: &House) -> Done {
    let lock = house
        .shell
        .read_file("Cargo.lock")
        .or_advise("Run `cargo metadata` once to make it.")?;
    let library = locked_version(&lock, "wasm-bindgen");
    let tool = locked_version(&lock, "wasm-bindgen-cli-support");
    if library == tool {
        return Ok(());
    }
    Err(Failure::new(format!(
        "wasm-bindgen is {} but wasm-bindgen-cli-support is {}: give both the same version in Cargo.toml, then run `cargo update --package` for each.",
        library.unwrap_or("absent"),
        tool.unwrap_or("absent"),
    )))
}

/// The version that the lock file gives to the package `name`.
fn locked_version<'lock>(lock: &'lock str, name: &str) -> Option<&'lock str> {
    let header = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.split_once(&header)?;
    rest.split_once('"').map(|(version, _)| version)
}

/// Writes the bindings of `compiled` into the folder `bound`, emptied first.
fn bind(compiled: &Path, bound: &Path) -> Done {
    eprintln!("$ wasm-bindgen --target web {}", compiled.display());
    if bound.exists() {
        fs::remove_dir_all(bound).or_advise("Make the target folder writable and try again.")?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)
        .map(|bindgen| {
            bindgen
                .input_path(compiled)
                .out_name(NAME)
                .typescript(true)
                .omit_default_module_path(false)
                .remove_name_section(true)
                .remove_producers_section(true)
        })
        .and_then(|bindgen| bindgen.generate(bound))
        .or_advise(
            "If it names versions, give wasm-bindgen and wasm-bindgen-cli-support the same one.",
        )
}

/// Shrinks and speeds up `module` in place.
fn optimise(house: &House, module: &Path) -> Done {
    let shell = &house.shell;
    let tool = house.web().join("node_modules/binaryen/bin/wasm-opt");
    let smaller = module.with_extension("opt");
    let features = FEATURES.map(|feature| format!("--enable-{feature}"));
    let passes = ["-Oz", "-Oz", "--strip-producers", "--strip-target-features"]; // The second finds what the first left.
    cmd!(shell, "node {tool} {module} --output {smaller} {passes...} --low-memory-unused {features...}").run().or_advise(
        "If it names a feature that is not enabled, add that feature to FEATURES in xtask/src/wasm.rs.",
    )?;
    fs::rename(&smaller, module).or_advise("Make the target folder writable and try again.")
}

/// Makes `folder` hold the files of `bound` and nothing else.
fn publish(bound: &Path, folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    copy_all(bound, folder)
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_tells_versions_of_exactly_that_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9.9.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
