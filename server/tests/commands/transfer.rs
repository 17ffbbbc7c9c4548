//! Export and import: what goes out comes in again.

use serde_json::{Value, json};

use crate::support::{Home, OLD, PIXEL};

fn jobs(home: &Home) -> Value {
    home.run(&["export"]).expect(0).json()["jobs"].clone()
}

#[test]
fn t5_a_csv_export_comes_back_as_it_was() {
    let home = Home::with(OLD);
    let csv = home.run(&["export", "--format", "csv"]).expect(0).out;
    assert!(csv.contains("'=1+1") && !csv.contains(",=1+1"), "{csv}");
    // Into the document that it is of: nothing to change.
    let said = home
        .run_with(&["import", "--json", "-"], &csv)
        .expect(0)
        .json();
    let report = &said["report"];
    let counts = [&report["added"], &report["changed"], &report["removed"]];
    assert!(counts.iter().all(|count| **count == json!(0)), "{said}");
    // Into an empty one: the same jobs.
    let fresh = Home::new();
    let said = fresh.run_with(&["import", "-"], &csv).expect(0);
    assert_eq!(said.out, "took in stdin with 2 jobs: 2 added\n");
    assert!(said.err.contains("CSV"), "{said:?}");
    assert_eq!(jobs(&fresh), jobs(&home));
}

#[test]
fn t5_a_sheet_holds_names_of_images_and_no_formula() {
    let home = Home::with(&OLD.replace("\"result\": null", &format!("\"result\": \"{PIXEL}\"")));
    let csv = home.run(&["export", "--format", "csv"]).expect(0).out;
    assert!(
        csv.contains("blob:sha256-") && !csv.contains("data:"),
        "{csv}"
    );
    let sheet = home.root().join("jobs.xlsx");
    let path = sheet.to_str().expect("a path");
    home.run(&["export", "--format", "xlsx", "--output", path])
        .expect(0);
    let bytes = std::fs::read(&sheet).expect("the sheet");
    assert!(bytes.starts_with(b"PK"), "a workbook is a zip file");
}

