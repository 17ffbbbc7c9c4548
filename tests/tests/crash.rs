//! `kill -9` of the server at random moments while two clients edit.
//!
//! A tab (a replica over the sync socket) and a program (requests) count upwards: each edit
//! writes the next number into two fields of a job at once. Whatever a client was told is on disk
//! must be there after any crash; what it was not told of may be there or not, but never
//! half; and at every moment the file and its backup parse. Meanwhile a person edits the file by
//! hand, whether the server runs or not: what was saved is in the document in the end.
//!
//! `PLAINSYNC_KILLS=100 cargo test -p plainsync-tests crash:: -- --nocapture` kills more
//! often; `PLAINSYNC_SEED` repeats the moments of a run as far as a real machine allows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plainsync_core::edit::{Edit, Key};
use plainsync_core::id::DocumentId;
use plainsync_tests::chance::Chance;
use plainsync_tests::historic::picture;
use plainsync_tests::home::Home;
use plainsync_tests::seeds::number_from;
use plainsync_tests::served::{Served, try_send, until};
use plainsync_tests::tab::Tab;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// Kills when `PLAINSYNC_KILLS` names no number.
const KILLS_DEFAULT: u64 = 15;

/// Kills in one folder; for more, a new one is begun. No server of this test lives long enough to
/// write a large file, so that every next one has more edits by hand to take in than the last.
const KILLS_PER_HOME_MAX: u64 = 100;

/// Longest life of a server, in milliseconds from when it listens.
const LIFE_MS_MAX: u64 = 600;

/// Edits that the tab makes without an acknowledgement before it waits for one.
const UNACKNOWLEDGED_MAX: usize = 40;

/// The job that both clients write to.
const SHARED: &str = "shared-by-both-clients";

/// The fields of one job that one client writes to, and how far it counted.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    made: u64,
    acknowledged: u64,
}

