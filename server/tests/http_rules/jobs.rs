//! `/api/v1/jobs` and what hangs on it, with T2's checks of values.

use serde_json::{Value, json};

use super::support::{PIXEL, Server};

async fn add(server: &Server, prompt: &str) -> Value {
    let added = server
        .json("POST", "/api/v1/jobs", json!({"prompt": prompt}))
        .await;
    assert_eq!(added.status, 201, "{}", added.text());
    added.json()
}

fn on_disk(server: &Server) -> String {
    std::fs::read_to_string(server.folder.path().join("job_history.json")).unwrap_or_default()
}

#[tokio::test]
async fn a_job_lives_from_post_to_delete() {
    let server = Server::start().await;
    let added = server
        .json(
            "POST",
            "/api/v1/jobs",
            json!({"prompt": "a knight", "mood": {"any": 1.5}}),
        )
        .await;
    let row = added.json();
    let key = row["key"].as_str().unwrap().to_owned();
    assert_eq!(added.header("location"), format!("/api/v1/jobs/{key}"));
    assert_eq!(
        (
            &row["job"]["id"],
            &row["job"]["width"],
            &row["job"]["status"]
        ),
        (&json!("job-1"), &json!(64), &json!("idle"))
    );
    assert_eq!(
        row["job"]["mood"]["any"], 1.5,
        "unknown fields are kept (D8)"
    );

    let changed = server
        .json(
            "PATCH",
            "/api/v1/jobs/job-1",
            json!({"prompt": "a <b>mage</b>", "seed": null}),
        )
        .await;
    assert_eq!(changed.json()["job"]["prompt"], "a <b>mage</b>");
    let changed = server
        .json(
            "PATCH",
            &format!("/api/v1/jobs/{key}"),
            json!({"set": {"height": 32}, "unset": ["mood"]}),
        )
        .await;
    assert_eq!(changed.json()["job"]["height"], 32);
    assert!(changed.json()["job"].get("mood").is_none());

    assert_eq!(
        server
            .send_with("DELETE", "/api/v1/jobs/job-1", &[], "")
            .await
            .status,
        204
    );
    assert_eq!(
        server
            .send_with("DELETE", "/api/v1/jobs/job-1", &[], "")
            .await
            .status,
        204,
        "twice is once"
    );
    assert_eq!(server.get("/api/v1/jobs").await.json()["total"], 0);
    assert_eq!(
        server.get("/api/v1/jobs?bin=true").await.json()["jobs"][0]["key"],
        *key
    );
    assert_eq!(server.get("/api/v1/jobs/job-1").await.json()["inBin"], true);
    let restored = server
        .json("POST", "/api/v1/jobs/job-1/restore", json!({}))
        .await;
    assert_eq!(restored.json()["inBin"], false);
}

#[tokio::test]
async fn t2_bad_values_are_refused_and_nothing_changes() {
    let server = Server::start().await;
    add(&server, "a knight").await;
    let before = server.get("/api/v1/export.json").await.body;
    let svg = "data:image/svg+xml;base64,PHN2Zy8+";
    for bad in [
        json!({"prompt": "x", "width": 0}),
        json!({"prompt": "x", "width": 1e9}),
        json!({"prompt": "x", "width": "64"}),
        json!({"prompt": "x", "height": -1}),
        json!({"prompt": ""}),
        json!({"prompt": 5}),
        json!({"prompt": "x", "result": svg}),
        json!({"prompt": "x", "result": "hello"}),
        json!({"prompt": "x", "run": "yes"}),
        json!({}),
        json!([]),
        json!("text"),
    ] {
        let refused = server.json("POST", "/api/v1/jobs", bad.clone()).await;
        refused.problem(422, "invalid-value");
        if bad.as_object().is_some_and(|bad| bad.len() > 1) {
            server
                .json("PATCH", "/api/v1/jobs/job-1", bad)
                .await
                .problem(422, "invalid-value");
        }
    }
    let sentence = server
        .json(
            "POST",
            "/api/v1/jobs",
            json!({"prompt": "x", "width": "64"}),
        )
        .await
        .problem(422, "invalid-value");
    assert_eq!(
        sentence,
        "`width` is \\\"64\\\"; allowed is a whole number from 16 to 256"
    );
    assert_eq!(server.get("/api/v1/export.json").await.body, before);
}

