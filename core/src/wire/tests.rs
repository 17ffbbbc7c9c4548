//! S1: what automerge-repo writes is read, and what we write it reads; S4: no bytes harm us.
#![allow(clippy::unwrap_used, reason = "tests")]

use minicbor::Encoder;
use minicbor::data::Tag;
use proptest::prelude::*;

use super::*;
use crate::limits::{
    EPHEMERAL_BYTES_MAX, FRAME_BYTES_MAX, FRAME_DEPTH_MAX, FRAME_TEXT_BYTES_MAX,
    FRAME_VERSIONS_MAX, PEER_ID_BYTES_MAX,
};

type Cbor = Encoder<Vec<u8>>;

fn peer(name: &str) -> PeerId {
    PeerId::new(name).unwrap()
}

fn document() -> DocumentId {
    DocumentId::from_random([1; 16])
}

/// A map written by hand.
fn cbor(write: impl FnOnce(&mut Cbor)) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder);
    encoder.into_writer()
}

/// A `sync` frame whose `data` is written by hand.
fn sync_with(data: impl FnOnce(&mut Cbor)) -> Vec<u8> {
    cbor(|e| {
        e.map(5).unwrap().str("type").unwrap().str("sync").unwrap();
        e.str("senderId")
            .unwrap()
            .str("a")
            .unwrap()
            .str("targetId")
            .unwrap()
            .str("b")
            .unwrap();
        e.str("documentId")
            .unwrap()
            .str(&document().to_string())
            .unwrap();
        e.str("data").unwrap();
        data(e);
    })
}

fn sync(data: &[u8]) -> Frame {
    Frame::Sync {
        document: document(),
        sender: peer("a"),
        target: peer("b"),
        data: data.to_vec(),
    }
}

#[test]
fn s1_frames_have_the_field_names_of_the_js_library() {
    let frame = Frame::Ephemeral {
        document: document(),
        sender: peer("a"),
        target: peer("b"),
        count: 3,
        session: "s".into(),
        data: vec![1],
    };
    let expected = cbor(|e| {
        e.map(7)
            .unwrap()
            .str("type")
            .unwrap()
            .str("ephemeral")
            .unwrap();
        e.str("senderId")
            .unwrap()
            .str("a")
            .unwrap()
            .str("targetId")
            .unwrap()
            .str("b")
            .unwrap();
        e.str("documentId")
            .unwrap()
            .str(&document().to_string())
            .unwrap();
        e.str("count")
            .unwrap()
            .u8(3)
            .unwrap()
            .str("sessionId")
            .unwrap()
            .str("s")
            .unwrap();
        e.str("data").unwrap().bytes(&[1]).unwrap();
    });
    assert_eq!(frame.encode(), expected);
    let join = Frame::Join {
        sender: peer("a"),
        storage_id: Some("st".into()),
        ephemeral: false,
        versions: vec!["1".into()],
    };
    let expected = cbor(|e| {
        e.map(4).unwrap().str("type").unwrap().str("join").unwrap();
        e.str("senderId")
            .unwrap()
            .str("a")
            .unwrap()
            .str("peerMetadata")
            .unwrap();
        e.map(2)
            .unwrap()
            .str("storageId")
            .unwrap()
            .str("st")
            .unwrap();
        e.str("isEphemeral").unwrap().bool(false).unwrap();
        e.str("supportedProtocolVersions")
            .unwrap()
            .array(1)
            .unwrap()
            .str("1")
            .unwrap();
    });
    assert_eq!(join.encode(), expected);
}

/// Bytes written by `cbor-x` as automerge-repo 2.5 configures it: lengths in 16 bits,
/// `undefined` for an absent storage id.
#[test]
fn s1_a_join_from_automerge_repo_js_is_read() {
    let bytes = [
        &b"\xb9\x00\x04\x64type\x64join\x68senderId\x66peer-x"[..],
        b"\x6cpeerMetadata\xb9\x00\x02\x69storageId\xf7\x6bisEphemeral\xf5",
        b"\x78\x19supportedProtocolVersions\x81\x611",
    ]
    .concat();
    let expected = Frame::Join {
        sender: peer("peer-x"),
        storage_id: None,
        ephemeral: true,
        versions: vec!["1".into()],
    };
    assert_eq!(Frame::decode(&bytes), Ok(expected));
}

