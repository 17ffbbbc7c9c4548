//! `/api/v1/documents/{id}/import` and what else a document has under its own path.

use serde_json::json;

use super::support::Server;

async fn path(server: &Server, rest: &str) -> String {
    let listed = server.get("/api/v1/documents").await.json();
    let id = listed["documents"][0]["id"].as_str().unwrap().to_owned();
    format!("/api/v1/documents/{id}/{rest}")
}

fn list(labels: &[&str]) -> serde_json::Value {
    let job = |label: &&str| json!({"id": label, "prompt": "a knight", "createdAt": 5});
    json!({ "jobs": labels.iter().map(job).collect::<Vec<_>>() })
}

#[tokio::test]
async fn f6_an_import_is_tried_without_being_done() {
    let server = Server::start().await;
    let import = path(&server, "import").await;
    let tried = format!("{import}?dry_run=true");
    let told = server
        .json("POST", &tried, list(&["job-1", "job-2"]))
        .await
        .json();
    assert_eq!(
        (&told["dryRun"], &told["report"]["added"]),
        (&json!(true), &json!(2))
    );
    let jobs = path(&server, "jobs").await;
    assert_eq!(
        server.get(&jobs).await.json()["total"],
        0,
        "nothing was done"
    );
    let told = server
        .json("POST", &import, list(&["job-1", "job-2"]))
        .await
        .json();
    assert_eq!(
        (&told["dryRun"], &told["report"]["added"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(server.get(&jobs).await.json()["total"], 2);
    let told = server
        .json("POST", &tried, list(&["job-1", "job-2"]))
        .await
        .json();
    assert_eq!(told["report"]["added"], 0, "again is nothing new");
    let clear = path(&server, "clear").await;
    let cleared = server.json("POST", &clear, json!({})).await.json();
    assert_eq!(cleared, json!({"removed": 2}));
    server.stop().await;
}

#[tokio::test]
async fn f7_an_import_that_removes_most_must_be_confirmed() {
    let server = Server::start().await;
    let import = path(&server, "import").await;
    server
        .json("POST", &import, list(&["job-1", "job-2"]))
        .await;
    let export = path(&server, "export.json").await;
    let mut file = server.get(&export).await.json();
    file["jobs"] = json!([]);
    let tried = server
        .json("POST", &format!("{import}?dry_run=true"), file.clone())
        .await
        .json();
    assert_eq!(
        (&tried["needsConfirmation"], &tried["report"]["removed"]),
        (&json!(true), &json!(2))
    );
    let refused = server.json("POST", &import, file.clone()).await;
    let sentence = refused.problem(409, "confirm");
    assert!(sentence.contains("2 of 2"), "{sentence}");
    let jobs = path(&server, "jobs").await;
    assert_eq!(server.get(&jobs).await.json()["total"], 2);
    let done = server
        .json("POST", &format!("{import}?confirmed=true"), file)
        .await;
    assert_eq!(done.json()["report"]["removed"], 2);
    server.stop().await;
}

#[tokio::test]
async fn t2_an_import_that_is_no_history_is_refused_with_its_place() {
    let server = Server::start().await;
    let import = path(&server, "import").await;
    let sentence = server
        .json("POST", &import, json!({"jobs": 5}))
        .await
        .problem(400, "malformed");
    assert!(sentence.contains("line 1, column "), "{sentence}");
    let mut file = server.get(&path(&server, "export.json").await).await.json();
    file["sync"]["heads"] = json!(["a".repeat(64)]);
    server
        .json("POST", &import, file)
        .await
        .problem(412, "unknown-version");
    server
        .json("POST", &format!("{import}?dry_run=maybe"), list(&[]))
        .await
        .problem(422, "invalid-value");
    server
        .json("POST", "/api/v1/documents/none/import", list(&[]))
        .await
        .problem(404, "not-found");
    server.stop().await;
}
