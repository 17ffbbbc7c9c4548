//! T4: https with a certificate of one's own.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use plainsync::config::TlsFiles;

use super::support::Server;

/// A server with a fresh certificate, and a client that trusts it.
async fn secure() -> (Server, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        cert: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(made.cert.der().to_vec()))
        .unwrap();
    let client =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    let server = Server::start_in(folder, |config| {
        config.tls = Some(files);
        config.token = Some("a-token-for-this-test".parse().unwrap());
    })
    .await;
    (server, TlsConnector::from(Arc::new(client)))
}

async fn ask(server: &Server, connector: &TlsConnector, request: &str) -> String {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let request = format!(
        "{head}\r\nhost: {}\r\nconnection: close\r\n\r\n{body}",
        server.host()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server may end TCP without a TLS goodbye; what came before counts.
    let _abrupt = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn t4_https_answers_and_its_cookie_stays_on_https() {
    let (server, connector) = secure().await;
    let answer = ask(&server, &connector, "GET / HTTP/1.1\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let own = format!(
        "GET / HTTP/1.1\r\norigin: https://{}\r\n\r\n",
        server.host()
    );
    assert!(
        ask(&server, &connector, &own)
            .await
            .starts_with("HTTP/1.1 200")
    );
    let plain = format!("GET / HTTP/1.1\r\norigin: http://{}\r\n\r\n", server.host());
    assert!(
        ask(&server, &connector, &plain)
            .await
            .starts_with("HTTP/1.1 403"),
        "another scheme is another origin"
    );

    let body = "{\"token\":\"a-token-for-this-test\"}";
    let exchange = format!(
        "POST /api/v1/session HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(&server, &connector, &exchange).await;
    assert!(
        answer.contains("set-cookie: __Host-plainsync_") && answer.contains("; Secure"),
        "{answer}"
    );
}

#[tokio::test]
async fn t4_plain_http_to_an_https_port_harms_nobody() {
    let (server, connector) = secure().await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _refused = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    assert!(
        ask(&server, &connector, "GET / HTTP/1.1\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
}
