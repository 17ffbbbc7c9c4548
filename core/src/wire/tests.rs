//! S1: frames are written plainly and read leniently.
#![allow(clippy::unwrap_used, reason = "tests")]

mod hostile;
mod javascript;
mod random;

use minicbor::Encoder;
use minicbor::data::Tag;

use super::*;

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
        ahead: 0,
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
        ahead: 0,
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
        ahead: 0,
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
