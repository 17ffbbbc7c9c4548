//! Conversations with peers: a replica of a browser talks to the document as over a socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plainsync::document::disk::faulty::Operation;
use plainsync::document::outgoing::Outgoing;
use plainsync::document::{Connection, DocumentHandle, FileCondition};
use plainsync_core::edit::StampedEdit;
use plainsync_core::id::{DeviceId, PeerId};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;
use tokio::sync::mpsc;

use crate::support::{Bench, DEADLINE, add, insert, until, until_state};

/// A browser: a replica whose storage never fails, and one connection.
struct Browser {
    replica: Replica,
    connection: Arc<Connection>,
    frames: mpsc::Receiver<Outgoing>,
    server: PeerId,
}

impl Browser {
    async fn new(name: u8, document: &DocumentHandle, capacity: usize) -> Self {
        let mut config = config(name, document);
        config.actor = [name; 16];
        Self::with(name, Replica::new(config), document, capacity).await
    }

    async fn with(name: u8, replica: Replica, document: &DocumentHandle, capacity: usize) -> Self {
        let (outbound, frames) = mpsc::channel(capacity);
        let peer = PeerId::new(format!("browser-{name}")).unwrap();
        let connection = Arc::new(document.connect(peer, 1, outbound).await);
        let server = PeerId::new("the-server").unwrap();
        let mut browser = Self {
            replica,
            connection,
            frames,
            server,
        };
        let connected = Input::Connected {
            peer: browser.server.clone(),
            dial: true,
            server: true,
            ahead: 1,
        };
        browser.step(connected).await;
        browser
    }

    async fn step(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.replica.step(Millis(1_769_817_600_000), input).unwrap() {
                match effect {
                    Effect::Persist { seq, .. } => inputs.push(Input::Persisted { seq }),
                    Effect::Send { frame, .. } => {
                        let _ = self.connection.received(frame).await;
                    }
                    Effect::Close { reason, .. } => panic!("the browser closes: {reason}"),
                    _ => {}
                }
            }
        }
    }

    async fn edit(&mut self, edit: StampedEdit) {
        self.step(Input::Edit(edit)).await;
    }

    /// Takes frames until the list is as `expected`.
    async fn until_prompts(&mut self, expected: &[&str]) {
        self.until("the list is as expected", |browser| {
            browser.prompts() == expected
        })
        .await;
    }

    /// Takes frames until `done`.
    async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let give_up = Instant::now() + DEADLINE;
        while !done(self) {
            let late = Instant::now() > give_up;
            assert!(!late, "waited in vain: {what}; {:?}", self.prompts());
            // The end of the wait is a look at `done`, which may be about the other side.
            let wait = Duration::from_millis(20);
            let Ok(bytes) = tokio::time::timeout(wait, self.frames.recv()).await else {
                continue;
            };
            let frame = Frame::decode(&bytes.expect("the conversation goes on")).unwrap();
            let peer = self.server.clone();
            self.step(Input::Received { peer, frame }).await;
        }
    }

    fn prompts(&self) -> Vec<String> {
        let rows = self.replica.document().view().rows();
        let mut all: Vec<_> = rows
            .map(|row| row.job["prompt"].as_str().unwrap().to_owned())
            .collect();
        all.sort();
        all
    }
}

fn config(name: u8, document: &DocumentHandle) -> ReplicaConfig {
    ReplicaConfig {
        document: document.id(),
        schema: Schema::job_history(),
        device: DeviceId::from_random([name; 8]),
        author: None,
        actor: [name; 16],
        peer: PeerId::new(format!("browser-{name}")).unwrap(),
    }
}

#[tokio::test]
async fn s1_a_browser_and_the_document_hear_of_each_other() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["on the server"]).await;
    let mut browser = Browser::new(1, document, 64).await;
    browser.until_prompts(&["on the server"]).await;
    browser.edit(insert("in the browser")).await;
    browser
        .until("the server has it", |_| document.info().jobs == 2)
        .await;
    add(document, &["later"]).await;
    browser
        .until_prompts(&["in the browser", "later", "on the server"])
        .await;
    browser
        .until("it knows", |browser| {
            browser.replica.waiting().server_has_it
        })
        .await;
    drop(documents);
    let documents = bench.open().await;
    let jobs = documents.default().info().jobs;
    assert_eq!(jobs, 3, "what came over the socket is durable");
}

