//! Tests of the whole system, one program: they are linked once, and run side by side.
//!
//! `cargo test -p plainsync-tests crash::` runs one file of them.

mod crash;
mod crowd;
mod damage;
mod git_merge;
mod historic;
mod hostile;
mod hostile_files;
mod interop;
mod legacy;
mod old_clients;
mod shared_folder;
mod simulator;
mod stale_clients;
mod three_servers;

/// Cargo does not look for tests here by itself, so a file that nobody named would never run.
#[test]
fn every_file_is_run() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let own = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).expect("the folder of this file") {
        let name = entry.expect("readable").file_name();
        let name = name.to_string_lossy();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(own.contains(&format!("mod {module};")), "{name} is not run");
        }
    }
}
