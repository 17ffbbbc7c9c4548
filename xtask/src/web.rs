//! Builds the npm client and the dashboard: `web/client`, then `web/dashboard`, into their `dist`.

use std::path::PathBuf;

use xshell::cmd;

use crate::{
    failure::{Done, OrAdvise},
    house::House,
    machine, packed,
    stamp::Stamp,
    wasm,
};

/// Builds what is not built yet and returns the folder that the server embeds.
///
/// # Errors
///
/// Fails when a package is missing or the TypeScript does not build.
pub(crate) fn build(house: &House) -> Done<PathBuf> {
    wasm::build(house)?;
    machine::npm_packages(house, &house.web())?;
    let folder = house.web().join("dashboard/dist");
    let stamp = Stamp::of(house, "web", &[house.web()])?;
    if stamp.is_current(&folder.join("index.html")) {
        return Ok(folder);
    }
    script(
        house,
        "build",
        "Mend what the build names above and try again.",
    )?;
    packed::siblings(&folder).or_advise("Make web/dashboard/dist writable and try again.")?;
    stamp.keep()?;
    Ok(folder)
}

/// Runs the script `name` of `web/package.json`.
///
/// # Errors
///
/// Fails with `advice` when the script does.
pub(crate) fn script(house: &House, name: &str, advice: &str) -> Done {
    let shell = &house.shell;
    let _there = shell.push_dir(house.web());
    cmd!(shell, "npm run --silent {name}")
        .run()
        .or_advise(advice)
}
