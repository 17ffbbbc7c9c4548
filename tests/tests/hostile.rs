//! Whatever arrives, by socket, by file or by HTTP: it is refused in bounded work, whoever sent it
//! is told why, and everybody else goes on (S4, S5, F7, L3).
//!
//! Nothing here is a matter of time: that an answer comes at all is what is shown. How long it
//! took and how much memory grew is printed: `cargo test -p plainsync-tests hostile:: -- --nocapture`.
#![allow(
    clippy::print_stdout,
    reason = "figures for whoever asks with --nocapture"
)]

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, ObjType, ROOT, ReadDoc as _};
use plainsync_core::guard::{Limits, check_message};
use plainsync_core::limits::{FRAME_BYTES_MAX, HISTORY_UNPACKED_BYTES_MAX};
use plainsync_tests::chance::Chance;
use plainsync_tests::foreign::Foreign;
use plainsync_tests::forge::{
    bundle, change, change_data, chunk, compressed, deflate, document, message, puts,
};
use plainsync_tests::home::Home;
use plainsync_tests::served::Served;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_plainsync-tested");

/// Most memory that a refusal may cost the server, in KiB: what one saved document may inflate to,
/// and 64 MiB for all else.
const REFUSAL_KIB_MAX: u64 = (HISTORY_UNPACKED_BYTES_MAX + (64 << 20)) / 1024;

/// How deep the nested things nest.
pub(crate) const DEEP: usize = 2_000;

/// Mutants thrown at one server.
const MUTANTS: u64 = 400;

/// A served list with one job, whom everybody edits.
pub(crate) async fn serving(home: &Home) -> Served {
    home.write(
        br#"{"jobs": [{"id": "job-1", "prompt": "a knight", "createdAt": 1}], "lastJobId": 2}"#,
    );
    home.serve(&[]).await
}

/// Prints what `name` cost, and holds it against the limit.
pub(crate) fn account(
    name: &str,
    server: &Served,
    before: Option<u64>,
    began: Instant,
    says: &str,
) {
    account_within(REFUSAL_KIB_MAX, name, server, before, began, says);
}

/// As [`account`], with a limit of its own.
pub(crate) fn account_within(
    kib_max: u64,
    name: &str,
    server: &Served,
    before: Option<u64>,
    began: Instant,
    says: &str,
) {
    let grew = server.peak_kib().zip(before);
    let grew = grew.map(|(after, before)| after.saturating_sub(before));
    println!(
        "{name}: {} ms, {} MiB more; {says}",
        began.elapsed().as_millis(),
        grew.map_or_else(|| "?".to_owned(), |kib| (kib / 1024).to_string()),
    );
    if let Some(kib) = grew {
        assert!(kib < kib_max, "{name}: {kib} KiB; the limit is {kib_max}");
    }
}

pub(crate) async fn first_job(server: &Served) -> Value {
    server.get("/load-jobs").await.ok()["jobs"][0].clone()
}

/// What may be sent over the socket: its name, what is made of the sender's document, and what the
/// sender is told.
type Sent = (&'static str, fn(&mut Foreign) -> Vec<Message>, &'static str);

fn synced(client: &Foreign, data: Vec<u8>) -> Message {
    Message::Binary(client.frame(data).encode().into())
}

fn of_changes(client: &Foreign, changes: &[Vec<u8>]) -> Vec<Message> {
    vec![synced(client, message(&[], changes))]
}

/// A whole saved document with a column that inflates to `len` bytes.
pub(crate) fn inflating_document(len: usize) -> Vec<u8> {
    document(&[], &[(66 | 8, deflate(&vec![0; len]))])
}

