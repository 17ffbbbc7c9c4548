//! The old dashboard's ways to lose a history, each against the real server.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use plainsync_tests::historic::history;
use plainsync_tests::home::{Home, PATIENCE};
use plainsync_tests::served::{Answer, Served};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

const JSON: (&str, &str) = ("content-type", "application/json");

/// A server on a history of 30 jobs, two of which claim one label.
async fn served() -> (Home, Served) {
    let home = Home::new(PROGRAM);
    home.write(history(30).to_string().as_bytes());
    let server = home.serve(&[]).await;
    (home, server)
}

/// What an old page has after it loaded: all it will ever send back.
async fn page(server: &Served) -> Value {
    let loaded = server.get("/load-jobs").await.ok();
    json!({"jobs": loaded["jobs"], "lastJobId": loaded["lastJobId"]})
}

async fn jobs(server: &Served) -> Vec<Value> {
    let loaded = page(server).await;
    loaded["jobs"].as_array().expect("jobs").clone()
}

async fn save(server: &Served, page: &Value) -> Answer {
    server.json("POST", "/save-jobs", page).await
}

fn by_id<'a>(jobs: &'a [Value], id: &str) -> &'a Value {
    let found = jobs.iter().find(|job| job["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}"))
}

/// What `POST /save-jobs` of the old page sends for a job that was just added.
fn fresh_job(number: u64, prompt: &str) -> Value {
    json!({"id": format!("job-{number}"), "prompt": prompt, "width": 64, "height": 64, "seed": null, "status": "idle",
        "result": null, "error": null, "startTime": null, "endTime": null, "duration": null, "createdAt": 1_763_000_000_000_u64 + number})
}

/// Stops the server and compares its file with what it had shown.
async fn assert_file_holds(home: &Home, server: Served, shown: &[Value]) {
    server.stop().await;
    assert_eq!(
        home.json()["jobs"].as_array().expect("jobs").as_slice(),
        shown
    );
}

#[tokio::test]
async fn l2_a_fresh_browsers_first_job_erases_nothing() {
    let (home, server) = served().await;
    let before = jobs(&server).await;
    let first = json!({"jobs": [fresh_job(1, "a dragon")], "lastJobId": 2});
    let saved = save(&server, &first).await.ok();
    assert_eq!(saved["message"], "Saved 1 job");

    let loaded = server.get("/load-jobs").await.ok();
    assert_eq!(loaded["lastJobId"], 31, "it never falls (D9)");
    let after = jobs(&server).await;
    assert_eq!(&after[..30], &before[..], "every job is as it was");
    assert_eq!(after.len(), 31);
    assert_eq!(after[30]["prompt"], "a dragon");
    assert_eq!(after[30]["id"], "job-1-2", "its number was taken (D7)");

    // That browser goes on with its list of one, as it always did.
    let mut second = first.clone();
    second["jobs"][0]["status"] = json!("success");
    second["jobs"][0]["result"] = before[6]["result"].clone();
    second["lastJobId"] = json!(2);
    save(&server, &second).await.ok();
    let after = jobs(&server).await;
    assert_eq!(&after[..30], &before[..]);
    assert_eq!(after.len(), 31);
    assert_eq!(after[30]["status"], "success");
    assert_eq!(after[30]["result"], before[6]["result"]);
    assert_file_holds(&home, server, &after).await;
}

