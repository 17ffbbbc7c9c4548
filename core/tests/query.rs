//! Rules Q1 to Q4: what a query text finds, and what it is told when it means nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Device, device, edited_apart};
use plainsync_core::limits::{QUERY_BYTES_MAX, QUERY_TERMS_MAX};
use plainsync_core::query::{self, Filter, Query};
use serde_json::json;

/// 2025-10-01T00:00:00Z in milliseconds since the Unix epoch.
const OCTOBER: u64 = 1_759_276_800_000;
const DAY: u64 = 24 * 60 * 60 * 1000;

fn history() -> Device {
    let mut one = device(1);
    let jobs = json!([
        {"id": "job-1", "prompt": "A heroic Knight", "width": 64, "seed": "7", "createdAt": OCTOBER - 1, "status": "success", "result": format!("blob:sha256-{}", "0".repeat(64)), "duration": 2.5},
        {"id": "job-2", "prompt": "knights, tired", "width": 128, "seed": null, "createdAt": OCTOBER, "status": "error", "error": "the Dragon slept"},
        {"id": "job-3", "prompt": "pixel dragon", "width": 32, "createdAt": OCTOBER + DAY, "status": "running", "note": "for Zoë", "tags": ["boss", "red one"]},
        {"id": "job-10", "prompt": "say: \"hi, all\"", "width": 64.5, "createdAt": OCTOBER + 40 * DAY, "status": "queued", "isRotation": true, "rotationData": {"sourceJobId": "job-1", "toDirection": "north-east"}},
        {"id": "job-1-2", "prompt": "wizard", "width": 256, "createdAt": OCTOBER + 41 * DAY, "made": "2025-11-11T10:00:00Z", "status": "idle", "has": "a field"},
    ]);
    one.import(&json!({ "jobs": jobs, "lastJobId": 11 }).to_string())
        .unwrap();
    one
}

/// The labels of what `q` finds, oldest first, without `job-`.
fn found(one: &Device, q: &str) -> String {
    let query = Query {
        q: q.to_owned(),
        sort: "created".to_owned(),
        ..Query::default()
    };
    let found = query::run(one.document().view(), &query).unwrap();
    let labels = found.rows.iter().map(|row| &row.label["job-".len()..]);
    labels.collect::<Vec<_>>().join(" ")
}

fn check(one: &Device, cases: &[(&str, &str)]) {
    for (q, expected) in cases {
        assert_eq!(found(one, q), *expected, "{q}");
    }
}

#[test]
fn q1_every_term_must_hold_and_a_minus_excludes() {
    check(
        &history(),
        &[
            ("", "1 2 3 10 1-2"),
            ("   ", "1 2 3 10 1-2"),
            ("knight", "1 2"),
            ("KNIGHT heroic", "1"),
            ("-knight", "3 10 1-2"),
            ("knight -status:error", "1"),
            ("\"heroic knight\"", "1"),
            ("\"knight heroic\"", ""),
            ("-\"heroic knight\" knight", "2"),
            ("-", "1 2 3 10 1-2"),
            ("\"\"", "1 2 3 10 1-2"),
            ("\"say: \\\"hi\"", "10"),
            ("\"-x\"", ""),
        ],
    );
}

#[test]
fn q2_a_word_is_looked_for_in_label_and_texts() {
    check(
        &history(),
        &[
            ("job-10", "10"),
            ("job-1", "1 10 1-2"),
            ("dragon", "2 3"),
            ("ZOË", "3"),
            ("boss", "3"),
            ("success", ""),
            ("64", ""),
            ("blob:sha256-0", ""),
            ("\"red one\"", "3"),
            ("north-east", ""),
        ],
    );
}

#[test]
fn q3_fields_are_compared_as_what_they_are() {
    check(
        &history(),
        &[
            ("status:error", "2"),
            ("status:ERROR", "2"),
            ("status:queued,running", "3 10"),
            ("-status:queued,running,idle", "1 2"),
            ("prompt:knight", "1"),
            ("prompt:knights", "2"),
            ("prompt:\"heroic knight\"", "1"),
            ("prompt:=wizard", "1-2"),
            ("prompt:=knight", ""),
            ("id:job-1", "1"),
            ("label:job-1", "1"),
            ("width:64", "1"),
            ("width:64.0", "1"),
            ("width:>64", "2 10 1-2"),
            ("width:>=64", "1 2 10 1-2"),
            ("width:<64", "3"),
            ("width:<=64", "1 3"),
            ("width:32..64", "1 3"),
            ("width:128..", "2 1-2"),
            ("width:..63", "3"),
            ("width:32,>200", "3 1-2"),
            ("-width:>64", "1 3"),
            ("seed:7", "1"),
            ("seed:>6", "1"),
            ("seed:null", "2"),
            ("has:seed", "1"),
            ("-has:seed", "2 3 10 1-2"),
            ("duration:>2", "1"),
            ("isRotation:true", "10"),
            ("rotationData.toDirection:north-east", "10"),
            ("rotationData.nothing:x", ""),
            ("tags:boss", "3"),
            ("has:tags", "3"),
            ("unknown:x", ""),
            ("-unknown:x", "1 2 3 10 1-2"),
            ("has:image", "1"),
            ("has:error,image", "1 2"),
            ("has:x", ""),
            ("note:\"for zoë\"", "3"),
            ("prompt:\"say: \\\"hi, all\\\"\"", "10"),
            ("is:kept", ""),
        ],
    );
}

