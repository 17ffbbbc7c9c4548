//! L2, the whole promise: three old pages with stale lists beside two tabs that sync, many lists,
//! a kill and a restart, and a model of what must be there in the end.
//!
//! `PLAINSYNC_SAVES=500 cargo test -p plainsync-tests stale_clients::` saves more; `PLAINSYNC_SEED` chooses another run; each run's steps follow from its seed.

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

/// Whole-list saves when `PLAINSYNC_SAVES` names no number.
const SAVES_DEFAULT: usize = 100;

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

/// The whole promise: three pages that loaded once and never again but by chance, many lists of
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
    let all = std::env::var("PLAINSYNC_SAVES").ok();
    let all = all.map_or(SAVES_DEFAULT, |all| all.parse().expect("a number"));
    let (killed_at, stopped_at) = (all * 2 / 5, all * 4 / 5);
    let mut saves = 0;
    while saves < all {
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
        if saves == killed_at {
            server.kill().await;
            server = home.serve(&[]).await;
        } else if saves == stopped_at {
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
