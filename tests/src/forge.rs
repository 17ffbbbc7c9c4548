//! Writes chunks by hand: whatever they claim, their checksums fit.
//!
//! The tests of the engine's guard include this file as well.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    dead_code,
    unreachable_pub,
    reason = "test support, shared by several test programs"
)]

use sha2::{Digest, Sha256};

/// A number as automerge writes it.
pub fn unsigned(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// The head of a run: how often the value after it repeats.
pub fn run(count: u64) -> Vec<u8> {
    let mut out = unsigned(count);
    if let Some(last) = out.last_mut().filter(|last| **last & 0x40 != 0) {
        *last |= 0x80; // The highest bit that is written would make it negative.
        out.push(0);
    }
    out
}

/// `text` with its length before it.
pub fn text(text: &[u8]) -> Vec<u8> {
    [unsigned(u64::try_from(text.len()).unwrap()), text.to_vec()].concat()
}

fn hash_start(kind: u8, data: &[u8]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update([kind]);
    hasher.update(unsigned(u64::try_from(data.len()).unwrap()));
    hasher.update(data);
    hasher.finalize()[..4].try_into().unwrap()
}

/// A chunk of `kind` that holds `data`.
pub fn chunk(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83];
    out.extend(hash_start(kind, data));
    out.push(kind);
    out.extend(text(data));
    out
}

/// The compressed chunk of a change that holds `data`.
pub fn compressed(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83];
    out.extend(hash_start(1, data));
    out.push(2);
    out.extend(text(&deflate(data)));
    out
}

/// `data` as a compressed chunk or column has it.
pub fn deflate(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(data).unwrap();
    out.finish().unwrap()
}

type Columns<'a> = &'a [(u32, Vec<u8>)];

fn list(columns: Columns<'_>) -> Vec<u8> {
    let mut out = unsigned(u64::try_from(columns.len()).unwrap());
    for (spec, bytes) in columns {
        out.extend(unsigned(u64::from(*spec)));
        out.extend(unsigned(u64::try_from(bytes.len()).unwrap()));
    }
    out
}

fn bytes_of(columns: Columns<'_>) -> Vec<u8> {
    columns
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect()
}

/// The data of a change by one actor with these columns.
pub fn change_data(columns: Columns<'_>) -> Vec<u8> {
    // No parents, an actor of one byte, its first change, first operation 1, time 0, no
    // message, no other actors.
    let head = vec![0, 1, 9, 1, 1, 0, 0, 0];
    [head, list(columns), bytes_of(columns)].concat()
}

/// The change that [`change_data`] is of.
pub fn change(columns: Columns<'_>) -> Vec<u8> {
    chunk(1, &change_data(columns))
}

/// A document of one actor and no heads with these columns.
pub fn document(changes: Columns<'_>, ops: Columns<'_>) -> Vec<u8> {
    let head = vec![1, 1, 9, 0];
    let all = [
        head,
        list(changes),
        list(ops),
        bytes_of(changes),
        bytes_of(ops),
    ];
    chunk(0, &all.concat())
}

/// A bundle of one actor's changes with these columns.
pub fn bundle(changes: Columns<'_>, ops: Columns<'_>) -> Vec<u8> {
    let head = vec![0, 1, 1, 9];
    let all = [
        head,
        list(changes),
        bytes_of(changes),
        list(ops),
        bytes_of(ops),
    ];
    chunk(3, &all.concat())
}

/// Columns of `count` operations, each of which writes null to the root's `key`.
pub fn puts(count: u64, key: &[u8]) -> Vec<(u32, Vec<u8>)> {
    vec![
        (21, [run(count), text(key)].concat()), // Keys.
        (52, unsigned(count)),                  // None is an insertion.
        (66, [run(count), vec![1]].concat()),   // All are puts.
        (86, [run(count), vec![0]].concat()),   // Of null.
        (112, [run(count), vec![0]].concat()),  // Over nothing.
    ]
}

/// A sync message with these haves and changes.
pub fn message(haves: &[Vec<u8>], changes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![66, 0, 0];
    out.extend(unsigned(u64::try_from(haves.len()).unwrap()));
    for filter in haves {
        out.push(0);
        out.extend(text(filter));
    }
    out.extend(unsigned(u64::try_from(changes.len()).unwrap()));
    for change in changes {
        out.extend(text(change));
    }
    out
}

/// A filter that claims these numbers.
pub fn filter(entries: u64, bits: u64, probes: u64) -> Vec<u8> {
    let len = usize::try_from((entries * bits).div_ceil(8)).unwrap();
    [
        unsigned(entries),
        unsigned(bits),
        unsigned(probes),
        vec![0; len],
    ]
    .concat()
}
