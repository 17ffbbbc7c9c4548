//! A bench: a folder, a state folder, a disk that can be made to fail, and short waits.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use plainsync::document::disk::RealDisk;
use plainsync::document::disk::faulty::FaultyDisk;
use plainsync::document::{
    DocumentHandle, Documents, DocumentsConfig, EditOutcome, FileCondition, OpenError, Pace,
};
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::time::Millis;
use serde_json::{Value, json};

/// Longest wait for anything that is sure to happen.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Longer than it takes to write the file and to find an edit of it.
pub const SETTLED: Duration = Duration::from_millis(600);

pub struct Bench {
    pub root: tempfile::TempDir,
    pub disk: FaultyDisk,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            disk: FaultyDisk::new(RealDisk),
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.root.path().join("dashboards")
    }

    pub fn file(&self) -> PathBuf {
        self.folder().join("job_history.json")
    }

    pub fn backup(&self) -> PathBuf {
        self.folder().join("job_history.json.backup")
    }

    pub fn config(&self) -> DocumentsConfig {
        DocumentsConfig {
            state: Some(self.root.path().join("state")),
            url: "http://127.0.0.1:8787/".to_owned(),
            pace: Pace {
                poll: Duration::from_millis(60),
                stable: Duration::from_millis(30),
                quiet: Duration::from_millis(20),
                busy: Duration::from_millis(200),
                retry: Duration::from_millis(50),
                follow: Duration::from_millis(20),
                rest_factor: 4,
            },
            disk: Arc::new(self.disk.clone()),
            ..DocumentsConfig::new(self.folder())
        }
    }

    pub async fn try_open(&self) -> Result<Documents, OpenError> {
        Documents::open(self.config()).await
    }

    pub async fn open(&self) -> Documents {
        self.try_open().await.unwrap()
    }

    /// Opens it, and adds records that its file holds on return.
    pub async fn open_with(&self, names: &[&str]) -> Documents {
        let documents = self.open().await;
        add(documents.default(), names).await;
        self.until_written(documents.default()).await;
        documents
    }

    /// Writes the JSON as a person's editor does.
    pub fn save(&self, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.folder()).unwrap();
        fs::write(self.file(), text).unwrap();
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap_or_default()
    }

    /// The only file of this name below the state folder.
    pub fn state_file(&self, name: &str) -> PathBuf {
        let mut found = Vec::new();
        let mut folders = vec![self.root.path().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().unwrap() == name {
                    found.push(path);
                }
            }
        }
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        found.remove(0)
    }

    /// The folder beside the JSON that holds what is ours of `document`.
    pub fn shared(&self, document: &DocumentHandle) -> PathBuf {
        let id = document.id().to_string();
        self.folder().join(".plainsync").join(id)
    }

    /// Removes what is published in the folder, as a syncer that has not brought it yet.
    pub fn unpublish(&self) {
        for folder in fs::read_dir(self.folder().join(".plainsync")).unwrap() {
            let folder = folder.unwrap().path();
            for entry in folder.read_dir().into_iter().flatten() {
                let path = entry.unwrap().path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "journal")
                {
                    fs::remove_file(path).unwrap();
                }
            }
        }
    }

    /// Loses the private state.
    pub fn lose_state(&self) {
        fs::remove_dir_all(self.root.path().join("state")).unwrap();
    }

    /// Waits until the JSON is as `accept` wants it.
    pub async fn until_file(&self, what: &str, accept: impl Fn(&Value) -> bool) -> Value {
        until(what, || Some(self.json()).filter(|json| accept(json))).await
    }

    /// Waits until the JSON is the version that `document` is at.
    pub async fn until_written(&self, document: &DocumentHandle) -> Value {
        self.until_file("the file is up to date", |json| {
            json["sync"]["heads"] == json!(document.info().heads)
        })
        .await
    }
}

/// Polls `look` until it gives something.
pub async fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let give_up = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < give_up, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the document says this of its file, and returns the detail.
pub async fn until_state(document: &DocumentHandle, state: FileCondition) -> String {
    until(&format!("{state:?}"), || {
        let found = document.info().file_state;
        (found.state == state).then(|| found.detail.unwrap_or_default())
    })
    .await
}

pub fn stamped(edit: Edit) -> StampedEdit {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    StampedEdit {
        id: EditId(format!("edit-{}-{n:012}", std::process::id())),
        at: Millis(1_769_817_600_000 + n),
        edit,
    }
}

pub fn key(name: &str) -> Key {
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    Key(format!("key-of-{name}"))
}

pub fn insert(name: &str) -> StampedEdit {
    let record = json!({"prompt": name, "width": 64, "height": 64});
    stamped(Edit::Insert {
        key: key(name),
        record: record.as_object().unwrap().clone(),
        order: None,
    })
}

pub fn change(name: &str, field: &str, value: Value) -> StampedEdit {
    stamped(Edit::Change {
        key: key(name),
        set: [(field.to_owned(), value)].into_iter().collect(),
        unset: Vec::new(),
    })
}

pub async fn add(document: &DocumentHandle, names: &[&str]) -> EditOutcome {
    let mut outcome = None;
    for name in names {
        outcome = Some(document.edit(insert(name)).await.unwrap());
    }
    outcome.unwrap()
}

/// The prompts of the list, in order.
pub fn prompts(document: &DocumentHandle) -> Vec<String> {
    let snapshot = document.snapshot();
    snapshot
        .rows()
        .map(|row| row.job["prompt"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The prompts in the JSON, in order.
pub fn prompts_in(json: &Value) -> Vec<&str> {
    let jobs = json["jobs"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    jobs.iter()
        .map(|job| job["prompt"].as_str().unwrap_or_default())
        .collect()
}
