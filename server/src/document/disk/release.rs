//! Gives the space of a large file back in small steps, once nothing names the file any more.
//!
//! ```text
//! open it ─▶ its name is removed, or given to another file ─▶ nobody else has it open?
//!         ─▶ shortened by STEP_BYTES, synced, rest; and again, on a thread of its own
//! ```
//!
//! Where a file system tells the disk what it has freed (ext4 and others, mounted with
//! `discard`), freeing 55 MiB at once keeps every `fsync` on that disk waiting for some 10 ms,
//! a journal's too. In steps nobody notices.
//!
//! **Invariant:** a file that somebody else has open, or that has another name, is never
//! shortened: who reads the old version of a file reads all of it.

use std::path::Path;

#[cfg(target_os = "linux")]
pub(super) use linux::hold;

/// Files up to this long are freed at once, in bytes.
#[cfg(target_os = "linux")]
const AT_ONCE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// How much is freed at once of a longer one, in bytes.
#[cfg(target_os = "linux")]
const STEP_BYTES: u64 = 1024 * 1024;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{File, OpenOptions, symlink_metadata};
    use std::io;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    use std::thread;
    use std::time::Instant;

    use super::{AT_ONCE_BYTES_MAX, Path, STEP_BYTES};

    /// A large file that is about to lose its name.
    pub(in super::super) struct Held(pub(super) File);

    /// Opens what `path` names, if it is a large file; else there is nothing to do in steps.
    pub(in super::super) fn hold(path: &Path) -> Option<Held> {
        let found = symlink_metadata(path).ok()?;
        if !found.is_file() || found.len() <= AT_ONCE_BYTES_MAX {
            return None;
        }
        let file = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW) // Whatever has the name by now.
            .open(path);
        file.ok().map(Held)
    }

    impl Held {
        /// Frees the file, which has no name now, in the background.
        pub(in super::super) fn release(self) {
            // Without a thread it is freed here and at once: slower for others, no less right.
            let _ = thread::Builder::new()
                .name("release".to_owned())
                .spawn(move || self.shorten());
        }

        /// Frees the file in steps, if it is ours alone.
        ///
        /// # Errors
        ///
        /// Those of the file system; what is left is freed when the file is closed.
        pub(super) fn shorten(self) -> io::Result<()> {
            let found = self.0.metadata()?;
            if found.nlink() > 0 || !is_ours_alone(&self.0) {
                return Ok(());
            }
            let mut len = found.len();
            while len > 0 {
                len = len.saturating_sub(STEP_BYTES);
                let begun = Instant::now();
                self.0.set_len(len)?;
                self.0.sync_all()?;
                thread::sleep(begun.elapsed()); // As long as that took, the disk is left to others.
            }
            Ok(())
        }
    }

    /// Whether no other descriptor, of this process or another, and no memory map leads to `file`.
    ///
    /// A write lease is granted in just that case. It is given back at once: a file without a
    /// name cannot be opened by anybody any more.
    #[expect(
        unsafe_code,
        reason = "the kernel's only answer to this question; no crate wraps the call"
    )]
    fn is_ours_alone(file: &File) -> bool {
        let ask = |lease: libc::c_int| {
            // SAFETY: `file` keeps the descriptor open, and F_SETLEASE takes an int, no pointer.
            unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, lease) == 0 }
        };
        ask(libc::F_WRLCK) && ask(libc::F_UNLCK)
    }
}

/// Elsewhere files are freed at once.
#[cfg(not(target_os = "linux"))]
pub(super) struct Held;

#[cfg(not(target_os = "linux"))]
impl Held {
    pub(super) fn release(self) {}
}

#[cfg(not(target_os = "linux"))]
pub(super) fn hold(_path: &Path) -> Option<Held> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::{self, File};
    use std::io::Read as _;

    use super::*;

    /// A file of three steps more than is freed at once.
    const LEN: u64 = AT_ONCE_BYTES_MAX + 3 * STEP_BYTES;

    fn large() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large");
        let file = File::create(&path).expect("made");
        file.set_len(LEN).expect("grown");
        (folder, path)
    }

    #[test]
    fn f1_a_file_that_is_ours_alone_is_freed() {
        let (_folder, path) = large();
        let held = hold(&path).expect("it is large");
        let other = held.0.try_clone().expect("the same description");
        fs::remove_file(&path).expect("removed");
        held.shorten().expect("shortened");
        assert_eq!(other.metadata().expect("open").len(), 0);
    }

    #[test]
    fn f1_who_reads_a_file_that_is_replaced_reads_all_of_it() {
        let (_folder, path) = large();
        let mut reader = File::open(&path).expect("opened");
        let held = hold(&path).expect("it is large");
        fs::remove_file(&path).expect("removed");
        held.shorten().expect("left alone");
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes.len() as u64, LEN);
    }

    #[test]
    fn f1_a_file_with_another_name_stays_whole() {
        let (folder, path) = large();
        let link = folder.path().join("link");
        fs::hard_link(&path, &link).expect("linked");
        let held = hold(&path).expect("it is large");
        fs::remove_file(&path).expect("removed");
        held.shorten().expect("left alone");
        assert_eq!(fs::metadata(&link).expect("there").len(), LEN);
    }

    #[test]
    fn f1_small_files_folders_and_links_are_not_held() {
        let (folder, path) = large();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        fs::write(folder.path().join("small"), b"words").expect("written");
        for name in ["link", "small", "absent", "."] {
            assert!(hold(&folder.path().join(name)).is_none(), "{name}");
        }
    }
}
