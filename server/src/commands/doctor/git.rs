//! What git needs to know: printed, never set.

use std::path::Path;

use super::super::{Outcome, output};

/// Prints the lines for `.gitattributes` and `.gitignore`, and the commands that name the merge
/// driver. Everything but the attribute is a comment, so that the text may be appended to
/// `.gitattributes` as it is.
pub(super) fn print(file: &Path) -> Outcome {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    output::data(
        format!(
            "# Merges {name} by Plainsync's rules, field by field. This line belongs into .gitattributes:\n\
             {name} merge=plainsync\n\
             \n\
             # These belong into .gitignore: the version before, locks, and what each machine makes for itself.\n\
             # {name}.backup\n\
             # .plainsync/lock\n\
             # .{name}.*.plainsync-tmp\n\
             \n\
             # Run once in each clone:\n\
             #   git config merge.plainsync.name 'Plainsync: merges jobs field by field'\n\
             #   git config merge.plainsync.driver 'plainsync merge-driver %O %A %B %P'\n\
             \n\
             # Commit .plainsync/ as well if other clones are to have the whole history; without it they merge three ways.\n"
        )
        .as_bytes(),
    )?;
    Ok(0)
}
