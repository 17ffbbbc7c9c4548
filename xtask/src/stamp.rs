//! Remembers what a step was last made from, so that it runs again only when that changed.
//!
//! Contents are compared, not times: a fresh clone or a checkout makes every file new.

use std::{
    fs,
    hash::{DefaultHasher, Hasher},
    io,
    path::{Path, PathBuf},
};

use crate::{
    failure::{Done, OrAdvise},
    house::House,
};

/// Folders that are made from other files and never read as input.
pub(crate) const MADE_FOLDERS: [&str; 6] = [
    "node_modules",
    "dist",
    "dist-fake",
    ".test",
    ".vite",
    "target",
];

/// What one step was made from; kept in the target folder.
pub(crate) struct Stamp {
    file: PathBuf,
    digest: String,
}

impl Stamp {
    /// The stamp of the step `name` made from the contents of `inputs`: files, or folders with all
    /// below them except what is itself made. A missing input counts as empty.
    pub(crate) fn of(house: &House, name: &str, inputs: &[PathBuf]) -> Done<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            digest_path(input, &mut hasher)
                .or_advise(&format!("Make {} readable and try again.", input.display()))?;
        }
        Ok(Self {
            file: house.target.join("xtask").join(format!("{name}.stamp")),
            digest: format!("{:016x}", hasher.finish()),
        })
    }

    /// Whether the step was last made from just these contents and left `output` behind.
    pub(crate) fn is_current(&self, output: &Path) -> bool {
        output.exists() && fs::read_to_string(&self.file).is_ok_and(|digest| digest == self.digest)
    }

    /// Remembers that the step has been made from these contents.
    pub(crate) fn keep(&self) -> Done {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&self.file, &self.digest))
            .or_advise(&format!(
                "Make {} writable and try again.",
                folder.display()
            ))
    }
}

fn digest_path(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes());
    if path.is_file() {
        let bytes = fs::read(path)?;
        hasher.write_usize(bytes.len());
        hasher.write(&bytes);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.retain(|entry| {
        !MADE_FOLDERS
            .iter()
            .any(|made| entry.file_name() == Some(made.as_ref()))
    });
    entries.sort();
    hasher.write_usize(entries.len());
    entries
        .iter()
        .try_for_each(|entry| digest_path(entry, hasher))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(path: &Path) -> u64 {
        let mut hasher = DefaultHasher::new();
        digest_path(path, &mut hasher).expect("the folder was just made");
        hasher.finish()
    }

    #[test]
    fn made_folders_do_not_count_and_contents_do() {
        let folder = std::env::temp_dir().join(format!("plainsync-stamp-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).expect("temp is writable");
        fs::write(folder.join("src/a.ts"), "1").expect("temp is writable");
        let first = digest(&folder);
        fs::create_dir_all(folder.join("dist")).expect("temp is writable");
        fs::write(folder.join("dist/a.js"), "1").expect("temp is writable");
        assert_eq!(digest(&folder), first, "a made folder counted");
        fs::write(folder.join("src/a.ts"), "2").expect("temp is writable");
        assert_ne!(digest(&folder), first, "a changed file did not count");
        fs::remove_dir_all(&folder).expect("the folder was ours");
    }
}
