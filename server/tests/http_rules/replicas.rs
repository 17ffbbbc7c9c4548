//! S1-S3 from end to end: replicas of the engine that talk to a running server over its socket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use plainsync_core::edit::{Edit, EditId, Key, StampedEdit};
use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::support::Server;
use super::sync::{Socket, joined, served};

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A replica as a browser tab has one, its storage always durable at once.
pub(crate) struct Tab {
    replica: Replica,
    socket: Socket,
    server: PeerId,
}

impl Tab {
    pub(crate) async fn open(server: &Server, document: DocumentId, number: u8) -> Self {
        let name = format!("tab-{number}");
        let replica = Replica::new(ReplicaConfig {
            document,
            schema: Schema::job_history(),
            device: DeviceId::from_random([number; 8]),
            author: None,
            actor: [number; 16],
            peer: PeerId::new(name.clone()).unwrap(),
        });
        let (socket, us) = joined(server, &name).await;
        let mut tab = Self {
            replica,
            socket,
            server: us.clone(),
        };
        tab.step(Input::Connected {
            peer: us,
            dial: true,
            server: true,
            ahead: 1,
        })
        .await;
        tab
    }

    async fn step(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.replica.step(Millis(1_700_000_000_000), input).unwrap() {
                match effect {
                    Effect::Persist { seq, .. } => inputs.push(Input::Persisted { seq }),
                    Effect::Send { frame, .. } => {
                        self.socket
                            .send(Message::Binary(frame.encode().into()))
                            .await
                            .unwrap();
                    }
                    Effect::Close { reason, .. } => panic!("the replica closes: {reason}"),
                    _ => {}
                }
            }
        }
    }

    /// Takes in what the server sends until `holds`.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Replica) -> bool) {
        let waiting = async {
            while !holds(&self.replica) {
                match self.socket.next().await.unwrap().unwrap() {
                    Message::Binary(bytes) => {
                        let frame = Frame::decode(&bytes).unwrap();
                        self.step(Input::Received {
                            peer: self.server.clone(),
                            frame,
                        })
                        .await;
                    }
                    Message::Close(reason) => panic!("closed: {reason:?}"),
                    _ => {}
                }
            }
        };
        assert!(
            timeout(PATIENCE, waiting).await.is_ok(),
            "never came: {what}"
        );
    }

    pub(crate) async fn edit(&mut self, id: &str, edit: Edit) {
        let stamped = StampedEdit {
            id: EditId(id.to_owned()),
            at: Millis(1_700_000_000_000),
            edit,
        };
        self.step(Input::Edit(stamped)).await;
    }
}

/// Waits until requests see `label`: they read the last published version, which may follow the
/// acknowledgement.
async fn published(server: &Server, label: &str) {
    let waiting = async {
        while server.get(&format!("/api/v1/jobs/{label}")).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        timeout(PATIENCE, waiting).await.is_ok(),
        "{label} is not to be had by request"
    );
}

fn prompt_of(replica: &Replica, label: &str) -> Option<String> {
    let row = replica.document().view().by_label(label)?;
    row.job.get("prompt")?.as_str().map(str::to_owned)
}

pub(crate) fn insert(key: &str, prompt: &str) -> Edit {
    let record = json!({"prompt": prompt, "width": 64, "height": 64});
    Edit::Insert {
        key: Key(key.to_owned()),
        record: record.as_object().unwrap().clone(),
        order: None,
    }
}

#[tokio::test]
async fn s1_edits_travel_between_tabs_requests_and_the_file() {
    let server = Server::start().await;
    let document = served(&server).await;
    let mut first = Tab::open(&server, document, 1).await;
    let mut second = Tab::open(&server, document, 2).await;

    first
        .edit(
            "edit-of-first-tab-1",
            insert("key-of-first-tab-1", "a knight"),
        )
        .await;
    first
        .until("the server has it", |replica| {
            replica.waiting().server_has_it
        })
        .await;
    second
        .until("the knight", |replica| {
            prompt_of(replica, "job-1").is_some()
        })
        .await;

    published(&server, "job-1").await;
    assert_eq!(
        server
            .json("PATCH", "/api/v1/jobs/job-1", json!({"prompt": "a king"}))
            .await
            .status,
        200
    );
    for tab in [&mut first, &mut second] {
        tab.until("the king", |replica| {
            prompt_of(replica, "job-1").as_deref() == Some("a king")
        })
        .await;
    }
    let folder = server.stop().await;
    let file = std::fs::read_to_string(folder.path().join("job_history.json")).unwrap();
    assert!(file.contains("a king"), "{file}");
}

#[tokio::test]
async fn s3_edits_made_apart_meet_after_a_restart() {
    let server = Server::start().await;
    let document = served(&server).await;
    let mut first = Tab::open(&server, document, 1).await;
    first
        .edit(
            "edit-of-first-tab-1",
            insert("key-of-first-tab-1", "a knight"),
        )
        .await;
    first
        .until("the server has it", |replica| {
            replica.waiting().server_has_it
        })
        .await;

    // The server is gone; the tab goes on, and both believe that theirs is the next number.
    let folder = server.stop().await;
    let peer = first.server.clone();
    first.step(Input::Disconnected { peer }).await;
    first
        .edit(
            "edit-of-first-tab-2",
            insert("key-of-first-tab-2", "a mage"),
        )
        .await;

    let server = Server::start_in(folder, |_| {}).await;
    assert_eq!(
        served(&server).await,
        document,
        "the same document after a restart"
    );
    server
        .json("POST", "/api/v1/jobs", json!({"prompt": "a dragon"}))
        .await;
    let (socket, us) = joined(&server, "tab-1").await;
    (first.socket, first.server) = (socket, us.clone());
    first
        .step(Input::Connected {
            peer: us,
            dial: true,
            server: true,
            ahead: 1,
        })
        .await;
    first
        .until("the server has the mage", |replica| {
            replica.waiting().server_has_it && replica.document().view().rows().count() == 3
        })
        .await;
    published(&server, "job-2-2").await;
    let page = server.get("/api/v1/jobs?sort=created").await.json();
    let mut shown: Vec<_> = page["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["job"]["id"].as_str().unwrap().to_owned())
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        ["job-1", "job-2", "job-2-2"],
        "both keep theirs (D7)"
    );
}
