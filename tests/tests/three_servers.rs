//! Three real servers, each on its own copy of one folder, and something that copies files between
//! the copies: no network connects them (F10, F11).

use std::fs;
use std::time::Duration;

use plainsync_tests::chance::Chance;
use plainsync_tests::folder_sync::Cloud;
use plainsync_tests::historic::picture;
use plainsync_tests::home::Home;
use plainsync_tests::served::{Served, until};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// Edits that each server's people make.
const EDITS: u64 = 12;

async fn heads(server: &Served) -> Value {
    server.get("/health").await.ok()["documents"][0]["heads"].clone()
}

/// Copies until nobody has anything new for a while, and all servers are at one version.
async fn settle(cloud: &mut Cloud, servers: &[&Served]) {
    let give_up = Instant::now() + plainsync_tests::home::PATIENCE * 2;
    let mut quiet = 0;
    while quiet < 20 {
        assert!(Instant::now() < give_up, "F11: it never comes to rest");
        let moved = cloud.sync_all();
        let mut all = Vec::new();
        for server in servers {
            all.push(heads(server).await);
        }
        let agreed = all.iter().all(|heads| *heads == all[0]);
        quiet = if moved == 0 && agreed { quiet + 1 } else { 0 };
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_three_servers_in_a_synced_folder_end_with_one_file() {
    let homes = [Home::new(PROGRAM), Home::new(PROGRAM), Home::new(PROGRAM)];
    let mut cloud = Cloud::new(homes.iter().map(Home::folder).collect());
    let first = homes[0].serve(&[]).await;
    let job = json!({"prompt": "made before anybody else joined", "note": "made-0"});
    first.json("POST", "/api/v1/jobs", &job).await.ok();
    homes[0]
        .written("the file", |file| file.contains("made-0"))
        .await;
    // The second machine gets everything; the third one its JSON alone, ahead of the history.
    fs::copy(homes[0].file(), homes[2].file()).expect("copied");
    let third = homes[2].serve(&[]).await;
    while cloud.sync_all() > 0 {}
    let second = homes[1].serve(&[]).await;
    let mut servers = [first, second, third];
    let document = |health: Value| health["documents"][0]["id"].clone();
    until("the third joins the older history", || async {
        let ids = [
            document(servers[0].get("/health").await.ok()),
            document(servers[1].get("/health").await.ok()),
            document(
                servers[2]
                    .try_send("GET", "/health", &[], Vec::new())
                    .await?
                    .json(),
            ),
        ];
        ids.iter().all(|id| *id == ids[0]).then_some(())
    })
    .await;

    let mut chance = Chance::new(11);
    let mut made = vec!["made-0".to_owned()];
    for n in 1..=EDITS * 3 {
        let server = usize::try_from(n % 3).expect("small");
        let name = format!("made-{n}");
        if chance.once_in(4) {
            // By hand: whoever edits the file there, at whatever version it is.
            let path = homes[server].file();
            let text = fs::read_to_string(&path).unwrap_or_default();
            if let Ok(mut file) = serde_json::from_str::<Value>(&text)
                && let Some(job) = file["jobs"].get_mut(0)
            {
                job[format!("hand{n}")] = json!(name);
                fs::write(&path, serde_json::to_string_pretty(&file).expect("text"))
                    .expect("saved");
                made.push(name);
            }
        } else {
            let job = json!({"prompt": "made", "note": name, "result": picture(chance.below(6))});
            servers[server]
                .json("POST", "/api/v1/jobs", &job)
                .await
                .ok();
            made.push(name);
        }
        for _ in 0..chance.below(6) {
            cloud.step(&mut chance);
        }
        sleep(Duration::from_millis(chance.below(200))).await;
        if n == EDITS {
            // One machine is switched off and on again in the middle of it.
            let [one, two, three] = servers;
            two.kill().await;
            let two = homes[1].serve(&[]).await;
            servers = [one, two, three];
        }
    }
    settle(&mut cloud, &[&servers[0], &servers[1], &servers[2]]).await;
    for server in servers {
        server.stop().await;
    }
    while cloud.sync_all() > 0 {}
    let texts = homes
        .each_ref()
        .map(|home| String::from_utf8(home.bytes()).expect("text"));
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
    for name in &made {
        assert!(
            texts[0].contains(&format!("\"{name}\"")),
            "F11: {name} is lost"
        );
    }
    assert!(
        !texts[0].contains("blob:sha256-"),
        "an image did not travel"
    );
    eprintln!(
        "{} edits, {} conflict copies, {} torn, late or repeated arrivals, {} bytes of JSON",
        made.len(),
        cloud.conflicts,
        cloud.faults,
        texts[0].len()
    );
}
