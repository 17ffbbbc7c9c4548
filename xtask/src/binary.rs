//! The server binary: built with wasm and web inside, or built and run.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::House,
    web,
};

/// Builds `target/release/plainsync`, one file that needs nothing beside it, and returns its path.
///
/// # Errors
///
/// Fails when wasm, web or server do not build.
pub(crate) fn build(house: &House) -> Done<PathBuf> {
    web::build(house)?;
    house
        .cargo()
        .args([
            "build",
            "--release",
            "--package",
            "plainsync",
            "--bin",
            "plainsync",
        ])
        .run()
        .or_advise("Mend what rustc names above and try again.")?;
    Ok(house
        .target
        .join("release")
        .join(format!("plainsync{}", env::consts::EXE_SUFFIX)))
}

/// Builds the binary and becomes `plainsync serve --open ARGS` in the caller's folder.
///
/// # Errors
///
/// Fails when it does not build or cannot start; the server's own errors are its own.
pub(crate) fn serve(house: &House, args: Vec<OsString>) -> Done {
    let binary = build(house)?;
    let mut server = Command::new(&binary);
    server.arg("serve");
    if !args.iter().any(|arg| arg == "--open") {
        server.arg("--open");
    }
    server.args(args);
    eprintln!("$ {}", format!("{server:?}").replace('"', ""));
    become_program(server, &binary)
}

/// Replaces this process, so that Ctrl-C and signals reach the server alone and it can drain.
#[cfg(unix)]
fn become_program(mut program: Command, path: &Path) -> Done {
    use std::os::unix::process::CommandExt;
    let error = program.exec();
    Err(Failure::new(format!(
        "{} did not start: {error}. Run `cargo xtask build` again.",
        path.display()
    )))
}

/// Runs the program and waits for it.
#[cfg(not(unix))]
fn become_program(mut program: Command, path: &Path) -> Done {
    match program.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!(
            "plainsync stopped with {status}; its last line says why."
        ))),
        Err(error) => Err(Failure::new(format!(
            "{} did not start: {error}. Run `cargo xtask build` again.",
            path.display()
        ))),
    }
}
