//! Three machines that share a folder and no network (F10, F11): the document store as it is
//! in the server, moved by hand, under a syncer that tears, delays, reorders and repeats.
//!
//! `PLAINSYNC_SEEDS=2000 cargo test -p plainsync-tests --test shared_folder` runs more;
//! `PLAINSYNC_SEED=…` runs one. Names of devices and actors are drawn by the system, so a seed
//! repeats what happens and when, but not which of two equal values wins.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use plainsync::document::disk::RealDisk;
use plainsync::document::disk::faulty::FaultyDisk;
use plainsync::document::stepped::Stepped;
use plainsync::document::{DocumentsConfig, FileAnswer};
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::time::Millis;
use plainsync_tests::chance::Chance;
use plainsync_tests::folder_sync::Cloud;
use plainsync_tests::historic::picture;
use serde_json::{Value, json};
use tempfile::TempDir;

const MACHINES: usize = 3;

/// Seeds when `PLAINSYNC_SEEDS` names no number.
const SEEDS_DEFAULT: u64 = 50;

/// What happens in one run before everything is left to settle.
const STEPS: u64 = 150;

/// Rounds in which everything must have settled: machines that rewrite each other never do.
const ROUNDS_MAX: usize = 60;

struct World {
    _root: TempDir,
    folders: Vec<PathBuf>,
    states: Vec<PathBuf>,
    machines: Vec<Option<Stepped>>,
    cloud: Cloud,
    chance: Chance,
    made: u64,
    /// The fields that must be there in the end: by key of the job and name.
    ledger: BTreeMap<(String, String), Value>,
}

