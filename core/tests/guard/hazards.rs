//! What lies about its size, or is damaged, is refused before automerge sees it.

use automerge::{Automerge, Change};
use plainsync_core::guard::{Limits, check, check_message};
use plainsync_core::id::{DocumentId, PeerId};
use plainsync_core::replica::{Effect, Input};
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;

use crate::common::device;
use crate::forge::{
    bundle, change, change_data, chunk, compressed, deflate, document, filter, message, puts, run,
    text, unsigned,
};

/// `bytes` are refused with this sentence.
#[track_caller]
fn refused(bytes: &[u8], sentence: &str) {
    let error = check(bytes, &Limits::PEER).unwrap_err().to_string();
    assert_eq!(error, sentence);
}

#[track_caller]
fn message_refused(bytes: &[u8], sentence: &str) {
    let error = check_message(bytes, &Limits::PEER).unwrap_err().to_string();
    assert_eq!(error, sentence);
}

#[test]
fn a_small_change_that_claims_millions_of_operations_is_refused() {
    let honest = change(&puts(100, b"k"));
    assert_eq!(check(&honest, &Limits::PEER).unwrap().rows, 100);
    assert_eq!(
        Change::try_from(&honest[..]).unwrap().len(),
        100,
        "it is well forged"
    );
    let hostile = change(&puts(20_000_000, b"k"));
    assert!(hostile.len() < 80);
    let sentence = "chunk 1 at byte 0 claims 20000000 rows; the limit is 200000";
    refused(&hostile, sentence);
    refused(&compressed(&change_data(&puts(20_000_000, b"k"))), sentence);
    let sentence = format!(
        "chunk 2 at byte {} {}",
        honest.len(),
        &sentence["chunk 1 at byte 0 ".len()..]
    );
    refused(&[honest, hostile].concat(), &sentence);
    // The limit itself passes, and what the numbers can say at most does not overflow.
    assert!(check(&change(&puts(200_000, b"k")), &Limits::PEER).is_ok());
    let most = i64::MAX.unsigned_abs();
    refused(
        &change(&puts(most, b"k")),
        "chunk 1 at byte 0 claims 9223372036854775807 rows; the limit is 200000",
    );
    let twice = [run(most), vec![1], run(most), vec![2], run(most), vec![3]].concat();
    refused(
        &change(&[(66, twice)]),
        "chunk 1 at byte 0 claims 18446744073709551615 rows; the limit is 200000",
    );
}

#[test]
fn every_kind_of_column_is_counted() {
    for (what, spec, bytes) in [
        (
            "missing values",
            66,
            [vec![0], unsigned(5_000_000)].concat(),
        ),
        ("actors", 17, [run(5_000_000), vec![0]].concat()),
        ("deltas", 19, [run(5_000_000), vec![1]].concat()),
        (
            "booleans",
            52,
            [unsigned(3), unsigned(5_000_000 - 3)].concat(),
        ),
        ("texts", 21, [run(5_000_000), vec![0]].concat()),
        ("rows of a group", 112, [run(5_000_000), vec![0]].concat()),
        (
            "members of a group",
            112,
            [vec![0x7f], unsigned(5_000_000)].concat(),
        ),
        ("lengths", 86, [run(5_000_000), vec![0]].concat()),
        (
            "a column of the future",
            20 << 4 | 2,
            [run(5_000_000), vec![0]].concat(),
        ),
    ] {
        let column = [(spec, bytes)];
        for (bytes, max) in [
            (change(&column), Some(200_000)),
            (document(&[], &column), None),
            (document(&column, &[]), None),
            (bundle(&[], &column), None),
            (bundle(&column, &[]), None),
        ] {
            let max = max.unwrap_or(400_000 + 8 * bytes.len());
            let error = check(&bytes, &Limits::PEER).unwrap_err().to_string();
            let sentence = format!("chunk 1 at byte 0 claims 5000000 rows; the limit is {max}");
            assert_eq!(error, sentence, "{what}");
        }
    }
}

#[test]
fn many_changes_that_each_claim_what_is_allowed_are_refused_together() {
    let small = change(&puts(200_000, b"k"));
    let len = small.len();
    let max = 400_000 + 3 * 8 * len;
    let sentence = format!(
        "chunk 3 at byte {} brings all that arrived to 600000 rows; the limit is {max}",
        2 * len
    );
    refused(&small.repeat(3), &sentence);
    // So much that it may claim the most, and one more.
    let data = [change_data(&puts(200_000, b"k")), vec![0; 30_000]].concat();
    let twenty = chunk(1, &data).repeat(20);
    assert_eq!(check(&twenty, &Limits::PEER).unwrap().rows, 4_000_000);
    let sentence = format!(
        "chunk 21 at byte {} brings all that arrived to 4000001 rows; the limit is 4000000",
        twenty.len()
    );
    refused(&[twenty, change(&puts(1, b"k"))].concat(), &sentence);
}

