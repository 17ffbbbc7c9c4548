//! S4 and S5: no bytes from a peer harm us, and a refusal says why.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::*;
use super::{cbor, document, peer, sync, sync_with};
use crate::limits::{
    EPHEMERAL_BYTES_MAX, FRAME_BYTES_MAX, FRAME_DEPTH_MAX, FRAME_TEXT_BYTES_MAX,
    FRAME_VERSIONS_MAX, PEER_ID_BYTES_MAX,
};

#[test]
fn s4_a_bad_frame_is_refused_with_its_reason() {
    let texts = |pairs: &[(&str, &str)]| {
        cbor(|e| {
            e.map(pairs.len() as u64).unwrap();
            for (name, value) in pairs {
                e.str(name).unwrap().str(value).unwrap();
            }
        })
    };
    let id = document().to_string();
    let mistyped = format!(
        "{}{}",
        &id[..id.len() - 1],
        if id.ends_with('2') { '3' } else { '2' }
    );
    let long = "p".repeat(PEER_ID_BYTES_MAX + 1);
    for (bytes, said) in [
        (vec![], "at byte 0"),
        (vec![0x80], "not one CBOR map"),
        (vec![0xa1], "not one CBOR map"),
        (vec![0xbf], "not one CBOR map"),
        (texts(&[]), "a \"?\" frame needs the field \"type\""),
        (
            texts(&[("type", "leave")]),
            "a \"leave\" frame needs the field \"senderId\"",
        ),
        (
            texts(&[("type", "leave"), ("senderId", "")]),
            "the peer id is empty",
        ),
        (
            texts(&[("type", "leave"), ("senderId", "a\nb")]),
            "holds a control character",
        ),
        (
            texts(&[("type", "leave"), ("senderId", &long)]),
            "is 257 bytes long; the limit is 256",
        ),
        (
            texts(&[("type", "sync"), ("documentId", &mistyped)]),
            "is not a document id",
        ),
        (
            texts(&[("type", "sync"), ("documentId", "automerge:x")]),
            "is not a document id",
        ),
        (
            texts(&[("type", "sync"), ("documentId", &"1".repeat(100))]),
            "the limit is 48",
        ),
        (
            texts(&[("type", "join"), ("senderId", "a"), ("peerMetadata", "x")]),
            "a map is expected",
        ),
        (
            sync_with(|e| drop(e.str("text"))),
            "a byte string is expected",
        ),
        (
            [sync(b"x").encode(), vec![0]].concat(),
            "more bytes follow the map",
        ),
    ] {
        let error = Frame::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains(said), "{error:?} should say {said:?}");
    }
}

#[test]
fn s5_sizes_and_depth_are_limited() {
    let over = vec![0; FRAME_BYTES_MAX + 1];
    assert!(matches!(
        Frame::decode(&over),
        Err(FrameError::TooLarge { .. })
    ));

    let nested = |depth: usize, open: u8| {
        let mut bytes = b"\xa2\x64type\x61x\x61y".to_vec();
        bytes.extend(std::iter::repeat_n(open, depth));
        bytes.push(0x01);
        bytes
    };
    for open in [0x81, 0xc1] {
        assert!(Frame::decode(&nested(FRAME_DEPTH_MAX - 1, open)).is_ok());
        let deep = Frame::decode(&nested(FRAME_DEPTH_MAX, open));
        assert!(matches!(deep, Err(FrameError::TooDeep { .. })), "{deep:?}");
    }
    let hostile = Frame::decode(&nested(1_000_000, 0x9f));
    assert!(matches!(hostile, Err(FrameError::TooDeep { .. })));

    let message = |len| Frame::Error {
        message: "e".repeat(len),
    };
    let fits = message(FRAME_TEXT_BYTES_MAX);
    assert_eq!(Frame::decode(&fits.encode()), Ok(fits));
    let over = Frame::decode(&message(FRAME_TEXT_BYTES_MAX + 1).encode());
    assert!(matches!(
        over,
        Err(FrameError::FieldTooLong {
            field: "message",
            ..
        })
    ));

    let join = Frame::Join {
        sender: peer("a"),
        storage_id: None,
        ephemeral: true,
        ahead: 0,
        versions: vec!["1".into(); FRAME_VERSIONS_MAX + 1],
    };
    assert!(matches!(
        Frame::decode(&join.encode()),
        Err(FrameError::FieldTooLong { .. })
    ));

    let presence = Frame::Ephemeral {
        document: document(),
        sender: peer("a"),
        target: peer("b"),
        count: 1,
        session: "s".into(),
        data: vec![0; EPHEMERAL_BYTES_MAX + 1],
    };
    assert!(matches!(
        Frame::decode(&presence.encode()),
        Err(FrameError::FieldTooLong { .. })
    ));
}

/// Lengths that claim far more than the frame holds reserve nothing and end at its last byte.
#[test]
fn s5_a_claimed_length_reserves_nothing() {
    for claim in [
        &b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        b"\xa1\x64type\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1\x64data\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
        b"\xa1\x61x\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1\x61x\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
    ] {
        assert!(
            matches!(Frame::decode(claim), Err(FrameError::Malformed { .. })),
            "{claim:x?}"
        );
    }
}
