//! F7: whatever lies at the file's name, `check` says what and where, changes nothing, and ends.

use std::path::Path;

use crate::support::{Home, OLD};

/// One text, how `check` ends on it, and what its sentence names.
struct Case {
    name: &'static str,
    text: Vec<u8>,
    code: i32,
    says: &'static [&'static str],
}

fn case(
    name: &'static str,
    text: impl Into<Vec<u8>>,
    code: i32,
    says: &'static [&'static str],
) -> Case {
    Case {
        name,
        text: text.into(),
        code,
        says,
    }
}

fn job(fields: &str) -> Vec<u8> {
    format!("{{\"jobs\": [\n  {{\"id\": \"job-1\", {fields}}}\n]}}").into_bytes()
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let bytes = |unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    units.flat_map(bytes).collect()
}

fn cases() -> Vec<Case> {
    let foreign = r#"{"jobs": [{"id": "job-1", "prompt": "a"}], "sync": {"document": "4NMNnkMhL8jXrdJ9jamS58PAVdXu", "heads": ["47b9d4137b4a7444afeba57a30edf8d0cc88de5a0b15885766e0b1b7dc4f3c9a"]}}"#;
    let nested = |open: &str, close: &str| {
        job(&format!(
            "\"x\": {}1{}",
            open.repeat(5_000),
            close.repeat(5_000)
        ))
    };
    vec![
        case("empty", "", 7, &["line 1, column 1", "empty"]),
        case("white space", " \n\n", 7, &["line 1, column 1", "empty"]),
        case(
            "half",
            &OLD.as_bytes()[..60],
            7,
            &["line ", "column ", "ends in the middle"],
        ),
        case(
            "BOM",
            format!("\u{feff}{OLD}"),
            7,
            &["line 1, column 1", "byte order mark"],
        ),
        case(
            "UTF-16 LE",
            utf16(OLD, false),
            7,
            &["line 1, column 1", "UTF-16"],
        ),
        case(
            "UTF-16 BE",
            utf16(OLD, true),
            7,
            &["line 1, column 1", "UTF-16"],
        ),
        case(
            "NUL at the end",
            format!("{}\0\0\0", &OLD[..40]),
            7,
            &["NUL", "column "],
        ),
        case("only NUL", vec![0; 4_096], 7, &["line 1, column 1", "NUL"]),
        case(
            "merge markers",
            "{\"jobs\": [\n<<<<<<< HEAD\n=======\n>>>>>>> x\n]}",
            7,
            &["line 2, column 1", "merge conflict"],
        ),
        case(
            "a key twice",
            "{\"jobs\": [],\n\"jobs\": []}",
            7,
            &["line 2, column 1", "twice"],
        ),
        case(
            "a field twice",
            job("\"prompt\": \"a\",\n\"prompt\": \"b\""),
            7,
            &["line 3, column 1", "twice"],
        ),
        case(
            "an id twice",
            "{\"jobs\": [\n{\"id\": \"job-1\", \"prompt\": \"a\"},\n{\"id\": \"job-1\", \"prompt\": \"b\"}]}",
            9,
            &["2 added", "\"job-1\"", "lines 2 and 3"],
        ),
        case(
            "lists 5,000 deep",
            nested("[", "]"),
            7,
            &["line 2, column ", "deep"],
        ),
        case(
            "objects 5,000 deep",
            nested("{\"a\":", "}"),
            7,
            &["line 2, column ", "deep"],
        ),
        case(
            "100 MB of text",
            job(&format!("\"prompt\": \"{}\"", "x".repeat(100_000_000))),
            7,
            &["line 2, column ", "limit"],
        ),
        case(
            "1e400",
            job("\"width\": 1e400"),
            7,
            &["line 2, column ", "1e400"],
        ),
        case(
            "2^64",
            job("\"width\": 18446744073709551616"),
            7,
            &["line 2, column ", "18446744073709551616"],
        ),
        case("-0", job("\"width\": -0"), 9, &["1 added"]),
        case("-0.0", job("\"width\": -0.0"), 9, &["1 added"]),
        case(
            "half a surrogate pair",
            job(r#""prompt": "\ud800""#),
            7,
            &["line 2, column ", "surrogate"],
        ),
        case(
            "not UTF-8",
            b"{\"jobs\": [{\"id\": \"job-1\", \"prompt\": \"\xc3\"}]}".to_vec(),
            7,
            &["line 1, column ", "UTF-8"],
        ),
        case(
            "an id of __proto__",
            r#"{"jobs": [{"id": "__proto__", "prompt": "a"}]}"#,
            9,
            &["1 added"],
        ),
        case(
            "a field of __proto__",
            job(r#""__proto__": {"polluted": true}"#),
            9,
            &["1 added"],
        ),
        case(
            "jobs an object",
            r#"{"jobs": {"job-1": {}}}"#,
            7,
            &["line 1, column 10", "an object"],
        ),
        case(
            "lastJobId a text",
            r#"{"jobs": [], "lastJobId": "five"}"#,
            7,
            &["line 1, column ", "lastJobId"],
        ),
        case(
            "a job that is a number",
            r#"{"jobs": [5]}"#,
            7,
            &["line 1, column 11", "jobs[0]"],
        ),
        case("no jobs", r#"{"a": 1}"#, 7, &["line 1, column 1", "jobs"]),
        case("a list", "[1]", 7, &["line 1, column 1"]),
        case("words", "hello", 7, &["line 1, column 1"]),
        case(
            "no version in sync",
            r#"{"jobs": [], "sync": 7}"#,
            7,
            &["line 1, column ", "sync"],
        ),
        case("another document's", foreign, 9, &["1 added"]),
        case(
            "an image that is not here",
            job(&format!("\"result\": \"blob:sha256-{}\"", "0".repeat(64))),
            9,
            &["1 added", "is not here"],
        ),
    ]
}

#[test]
fn f7_check_names_line_and_column_in_files_that_no_server_saw() {
    let home = Home::new();
    for case in cases() {
        std::fs::write(home.file(), &case.text).expect("written");
        let before = home.files();
        let path = home.file();
        let said = home.run(&["check", path.to_str().expect("a path")]);
        let text = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, case.code, "{}: {text}", case.name);
        for part in case.says {
            assert!(
                text.contains(part),
                "{}: {part:?} is not in: {text}",
                case.name
            );
        }
        assert!(!text.contains("panicked"), "{}: {text}", case.name);
        assert!(
            home.files() == before,
            "{}: something was written",
            case.name
        );
    }
}

/// The same on a document with a history: it stays what it was, and is not called empty.
#[test]
fn f7_check_import_and_a_server_leave_the_history_as_it_is() {
    let home = Home::with(OLD);
    let good = std::fs::read(home.file()).expect("the file");
    for case in cases() {
        let is_large = case.text.len() > 1_000_000;
        if case.code != 7 || is_large {
            continue;
        }
        std::fs::write(home.file(), &case.text).expect("written");
        let before = home.files();
        let path = home.file();
        let said = home.run(&["check", path.to_str().expect("a path")]);
        assert_eq!(said.code, 7, "{}: {said:?}", case.name);
        assert!(
            home.files() == before,
            "{}: something was written",
            case.name
        );
        // Opened in earnest, the file is left alone and the history is whole.
        let said = home.run(&["import", path.to_str().expect("a path")]);
        assert_eq!(said.code, 7, "{}: {said:?}", case.name);
        assert!(
            std::fs::read(&path).expect("the file") == case.text,
            "{}",
            case.name
        );
        let said = home.run(&["export"]).expect(0);
        let jobs = said.json()["jobs"].as_array().map(Vec::len);
        assert_eq!(jobs, Some(2), "{}", case.name);
    }
    std::fs::write(home.file(), good).expect("written");
    let path = home.file();
    home.run(&["check", path.to_str().expect("a path")])
        .expect(0);
}

#[test]
fn f6_a_version_that_is_not_known_is_named() {
    let home = Home::with(OLD);
    let text = std::fs::read_to_string(home.file()).expect("the file");
    let heads = text.split("\"heads\"").nth(1).expect("a version");
    let head = heads.split('"').nth(1).expect("a head");
    let unknown = text.replace(head, &"a".repeat(64));
    std::fs::write(home.file(), unknown).expect("written");
    let path = home.file();
    let said = home
        .run(&["check", path.to_str().expect("a path")])
        .expect(6);
    assert!(
        said.err.contains("aaaa") && said.err.contains("version"),
        "{said:?}"
    );
    let json = home
        .run(&["check", "--json", path.to_str().expect("a path")])
        .expect(6);
    assert_eq!(json.json()["state"], "unknown-version");
}

#[cfg(unix)]
#[test]
fn f7_what_is_no_file_is_named_and_never_waited_for() {
    use std::os::unix::fs::symlink;
    let check = |prepare: &dyn Fn(&Path), code: i32, says: &str| {
        let home = Home::new();
        prepare(&home.file());
        let before = home.files();
        let path = home.file();
        let said = home.run(&["check", path.to_str().expect("a path")]);
        let text = format!("{}{}", said.out, said.err);
        assert_eq!(said.code, code, "{says}: {text}");
        assert!(text.contains(says), "{says:?} is not in: {text}");
        assert!(home.files() == before, "{says}: something was written");
    };
    check(&|_| {}, 4, "No such file");
    check(
        &|file| std::fs::create_dir_all(file.join("job_history.json")).expect("made"),
        4,
        "a folder",
    );
    check(
        &|file| {
            let made = std::process::Command::new("mkfifo").arg(file).status();
            assert!(made.expect("mkfifo").success());
        },
        4,
        "a pipe",
    );
    check(
        &|file| {
            let real = file.with_file_name("real.json");
            std::fs::write(real, OLD).expect("written");
            symlink("real.json", file).expect("a link");
        },
        9,
        "2 added",
    );
    check(
        &|file| {
            let outside = file
                .parent()
                .and_then(Path::parent)
                .expect("a folder")
                .join("outside.json");
            std::fs::write(&outside, OLD).expect("written");
            symlink(outside, file).expect("a link");
        },
        9,
        "2 added",
    );
    check(
        &|file| symlink("job_history.json", file).expect("a link"),
        4,
        "cannot be read",
    );
}

#[cfg(unix)]
#[test]
fn f7_a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    std::fs::write(home.file(), OLD).expect("written");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(home.file(), closed).expect("closed");
    if std::fs::read(home.file()).is_ok() {
        return; // The superuser may read everything.
    }
    let path = home.file();
    let said = home
        .run(&["check", path.to_str().expect("a path")])
        .expect(4);
    assert!(said.err.contains("ermission"), "{said:?}");
}

#[test]
fn f7_a_folder_in_the_place_of_the_file_is_not_looked_into() {
    let home = Home::with(OLD);
    std::fs::remove_file(home.file()).expect("removed");
    std::fs::create_dir(home.file()).expect("made");
    for command in [&["export"][..], &["clear", "--yes"], &["doctor"]] {
        let said = home.run(command).expect(4);
        assert!(said.err.contains("is a folder"), "{said:?}");
    }
    let mut serve = home.command(&["serve", "--port", "0"]);
    let output = serve.arg(home.folder()).output().expect("it ran");
    assert_eq!(output.status.code(), Some(4));
    std::fs::remove_dir(home.file()).expect("it is empty still");
    let said = home.run(&["export"]).expect(0);
    assert_eq!(said.json()["jobs"].as_array().map(Vec::len), Some(2));
}

/// A pipe in the place of the JSON of a served document is not waited for either.
#[cfg(unix)]
#[test]
fn f7_a_pipe_in_the_place_of_the_file_does_not_stop_a_command() {
    let home = Home::with(OLD);
    std::fs::remove_file(home.file()).expect("removed");
    let made = std::process::Command::new("mkfifo")
        .arg(home.file())
        .status();
    assert!(made.expect("mkfifo").success());
    let said = home.run(&["export"]).expect(0);
    assert_eq!(said.json()["jobs"].as_array().map(Vec::len), Some(2));
    home.run(&["doctor"]).expect(10);
}