#[tokio::test]
async fn unknown_jobs_are_not_found() {
    let server = Server::start().await;
    server
        .get("/api/v1/jobs/job-9")
        .await
        .problem(404, "not-found");
    server
        .json("PATCH", "/api/v1/jobs/job-9", json!({"prompt": "x"}))
        .await
        .problem(404, "not-found");
    server
        .send_with("DELETE", "/api/v1/jobs/job-9", &[], "")
        .await
        .problem(404, "not-found");
    server
        .json("POST", "/api/v1/jobs/job-9/run", json!({}))
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn a_repeated_post_with_its_key_makes_one_job() {
    let server = Server::start().await;
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "add-1"),
    ];
    let first = server
        .send_with("POST", "/api/v1/jobs", &headers, "{\"prompt\":\"a\"}")
        .await
        .json();
    let again = server
        .send_with("POST", "/api/v1/jobs", &headers, "{\"prompt\":\"a\"}")
        .await
        .json();
    assert_eq!(first["key"], again["key"]);
    assert_eq!(server.get("/api/v1/jobs").await.json()["total"], 1);
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_jobs_come_and_go() {
    let server = Server::start().await;
    for n in 0..7 {
        add(&server, &format!("knight {n}")).await;
    }
    let first = server.get("/api/v1/jobs?limit=3").await.json();
    assert_eq!(first["total"], 7);
    add(&server, "a newcomer").await;
    let mut seen: Vec<String> = labels(&first);
    let mut next = first["next"].clone();
    while let Some(after) = next.as_str() {
        let page = server
            .get(&format!("/api/v1/jobs?limit=3&after={after}"))
            .await
            .json();
        seen.extend(labels(&page));
        next = page["next"].clone();
    }
    assert_eq!(
        seen,
        [
            "job-7", "job-6", "job-5", "job-4", "job-3", "job-2", "job-1"
        ]
    );
    assert_eq!(
        server.get("/api/v1/jobs?q=newcomer").await.json()["total"],
        1
    );
    assert_eq!(
        labels(&server.get("/api/v1/jobs?sort=created&limit=1").await.json()),
        ["job-1"]
    );
    for bad in [
        "limit=0",
        "limit=5000",
        "limit=x",
        "after=x",
        "colour=red",
        "q=%22open",
    ] {
        server
            .get(&format!("/api/v1/jobs?{bad}"))
            .await
            .problem(422, "invalid-value");
    }
}

fn labels(page: &Value) -> Vec<String> {
    page["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["job"]["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn d6_clear_moves_all_to_the_bin() {
    let server = Server::start().await;
    for n in 0..3 {
        add(&server, &format!("knight {n}")).await;
    }
    let json_type = [("content-type", "application/json")];
    let cleared = server
        .send_with("POST", "/api/v1/jobs/clear", &json_type, "")
        .await;
    assert_eq!(cleared.json(), json!({"removed": 3}));
    assert_eq!(
        server
            .json("POST", "/api/v1/jobs/clear", json!({}))
            .await
            .json(),
        json!({"removed": 0})
    );
    let stats = server.get("/api/v1/stats").await.json();
    assert_eq!((&stats["total"], &stats["bin"]), (&json!(0), &json!(3)));
    server
        .send_with("POST", "/api/v1/jobs/clear", &[], "")
        .await
        .problem(415, "media-type");
}

#[tokio::test]
async fn edits_are_applied_once() {
    let server = Server::start().await;
    let row = add(&server, "a knight").await;
    let edit = |prompt: &str, id: &str| json!({"id": id, "at": 1_700_000_000_000_u64, "edit": {"type": "change", "key": row["key"], "set": {"prompt": prompt}}});
    let changed = server
        .json("POST", "/api/v1/edits", edit("first", "edit-number-one-1"))
        .await;
    assert_eq!(changed.json()["rows"][0]["job"]["prompt"], "first");
    server
        .json("POST", "/api/v1/edits", edit("second", "edit-number-two-2"))
        .await;
    let again = server
        .json("POST", "/api/v1/edits", edit("first", "edit-number-one-1"))
        .await;
    assert_eq!(again.status, 200);
    assert_eq!(
        server.get("/api/v1/jobs/job-1").await.json()["job"]["prompt"],
        "second"
    );
    let forged = json!({"id": "edit-number-three", "at": 1, "edit": {"type": "progress", "key": row["key"], "runId": "r1", "set": {"status": "success"}}});
    server
        .json("POST", "/api/v1/edits", forged)
        .await
        .problem(422, "invalid-value");
    let unknown = json!({"id": "edit-number-four", "at": 1, "edit": {"type": "explode"}});
    server
        .json("POST", "/api/v1/edits", unknown)
        .await
        .problem(422, "invalid-value");
}

#[tokio::test]
async fn t3_blobs_are_images_that_hash_to_their_name() {
    let server = Server::start().await;
    let row = server
        .json(
            "POST",
            "/api/v1/jobs",
            json!({"prompt": "x", "result": PIXEL}),
        )
        .await
        .json();
    let reference = row["job"]["result"]
        .as_str()
        .unwrap()
        .strip_prefix("blob:")
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/blobs/{reference}");
    let image = server.get(&path).await;
    assert_eq!(
        (image.status.as_u16(), image.header("content-type").as_str()),
        (200, "image/png")
    );
    assert!(image.header("cache-control").contains("immutable"));
    let known = server
        .get_with(&path, &[("if-none-match", &image.header("etag"))])
        .await;
    assert_eq!(known.status, 304);
    let head = server.send_with("HEAD", &path, &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));

    let put = |path: String, media_type: &'static str, bytes: Vec<u8>| {
        let request = server
            .request("PUT", &path)
            .header("content-type", media_type);
        server.send(request.body(bytes.into()).unwrap())
    };
    assert_eq!(
        put(path.clone(), "image/png", image.body.clone())
            .await
            .status,
        204
    );
    let mut other = image.body.clone();
    other.extend_from_slice(b"more");
    put(path.clone(), "image/png", other)
        .await
        .problem(422, "invalid-value");
    put(path.clone(), "image/svg+xml", b"<svg/>".to_vec())
        .await
        .problem(415, "media-type");
    put(path.clone(), "image/png", b"<svg/>".to_vec())
        .await
        .problem(422, "invalid-value");
    put(path, "image/png", vec![0; 9 * 1024 * 1024])
        .await
        .problem(413, "too-large");
    server
        .get("/api/v1/blobs/sha256-0000")
        .await
        .problem(404, "not-found");
    server
        .get(&format!("/api/v1/blobs/sha256-{}", "0".repeat(64)))
        .await
        .problem(404, "not-found");
}

