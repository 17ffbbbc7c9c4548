//! L2 with real requests: old pages that post their whole, stale lists, beside tabs that sync.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plainsync_core::edit::{Edit, Key};
use plainsync_core::id::DocumentId;
use plainsync_tests::chance::Chance;
use plainsync_tests::historic::history;
use plainsync_tests::home::Home;
use plainsync_tests::old_page::OldPage;
use plainsync_tests::served::{Served, until};
use plainsync_tests::tab::Tab;
use serde_json::{Map, Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// Whole-list saves of the long run.
const SAVES: usize = 500;

/// Steps after which the server is killed, and after which it is stopped and started again.
const KILLED_AT: usize = 210;
const STOPPED_AT: usize = 420;

/// How long a tab listens before it looks again whether it has what it waits for.
const LISTEN: Duration = Duration::from_millis(3);

async fn served() -> (Home, Served) {
    let home = Home::new(PROGRAM);
    home.write(history(30).to_string().as_bytes());
    let server = home.serve(&[]).await;
    (home, server)
}

async fn page(server: &Served, agent: &str) -> OldPage {
    let mut page = OldPage::new(agent);
    page.load(server).await;
    page
}

/// What the server shows to somebody who asks for the first time.
async fn shown(server: &Served) -> Vec<Value> {
    page(server, "somebody who looks").await.jobs
}

async fn in_bin(server: &Served) -> usize {
    let stats = server.get("/api/v1/stats").await.ok();
    usize::try_from(stats["bin"].as_u64().expect("a number")).expect("a small one")
}

fn with_prompt<'a>(jobs: &'a [Value], prompt: &str) -> Vec<&'a Value> {
    jobs.iter().filter(|job| job["prompt"] == prompt).collect()
}

#[tokio::test]
async fn l2_a_list_is_told_from_its_clients_earlier_ones_and_from_those_of_others() {
    let (_home, server) = served().await;
    let mut one = page(&server, "one").await;
    let mut other = page(&server, "other").await;
    assert_ne!(one.cookie, other.cookie);

    one.jobs.remove(4);
    one.add(1, "of one");
    one.save(&server).await.ok();
    other.job_mut("job-2")["prompt"] = json!("by other");
    other.add(2, "of other");
    other.save(&server).await.ok();
    one.job_mut("job-3")["prompt"] = json!("by one");
    one.save(&server).await.ok();

    let jobs = shown(&server).await;
    assert_eq!(jobs.len(), 31, "one removed, two added");
    for prompt in ["of one", "by other", "of other", "by one"] {
        assert_eq!(with_prompt(&jobs, prompt).len(), 1, "{prompt}");
    }
    // Each may remove what it made itself, although the other never saw it.
    one.jobs.retain(|job| job["prompt"] != "of one");
    one.save(&server).await.ok();
    let jobs = shown(&server).await;
    assert_eq!(with_prompt(&jobs, "of one").len(), 0);
    assert_eq!(with_prompt(&jobs, "of other").len(), 1);
    assert_eq!(in_bin(&server).await, 2);
}

#[tokio::test]
async fn l2_an_older_tab_of_the_same_browser_undoes_nothing() {
    let (_home, server) = served().await;
    let mut first = page(&server, "one browser").await;
    let mut stale = first.clone(); // A second tab: the same cookie, the same list.
    first.add(1, "in the first tab");
    first.save(&server).await.ok();
    first.job_mut("job-7")["prompt"] = json!("first tab");
    first.jobs.remove(2);
    first.save(&server).await.ok();

    stale.job_mut("job-9")["prompt"] = json!("stale tab");
    stale.save(&server).await.ok();
    let jobs = shown(&server).await;
    for prompt in ["in the first tab", "first tab", "stale tab"] {
        assert_eq!(with_prompt(&jobs, prompt).len(), 1, "{prompt}");
    }
    assert_eq!(
        jobs.len(),
        30,
        "what the first tab removed does not come back"
    );

    // Both count on from the same number, and go on in turn.
    stale.add(2, "also job-31");
    stale.save(&server).await.ok();
    first.job_mut("job-31")["status"] = json!("error");
    first.save(&server).await.ok();
    stale.job_mut("job-31")["status"] = json!("queued");
    stale.save(&server).await.ok();
    let jobs = shown(&server).await;
    let status = |prompt| with_prompt(&jobs, prompt)[0]["status"].clone();
    assert_eq!(status("in the first tab"), "error");
    assert_eq!(status("also job-31"), "queued");
    assert_eq!(jobs.len(), 31);
}

