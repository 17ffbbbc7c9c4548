//! T1, T3, T4: who may talk to the server.

use tokio::net::TcpListener;

use super::support::Server;

#[tokio::test]
async fn t1_unknown_host_is_refused() {
    let server = Server::start().await;
    let port = server.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.:{port}"),
        format!("user@127.0.0.1:{port}"),
        String::new(),
    ] {
        for path in ["/", "/health", "/sync"] {
            let refused = server.get_with(path, &[("host", &host)]).await;
            assert_eq!(refused.status, 403, "{host} {path}: {}", refused.text());
        }
    }
    let sentence = server
        .get_with("/", &[("host", "evil.example")])
        .await
        .problem(403, "unknown-host");
    assert!(
        sentence.contains("evil.example") && sentence.contains("--allow-host"),
        "{sentence}"
    );
}

#[tokio::test]
async fn t1_own_hosts_and_added_ones_are_known() {
    let server =
        Server::start_with(|config| config.allow_hosts.push("box.local".parse().unwrap())).await;
    let port = server.address.port();
    for host in ["127.0.0.1", "LOCALHOST", "[::1]", "box.local"] {
        let answer = server
            .get_with("/health", &[("host", &format!("{host}:{port}"))])
            .await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
}

#[tokio::test]
async fn t1_two_hosts_in_one_request_are_refused() {
    let server = Server::start().await;
    let own = server.host();
    let both = server
        .get_with("/health", &[("host", &own), ("host2", "x")])
        .await;
    assert_eq!(both.status, 200);
    let target = server
        .send_with("GET", "http://evil.example/health", &[], "")
        .await;
    assert_eq!(
        target.status,
        403,
        "the request target names another host: {}",
        target.text()
    );
}

#[tokio::test]
async fn t1_unknown_origin_is_refused_on_every_method_and_upgrade() {
    let server = Server::start().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let refused = server
            .send_with(
                method,
                "/api/v1/session",
                &[("origin", "http://evil.example")],
                "",
            )
            .await;
        let sentence = refused.problem(403, "unknown-origin");
        assert!(
            sentence.contains("--allow-origin http://evil.example"),
            "{sentence}"
        );
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
    let upgrade = [
        ("origin", "http://evil.example"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    server
        .get_with("/sync", &upgrade)
        .await
        .problem(403, "unknown-origin");
}

#[tokio::test]
async fn t1_null_origin_is_refused() {
    let server = Server::start().await;
    server
        .get_with("/api/v1/session", &[("origin", "null")])
        .await
        .problem(403, "unknown-origin");
}

#[tokio::test]
async fn t1_missing_and_own_origin_are_allowed() {
    let server = Server::start().await;
    let own = format!("http://{}", server.host());
    assert_eq!(server.get("/api/v1/session").await.status, 200);
    assert_eq!(
        server
            .get_with("/api/v1/session", &[("origin", &own)])
            .await
            .status,
        200
    );
    let https = own.replace("http:", "https:");
    assert_eq!(
        server
            .get_with("/api/v1/session", &[("origin", &https)])
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn t1_allowed_origin_gets_cors_and_its_preflight() {
    let server = Server::start_with(|config| {
        config
            .allow_origins
            .push("http://localhost:3000".parse().unwrap())
    })
    .await;
    let origin = ("origin", "http://localhost:3000");
    let answer = server.get_with("/api/v1/session", &[origin]).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "http://localhost:3000"
    );
    assert!(
        answer.header("vary").contains("origin"),
        "{:?}",
        answer.headers
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");

    let preflight = server
        .send_with(
            "OPTIONS",
            "/save-jobs",
            &[origin, ("access-control-request-method", "POST")],
            "",
        )
        .await;
    assert_eq!(preflight.status, 204);
    assert!(
        preflight
            .header("access-control-allow-headers")
            .contains("content-type")
    );
    assert!(
        preflight
            .header("access-control-allow-methods")
            .contains("POST")
    );

    let error = server
        .send_with("POST", "/api/v1/session", &[origin], "{}")
        .await;
    error.problem(415, "media-type");
    assert_eq!(
        error.header("access-control-allow-origin"),
        "http://localhost:3000",
        "errors are readable too"
    );
}

#[tokio::test]
async fn t1_localhost_pages_move_to_one_origin() {
    let server = Server::start().await;
    let port = server.address.port();
    let localhost = format!("localhost:{port}");
    let moved = server
        .get_with(
            "/?q=a",
            &[("host", &localhost), ("sec-fetch-mode", "navigate")],
        )
        .await;
    assert_eq!(moved.status, 308);
    assert_eq!(
        moved.header("location"),
        format!("http://127.0.0.1:{port}/?q=a")
    );
    let fetched = server
        .get_with(
            "/health",
            &[("host", &localhost), ("sec-fetch-mode", "cors")],
        )
        .await;
    assert_eq!(fetched.status, 200, "only pages are moved");
}

#[tokio::test]
async fn t3_every_answer_carries_the_policy() {
    let server = Server::start().await;
    for (path, status) in [("/", 200), ("/health", 200), ("/nothing", 404)] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, status);
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(
            policy.contains(&format!("connect-src 'self' ws://{}", server.host())),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
    }
}

#[tokio::test]
async fn t1_the_address_a_client_reached_is_a_known_host() {
    // Loopback has many addresses: a server on all of them is reached at one that no list names.
    let server = Server::start_on("0.0.0.0:0", |config| {
        config.token = Some("a-token-for-this-test".parse().unwrap());
    })
    .await;
    let port = server.address.port();
    let reached: std::net::SocketAddr = format!("127.0.0.7:{port}").parse().unwrap();
    for (host, status) in [
        (format!("127.0.0.7:{port}"), 200),
        (format!("127.0.0.8:{port}"), 403),
        (format!("0.0.0.0:{port}"), 403),
        (format!("box.local:{port}"), 403),
    ] {
        let request = hyper::Request::builder().uri("/").header("host", &host);
        let answer = server
            .send_to(reached, request.body(Default::default()).unwrap())
            .await;
        assert_eq!(answer.status, status, "{host}: {}", answer.text());
    }
}

#[tokio::test]
async fn t4_beyond_loopback_needs_a_token() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let config = plainsync::config::Config::new("nowhere/job_history.json".into());
    let refused = plainsync::serve::run(listener, config, std::future::pending())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("--token"), "{refused}");
    assert!(
        !std::path::Path::new("nowhere").exists(),
        "nothing was touched"
    );
}
