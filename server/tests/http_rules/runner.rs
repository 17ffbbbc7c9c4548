//! Run orders by request: one server, at most once, its number of runs at once.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::support::Server;

/// Longest wait for a picture of the embedded generator.
const PATIENCE: Duration = Duration::from_secs(20);

async fn until_done(server: &Server, id: &str) -> Value {
    let waiting = async {
        loop {
            let row = server.get(&format!("/api/v1/jobs/{id}")).await.json();
            if ["success", "error"]
                .iter()
                .any(|status| row["job"]["status"] == *status)
            {
                return row;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{id} never ended"))
}

#[tokio::test]
async fn a_job_added_with_run_is_drawn_and_its_image_served() {
    let server = Server::start().await;
    let added = server
        .json(
            "POST",
            "/api/v1/jobs",
            json!({"prompt": "a knight", "run": true}),
        )
        .await;
    assert_eq!(added.status, 201, "{}", added.text());
    let device = server.get("/health").await.json()["server"].clone();
    assert_eq!(
        added.json()["run"]["server"],
        device,
        "only this server may start it"
    );

    let row = until_done(&server, "job-1").await;
    assert_eq!(row["job"]["status"], "success", "{row}");
    let text = row["job"]["result"].to_string();
    let at = text
        .find("blob:sha256-")
        .unwrap_or_else(|| panic!("no image in {text}"));
    let name = &text[at + "blob:".len()..at + "blob:sha256-".len() + 64];
    let image = server.get(&format!("/api/v1/blobs/{name}")).await;
    assert_eq!(image.header("content-type"), "image/png");

    let again = server
        .json("POST", "/api/v1/jobs/job-1/run", json!({}))
        .await;
    assert_eq!(again.status, 200, "{}", again.text());
    assert_ne!(
        again.json()["run"]["id"],
        row["run"]["id"],
        "a new order is a new run"
    );
    until_done(&server, "job-1").await;
}

#[tokio::test]
async fn an_idle_job_is_started_by_nobody() {
    let server = Server::start().await;
    server
        .json("POST", "/api/v1/jobs", json!({"prompt": "left alone"}))
        .await;
    server
        .json(
            "POST",
            "/api/v1/jobs",
            json!({"prompt": "ordered", "run": true}),
        )
        .await;
    until_done(&server, "job-2").await;
    assert_eq!(
        server.get("/api/v1/jobs/job-1").await.json()["job"]["status"],
        "idle"
    );
}

#[tokio::test]
async fn the_number_of_runs_at_once_can_be_changed() {
    let server = Server::start().await;
    assert_eq!(
        server.get("/api/v1/runner").await.json()["maxParallelJobs"],
        3
    );
    let changed = server
        .json("PUT", "/api/v1/runner", json!({"maxParallelJobs": 5}))
        .await;
    assert_eq!(changed.json()["maxParallelJobs"], 5);
    assert_eq!(server.get("/health").await.json()["max_parallel_jobs"], 5);
    for bad in [
        json!({"maxParallelJobs": 0}),
        json!({"maxParallelJobs": 1000}),
        json!({"maxParallelJobs": "3"}),
        json!({}),
    ] {
        server
            .json("PUT", "/api/v1/runner", bad)
            .await
            .problem(422, "invalid-value");
    }
}
