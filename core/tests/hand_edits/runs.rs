//! Runs: what describes one execution travels as one (D5).

use crate::row::{Row, cut, progress, put, row, run, set};

pub fn rows() -> Vec<Row> {
    vec![
        row("a status written by hand is a run of its own")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([put(1, r#"{"status":"error","error":"by hand"}"#)])
            .after([r#"job-1 {"error":"by hand","prompt":"a","status":"error"}"#])
            .report("1 changed"),
        row("a status written by hand while a run elsewhere succeeds: one whole run is shown")
            .before([r#"{"prompt":"a"}"#])
            .apart([set(1, r#"{"status":"success","result":"elsewhere","duration":3}"#)])
            .by_hand([put(1, r#"{"status":"error","error":"by hand"}"#)])
            .after([r#"job-1 {"error":"by hand","prompt":"a","status":"error"} !run"#])
            .report("1 changed, 1 conflicting"),
        row("the same status written on both sides is the same run to the eye")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([put(1, r#"{"status":"success","duration":3.0}"#)])
            .after([r#"job-1 {"duration":3.0,"prompt":"a","status":"success"}"#])
            .report("1 changed"),
        row("a running job, its prompt reworded by hand: the result still arrives")
            .before([r#"{"prompt":"a"}"#])
            .setup([run(1, "run-1")])
            .apart([progress(1, "run-1", r#"{"status":"success","duration":2}"#)])
            .by_hand([put(1, r#"{"prompt":"by hand"}"#)])
            .after([r#"job-1 {"duration":2,"prompt":"by hand","status":"success"}"#])
            .report("1 changed"),
        row("a queued job set back to idle by hand while its server finishes it")
            .before([r#"{"prompt":"a"}"#])
            .setup([run(1, "run-1")])
            .apart([progress(1, "run-1", r#"{"status":"success","duration":2}"#)])
            .by_hand([put(1, r#"{"status":"idle"}"#)])
            .after([r#"job-1 {"prompt":"a"}"#])
            .report("1 changed"),
        row("a job run again elsewhere while its result was corrected by hand")
            .before([r#"{"prompt":"a"}"#])
            .setup([set(1, r#"{"status":"success","result":"first"}"#)])
            .apart([run(1, "run-2")])
            .by_hand([put(1, r#"{"result":"corrected"}"#)])
            .after([r#"job-1 {"prompt":"a","status":"queued"} !run"#])
            .report("1 changed, 1 conflicting"),
        row("a result as data URL stays one")
            .before([r#"{"prompt":"a"}"#])
            .apart([set(1, r#"{"width":1}"#)])
            .by_hand([put(1, r#"{"status":"success","result":"data:image/png;base64,not really"}"#)])
            .after([r#"job-1 {"prompt":"a","result":"data:image/png;base64,not really","status":"success","width":1}"#])
            .report("1 changed"),
        row("a result as object stays one, unknown members and all")
            .before([r#"{"prompt":"a"}"#])
            .by_hand([put(1, r#"{"status":"success","result":{"status":"success","seed":7,"more":[1]}}"#)])
            .after([r#"job-1 {"prompt":"a","result":{"more":[1],"seed":7,"status":"success"},"status":"success"}"#])
            .report("1 changed"),
        row("another image pasted into the file is kept beside it")
            .before([r#"{"prompt":"a","result":"blob:sha256-bb229a48bee31f5d54ca12dc9bd960c63a671f0d4be86a054c1d324a44499d96","status":"success"}"#])
            .apart([set(1, r#"{"width":1}"#)])
            .by_hand([put(1, r#"{"result":"data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="}"#)])
            .after([r#"job-1 {"prompt":"a","result":"blob:sha256-328e90a318268aea96180cc31666ae6d6f79d90d078c123bc3d98ee08a192fb7","status":"success","width":1}"#])
            .report("1 changed"),
        row("a field of the run deleted by hand")
            .before([r#"{"prompt":"a"}"#])
            .setup([set(1, r#"{"status":"error","error":"x"}"#)])
            .by_hand([cut(1, "error")])
            .after([r#"job-1 {"prompt":"a","status":"error"}"#])
            .report("1 changed"),
    ]
}