#[tokio::test]
async fn l2_a_step_back_is_a_step() {
    let (_home, server) = served().await;
    let mut page = page(&server, "a").await;
    let before = page.job_mut("job-4").clone();
    page.job_mut("job-4")["status"] = json!("running");
    page.save(&server).await.ok();
    *page.job_mut("job-4") = before.clone();
    page.save(&server).await.ok();
    let jobs = shown(&server).await;
    assert_eq!(jobs.iter().find(|job| job["id"] == "job-4"), Some(&before));

    page.add(1, "a mistake");
    page.save(&server).await.ok();
    page.jobs.pop();
    page.save(&server).await.ok();
    assert_eq!(shown(&server).await.len(), 30);
    assert_eq!(in_bin(&server).await, 1);
}

#[tokio::test]
async fn l2_clear_moves_to_the_bin_what_the_client_had() {
    let (_home, server) = served().await;
    let mut page = page(&server, "a").await;
    let body = json!({"prompt": "meanwhile elsewhere"});
    server.json("POST", "/api/v1/jobs", &body).await.ok();
    page.jobs.clear();
    page.save(&server).await.ok();
    let jobs = shown(&server).await;
    assert_eq!(
        jobs.len(),
        1,
        "what it never had is not what it was asked about"
    );
    assert_eq!(jobs[0]["prompt"], "meanwhile elsewhere");
    assert_eq!(in_bin(&server).await, 30, "and all can be taken out again");

    let mut fresh = OldPage::new("b");
    fresh.save(&server).await.ok();
    assert_eq!(shown(&server).await.len(), 1, "it never had any");
    fresh.add(7, "its first");
    fresh.save(&server).await.ok();
    assert_eq!(shown(&server).await.len(), 2);
}

#[tokio::test]
async fn l2_the_first_jobs_of_an_empty_history_can_be_cleared() {
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let mut page = page(&server, "a").await;
    for n in 1..=3 {
        page.add(n, "a knight");
        page.save(&server).await.ok();
    }
    page.jobs.clear();
    page.save(&server).await.ok();
    assert_eq!(shown(&server).await.len(), 0);
    assert_eq!(in_bin(&server).await, 3);

    // Without ever having loaded: what it posted was all there was.
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let mut fresh = OldPage::new("b");
    fresh.add(9, "alone");
    fresh.save(&server).await.ok();
    fresh.jobs.clear();
    fresh.save(&server).await.ok();
    assert_eq!(shown(&server).await.len(), 0);
}

#[tokio::test]
async fn l2_a_list_that_has_little_of_what_its_client_was_given_removes_nothing() {
    let (_home, server) = served().await;
    let mut page = page(&server, "a").await;
    page.jobs.clear();
    page.last_job_id = 1;
    page.add(1, "from this browser's own storage");
    page.add(2, "also from there");
    page.save(&server).await.ok();
    assert_eq!(shown(&server).await.len(), 32);
    page.job_mut("job-2")["prompt"] = json!("changed there");
    page.save(&server).await.ok();
    let jobs = shown(&server).await;
    assert_eq!(jobs.len(), 32);
    assert_eq!(with_prompt(&jobs, "changed there").len(), 1);
}

#[tokio::test]
async fn l2_what_clients_hold_survives_restarts_and_its_loss_is_no_error() {
    let (home, server) = served().await;
    let mut kept = page(&server, "kept").await;
    let mut nameless = page(&server, "nameless").await;
    kept.add(1, "before the restart");
    kept.save(&server).await.ok();
    let body = json!({"prompt": "elsewhere"});
    server.json("PATCH", "/api/v1/jobs/job-5", &body).await.ok();
    server.kill().await;

    let server = home.serve(&[]).await;
    kept.jobs.retain(|job| job["id"] != "job-8");
    kept.save(&server).await.ok();
    // Known by where it comes from alone.
    nameless.cookie = None;
    nameless.jobs.retain(|job| job["id"] != "job-9");
    nameless.save(&server).await.ok();
    let jobs = shown(&server).await;
    assert_eq!(jobs.len(), 29);
    for prompt in ["before the restart", "elsewhere"] {
        assert_eq!(with_prompt(&jobs, prompt).len(), 1, "{prompt}");
    }
    server.stop().await;

    let journal = home.journal();
    let noted = journal.with_file_name("clients");
    assert!(noted.is_file());
    for damaged in [&b"nonsense"[..], &[0; 4096], b""] {
        std::fs::write(&noted, damaged).expect("it is written");
        let server = home.serve(&[]).await;
        kept.jobs.retain(|job| job["id"] != "job-10");
        kept.job_mut("job-11")["prompt"] = json!(format!("after damage {}", damaged.len()));
        kept.save(&server).await.ok();
        let jobs = shown(&server).await;
        assert_eq!(jobs.len(), 29, "without a version nothing is removed (F6)");
        assert_eq!(
            jobs.iter()
                .find(|job| job["id"] == "job-11")
                .expect("it stays")["prompt"],
            format!("after damage {}", damaged.len())
        );
        server.stop().await;
    }
}