/// What must be found: by key of the job and name of the field.
type Ledger = Arc<Mutex<BTreeMap<(String, &'static str), Count>>>;

/// Where the server is at the moment; none while it is dead.
type Where = watch::Receiver<Option<String>>;

fn made(ledger: &Ledger, key: &str, field: &'static str) -> u64 {
    let mut ledger = ledger.lock().expect("no panic");
    let count = ledger.entry((key.to_owned(), field)).or_default();
    count.made += 1;
    count.made
}

fn acknowledged(ledger: &Ledger, key: &str, field: &'static str, number: u64) {
    let mut ledger = ledger.lock().expect("no panic");
    let count = ledger.entry((key.to_owned(), field)).or_default();
    count.acknowledged = count.acknowledged.max(number);
}

/// The fields that hold `number`: whoever sees one without the other sees half an edit.
fn fields(field: &str, number: u64) -> Map<String, Value> {
    let fields = json!({field: number, format!("{field}-again"): number});
    fields.as_object().expect("an object").clone()
}

fn own_key(field: &str, number: u64) -> String {
    format!("job-of-{field}-{number:05}")
}

/// Makes edits over the sync socket until `stop`, then until all are acknowledged.
async fn tab(
    mut tab: Tab,
    mut places: Where,
    ledger: Ledger,
    stop: watch::Receiver<bool>,
    seed: u64,
) -> Tab {
    const FIELD: &str = "tab";
    let mut chance = Chance::new(seed);
    let mut waiting: Vec<(String, u64)> = Vec::new();
    let mut keys = vec![SHARED.to_owned()];
    let shared = json!({"prompt": "edited by both", "width": 64});
    let record = shared.as_object().expect("an object").clone();
    tab.edit(Edit::Insert {
        key: Key(SHARED.to_owned()),
        record,
        order: None,
    })
    .await;
    loop {
        let stopping = *stop.borrow();
        if tab.is_acknowledged() {
            for (key, number) in waiting.drain(..) {
                acknowledged(&ledger, &key, FIELD, number);
            }
            if stopping {
                return tab;
            }
        }
        let place = places.borrow_and_update().clone();
        match place {
            Some(url) => {
                if !tab.is_connected() {
                    tab.connect(&format!("{}/sync", url.replace("http", "ws")))
                        .await;
                }
                tab.upload(&url).await;
            }
            None => sleep(Duration::from_millis(5)).await,
        }
        if !stopping && waiting.len() < UNACKNOWLEDGED_MAX {
            let is_new = chance.once_in(5);
            let key = if is_new {
                own_key(FIELD, keys.len() as u64)
            } else {
                keys[usize::try_from(chance.below(keys.len() as u64)).expect("an index")].clone()
            };
            let number = made(&ledger, &key, FIELD);
            let mut set = fields(FIELD, number);
            if chance.once_in(6) {
                set.insert("result".to_owned(), json!(picture(chance.below(50))));
            }
            let edit = if is_new {
                set.insert("prompt".to_owned(), json!("by the tab"));
                Edit::Insert {
                    key: Key(key.clone()),
                    record: set,
                    order: None,
                }
            } else {
                Edit::Change {
                    key: Key(key.clone()),
                    set,
                    unset: Vec::new(),
                }
            };
            if is_new {
                keys.push(key.clone());
            }
            waiting.push((key, number));
            tab.edit(edit).await;
        }
        tab.listen(Duration::from_millis(chance.below(15))).await;
    }
}

/// Listens, connecting again if need be, until `tab` has all that `server` has.
async fn catch_up(tab: &mut Tab, server: &Served) {
    let url = server.sync_url();
    loop {
        let health = server.get("/health").await.ok();
        let theirs = &health["documents"][0]["heads"];
        let mut ours: Vec<String> = tab
            .replica()
            .document()
            .heads()
            .iter()
            .map(ToString::to_string)
            .collect();
        ours.sort_unstable();
        if *theirs == json!(ours) {
            return;
        }
        if !tab.listen(Duration::from_millis(20)).await {
            tab.connect(&url).await;
        }
    }
}

/// Makes edits by requests until `stop`.
async fn program(mut places: Where, ledger: Ledger, stop: watch::Receiver<bool>, seed: u64) {
    const FIELD: &str = "program";
    let mut chance = Chance::new(seed);
    let mut keys: Vec<String> = Vec::new();
    let mut edit_id = 0_u64;
    while !*stop.borrow() {
        let Some(url) = places.borrow_and_update().clone() else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        let is_new = keys.is_empty() || chance.once_in(5);
        let key = match () {
            () if is_new => own_key(FIELD, edit_id), // Never again, if no answer comes.
            () if chance.once_in(3) => SHARED.to_owned(),
            () => keys[usize::try_from(chance.below(keys.len() as u64)).expect("an index")].clone(),
        };
        let number = made(&ledger, &key, FIELD);
        let mut set = fields(FIELD, number);
        if chance.once_in(6) {
            set.insert("result".to_owned(), json!(picture(chance.below(50))));
        }
        let edit = if is_new {
            set.insert("prompt".to_owned(), json!("by the program"));
            json!({"type": "insert", "key": key, "record": set})
        } else {
            json!({"type": "change", "key": key, "set": set})
        };
        edit_id += 1;
        let body = json!({"id": format!("edit-of-program-{edit_id:08}"), "at": 1_763_000_000_000_u64 + edit_id, "edit": edit});
        let headers = [("content-type", "application/json")];
        let answer = try_send(
            &url,
            "POST",
            "/api/v1/edits",
            &headers,
            body.to_string().into_bytes(),
        )
        .await;
        match answer {
            Some(answer) if answer.status.is_success() => {
                if is_new {
                    keys.push(key.clone());
                }
                acknowledged(&ledger, &key, FIELD, number);
            }
            // The shared job may not be there before the tab has connected for the first time.
            Some(answer) if key == SHARED && answer.status == 404 => {}
            Some(answer) => assert_eq!(answer.status, 503, "{}", answer.text()),
            None => sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Edits the file by hand until `stop`, as editors save: whole, by renaming. Each edit adds a
/// field to a job; returns how many were saved.
async fn person(file: PathBuf, stop: watch::Receiver<bool>, seed: u64) -> u64 {
    let mut chance = Chance::new(seed);
    let mut saved = 0;
    while !*stop.borrow() {
        sleep(Duration::from_millis(50 + chance.below(200))).await;
        let Ok(text) = std::fs::read(&file) else {
            continue;
        };
        let mut json: Value = serde_json::from_slice(&text).expect("the file parses");
        let jobs = json["jobs"].as_array_mut().expect("jobs");
        if jobs.is_empty() {
            continue;
        }
        let nth = usize::try_from(chance.below(jobs.len() as u64)).expect("an index");
        jobs[nth][hand_field(saved + 1)] = json!(true);
        let editing = file.with_extension("being-edited");
        let text = serde_json::to_string_pretty(&json).expect("text");
        std::fs::write(&editing, text).expect("written");
        std::fs::rename(&editing, &file).expect("saved");
        saved += 1;
    }
    saved
}

fn hand_field(number: u64) -> String {
    format!("by-hand-{number:05}")
}

/// Waits until everything that was saved by hand is in what `server` exports.
async fn until_hand_edits(server: &Served, saved: u64) {
    until("the hand edits to be taken in", || async {
        let text = server.get("/api/v1/export.json").await.text();
        (1..=saved)
            .all(|number| text.contains(&hand_field(number)))
            .then_some(())
    })
    .await;
}

/// Checks that nothing in `jobs` is half an edit, and returns how far each field counted.
fn counted<'a>(
    jobs: impl Iterator<Item = (&'a str, &'a Value)>,
) -> BTreeMap<(String, &'static str), u64> {
    let mut found = BTreeMap::new();
    for (key, job) in jobs {
        for field in ["tab", "program"] {
            assert_eq!(
                job.get(field),
                job.get(format!("{field}-again")),
                "half an edit in {job}"
            );
            if let Some(number) = job.get(field) {
                found.insert((key.to_owned(), field), number.as_u64().expect("a number"));
            }
        }
    }
    found
}

async fn rows(server: &Served) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut path = "/api/v1/jobs?limit=1000".to_owned();
    loop {
        let mut page = server.get(&path).await.ok();
        rows.append(page["jobs"].as_array_mut().expect("jobs"));
        let Some(next) = page["next"].as_str() else {
            return rows;
        };
        path = format!("/api/v1/jobs?limit=1000&after={next}");
    }
}

/// Everything that `promised` calls acknowledged is in `found`, and nothing that was never made.
fn assert_kept(
    found: &BTreeMap<(String, &'static str), u64>,
    promised: &BTreeMap<(String, &'static str), Count>,
    ledger: &Ledger,
) {
    for (place, count) in promised.iter().filter(|(_, count)| count.acknowledged > 0) {
        let found = found.get(place).copied().unwrap_or(0);
        assert!(
            found >= count.acknowledged,
            "{place:?}: {} was acknowledged, {found} is there",
            count.acknowledged
        );
    }
    let ledger = ledger.lock().expect("no panic");
    for (place, number) in found {
        let made = ledger.get(place).map_or(0, |count| count.made);
        assert!(
            *number <= made,
            "{place:?}: {number} is there, {made} was made"
        );
    }
}

async fn check(
    server: &Served,
    promised: &BTreeMap<(String, &'static str), Count>,
    ledger: &Ledger,
) {
    let rows = rows(server).await;
    let jobs = rows
        .iter()
        .map(|row| (row["key"].as_str().expect("a key"), &row["job"]));
    assert_kept(&counted(jobs), promised, ledger);
}

/// File and backup parse and hold no half edit.
fn check_files(home: &Home) {
    let backup = home.folder().join("job_history.json.backup");
    let files = [(home.file(), true), (backup, false)];
    for (path, _) in files
        .into_iter()
        .filter(|(path, must)| *must || path.exists())
    {
        let bytes = std::fs::read(&path).expect("it is there");
        let parsed: Result<Value, _> = serde_json::from_slice(&bytes);
        let file = parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let jobs = file["jobs"].as_array().expect("jobs");
        counted(jobs.iter().map(|job| ("", job)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_no_kill_loses_what_was_acknowledged() {
    let kills = number_from("PLAINSYNC_KILLS").unwrap_or(KILLS_DEFAULT);
    let seed = number_from("PLAINSYNC_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.expect("after 1970").as_secs()
    });
    let mut left = kills;
    while left > 0 {
        let kills = left.min(KILLS_PER_HOME_MAX);
        left -= kills;
        one_home(kills, seed.wrapping_add(left)).await;
    }
}

/// Kills the servers of one new folder `kills` times.
async fn one_home(kills: u64, seed: u64) {
    eprintln!("PLAINSYNC_SEED={seed} PLAINSYNC_KILLS={kills}");
    let began = Instant::now();
    let mut chance = Chance::new(seed);
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let health = server.get("/health").await.ok();
    let document: DocumentId = health["documents"][0]["id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("an id");
    server.stop().await;

    let ledger = Ledger::default();
    let (place, places) = watch::channel(None);
    let (stop, stopped) = watch::channel(false);
    let tab = tokio::spawn(tab(
        Tab::new(document, 1),
        places.clone(),
        Arc::clone(&ledger),
        stopped.clone(),
        chance.draw(),
    ));
    let person = tokio::spawn(person(home.file(), stopped.clone(), chance.draw()));
    let program = tokio::spawn(program(places, Arc::clone(&ledger), stopped, chance.draw()));

    let promised = || ledger.lock().expect("no panic").clone();
    let mut at_start = 0;
    for _ in 0..kills {
        let before = promised();
        if chance.once_in(4) {
            home.kill_at_start(Duration::from_millis(chance.below(200)))
                .await;
            check_files(&home);
            at_start += 1;
        }
        let server = home.serve(&[]).await;
        check(&server, &before, &ledger).await;
        place.send_replace(Some(server.url.clone()));
        sleep(Duration::from_millis(chance.below(LIFE_MS_MAX))).await;
        server.kill().await;
        place.send_replace(None);
        check_files(&home);
    }

    let before = promised();
    let server = home.serve(&[]).await;
    check(&server, &before, &ledger).await;
    place.send_replace(Some(server.url.clone()));
    sleep(Duration::from_millis(LIFE_MS_MAX)).await;
    stop.send_replace(true);
    let wait = Duration::from_secs(120);
    timeout(wait, program)
        .await
        .expect("the program ends")
        .expect("no panic");
    let by_hand = timeout(wait, person)
        .await
        .expect("the person ends")
        .expect("no panic");
    until_hand_edits(&server, by_hand).await;
    let mut tab = timeout(wait, tab)
        .await
        .expect("the tab is acknowledged")
        .expect("no panic");
    // The tab stopped when its own edits were acknowledged; the program's last ones may be under way.
    timeout(wait, catch_up(&mut tab, &server))
        .await
        .expect("the tab has what the server has");
    let promised = promised();
    check(&server, &promised, &ledger).await;
    let export = server.get("/api/v1/export.json").await;
    assert!(
        !export.text().contains("blob:sha256-"),
        "an image is missing"
    );
    server.stop().await;

    // The file has it all, and so does the tab.
    check_files(&home);
    assert_eq!(home.bytes(), export.body);
    let view = tab.replica().document().view();
    let jobs: Vec<_> = view
        .rows()
        .map(|row| (row.key.as_str(), Value::Object(row.job.clone())))
        .collect();
    assert_kept(
        &counted(jobs.iter().map(|(key, job)| (*key, job))),
        &promised,
        &ledger,
    );
    let sum = |of: fn(&Count) -> u64| promised.values().map(of).sum::<u64>();
    let (made, acknowledged) = (sum(|count| count.made), sum(|count| count.acknowledged));
    assert!(
        acknowledged > kills,
        "hardly anything happened: {acknowledged} edits"
    );
    eprintln!(
        "{kills} kills while it served, {at_start} while it started; {made} edits made, {acknowledged} acknowledged, {by_hand} saved by hand, {} jobs, {} bytes of JSON, {:.1} s",
        jobs.len(),
        export.body.len(),
        began.elapsed().as_secs_f64()
    );
}