const BY_SOCKET: &[Sent] = &[
    (
        "a change of 69 bytes that claims 20 million operations",
        |client| of_changes(client, &[change(&puts(20_000_000, b"k"))]),
        "claims 20000000 rows; the limit is 200000",
    ),
    (
        "the same, compressed",
        |client| of_changes(client, &[compressed(&change_data(&puts(20_000_000, b"k")))]),
        "claims 20000000 rows; the limit is 200000",
    ),
    (
        "the same in a bundle",
        |client| of_changes(client, &[bundle(&[], &puts(20_000_000, b"k"))]),
        "claims 20000000 rows; the limit is 400",
    ),
    (
        "a compressed change that inflates to 1 GiB",
        |client| of_changes(client, &[compressed(&vec![0; 1 << 30])]),
        "unpacks to more than 67108864 bytes, the limit",
    ),
    (
        "a saved document that inflates to 1 GiB",
        |client| of_changes(client, &[inflating_document(1 << 30)]),
        "unpacks to more than 268435456 bytes, the limit",
    ),
    (
        "a text of a megabyte that a run repeats a thousand times",
        |client| of_changes(client, &[change(&puts(1_000, &vec![b'k'; 1_000_000]))]),
        "unpacks to more than 67108864 bytes, the limit",
    ),
    (
        "a thousand changes that each claim as much as one may",
        |client| of_changes(client, &vec![change(&puts(200_000, b"k")); 1_000]),
        "brings all that arrived to",
    ),
    (
        "a change cut in half",
        |client| {
            let whole = client.write("note", "torn").raw_bytes().to_vec();
            of_changes(client, &[whole[..whole.len() / 2].to_vec()])
        },
        "chunk 1 at byte",
    ),
    (
        "a change with a wrong checksum",
        |client| {
            let mut bytes = client.write("note", "damaged").raw_bytes().to_vec();
            bytes[5] ^= 1;
            of_changes(client, &[bytes])
        },
        "checksum",
    ),
    (
        "a message that claims more changes than it has bytes",
        |client| {
            vec![synced(
                client,
                [vec![66, 0, 0, 0], vec![0xff; 8], vec![1]].concat(),
            )]
        },
        "the guard refused the message",
    ),
    (
        "an empty message",
        |client| vec![synced(client, Vec::new())],
        "the guard refused the message",
    ),
    (
        "changes without what they follow, without end",
        |client| {
            client.write("note", "never sent");
            let noise = noise(600_000);
            let orphans = (0..20).map(|nth| {
                let orphan = client.write("note", &format!("{nth} {noise}"));
                message(&[], &[orphan.raw_bytes().to_vec()])
            });
            let orphans: Vec<_> = orphans.collect();
            orphans
                .into_iter()
                .map(|data| synced(client, data))
                .collect()
        },
        "bytes of changes wait for others that were never sent; at most 8388608 may",
    ),
    (
        "the same refused change again and again",
        |client| vec![synced(client, message(&[], &[change(&puts(20_000_000, b"k"))])); 50],
        "claims 20000000 rows",
    ),
    (
        "a frame that nests two thousand deep",
        |_| vec![Message::Binary(vec![0x81; DEEP].into())],
        "a frame was refused",
    ),
    (
        "a frame that claims four billion entries",
        |_| vec![Message::Binary(vec![0xba, 0xff, 0xff, 0xff, 0xff].into())],
        "a frame was refused",
    ),
    (
        "an empty frame",
        |_| vec![Message::Binary(Vec::new().into())],
        "a frame was refused",
    ),
    (
        "text",
        |_| vec![Message::Text("{}".into())],
        "frames are binary",
    ),
    (
        "a frame past the limit",
        |_| vec![Message::Binary(vec![0; FRAME_BYTES_MAX + 1].into())],
        "16777216",
    ),
];

/// Text that does not compress.
fn noise(len: usize) -> String {
    let mut chance = Chance::new(len as u64);
    (0..len)
        .map(|_| char::from(b' ' + u8::try_from(chance.below(90)).expect("small")))
        .collect()
}

/// S4, S5: refused, with a reason, at little cost; edits before and after are acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_what_is_hostile_on_the_socket_is_refused_and_others_go_on() {
    for (nth, (name, frames, says)) in BY_SOCKET.iter().enumerate() {
        let home = Home::new(PROGRAM);
        let server = serving(&home).await;
        let mut witness = Foreign::join(&server, "witness", b"witness").await;
        let mut sender = Foreign::join(&server, "sender", b"sender").await;
        witness.write("before", &nth.to_string());
        witness.acknowledged(&server).await;
        let messages = frames(&mut sender);
        let (before, began) = (server.peak_kib(), Instant::now());
        for message in messages {
            sender.send(message).await;
        }
        let closing = sender.closing().await;
        assert!(closing.reason.contains(says), "{name}: {closing:?}");
        assert!(closing.code.is_some(), "{name}: {closing:?}");
        account(name, &server, before, began, &closing.reason);
        witness.write("after", &nth.to_string());
        let on_its_connection = witness.exchange().await;
        assert_eq!(on_its_connection, Ok(()), "{name}: nobody else is closed");
        let job = first_job(&server).await;
        assert_eq!(
            (&job["before"], &job["after"]),
            (&json!(nth.to_string()), &json!(nth.to_string()))
        );
        server.stop().await;
    }
}

