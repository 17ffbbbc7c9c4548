//! Peers that misbehave without sending anything wrong: too many, too slow, too fast, or deaf.
//! Everybody else is answered (S4, S5, S6).
//!
//! That answers come is what is shown; how long the longest took is printed:
//! `cargo test -p plainsync-tests crowd:: -- --nocapture`.
#![allow(
    clippy::print_stdout,
    reason = "figures for whoever asks with --nocapture"
)]

use std::time::Duration;

use futures_util::future::join_all;
use plainsync_core::id::PeerId;
use plainsync_core::wire::{Frame, PROTOCOL};
use plainsync_tests::foreign::{Foreign, document_of};
use plainsync_tests::home::{Home, PATIENCE};
use plainsync_tests::served::{Served, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, connect_async};

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// Connections that come at once: about twice as many as there are places.
const CROWD: usize = 2_000;

/// Most memory that a crowd, or a peer that does not read, may cost the server, in KiB: what may
/// wait for one peer, as much again on its way, and what connections take.
const CROWD_KIB_MAX: u64 = 192 * 1024;

/// Longest that a slow peer is put up with: the limit on a head or a silence, and some.
const SLOW_MAX: Duration = Duration::from_secs(55);

/// A server with some 1,000 places: as many as it takes where the system lets it have 1,536 files open.
async fn serving(home: &Home) -> Served {
    serving_after(home, "ulimit -n 1536").await
}

async fn serving_after(home: &Home, prelude: &str) -> Served {
    home.write(br#"{"jobs": [{"id": "job-1", "prompt": "a knight"}], "lastJobId": 2}"#);
    home.serve_after(prelude).await
}

/// A request whose body never comes, so that its connection is not one that waits.
fn half_request(server: &Served) -> String {
    format!(
        "POST /save-jobs HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
        server.host()
    )
}

async fn connect(server: &Served) -> TcpStream {
    let connected = timeout(PATIENCE, TcpStream::connect(server.host())).await;
    connected.expect("in time").expect("a connection")
}

/// Asks for the health so often; the longest that an answer took.
async fn health(server: &Served, times: usize) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..times {
        let began = Instant::now();
        server.get("/health").await.ok();
        longest = longest.max(began.elapsed());
    }
    longest
}

fn account(name: &str, server: &Served, before: Option<u64>, says: &str) {
    let Some((after, before)) = server.peak_kib().zip(before) else {
        return;
    };
    let grew = after.saturating_sub(before);
    println!("{name}: {} MiB more; {says}", grew / 1024);
    assert!(
        grew < CROWD_KIB_MAX,
        "{name}: {grew} KiB; the limit is {CROWD_KIB_MAX}"
    );
}

/// S5: those that say nothing, or half a head, make room for who asks for something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_two_thousand_silent_connections_keep_nobody_out() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let before = server.peak_kib();
    let quiet = health(&server, 20).await;
    let mut crowd = join_all((0..CROWD).map(|_| connect(&server))).await;
    for stream in crowd.iter_mut().step_by(2) {
        let _closed = stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await;
    }
    let longest = health(&server, 50).await;
    witness.write("after", "witness");
    assert_eq!(
        witness.exchange().await,
        Ok(()),
        "who talks is not sent away"
    );
    let says = format!("health took {quiet:?} at most before, and {longest:?} among them");
    account("2,000 silent connections", &server, before, &says);
    drop(crowd);
    health(&server, 1).await;
    server.stop().await;
}

/// S5: where every place is taken by a request, the next one is told so; nothing else ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_past_the_cap_a_connection_is_told_why() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let before = server.peak_kib();
    let head = half_request(&server);
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut stream = connect(&server).await;
        let _refused = stream.write_all(head.as_bytes()).await;
        crowd.push(stream);
    }
    // Whoever found no place reads why, and the end.
    let told = crowd.iter_mut().map(|stream| async {
        let mut said = String::new();
        let read = timeout(Duration::from_secs(5), stream.read_to_string(&mut said)).await;
        read.is_ok().then_some(said)
    });
    let told: Vec<String> = join_all(told).await.into_iter().flatten().collect();
    let clear = told
        .iter()
        .filter(|said| said.starts_with("HTTP/1.1 503 "))
        .count();
    assert!(clear > 0, "nobody was told: {told:?}");
    let complete = told
        .iter()
        .filter(|said| said.ends_with("try again soon.\n"))
        .count();
    assert_eq!(clear, complete);
    witness.write("after", "witness");
    assert_eq!(witness.exchange().await, Ok(()));
    let says = format!("{} ended early, {clear} of them were told why", told.len());
    account("2,000 half requests", &server, before, &says);
    drop(crowd);
    until("a place", || async {
        let answer = server.try_send("GET", "/health", &[], Vec::new()).await;
        answer.filter(|answer| answer.status.is_success())
    })
    .await;
    server.stop().await;
}