#[tokio::test]
async fn l2_a_version_that_the_request_names_is_the_base() {
    let (_home, server) = served().await;
    let mut page = OldPage::new("a");
    let loaded = page.load(&server).await;
    let (etag, sync) = (
        loaded.header("etag").to_owned(),
        loaded.json()["sync"].clone(),
    );
    page.add(1, "new");
    page.save(&server).await.ok();
    // By name, the list of before: what was added since is not part of it, and so not removed.
    let mut list = loaded.json();
    list["jobs"][3]["prompt"] = json!("by name");
    let named = json!({"jobs": list["jobs"], "lastJobId": 31});
    let headers = [("content-type", "application/json"), ("if-match", &etag)];
    let saved = server
        .send("POST", "/save-jobs", &headers, named.to_string())
        .await;
    saved.ok();
    list["jobs"][4]["prompt"] = json!("by its block");
    let named = json!({"jobs": list["jobs"], "lastJobId": 31, "sync": sync});
    server.json("POST", "/save-jobs", &named).await.ok();
    let jobs = shown(&server).await;
    for prompt in ["new", "by name", "by its block"] {
        assert_eq!(with_prompt(&jobs, prompt).len(), 1, "{prompt}");
    }
    let headers = [
        ("content-type", "application/json"),
        ("if-match", saved.header("etag")),
    ];
    let mut after = list.clone();
    after["jobs"].as_array_mut().expect("jobs").remove(0);
    let answer = server
        .send("POST", "/save-jobs", &headers, after.to_string())
        .await;
    answer.ok();
    let jobs = shown(&server).await;
    assert_eq!(
        jobs.len(),
        30,
        "an answer's ETag names the list that was posted"
    );
    assert_eq!(with_prompt(&jobs, "new").len(), 1);
}

/// What becomes of a record that a page's list lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removes {
    /// It is removed.
    Now,
    /// The page has just loaded again, and may still show what it had before: what that lacked,
    /// too, is removed by its second list.
    Soon,
    /// It is not known what the page holds: until it loads, its lists may only add and update.
    Perhaps,
}

/// What must be there in the end.
#[derive(Default)]
struct Model {
    /// By creation time and writer: the last value that this writer wrote into its own field.
    fields: BTreeMap<(u64, String), String>,
    /// By creation time: what each writer wrote last into the field that all write to.
    prompts: BTreeMap<u64, BTreeMap<String, String>>,
    /// Removed by somebody, on purpose.
    removed: BTreeSet<u64>,
    /// Removed on purpose, and edited by nobody ever.
    doomed: BTreeSet<u64>,
    /// Every record that was made.
    made: BTreeSet<u64>,
    next: u64,
}

impl Model {
    fn value(&mut self, writer: &str) -> String {
        self.next += 1;
        format!("{writer} {}", self.next)
    }

    fn wrote(&mut self, created: u64, writer: &str) -> String {
        let value = self.value(writer);
        let of = (created, writer.to_owned());
        self.fields.insert(of, value.clone());
        value
    }

    fn prompted(&mut self, created: u64, writer: &str) -> String {
        let value = self.value(writer);
        let prompts = self.prompts.entry(created).or_default();
        prompts.insert(writer.to_owned(), value.clone());
        value
    }

    fn creates(&mut self) -> u64 {
        self.next += 1;
        let created = 1_800_000_000_000 + self.next;
        self.made.insert(created);
        created
    }
}

fn created(job: &Value) -> u64 {
    job["createdAt"].as_u64().expect("a time")
}

fn is_doomed(job: &Value) -> bool {
    job["doomed"] == true
}