/// S4: two copies of one client. The first that is on disk stays, the other is told, again at
/// each new connection, and who writes beside them goes on, also in the same frame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_of_two_copies_of_a_client_the_second_is_told_and_others_go_on() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let mut first = Foreign::join(&server, "first", b"same").await;
    let mut second = Foreign::join(&server, "second", b"same").await;
    let mut third = Foreign::join(&server, "third", b"third").await;
    first.write("note", "first");
    let copied = [
        third.write("by", "third party"),
        second.write("note", "second"),
        second.write("hangs", "on the second"),
    ];
    let copied = copied.map(|change| change.raw_bytes().to_vec());
    first.acknowledged(&server).await;
    for _ in 0..2 {
        second.say(message(&[], &copied)).await;
        let reason = second.closing().await.reason;
        let says = "a copied client needs an actor of its own";
        assert!(reason.contains(says), "{reason}");
        second.rejoin(&server).await;
    }
    first.write("note", "first again");
    assert_eq!(first.exchange().await, Ok(()));
    witness.write("after", "witness");
    assert_eq!(witness.exchange().await, Ok(()));
    let job = first_job(&server).await;
    assert_eq!(job["note"], json!("first again"));
    assert_eq!(job["by"], json!("third party"), "it came in the same frame");
    assert_eq!(job["after"], json!("witness"));
    assert_eq!(job["hangs"], json!(null));
    server.stop().await;
}

/// Maps two thousand deep, put at each place that we read.
pub(crate) fn nested(base: &Automerge) -> Vec<Vec<u8>> {
    let mut doc = base.fork();
    doc.set_actor(ActorId::from(b"deep"));
    let before = doc.get_heads();
    let (_, jobs) = doc.get(ROOT, "jobs").expect("read").expect("jobs");
    let key = doc.keys(&jobs).next().expect("a job");
    let (_, job) = doc.get(&jobs, key).expect("read").expect("a job");
    for (home, prop) in [
        (ROOT, "deep"),
        (jobs, "record-deep"),
        (job.clone(), "deep"),
        (job, "runs"),
    ] {
        let mut edit = doc.transaction();
        let mut at = edit.put_object(home, prop, ObjType::Map).expect("a map");
        for _ in 1..DEEP {
            at = edit.put_object(&at, "a", ObjType::Map).expect("a map");
        }
        edit.commit();
    }
    let changes = doc.get_changes(&before);
    changes
        .iter()
        .map(|change| change.raw_bytes().to_vec())
        .collect()
}

/// S5: what nests deep may be kept, but nothing that reads it overflows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_maps_two_thousand_deep_overflow_nothing() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let mut sender = Foreign::join(&server, "sender", b"sender").await;
    let (before, began) = (server.peak_kib(), Instant::now());
    sender.say(message(&[], &nested(&sender.doc))).await;
    witness.write("after", "witness");
    assert_eq!(witness.exchange().await, Ok(()));
    for path in ["/load-jobs", "/api/v1/jobs", "/api/v1/stats", "/health"] {
        server.get(path).await.ok();
    }
    account("maps 2,000 deep", &server, before, began, "taken in");
    home.written("the file", |file| {
        serde_json::from_str::<Value>(file).is_ok_and(|file| file["jobs"][0]["after"].is_string())
    })
    .await;
    server.stop().await;
    let again = home.serve(&[]).await;
    assert_eq!(first_job(&again).await["after"], json!("witness"));
    again.stop().await;
}

