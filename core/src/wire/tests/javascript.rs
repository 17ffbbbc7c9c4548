//! S1: bytes that automerge-repo 2.5 sent, written by its `cbor-x`.
//!
//! It gives the length of every map in 16 bits, writes `undefined` for what is absent and a
//! double for a whole number past 2^32, and can be configured to tag byte strings.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::*;
use super::{document, peer, sync};

/// Decodes the frame that these lines of hexadecimal digits are.
fn sent(lines: &[&str]) -> Frame {
    let digits = lines.concat();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    Frame::decode(&bytes).unwrap()
}

#[test]
fn s1_a_join_without_storage_is_read() {
    let frame = sent(&[
        "b900046474797065646a6f696e6873656e646572496466706565722d786c706565724d65746164617461b900",
        "026973746f726167654964f76b6973457068656d6572616cf57819737570706f7274656450726f746f636f6c",
        "56657273696f6e73816131",
    ]);
    let expected = Frame::Join {
        sender: peer("peer-x"),
        storage_id: None,
        ephemeral: true,
        ahead: 0,
        versions: vec![PROTOCOL.to_owned()],
    };
    assert_eq!(frame, expected);
}

#[test]
fn s1_a_sync_message_is_read_tagged_or_not() {
    let plain = sent(&[
        "b9000564747970656473796e636873656e6465724964616168746172676574496461626a646f63756d656e74",
        "4964781a7033753550684e3977724e7073474377666b656566324c7a4639646461746143010203",
    ]);
    let tagged = sent(&[
        "b9000564747970656473796e636873656e6465724964616168746172676574496461626a646f63756d656e74",
        "4964781a7033753550684e3977724e7073474377666b656566324c7a46396464617461d84043010203",
    ]);
    assert_eq!(plain, sync(&[1, 2, 3]));
    assert_eq!(tagged, sync(&[1, 2, 3]));
}

#[test]
fn s1_a_presence_message_with_a_large_count_is_read() {
    let frame = sent(&[
        "b90007647479706569657068656d6572616c6873656e64657249646161687461726765744964616265636f75",
        "6e74fb42000000000000006973657373696f6e496461736a646f63756d656e744964781a7033753550684e39",
        "77724e7073474377666b656566324c7a463964646174614109",
    ]);
    let expected = Frame::Ephemeral {
        document: document(),
        sender: peer("a"),
        target: peer("b"),
        count: 1 << 33,
        session: "s".to_owned(),
        data: vec![9],
    };
    assert_eq!(frame, expected);
}

#[test]
fn s1_a_kind_that_we_do_not_use_is_read_as_unknown() {
    let frame = sent(&[
        "b9000564747970657472656d6f74652d68656164732d6368616e6765646873656e6465724964616168746172",
        "676574496461626a646f63756d656e744964781a7033753550684e3977724e7073474377666b656566324c7a",
        "4639686e65774865616473b900016178b900026568656164738161796974696d657374616d70fb4279c1388f",
        "e18000",
    ]);
    assert_eq!(
        frame,
        Frame::Unknown {
            kind: "remote-heads-changed".to_owned()
        }
    );
}
