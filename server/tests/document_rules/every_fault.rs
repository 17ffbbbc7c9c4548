//! Every single operation that changes a disk fails once: of the journal, the JSON, its backup,
//! the images, the published journal, the kept versions, the archive and the notes.
//!
//! One story is told once without a fault, to count its operations, and then once for each of
//! them, which fails as a full or broken disk does; a write that fails has written half.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use plainsync::document::disk::RealDisk;
use plainsync::document::disk::faulty::FaultyDisk;
use plainsync::document::stepped::Stepped;
use plainsync::document::{DocumentsConfig, FileCondition};
use serde_json::{Value, json};

use crate::support::{change, insert, key};

const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

struct Story {
    root: tempfile::TempDir,
    disk: FaultyDisk,
    /// What was acknowledged: by name of the job and field.
    acknowledged: BTreeMap<(String, String), Value>,
    backed_up: bool,
}

impl Story {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            disk: FaultyDisk::new(RealDisk).without_syncs(),
            acknowledged: BTreeMap::new(),
            backed_up: false,
        }
    }

    fn file(&self) -> PathBuf {
        self.root.path().join("files/job_history.json")
    }

    fn open(&self) -> Stepped {
        let config = DocumentsConfig {
            state: Some(self.root.path().join("state")),
            disk: Arc::new(self.disk.clone()),
            ..DocumentsConfig::new(self.root.path().join("files"))
        };
        // The one fault may be met here; the second attempt is a start after it.
        Stepped::open(&config).unwrap_or_else(|_| Stepped::open(&config).unwrap())
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
        self.backed_up |= backup.exists();
    }

    /// The whole story: edits, an image, a hand edit, a conflict copy, a deleted published
    /// journal, a restart.
    fn tell(&mut self) {
        let mut machine = self.open();
        self.turn(&mut machine);
        self.add(&mut machine, "one");
        self.add(&mut machine, "two");
        self.set(&mut machine, "two", "preview", json!(GIF));
        if let Ok(text) = fs::read_to_string(self.file()) {
            let text = text.replace("\"prompt\": \"one\"", "\"prompt\": \"one\", \"hand\": 1");
            fs::write(self.file(), &text).unwrap();
            self.turn(&mut machine);
            let copy = self.file().with_file_name("job_history (1).json");
            fs::write(
                copy,
                text.replace("\"hand\": 1", "\"hand\": 1, \"copy\": 2"),
            )
            .unwrap();
            self.turn(&mut machine);
        }
        self.set(&mut machine, "one", "width", json!(17));
        drop(machine); // Killed.
        let shared = self.root.path().join("files/.plainsync");
        for folder in fs::read_dir(shared).unwrap() {
            for entry in folder.unwrap().path().read_dir().into_iter().flatten() {
                let path = entry.unwrap().path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "journal")
                {
                    fs::remove_file(path).unwrap();
                }
            }
        }
        let mut machine = self.open();
        self.turn(&mut machine);
        self.add(&mut machine, "three");
    }

    /// After the fault: everything works again, and all that was acknowledged is there.
    fn check(&mut self, fault: &str) {
        self.disk.heal();
        let mut machine = self.open();
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
        for (field, value) in [("hand", 1), ("copy", 2)] {
            let found = snapshot
                .rows()
                .any(|row| row.job.get(field) == Some(&json!(value)));
            assert!(
                found
                    || !self
                        .acknowledged
                        .contains_key(&("one".into(), "prompt".into())),
                "F4, F10: {field} is lost after {fault}"
            );
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
        let other = self.open();
        assert_eq!(
            other.handle().info().heads,
            info.heads,
            "F11: after {fault}"
        );
    }
}

#[test]
fn s2_whichever_operation_fails_nothing_that_was_acknowledged_is_lost() {
    let mut story = Story::new();
    story.tell();
    let operations = story.disk.changes();
    story.check("nothing");
    assert!(operations > 150, "{operations} operations are hardly all");
    for nth in 1..=operations {
        let kind = [ErrorKind::StorageFull, ErrorKind::Other][nth % 2];
        let mut story = Story::new();
        story.disk.fail_nth(nth, kind);
        story.tell();
        story.check(&format!("{kind:?} at operation {nth} of {operations}"));
    }
    eprintln!("each of {operations} operations failed once");
}