#[test]
fn too_many_actors_that_are_new_are_refused() {
    let one = change(&puts(1, b"k"));
    let all = one.repeat(20_000);
    assert_eq!(check(&all, &Limits::PEER).unwrap().new_actors, 20_000);
    let sentence = format!(
        "chunk 20001 at byte {} brings all that arrived to 20001 new actors; the limit is 20000",
        all.len()
    );
    refused(&[all, one].concat(), &sentence);
}

#[test]
fn what_inflates_without_end_is_refused() {
    let bomb = vec![0; 300 << 20];
    let sentence = "chunk 1 at byte 0 unpacks to more than 67108864 bytes, the limit";
    let hostile = compressed(&bomb);
    assert!(hostile.len() < 400_000);
    refused(&hostile, sentence);
    let deflated = deflate(&bomb);
    let sentence = "chunk 1 at byte 0 unpacks to more than 268435456 bytes, the limit";
    refused(&document(&[], &[(66 | 8, deflated.clone())]), sentence);
    refused(&document(&[(1 | 8, deflated.clone())], &[]), sentence);
    refused(&bundle(&[], &[(66 | 8, deflated.clone())]), sentence);
    // Nor may many do together what one may not.
    let fifty = compressed(&[change_data(&puts(1, b"k")), vec![0; 50 << 20]].concat());
    let error = check(&fifty.repeat(6), &Limits::PEER)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("chunk 6 at byte "), "{error}");
    assert!(error.contains("unpacks to more than"), "{error}");
    let sentence = "chunk 1 at byte 0 has a compressed column, which no change may have";
    refused(&change(&[(66 | 8, deflated)]), sentence);
}

#[test]
fn texts_that_runs_repeat_are_refused() {
    let key = vec![b'k'; 1_000_000];
    let hostile = change(&puts(1_000, &key));
    refused(
        &hostile,
        "chunk 1 at byte 0 unpacks to more than 67108864 bytes, the limit",
    );
    assert!(check(&change(&puts(60, &key)), &Limits::PEER).is_ok());
}

#[test]
fn actors_and_values_that_are_not_there_are_refused() {
    let sentence = "chunk 1 at byte 0 refers to actor 4000000000; it lists 1";
    let column = [(1, [run(2), unsigned(4_000_000_000)].concat())];
    refused(&change(&column), sentence);
    refused(&document(&[], &column), sentence);
    let meta = (86, [run(3), unsigned(10 << 4 | 6)].concat());
    let sentence = "chunk 1 at byte 0 claims 30 bytes of values; 0 are there";
    refused(&change(std::slice::from_ref(&meta)), sentence);
    refused(&change(&[meta.clone(), (112, vec![3, 0])]), sentence);
    let values = (87, vec![b'x'; 29]);
    refused(
        &change(&[meta, values]),
        "chunk 1 at byte 0 claims 30 bytes of values; 29 are there",
    );
}

#[test]
fn too_many_actors_and_columns_are_refused() {
    let actors = [unsigned(2_000_000), vec![0; 2_000_000], vec![0, 0, 0]].concat();
    refused(
        &chunk(0, &actors),
        "chunk 1 at byte 0 claims 2000000 actors; the limit is 100000",
    );
    let columns: Vec<_> = (0..65).map(|id| (id << 4 | 2, Vec::new())).collect();
    refused(
        &change(&columns),
        "chunk 1 at byte 0 claims 65 columns; the limit is 64",
    );
    // 50,000 actors of nothing, and 800,000 changes: each alone is allowed.
    let head = [unsigned(50_000), vec![0; 50_000], vec![0]].concat();
    let column = [run(800_000), vec![0]].concat();
    let list = [vec![1, 1], text(&column)[..1].to_vec(), vec![0]].concat();
    let sentence = "chunk 1 at byte 0 claims 10000000000 bytes of clocks; the limit is 1073741824";
    refused(&chunk(0, &[head, list, column].concat()), sentence);
}

/// Automerge loads what is torn or damaged without a word, and what stands before it.
#[test]
fn damage_is_told_with_its_place() {
    let whole = change(&puts(3, b"key"));
    let len = whole.len();
    for end in 4..len {
        refused(&whole[..end], "chunk 1 at byte 0 is cut short");
        let sentence = format!("chunk 2 at byte {len} is cut short");
        refused(&[&whole[..], &whole[..end]].concat(), &sentence);
    }
    let sentence = format!("chunk 2 at byte {len} does not begin as an automerge chunk");
    refused(&[&whole[..], b"more"].concat(), &sentence);
    for at in 4..len {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let error = check(&damaged, &Limits::PEER).unwrap_err().to_string();
        let place = "chunk 1 at byte 0 ";
        assert!(error.starts_with(place), "{error}");
    }
    let mut damaged = whole;
    damaged[20] ^= 1;
    refused(&damaged, "chunk 1 at byte 0 does not fit its checksum");
    refused(
        &chunk(4, b""),
        "chunk 1 at byte 0 is of kind 4; the kinds 0 to 3 are known",
    );
    refused(
        &chunk(1, b""),
        "chunk 1 at byte 0 has damaged contents, before its columns",
    );
    refused(
        &change(&[(66, vec![5])]),
        "chunk 1 at byte 0 has damaged contents, in its column 66",
    );
    refused(
        &chunk(0, &[0, 0, 0, 0, 0]),
        "chunk 1 at byte 0 has damaged contents, after its columns",
    );
    let not_deflated = [&whole_header(2)[..], &text(b"\xff\xff\xff")].concat();
    refused(
        &not_deflated,
        "chunk 1 at byte 0 has a damaged compressed part",
    );
}

