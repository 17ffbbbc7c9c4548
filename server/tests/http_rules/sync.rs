//! S1, S4, S5: the WebSocket endpoint.

use futures_util::{SinkExt as _, StreamExt as _};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::limits::MESSAGES_AHEAD_MAX;
use plainsync_core::wire::{Frame, PROTOCOL};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::support::Server;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(server: &Server) -> Socket {
    let request = format!("ws://{}/sync", server.host())
        .into_client_request()
        .unwrap();
    connect_async(request).await.unwrap().0
}

async fn send(socket: &mut Socket, frame: &Frame) {
    socket
        .send(Message::Binary(frame.encode().into()))
        .await
        .unwrap();
}

/// The next frame; fails if the connection closes instead.
async fn hear(socket: &mut Socket) -> Frame {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => return Frame::decode(&bytes).unwrap(),
            Message::Close(reason) => panic!("closed: {reason:?}"),
            _ => {}
        }
    }
}

/// The code and the reason with which the server closes.
async fn closed(socket: &mut Socket) -> (u16, String) {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(Some(reason)) = message {
            return (reason.code.into(), reason.reason.to_string());
        }
    }
    panic!("it ended without a reason");
}

fn join(name: &str) -> Frame {
    Frame::Join {
        sender: PeerId::new(name).unwrap(),
        storage_id: None,
        ephemeral: true,
        ahead: 0,
        versions: vec![PROTOCOL.to_owned()],
    }
}

pub(crate) async fn joined(server: &Server, name: &str) -> (Socket, PeerId) {
    let mut socket = open(server).await;
    send(&mut socket, &join(name)).await;
    let Frame::Peer { sender, .. } = hear(&mut socket).await else {
        panic!("not welcomed")
    };
    (socket, sender)
}

/// A sync message of a replica that has nothing: no heads, no needs, an empty filter, no changes.
fn empty_message() -> Vec<u8> {
    vec![0x42, 0, 0, 1, 0, 0, 0]
}

