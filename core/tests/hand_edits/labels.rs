//! Labels and what refers to them (D7, D9).

use crate::row::{Row, cut, file, insert, no, push, put, row, set};

pub fn rows() -> Vec<Row> {
    vec![
        row("a new job by hand without an id is named after its key")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([push(r#"{"prompt":"no id","createdAt":9}"#)])
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"job-klsY34oghE {"createdAt":9,"prompt":"no id"}"#,
            ])
            .report("1 added"),
        row("a block copied by hand, both with one id: the copy shows a suffix")
            .before([r#"{"prompt":"a","createdAt":1}"#])
            .apart([set(1, r#"{"width":1}"#)])
            .by_hand([push(r#"{"id":"job-1","prompt":"copy","createdAt":1}"#)])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"a","width":1}"#,
                r#"job-1-2 {"createdAt":1,"prompt":"copy"}"#,
            ])
            .report("1 added"),
        row("the same id given by hand and elsewhere: both live, the first made keeps it")
            .before([r#"{"prompt":"a"}"#])
            .apart([
                set(1, r#"{"width":1}"#),
                insert("elsewhere", r#"{"prompt":"elsewhere"}"#),
            ])
            .by_hand([push(r#"{"id":"job-2","prompt":"by hand"}"#)])
            .after([
                r#"job-1 {"prompt":"a","width":1}"#,
                r#"job-2 {"prompt":"by hand"}"#,
                r#"job-2-2 {"prompt":"elsewhere"}"#,
            ])
            .report("1 added"),
        row("an edit of the job that shows a suffix finds it")
            .before([r#"{"id":"job-6","prompt":"a"}"#, r#"{"id":"job-6","prompt":"b"}"#])
            .apart([set(2, r#"{"width":1}"#)])
            .by_hand([put(2, r#"{"prompt":"by hand"}"#)])
            .after([
                r#"job-6 {"prompt":"a"}"#,
                r#"job-6-2 {"prompt":"by hand","width":1}"#,
            ])
            .report("1 changed"),
        row("a job that takes the suffixed label moves the other one on")
            .before([r#"{"id":"job-6","prompt":"a"}"#, r#"{"id":"job-6","prompt":"b"}"#])
            .by_hand([push(r#"{"id":"job-6-2","prompt":"c"}"#)])
            .confirmed()
            .after([
                r#"job-6 {"prompt":"a"}"#,
                r#"job-6-3 {"prompt":"b"}"#,
                r#"job-6-2 {"prompt":"c"}"#,
            ])
            .report("1 added"),
        row("a job renamed by hand: the old one is gone, a new one stands there")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b"}"#, r#"{"prompt":"c"}"#])
            .by_hand([put(1, r#"{"id":"job-9"}"#)])
            .after([
                r#"job-2 {"prompt":"b"}"#,
                r#"job-3 {"prompt":"c"}"#,
                r#"job-9 {"createdAt":1,"prompt":"a"}"#,
                r#"bin: job-1 {"createdAt":1,"prompt":"a"}"#,
            ])
            .root(r#"{"lastJobId":10}"#)
            .report("1 added, 1 removed"),
        row("two jobs exchange their ids: their times tell who is who")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b","createdAt":2}"#])
            .by_hand([put(1, r#"{"createdAt":2}"#), put(2, r#"{"createdAt":1}"#)])
            .after([
                r#"job-1 {"createdAt":2,"prompt":"a"}"#,
                r#"job-2 {"createdAt":1,"prompt":"b"}"#,
            ])
            .report("2 changed"),
        row("an id removed by hand: a new job without one, and the old one in the bin")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .by_hand([cut(1, "id"), put(1, r#"{"createdAt":5}"#)])
            .after([
                r#"job-2 {"prompt":"b"}"#,
                r#"job-kM5iBTAYH_ {"createdAt":5,"prompt":"a"}"#,
                r#"bin: job-1 {"prompt":"a"}"#,
            ])
            .report("1 added, 1 removed"),
        row("a rotation's source by label is stored as key, and shown as the label it has now")
            .before([
                r#"{"id":"job-6","prompt":"a"}"#,
                r#"{"id":"job-6","prompt":"b"}"#,
                r#"{"isRotation":true,"rotationData":{"sourceJobId":"record-1"}}"#,
            ])
            .apart([set(1, r#"{"id":"hero"}"#)])
            .by_hand([put(3, r#"{"rotationData":{"sourceJobId":"job-6-2"}}"#)])
            .after([
                r#"hero {"prompt":"a"}"#,
                r#"job-6 {"prompt":"b"}"#,
                r#"job-7 {"isRotation":true,"rotationData":{"sourceJobId":"job-6"}}"#,
            ])
            .report("1 changed"),
        row("a rotation's source by label, untouched, is no edit")
            .before([
                r#"{"prompt":"a"}"#,
                r#"{"isRotation":true,"rotationData":{"sourceJobId":"job-1","toDirection":"east"}}"#,
            ])
            .apart([set(1, r#"{"id":"hero"}"#)])
            .by_hand([put(1, r#"{"width":1}"#)])
            .after([
                r#"hero {"prompt":"a","width":1}"#,
                r#"job-2 {"isRotation":true,"rotationData":{"sourceJobId":"hero","toDirection":"east"}}"#,
            ])
            .report("1 changed"),
        row("a new rotation by hand of a new job by hand")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([
                push(r#"{"id":"job-8","prompt":"new"}"#),
                push(r#"{"id":"job-9","rotationData":{"sourceJobId":"job-8"}}"#),
            ])
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"job-8 {"prompt":"new"}"#,
                r#"job-9 {"rotationData":{"sourceJobId":"job-8"}}"#,
            ])
            .report("2 added"),
        row("lastJobId lowered by hand is raised again")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .by_hand([file(r#"{"lastJobId":1}"#)])
            .after([r#"job-1 {"prompt":"a"}"#, r#"job-2 {"prompt":"b"}"#])
            .root(r#"{"lastJobId":3}"#),
        row("lastJobId raised by hand is where numbers go on")
            .before([r#"{"prompt":"a"}"#])
            .apart([insert("elsewhere", r#"{"prompt":"b"}"#)])
            .by_hand([file(r#"{"lastJobId":40}"#)])
            .after([r#"job-1 {"prompt":"a"}"#, r#"job-2 {"prompt":"b"}"#])
            .root(r#"{"lastJobId":40}"#),
        row("lastJobId missing is no edit")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([no("lastJobId")])
            .after([r#"job-1 {"prompt":"a"}"#])
            .root(r#"{"lastJobId":2}"#),
    ]
}