#[tokio::test]
async fn l2_a_stale_tabs_save_changes_only_what_it_changed() {
    let (home, server) = served().await;
    let mut stale = page(&server).await;

    // Meanwhile elsewhere: a change, a removal, a new job.
    let set = |path: &str, body: Value| {
        let path = format!("/api/v1/jobs{path}");
        let server = &server;
        async move { server.json("PATCH", &path, &body).await.ok() }
    };
    set("/job-3", json!({"prompt": "changed elsewhere"})).await;
    set("/job-8", json!({"seed": "also elsewhere"})).await;
    let new = json!({"prompt": "added elsewhere"});
    server.json("POST", "/api/v1/jobs", &new).await.ok();
    let removed = server.send("DELETE", "/api/v1/jobs/job-26", &[], "").await;
    assert_eq!(removed.status, 204);

    // The stale tab finishes one job and adds one under a number that is taken by now.
    let list = stale["jobs"].as_array_mut().expect("jobs");
    list[9]["status"] = json!("error");
    list[9]["error"] = json!("timed out");
    list.push(fresh_job(31, "added in the stale tab"));
    stale["lastJobId"] = json!(32);
    save(&server, &stale).await.ok();

    let after = jobs(&server).await;
    assert_eq!(by_id(&after, "job-3")["prompt"], "changed elsewhere");
    assert_eq!(by_id(&after, "job-8")["seed"], "also elsewhere");
    assert_eq!(by_id(&after, "job-10")["status"], "error");
    assert_eq!(by_id(&after, "job-10")["error"], "timed out");
    let added = ["added elsewhere", "added in the stale tab"];
    for prompt in added {
        let found = after.iter().filter(|job| job["prompt"] == prompt).count();
        assert_eq!(found, 1, "{prompt}");
    }
    assert!(
        after.iter().all(|job| job["id"] != "job-26"),
        "what was removed does not come back with a stale list"
    );
    assert_eq!(after.len(), 31);
    assert_file_holds(&home, server, &after).await;
}

#[tokio::test]
async fn l2_the_same_save_again_changes_nothing() {
    let (home, server) = served().await;
    let mut list = page(&server).await;
    list["jobs"][0]["prompt"] = json!("once");
    list["jobs"]
        .as_array_mut()
        .expect("jobs")
        .push(fresh_job(31, "new"));
    let first = save(&server, &list).await;
    first.ok();
    let before = server.get("/api/v1/export.json").await.body;
    let again = save(&server, &list).await;
    assert_eq!(again.ok()["message"], "Saved 31 jobs");
    assert_eq!(first.header("etag"), again.header("etag"), "no new version");
    assert_eq!(server.get("/api/v1/export.json").await.body, before);

    // Also after a crash.
    server.kill().await;
    let server = home.serve(&[]).await;
    assert_eq!(
        save(&server, &list).await.header("etag"),
        first.header("etag")
    );
    assert_eq!(server.get("/api/v1/export.json").await.body, before);
    server.stop().await;
    assert_eq!(home.bytes(), before);
}

#[tokio::test]
async fn l2_an_empty_list_from_nowhere_clears_nothing() {
    let (home, server) = served().await;
    let before = jobs(&server).await;
    let headers = [JSON, ("user-agent", "who never loaded anything")];
    let empty = json!({"jobs": [], "lastJobId": 1}).to_string();
    server
        .send("POST", "/save-jobs", &headers, empty)
        .await
        .ok();
    assert_eq!(jobs(&server).await, before);
    assert_file_holds(&home, server, &before).await;
}

#[tokio::test]
async fn l3_what_is_no_list_is_refused_and_changes_nothing() {
    let (home, server) = served().await;
    let before = server.get("/api/v1/export.json").await.body;
    let svg = "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSkvPg==";
    let fake = "data:image/png;base64,PHN2Zy8+";
    for bad in [
        json!({}),
        json!([]),
        json!(null),
        json!("jobs"),
        json!({"jobs": {}}),
        json!({"jobs": null}),
        json!({"jobs": "[]"}),
        json!({"jobs": [5]}),
        json!({"jobs": [null]}),
        json!({"jobs": [{"prompt": "no id"}]}),
        json!({"jobs": [{"id": 5}]}),
        json!({"jobs": [{"id": "job-1", "prompt": 5}]}),
        json!({"jobs": [{"id": "job-1", "status": ["running"]}]}),
        json!({"jobs": [{"id": "job-1", "result": 5}]}),
        json!({"jobs": [{"id": "job-1", "result": svg}]}),
        json!({"jobs": [{"id": "job-1", "result": {"image_data_url": fake}}]}),
        json!({"jobs": [], "lastJobId": "7"}),
        json!({"jobs": [], "lastJobId": -1}),
    ] {
        let refused = save(&server, &bad).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text());
        let said = refused.json();
        assert_eq!(said["status"], "error", "{bad}");
        assert!(
            said["message"].as_str().expect("a reason").len() > 20,
            "{said}"
        );
    }
    for (bad, part) in [
        ("", "line 1"),
        ("{\"jobs\": [{\"id\": \"job-1\", \"pro", "line 1"),
        ("{\"jobs\": []}{", "line 1"),
        ("{\"jobs\": [NaN]}", "line 1"),
    ] {
        let refused = server.send("POST", "/save-jobs", &[JSON], bad).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text());
        assert!(
            refused.json()["message"]
                .as_str()
                .expect("a reason")
                .contains(part),
            "{bad}: {}",
            refused.text()
        );
    }
    let deep = format!(
        "{{\"jobs\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(
        server
            .send("POST", "/save-jobs", &[JSON], deep)
            .await
            .status,
        400
    );
    assert_eq!(server.get("/api/v1/export.json").await.body, before);
    server.stop().await;
    assert_eq!(home.bytes(), before);
}

