//! L1-L3: the old paths.

use serde_json::{Value, json};

use super::support::{PIXEL, Server};

fn job(number: u64, prompt: &str) -> Value {
    json!({"id": format!("job-{number}"), "prompt": prompt, "width": 64, "height": 64, "seed": null, "status": "idle",
        "result": null, "error": null, "startTime": null, "endTime": null, "duration": null,
        "createdAt": 1_700_000_000_000_u64 + number})
}

fn prompts(loaded: &Value) -> Vec<&str> {
    loaded["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["prompt"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn l1_with_no_history_the_list_is_empty() {
    let server = Server::start().await;
    let loaded = server.get("/load-jobs").await.json();
    assert_eq!(
        (&loaded["status"], &loaded["message"]),
        (&json!("ok"), &json!("Loaded 0 jobs"))
    );
    assert_eq!(loaded["jobs"], json!([]));
    assert!(loaded.get("lastJobId").is_some() && loaded.get("savedAt").is_some());
}

#[tokio::test]
async fn l1_a_saved_list_comes_back_as_it_was() {
    let server = Server::start().await;
    let mut with_image = job(2, "a mage");
    with_image["result"] = json!(PIXEL);
    with_image["status"] = json!("success");
    with_image["unknown"] = json!({"deep": [1, 2.5, null]});
    let list = json!({"jobs": [job(1, "a knight"), with_image], "lastJobId": 3});
    let saved = server.json("POST", "/save-jobs", list.clone()).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let answer = saved.json();
    assert_eq!(
        (&answer["status"], &answer["message"]),
        (&json!("ok"), &json!("Saved 2 jobs"))
    );
    assert!(
        answer["fileSize"].is_number() && answer["savedAt"].is_string(),
        "{answer}"
    );
    let loaded = server.get("/load-jobs").await;
    assert_eq!(loaded.header("etag"), saved.header("etag"));
    let loaded = loaded.json();
    assert_eq!(loaded["message"], "Loaded 2 jobs");
    assert_eq!(loaded["lastJobId"], 3);
    assert_eq!(loaded["jobs"], list["jobs"]);
}

#[tokio::test]
async fn l3_what_is_no_list_changes_nothing() {
    let server = Server::start().await;
    server
        .json(
            "POST",
            "/save-jobs",
            json!({"jobs": [job(1, "a knight")], "lastJobId": 2}),
        )
        .await;
    let before = server.get("/load-jobs").await.body;
    let svg = json!({"id": "job-1", "result": "data:image/svg+xml;base64,PHN2Zy8+"});
    for bad in [
        json!({}),
        json!([]),
        json!(null),
        json!({"jobs": {}}),
        json!({"jobs": null}),
        json!({"jobs": [5]}),
        json!({"jobs": [{"prompt": "no id"}]}),
        json!({"jobs": [{"id": 5}]}),
        json!({"jobs": [{"id": "job-1", "prompt": 5}]}),
        json!({"jobs": [{"id": "job-1", "result": 5}]}),
        json!({"jobs": [], "lastJobId": "7"}),
        json!({"jobs": [svg]}),
    ] {
        let refused = server.json("POST", "/save-jobs", bad.clone()).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text());
        let answer = refused.json();
        assert_eq!(answer["status"], "error");
        assert!(
            answer["message"].as_str().unwrap().contains("allowed")
                || answer["message"].as_str().unwrap().contains("a save is"),
            "{answer}"
        );
    }
    let half = "{\"jobs\": [{\"id\": \"job-1\", \"pro";
    let refused = server
        .send_with(
            "POST",
            "/save-jobs",
            &[("content-type", "application/json")],
            half,
        )
        .await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.json()["message"]
            .as_str()
            .unwrap()
            .contains("line 1")
    );
    let refused = server
        .send_with(
            "POST",
            "/save-jobs",
            &[("content-type", "text/plain")],
            "{\"jobs\":[]}",
        )
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["status"]),
        (415, &json!("error"))
    );
    assert_eq!(server.get("/load-jobs").await.body, before);
}

