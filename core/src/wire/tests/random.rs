//! S1 and S4 on frames made at random, whole and damaged.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::super::*;

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
            any::<u32>(),
            prop::collection::vec(".{0,4}", 0..4)
        )
            .prop_map(
                |(sender, storage_id, ephemeral, ahead, versions)| Frame::Join {
                    sender,
                    storage_id,
                    ephemeral,
                    ahead,
                    versions
                }
            ),
        (
            name(),
            name(),
            prop::option::of(".{0,20}"),
            any::<bool>(),
            any::<u32>(),
            ".{0,4}"
        )
            .prop_map(|(sender, target, storage_id, ephemeral, ahead, version)| {
                Frame::Peer {
                    sender,
                    target,
                    storage_id,
                    ephemeral,
                    ahead,
                    version,
                }
            }),
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