/// One step of a person at an old page, who saves after it.
fn step_of_page(
    page: &mut OldPage,
    writer: &str,
    sure: bool,
    model: &mut Model,
    chance: &mut Chance,
) {
    let pick = |page: &OldPage, chance: &mut Chance, fits: &dyn Fn(&Value) -> bool| {
        let fitting: Vec<usize> = (0..page.jobs.len())
            .filter(|at| fits(&page.jobs[*at]))
            .collect();
        let nth = chance.below(fitting.len().max(1) as u64);
        fitting.get(usize::try_from(nth).expect("small")).copied()
    };
    match chance.below(20) {
        0..3 => {
            let at = model.creates();
            page.add(at, &format!("made by {writer}"));
            let value = model.wrote(at, writer);
            let job = page.jobs.last_mut().expect("it was added");
            job[writer] = json!(value);
            job["doomed"] = json!(chance.once_in(2));
        }
        3..5 => {
            // A doomed job that is not in the list any more was removed by this very page.
            if let Some(at) = pick(page, chance, &is_doomed) {
                let gone = page.jobs.remove(at);
                if sure {
                    model.doomed.insert(created(&gone));
                }
                model.removed.insert(created(&gone));
            }
        }
        5 => {
            if let Some(at) = pick(page, chance, &|job| !is_doomed(job)) {
                let gone = page.jobs.remove(at);
                model.removed.insert(created(&gone));
            }
        }
        6..9 => {
            if let Some(at) = pick(page, chance, &|job| !is_doomed(job)) {
                let value = model.prompted(created(&page.jobs[at]), writer);
                page.jobs[at]["prompt"] = json!(value);
            }
        }
        _ => {
            if let Some(at) = pick(page, chance, &|job| !is_doomed(job)) {
                let value = model.wrote(created(&page.jobs[at]), writer);
                page.jobs[at][writer] = json!(value);
            }
        }
    }
}

/// One edit of a tab.
async fn step_of_tab(tab: &mut Tab, writer: &str, model: &mut Model, chance: &mut Chance) {
    let rows: Vec<(Key, Value)> = (tab.replica().document().view().rows())
        .map(|row| (row.key.clone(), Value::Object(row.job.clone())))
        .filter(|(_, job)| !is_doomed(job))
        .collect();
    let nth = usize::try_from(chance.below(rows.len() as u64)).expect("small");
    let (key, job) = rows[nth].clone();
    let mut set = Map::new();
    match chance.below(12) {
        0 => {
            let at = model.creates();
            let record = json!({"prompt": format!("made by {writer}"), "createdAt": at, writer: model.wrote(at, writer)});
            let edit = Edit::Insert {
                key: Key(format!("record-of-{writer}-{at}")),
                record: record.as_object().expect("an object").clone(),
                order: None,
            };
            return tab.edit(edit).await;
        }
        1 => {
            model.removed.insert(created(&job));
            return tab.edit(Edit::Remove { keys: vec![key] }).await;
        }
        2..5 => {
            let value = model.prompted(created(&job), writer);
            set.insert("prompt".to_owned(), json!(value));
        }
        _ => {
            let value = model.wrote(created(&job), writer);
            set.insert(writer.to_owned(), json!(value));
        }
    }
    let unset = Vec::new();
    tab.edit(Edit::Change { key, set, unset }).await;
}

async fn heads(server: &Served) -> Vec<String> {
    let documents = server.get("/api/v1/documents").await.ok();
    let heads = documents["documents"][0]["heads"].clone();
    serde_json::from_value(heads).expect("a list of texts")
}

/// Lets `tab` hear everything that the server has, and the server everything of the tab's.
async fn catch_up(tab: &mut Tab, server: &Served) {
    let tab = tokio::sync::Mutex::new(tab);
    until("a tab to catch up", || async {
        let mut tab = tab.lock().await;
        if !tab.listen(LISTEN).await {
            tab.connect(&server.sync_url()).await;
        }
        let theirs = heads(server).await;
        let ours = tab.replica().document().version().heads;
        (tab.is_acknowledged() && theirs == ours).then_some(())
    })
    .await;
}