#[tokio::test]
async fn s6_a_peer_that_does_not_read_is_dropped_and_nobody_else() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    add(document, &["one"]).await;
    let mut good = Browser::new(1, document, 64).await;
    good.until_prompts(&["one"]).await;
    // It has said hello, and never reads what it is told.
    let mut slow = Browser::new(2, document, 1).await;
    for count in 1..50 {
        let presence = Frame::Ephemeral {
            document: document.id(),
            sender: PeerId::new("somebody-else").unwrap(),
            target: slow.server.clone(),
            count,
            session: "s".to_owned(),
            data: vec![0xf6],
        };
        good.connection
            .received(presence)
            .await
            .expect("it goes on");
    }
    let reason = until("it is dropped", || slow.connection.end_reason()).await;
    assert!(reason.contains("too slowly"), "{reason}");
    while slow.frames.recv().await.is_some() {}
    add(document, &["two"]).await;
    good.until_prompts(&["one", "two"]).await;
}

#[tokio::test]
async fn s4_garbage_closes_the_socket_that_it_came_from_and_no_other() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    let mut good = Browser::new(1, document, 64).await;
    let (outbound, mut frames) = mpsc::channel(8);
    let peer = PeerId::new("vandal").unwrap();
    let connection = document.connect(peer.clone(), 1, outbound).await;
    let frame = Frame::Sync {
        document: document.id(),
        sender: peer,
        target: PeerId::new("the-server").unwrap(),
        data: vec![0xff; 300],
    };
    connection
        .received(frame.clone())
        .await
        .expect("it is queued");
    assert!(frames.recv().await.is_none(), "the queue ends");
    let reason = connection.end_reason().expect("for a reason");
    assert!(reason.contains("sync message"), "{reason}");
    connection.received(frame).await.expect_err("closed");
    add(document, &["one"]).await;
    good.until_prompts(&["one"]).await;
}

#[tokio::test]
async fn s2_after_a_failed_fsync_every_socket_is_closed_and_the_edit_comes_again() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    let mut browser = Browser::new(1, document, 64).await;
    browser.edit(insert("one")).await;
    browser
        .until("it is known to be saved", |browser| {
            browser.replica.waiting().server_has_it && document.info().jobs == 1
        })
        .await;
    bench.disk.fail_times(
        Operation::Sync,
        "/journal",
        std::io::ErrorKind::StorageFull,
        1,
    );
    browser.edit(insert("two")).await;
    let reason = until("closed", || browser.connection.end_reason()).await;
    assert!(reason.contains("could not be saved"), "{reason}");
    assert_eq!(document.info().jobs, 1);
    until_state(document, FileCondition::Ok).await;
    let Browser {
        mut replica,
        server,
        ..
    } = browser;
    let gone = Input::Disconnected { peer: server };
    replica.step(Millis(0), gone).unwrap();
    let mut again = Browser::with(1, replica, document, 64).await;
    again
        .until("the server has both", |_| document.info().jobs == 2)
        .await;
}

#[tokio::test]
async fn s3_a_peer_that_connects_again_replaces_its_old_connection() {
    let bench = Bench::new();
    let documents = bench.open().await;
    let document = documents.default();
    let peer = PeerId::new("tab").unwrap();
    let (outbound, mut old_frames) = mpsc::channel(8);
    let old = document.connect(peer.clone(), 1, outbound).await;
    let (outbound, mut new_frames) = mpsc::channel(8);
    let new = document.connect(peer, 1, outbound).await;
    assert!(old_frames.recv().await.is_none());
    assert!(old.end().contains("again"), "{}", old.end());
    drop(old); // Its end must not end the new one.
    add(document, &["one"]).await;
    assert_eq!(new.end_reason(), None);
    assert!(
        new_frames.try_recv().is_err(),
        "nothing is said to who has said nothing"
    );
}
