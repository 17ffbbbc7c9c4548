//! Real inputs of every kind. They lie in `tests/fuzz/corpus`, where fuzzers find them too;
//! `cargo test -p plainsync-core --test mutations -- --ignored` writes those anew that are made
//! here, which is needed when a format changes.

use std::path::PathBuf;

use automerge::Automerge;
use automerge::sync::{State, SyncDoc as _};
use plainsync_core::chunk;
use plainsync_core::id::PeerId;
use plainsync_core::plain::export::with_replaced_by;
use plainsync_core::wire::Frame;

use crate::fuzz;

/// A file's name, and its bytes.
type Named = (String, Vec<u8>);

/// What makes all of a folder.
type Make = fn() -> Vec<Named>;

/// The folders, and what is made for each.
const MADE: [(&str, Make); 5] = [
    ("frame", frames),
    ("sync_message", || {
        let named = |(nth, message)| (format!("message-{nth}"), message);
        messages().into_iter().enumerate().map(named).collect()
    }),
    ("chunk", journals),
    ("import", files),
    ("query", queries),
];

fn folder(target: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/corpus");
    PathBuf::from(root).join(target)
}

/// All inputs of `target`, always in the same order.
pub(crate) fn corpus(target: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder(target)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn frames() -> Vec<Named> {
    let (sender, target) = (
        PeerId::new("tab-1").unwrap(),
        PeerId::new("server").unwrap(),
    );
    let (document, storage_id) = (fuzz::id(), Some("storage-1".to_owned()));
    let message = || messages().swap_remove(1);
    let frames = [
        Frame::Join {
            sender: sender.clone(),
            storage_id: storage_id.clone(),
            ephemeral: true,
            ahead: 32,
            versions: vec!["1".to_owned(), "2".to_owned()],
        },
        Frame::Peer {
            sender: target.clone(),
            target: sender.clone(),
            storage_id,
            ephemeral: false,
            ahead: 32,
            version: "1".to_owned(),
        },
        Frame::Request {
            document,
            sender: sender.clone(),
            target: target.clone(),
            data: message(),
        },
        Frame::Sync {
            document,
            sender: target.clone(),
            target: sender.clone(),
            data: message(),
        },
        Frame::DocUnavailable {
            document,
            sender: target.clone(),
            target: sender.clone(),
        },
        Frame::Ephemeral {
            document,
            sender: sender.clone(),
            target,
            count: 1 << 40,
            session: "session-1".to_owned(),
            data: b"\xa1\x64name\x65Ada \xc2\xb5"[..].into(),
        },
        Frame::Leave { sender },
        Frame::Error {
            message: "the document is closed".to_owned(),
        },
        Frame::Unknown {
            kind: "remote-heads-changed".to_owned(),
        },
    ];
    let mut named: Vec<Named> = frames
        .iter()
        .map(|frame| (frame.kind().to_owned(), frame.encode()))
        .collect();
    // As JavaScript writes it: indefinite, a tagged byte string, a float, `undefined`, a key that
    // nobody knows.
    let id = document.to_string();
    let javascript: [&[u8]; 7] = [
        b"\xbf\x64type\x69ephemeral\x68senderId\x65tab-1\x68targetId\x7f\x63ser\x63ver\xff\x6adocumentId",
        &[0x78, u8::try_from(id.len()).unwrap()],
        id.as_bytes(),
        b"\x65count\xfb\x42\x70\0\0\0\0\0\0\x69sessionId\x61s",
        b"\x64data\xd8\x40\x5f\x42\x01\x02\x41\x03\xff",
        b"\x65other\xf7\x07\x81\xa0",
        b"\xff",
    ];
    named.push(("javascript".to_owned(), javascript.concat()));
    named
}

/// A whole conversation between the document and one that has nothing, and one between two that
/// have parts of it.
pub(crate) fn messages() -> Vec<Vec<u8>> {
    let mut all = Automerge::load(&fuzz::document().save()).unwrap();
    let changes = all.get_changes(&[]);
    let mut some = Automerge::new();
    some.apply_changes(changes[..2].to_vec()).unwrap();
    let mut messages = Vec::new();
    for mut other in [some, Automerge::load(&fuzz::empty(3).save()).unwrap()] {
        let (mut ours, mut theirs) = (State::new(), State::new());
        loop {
            let there = all.generate_sync_message(&mut ours);
            let here = other.generate_sync_message(&mut theirs);
            if there.is_none() && here.is_none() {
                break;
            }
            if let Some(there) = there {
                messages.push(there.clone().encode());
                other.receive_sync_message(&mut theirs, there).unwrap();
            }
            if let Some(here) = here {
                messages.push(here.clone().encode());
                all.receive_sync_message(&mut ours, here).unwrap();
            }
        }
    }
    messages.sort();
    messages.dedup();
    messages
}

fn journals() -> Vec<Named> {
    let saved = Automerge::load(&fuzz::document().save()).unwrap();
    let mut journal = Vec::new();
    for change in &saved.get_changes(&[])[2..] {
        chunk::append(&mut journal, change.raw_bytes()).unwrap();
    }
    let whole = journal.clone();
    chunk::append(&mut journal, b"").unwrap();
    chunk::append(&mut journal, b"{\"header\":1}").unwrap();
    let mut torn = journal.clone();
    torn.truncate(torn.len() - 5);
    let mut damaged = journal.clone();
    damaged[20] ^= 1;
    let mut zeros = journal.clone();
    zeros.extend([0; 64]);
    let mut lost = journal.clone();
    lost[1] ^= 0x40;
    let text = chunk::to_text(b"a payload that a browser keeps").unwrap();
    [
        ("whole", whole),
        ("journal", journal),
        ("torn", torn),
        ("damaged", damaged),
        ("zeros", zeros),
        ("lost-length", lost),
        ("text", text.into_bytes()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

fn files() -> Vec<Named> {
    let document = fuzz::document();
    let file = String::from_utf8(fuzz::export(document)).unwrap();
    let older = {
        let changes = Automerge::load(&document.save()).unwrap().get_changes(&[]);
        document.as_of(&[changes[2].hash()]).unwrap()
    };
    let heads: Vec<String> = document.heads().iter().map(ToString::to_string).collect();
    let backup = with_replaced_by(&fuzz::export(&older), &heads).unwrap();
    let edited = file.replacen("a tired knight", "a rested knight", 1);
    let job = file.find("    {\n").unwrap();
    let marked = format!(
        "{}<<<<<<< HEAD\n{}=======\n>>>>>>> theirs\n{}",
        &file[..job],
        "    {},\n",
        &file[job..]
    );
    let half = file[..file.len() / 2].to_owned();
    let answer = "{\"status\":\"success\",\"message\":\"2 jobs\",\"fileSize\":12,\"jobs\":[{\"id\":\"job-1\",\
        \"prompt\":\"again\"},{\"id\":\"job-90\",\"createdAt\":1,\"result\":[1,{\"a\":\"\\ud83d\\ude00\"}]}]}";
    [
        ("file.json", file.into_bytes()),
        ("older.json", fuzz::export(&older)),
        ("backup.json", backup),
        ("edited.json", edited.into_bytes()),
        ("merge-markers.json", marked.into_bytes()),
        ("half.json", half.into_bytes()),
        ("answer.json", answer.into()),
        ("empty.json", "{\"jobs\": []}\n".into()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into()
}

fn queries() -> Vec<Named> {
    [
        ("everything", "\n\n"),
        ("word", "knight"),
        ("words", "heroic \"number 1\" -green\n-prompt"),
        ("field", "status:success\nwidth\n"),
        ("excluded", "-status:idle -has:conflict\n-duration"),
        ("conflict", "has:conflict\ncreated"),
        ("bin", "job-\ncreatedAt\nbin"),
        (
            "object",
            "nested:{\"a\":{\"b\":[[],{},[{\"c\":null}]]}}\n-nested",
        ),
        ("open-quote", "status:\"succ"),
        ("signs", "- : -: :a a: -\"\" \u{3000} ß ẞ İ\n-"),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into()
}

/// What is made here is what lies in the folders.
#[test]
fn the_corpus_is_up_to_date() {
    for (target, made) in MADE {
        for (name, bytes) in made() {
            let found = std::fs::read(folder(target).join(&name)).ok();
            assert!(
                found == Some(bytes),
                "{target}/{name} is not what would be written now; see the module's text"
            );
        }
    }
}

#[test]
#[ignore = "writes into the repository"]
fn write_the_corpus() {
    for (target, made) in MADE {
        for (name, bytes) in made() {
            std::fs::write(folder(target).join(name), bytes).unwrap();
        }
    }
}