/// `data` with a few bytes changed.
fn mutated(mut data: Vec<u8>, chance: &mut Chance) -> Vec<u8> {
    for _ in 0..=chance.below(3) {
        let at = usize::try_from(chance.below(data.len() as u64)).expect("small");
        data[at] = match chance.below(3) {
            0 => data[at] ^ (1 << chance.below(8)),
            1 => data[at].wrapping_add(1),
            _ => u8::try_from(chance.below(256)).expect("small"),
        };
    }
    data
}

/// A real history and a real change with bytes changed and checksums repaired; the guard lets them
/// pass, so that it is automerge that has to do with them.
pub(crate) fn mutants(base: &Automerge, count: u64) -> Vec<Vec<u8>> {
    let mut chance = Chance::new(417);
    let mut doc = base.fork();
    doc.set_actor(ActorId::from(b"mutant"));
    let mut edit = doc.transaction();
    let texts = edit
        .put_object(ROOT, "texts", ObjType::List)
        .expect("a list");
    for nth in 0..20_i64 {
        edit.insert(&texts, 0, nth).expect("a list");
        edit.put(ROOT, format!("key-{nth}"), format!("text {nth}"))
            .expect("a map");
    }
    edit.delete(&texts, 3).expect("it is there");
    let hash = edit.commit().0.expect("something new");
    let change = doc
        .get_change_by_hash(&hash)
        .expect("it was made")
        .raw_bytes()
        .to_vec();
    let saved = doc.save_with_options(automerge::SaveOptions {
        deflate: false,
        retain_orphans: false,
    });
    let body = |bytes: &[u8]| {
        let begins = 10
            + bytes[9..]
                .iter()
                .take_while(|byte| **byte & 0x80 != 0)
                .count();
        bytes[begins..].to_vec()
    };
    let (change, saved) = (body(&change), body(&saved));
    let mut found = Vec::new();
    while (found.len() as u64) < count {
        let chunk = if chance.below(4) == 0 {
            chunk(0, &mutated(saved.clone(), &mut chance))
        } else {
            chunk(1, &mutated(change.clone(), &mut chance))
        };
        let sent = message(&[], std::slice::from_ref(&chunk));
        if check_message(&sent, &Limits::PEER).is_ok() {
            found.push(chunk);
        }
    }
    found
}

/// Whether automerge itself fails on `chunk`, instead of refusing it.
pub(crate) fn fails(base: &Automerge, chunk: &[u8]) -> bool {
    let mut doc = base.fork();
    catch_unwind(AssertUnwindSafe(|| drop(doc.load_incremental(chunk)))).is_err()
}

/// S4: whatever bytes a change has, its sender alone may suffer for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s4_mutants_with_repaired_checksums_harm_their_sender_alone() {
    let home = Home::new(PROGRAM);
    let server = serving(&home).await;
    let mut witness = Foreign::join(&server, "witness", b"witness").await;
    let mut sender = Foreign::join(&server, "sender", b"sender").await;
    let all = mutants(&sender.doc, MUTANTS);
    let failing = all.iter().filter(|chunk| fails(&sender.doc, chunk)).count();
    let (before, began) = (server.peak_kib(), Instant::now());
    let mut refused = 0;
    for (nth, chunk) in all.iter().enumerate() {
        sender.say(message(&[], std::slice::from_ref(chunk))).await;
        witness.write("nth", &nth.to_string());
        assert_eq!(
            witness.exchange().await,
            Ok(()),
            "mutant {nth}: nobody else is closed"
        );
        // What was taken is part of the history now; what was not has closed the connection.
        sender.say(b"no message".to_vec()).await;
        let closing = sender.closing().await;
        refused += usize::from(!closing.reason.contains("the guard refused the message"));
        sender.rejoin(&server).await;
    }
    let mut says = String::new();
    write!(
        says,
        "{MUTANTS} mutants, {refused} refused, automerge fails on {failing}"
    )
    .expect("text");
    account("mutants", &server, before, began, &says);
    assert_eq!(
        first_job(&server).await["nth"],
        json!((MUTANTS - 1).to_string())
    );
    server.stop().await;
    let again = home.serve(&[]).await;
    assert_eq!(
        first_job(&again).await["nth"],
        json!((MUTANTS - 1).to_string())
    );
    again.stop().await;
}