#[tokio::test]
async fn l2_the_same_save_twice_is_one() {
    let server = Server::start().await;
    let list = json!({"jobs": [job(1, "a knight"), job(2, "a mage")], "lastJobId": 3});
    let first = server.json("POST", "/save-jobs", list.clone()).await;
    let again = server.json("POST", "/save-jobs", list).await;
    assert_eq!(first.header("etag"), again.header("etag"), "no new version");
    assert_eq!(
        prompts(&server.get("/load-jobs").await.json()),
        ["a knight", "a mage"]
    );
}

#[tokio::test]
async fn l2_without_a_version_nothing_is_removed() {
    let server = Server::start().await;
    server
        .json(
            "POST",
            "/save-jobs",
            json!({"jobs": [job(1, "a knight"), job(2, "a mage")], "lastJobId": 3}),
        )
        .await;
    // A fresh browser's first job: it believes that it is job-1, made later.
    let mut first = job(1, "a dragon");
    first["createdAt"] = json!(1_800_000_000_000_u64);
    let saved = server
        .json(
            "POST",
            "/save-jobs",
            json!({"jobs": [first], "lastJobId": 2}),
        )
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let loaded = server.get("/load-jobs").await.json();
    assert_eq!(prompts(&loaded), ["a knight", "a mage", "a dragon"]);
    assert_eq!(loaded["lastJobId"], 3, "never falls (D9)");
    // An empty list of somebody who was never given one.
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "another"),
    ];
    let empty = json!({"jobs": [], "lastJobId": 1}).to_string();
    let saved = server.send_with("POST", "/save-jobs", &headers, &empty);
    assert_eq!(saved.await.status, 200);
    assert_eq!(
        server.get("/load-jobs").await.json()["jobs"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn l2_a_save_is_merged_from_the_version_it_names() {
    let server = Server::start().await;
    server
        .json(
            "POST",
            "/save-jobs",
            json!({"jobs": [job(1, "a knight"), job(2, "a mage")], "lastJobId": 3}),
        )
        .await;
    let stale = server.get("/load-jobs").await;
    server
        .json("PATCH", "/api/v1/jobs/job-1", json!({"prompt": "a king"}))
        .await;
    server
        .json("POST", "/api/v1/jobs", json!({"prompt": "a newcomer"}))
        .await;

    // The stale tab removes job-2 and changes nothing else.
    let mut list = stale.json();
    list["jobs"].as_array_mut().unwrap().remove(1);
    let body = json!({"jobs": list["jobs"], "lastJobId": 3}).to_string();
    let tag = stale.header("etag");
    let headers = [
        ("content-type", "application/json"),
        ("if-match", tag.as_str()),
    ];
    let saved = server
        .send_with("POST", "/save-jobs", &headers, &body)
        .await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    assert_eq!(
        prompts(&server.get("/load-jobs").await.json()),
        ["a king", "a newcomer"]
    );

    // The same, named by the `sync` block that came with the list.
    let mut whole = server.get("/load-jobs").await.json();
    server
        .json("POST", "/api/v1/jobs", json!({"prompt": "another"}))
        .await;
    whole["jobs"].as_array_mut().unwrap().remove(0);
    assert_eq!(server.json("POST", "/save-jobs", whole).await.status, 200);
    assert_eq!(
        prompts(&server.get("/load-jobs").await.json()),
        ["a newcomer", "another"]
    );
}

#[tokio::test]
async fn l2_a_version_that_is_not_known_is_refused() {
    let server = Server::start().await;
    let unknown = format!("\"{}\"", "ab".repeat(32));
    let headers = [
        ("content-type", "application/json"),
        ("if-match", unknown.as_str()),
    ];
    let refused = server
        .send_with("POST", "/save-jobs", &headers, "{\"jobs\":[]}")
        .await;
    assert_eq!(refused.status, 412, "{}", refused.text());
    let headers = [("content-type", "application/json"), ("if-match", "\"x\"")];
    assert_eq!(
        server
            .send_with("POST", "/save-jobs", &headers, "{\"jobs\":[]}")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn l1_generating_and_rotating_answer_result_objects() {
    let server = Server::start().await;
    let made = server
        .json(
            "POST",
            "/generate-character",
            json!({"prompt": "a knight", "width": 32, "height": 32, "seed": "7"}),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let made = made.json();
    assert_eq!(
        (&made["status"], &made["width"], &made["seed"]),
        (&json!("success"), &json!(32), &json!("7"))
    );
    let image = made["image_data_url"].as_str().unwrap();
    assert!(image.starts_with("data:image/png;base64,"));
    let turned = server
        .json(
            "POST",
            "/rotate-character",
            json!({"image_data_url": image, "to_direction": "east"}),
        )
        .await;
    assert_eq!(turned.status, 200, "{}", turned.text());
    assert!(
        turned.json()["image_data_url"]
            .as_str()
            .unwrap()
            .starts_with("data:image/png;base64,")
    );
    for (path, bad) in [
        ("/generate-character", json!({})),
        ("/generate-character", json!({"prompt": "x", "width": 0})),
        ("/generate-character", json!({"prompt": "x", "width": 1e9})),
        ("/generate-character", json!({"prompt": "x", "width": "64"})),
        (
            "/rotate-character",
            json!({"image_data_url": "data:image/svg+xml;base64,PHN2Zy8+", "to_direction": "east"}),
        ),
        (
            "/rotate-character",
            json!({"image_data_url": image, "to_direction": "up"}),
        ),
        ("/rotate-character", json!({"to_direction": "east"})),
    ] {
        let refused = server.json("POST", path, bad.clone()).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text());
        assert_eq!(refused.json()["status"], "error");
    }
    assert_eq!(
        server.get("/balance").await.json(),
        json!({"status": "missing"})
    );
    assert_eq!(
        server.get("/load-jobs").await.json()["jobs"],
        json!([]),
        "nothing is kept"
    );
}

/// An error on an old path is made anew: what described the body before it must not stay.
#[tokio::test]
async fn l1_errors_are_readable_by_clients_that_take_compression() {
    let server =
        Server::start_with(|config| config.token = Some("a-token-for-this-test".parse().unwrap()))
            .await;
    for encoding in ["br", "gzip", "zstd"] {
        let refused = server
            .get_with("/load-jobs", &[("accept-encoding", encoding)])
            .await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("content-encoding"), "", "{encoding}");
        assert_eq!(refused.json()["status"], "error", "{}", refused.text());
    }
}

/// A file may hold fields of its own and jobs that no old client would make; an old client that
/// saves what it was given changes none of it.
async fn with_odd_file() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let mut odd = job(1, "a knight");
    odd["prompt"] = Value::Null;
    odd["status"] = json!([]);
    odd["result"] = json!(7);
    let file = json!({"notes": "hello", "settings": {"a": 1}, "images": "files", "jobs": [odd, job(2, "a mage")],
        "lastJobId": 3});
    std::fs::write(folder.path().join("job_history.json"), file.to_string()).unwrap();
    Server::start_in(folder, |_| {}).await
}

async fn exported(server: &Server) -> Value {
    let listed = server.get("/api/v1/documents").await.json();
    let id = listed["documents"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/documents/{id}/export.json");
    server.get(&path).await.json()
}

#[tokio::test]
async fn d8_an_old_clients_list_says_nothing_of_the_files_other_fields() {
    let server = with_odd_file().await;
    let loaded = server.get("/load-jobs").await.json();
    let mut list = json!({"jobs": loaded["jobs"], "lastJobId": loaded["lastJobId"]});
    list["jobs"][1]["prompt"] = json!("a dragon");
    let saved = server.json("POST", "/save-jobs", list).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    let file = exported(&server).await;
    assert_eq!(file["jobs"][1]["prompt"], "a dragon");
    assert_eq!(
        (&file["notes"], &file["settings"], &file["images"]),
        (&json!("hello"), &json!({"a": 1}), &json!("files")),
    );
}

#[tokio::test]
async fn l2_a_job_that_comes_back_unchanged_is_no_error_whatever_it_holds() {
    let server = with_odd_file().await;
    let loaded = server.get("/load-jobs").await.json();
    let mut list = json!({"jobs": loaded["jobs"], "lastJobId": loaded["lastJobId"]});
    let saved = server.json("POST", "/save-jobs", list.clone()).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    list["jobs"][0]["status"] = json!(["new"]);
    let refused = server.json("POST", "/save-jobs", list).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}