#[tokio::test]
async fn l3_half_a_body_changes_nothing() {
    let (home, server) = served().await;
    let before = server.get("/api/v1/export.json").await.body;
    let body = page(&server)
        .await
        .to_string()
        .replace("a heroic knight", "a half knight");
    assert!(body.contains("a half knight"));
    let host = server.host().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(&host).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a deadline");
        let head = format!(
            "POST /save-jobs HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("the head");
        stream
            .write_all(&body.as_bytes()[..body.len() / 2])
            .expect("half");
        stream.shutdown(Shutdown::Write).expect("the end");
        let mut answer = String::new();
        let _cut_off = stream.read_to_string(&mut answer);
        answer
    });
    let answer = answer.await.expect("no panic");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(server.get("/api/v1/export.json").await.body, before);
    server.stop().await;
    assert_eq!(home.bytes(), before);
}

#[tokio::test]
async fn t2_what_is_not_sent_as_json_is_refused() {
    let (_home, server) = served().await;
    let before = server.get("/api/v1/export.json").await.body;
    let body = json!({"jobs": [fresh_job(1, "by a form")], "lastJobId": 2}).to_string();
    for path in [
        "/save-jobs",
        "/generate-character",
        "/rotate-character",
        "/api/v1/jobs",
        "/api/v1/edits",
    ] {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "",
        ] {
            let headers: &[(&str, &str)] = if kind.is_empty() {
                &[]
            } else {
                &[("content-type", kind)]
            };
            let refused = server.send("POST", path, headers, body.as_bytes()).await;
            assert_eq!(refused.status, 415, "{path} {kind}: {}", refused.text());
            assert!(
                refused.text().contains("application/json"),
                "{}",
                refused.text()
            );
        }
    }
    let accepted = ("content-type", "application/json; charset=utf-8");
    let answer = server
        .send(
            "POST",
            "/api/v1/jobs",
            &[accepted],
            "{\"prompt\": \"a knight\"}",
        )
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_ne!(
        server.get("/api/v1/export.json").await.body,
        before,
        "only that one"
    );
    assert_eq!(jobs(&server).await.len(), 31);
}

