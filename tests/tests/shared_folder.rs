//! Three machines that share a folder and no network (F10, F11): the document store as it is
//! in the server, moved by hand, under a syncer that tears, delays, reorders and repeats.
//!
//! `PLAINSYNC_SEEDS=2000 cargo test -p plainsync-tests shared_folder::` runs more;
//! `PLAINSYNC_SEED=…` runs one again, and with `PLAINSYNC_KEEP=1` it tells what happens and leaves
//! the folders of a failure behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use plainsync::document::disk::faulty::FaultyDisk;
use plainsync::document::disk::{RealDisk, replay_random};
use plainsync::document::stepped::Stepped;
use plainsync::document::{DocumentsConfig, FileAnswer};
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::time::Millis;
use plainsync_tests::chance::Chance;
use plainsync_tests::folder_sync::Cloud;
use plainsync_tests::historic::picture;
use plainsync_tests::seeds;
use serde_json::{Value, json};
use tempfile::TempDir;

const MACHINES: usize = 3;

/// Seeds when `PLAINSYNC_SEEDS` names no number.
const SEEDS_DEFAULT: u64 = 40;

/// What happens in one run before everything is left to settle.
const STEPS: u64 = 150;

/// Rounds in which everything must have settled: machines that rewrite each other never do.
const ROUNDS_MAX: usize = 60;

struct World {
    root: TempDir,
    folders: Vec<PathBuf>,
    states: Vec<PathBuf>,
    machines: Vec<Option<Stepped>>,
    cloud: Cloud,
    chance: Chance,
    made: u64,
    /// The fields that must be there in the end: by the field that the job was made with, and name.
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
            root,
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
            26..55 => self.turn(n),
            55..90 => {
                tell(|| "the cloud moves".to_owned());
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

    fn turn(&mut self, n: usize) {
        tell(|| format!("turn of {n}"));
        self.machine(n).turn();
        if *self.machine(n).handle().superseded().borrow() {
            self.machines[n] = None; // As a server does: it opens its documents again.
        }
    }

    /// How it begins, by the seed: everybody in one folder, the JSON ahead of its history, or
    /// each alone with a history of its own.
    fn begin(&mut self, seed: u64) {
        self.edit(0);
        self.turn(0);
        self.turn(0);
        match seed % 4 {
            0 | 1 => while self.cloud.sync_all() > 0 {},
            2 => {
                for n in 1..MACHINES {
                    let name = "job_history.json";
                    fs::copy(self.folders[0].join(name), self.folders[n].join(name))
                        .expect("copied");
                }
            }
            _ => {}
        }
        for n in 1..MACHINES {
            self.edit(n);
        }
    }

    fn edit(&mut self, n: usize) {
        self.made += 1;
        let (made, dice) = (self.made, self.chance.draw());
        let jobs: Vec<(String, String)> = self
            .machine(n)
            .handle()
            .snapshot()
            .rows()
            .map(|row| (row.key.0.clone(), mark_of(&row.job)))
            .collect();
        let value = if dice.is_multiple_of(7) {
            json!(picture(dice % 20))
        } else {
            json!(format!("made-{made}"))
        };
        let name = format!("field{made}");
        let set = json!({ (name.as_str()): value });
        let set = set.as_object().expect("an object").clone();
        let (mark, edit) = if jobs.is_empty() || dice % 5 == 1 {
            let key = format!("key-number-{made}");
            let insert = Edit::Insert {
                key: Key(key),
                record: set,
                order: None,
            };
            (name.clone(), insert)
        } else {
            let nth = usize::try_from(dice >> 8).unwrap_or(0) % jobs.len();
            let change = Edit::Change {
                key: Key(jobs[nth].0.clone()),
                set,
                unset: Vec::new(),
            };
            (jobs[nth].1.clone(), change)
        };
        let edit = StampedEdit {
            id: EditId(format!("edit-number-{made:08}")),
            at: Millis(1_769_817_600_000 + made * 1000),
            edit,
        };
        self.machine(n).edit(edit).expect("it is applied");
        tell(|| format!("edit {made} on {n}"));
        self.ledger.insert((mark, name), value);
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
        let mark = mark_of(jobs[nth].as_object().expect("a job"));
        tell(|| format!("edit {made} by hand on {n}"));
        let text = serde_json::to_string_pretty(&file).expect("text");
        fs::write(&path, text).expect("saved");
        self.ledger.insert((mark, name), value);
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
                    let text = fs::read_to_string(path).expect("a name");
                    devices.extend(text.lines().next().map(str::to_owned));
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
            self.turn(n);
        }
        let whole = !self.journals(n).is_empty();
        self.machines[n] = None;
        whole
    }

    fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            for n in 0..MACHINES {
                for _ in 0..4 {
                    self.turn(n);
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
        let jobs = file["jobs"].as_array().expect("jobs");
        for ((mark, name), value) in &self.ledger {
            // A file that was taken as it is before its history came may have brought a job twice.
            let mut same = jobs.iter().filter(|job| job.get(mark).is_some());
            let found = same.find_map(|job| job.get(name));
            assert_eq!(
                found,
                Some(value),
                "F11: {name} of the job with {mark} is lost"
            );
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

/// The field that a job was made with, which says which one it is.
fn mark_of(job: &serde_json::Map<String, Value>) -> String {
    let number = |name: &String| {
        name.strip_prefix("field")
            .and_then(|n| n.parse::<u64>().ok())
    };
    let first = job.keys().filter_map(number).min();
    format!("field{}", first.expect("a job of this test"))
}

fn tell(what: impl Fn() -> String) {
    if std::env::var_os("PLAINSYNC_KEEP").is_some() {
        eprintln!("-- {}", what());
    }
}

/// Writes what the document store logs, when `PLAINSYNC_KEEP` asks for it.
fn log() {
    if std::env::var_os("PLAINSYNC_KEEP").is_some() {
        let _ = tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .try_init();
    }
}

/// Seeds that failed once.
const SEEDS_KEPT: [u64; 4] = [163, 223, 351, 1515];

/// D1, F5, F10, F11: whatever the syncer does, all machines end with the same file, byte for byte,
/// and nobody's edit is missing. Half of the seeds in each of two tests, so that two cores share them.
#[test]
fn f11_three_machines_that_share_a_folder_converge() {
    match seeds::only() {
        Some(seed) => run([seed].into_iter()),
        None => run((0..seeds::count(SEEDS_DEFAULT)).step_by(2)),
    }
}

/// As [`f11_three_machines_that_share_a_folder_converge`].
#[test]
fn f11_three_more_machines_that_share_a_folder_converge() {
    if seeds::only().is_none() {
        let seeds = seeds::count(SEEDS_DEFAULT);
        let kept = SEEDS_KEPT.into_iter().filter(|kept| *kept >= seeds);
        run(kept.chain((1..seeds).step_by(2)));
    }
}

fn run(seeds: impl Iterator<Item = u64>) {
    log();
    let (mut runs, mut edits, mut conflicts, mut faults) = (0, 0, 0, 0);
    for seed in seeds {
        let run = std::panic::catch_unwind(|| {
            replay_random(seed);
            let mut world = World::new(seed);
            world.begin(seed);
            for _ in 0..STEPS {
                world.step();
            }
            if std::env::var_os("PLAINSYNC_KEEP").is_some() {
                eprintln!("see {}", world.root.path().display());
                world.root.disable_cleanup(true);
            }
            world.settle();
            world.assert_converged();
            (world.made, world.cloud.conflicts, world.cloud.faults)
        });
        let Ok(run) = run else {
            panic!("PLAINSYNC_SEED={seed} fails");
        };
        runs += 1;
        edits += run.0;
        conflicts += run.1;
        faults += run.2;
    }
    eprintln!(
        "{runs} seeds, {edits} edits, {conflicts} conflict copies, {faults} torn, late or repeated arrivals"
    );
}
