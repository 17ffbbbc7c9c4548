//! T2: content types, sizes, shapes and methods of requests.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::Server;

#[tokio::test]
async fn t2_writes_need_json() {
    let server = Server::start().await;
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let refused = server
            .send_with(
                "POST",
                "/api/v1/session",
                &[("content-type", media_type)],
                "{\"token\":\"t\"}",
            )
            .await;
        let sentence = refused.problem(415, "media-type");
        assert!(sentence.contains("application/json"), "{sentence}");
    }
    server
        .send_with("POST", "/api/v1/session", &[], "{}")
        .await
        .problem(415, "media-type");
}

#[tokio::test]
async fn t2_broken_and_misshapen_json_are_told_apart() {
    let server = Server::start().await;
    let json_type = [("content-type", "application/json")];
    let sentence = server
        .send_with("POST", "/api/v1/session", &json_type, "{\"token\": ")
        .await
        .problem(400, "malformed");
    assert!(sentence.contains("line 1"), "{sentence}");
    server
        .json("POST", "/api/v1/session", json!({}))
        .await
        .problem(422, "invalid-value");
    server
        .json("POST", "/api/v1/session", json!({"token": 5}))
        .await
        .problem(422, "invalid-value");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let sentence = server
        .send_with("POST", "/api/v1/session", &json_type, &deep)
        .await
        .problem(400, "malformed");
    assert!(sentence.contains("64 levels"), "{sentence}");
}

#[tokio::test]
async fn t2_a_body_past_the_limit_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n",
        server.host()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn t2_unknown_paths_and_methods_are_problems() {
    let server = Server::start().await;
    server
        .get("/api/v1/nothing")
        .await
        .problem(404, "not-found");
    server
        .get("/no%3Cscript%3E")
        .await
        .problem(404, "not-found");
    let refused = server.json("PUT", "/api/v1/session", json!({})).await;
    let sentence = refused.problem(405, "method-not-allowed");
    assert!(sentence.contains("POST"), "{sentence}");
    server
        .json("POST", "/elsewhere", json!({}))
        .await
        .problem(405, "method-not-allowed");
}

#[tokio::test]
async fn s7_an_idle_connection_does_not_hold_up_a_stop() {
    let server = Server::start().await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.get("/").await.status, 200);
    server.stop().await;
    drop(idle);
}