/// The whole promise: three pages that loaded once and never again but by chance, 500 lists of
/// theirs, two tabs that sync beside them, a kill and a restart in between.
#[tokio::test]
async fn l2_no_edit_is_lost_that_was_not_removed_on_purpose() {
    let seed = std::env::var("PLAINSYNC_SEED").ok();
    let seed = seed.map_or(17, |seed| seed.parse().expect("a number"));
    eprintln!("PLAINSYNC_SEED={seed}");
    let mut chance = Chance::new(seed);
    let (home, mut server) = served().await;
    let mut model = Model::default();
    let mut pages = Vec::new();
    for name in ["page0", "page1", "page2"] {
        pages.push((page(&server, name).await, name, Removes::Now));
    }
    model.made.extend(pages[0].0.jobs.iter().map(created));
    let id = server.get("/api/v1/documents").await.ok()["documents"][0]["id"].clone();
    let id: DocumentId = id.as_str().expect("a text").parse().expect("an id");
    let mut tabs = Vec::new();
    for (number, name) in [(1, "tab1"), (2, "tab2")] {
        let mut tab = Tab::new(id, number);
        assert!(tab.connect(&server.sync_url()).await);
        catch_up(&mut tab, &server).await;
        tabs.push((tab, name));
    }
    let mut saves = 0;
    while saves < SAVES {
        if chance.once_in(4) {
            let nth = usize::try_from(chance.below(2)).expect("small");
            let (tab, name) = &mut tabs[nth];
            if chance.once_in(2) {
                catch_up(tab, &server).await; // Else it edits what it last saw.
            }
            step_of_tab(tab, name, &mut model, &mut chance).await;
            catch_up(tab, &server).await;
            continue;
        }
        let nth = usize::try_from(chance.below(3)).expect("small");
        let (page, name, sure) = &mut pages[nth];
        match chance.below(60) {
            0 => {
                page.load(&server).await; // Somebody pressed reload.
                *sure = Removes::Soon;
            }
            1 => {
                page.cookie = None;
                *sure = Removes::Perhaps;
            }
            _ => {}
        }
        step_of_page(page, name, *sure == Removes::Now, &mut model, &mut chance);
        page.save(&server).await.ok();
        saves += 1;
        if *sure == Removes::Soon {
            *sure = Removes::Now;
        }
        if chance.once_in(8) {
            page.save(&server).await.ok(); // Its answer was lost.
        }
        if saves == KILLED_AT {
            server.kill().await;
            server = home.serve(&[]).await;
        } else if saves == STOPPED_AT {
            server.stop().await;
            server = home.serve(&[]).await;
        }
    }
    for (tab, _) in &mut tabs {
        catch_up(tab, &server).await;
    }
    check(&model, &tabs[0].0);
    let texts: Vec<String> = tabs
        .iter()
        .map(|(tab, _)| {
            let bytes = tab
                .replica()
                .document()
                .export(&|_| None::<std::borrow::Cow<'_, [u8]>>);
            String::from_utf8(bytes).expect("a text")
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
    let listed = shown(&server).await;
    server.stop().await;
    assert_eq!(home.json()["jobs"], Value::Array(listed));
}

fn check(model: &Model, tab: &Tab) {
    let view = tab.replica().document().view();
    let mut by_time: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for row in view.all() {
        let time = row.job["createdAt"].as_u64().expect("a time");
        by_time.entry(time).or_default().push(row);
    }
    let (mut kept, mut conflicts) = (0, 0);
    for created in &model.made {
        let rows = by_time.get(created);
        let rows = rows.unwrap_or_else(|| panic!("the job made at {created} is gone"));
        let copies = rows.iter().filter(|row| row.is_listed()).count();
        assert!(copies <= 1, "{copies} copies of the job made at {created}");
        let row = rows[0];
        if !model.removed.contains(created) {
            assert!(row.is_listed(), "nobody removed {:?}", row.job);
        }
        if model.doomed.contains(created) {
            assert!(row.in_bin, "removed, and touched by nobody: {:?}", row.job);
        }
        kept += usize::from(row.kept_by_edit);
        conflicts += usize::from(!row.conflicts.is_empty());
        for ((_, writer), value) in model
            .fields
            .range((*created, String::new())..(created + 1, String::new()))
        {
            assert_eq!(row.job[writer], **value, "{writer} of {:?}", row.job);
        }
        if let Some(prompts) = model.prompts.get(created) {
            let shown = row.job["prompt"].as_str().expect("a text");
            assert!(
                prompts.values().any(|last| last == shown),
                "{shown} is nobody's last word: {prompts:?}"
            );
        }
    }
    assert_eq!(by_time.len(), model.made.len(), "no job that nobody made");
    eprintln!(
        "{} jobs, {} values, {} removed ({kept} kept by an edit), {conflicts} jobs in conflict",
        model.made.len(),
        model.fields.len(),
        model.removed.len()
    );
}