#[test]
fn s1_a_join_that_says_little_is_a_join() {
    let bytes = cbor(|e| {
        e.map(2).unwrap().str("senderId").unwrap().str("a").unwrap();
        e.str("type").unwrap().str("join").unwrap();
    });
    let (sender, versions) = (peer("a"), vec![PROTOCOL.to_owned()]);
    let expected = Frame::Join {
        sender,
        storage_id: None,
        ephemeral: false,
        versions,
    };
    assert_eq!(Frame::decode(&bytes), Ok(expected));
}

#[test]
fn s1_byte_strings_may_be_tagged_or_come_in_parts() {
    let tagged = sync_with(|e| {
        e.tag(Tag::new(64)).unwrap().bytes(&[1, 2, 3]).unwrap();
    });
    let parts = sync_with(|e| {
        e.begin_bytes()
            .unwrap()
            .bytes(&[1])
            .unwrap()
            .bytes(&[2, 3])
            .unwrap()
            .end()
            .unwrap();
    });
    let both = sync_with(|e| {
        e.tag(Tag::new(64)).unwrap().begin_bytes().unwrap();
        e.bytes(&[1, 2, 3]).unwrap().end().unwrap();
    });
    for bytes in [tagged, parts, both] {
        assert_eq!(Frame::decode(&bytes), Ok(sync(&[1, 2, 3])));
    }
    let other_tag = sync_with(|e| {
        e.tag(Tag::new(65)).unwrap().bytes(&[1]).unwrap();
    });
    let error = Frame::decode(&other_tag).unwrap_err();
    let said = "the field \"data\" of a frame holds a value tagged 65; a byte string is expected";
    assert_eq!(error.to_string(), said);
}

#[test]
fn s1_maps_texts_and_arrays_of_indefinite_length_are_read() {
    let bytes = cbor(|e| {
        e.begin_map().unwrap().str("type").unwrap();
        e.begin_str()
            .unwrap()
            .str("jo")
            .unwrap()
            .str("in")
            .unwrap()
            .end()
            .unwrap();
        e.str("senderId")
            .unwrap()
            .str("a")
            .unwrap()
            .str("peerMetadata")
            .unwrap();
        e.begin_map()
            .unwrap()
            .str("isEphemeral")
            .unwrap()
            .bool(true)
            .unwrap()
            .end()
            .unwrap();
        e.str("supportedProtocolVersions")
            .unwrap()
            .begin_array()
            .unwrap();
        e.str("1")
            .unwrap()
            .str("2")
            .unwrap()
            .end()
            .unwrap()
            .end()
            .unwrap();
    });
    let versions = vec!["1".into(), "2".into()];
    let expected = Frame::Join {
        sender: peer("a"),
        storage_id: None,
        ephemeral: true,
        versions,
    };
    assert_eq!(Frame::decode(&bytes), Ok(expected));
}

#[test]
fn s1_unknown_keys_and_kinds_are_ignored() {
    let unknown_keys = cbor(|e| {
        e.map(5).unwrap().str("type").unwrap().str("leave").unwrap();
        e.u8(7).unwrap().array(1).unwrap().null().unwrap();
        e.str("data")
            .unwrap()
            .map(1)
            .unwrap()
            .str("x")
            .unwrap()
            .f64(0.5)
            .unwrap();
        e.str("new")
            .unwrap()
            .tag(Tag::new(1))
            .unwrap()
            .i8(-1)
            .unwrap();
        e.str("senderId").unwrap().str("a").unwrap();
    });
    assert_eq!(
        Frame::decode(&unknown_keys),
        Ok(Frame::Leave { sender: peer("a") })
    );
    let unknown_kind = cbor(|e| {
        e.map(3)
            .unwrap()
            .str("type")
            .unwrap()
            .str("remote-heads-changed")
            .unwrap();
        e.str("documentId")
            .unwrap()
            .u8(1)
            .unwrap()
            .str("senderId")
            .unwrap()
            .str("")
            .unwrap();
    });
    let expected = Frame::Unknown {
        kind: "remote-heads-changed".into(),
    };
    assert_eq!(Frame::decode(&unknown_kind), Ok(expected));
}

#[test]
fn s1_of_a_repeated_field_the_last_counts() {
    let bytes = cbor(|e| {
        e.map(3).unwrap().str("type").unwrap().str("leave").unwrap();
        e.str("senderId")
            .unwrap()
            .u8(1)
            .unwrap()
            .str("senderId")
            .unwrap()
            .str("b")
            .unwrap();
    });
    assert_eq!(
        Frame::decode(&bytes),
        Ok(Frame::Leave { sender: peer("b") })
    );
}

