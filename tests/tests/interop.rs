//! samod, automerge-repo's library for Rust, as a client: it reads, changes and watches what a
//! server serves (S1), and comes back after the server was gone (S3).

use std::time::Duration;

use automerge::{
    Automerge, ObjId, ReadDoc as _, ScalarValue, Value, transaction::Transactable as _,
};
use futures_util::StreamExt as _;
use plainsync_core::edit::{Edit, Key};
use plainsync_core::id::DocumentId;
use plainsync_tests::home::{Home, PATIENCE};
use plainsync_tests::samod_client::Client;
use plainsync_tests::served::{Served, until};
use plainsync_tests::tab::Tab;
use samod::DocHandle;
use serde_json::{Value as Json, json};
use tokio::time::timeout;

const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

async fn open(client: &Client, server: &Served) -> DocHandle {
    let id = id_of(server, 0).await;
    client.find(&id).await.expect("the served document")
}

async fn id_of(server: &Served, number: usize) -> String {
    let health = server.get("/health").await.ok();
    let id = &health["documents"][number]["id"];
    id.as_str().expect("a document").to_owned()
}

/// A server with one job, the document as a client named `name` has it, and the job's key.
async fn world(name: &str) -> (Home, Served, Client, DocHandle, String) {
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let key = make(&server, "a knight").await;
    let client = Client::connect(&server.sync_url(), name).await;
    let handle = open(&client, &server).await;
    (home, server, client, handle, key)
}

/// Makes a job by request; its key.
async fn make(server: &Served, prompt: &str) -> String {
    let job = json!({"prompt": prompt});
    let made = server.json("POST", "/api/v1/jobs", &job).await.ok();
    made["key"].as_str().expect("a key").to_owned()
}

/// A text of the job at `key`, as the client has it.
fn text(handle: &DocHandle, key: &str, field: &str) -> Option<String> {
    handle.with_document(|document| text_in(document, key, field))
}

fn job_at(document: &Automerge, key: &str) -> Option<ObjId> {
    let (_, jobs) = document.get(automerge::ROOT, "jobs").ok()??;
    let (_, job) = document.get(&jobs, key).ok()??;
    Some(job)
}

fn text_in(document: &Automerge, key: &str, field: &str) -> Option<String> {
    let job = job_at(document, key)?;
    match document.get(&job, field).ok()?? {
        (Value::Scalar(value), _) => value.as_str().map(str::to_owned),
        (_, text) => document.text(&text).ok(),
    }
}

/// Writes a field of the job at `key`, as a program that uses samod does.
fn put(handle: &DocHandle, key: &str, field: &str, value: impl Into<ScalarValue>) {
    handle.with_document(|document| {
        let job = job_at(document, key).expect("the job");
        let mut change = document.transaction();
        change.put(&job, field, value).expect("a map");
        change.commit();
    });
}

async fn arrives(handle: &DocHandle, key: &str, field: &str, expected: &str) {
    until(expected, || async {
        (text(handle, key, field).as_deref() == Some(expected)).then_some(())
    })
    .await;
}