#[test]
fn a_query_exports_a_part() {
    let home = Home::with(OLD);
    let found = home.run(&["export", "--query", "knight"]).expect(0).json();
    assert_eq!(found["jobs"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["jobs"][0]["id"], "job-1");
    let found = home
        .run(&["export", "--format", "csv", "--query", "-knight"])
        .expect(0)
        .out;
    assert_eq!(found.lines().count(), 2, "{found}");
    let said = home.run(&["export", "--query", "\"open"]).expect(6);
    assert!(said.err.contains("quote"), "{said:?}");
}

#[test]
fn an_export_is_the_file_byte_for_byte() {
    let home = Home::with(OLD);
    let exported = home.run(&["export"]).expect(0).out;
    assert_eq!(
        exported,
        std::fs::read_to_string(home.file()).expect("the file")
    );
    // And taking it in again changes nothing.
    let said = home.run_with(&["import", "-"], &exported).expect(0);
    assert!(said.out.contains("nothing to change"), "{said:?}");
}

#[test]
fn b6_every_form_of_an_old_browsers_list_is_taken_in() {
    let list: Value = serde_json::from_str(OLD).expect("JSON");
    let list = list.to_string();
    let mut answer: Value = serde_json::from_str(OLD).expect("JSON");
    answer["status"] = json!("ok");
    answer["message"] = json!("Loaded 2 jobs");
    for text in [
        list.clone(),
        json!(list).to_string(),
        json!({"pixellab_jobs_v1": list, "theme": "dark"}).to_string(),
        format!("{{\"pixellab_jobs_v1\": {list}}}"),
        answer.to_string(),
    ] {
        let home = Home::new();
        let said = home.run_with(&["import", "-"], &text);
        assert_eq!(said.code, 0, "{text}: {said:?}");
        assert_eq!(jobs(&home).as_array().map(Vec::len), Some(2), "{text}");
    }
}

#[test]
fn f7_an_import_that_removes_most_asks_first() {
    let home = Home::with(OLD);
    let text = std::fs::read_to_string(home.file()).expect("the file");
    let mut file: Value = serde_json::from_str(&text).expect("JSON");
    file["jobs"] = json!([]);
    let text = file.to_string();
    let tried = home
        .run_with(&["import", "--dry-run", "-"], &text)
        .expect(0);
    assert!(
        tried.out.contains("2 moved to the bin") && tried.out.contains("--yes"),
        "{tried:?}"
    );
    let said = home.run_with(&["import", "-"], &text).expect(8);
    assert!(
        said.err.contains("2 of 2") && said.err.contains("--yes"),
        "{said:?}"
    );
    assert_eq!(jobs(&home).as_array().map(Vec::len), Some(2));
    home.run_with(&["import", "--yes", "-"], &text).expect(0);
    assert_eq!(jobs(&home), json!([]));
}

#[test]
fn check_tells_what_an_edit_would_do() {
    let home = Home::with(OLD);
    let path = home.file();
    let path = path.to_str().expect("a path");
    home.run(&["check", path]).expect(0);
    let text = std::fs::read_to_string(home.file()).expect("the file");
    std::fs::write(home.file(), text.replace("a knight", "a mage")).expect("written");
    let said = home.run(&["check", path]).expect(9);
    assert!(said.out.contains("1 changed"), "{said:?}");
    let told = home.run(&["check", "--json", path]).expect(9).json();
    assert_eq!(told["state"], "changes");
    assert_eq!(told["report"]["changed"], 1);
    // Another file, for this document.
    let other = home.root().join("other.json");
    std::fs::write(&other, r#"{"jobs": [{"id": "job-7", "prompt": "x"}]}"#).expect("written");
    let folder = home.folder();
    let arguments = [
        "check",
        other.to_str().expect("a path"),
        "--into",
        folder.to_str().expect("a path"),
    ];
    let said = home.run(&arguments).expect(9);
    assert!(said.out.contains("1 added"), "{said:?}");
}

/// F6: what a script left that knows nothing of versions, told as the next start takes it in.
#[test]
fn f6_check_compares_a_file_without_its_version_with_what_the_file_held() {
    let home = Home::with(OLD);
    let more = r#"{"jobs": [{"id": "job-8", "prompt": "x"}, {"id": "job-9", "prompt": "y"}]}"#;
    home.run_with(&["import", "-"], more).expect(0);
    let text = std::fs::read_to_string(home.file()).expect("the file");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let root = json.as_object_mut().expect("an object");
    root.remove("sync").expect("a version");
    root["jobs"].as_array_mut().expect("jobs").remove(1);
    std::fs::write(home.file(), json.to_string()).expect("written");
    let path = home.file();
    let said = home.run(&["check", path.to_str().expect("a path")]);
    assert!(said.out.contains("1 moved to the bin"), "{said:?}");
    home.run(&["backup", "create"]).expect(0);
    let jobs = home.run(&["export"]).expect(0).json()["jobs"].clone();
    assert_eq!(jobs.as_array().map(Vec::len), Some(3));
}

/// F11: a folder that another machine filled, and that this one never opened.
#[test]
fn f11_check_reads_a_history_that_lies_beside_the_file() {
    let theirs = Home::with(OLD);
    let path = theirs.file();
    let path = path.to_str().expect("a path");
    let check = |code| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plainsync"));
        command
            .args(["check", path, "--state"])
            .arg(theirs.root().join("other-state"));
        let said = crate::support::said(command.output().expect("it ran"));
        said.expect(code)
    };
    check(0);
    let text = std::fs::read_to_string(path).expect("the file");
    std::fs::write(path, text.replace("a knight", "a mage")).expect("written");
    let said = check(9);
    assert!(said.out.contains("1 changed"), "{said:?}");
    assert!(
        !theirs.root().join("other-state").exists(),
        "looking makes nothing"
    );
}

#[test]
fn f7_a_change_of_the_files_own_fields_is_told() {
    let home = Home::with(
        r#"{"notes": "hello", "jobs": [{"id": "job-1", "prompt": "x", "createdAt": 1}], "lastJobId": 2}"#,
    );
    let mut file = home.run(&["export"]).expect(0).json();
    file["notes"] = json!("edited");
    let edited = home.root().join("edited.json");
    std::fs::write(&edited, file.to_string()).expect("a file");
    let edited = edited.to_str().expect("a path");
    let said = home
        .run_with(&["import", "--dry-run", edited], "")
        .expect(0);
    assert!(
        said.out.contains("1 field of the file itself changed"),
        "{said:?}"
    );
    let said = home.run(&["import", edited]).expect(0);
    assert!(
        said.out.contains("1 field of the file itself changed"),
        "{said:?}"
    );
    assert_eq!(home.run(&["export"]).expect(0).json()["notes"], "edited");
    // What `/load-jobs` answers is records and no more.
    let answer = json!({"status": "ok", "message": "Loaded 1 jobs", "jobs": file["jobs"], "lastJobId": 2,
        "sync": file["sync"]});
    home.run_with(&["import", "-"], &answer.to_string())
        .expect(0);
    assert_eq!(home.run(&["export"]).expect(0).json()["notes"], "edited");
}

#[test]
fn t5_a_sheet_is_not_read_and_the_sentence_says_what_is() {
    let home = Home::with(OLD);
    let sheet = home.root().join("jobs.xlsx");
    let sheet = sheet.to_str().expect("a path");
    home.run(&["export", "--format", "xlsx", "--output", sheet])
        .expect(0);
    for command in [&["import", sheet][..], &["check", sheet]] {
        let said = home.run(command).expect(7);
        for part in [sheet, "Excel", "CSV", "not read"] {
            assert!(said.err.contains(part), "{part:?} is not in: {said:?}");
        }
    }
}
