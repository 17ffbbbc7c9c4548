//! Ids are well formed or refused; derived keys are the same everywhere.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[test]
fn s1_a_document_id_is_the_text_that_automerge_repo_writes() {
    // Made by the npm package `bs58check` from sixteen bytes of 1.
    let text = "p3u5PhN9wrNpsGCwfkeef2LzF9";
    let id = DocumentId::from_random([1; 16]);
    assert_eq!(id.to_string(), text);
    assert_eq!(id.url(), format!("automerge:{text}"));
    assert_eq!(DocumentId::from_text(text), Ok(id));
    assert_eq!(id.url().parse(), Ok(id));
    assert_eq!(serde_json::to_value(id).unwrap(), text);
    assert_eq!(
        serde_json::from_value::<DocumentId>(id.url().into()).unwrap(),
        id
    );
}

#[test]
fn a_text_that_is_no_document_id_is_refused_with_the_reason() {
    let checked = |bytes: &[u8]| bs58::encode([bytes, &checksum(bytes)].concat()).into_string();
    let (short, long) = (checked(&[1; 15]), checked(&[1; 17]));
    for (text, said) in [
        ("", "is not a document id"),
        ("p3u5PhN9wrNpsGCwfkeef2LzF8", "was it mistyped?"),
        ("2g", "it is too short"),
        ("p3u5PhN9wrNpsGCwfkeef2LzF0", "is not a document id"), // 0 is no letter of base58
        (
            "automerge:automerge:p3u5PhN9wrNpsGCwfkeef2LzF9",
            "is not a document id",
        ),
        (
            "automerge:p3u5PhN9wrNpsGCwfkeef2LzF9#x",
            "is not a document id",
        ),
        (" p3u5PhN9wrNpsGCwfkeef2LzF9", "is not a document id"),
        ("../../etc/passwd", "is not a document id"),
        (&short, "it holds 15 bytes instead of 16"),
        (&long, "it holds 17 bytes instead of 16"),
        (
            &"1".repeat(100_000),
            "is 100000 bytes long; the limit is 48",
        ),
    ] {
        let error = text.parse::<DocumentId>().unwrap_err().to_string();
        assert!(error.contains(said), "{error:?} should say {said:?}");
    }
    assert!(
        DocumentId::from_text("automerge:p3u5PhN9wrNpsGCwfkeef2LzF9").is_err(),
        "a url"
    );
}

#[test]
fn a_device_id_is_16_lowercase_hexadecimal_digits() {
    let id = DeviceId::from_random([0, 1, 2, 3, 4, 5, 0xab, 0xff]);
    assert_eq!(id.to_string(), "000102030405abff");
    assert_eq!("000102030405abff".parse(), Ok(id));
    assert_eq!(id.to_bytes(), [0, 1, 2, 3, 4, 5, 0xab, 0xff]);
    for text in [
        "",
        "0",
        "000102030405abfF",
        "000102030405abff0",
        "+00102030405abff",
        "00010203é05abff",
    ] {
        assert!(text.parse::<DeviceId>().is_err(), "{text}");
    }
}

#[test]
fn s5_a_peer_id_is_bounded_and_on_one_line() {
    let longest = "é".repeat(PEER_ID_BYTES_MAX / 2);
    assert_eq!(PeerId::new(longest.as_str()).unwrap().as_str(), longest);
    for name in [
        String::new(),
        format!("{longest}x"),
        "a\nb".into(),
        "\u{1b}[2J".into(),
        "\u{85}".into(),
    ] {
        assert!(PeerId::new(name.clone()).is_err(), "{name:?}");
        assert!(serde_json::from_value::<PeerId>(name.into()).is_err());
    }
}

/// F5: a key derived today must be the key derived by any later version.
#[test]
fn f5_derived_keys_never_change() {
    assert_eq!(
        derived_key("k", &[b"document", b"job-1"]),
        "kd516i-jVzq3dyDxqB6SnWw"
    );
}

#[test]
fn f5_different_parts_give_different_keys() {
    let parts: [&[&[u8]]; 7] = [
        &[],
        &[b""],
        &[b"", b""],
        &[b"abc"],
        &[b"ab", b"c"],
        &[b"a", b"bc"],
        &[b"a", b"b", b"c"],
    ];
    let keys: BTreeSet<String> = parts.iter().map(|parts| derived_key("k", parts)).collect();
    assert_eq!(keys.len(), parts.len());
    assert_ne!(
        derived_key("k", &[b"a"])[1..],
        derived_key("r", &[b"a"])[1..]
    );
    for key in keys {
        assert_eq!(key.len(), 23);
        assert!(
            key.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'),
            "{key}"
        );
    }
}

proptest! {
    #[test]
    fn ids_round_trip(document in any::<[u8; 16]>(), device in any::<[u8; 8]>()) {
        let document = DocumentId::from_random(document);
        prop_assert_eq!(document.to_string().parse(), Ok(document));
        prop_assert!(document.to_string().len() <= DOCUMENT_ID_BYTES_MAX);
        let device = DeviceId::from_random(device);
        prop_assert_eq!(device.to_string().parse(), Ok(device));
    }

    /// Any text is refused, or is the one text of the id that it gives.
    #[test]
    fn an_id_has_one_text(text in "[1-9A-HJ-NP-Za-km-z]{20,30}|[0-9a-f]{16}|\\PC{0,30}") {
        if let Ok(id) = DocumentId::from_text(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(id) = text.parse::<DeviceId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
