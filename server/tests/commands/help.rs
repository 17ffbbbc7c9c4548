//! Every `--help` is read before it is shipped: it equals a file beside this one.
//!
//! `PLAINSYNC_BLESS=1 cargo test -p plainsync --test commands help` writes the files anew.

use std::path::Path;
use std::process::Command;

use clap::CommandFactory as _;
use plainsync::cli::{Cli, exit};

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_plainsync"))
        .args(command)
        .arg("--help")
        .env("COLUMNS", "100")
        .env_remove("PLAINSYNC_TOKEN")
        .env_remove("PLAINSYNC_LOG")
        .output()
        .expect("it ran");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_help_text_is_as_it_was_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/help");
    let cli = Cli::command();
    let names = cli
        .get_subcommands()
        .map(|command| command.get_name().to_owned());
    for name in std::iter::once(String::new()).chain(names) {
        let arguments: Vec<&str> = Some(name.as_str())
            .filter(|name| !name.is_empty())
            .into_iter()
            .collect();
        let found = help(&arguments);
        let file = if name.is_empty() {
            "plainsync.txt".to_owned()
        } else {
            format!("{name}.txt")
        };
        let path = folder.join(file);
        if std::env::var_os("PLAINSYNC_BLESS").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &found).expect("written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "{} differs; PLAINSYNC_BLESS=1 writes it anew:\n{found}",
            path.display()
        );
        assert!(found.contains("Usage:"), "{found}");
    }
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let found = help(&[]);
    for code in [
        exit::FAILED,
        exit::USAGE,
        exit::ADDRESS,
        exit::FILE,
        exit::BUSY,
        exit::REFUSED,
        exit::BROKEN,
        exit::CONFIRM,
        exit::CHANGES,
        exit::DAMAGED,
    ] {
        let line = format!("\n  {code:<3}");
        assert!(found.contains(&line), "{code} is not in:\n{found}");
    }
}

#[test]
fn completions_and_manual_pages_are_made_of_the_same_words() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_plainsync"))
            .args(arguments)
            .output();
        let output = output.expect("it ran");
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(&["completions", shell]).contains("export"), "{shell}");
    }
    assert!(run(&["man"]).contains(".TH plainsync"));
    let folder = tempfile::tempdir().expect("a folder");
    run(&["man", folder.path().to_str().expect("a path")]);
    for page in ["plainsync.1", "plainsync-export.1", "plainsync-doctor.1"] {
        assert!(folder.path().join(page).exists(), "{page}");
    }
}