#[test]
fn s1_a_count_may_be_a_float_if_it_is_whole() {
    let ephemeral = |count: &dyn Fn(&mut Cbor)| {
        cbor(|e| {
            e.map(7)
                .unwrap()
                .str("type")
                .unwrap()
                .str("ephemeral")
                .unwrap();
            e.str("senderId")
                .unwrap()
                .str("a")
                .unwrap()
                .str("targetId")
                .unwrap()
                .str("b")
                .unwrap();
            e.str("documentId")
                .unwrap()
                .str(&document().to_string())
                .unwrap();
            e.str("sessionId")
                .unwrap()
                .str("s")
                .unwrap()
                .str("data")
                .unwrap()
                .bytes(&[])
                .unwrap();
            e.str("count").unwrap();
            count(e);
        })
    };
    let count = |bytes: &[u8]| match Frame::decode(bytes) {
        Ok(Frame::Ephemeral { count, .. }) => Some(count),
        _ => None,
    };
    assert_eq!(
        count(&ephemeral(&|e| drop(e.f64(4_294_967_296.0)))),
        Some(1 << 32)
    );
    assert_eq!(count(&ephemeral(&|e| drop(e.f32(8.0)))), Some(8));
    assert_eq!(
        count(&ephemeral(&|e| drop(e.u64(u64::MAX)))),
        Some(u64::MAX)
    );
    for bad in [
        0.5,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        18_446_744_073_709_551_616.0,
    ] {
        assert_eq!(count(&ephemeral(&|e| drop(e.f64(bad)))), None, "{bad}");
    }
    assert_eq!(count(&ephemeral(&|e| drop(e.i8(-1)))), None);
    assert_eq!(count(&ephemeral(&|e| drop(e.str("1")))), None);
}

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

fn name() -> impl Strategy<Value = PeerId> {
    "[a-zA-Z0-9é-]{1,20}".prop_map(|name| PeerId::new(name).unwrap())
}

prop_compose! {
    fn about()(bytes in any::<[u8; 16]>(), sender in name(), target in name()) -> (DocumentId, PeerId, PeerId) {
        (DocumentId::from_random(bytes), sender, target)
    }
}

fn frame() -> impl Strategy<Value = Frame> {
    let data = || prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        (
            name(),
            prop::option::of(".{0,20}"),
            any::<bool>(),
            prop::collection::vec(".{0,4}", 0..4)
        )
            .prop_map(|(sender, storage_id, ephemeral, versions)| Frame::Join {
                sender,
                storage_id,
                ephemeral,
                versions
            }),
        (
            name(),
            name(),
            prop::option::of(".{0,20}"),
            any::<bool>(),
            ".{0,4}"
        )
            .prop_map(
                |(sender, target, storage_id, ephemeral, version)| Frame::Peer {
                    sender,
                    target,
                    storage_id,
                    ephemeral,
                    version
                }
            ),
        (about(), data()).prop_map(|((document, sender, target), data)| Frame::Request {
            document,
            sender,
            target,
            data
        }),
        (about(), data()).prop_map(|((document, sender, target), data)| Frame::Sync {
            document,
            sender,
            target,
            data
        }),
        about().prop_map(|(document, sender, target)| Frame::DocUnavailable {
            document,
            sender,
            target
        }),
        (about(), any::<u64>(), ".{0,20}", data()).prop_map(
            |((document, sender, target), count, session, data)| Frame::Ephemeral {
                document,
                sender,
                target,
                count,
                session,
                data
            }
        ),
        name().prop_map(|sender| Frame::Leave { sender }),
        ".{0,200}".prop_map(|message| Frame::Error { message }),
        "x-[a-z-]{0,20}".prop_map(|kind| Frame::Unknown { kind }),
    ]
}

proptest! {
    #[test]
    fn s1_frames_round_trip(frame in frame()) {
        prop_assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    }

    /// S4: damaged frames are refused or read as some other frame, and nothing panics.
    #[test]
    fn s4_damaged_frames_never_panic(
        frame in frame(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = frame.encode();
        let len = bytes.len();
        for (at, byte) in edits {
            bytes[at.index(len)] = byte;
        }
        if let Ok(read) = Frame::decode(&bytes) {
            prop_assert_eq!(Frame::decode(&read.encode()), Ok(read));
        }
        // No beginning of a frame is a frame.
        let whole = frame.encode();
        prop_assert!(Frame::decode(&whole[..cut.index(len)]).is_err());
    }

    #[test]
    fn s4_random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Frame::decode(&bytes);
    }
}
