//! Fields: the same one, another one, one that is gone.

use crate::row::{Row, cut, file, put, remove, replace, row, set, unset};

pub fn rows() -> Vec<Row> {
    vec![
        row("the file that was just written, unedited")
            .before([r#"{"prompt":"knight"}"#])
            .after([r#"job-1 {"prompt":"knight"}"#]),
        row("one field, nothing else going on")
            .before([r#"{"prompt":"knight"}"#])
            .by_hand([put(1, r#"{"prompt":"mage"}"#)])
            .after([r#"job-1 {"prompt":"mage"}"#])
            .report("1 changed"),
        row("a stale copy with one edit changes one field")
            .before([r#"{"prompt":"knight","width":64}"#, r#"{"prompt":"elf"}"#])
            .apart([set(1, r#"{"width":128}"#), set(2, r#"{"prompt":"orc"}"#)])
            .by_hand([put(1, r#"{"prompt":"mage"}"#)])
            .after([
                r#"job-1 {"prompt":"mage","width":128}"#,
                r#"job-2 {"prompt":"orc"}"#,
            ])
            .report("1 changed"),
        row("a stale copy without an edit brings nothing back")
            .before([r#"{"prompt":"knight"}"#])
            .apart([set(1, r#"{"prompt":"mage"}"#)])
            .after([r#"job-1 {"prompt":"mage"}"#]),
        row("both sides edit the same field: one wins everywhere, and the conflict is listed")
            .before([r#"{"prompt":"knight"}"#])
            .apart([set(1, r#"{"prompt":"elsewhere"}"#)])
            .by_hand([put(1, r#"{"prompt":"by hand"}"#)])
            .after([r#"job-1 {"prompt":"by hand"} !prompt"#])
            .report("1 changed, 1 conflicting"),
        row("both sides edit the same field twice over: later knowledge does not decide, history does")
            .before([r#"{"prompt":"knight"}"#])
            .apart([
                set(1, r#"{"prompt":"once"}"#),
                set(1, r#"{"prompt":"twice"}"#),
            ])
            .by_hand([put(1, r#"{"prompt":"by hand"}"#)])
            .after([r#"job-1 {"prompt":"twice"} !prompt"#])
            .report("1 changed, 1 conflicting"),
        row("both sides make the same edit: no conflict")
            .before([r#"{"prompt":"knight"}"#])
            .apart([set(1, r#"{"prompt":"mage"}"#)])
            .by_hand([put(1, r#"{"prompt":"mage"}"#)])
            .after([r#"job-1 {"prompt":"mage"}"#])
            .report("1 changed"),
        row("two fields by hand, one of them edited elsewhere too")
            .before([r#"{"prompt":"knight","width":64}"#])
            .apart([set(1, r#"{"width":128}"#)])
            .by_hand([put(1, r#"{"prompt":"mage","width":32}"#)])
            .after([r#"job-1 {"prompt":"mage","width":32} !width"#])
            .report("1 changed, 1 conflicting"),
        row("a field deleted by hand")
            .before([r#"{"prompt":"knight","note":"x"}"#])
            .by_hand([cut(1, "note")])
            .after([r#"job-1 {"prompt":"knight"}"#])
            .report("1 changed"),
        row("a field deleted by hand and edited elsewhere: the edit stays")
            .before([r#"{"prompt":"knight","note":"x"}"#])
            .apart([set(1, r#"{"note":"y"}"#)])
            .by_hand([cut(1, "note")])
            .after([r#"job-1 {"note":"y","prompt":"knight"}"#])
            .report("1 changed"),
        row("a field edited by hand and deleted elsewhere: the edit stays")
            .before([r#"{"prompt":"knight","note":"x"}"#])
            .apart([unset(1, "note")])
            .by_hand([put(1, r#"{"note":"y"}"#)])
            .after([r#"job-1 {"note":"y","prompt":"knight"}"#])
            .report("1 changed"),
        row("a field deleted on both sides is gone once")
            .before([r#"{"prompt":"knight","note":"x"}"#])
            .apart([unset(1, "note")])
            .by_hand([cut(1, "note")])
            .after([r#"job-1 {"prompt":"knight"}"#])
            .report("1 changed"),
        row("a field set to null is not a field deleted")
            .before([r#"{"prompt":"knight","note":"x"}"#])
            .by_hand([put(1, r#"{"note":null}"#)])
            .after([r#"job-1 {"note":null,"prompt":"knight"}"#])
            .report("1 changed"),
        row("an unknown field added by hand")
            .before([r#"{"prompt":"knight"}"#])
            .apart([set(1, r#"{"mood":"grim"}"#)])
            .by_hand([put(1, r#"{"rating":5}"#)])
            .after([r#"job-1 {"mood":"grim","prompt":"knight","rating":5}"#])
            .report("1 changed"),
        row("different fields of one nested object, edited apart")
            .before([r#"{"extra":{"a":1,"b":{"c":2,"d":3}}}"#])
            .apart([set(1, r#"{"extra":{"a":9,"b":{"c":2,"d":3}}}"#)])
            .by_hand([put(1, r#"{"extra":{"a":1,"b":{"c":2,"d":4}}}"#)])
            .after([r#"job-1 {"extra":{"a":9,"b":{"c":2,"d":4}}}"#])
            .report("1 changed"),
        row("a nested field removed by hand, another added elsewhere")
            .before([r#"{"extra":{"a":1,"b":2}}"#])
            .apart([set(1, r#"{"extra":{"a":1,"b":2,"c":3}}"#)])
            .by_hand([put(1, r#"{"extra":{"a":1}}"#)])
            .after([r#"job-1 {"extra":{"a":1,"c":3}}"#])
            .report("1 changed"),
        row("a list is one value: it is not merged item by item")
            .before([r#"{"tags":["a","b"]}"#])
            .apart([set(1, r#"{"tags":["a","b","elsewhere"]}"#)])
            .by_hand([put(1, r#"{"tags":["by hand"]}"#)])
            .after([r#"job-1 {"tags":["by hand"]} !tags"#])
            .report("1 changed, 1 conflicting"),
        row("a typed value retyped by hand")
            .before([r#"{"width":64}"#])
            .by_hand([put(1, r#"{"width":"64"}"#)])
            .after([r#"job-1 {"width":"64"}"#])
            .report("1 changed"),
        row("a scalar becomes an object by hand while it is edited elsewhere")
            .before([r#"{"note":"x"}"#])
            .apart([set(1, r#"{"note":"y"}"#)])
            .by_hand([put(1, r#"{"note":{"text":"x"}}"#)])
            .after([r#"job-1 {"note":{"text":"x"}} !note"#])
            .report("1 changed, 1 conflicting"),
        row("creation time corrected by hand: still the same job")
            .before([r#"{"prompt":"knight","createdAt":5}"#])
            .apart([set(1, r#"{"width":9}"#)])
            .by_hand([put(1, r#"{"createdAt":6}"#)])
            .after([r#"job-1 {"createdAt":6,"prompt":"knight","width":9}"#])
            .report("1 changed"),
        row("fields reordered and the text reformatted are no edit")
            .before([r#"{"prompt":"knight","width":64}"#])
            .apart([set(1, r#"{"width":65}"#)])
            .by_hand([replace(
                "\"prompt\": \"knight\",\n      \"width\": 64,",
                "\"width\":6.4e1, \"prompt\"  :\"kni\\u0067ht\",",
            )])
            .after([r#"job-1 {"prompt":"knight","width":65}"#]),
        row("a field of the file added by hand, another edited elsewhere in a job")
            .before([r#"{"prompt":"knight"}"#])
            .apart([set(1, r#"{"prompt":"mage"}"#)])
            .by_hand([file(r#"{"owner":{"name":"Ada"}}"#)])
            .after([r#"job-1 {"prompt":"mage"}"#])
            .root(r#"{"owner":{"name":"Ada"}}"#),
        row("savedAt and version edited by hand mean nothing: they are worked out")
            .before([r#"{"prompt":"knight"}"#])
            .by_hand([file(r#"{"savedAt":"1999-01-01T00:00:00Z","version":"9.9"}"#)])
            .after([r#"job-1 {"prompt":"knight"}"#])
            .root(r#"{"savedAt":"2027-01-15T08:00:01Z","version":"1.0"}"#),
        row("a record in the bin is not in the file, and its absence is no edit")
            .before([r#"{"prompt":"knight"}"#, r#"{"prompt":"mage"}"#])
            .setup([remove(2)])
            .by_hand([put(1, r#"{"width":1}"#)])
            .after([
                r#"job-1 {"prompt":"knight","width":1}"#,
                r#"bin: job-2 {"prompt":"mage"}"#,
            ])
            .report("1 changed"),
    ]
}
