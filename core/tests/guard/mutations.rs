//! Real histories with bytes changed and checksums repaired, as somebody would who knows the
//! format: the guard never panics, and what it lets through ends soon and in little memory,
//! whatever automerge makes of it.
//!
//! `PLAINSYNC_MUTATIONS=1000000 cargo test -p plainsync-core --test guard mutations -- --nocapture`
//! tries so many and tells what became of them. `PLAINSYNC_MUTATIONS_SEED` begins elsewhere; a
//! failure prints the number of its case, which is its seed.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a test that measures, and is told how long"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use automerge::sync::{Message, State, SyncDoc};
use automerge::{Automerge, ROOT, ReadDoc};
use plainsync_core::document::Document;
use plainsync_core::guard::{Limits, check, check_message};

use crate::common::device;
use crate::forge::{chunk, compressed, message, unsigned};
use crate::real;

/// Cases where nobody asks for more.
const CASES: u64 = 2_000;

/// Longest that a case may take where nothing is optimised but automerge.
const CASE_TIME_MAX: Duration = Duration::from_secs(20);

/// Most memory that the whole run may have taken at any time, in KiB.
const PEAK_KIB_MAX: u64 = 3 << 20;

/// Chance that can be repeated.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap();
        usize::try_from(self.next() % end).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

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

/// Changes the bytes of `data` a few times.
fn mutate(data: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(3) {
        let at = chance.below(data.len() + 1);
        let end = (at + 1 + chance.below(6)).min(data.len());
        match chance.below(9) {
            0 if at < data.len() => data[at] ^= 1 << chance.below(8),
            1 if at < data.len() => data[at] = chance.byte(),
            2 if at < data.len() => {
                data[at] = [0, 1, 2, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0xff][chance.below(9)];
            }
            3 => data.insert(at, chance.byte()),
            4 if at < end => drop(data.drain(at..end)),
            5 => {
                let copy = data[at.min(end)..end].to_vec();
                let to = chance.below(data.len() + 1);
                data.splice(to..to, copy);
            }
            6 if at < data.len() => {
                let bits = chance.below(64);
                let number = unsigned(chance.next() >> bits);
                data.splice(at..=at, number);
            }
            7 if at < data.len() => data[at] = data[at].wrapping_add(1),
            8 if at < data.len() => data[at] = data[at].wrapping_sub(1),
            _ => {}
        }
    }
}

/// The chunk again, with a header that fits.
fn write(kind: u8, data: &[u8], chance: &mut Chance) -> Vec<u8> {
    match kind {
        1 if chance.below(3) == 0 => compressed(data),
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
    let docs = vec![own, real::everything(), real::many_actors(40)];
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
    fn note(&mut self, outcome: std::thread::Result<bool>) {
        match outcome {
            Ok(true) => self.taken += 1,
            Ok(false) => self.failed += 1,
            Err(_) => self.panicked += 1,
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The most memory that this process ever had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// What automerge does with `bytes` that passed, alone and in a document.
fn try_chunks(bytes: &[u8], base: &Automerge, engine: &Document, counts: &mut [Counts; 4]) {
    let [load, merge, view, _] = counts;
    load.note(catch_unwind(|| Automerge::load(bytes).is_ok()));
    merge.note(catch_unwind(AssertUnwindSafe(|| {
        let mut doc = base.clone();
        doc.load_incremental(bytes).is_ok() && doc.get_all(ROOT, "jobs").is_ok()
    })));
    view.note(catch_unwind(AssertUnwindSafe(|| {
        let mut document = engine.clone();
        document.restore_of_others(&[bytes.to_vec()]).is_ok()
            && !document
                .export(&|_| None::<Vec<u8>>.map(Into::into))
                .is_empty()
    })));
}

fn try_message(bytes: &[u8], base: &Automerge, counts: &mut Counts) {
    counts.note(catch_unwind(AssertUnwindSafe(|| {
        let Ok(message) = Message::decode(bytes) else {
            return false;
        };
        let (mut doc, mut state) = (base.clone(), State::new());
        let received = doc.receive_sync_message(&mut state, message).is_ok();
        doc.generate_sync_message(&mut state);
        received
    })));
}

#[test]
fn mutations() {
    let cases = number("PLAINSYNC_MUTATIONS").unwrap_or(CASES);
    let first = number("PLAINSYNC_MUTATIONS_SEED").unwrap_or(0);
    let (seeds, docs, engine) = corpus();
    let mut counts: [Counts; 4] = Default::default();
    let (mut slowest, mut slowest_case, mut guard_time) = (Duration::ZERO, 0, Duration::ZERO);
    let (here, others) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != here {
            others(info);
        }
    }));
    let mut guard_panicked = None;
    for case in first..first.saturating_add(cases) {
        let mut chance = Chance(case);
        let seed = &seeds[chance.below(seeds.len())];
        let mut chunks = seed.chunks.clone();
        let nth = chance.below(chunks.len());
        mutate(&mut chunks[nth].1, &mut chance);
        let written: Vec<_> = (chunks.iter())
            .map(|(kind, data)| write(*kind, data, &mut chance))
            .collect();
        let is_message = chance.below(4) == 0;
        let bytes = if is_message {
            let filter = [vec![3, 10, 7], vec![0xa5; 4]].concat();
            let mut bytes = message(&[filter], &written);
            if chance.below(2) == 0 {
                // Of the head: hashes and filters have no checksum.
                let rest = bytes.split_off(16.min(bytes.len()));
                mutate(&mut bytes, &mut chance);
                bytes.extend(rest);
            }
            bytes
        } else {
            let mut bytes = written.concat();
            if chance.below(10) == 0 {
                mutate(&mut bytes, &mut chance); // Headers too, and checksums not repaired.
            }
            bytes
        };
        let began = Instant::now();
        let checked = catch_unwind(|| match is_message {
            true => check_message(&bytes, &Limits::PEER),
            false => check(&bytes, &Limits::PEER),
        });
        guard_time += began.elapsed();
        match checked {
            Err(_) => {
                guard_panicked = Some(case);
                break;
            }
            Ok(Err(_)) if is_message => counts[3].refused += 1,
            Ok(Err(_)) => counts[..3]
                .iter_mut()
                .for_each(|counts| counts.refused += 1),
            Ok(Ok(_)) if is_message => try_message(&bytes, &docs[seed.base], &mut counts[3]),
            Ok(Ok(_)) => try_chunks(&bytes, &docs[seed.base], &engine, &mut counts),
        }
        if began.elapsed() > slowest {
            (slowest, slowest_case) = (began.elapsed(), case);
        }
    }
    drop(std::panic::take_hook());
    assert_eq!(guard_panicked, None, "the guard panicked in this case");
    for (what, counts) in [
        "load",
        "load_incremental",
        "restore and export",
        "sync message",
    ]
    .iter()
    .zip(&counts)
    {
        println!("{what}: {counts:?}");
    }
    let peak = peak_kib();
    println!(
        "{cases} cases from {first}; slowest {slowest:?} (case {slowest_case}), guard {guard_time:?} in all, peak {peak} KiB"
    );
    assert!(
        slowest < CASE_TIME_MAX,
        "case {slowest_case} took {slowest:?}"
    );
    assert!(peak < PEAK_KIB_MAX, "{peak} KiB were needed at a time");
    assert!(
        counts[0].taken > 0 && counts[3].taken > 0,
        "some mutations change nothing that matters"
    );
}