fn whole_header(kind: u8) -> Vec<u8> {
    vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, kind]
}

#[test]
fn messages_that_ask_for_too_much_are_refused() {
    assert!(check_message(&message(&[filter(100, 10, 7)], &[]), &Limits::PEER).is_ok());
    message_refused(
        &message(&[filter(1, 10, 4_000_000_000)], &[]),
        "the sync message has a filter of 1 entries with 10 bits and 4000000000 probes each; \
         at least 1 bit and at most 32 probes are allowed at byte 15",
    );
    let error = check_message(&message(&[filter(5, 0, 7)], &[]), &Limits::PEER);
    assert!(error.is_err(), "automerge would divide by no bits");
    let many = vec![Vec::new(); 2_000];
    message_refused(
        &message(&many, &[]),
        "the sync message says 2000 times what its sender has; the limit is 16 at byte 5",
    );
    message_refused(
        b"\x01",
        "the sync message is of kind 1; the kinds 66 and 67 are known at byte 1",
    );
    message_refused(b"", "the sync message is damaged or cut short at byte 0");
    let honest = change(&puts(2, b"k"));
    let hostile = change(&puts(20_000_000, b"k"));
    let whole = message(&[Vec::new()], &[honest.clone(), hostile]);
    let at = 8 + honest.len() + 1;
    let sentence = format!("chunk 2 at byte {at} claims 20000000 rows; the limit is 200000");
    message_refused(&whole, &sentence);
    // A chunk that begins in one element and ends in another: automerge joins them.
    let (begin, end) = honest.split_at(20);
    let split = message(&[], &[begin.to_vec(), end.to_vec()]);
    message_refused(&split, "chunk 1 at byte 6 is cut short");
    assert!(
        check_message(
            &message(&[], &[honest.clone(), Vec::new(), honest]),
            &Limits::PEER
        )
        .is_ok()
    );
}

/// S4: the peer's connection is closed; the replica keeps what it has, and goes on.
#[test]
fn s4_a_replica_closes_the_connection_of_a_hostile_peer() {
    let mut one = device(1);
    let key = one.insert("record-1", serde_json::json!({"prompt": "a knight"}));
    let peer = PeerId::new("hostile").unwrap();
    let now = Millis(1);
    for bytes in [
        message(&[], &[change(&puts(20_000_000, b"k"))]),
        message(&[filter(1, 10, 4_000_000_000)], &[]),
        message(&[], &[compressed(&vec![0; 300 << 20])]),
    ] {
        let connected = Input::Connected {
            peer: peer.clone(),
            dial: false,
            server: false,
            ahead: 1,
        };
        one.replica.step(now, connected).unwrap();
        let frame = Frame::Sync {
            document: DocumentId::from_random([7; 16]),
            sender: peer.clone(),
            target: PeerId::new("device-1").unwrap(),
            data: bytes,
        };
        let received = Input::Received {
            peer: peer.clone(),
            frame,
        };
        let effects = one.replica.step(now, received).unwrap();
        let closed = effects.iter().any(
            |effect| matches!(effect, Effect::Close { reason, .. } if reason.contains("guard")),
        );
        assert!(closed, "{effects:?}");
    }
    one.set(&key, serde_json::json!({"prompt": "a mage"}));
    assert_eq!(one.field(&key, "prompt"), "a mage");
}

/// The same for what other devices publish: the other chunks are taken in.
#[test]
fn absorbed_chunks_are_guarded_one_by_one() {
    let mut one = device(1);
    one.insert("record-1", serde_json::json!({"prompt": "a knight"}));
    let mut two = device(2);
    let chunks = [vec![change(&puts(20_000_000, b"k"))], one.chunks.clone()].concat();
    let effects = two
        .replica
        .step(
            Millis(1),
            Input::Absorb {
                chunks: chunks.clone(),
            },
        )
        .unwrap();
    let refused = effects.iter().find_map(|effect| match effect {
        Effect::Absorbed { changes, refused } => {
            Some((*changes, refused.clone().unwrap().to_string()))
        }
        _ => None,
    });
    let (changes, reason) = refused.unwrap();
    assert_eq!(changes, 1);
    assert!(reason.contains("claims 20000000 rows"), "{reason}");
    assert_eq!(two.json(), one.json());
    let mut three = device(3);
    let refused = three.replica.document_mut().restore_of_others(&chunks);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("claims 20000000 rows")
    );
    assert!(three.replica.document().is_new());
    let doc = Automerge::load(&two.replica.document().save()).unwrap();
    assert_eq!(doc.get_heads(), two.replica.document().heads());
}