#[test]
fn q3_times_cover_all_that_is_in_them() {
    check(
        &history(),
        &[
            ("created:2025-10-01", "2"),
            ("created:2025-10", "2 3"),
            ("created:>2025-10-01", "3 10 1-2"),
            ("created:2025", "1 2 3 10 1-2"),
            ("created:>2025", ""),
            ("createdAt:<=2025", "1 2 3 10 1-2"),
            ("created:2024..2024", ""),
            ("created:2025..9999", "1 2 3 10 1-2"),
            ("created:<=9999", "1 2 3 10 1-2"),
            ("prompt:a..b", ""),
            ("width:..2025", "1 2 3 10 1-2"),
            ("created:>=2025-10-01", "2 3 10 1-2"),
            ("created:<2025-10-01", "1"),
            ("created:<=2025-10-01", "1 2"),
            ("created:2025-10-01..2025-10-02", "2 3"),
            ("created:..2025-09", "1"),
            ("created:2025-10-01T00:00", "2"),
            ("created:\"2025-10-01 02:00+02:00\"", "2"),
            ("createdAt:>2025-11", ""),
            ("createdAt:>=2025-11", "10 1-2"),
            ("made:2025-11-11", "1-2"),
            ("made:>2025-11-11", ""),
            ("created:1759276800000", "2"),
        ],
    );
}

#[test]
fn q3_what_was_edited_apart_is_found() {
    let (a, _, _) = edited_apart(json!({"prompt": "mage"}), json!({"prompt": "dragon"}));
    assert_eq!(found(&a, "has:conflict"), "1");
    assert_eq!(found(&a, "-has:conflict"), "");
    let (mut a, mut b) = (device(1), device(2));
    let key = a.insert("key-0001", json!({"prompt": "knight"}));
    common::merge(&mut a, &mut b);
    a.remove(&key);
    b.set(&key, json!({"width": 32}));
    common::merge(&mut a, &mut b);
    assert_eq!(found(&a, "is:kept"), "1");
}

#[test]
fn q4_a_query_that_means_nothing_says_where() {
    for (q, at, message) in [
        (
            "knight \"open",
            Some(8),
            "the quote at character 8 of the query is not closed",
        ),
        (
            "ö width:>wide",
            Some(10),
            "`wide` at character 10 of the query cannot be compared: allowed are a number such as 64 and a time such as 2025-10-01 or 2025-10-01T14:30",
        ),
        (
            "width:>=",
            Some(1),
            "`width:` at character 1 of the query lacks a value, such as `width:64`; a text with a colon stands in quotes",
        ),
        (
            "width:32..wide",
            Some(11),
            "`wide` at character 11 of the query cannot be compared: allowed are a number such as 64 and a time such as 2025-10-01 or 2025-10-01T14:30",
        ),
        (
            "width:narrow..64",
            Some(7),
            "`narrow` at character 7 of the query cannot be compared: allowed are a number such as 64 and a time such as 2025-10-01 or 2025-10-01T14:30",
        ),
        (
            "x status:",
            Some(3),
            "`status:` at character 3 of the query lacks a value, such as `status:64`; a text with a colon stands in quotes",
        ),
        (
            "status:a,,b",
            Some(1),
            "`status:` at character 1 of the query lacks a value, such as `status:64`; a text with a colon stands in quotes",
        ),
        (
            "is:dead",
            Some(4),
            "`is:dead` at character 4 of the query means nothing; allowed is is:kept, which finds what an edit kept from being removed",
        ),
    ] {
        let error = Filter::parse(q).unwrap_err();
        assert_eq!(
            (error.at(), error.to_string().as_str()),
            (at, message),
            "{q}"
        );
    }
    let many = vec!["x"; QUERY_TERMS_MAX + 1].join(" ");
    assert_eq!(
        Filter::parse(&many).unwrap_err().to_string(),
        "the query has 65 words; the limit is 64"
    );
    let long = "x".repeat(QUERY_BYTES_MAX + 1);
    let error = Filter::parse(&long).unwrap_err();
    assert_eq!(
        (error.at(), error.to_string().as_str()),
        (None, "the query is 4097 bytes long; the limit is 4096")
    );
}
