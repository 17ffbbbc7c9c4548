//! S2: after any crash or damage, every chunk handed out is one that was written.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn journal(payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for payload in payloads {
        append(&mut bytes, payload).unwrap();
    }
    bytes
}

/// The whole chunks of `bytes`, and what stopped the reader.
fn all(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<Broken>) {
    let mut whole = Vec::new();
    let mut stop = None;
    for chunk in read(bytes) {
        match chunk {
            Ok(chunk) => whole.push(chunk.bytes.to_vec()),
            Err(broken) => stop = Some(broken),
        }
    }
    (whole, stop)
}

#[test]
fn the_layout_is_the_one_drawn() {
    let chunk = encode(b"123456789").unwrap();
    // 0xe3069283 is the published check of CRC-32C over "123456789".
    assert_eq!(&chunk[..4], [9, 0, 0, 0]);
    assert_eq!(&chunk[8..12], 0xe306_9283_u32.to_le_bytes());
    assert_eq!(&chunk[12..], b"123456789");
}

#[test]
fn s2_a_journal_cut_at_any_byte_keeps_all_chunks_before() {
    let payloads = vec![b"one".to_vec(), vec![], b"three".to_vec()];
    let whole = journal(&payloads);
    let ends: Vec<usize> = read(&whole).map(|chunk| chunk.unwrap().end()).collect();
    for cut in 0..=whole.len() {
        let (kept, stop) = all(&whole[..cut]);
        let expected = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(kept, payloads[..expected], "cut at {cut}");
        let start = if expected == 0 { 0 } else { ends[expected - 1] };
        let torn = stop.map(|stop| {
            (
                stop.at,
                stop.next,
                matches!(stop.reason, Reason::Torn { .. }),
            )
        });
        assert_eq!(
            torn,
            (cut > start).then_some((start, None, true)),
            "cut at {cut}"
        );
    }
}

#[test]
fn s2_damage_in_the_middle_does_not_hide_what_follows() {
    let payloads = vec![b"one".to_vec(), b"two".to_vec(), b"three".to_vec()];
    let whole = journal(&payloads);
    let (second, third) = (15, 30);
    for at in second..third {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let (kept, stop) = all(&bytes);
        let stop = stop.unwrap();
        assert_eq!(
            (kept.len(), stop.at, stop.next),
            (1, second, Some(third)),
            "damage at {at}"
        );
        let expected = if at < second + 8 {
            Reason::Length
        } else {
            Reason::Payload { len_bytes: 3 }
        };
        assert_eq!(stop.reason, expected, "damage at {at}");
        let rest: Vec<Vec<u8>> = read_from(&bytes, third)
            .map(|chunk| chunk.unwrap().bytes.to_vec())
            .collect();
        assert_eq!(rest, payloads[2..]);
    }
}

/// A chunk that stands inside a damaged one is part of it, not the next one.
#[test]
fn s2_a_chunk_within_a_damaged_chunk_is_not_handed_out() {
    let inner = encode(b"inner").unwrap();
    let mut bytes = journal(&[[&b"outer"[..], &inner].concat(), b"next".to_vec()]);
    bytes[HEADER_BYTES] ^= 1;
    let stop = all(&bytes).1.unwrap();
    assert_eq!(stop.next, Some(HEADER_BYTES + 5 + inner.len()));
}

#[test]
fn s2_an_append_after_a_torn_chunk_is_found() {
    let mut bytes = journal(&[b"one".to_vec(), b"a long chunk that was cut".to_vec()]);
    bytes.truncate(30);
    bytes.extend(encode(b"next").unwrap());
    let stop = all(&bytes).1.unwrap();
    assert_eq!((stop.at, stop.next), (15, Some(30)));
}

#[test]
fn s2_zeros_after_a_crash_are_no_chunk() {
    let mut bytes = encode(b"one").unwrap();
    bytes.extend([0; 4096]);
    let (kept, stop) = all(&bytes);
    assert_eq!(kept, [b"one"]);
    assert_eq!(
        stop.map(|stop| (stop.at, stop.reason, stop.next)),
        Some((15, Reason::Length, None))
    );
}

#[test]
fn s5_a_chunk_has_a_limit_both_ways() {
    let over = vec![0; CHUNK_BYTES_MAX + 1];
    assert_eq!(
        encode(&over),
        Err(TooLarge {
            len_bytes: CHUNK_BYTES_MAX + 1
        })
    );
    let mut out = vec![1];
    assert!(append(&mut out, &over).is_err());
    assert_eq!(out, [1]);
    let length = u32::MAX.to_le_bytes();
    let mut bytes = length.to_vec();
    bytes.extend(checksum(&length).to_le_bytes());
    bytes.extend([0; 40]);
    let stop = all(&bytes).1.unwrap();
    assert_eq!(
        stop.to_string(),
        "the chunk at byte 0 claims 4294967295 bytes; the limit is 67108864"
    );
}

#[test]
fn b2_a_stored_text_is_read_only_if_nothing_changed() {
    let text = to_text(b"an edit").unwrap();
    assert_eq!(from_text(&text), Ok(b"an edit".to_vec()));
    for (damaged, said) in [
        (String::new(), "begins with None"),
        (text.replacen('1', "2", 1), "begins with Some('2')"),
        (text[..text.len() - 1].to_owned(), "damaged"),
        (format!("{text}AAAA"), "bytes after its chunk"),
        (format!("{text} "), "damaged"),
        ("1".to_owned(), "is cut short"),
        (
            format!("1{}", STANDARD_NO_PAD.encode(journal(&[vec![], vec![]]))),
            "12 bytes after",
        ),
    ] {
        let error = from_text(&damaged).unwrap_err().to_string();
        assert!(error.contains(said), "{error:?} should say {said:?}");
    }
    for at in 0..text.len() {
        let mut letters = text.clone().into_bytes();
        letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
        assert!(
            from_text(std::str::from_utf8(&letters).unwrap()).is_err(),
            "letter {at}"
        );
    }
}

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)
}

proptest! {
    #[test]
    fn s2_chunks_round_trip(payloads in payloads()) {
        prop_assert_eq!(all(&journal(&payloads)), (payloads, None));
    }

    #[test]
    fn b2_texts_round_trip(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(from_text(&to_text(&payload).unwrap()), Ok(payload));
    }

    #[test]
    fn b2_any_text_is_read_or_refused(text in "1?\\PC{0,60}") {
        let _ = from_text(&text);
    }

    /// Whatever happens to a journal, what comes out of it was put in, in order.
    #[test]
    fn s2_damage_never_makes_up_a_chunk(
        payloads in payloads(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = journal(&payloads);
        for (at, byte) in edits {
            if let Some(old) = bytes.len().checked_sub(1).map(|_| at.index(bytes.len())) {
                bytes[old] = byte;
            }
        }
        bytes.truncate(cut.index(bytes.len() + 1));
        let mut left = payloads.iter();
        let mut from = Some(0);
        while let Some(start) = from.take() {
            for chunk in read_from(&bytes, start) {
                match chunk {
                    Ok(chunk) => prop_assert!(left.any(|payload| payload == chunk.bytes)),
                    Err(broken) => {
                        prop_assert!(broken.next.is_none_or(|next| next > broken.at));
                        from = broken.next;
                    }
                }
            }
        }
    }

    #[test]
    fn s2_random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = all(&bytes);
    }
}
