//! `plainsync completions` and `plainsync man`: what shells and `man` read, made from the same
//! words as `--help`.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::failure::Failure;
use super::{Outcome, output};
use crate::cli::{Cli, exit};

/// What its help says first.
pub(crate) const COMPLETIONS_ABOUT: &str =
    "Prints what a shell needs to complete plainsync's commands and options.";

/// What `plainsync completions` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync completions bash > ~/.local/share/bash-completion/completions/plainsync\n  \
        plainsync completions zsh > ~/.zfunc/_plainsync\n  \
        plainsync completions fish > ~/.config/fish/completions/plainsync.fish")]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// What its help says first.
pub(crate) const MAN_ABOUT: &str =
    "Prints the manual page of plainsync, or writes one page a command into a folder.";

/// What `plainsync man` accepts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
        plainsync man | man -l -\n  \
        plainsync man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Where to write the pages, made when absent; one page on stdout without it
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Runs `plainsync completions`.
pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plainsync", &mut text);
    output::data(&text)?;
    Ok(0)
}

/// Runs `plainsync man`.
pub(super) fn man(args: &ManArgs) -> Outcome {
    let cannot = |path: &Path, error: std::io::Error| {
        Failure::new(
            exit::FILE,
            format!("{} cannot be written: {error}", path.display()),
        )
    };
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        let rendered = Man::new(Cli::command()).render(&mut page);
        rendered.map_err(|error| Failure::new(exit::FAILED, error.to_string()))?;
        output::data(&page)?;
        return Ok(0);
    };
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| cannot(folder, error))?;
    Ok(0)
}
