//! L2 with real requests: old pages that post their whole lists, step by step.

use plainsync_tests::historic::history;
use plainsync_tests::home::Home;
use plainsync_tests::old_page::OldPage;
use plainsync_tests::served::Served;
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

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
