//! Inputs that are small for what they ask. Each is so large that work which grows with its square
//! takes far longer, or more memory, than a case may.

use automerge::transaction::Transactable as _;
use automerge::{ActorId, Automerge, ObjType, ROOT, ReadDoc as _};
use plainsync_core::chunk;
use plainsync_core::limits::{CLAIMANTS_MAX, QUERY_TERMS_MAX};
use plainsync_core::plain::import::{ImportBase, ImportOptions};
use plainsync_core::query::{self, Query};

use crate::common::device;
use crate::fuzz;
use crate::run::{Measured, spent};

/// Runs `work`, which may take as long as a case and no more.
fn ends_soon(what: &str, work: impl FnOnce()) {
    let (mut measured, before) = (Measured::default(), spent());
    work();
    measured.note(0, before);
    measured.hold(what);
}

/// S5: 10,000 jobs that all claim one label, in a file, in the file read again, in its records made
/// anew, and in the history that others restore.
#[test]
fn s5_many_records_of_one_label_are_no_square() {
    let file = |job: &str| format!("{{\"jobs\":[{}]}}", vec![job; 10_000].join(","));
    let mut one = device(1);
    for job in [
        r#"{"id":"job-1"}"#,
        r#"{"id":"job-1"}"#,
        r#"{"id":"job-1","createdAt":1}"#,
    ] {
        ends_soon(job, || {
            one.import(&file(job)).unwrap();
        });
    }
    // Those that are compared have got their time, all others are new.
    let all = 20_000 - CLAIMANTS_MAX;
    assert_eq!(one.document().view().len(), all);
    let last = format!("job-1-{all}");
    assert!(one.document().view().by_label(&last).is_some());
    let mut two = device(2);
    ends_soon("restore", || two.take(&one.chunks));
    assert_eq!(two.document().view().len(), all);
}

/// A header that promises `len` bytes, and does not tell their check.
fn promise(len: usize) -> Vec<u8> {
    let len = u32::try_from(len).unwrap().to_le_bytes();
    [len, chunk::checksum(&len).to_le_bytes(), [9; 4]].concat()
}

/// S5: headers that each claim all that follows, alone and with a whole chunk behind each.
#[test]
fn s5_chunks_that_claim_each_other_are_no_square() {
    let whole = chunk::encode(b"").unwrap();
    for behind in [&b""[..], &whole] {
        let each = 12 + behind.len();
        let bytes: Vec<u8> = (0..100_000)
            .rev()
            .flat_map(|left| [promise(left * each + behind.len()), behind.to_vec()].concat())
            .collect();
        ends_soon("chunks", || assert!(!fuzz::chunk(&bytes)));
    }
}

/// F11: what damage alone leaves is found to the end: chunk after chunk with a changed payload.
#[test]
fn f11_whole_chunks_between_damaged_ones_are_all_found() {
    let mut bytes = Vec::new();
    for nth in 0..300_u32 {
        let at = bytes.len();
        chunk::append(&mut bytes, &[nth.to_le_bytes(); 250].concat()).unwrap();
        if nth % 3 != 0 {
            bytes[at + 100] ^= 1;
        }
    }
    let (mut chunks, mut found) = (chunk::read(&bytes), 0);
    while let Some(next) = chunks.next() {
        match next {
            Ok(_) => found += 1,
            Err(broken) => match broken.next {
                Some(next) => chunks.go_on(next),
                None => break,
            },
        }
    }
    assert_eq!(found, 100);
}

/// S5: objects nested 20,000 deep by a peer, and then a file that asks what fields held before.
#[test]
fn s5_a_deep_history_is_asked_what_it_held() {
    let mut one = device(1);
    one.insert("record-1", serde_json::json!({"prompt": "a knight"}));
    let mut doc = Automerge::load(&one.document().save()).unwrap();
    doc.set_actor(ActorId::from(b"deep"));
    let (_, jobs) = doc.get(ROOT, "jobs").unwrap().unwrap();
    let (_, mut at) = doc.get(&jobs, "record-1").unwrap().unwrap();
    let mut tx = doc.transaction();
    for _ in 0..20_000 {
        at = tx.put_object(&at, "a", ObjType::Map).unwrap();
    }
    tx.commit();
    one.take(&[doc.save()]);
    let options = ImportOptions {
        base: ImportBase::Unknown,
        ..ImportOptions::default()
    };
    let text = one.json().replace("a knight", "a mage");
    ends_soon("deep", || {
        let report = one.import_with(&text, options).unwrap();
        assert_eq!(report.changed, 1);
    });
}

#[test]
fn s5_the_words_of_a_query_are_limited() {
    let found = |words: usize| {
        let q = vec!["-x"; words].join(" ");
        query::run(
            fuzz::document().view(),
            &Query {
                q,
                ..Query::default()
            },
        )
    };
    assert!(found(QUERY_TERMS_MAX).is_ok());
    assert_eq!(
        found(QUERY_TERMS_MAX + 1).unwrap_err().to_string(),
        "the query has 65 words; the limit is 64"
    );
}
