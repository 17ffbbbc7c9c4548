//! Which version a file was written at: an old one, none, another document's, one to come (F6).

use crate::row::{Row, file, insert, instead, no, parsed, push, put, remove, row, set};

pub fn rows() -> Vec<Row> {
    vec![
        row("a file without its version adds and updates, and removes nothing")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b","createdAt":2}"#])
            .by_hand([no("sync"), crate::row::drop(2), put(1, r#"{"prompt":"by hand"}"#)])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"by hand"}"#,
                r#"job-2 {"createdAt":2,"prompt":"b"}"#,
            ])
            .report("1 changed"),
        row("an old file from before versions: known jobs match by id and time")
            .before([r#"{"prompt":"a","createdAt":1}"#])
            .by_hand([instead(
                r#"{"jobs":[{"id":"job-1","createdAt":1,"prompt":"a"},{"id":"job-5","createdAt":5,"prompt":"new"}],"lastJobId":6,"savedAt":1700000000000}"#,
            )])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"a"}"#,
                r#"job-5 {"createdAt":5,"prompt":"new"}"#,
            ])
            .root(r#"{"lastJobId":6}"#)
            .report("1 added"),
        row("another job of the same id, by its time, is another job")
            .before([r#"{"prompt":"a","createdAt":1}"#])
            .by_hand([instead(r#"{"jobs":[{"id":"job-1","createdAt":99,"prompt":"other"}]}"#)])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"a"}"#,
                r#"job-1-2 {"createdAt":99,"prompt":"other"}"#,
            ])
            .report("1 added"),
        row("another document's file adds and updates only")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b","createdAt":2}"#])
            .by_hand([
                parsed(|file| file["sync"]["document"] = "4NMNnkMhL8jXrdJ9jamS58PAVdXu".into()),
                crate::row::drop(2),
                push(r#"{"id":"job-9","createdAt":9}"#),
            ])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"a"}"#,
                r#"job-2 {"createdAt":2,"prompt":"b"}"#,
                r#"job-9 {"createdAt":9}"#,
            ])
            .report("1 added"),
        row("a file of a version that has not arrived is parked, edits and all")
            .before([r#"{"prompt":"a"}"#])
            .ahead()
            .by_hand([put(1, r#"{"prompt":"by hand"}"#)])
            .refused("the file was written at a version that this replica does not have yet")
            .after([r#"job-1 {"prompt":"a"}"#]),
        row("heads that never were are parked too")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([
                parsed(|file| file["sync"]["heads"] = vec!["ab".repeat(32)].into()),
                put(1, r#"{"prompt":"by hand"}"#),
            ])
            .refused("the file was written at a version that this replica does not have yet")
            .after([r#"job-1 {"prompt":"a"}"#]),
        row("no heads at all is no version")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b","createdAt":2}"#])
            .by_hand([
                parsed(|file| file["sync"]["heads"] = serde_json::json!([])),
                crate::row::drop(1),
            ])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"a"}"#,
                r#"job-2 {"createdAt":2,"prompt":"b"}"#,
            ]),
        row("heads written twice name the same version")
            .before([r#"{"prompt":"a"}"#])
            .apart([set(1, r#"{"width":2}"#)])
            .by_hand([
                parsed(|file| {
                    let head = file["sync"]["heads"][0].clone();
                    file["sync"]["heads"] = serde_json::json!([head, head]);
                }),
                put(1, r#"{"prompt":"by hand"}"#),
            ])
            .after([r#"job-1 {"prompt":"by hand","width":2}"#])
            .report("1 changed"),
        row("an older version put back unedited is not gone back to")
            .before([r#"{"prompt":"a"}"#])
            .apart([
                set(1, r#"{"prompt":"later"}"#),
                insert("elsewhere", r#"{"prompt":"new"}"#),
            ])
            .after([
                r#"job-1 {"prompt":"later"}"#,
                r#"job-2 {"prompt":"new"}"#,
            ]),
        row("a copy from before a removal does not bring the job back")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .apart([remove(1)])
            .by_hand([put(2, r#"{"width":1}"#)])
            .after([
                r#"job-2 {"prompt":"b","width":1}"#,
                r#"bin: job-1 {"prompt":"a"}"#,
            ])
            .report("1 changed"),
        row("a file whose writer was told of a conflict may settle it by hand")
            .before([r#"{"prompt":"a"}"#])
            .setup([Box::new(|replica| {
                let mut other = crate::common::device(4);
                other.pull(replica);
                let key = plainsync_core::edit::Key("record-1".to_owned());
                other.set(&key, serde_json::json!({"prompt": "theirs"}));
                replica.set(&key, serde_json::json!({"prompt": "ours"}));
                replica.pull(&other);
                assert_eq!(replica.row(&key).conflicts, ["prompt"]);
            })])
            .by_hand([put(1, r#"{"prompt":"settled"}"#)])
            .after([r#"job-1 {"prompt":"settled"}"#])
            .report("1 changed"),
        row("a file with a conflict, unedited, leaves it standing")
            .before([r#"{"prompt":"a"}"#])
            .setup([Box::new(|replica| {
                let mut other = crate::common::device(4);
                other.pull(replica);
                let key = plainsync_core::edit::Key("record-1".to_owned());
                other.set(&key, serde_json::json!({"prompt": "theirs"}));
                replica.set(&key, serde_json::json!({"prompt": "ours"}));
                replica.pull(&other);
            })])
            .by_hand([put(1, r#"{"width":1}"#), file(r#"{"lastJobId":2}"#)])
            .after([r#"job-1 {"prompt":"theirs","width":1} !prompt"#])
            .report("1 changed"),
    ]
}
