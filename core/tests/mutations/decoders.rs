//! What each decoder promises, held against its corpus and against mutations of that.

use crate::bytes::{Draw as _, mutate, rearrange};
use crate::cbor::Item;
use crate::chance::Chance;
use crate::corpus::corpus;
use crate::run::hold;
use crate::{fuzz, json};

#[test]
fn s4_the_corpus_of_the_fuzz_targets_holds() {
    for (target, holds) in fuzz::ALL {
        let inputs = corpus(target);
        let taken = inputs.iter().filter(|bytes| holds(bytes)).count();
        assert!(taken > 0, "{target}: none of {} is taken", inputs.len());
    }
}

/// S4: frames whose names, types, lengths and nesting are wrong.
#[test]
fn s4_mutated_frames_are_refused_or_written_as_they_are_read() {
    let frames = corpus("frame");
    let trees: Vec<Item> = frames
        .iter()
        .filter_map(|bytes| Item::read(&mut &bytes[..]))
        .collect();
    let input = |chance: &mut Chance| {
        let mut bytes = chance.one_of(&frames).clone();
        if !chance.once_in(5) {
            let mut tree = chance.one_of(&trees).clone();
            for _ in 0..chance.below(4) {
                tree.change(chance);
            }
            bytes.clear();
            tree.write(&mut bytes, *chance.one_of(&[0, 0, 3, 12]), chance);
        }
        match chance.below(8) {
            0 => mutate(&mut bytes, chance),
            1 => rearrange(&mut bytes, &frames, chance),
            _ => {}
        }
        bytes
    };
    hold("frame", 50_000, input, fuzz::frame);
}

/// S4: sync messages that were changed and have the right checksums again, taken by a replica.
#[test]
fn s4_mutated_messages_leave_a_replica_that_shows_what_it_keeps() {
    let messages = corpus("sync_message");
    let input = |chance: &mut Chance| {
        let mut bytes = chance.one_of(&messages).clone();
        match chance.below(8) {
            0 => rearrange(&mut bytes, &messages, chance),
            _ => mutate(&mut bytes, chance),
        }
        fuzz::repair(&mut bytes);
        bytes
    };
    hold("sync message", 300, input, fuzz::sync_message);
}

/// F11: journals whose chunks were cut, swapped and damaged, their checks wrong or right.
#[test]
fn f11_mutated_journals_give_whole_chunks_only() {
    let journals = corpus("chunk");
    let input = |chance: &mut Chance| {
        let mut bytes = chance.one_of(&journals).clone();
        for _ in 0..=chance.below(3) {
            match chance.below(4) {
                0 => rearrange(&mut bytes, &journals, chance),
                1 => lie(&mut bytes, chance),
                2 => bytes.extend(chance.one_of(&journals)),
                _ => mutate(&mut bytes, chance),
            }
        }
        bytes
    };
    hold("chunk", 10_000, input, fuzz::chunk);
}

/// Puts a length where some chunk may begin, and the check that it needs.
fn lie(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.index(bytes.len() + 1);
    let rest = u64::try_from(bytes.len() - at).unwrap();
    let any = chance.number();
    let len = *chance.one_of(&[0, rest.saturating_sub(12), rest, 64 << 20, any]);
    let len = u32::try_from(len & 0xffff_ffff).unwrap().to_le_bytes();
    let check = plainsync_core::chunk::checksum(&len).to_le_bytes();
    let end = (at + 8).min(bytes.len());
    bytes.splice(at..end, [len, check].concat());
}

/// F7: files as editors, scripts, git and crashes leave them, of this version and of others.
#[test]
fn f7_mutated_files_are_taken_in_whole_or_left_alone() {
    let files = corpus("import");
    let texts: Vec<Vec<String>> = files
        .iter()
        .filter(|bytes| plainsync_core::plain::json::parse(bytes).is_ok())
        .map(|bytes| json::tokens(&String::from_utf8_lossy(bytes)))
        .collect();
    let input = |chance: &mut Chance| {
        let mut tokens = chance.one_of(&texts).clone();
        for _ in 0..=chance.below(3) {
            json::change(&mut tokens, chance);
        }
        let mut bytes = tokens.concat().into_bytes();
        match chance.below(32) {
            0 => mutate(&mut bytes, chance),
            1 => rearrange(&mut bytes, &files, chance),
            _ => {}
        }
        bytes
    };
    hold("import", 300, input, fuzz::import);
}

/// S5: queries of all kinds of words, signs and letters, up to the limit and past it.
#[test]
fn s5_mutated_queries_find_each_row_once_or_are_refused() {
    let queries = corpus("query");
    let words = [
        " ",
        "\"",
        "-",
        ":",
        "\n",
        "has:conflict",
        "status:",
        "error",
        "id:",
        "job-2",
        "createdAt",
        "nested",
        "result",
        "\u{3000}",
        "ẞ",
        "İ",
        "🐉",
        "-bin",
        "bin",
        "\0",
    ];
    let input = |chance: &mut Chance| {
        let mut bytes = chance.one_of(&queries).clone();
        for _ in 0..=chance.below(4) {
            let at = chance.index(bytes.len() + 1);
            match chance.below(6) {
                0 => rearrange(&mut bytes, &queries, chance),
                1 => mutate(&mut bytes, chance),
                2 if chance.once_in(20) => bytes = bytes.repeat(1 + chance.index(2_000)),
                _ => drop(bytes.splice(at..at, chance.one_of(&words).bytes())),
            }
            bytes.truncate(20_000);
        }
        bytes
    };
    hold("query", 5_000, input, fuzz::query);
}