impl World {
    fn new(seed: u64) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let below = |name: String| {
            let path = root.path().join(name);
            fs::create_dir_all(&path).expect("a folder");
            path
        };
        let folders: Vec<_> = (0..MACHINES).map(|n| below(format!("files-{n}"))).collect();
        let states = (0..MACHINES).map(|n| below(format!("state-{n}"))).collect();
        Self {
            cloud: Cloud::new(folders.clone()),
            folders,
            states,
            machines: (0..MACHINES).map(|_| None).collect(),
            chance: Chance::new(seed),
            made: 0,
            ledger: BTreeMap::new(),
            _root: root,
        }
    }

    fn machine(&mut self, n: usize) -> &mut Stepped {
        let config = DocumentsConfig {
            state: Some(self.states[n].clone()),
            disk: Arc::new(FaultyDisk::new(RealDisk).without_syncs()),
            ..DocumentsConfig::new(&self.folders[n])
        };
        self.machines[n].get_or_insert_with(|| {
            Stepped::open(&config).unwrap_or_else(|error| panic!("machine {n}: {error}"))
        })
    }

    fn pick(&mut self) -> usize {
        usize::try_from(self.chance.below(MACHINES as u64)).expect("small")
    }

    fn step(&mut self) {
        let n = self.pick();
        match self.chance.below(100) {
            0..18 => self.edit(n),
            18..26 => self.edit_by_hand(n),
            26..55 => self.machine(n).turn(),
            55..90 => {
                for _ in 0..=self.chance.below(4) {
                    self.cloud.step(&mut self.chance);
                }
            }
            90..95 => self.machines[n] = None, // Killed; the next turn starts it again.
            95..97 => self.damage(n),
            97..98 => {
                // The private state is lost: the machine starts anew from the folder.
                self.machines[n] = None;
                if self.published_is_complete(n) {
                    fs::remove_dir_all(&self.states[n]).expect("removed");
                    fs::create_dir_all(&self.states[n]).expect("a folder");
                }
            }
            _ => {
                let answer = self.machine(n).answer_file(FileAnswer::Take);
                drop(answer); // Mostly nothing is asked.
            }
        }
    }

    fn edit(&mut self, n: usize) {
        self.made += 1;
        let (made, dice) = (self.made, self.chance.draw());
        let keys: Vec<String> = self
            .machine(n)
            .handle()
            .snapshot()
            .rows()
            .map(|row| row.key.0.clone())
            .collect();
        let value = if dice.is_multiple_of(7) {
            json!(picture(dice % 20))
        } else {
            json!(format!("made-{made}"))
        };
        let name = format!("field{made}");
        let set = json!({ (name.as_str()): value });
        let set = set.as_object().expect("an object").clone();
        let (key, edit) = if keys.is_empty() || dice % 5 == 1 {
            let key = format!("key-number-{made}");
            let insert = Edit::Insert {
                key: Key(key.clone()),
                record: set,
                order: None,
            };
            (key, insert)
        } else {
            let nth = usize::try_from(dice >> 8).unwrap_or(0) % keys.len();
            let change = Edit::Change {
                key: Key(keys[nth].clone()),
                set,
                unset: Vec::new(),
            };
            (keys[nth].clone(), change)
        };
        let edit = StampedEdit {
            id: EditId(format!("edit-number-{made:08}")),
            at: Millis(1_769_817_600_000 + made * 1000),
            edit,
        };
        self.machine(n).edit(edit).expect("it is applied");
        self.ledger.insert((key, name), value);
    }

    /// A person opens the file in an editor, adds a field to a job, and saves.
    fn edit_by_hand(&mut self, n: usize) {
        let path = self.folders[n].join("job_history.json");
        let Ok(text) = fs::read(&path) else { return };
        let Ok(mut file) = serde_json::from_slice::<Value>(&text) else {
            return; // Half arrived: nobody edits that.
        };
        self.made += 1;
        let (made, dice) = (self.made, self.chance.draw());
        let Some(jobs) = file["jobs"].as_array_mut().filter(|jobs| !jobs.is_empty()) else {
            return;
        };
        let nth = usize::try_from(dice >> 8).unwrap_or(0) % jobs.len();
        let (name, value) = (format!("hand{made}"), json!(format!("by-hand-{made}")));
        jobs[nth][name.as_str()] = value.clone();
        // Whose job it is says the field that every job was made with.
        let mark = jobs[nth]
            .as_object()
            .expect("a job")
            .keys()
            .find(|name| name.starts_with("field"))
            .cloned();
        let text = serde_json::to_string_pretty(&file).expect("text");
        fs::write(&path, text).expect("saved");
        self.ledger
            .insert((format!("with {}", mark.unwrap_or_default()), name), value);
    }

    /// Somebody or something harms this device's own published journal.
    fn damage(&mut self, n: usize) {
        for path in self.journals(n) {
            match self.chance.below(3) {
                0 => drop(fs::remove_file(&path)),
                1 => {
                    let bytes = fs::read(&path).expect("a journal");
                    fs::write(&path, &bytes[..bytes.len() / 3]).expect("cut");
                }
                _ => {
                    let mut bytes = fs::read(&path).expect("a journal");
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x55;
                    fs::write(&path, &bytes).expect("damaged");
                }
            }
        }
    }

    /// The published journals that machine `n` wrote.
    fn journals(&mut self, n: usize) -> Vec<PathBuf> {
        let machine = self.machine(n);
        let id = machine.handle().id().to_string();
        let mut devices = Vec::new();
        let mut folders = vec![self.states[n].clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name == "device") {
                    devices.push(fs::read_to_string(path).expect("a name").trim().to_owned());
                }
            }
        }
        let folder = self.folders[n].join(".plainsync").join(id);
        let paths = devices
            .iter()
            .map(|device| folder.join(format!("{device}.journal")));
        paths.filter(|path| path.exists()).collect()
    }

    /// Whether nothing would be lost with the private state, as after a while of quiet.
    fn published_is_complete(&mut self, n: usize) -> bool {
        for _ in 0..4 {
            self.machine(n).turn();
        }
        let whole = !self.journals(n).is_empty();
        self.machines[n] = None;
        whole
    }

    fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            for n in 0..MACHINES {
                for _ in 0..4 {
                    self.machine(n).turn();
                }
            }
            if self.cloud.sync_all() == 0 {
                return;
            }
        }
        panic!("F11: it never comes to rest");
    }

    fn assert_converged(&mut self) {
        let texts: Vec<String> = self
            .folders
            .iter()
            .map(|folder| fs::read_to_string(folder.join("job_history.json")).expect("a file"))
            .collect();
        let infos: Vec<_> = (0..MACHINES)
            .map(|n| self.machine(n).handle().info())
            .collect();
        for n in 0..MACHINES {
            assert_eq!(
                infos[n].heads, infos[0].heads,
                "F11: machine {n} is at another version"
            );
            assert_eq!(texts[n], texts[0], "F11: machine {n} has another file");
            assert!(
                infos[n].file_state.detail.is_none(),
                "F7: {:?}",
                infos[n].file_state
            );
        }
        let file: Value = serde_json::from_str(&texts[0]).expect("JSON");
        assert!(
            !texts[0].contains("blob:sha256-"),
            "F11: an image did not travel"
        );
        let snapshot = self.machine(0).handle().snapshot();
        let jobs = file["jobs"].as_array().expect("jobs");
        for ((key, name), value) in &self.ledger {
            let job = match key.strip_prefix("with ") {
                Some(mark) => jobs.iter().find(|job| job.get(mark).is_some()),
                None => {
                    let row = snapshot.get(&Key(key.clone()));
                    let label = row.map(|row| json!(row.label));
                    jobs.iter().find(|job| Some(&job["id"]) == label.as_ref())
                }
            };
            let found = job.and_then(|job| job.get(name));
            assert_eq!(found, Some(value), "F11: {name} of {key} is lost");
        }
        for folder in &self.folders {
            for entry in fs::read_dir(folder).expect("a folder") {
                let name = entry.expect("an entry").file_name();
                let name = name.to_string_lossy();
                let expected = ["job_history.json", "job_history.json.backup", ".plainsync"];
                let is_backup = name.contains("backup"); // Each machine has a backup of its own.
                assert!(
                    is_backup || expected.contains(&&*name),
                    "F10: {name} is left"
                );
            }
        }
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// D1, F5, F10, F11: whatever the syncer does, all machines end with the same file, byte for byte,
/// and nobody's edit is missing.
#[test]
fn f11_three_machines_that_share_a_folder_converge() {
    let seeds: Vec<u64> = match number_from("PLAINSYNC_SEED") {
        Some(seed) => vec![seed],
        None => (0..number_from("PLAINSYNC_SEEDS").unwrap_or(SEEDS_DEFAULT)).collect(),
    };
    let (mut edits, mut conflicts, mut faults) = (0, 0, 0);
    for seed in &seeds {
        let run = std::panic::catch_unwind(|| {
            let mut world = World::new(*seed);
            // The first machine was alone for a while: the others join its folder.
            world.edit(0);
            world.machine(0).turn();
            world.machine(0).turn();
            while world.cloud.sync_all() > 0 {}
            for _ in 0..STEPS {
                world.step();
            }
            world.settle();
            world.assert_converged();
            (world.made, world.cloud.conflicts, world.cloud.faults)
        });
        let Ok(run) = run else {
            panic!("PLAINSYNC_SEED={seed} fails");
        };
        edits += run.0;
        conflicts += run.1;
        faults += run.2;
    }
    eprintln!(
        "{} seeds, {edits} edits, {conflicts} conflict copies, {faults} torn, late or repeated arrivals",
        seeds.len()
    );
}