/// S5: systems give a program few open files and let it take more; it does, and has the more places.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_a_low_limit_on_open_files_is_raised_as_far_as_may_be() {
    let home = Home::new(PROGRAM);
    let server = serving_after(&home, "ulimit -n 1536; ulimit -S -n 256").await;
    let head = half_request(&server);
    let mut crowd = Vec::new();
    for _ in 0..600 {
        let mut stream = connect(&server).await;
        stream.write_all(head.as_bytes()).await.expect("it is read");
        crowd.push(stream);
    }
    health(&server, 1).await; // No place would be left for it.
    assert!(!home.log().contains("cannot accept"), "{}", home.log());
    drop(crowd);
    server.stop().await;
}

/// Reads until the other side ends the connection; what it said last.
async fn end_of(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let ended = timeout(SLOW_MAX, stream.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "it is never ended");
    said
}

/// Writes `bytes` one a second, until nobody takes them.
async fn drip(stream: &mut TcpStream, bytes: impl Iterator<Item = u8>) {
    for byte in bytes {
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// The socket below a WebSocket that has been opened.
async fn socket_of(server: &Served) -> TcpStream {
    let (socket, _) = connect_async(server.sync_url()).await.expect("a socket");
    match socket.into_inner() {
        MaybeTlsStream::Plain(stream) => stream,
        _ => panic!("there is no TLS here"),
    }
}

/// A frame as a client masks it.
fn masked(frame: &Frame) -> Vec<u8> {
    let bytes = frame.encode();
    let len = u16::try_from(bytes.len()).expect("a short frame");
    [&[0x82, 0xfe], &len.to_be_bytes()[..], &[0; 4], &bytes].concat()
}

fn join(name: &str) -> Frame {
    Frame::Join {
        sender: PeerId::new(name).expect("a short name"),
        storage_id: None,
        ephemeral: false,
        ahead: 0,
        versions: vec![PROTOCOL.to_owned()],
    }
}

/// S5: a head or a frame of one byte a second, and a socket on which nobody says who they are, are
/// ended after a while, and nobody waits for them meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_peers_of_a_byte_a_second_are_ended() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let head = async {
        let mut stream = connect(&server).await;
        drip(
            &mut stream,
            b"GET /health HTTP/1.1\r\nx-slow: "
                .iter()
                .copied()
                .chain([b'a'; 60]),
        )
        .await;
        end_of(stream).await;
    };
    let frame = async {
        let mut stream = socket_of(&server).await;
        stream
            .write_all(&masked(&join("slow")))
            .await
            .expect("it listens");
        drip(&mut stream, [0x82, 0xfe, 1, 0].into_iter().chain([0; 60])).await;
        end_of(stream).await
    };
    let silent = async { end_of(socket_of(&server).await).await };
    let others = async {
        let longest = health(&server, 50).await;
        witness.write("after", "witness");
        assert_eq!(witness.exchange().await, Ok(()));
        println!("health took {longest:?} at most beside slow peers");
    };
    let (_, slow, silent, ()) = tokio::join!(head, frame, silent, others);
    let says = |bytes: &[u8], reason: &str| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        assert!(text.contains(reason), "{text}");
    };
    says(&silent, "no `join` within 10 s");
    drop(slow); // Its end may be lost under the bytes that nobody read.
    let log = home.log();
    assert!(log.contains("nothing was heard for 30 s"), "{log}");
    server.stop().await;
}

/// S6: what waits for a peer that never reads is bounded in bytes too, and nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_a_peer_that_never_reads_is_dropped() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let document = document_of(&server).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let deaf = Foreign::join(&server, "deaf", b"deaf").await;
    let mut loud = Foreign::join(&server, "loud", b"loud").await;
    let (before, began) = (server.peak_kib(), Instant::now());
    for count in 1..=400 {
        let presence = Frame::Ephemeral {
            document,
            sender: PeerId::new("loud").expect("a short name"),
            target: PeerId::new("server").expect("a short name"),
            count,
            session: "one".to_owned(),
            data: vec![0; 250 * 1024],
        };
        loud.send(Message::Binary(presence.encode().into())).await;
        witness.write("count", &count.to_string());
        assert_eq!(witness.exchange().await, Ok(()), "nobody else is dropped");
    }
    until("it is dropped", || async {
        home.log().contains("it reads too slowly").then_some(())
    })
    .await;
    let says = format!("dropped after {:?}", began.elapsed());
    account("a peer that never reads", &server, before, &says);
    drop(deaf);
    server.stop().await;
}

/// S5: one that sends small things without end is told how many are too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_a_flood_of_small_messages_is_ended_with_a_reason() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let mut flood = Foreign::join(&server, "flood", b"flood").await;
    let before = server.peak_kib();
    let began = Instant::now();
    for _ in 0..150_000 {
        flood.send(Message::Pong(Vec::new().into())).await;
    }
    let closing = flood.closing().await;
    assert!(
        closing
            .reason
            .contains("more than 40000 messages came at once"),
        "{closing:?}"
    );
    let says = format!("told after {:?}: {}", began.elapsed(), closing.reason);
    account("a flood", &server, before, &says);
    witness.write("after", "witness");
    assert_eq!(witness.exchange().await, Ok(()));
    server.stop().await;
}