async fn shows(server: &Served, label: &str, field: &str, expected: impl Into<Json>) {
    let expected = expected.into();
    until(&format!("{field} is {expected}"), || async {
        let job = server.get(&format!("/api/v1/jobs/{label}")).await.json();
        (job["job"][field] == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_a_samod_client_reads_changes_and_watches() {
    let (home, server, client, handle, key) = world("samod-1").await;
    arrives(&handle, &key, "prompt", "a knight").await;

    put(&handle, &key, "prompt", "a queen");
    put(&handle, &key, "stars", 4_i64);
    shows(&server, "job-1", "prompt", "a queen").await;
    shows(&server, "job-1", "stars", 4).await;
    home.written("the file", |file| file.contains("a queen"))
        .await;

    let change = json!({"prompt": "a king"});
    server
        .json("PATCH", "/api/v1/jobs/job-1", &change)
        .await
        .ok();
    arrives(&handle, &key, "prompt", "a king").await;

    // By hand, in the file.
    let by_hand = home
        .written("the file", |file| file.contains("a king"))
        .await;
    home.write(by_hand.replace("a king", "a wizard").as_bytes());
    arrives(&handle, &key, "prompt", "a wizard").await;
    client.stop().await;
    server.stop().await;
    assert_eq!(home.json()["jobs"][0]["stars"], 4);
}

/// The client is told what is on the server's disk, and learns it from the heads alone (S2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_a_samod_client_learns_that_its_change_is_kept() {
    let (home, server, client, handle, key) = world("samod-1").await;
    put(&handle, &key, "prompt", "acknowledged");
    let connection = client.dialer.connection_id().expect("it is connected");
    timeout(PATIENCE, handle.they_have_our_changes(connection))
        .await
        .expect("it is acknowledged");
    server.kill().await;
    let server = home.serve(&[]).await;
    shows(&server, "job-1", "prompt", "acknowledged").await;
    client.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_edits_of_a_samod_client_made_while_the_server_is_gone_arrive() {
    let home = Home::new(PROGRAM);
    let server = home.serve(&[]).await;
    let (one, two) = (make(&server, "one").await, make(&server, "two").await);
    let port = server.host().rsplit(':').next().expect("a port").to_owned();
    let client = Client::connect(&server.sync_url(), "traveller").await;
    let handle = open(&client, &server).await;
    server.kill().await;
    until("the client sees it", || async {
        (!client.dialer.is_connected()).then_some(())
    })
    .await;
    put(&handle, &one, "prompt", "made offline");
    put(&handle, &two, "height", 96_i64);

    let server = home.serve_at(&home.file(), &port).await;
    let change = json!({"prompt": "made meanwhile"});
    server
        .json("PATCH", "/api/v1/jobs/job-2", &change)
        .await
        .ok();
    arrives(&handle, &two, "prompt", "made meanwhile").await;
    shows(&server, "job-1", "prompt", "made offline").await;
    shows(&server, "job-2", "height", 96).await;
    client.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_a_samod_client_has_two_documents_on_one_socket() {
    let home = Home::new(PROGRAM);
    let other = home.folder().join("other.json");
    let server = home.serve_at(&other, "0").await;
    let second = make(&server, "in the other file").await;
    server.stop().await;
    let server = home.serve_at(&home.folder(), "0").await;
    let first = make(&server, "in the first file").await;
    let client = Client::connect(&server.sync_url(), "samod-1").await;
    let (one, two) = (
        client
            .find(&id_of(&server, 0).await)
            .await
            .expect("the first"),
        client
            .find(&id_of(&server, 1).await)
            .await
            .expect("the other"),
    );
    arrives(&one, &first, "prompt", "in the first file").await;
    arrives(&two, &second, "prompt", "in the other file").await;
    put(&one, &first, "prompt", "edited here");
    put(&two, &second, "prompt", "edited there");
    until("both edits", || async {
        let health = server.get("/health").await.ok();
        let mut found = Vec::new();
        for document in [&health["documents"][0], &health["documents"][1]] {
            let id = document["id"].as_str().expect("an id");
            let page = server.get(&format!("/api/v1/documents/{id}/jobs")).await;
            found.push(page.ok()["jobs"][0]["job"]["prompt"].clone());
        }
        (found == ["edited here", "edited there"]).then_some(())
    })
    .await;
    let peers = until("one socket", || async {
        let metrics = server.get("/metrics").await.text();
        let line = metrics
            .lines()
            .find(|line| line.starts_with("plainsync_connections_open{kind=\"sync\"}"));
        line.map(str::to_owned)
    })
    .await;
    assert!(peers.ends_with(" 1"), "{peers}");
    client.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_presence_passes_between_samod_clients_and_our_own() {
    let (_home, server, client, handle, _) = world("anna").await;
    let other = Client::connect(&server.sync_url(), "ben").await;
    let bens = open(&other, &server).await;
    let id = DocumentId::from_text(&id_of(&server, 0).await).expect("an id");
    let mut tab = Tab::new(id, 7);
    assert!(tab.connect(&server.sync_url()).await);
    until_heard(&mut tab, |tab| {
        tab.replica().document().view().rows().count() == 1
    })
    .await;

    let (mut of_anna, mut of_ben) = (Box::pin(handle.ephemera()), Box::pin(bens.ephemera()));
    let (cursor, click) = (b"\xa1\x66cursor\x01".to_vec(), b"\x65click".to_vec());
    handle.broadcast(cursor.clone());
    assert_eq!(next(&mut of_ben).await, cursor);
    until_heard(&mut tab, |tab| !tab.presence().is_empty()).await;
    assert_eq!(tab.presence()[0].0.as_str(), "anna", "whose it is");
    assert_eq!(tab.presence()[0].1, cursor);

    tab.announce(click.clone()).await;
    assert_eq!(next(&mut of_anna).await, click, "hers did not come back");
    assert_eq!(next(&mut of_ben).await, click, "each came once");
    bens.broadcast(cursor.clone());
    assert_eq!(next(&mut of_anna).await, cursor);
    until_heard(&mut tab, |tab| tab.presence().len() > 1).await;
    let heard: Vec<_> = tab.presence().iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(heard, ["anna", "ben"], "each once, and none of its own");
    client.stop().await;
    other.stop().await;
    server.stop().await;
}

/// An edit of our own client and one of samod's, to two fields of one job, made apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_samod_and_our_own_client_edit_one_job() {
    let (_home, server, client, handle, key) = world("samod-1").await;
    let id = DocumentId::from_text(&id_of(&server, 0).await).expect("an id");
    let mut tab = Tab::new(id, 7);
    assert!(tab.connect(&server.sync_url()).await);
    until_heard(&mut tab, |tab| {
        tab.replica().document().view().rows().count() == 1
    })
    .await;
    put(&handle, &key, "prompt", "by samod");
    let set = json!({"width": 128});
    tab.edit(Edit::Change {
        key: Key(key.clone()),
        set: set.as_object().expect("fields").clone(),
        unset: Vec::new(),
    })
    .await;
    until_heard(&mut tab, |tab| {
        let row = tab.replica().document().view().by_label("job-1");
        tab.is_acknowledged() && row.is_some_and(|row| row.job["prompt"] == "by samod")
    })
    .await;
    shows(&server, "job-1", "width", 128).await;
    shows(&server, "job-1", "prompt", "by samod").await;
    until("the width at samod's", || async {
        handle.with_document(|document| {
            let job = job_at(document, &key)?;
            let (width, _) = document.get(&job, "width").ok()??;
            (width.as_i64() == Some(128)).then_some(())
        })
    })
    .await;
    client.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_an_unknown_document_is_unavailable_to_a_samod_client() {
    let (_home, server, client, handle, key) = world("seeker").await;
    let unknown = DocumentId::from_random([7; 16]).to_string();
    assert!(client.find(&unknown).await.is_none());
    put(&handle, &key, "prompt", "it goes on");
    shows(&server, "job-1", "prompt", "it goes on").await;

    // What it makes by itself is not taken in either.
    let own = client.repo.create(Automerge::new()).await.expect("made");
    own.with_document(|document| {
        let mut change = document.transaction();
        change.put(automerge::ROOT, "jobs", 1_i64).expect("a map");
        change.commit();
    });
    put(&handle, &key, "prompt", "and on");
    shows(&server, "job-1", "prompt", "and on").await;
    let health = server.get("/health").await.ok();
    assert_eq!(health["documents"].as_array().map(Vec::len), Some(1));
    client.stop().await;
    server.stop().await;
}

/// Lets the tab listen until `holds`.
async fn until_heard(tab: &mut Tab, holds: impl Fn(&Tab) -> bool) {
    let listening = async {
        while !holds(tab) {
            assert!(tab.listen(Duration::from_millis(20)).await, "it goes on");
        }
    };
    timeout(PATIENCE, listening).await.expect("it is heard");
}

async fn next(messages: &mut (impl futures_util::Stream<Item = Vec<u8>> + Unpin)) -> Vec<u8> {
    let message = timeout(PATIENCE, messages.next()).await;
    message.expect("it comes").expect("the repo runs")
}
