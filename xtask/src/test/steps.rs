//! The steps that run other tools: cargo, npm, node.

use std::{
    env,
    path::{Path, PathBuf},
};

use xshell::cmd;

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::{House, WASM_TARGET},
    machine, wasm, web,
};

/// rustfmt finds nothing to change.
pub(super) fn format(house: &House) -> Done {
    machine::lint_tools(house)?;
    house
        .cargo()
        .args(["fmt", "--all", "--check"])
        .run()
        .or_advise("Run `cargo fmt --all`.")
}

/// clippy finds nothing, natively and in the crate that only compiles fully for wasm.
pub(super) fn lints(house: &House) -> Done {
    const ADVICE: &str = "Mend what clippy names above.";
    machine::lint_tools(house)?;
    machine::wasm_target(house)?;
    let deny = ["--", "-D", "warnings"];
    house
        .cargo()
        .args(["clippy", "--workspace", "--all-targets"])
        .args(deny)
        .run()
        .or_advise(ADVICE)?;
    house
        .cargo()
        .args([
            "clippy",
            "--package",
            "plainsync-wasm",
            "--target",
            WASM_TARGET,
        ])
        .args(deny)
        .run()
        .or_advise(ADVICE)
}

/// rustdoc finds nothing: no broken link, no public item without a sentence.
pub(super) fn docs(house: &House) -> Done {
    const ADVICE: &str = "Mend what rustdoc names above.";
    machine::wasm_target(house)?;
    let doc = || {
        house
            .cargo()
            .env("RUSTDOCFLAGS", "-D warnings")
            .args(["doc", "--no-deps"])
    };
    doc().arg("--workspace").run().or_advise(ADVICE)?;
    doc()
        .args(["--package", "plainsync-wasm", "--target", WASM_TARGET])
        .run()
        .or_advise(ADVICE)
}

/// Every Rust test of the workspace, the simulator's and the whole-system ones included.
pub(super) fn native(house: &House) -> Done {
    build_debug(house)?;
    house
        .cargo()
        .args(["test", "--workspace"])
        .run()
        .or_advise("Mend what failed above; a test that prints a seed replays it exactly.")
}

/// The tests that load the built wasm in Node.
pub(super) fn wasm(house: &House) -> Done {
    wasm::build(house)?;
    build_debug(house)?;
    let _native = house
        .shell
        .push_env("PLAINSYNC_MERGE", debug_program(house, "merge"));
    node_tests(
        house,
        &house.root.join("wasm/tests"),
        1,
        "Mend what failed above.",
    )
}

/// Types and unit tests of client and dashboard.
pub(super) fn web(house: &House) -> Done {
    web::build(house)?; // The dashboard's types come from the built client.
    web::script(house, "typecheck", "Mend the types that are named above.")?;
    web::script(house, "test", "Mend what failed above.")
}

/// Clients from npm that know nothing of us, against the server.
pub(super) fn interop(house: &House) -> Done {
    build_debug(house)?;
    let folder = house.interop_tests();
    machine::npm_packages(house, &folder)?;
    let _server = house
        .shell
        .push_env("PLAINSYNC_BIN", debug_program(house, "plainsync"));
    let _peers = house
        .shell
        .push_env("PLAINSYNC_PEERS", debug_program(house, "peers"));
    node_tests(house, &folder, 1, "Mend what failed above.")
}

/// The dashboard in Chromium against the server, both as users get them.
pub(super) fn browser(house: &House) -> Done {
    web::build(house)?;
    build_debug(house)?;
    let folder = house.browser_tests();
    machine::npm_packages(house, &folder)?;
    // Some of these tests bring clients of automerge-repo along.
    machine::npm_packages(house, &house.interop_tests())?;
    let chromium = machine::chromium(house)?;
    let _chromium = house.shell.push_env("CHROMIUM", chromium);
    let _server = house
        .shell
        .push_env("PLAINSYNC_BIN", debug_program(house, "plainsync"));
    let _peers = house
        .shell
        .push_env("PLAINSYNC_PEERS", debug_program(house, "peers"));
    node_tests(
        house,
        &folder,
        BROWSER_FILES_TOGETHER,
        "Mend what failed above; screenshots are in the folder artifacts.",
    )
}

/// A program that [`build_debug`] leaves.
fn debug_program(house: &House, name: &str) -> PathBuf {
    house
        .target
        .join("debug")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Builds what the tests run, with the features that `cargo test` unifies, so that nothing is built twice.
fn build_debug(house: &House) -> Done {
    house
        .cargo()
        .args(["build", "--workspace", "--bins", "--tests"])
        .run()
        .or_advise("Mend what rustc names above.")
}

/// How many files of browser tests run side by side: they wait for pages more than they compute.
const BROWSER_FILES_TOGETHER: usize = 3;

/// Runs every `*.test.mjs` file of `folder`, `together` of them at a time.
fn node_tests(house: &House, folder: &Path, together: usize, advice: &str) -> Done {
    machine::node(house)?;
    let mut files: Vec<_> = house
        .shell
        .read_dir(folder)
        .or_advise("Check out the whole repository.")?
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::new(format!(
            "{} holds no *.test.mjs file. Check out the whole repository.",
            folder.display()
        )));
    }
    let shell = &house.shell;
    let together = together.to_string();
    cmd!(
        shell,
        "node --test --test-concurrency={together} {files...}"
    )
    .run()
    .or_advise(advice)
}