#[tokio::test]
async fn s7_what_was_answered_is_in_the_file_after_a_stop() {
    let server = Server::start().await;
    add(&server, "a knight").await;
    let file = server.folder.path().join("job_history.json");
    let _folder = server.stop().await;
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("a knight"), "{text}");
}

#[tokio::test]
async fn f13_large_answers_are_compressed_as_asked() {
    let server = Server::start().await;
    for n in 0..20 {
        add(&server, &format!("the same long words again and again {n}")).await;
    }
    let plain = server.get("/api/v1/jobs").await;
    assert_eq!(plain.header("content-encoding"), "");
    for encoding in ["br", "zstd", "gzip"] {
        let packed = server
            .get_with("/api/v1/jobs", &[("accept-encoding", encoding)])
            .await;
        assert_eq!(packed.header("content-encoding"), encoding);
        assert!(
            packed.body.len() * 3 < plain.body.len(),
            "{encoding}: {} of {}",
            packed.body.len(),
            plain.body.len()
        );
    }
    assert!(
        on_disk(&server).is_empty() || on_disk(&server).starts_with('{'),
        "the file stays plain"
    );
}

#[tokio::test]
async fn the_api_describes_itself() {
    let server = Server::start().await;
    let described = server.get("/api/openapi.json").await.json();
    for path in [
        "/api/v1/jobs",
        "/api/v1/jobs/{id}",
        "/load-jobs",
        "/sync",
        "/api/v1/blobs/{name}",
        "/generate-character",
    ] {
        assert!(
            described["paths"].get(path).is_some(),
            "{path} is not described"
        );
    }
    let page = server.get("/api/docs").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text().contains("<script"));
    assert_eq!(server.get("/api/docs.css").await.status, 200);
}

#[tokio::test]
async fn health_names_the_documents() {
    let server = Server::start().await;
    add(&server, "a knight").await;
    let health = server.get("/health").await.json();
    assert_eq!(health["status"], "ok");
    assert!(health["uptime_seconds"].is_number() && health["server_time"].is_string());
    assert_eq!(health["api_key_detected"], false);
    assert_eq!(health["balance"], json!({"status": "missing"}));
    assert_eq!(health["file"]["state"], "ok");
    let document = &health["documents"][0];
    assert_eq!(
        (&document["name"], &document["jobs"]),
        (&json!("job_history.json"), &json!(1))
    );
    assert_eq!(
        document["url"],
        format!("automerge:{}", document["id"].as_str().unwrap())
    );
    assert_eq!(health["server"].as_str().unwrap().len(), 16);
    assert_eq!(
        server.get("/api/v1/documents").await.json()["documents"],
        health["documents"]
    );
}

#[tokio::test]
async fn f7_a_file_that_awaits_no_answer_says_so() {
    let server = Server::start().await;
    let id = server.get("/health").await.json()["documents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/documents/{id}/file");
    server
        .json("POST", &path, json!({"answer": "take"}))
        .await
        .problem(409, "conflict");
    server
        .json("POST", &path, json!({"answer": "perhaps"}))
        .await
        .problem(422, "invalid-value");
    server
        .json(
            "POST",
            "/api/v1/documents/nonsense/file",
            json!({"answer": "take"}),
        )
        .await
        .problem(404, "not-found");
}
