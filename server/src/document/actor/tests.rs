//! What cannot be brought about from outside: a failure of the engine itself.

use std::path::Path;

use plainsync_core::edit::EditId;
use plainsync_core::id::{DeviceId, DocumentId, PeerId};
use plainsync_core::schema::Schema;
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::document::blobs::Blobs;
use crate::document::disk::RealDisk;
use crate::document::inbox::Inbox;
use crate::document::peers::End;
use crate::document::written::Written;

fn actor(folder: &Path) -> Actor {
    let disk = Arc::new(RealDisk);
    let (journal, _) =
        Journal::open(Arc::clone(&disk) as _, folder.join("journal")).expect("a journal");
    let config = ReplicaConfig {
        document: DocumentId::from_random([1; 16]),
        schema: Schema::job_history(),
        device: DeviceId::from_random([2; 8]),
        author: None,
        actor: [3; 16],
        peer: PeerId::new("server").expect("a name"),
    };
    let replica = Replica::new(config.clone());
    let blobs = Blobs::new(Arc::clone(&disk) as _, folder, &folder.join("x.images"));
    let ring = crate::document::ring::Ring::new(Arc::clone(&disk) as _, folder, config.device);
    let written = Written::open(
        Arc::clone(&disk) as _,
        folder.join("written"),
        folder.join("a.json.backup"),
        ring.clone(),
    );
    let shared = Shared::new(
        "a.json".to_owned(),
        replica.document(),
        blobs,
        ring,
        written,
        crate::metrics::Metrics::default(),
    );
    let identity = crate::document::identity::Identity {
        document: config.document,
        collection: "jobs".to_owned(),
        from: None,
    };
    let (orders, _) = std::sync::mpsc::channel();
    Actor::new(Parts {
        shared: Arc::new(shared),
        config,
        replica,
        journal,
        identity,
        inbox: Inbox::new().1,
        edits: EditIds::default(),
        clients: Clients::open(Arc::clone(&disk) as _, folder.join("clients"), 0),
        file: FileSide::new(disk, folder.to_owned(), orders),
        pace: Pace::default(),
    })
}

fn insert(name: &str) -> StampedEdit {
    let record = json!({"prompt": name});
    StampedEdit {
        id: EditId(format!("edit-of-{name}-0001")),
        at: Millis(1_769_817_600_000),
        edit: Edit::Insert {
            key: Key(format!("key-of-{name}")),
            record: record.as_object().expect("an object").clone(),
            order: None,
        },
    }
}

/// S4: what was asked before the failure is kept and answered; the replica is another one;
/// every connection begins anew.
#[test]
fn s4_after_a_failure_of_the_engine_nothing_that_was_taken_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut actor = actor(folder.path());
    let (outbound, mut frames) = mpsc::channel(8);
    let (peer, end) = (PeerId::new("tab").expect("a name"), End::default());
    let mut batch = Batch::default();
    let connected = Message::Connected {
        peer,
        token: 0,
        ahead: 1,
        outbound,
        end: Arc::clone(&end),
    };
    actor.take(connected, &mut batch);
    let (reply, mut before) = oneshot::channel();
    let edit = insert("before");
    actor.take(Message::Edit { edit, reply }, &mut batch);
    batch.poisoned = true; // As `step` does when the engine says so.
    let (reply, mut after) = oneshot::channel();
    let edit = insert("after");
    actor.take(Message::Edit { edit, reply }, &mut batch);
    let refused = after.try_recv().expect("answered at once");
    assert!(matches!(refused, Err(DocumentError::Engine)));
    assert!(before.try_recv().is_err(), "not before it is durable");
    actor.commit(batch);
    let outcome = before.try_recv().expect("answered").expect("kept");
    assert_eq!(outcome.rows[0].job["prompt"], "before");
    assert!(
        frames.try_recv().is_err() && end.get().is_some(),
        "the socket is closed"
    );
    // The next edit is made by another replica, under another actor id.
    let (reply, mut next) = oneshot::channel();
    let mut batch = Batch::default();
    let edit = insert("next");
    actor.take(Message::Edit { edit, reply }, &mut batch);
    actor.commit(batch);
    assert_eq!(
        next.try_recv().expect("answered").expect("kept").rows[0].label,
        "job-2"
    );
    drop(actor);
    let disk = Arc::new(RealDisk);
    let (_, recovered) = Journal::open(disk, folder.path().join("journal")).expect("a journal");
    assert_eq!(recovered.records.len(), 2);
}
