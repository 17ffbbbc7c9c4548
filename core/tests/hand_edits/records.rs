//! Records: added, removed, moved, copied; the bin.

use crate::row::{Row, drop, file, insert, parsed, purge, push, put, remove, restore, row, set};

pub fn rows() -> Vec<Row> {
    vec![
        row("a job removed by hand goes to the bin")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .by_hand([drop(1)])
            .after([r#"job-2 {"prompt":"b"}"#, r#"bin: job-1 {"prompt":"a"}"#])
            .report("1 removed"),
        row("a job removed by hand and edited elsewhere is kept, and says so")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .apart([set(1, r#"{"prompt":"edited"}"#)])
            .by_hand([drop(1)])
            .after([
                r#"job-1 {"prompt":"edited"} kept"#,
                r#"job-2 {"prompt":"b"}"#,
            ])
            .report("1 kept"),
        row("a job edited by hand and removed elsewhere is kept, and says so")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .apart([remove(1)])
            .by_hand([put(1, r#"{"prompt":"by hand"}"#)])
            .after([
                r#"job-1 {"prompt":"by hand"} kept"#,
                r#"job-2 {"prompt":"b"}"#,
            ])
            .report("1 changed"),
        row("a job removed on both sides is in the bin once")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .apart([remove(1)])
            .by_hand([drop(1)])
            .after([r#"job-2 {"prompt":"b"}"#, r#"bin: job-1 {"prompt":"a"}"#])
            .report("1 removed"),
        row("an edit beside a removal of another job")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .apart([set(2, r#"{"width":1}"#)])
            .by_hand([drop(1)])
            .after([
                r#"job-2 {"prompt":"b","width":1}"#,
                r#"bin: job-1 {"prompt":"a"}"#,
            ])
            .report("1 removed"),
        row("a late result does not bring back a job that was removed by hand")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .setup([crate::row::run(1, "run-1")])
            .apart([crate::row::progress(1, "run-1", r#"{"status":"success"}"#)])
            .by_hand([drop(1)])
            .after([
                r#"job-2 {"prompt":"b"}"#,
                r#"bin: job-1 {"prompt":"a","status":"success"}"#,
            ])
            .report("1 removed"),
        row("jobs in another order are no edit")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#, r#"{"prompt":"c"}"#])
            .apart([set(2, r#"{"prompt":"edited"}"#)])
            .by_hand([parsed(|file| file["jobs"].as_array_mut().unwrap().reverse())])
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"job-2 {"prompt":"edited"}"#,
                r#"job-3 {"prompt":"c"}"#,
            ]),
        row("jobs in another order, one of them edited")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .by_hand([
                put(2, r#"{"prompt":"by hand"}"#),
                parsed(|file| file["jobs"].as_array_mut().unwrap().reverse()),
            ])
            .after([r#"job-1 {"prompt":"a"}"#, r#"job-2 {"prompt":"by hand"}"#])
            .report("1 changed"),
        row("a new job by hand, with an id and a time")
            .before([r#"{"prompt":"a"}"#])
            .apart([set(1, r#"{"width":1}"#)])
            .by_hand([push(r#"{"id":"job-7","prompt":"new","createdAt":7}"#)])
            .after([
                r#"job-1 {"prompt":"a","width":1}"#,
                r#"job-7 {"createdAt":7,"prompt":"new"}"#,
            ])
            .root(r#"{"lastJobId":8}"#)
            .report("1 added"),
        row("a new job by hand between the others stands where it was made")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#])
            .by_hand([parsed(|file| {
                let new = serde_json::json!({"id": "job-9", "prompt": "new"});
                file["jobs"].as_array_mut().unwrap().insert(1, new);
            })])
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"job-2 {"prompt":"b"}"#,
                r#"job-9 {"prompt":"new"}"#,
            ])
            .report("1 added"),
        row("a new job by hand beside a new job elsewhere")
            .before([r#"{"prompt":"a"}"#])
            .apart([insert("elsewhere", r#"{"prompt":"elsewhere"}"#)])
            .by_hand([push(r#"{"id":"job-3","prompt":"by hand"}"#)])
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"job-2 {"prompt":"elsewhere"}"#,
                r#"job-3 {"prompt":"by hand"}"#,
            ])
            .report("1 added"),
        row("a job that is in the bin, put back by hand")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b"}"#])
            .setup([remove(1)])
            .by_hand([push(r#"{"id":"job-1","prompt":"a","createdAt":1,"seed":null,"status":"idle","result":null,"error":null,"startTime":null,"endTime":null,"duration":null}"#)])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"a"}"#,
                r#"job-2 {"prompt":"b"}"#,
            ])
            .report("1 restored"),
        row("a job restored elsewhere while it is put back by hand with another prompt")
            .before([r#"{"prompt":"a","createdAt":1}"#])
            .setup([remove(1)])
            .apart([restore(1)])
            .by_hand([push(r#"{"id":"job-1","prompt":"by hand","createdAt":1,"seed":null,"status":"idle","result":null,"error":null,"startTime":null,"endTime":null,"duration":null}"#)])
            .after([r#"job-1 {"createdAt":1,"prompt":"by hand"}"#])
            .report("1 restored"),
        row("a job purged elsewhere while it was edited by hand: what was emptied stays empty")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b"}"#])
            .apart([remove(1), purge(1)])
            .by_hand([put(1, r#"{"width":5}"#)])
            .after([
                r#"job-1 {"createdAt":1,"width":5} kept"#,
                r#"job-2 {"prompt":"b"}"#,
            ])
            .report("1 changed"),
        row("a purged job written into the file again, as it was, comes back as it is written")
            .before([r#"{"prompt":"a","createdAt":1}"#, r#"{"prompt":"b"}"#])
            .setup([remove(1), purge(1)])
            .by_hand([push(r#"{"id":"job-1","prompt":"again","createdAt":1}"#)])
            .after([
                r#"job-1 {"createdAt":1,"prompt":"again"}"#,
                r#"job-2 {"prompt":"b"}"#,
            ])
            .report("1 restored"),
        row("more than half removed by hand: not without being asked")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#, r#"{"prompt":"c"}"#])
            .by_hand([drop(1), drop(1)])
            .refused("the file would remove 2 of 3 records; that is done only when confirmed")
            .after([
                r#"job-1 {"prompt":"a"}"#,
                r#"job-2 {"prompt":"b"}"#,
                r#"job-3 {"prompt":"c"}"#,
            ]),
        row("more than half removed by hand, and confirmed")
            .before([r#"{"prompt":"a"}"#, r#"{"prompt":"b"}"#, r#"{"prompt":"c"}"#])
            .apart([set(2, r#"{"width":1}"#)])
            .by_hand([drop(1), drop(1)])
            .confirmed()
            .after([
                r#"job-2 {"prompt":"b","width":1} kept"#,
                r#"job-3 {"prompt":"c"}"#,
                r#"bin: job-1 {"prompt":"a"}"#,
            ])
            .report("1 removed, 1 kept"),
        row("an empty list of a stale copy removes what it had, not what came since")
            .before([r#"{"prompt":"a"}"#])
            .apart([insert("elsewhere", r#"{"prompt":"elsewhere"}"#)])
            .by_hand([file(r#"{"jobs":[]}"#)])
            .confirmed()
            .after([
                r#"job-2 {"prompt":"elsewhere"}"#,
                r#"bin: job-1 {"prompt":"a"}"#,
            ])
            .report("1 removed"),
    ]
}
