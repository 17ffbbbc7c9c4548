//! Tells cargo when the embedded dashboard has changed.
//!
//! rust-embed notices when a file that it embedded changes, but not when new ones appear. Only
//! release builds embed; debug builds read the folder when they run.

#![allow(
    clippy::print_stdout,
    reason = "this is how a build script speaks to cargo"
)]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed=../web/dashboard/dist");
    } else if let Err(error) = std::fs::create_dir_all("../web/dashboard/dist") {
        // A folder that is absent when this compiles would stay unread when the dashboard is built.
        println!("cargo::warning=web/dashboard/dist cannot be made: {error}");
    }
}
