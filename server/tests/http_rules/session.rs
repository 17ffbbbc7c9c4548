//! T4: the token and its cookie.

use serde_json::json;

use super::support::Server;

const TOKEN: &str = "a-token-for-this-test";

async fn locked() -> Server {
    Server::start_with(|config| config.token = Some(TOKEN.parse().unwrap())).await
}

#[tokio::test]
async fn t4_without_the_token_only_the_page_and_the_exchange_are_open() {
    let server = locked().await;
    assert_eq!(server.get("/").await.status, 200);
    assert_eq!(
        server.get("/api/v1/session").await.json(),
        json!({"tokenNeeded": true, "signedIn": false})
    );
    let refused = server.get("/health").await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    assert_eq!(
        refused.json()["status"],
        "error",
        "an old path has the old shape"
    );
}

#[tokio::test]
async fn t4_bearer_opens() {
    let server = locked().await;
    assert_eq!(
        server
            .get_with("/health", &[("authorization", &format!("Bearer {TOKEN}"))])
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .get_with("/health", &[("authorization", "Bearer wrong")])
            .await
            .status,
        401
    );
    assert_eq!(
        server
            .get_with("/health", &[("authorization", &format!("Basic {TOKEN}"))])
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn t4_the_token_is_exchanged_for_a_cookie_scripts_cannot_read() {
    let server = locked().await;
    server
        .json("POST", "/api/v1/session", json!({"token": "wrong"}))
        .await
        .problem(401, "unauthorized");
    let signed_in = server
        .json("POST", "/api/v1/session", json!({"token": TOKEN}))
        .await;
    assert_eq!(signed_in.status, 204);
    let cookie = signed_in.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(
        !cookie.contains(TOKEN),
        "the cookie is not the token: {cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(
        server
            .get_with("/health", &[("cookie", &format!("other=1; {pair}"))])
            .await
            .status,
        200
    );
    assert_eq!(
        server
            .get_with("/health", &[("cookie", &format!("{pair}0"))])
            .await
            .status,
        401
    );

    let out = server
        .send_with("DELETE", "/api/v1/session", &[("cookie", pair)], "")
        .await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
}

#[tokio::test]
async fn t4_wrong_tokens_are_slowed_down() {
    let server = locked().await;
    let mut refusals = Vec::new();
    for _ in 0..60 {
        refusals.push(
            server
                .get_with("/health", &[("authorization", "Bearer wrong")])
                .await
                .status
                .as_u16(),
        );
    }
    assert!(refusals.contains(&429), "{refusals:?}");
    assert_eq!(server.get("/").await.status, 200);
}

#[tokio::test]
async fn t4_without_a_token_everybody_is_signed_in() {
    let server = Server::start().await;
    assert_eq!(
        server.get("/api/v1/session").await.json(),
        json!({"tokenNeeded": false, "signedIn": true})
    );
    assert_eq!(
        server
            .json("POST", "/api/v1/session", json!({"token": "any"}))
            .await
            .status,
        204
    );
}