pub(crate) async fn served(server: &Server) -> DocumentId {
    let health = server.get("/health").await.json();
    DocumentId::from_text(health["documents"][0]["id"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn s1_a_peer_is_welcomed() {
    let server = Server::start().await;
    let device = server.get("/health").await.json()["server"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut socket = open(&server).await;
    send(&mut socket, &join("tab-1")).await;
    let Frame::Peer {
        sender,
        target,
        storage_id,
        ephemeral,
        ahead: MESSAGES_AHEAD_MAX,
        version,
    } = hear(&mut socket).await
    else {
        panic!("not welcomed")
    };
    assert!(
        sender.as_str().starts_with(&format!("plainsync-{device}-")),
        "{sender}"
    );
    assert_eq!(
        (target.as_str(), version.as_str(), ephemeral),
        ("tab-1", PROTOCOL, false)
    );
    assert_eq!(storage_id, Some(device));
}

#[tokio::test]
async fn s1_unknown_documents_are_unavailable_and_the_connection_goes_on() {
    let server = Server::start().await;
    let (mut socket, us) = joined(&server, "tab-1").await;
    let unknown = DocumentId::from_random([7; 16]);
    for _ in 0..2 {
        let request = Frame::Request {
            document: unknown,
            sender: PeerId::new("tab-1").unwrap(),
            target: us.clone(),
            data: empty_message(),
        };
        send(&mut socket, &request).await;
        let Frame::DocUnavailable { document, .. } = hear(&mut socket).await else {
            panic!("not told")
        };
        assert_eq!(document, unknown);
    }
}

#[tokio::test]
async fn s1_the_served_document_answers_and_tells_of_changes() {
    let server = Server::start().await;
    let document = served(&server).await;
    let (mut socket, us) = joined(&server, "tab-1").await;
    let request = Frame::Request {
        document,
        sender: PeerId::new("tab-1").unwrap(),
        target: us.clone(),
        data: empty_message(),
    };
    send(&mut socket, &request).await;
    let Frame::Sync {
        document: answered,
        sender,
        ..
    } = hear(&mut socket).await
    else {
        panic!("no answer")
    };
    assert_eq!((answered, sender), (document, us));
}

#[tokio::test]
async fn s4_a_refusal_closes_the_socket_with_a_reason() {
    let server = Server::start().await;
    let document = served(&server).await;
    let sync = |sender: &str, data: Vec<u8>| Frame::Sync {
        document,
        sender: PeerId::new(sender).unwrap(),
        target: PeerId::new("server").unwrap(),
        data,
    };

    let mut socket = open(&server).await;
    send(&mut socket, &sync("tab-1", Vec::new())).await;
    assert!(closed(&mut socket).await.1.contains("first says `join`"));

    let mut socket = open(&server).await;
    socket
        .send(Message::Binary(vec![0xff, 0x00].into()))
        .await
        .unwrap();
    assert_eq!(closed(&mut socket).await.0, 1002);

    let (mut socket, _) = joined(&server, "tab-1").await;
    socket.send(Message::Text("hello".into())).await.unwrap();
    assert_eq!(closed(&mut socket).await.0, 1003);

    let (mut socket, _) = joined(&server, "tab-1").await;
    send(&mut socket, &sync("somebody-else", empty_message())).await;
    assert!(closed(&mut socket).await.1.contains("another sender"));

    let (mut socket, _) = joined(&server, "tab-1").await;
    send(&mut socket, &sync("tab-1", vec![1, 2, 3])).await;
    let (code, reason) = closed(&mut socket).await;
    assert!(code != 1000 && !reason.is_empty(), "{code} {reason}");

    let mut socket = open(&server).await;
    let mut old = join("tab-1");
    if let Frame::Join { versions, .. } = &mut old {
        *versions = vec!["0".to_owned()];
    }
    send(&mut socket, &old).await;
    assert!(closed(&mut socket).await.1.contains("speaks"));
    assert_eq!(
        server.get("/health").await.status,
        200,
        "nobody else is harmed"
    );
}

#[tokio::test]
async fn s5_a_frame_past_the_limit_closes_the_socket() {
    let server = Server::start().await;
    let (mut socket, _) = joined(&server, "tab-1").await;
    let huge = vec![0; plainsync_core::limits::FRAME_BYTES_MAX + 1];
    let _cut_off = socket.send(Message::Binary(huge.into())).await;
    let ended = loop {
        match socket.next().await {
            None | Some(Err(_) | Ok(Message::Close(_))) => break true,
            Some(Ok(_)) => {}
        }
    };
    assert!(ended);
    assert_eq!(server.get("/health").await.status, 200);
}

#[tokio::test]
async fn s7_a_stop_says_goodbye() {
    let server = Server::start().await;
    let (mut socket, _) = joined(&server, "tab-1").await;
    let stopping = tokio::spawn(server.stop());
    assert_eq!(closed(&mut socket).await.0, 1001);
    stopping.await.unwrap();
}

#[tokio::test]
async fn s1_without_an_upgrade_the_path_says_so() {
    let server = Server::start().await;
    server.get("/sync").await.problem(426, "upgrade-required");
}

#[tokio::test]
async fn t4_the_socket_needs_the_token_too() {
    let server =
        Server::start_with(|config| config.token = Some("a-token-for-this-test".parse().unwrap()))
            .await;
    let mut request = format!("ws://{}/sync", server.host())
        .into_client_request()
        .unwrap();
    assert!(connect_async(request.clone()).await.is_err());
    request.headers_mut().insert(
        "authorization",
        "Bearer a-token-for-this-test".parse().unwrap(),
    );
    assert!(connect_async(request).await.is_ok());
}

/// The next news of the file, as its page reads it.
async fn news(socket: &mut Socket, server: &PeerId) -> serde_json::Value {
    loop {
        if let Frame::Ephemeral { sender, data, .. } = hear(socket).await {
            assert_eq!(sender, *server, "the server speaks for itself");
            assert_eq!(data[0], 0x7a, "a CBOR text, as other clients expect");
            let length = u32::from_be_bytes(data[1..5].try_into().unwrap());
            assert_eq!(data.len(), 5 + length as usize);
            let message: serde_json::Value = serde_json::from_slice(&data[5..]).unwrap();
            assert!(data[5..].starts_with(b"{\"type\":\"news\""));
            return message["news"].clone();
        }
    }
}

async fn opened(server: &Server, name: &str) -> (Socket, PeerId) {
    let document = served(server).await;
    let (mut socket, us) = joined(server, name).await;
    let request = Frame::Request {
        document,
        sender: PeerId::new(name).unwrap(),
        target: us.clone(),
        data: empty_message(),
    };
    send(&mut socket, &request).await;
    (socket, us)
}

#[tokio::test]
async fn f7_who_has_the_document_open_hears_how_its_file_does() {
    let server = Server::start().await;
    let job = serde_json::json!({"prompt": "a knight"});
    for _ in 0..4 {
        let made = server.json("POST", "/api/v1/jobs", job.clone()).await;
        assert_eq!(made.status, 201);
    }
    let file = server.folder.path().join("job_history.json");
    let good = loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.matches("a knight").count() == 4 {
            break text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let (mut socket, us) = opened(&server, "tab-1").await;
    std::fs::write(&file, good.replacen("\"prompt\":", "\"prompt\"", 1)).unwrap();
    let said = news(&mut socket, &us).await;
    assert_eq!(said["fileState"]["state"], "unparsable");
    let detail = said["fileState"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("line ") && detail.contains("column "),
        "{detail}"
    );
    // Who comes later hears it at once.
    let (mut later, _) = opened(&server, "tab-2").await;
    assert_eq!(news(&mut later, &us).await, said);

    std::fs::write(&file, good.replacen("a knight", "by hand", 1)).unwrap();
    loop {
        let said = news(&mut socket, &us).await;
        if said["fileState"]["state"] == "ok" && said["lastImport"]["report"]["changed"] == 1 {
            break;
        }
    }
    // An edit is no news of the file: nothing is heard but what syncs.
    server.json("POST", "/api/v1/jobs", job).await;
    let mut list: serde_json::Value = serde_json::from_str(&good).unwrap();
    list["jobs"].as_array_mut().unwrap().truncate(1);
    std::fs::write(&file, list.to_string()).unwrap();
    let said = news(&mut socket, &us).await;
    assert_eq!(said["fileState"]["state"], "awaiting-answer");
}
