//! Real histories with bytes changed and checksums repaired: the guard never panics, and what it
//! lets through ends soon and in little memory, whatever automerge makes of it.

use automerge::sync::{Message, State, SyncDoc};
use automerge::{Automerge, ROOT, ReadDoc};
use plainsync_core::document::Document;
use plainsync_core::guard::{Limits, check, check_message};

use crate::bytes::{Draw as _, mutate};
use crate::chance::Chance;
use crate::common::device;
use crate::documents;
use crate::forge::{chunk, compressed, message};
use crate::run::{Measured, cases, quietly, spent};

/// Cases where nobody asks for more.
const CASES: u64 = 2_000;

/// What a case begins with: kind and data of its chunks.
struct Seed {
    chunks: Vec<(u8, Vec<u8>)>,
    /// Of the document that all are taken into.
    base: usize,
}

/// The kind and data of each chunk of `bytes`, whose headers are right.
fn split(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut chunks = Vec::new();
    while !bytes.is_empty() {
        let (mut len, mut at, mut shift) = (0, 9, 0);
        loop {
            len |= usize::from(bytes[at] & 0x7f) << shift;
            shift += 7;
            at += 1;
            if bytes[at - 1] & 0x80 == 0 {
                break;
            }
        }
        chunks.push((bytes[8], bytes[at..at + len].to_vec()));
        bytes = &bytes[at + len..];
    }
    chunks
}

/// The chunk again, with a header that fits.
fn write(kind: u8, data: &[u8], chance: &mut Chance) -> Vec<u8> {
    match kind {
        1 if chance.once_in(3) => compressed(data),
        kind => chunk(kind, data),
    }
}

/// Some of everything, and the documents that it is taken into.
fn corpus() -> (Vec<Seed>, Vec<Automerge>, Document) {
    let mut device = device(1);
    for n in 0..12 {
        let record = serde_json::json!({"prompt": format!("a knight {n}"), "width": 64, "list": [1, {"a": n}]});
        let key = device.insert(&format!("record-{n}"), record);
        device.order(&key, &format!("run-{n}"), "0000000000000009");
        device.set(
            &key,
            serde_json::json!({"prompt": "a mage", "deep": {"er": n}}),
        );
    }
    let own = Automerge::load(&device.document().save()).unwrap();
    let docs = vec![own, documents::everything(), documents::many_actors(40)];
    let mut seeds = Vec::new();
    for (base, doc) in docs.iter().enumerate() {
        let changes = doc.get_changes(&[]);
        let raw = |change: &automerge::Change| split(change.raw_bytes());
        seeds.extend(changes.iter().map(|change| Seed {
            chunks: raw(change),
            base,
        }));
        let all = changes.iter().flat_map(raw).collect();
        let bundle = doc
            .bundle(changes.iter().map(automerge::Change::hash))
            .unwrap();
        for chunks in [
            split(&doc.save()),
            split(&doc.save_nocompress()),
            split(bundle.bytes()),
            all,
        ] {
            // As often as there are changes, so that each kind has its part.
            for _ in 0..changes.len() {
                seeds.push(Seed {
                    chunks: chunks.clone(),
                    base,
                });
            }
        }
    }
    (seeds, docs, device.document().clone())
}

#[derive(Debug, Default)]
struct Counts {
    refused: u64,
    taken: u64,
    failed: u64,
    panicked: u64,
}

impl Counts {
    fn note<E>(&mut self, outcome: Result<bool, E>) {
        match outcome {
            Ok(true) => self.taken += 1,
            Ok(false) => self.failed += 1,
            Err(_) => self.panicked += 1,
        }
    }
}

/// What automerge does with `bytes` that passed, alone and in a document.
fn try_chunks(bytes: &[u8], base: &Automerge, engine: &Document, counts: &mut [Counts; 4]) {
    let [load, merge, view, _] = counts;
    load.note(quietly(|| Automerge::load(bytes).is_ok()));
    merge.note(quietly(|| {
        let mut doc = base.clone();
        doc.load_incremental(bytes).is_ok() && doc.get_all(ROOT, "jobs").is_ok()
    }));
    view.note(quietly(|| {
        let mut document = engine.clone();
        document.restore_of_others(&[bytes.to_vec()]).is_ok()
            && !document
                .export(&|_| None::<Vec<u8>>.map(Into::into))
                .is_empty()
    }));
}

fn try_message(bytes: &[u8], base: &Automerge, counts: &mut Counts) {
    counts.note(quietly(|| {
        let Ok(message) = Message::decode(bytes) else {
            return false;
        };
        let (mut doc, mut state) = (base.clone(), State::new());
        let received = doc.receive_sync_message(&mut state, message).is_ok();
        doc.generate_sync_message(&mut state);
        received
    }));
}

/// The case's bytes, whether they are a message, and the number of the document they are for.
fn input(seeds: &[Seed], chance: &mut Chance) -> (Vec<u8>, bool, usize) {
    let seed = chance.one_of(seeds);
    let mut chunks = seed.chunks.clone();
    let nth = chance.index(chunks.len());
    mutate(&mut chunks[nth].1, chance);
    let written: Vec<_> = (chunks.iter())
        .map(|(kind, data)| write(*kind, data, chance))
        .collect();
    if chance.once_in(4) {
        let filter = [vec![3, 10, 7], vec![0xa5; 4]].concat();
        let mut bytes = message(&[filter], &written);
        if chance.once_in(2) {
            // Of the head: hashes and filters have no checksum.
            let rest = bytes.split_off(16.min(bytes.len()));
            mutate(&mut bytes, chance);
            bytes.extend(rest);
        }
        return (bytes, true, seed.base);
    }
    let mut bytes = written.concat();
    if chance.once_in(10) {
        mutate(&mut bytes, chance); // Headers too, and checksums not repaired.
    }
    (bytes, false, seed.base)
}

/// S4: of histories and messages the guard lets through only what costs little.
#[test]
fn s4_mutated_histories_and_messages_cost_little() {
    let (seeds, docs, engine) = corpus();
    let mut counts: [Counts; 4] = Default::default();
    let mut measured = Measured::default();
    for case in cases(CASES) {
        let (bytes, is_message, base) = input(&seeds, &mut Chance::new(case));
        let base = &docs[base];
        let before = spent();
        let checked = quietly(|| match is_message {
            true => check_message(&bytes, &Limits::PEER),
            false => check(&bytes, &Limits::PEER),
        });
        match checked {
            Err(says) => panic!("the guard panicked in case {case}: {says}"),
            Ok(Err(_)) if is_message => counts[3].refused += 1,
            Ok(Err(_)) => counts[..3]
                .iter_mut()
                .for_each(|counts| counts.refused += 1),
            Ok(Ok(_)) if is_message => try_message(&bytes, base, &mut counts[3]),
            Ok(Ok(_)) => try_chunks(&bytes, base, &engine, &mut counts),
        }
        measured.note(case, before);
    }
    let names = [
        "load",
        "load_incremental",
        "restore and export",
        "sync message",
    ];
    for (name, counts) in names.iter().zip(&counts) {
        println!("{name}: {counts:?}");
    }
    measured.hold("histories");
    assert!(
        counts[0].taken > 0 && counts[3].taken > 0,
        "some mutations change nothing that matters"
    );
}
