//! A story that meets every part of the disk side once: the journal, the JSON, its backup, the
//! images, the published journal, the kept versions, the archive and the notes.
//!
//! It is told on a disk that fails or loses its power, which may end it early; then
//! [`Story::check`] asks whether all that was acknowledged is there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plainsync::document::disk::{Disk, write_whole};
use plainsync::document::stepped::Stepped;
use plainsync::document::{DocumentsConfig, FileCondition};
use serde_json::{Value, json};

use crate::support::{change, insert, key};

const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

/// See the module's text.
pub struct Story<D> {
    pub disk: D,
    root: tempfile::TempDir,
    /// What was acknowledged: by name of the job and field.
    acknowledged: BTreeMap<(String, String), Value>,
    /// What a person saved by hand, and their editor had synced.
    saved: Vec<(&'static str, u64)>,
    backed_up: bool,
}

impl<D: Disk + Clone> Story<D> {
    /// A story in a new folder, on the disk that `disk` makes for it.
    pub fn new(disk: impl FnOnce(&Path) -> D) -> Self {
        let root = tempfile::tempdir().unwrap();
        Self {
            disk: disk(root.path()),
            root,
            acknowledged: BTreeMap::new(),
            saved: Vec::new(),
            backed_up: false,
        }
    }

    fn file(&self) -> PathBuf {
        self.root.path().join("files/job_history.json")
    }

    /// The second attempt is a start after the one fault that the first may have met.
    fn open(&self) -> Option<Stepped> {
        let config = DocumentsConfig {
            state: Some(self.root.path().join("state")),
            disk: Arc::new(self.disk.clone()),
            ..DocumentsConfig::new(self.root.path().join("files"))
        };
        let opened = Stepped::open(&config);
        opened.or_else(|_| Stepped::open(&config)).ok()
    }

    /// Saves as an editor does that replaces the file durably.
    fn save(&self, path: &Path, text: &str) -> io::Result<()> {
        write_whole(&self.disk, path, text.as_bytes(), None)
    }

    fn add(&mut self, machine: &mut Stepped, name: &str) {
        if machine.edit(insert(name)).is_ok() {
            let field = (name.to_owned(), "prompt".to_owned());
            self.acknowledged.insert(field, json!(name));
        }
        self.turn(machine);
    }

    fn set(&mut self, machine: &mut Stepped, name: &str, field: &str, value: Value) {
        let shown = if value == GIF {
            Value::Null
        } else {
            value.clone()
        };
        if machine.edit(change(name, field, value)).is_ok() {
            let field = (name.to_owned(), field.to_owned());
            self.acknowledged.insert(field, shown);
        }
        self.turn(machine);
    }

    /// Everything that is due happens; then the file and its backup are looked at.
    fn turn(&mut self, machine: &mut Stepped) {
        for _ in 0..4 {
            machine.turn();
            self.check_files();
        }
    }

    fn check_files(&mut self) {
        let backup = self.file().with_file_name("job_history.json.backup");
        for (path, must) in [(self.file(), false), (backup.clone(), self.backed_up)] {
            match fs::read(&path) {
                Ok(bytes) => {
                    let parsed: Result<Value, _> = serde_json::from_slice(&bytes);
                    assert!(parsed.is_ok(), "F1: {} is no JSON", path.display());
                }
                Err(error) => assert!(!must, "F2: {} is lost: {error}", path.display()),
            }
        }
        // Not while there is no power any more: it may never have become durable.
        self.backed_up |= backup.exists() && self.disk.list(self.root.path()).is_ok();
    }

    /// The whole story: edits, an image, a hand edit, a conflict copy, a deleted published
    /// journal, a restart. `None` if it could not be told to its end.
    pub fn tell(&mut self) -> Option<()> {
        let mut machine = self.open()?;
        self.turn(&mut machine);
        self.add(&mut machine, "one");
        self.add(&mut machine, "two");
        self.set(&mut machine, "two", "preview", json!(GIF));
        if let Ok(text) = fs::read_to_string(self.file()) {
            let text = text.replace("\"prompt\": \"one\"", "\"prompt\": \"one\", \"hand\": 1");
            let saved = self.save(&self.file(), &text).is_ok() && text.contains("\"hand\"");
            self.saved.extend(saved.then_some(("hand", 1)));
            self.turn(&mut machine);
            let copy = self.file().with_file_name("job_history (1).json");
            let text = text.replace("\"hand\": 1", "\"hand\": 1, \"copy\": 2");
            let saved = self.save(&copy, &text).is_ok() && text.contains("\"copy\"");
            self.saved.extend(saved.then_some(("copy", 2)));
            self.turn(&mut machine);
        }
        self.set(&mut machine, "one", "width", json!(17));
        drop(machine); // Killed.
        let shared = self.root.path().join("files/.plainsync");
        for folder in self.disk.list(&shared).ok()? {
            let folder = shared.join(folder);
            for name in self.disk.list(&folder).unwrap_or_default() {
                let path = folder.join(name);
                if path.extension().is_some_and(|ending| ending == "journal") {
                    self.disk.remove(&path).ok()?;
                }
            }
        }
        let mut machine = self.open()?;
        self.turn(&mut machine);
        self.add(&mut machine, "three");
        Some(())
    }

    /// After the fault: everything works again, and all that was acknowledged is there.
    pub fn check(&mut self, fault: &str) {
        self.check_files();
        let machine = self.open();
        let mut machine = machine.unwrap_or_else(|| panic!("it does not start after {fault}"));
        self.turn(&mut machine);
        if let Err(error) = machine.edit(insert("afterwards")) {
            panic!("after {fault}: {error}");
        }
        self.turn(&mut machine);
        let snapshot = machine.handle().snapshot();
        for ((name, field), value) in &self.acknowledged {
            let row = snapshot.get(&key(name));
            let row = row.unwrap_or_else(|| panic!("S2: {name} is lost after {fault}"));
            let found = row.job.get(field);
            assert!(
                found.is_some(),
                "S2: {field} of {name} is lost after {fault}"
            );
            assert!(
                value.is_null() || found == Some(value),
                "S2: {field} of {name} after {fault}"
            );
        }
        for (field, value) in &self.saved {
            let found = snapshot
                .rows()
                .any(|row| row.job.get(*field) == Some(&json!(value)));
            assert!(found, "F4, F10: {field} is lost after {fault}");
        }
        let info = machine.handle().info();
        assert_eq!(
            info.file_state.state,
            FileCondition::Ok,
            "after {fault}: {info:?}"
        );
        let file: Value = serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap();
        assert_eq!(
            file["sync"]["heads"],
            json!(info.heads),
            "the file is behind after {fault}"
        );
        let text = file.to_string();
        assert!(
            !text.contains("blob:sha256-"),
            "an image is lost after {fault}"
        );
        // Whoever has the folder alone has everything.
        drop(machine);
        fs::remove_dir_all(self.root.path().join("state")).unwrap();
        let other = self.open().unwrap();
        assert_eq!(
            other.handle().info().heads,
            info.heads,
            "F11: after {fault}"
        );
    }
}