#[tokio::test]
async fn t1_unknown_hosts_and_origins_are_refused_everywhere() {
    let (_home, server) = served().await;
    let before = server.get("/api/v1/export.json").await.body;
    let body = json!({"jobs": [], "lastJobId": 1}).to_string();
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let port = server.host().rsplit(':').next().expect("a port").to_owned();
    let rebound = format!("evil.example:{port}");
    let other_port = "http://127.0.0.1:1".to_owned();
    for bad in [
        ("host", rebound.as_str()),
        ("host", "127.0.0.1"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", other_port.as_str()),
    ] {
        for path in [
            "/",
            "/health",
            "/load-jobs",
            "/balance",
            "/api/v1/jobs",
            "/api/v1/export.json",
            "/sync",
            "/nothing",
        ] {
            let mut headers = vec![bad];
            if path == "/sync" {
                headers.extend(upgrade);
            }
            let refused = server.send("GET", path, &headers, "").await;
            assert!(
                [403, 421].contains(&refused.status.as_u16()),
                "{bad:?} {path}: {}",
                refused.status
            );
            assert_eq!(
                refused.header("access-control-allow-origin"),
                "",
                "{bad:?} {path}"
            );
        }
        let refused = server
            .send("POST", "/save-jobs", &[bad, JSON], body.as_bytes())
            .await;
        assert!(
            [403, 421].contains(&refused.status.as_u16()),
            "{bad:?}: {}",
            refused.status
        );
    }
    let allowed = server
        .send(
            "OPTIONS",
            "/save-jobs",
            &[
                ("origin", "https://evil.example"),
                ("access-control-request-method", "POST"),
            ],
            "",
        )
        .await;
    assert_eq!(allowed.header("access-control-allow-origin"), "");
    assert_eq!(server.get("/api/v1/export.json").await.body, before);
}

#[tokio::test]
async fn l1_the_old_paths_keep_their_shapes() {
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let loaded = server.get("/load-jobs").await;
    assert_eq!(loaded.status, 200);
    let loaded = loaded.json();
    assert_eq!(
        (&loaded["status"], &loaded["jobs"]),
        (&json!("ok"), &json!([]))
    );
    assert!(
        loaded["lastJobId"].is_u64() && loaded["message"].is_string(),
        "{loaded}"
    );

    let list =
        json!({"jobs": [fresh_job(1, "a"), fresh_job(2, "b"), fresh_job(3, "c")], "lastJobId": 4});
    let saved = save(&server, &list).await.ok();
    assert_eq!(
        (&saved["status"], &saved["message"]),
        (&json!("ok"), &json!("Saved 3 jobs"))
    );
    assert!(
        saved["savedAt"].is_string() && saved["fileSize"].is_u64(),
        "{saved}"
    );
    let size = saved["fileSize"].as_u64().expect("a size");
    home.written("the file of that size", |file| file.len() as u64 == size)
        .await;
    let loaded = server.get("/load-jobs").await.ok();
    assert_eq!(loaded["message"], "Loaded 3 jobs");
    assert_eq!(
        (&loaded["jobs"], &loaded["lastJobId"]),
        (&list["jobs"], &json!(4))
    );
    assert_eq!(loaded["savedAt"], saved["savedAt"]);

    let health = server.get("/health").await.ok();
    assert_eq!(health["status"], "ok");
    assert!(
        health["server_time"].is_string() && health["uptime_seconds"].is_number(),
        "{health}"
    );
    assert_eq!(health["api_key_detected"], false);
    assert!(health.get("balance").is_some(), "{health}");
    assert_eq!(
        server.get("/balance").await.ok(),
        json!({"status": "missing"})
    );

    let asked = json!({"prompt": "<b>a knight</b>", "width": 32, "height": 48, "seed": "7"});
    let made = server
        .json("POST", "/generate-character", &asked)
        .await
        .ok();
    assert_result(&made);
    assert_eq!((&made["width"], &made["height"]), (&json!(32), &json!(48)));
    assert_eq!(
        (&made["prompt"], &made["seed"]),
        (&json!("<b>a knight</b>"), &json!("7"))
    );
    let turned = json!({"image_data_url": made["image_data_url"], "to_direction": "north-east", "from_direction": "south", "width": 32, "height": 48});
    let turned = server.json("POST", "/rotate-character", &turned).await.ok();
    assert_result(&turned);
    assert_ne!(turned["image_data_url"], made["image_data_url"]);
    for wrong in [
        json!({"prompt": "x", "width": 0}),
        json!({"prompt": "x", "width": 1e9}),
        json!({"prompt": "x", "width": "64"}),
        json!({}),
    ] {
        let refused = server.json("POST", "/generate-character", &wrong).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
    }
    server.stop().await;
}

/// The old server's result object.
fn assert_result(result: &Value) {
    assert_eq!(result["status"], "success", "{result}");
    let image = result["image_data_url"].as_str().expect("an image");
    assert!(image.starts_with("data:image/png;base64,iVBORw0KGgo"));
    for name in [
        "prompt",
        "width",
        "height",
        "duration",
        "timestamp",
        "image_path",
        "seed",
        "error_message",
    ] {
        assert!(result.get(name).is_some(), "no {name} in {result}");
    }
}
