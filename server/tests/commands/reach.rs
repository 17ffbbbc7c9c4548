//! One way to a document: without a server, through one, beside another command.

use std::process::Stdio;

use crate::support::{Home, OLD};

#[test]
fn s7_what_a_command_did_is_in_the_file_when_it_ends() {
    let home = Home::with(OLD);
    let said = home.run(&["clear", "--yes"]).expect(0);
    assert_eq!(said.out, "2 jobs moved to the bin\n");
    let text = std::fs::read_to_string(home.file()).expect("the file");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(file["jobs"], serde_json::json!([]));
    assert_eq!(file["lastJobId"], 3, "labels are not given twice");
    let path = home.file();
    home.run(&["check", path.to_str().expect("a path")])
        .expect(0);
}

#[test]
fn looking_changes_nothing_on_disk() {
    let home = Home::new();
    std::fs::write(home.file(), OLD).expect("written");
    let file = home.file();
    let file = file.to_str().expect("a path");
    let commands: [&[&str]; 7] = [
        &["export"],
        &["export", "--format", "csv"],
        &["export", "--query", "knight"],
        &["check", file],
        &["import", "--dry-run", file],
        &["clear"],
        &["doctor"],
    ];
    for _ in ["before it was opened", "after it was"] {
        let before = home.files();
        for command in commands {
            let said = home.run(command);
            assert!([0, 8, 9].contains(&said.code), "{command:?}: {said:?}");
            assert!(home.files() == before, "{command:?} wrote something");
        }
        home.run(&["import", file]).expect(0);
    }
}

#[test]
fn commands_reach_a_running_server_also_one_with_a_token() {
    for arguments in [&[][..], &["--token", "a-long-secret-of-a-server"][..]] {
        let home = Home::with(OLD);
        let served = home.serve(arguments);
        let text = home.run(&["export", "--format", "csv"]).expect(0);
        assert!(text.out.contains("a knight"), "{text:?}");
        let path = home.file();
        home.run(&["check", path.to_str().expect("a path")])
            .expect(0);
        let more = r#"{"jobs": [{"id": "job-9", "prompt": "a dragon"}]}"#;
        let said = home.run_with(&["import", "-"], more).expect(0);
        assert_eq!(said.out, "took in stdin with 1 job: 1 added\n");
        let said = home.run(&["clear"]).expect(8);
        assert!(said.err.contains("3 jobs"), "{said:?}");
        home.run(&["clear", "--yes"]).expect(0);
        let said = home.run(&["export"]).expect(0);
        assert_eq!(said.json()["jobs"], serde_json::json!([]));
        let said = home.run(&["doctor"]).expect(0);
        assert!(said.out.contains("somebody has it open"), "{said:?}");
        let said = home.run(&["doctor", "--repair"]).expect(0);
        assert!(said.out.contains("nothing is damaged"), "{said:?}");
        drop(served);
        home.run(&["export"]).expect(0);
    }
}

/// The word that a server left is believed only while its process holds the lock.
#[test]
fn a_killed_server_is_in_nobodys_way() {
    let home = Home::with(OLD);
    drop(home.serve(&["--token", "a-long-secret-of-a-server"])); // kill -9
    let said = home.run_with(
        &["import", "-"],
        r#"{"jobs": [{"id": "job-9", "prompt": "x"}]}"#,
    );
    said.expect(0);
}

#[test]
fn f11_a_second_server_is_told_who_serves() {
    let home = Home::with(OLD);
    let served = home.serve(&[]);
    let mut second = home.command(&["serve", "--port", "0"]);
    let output = second.arg(home.folder()).output().expect("it ran");
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in [served.url.as_str(), &served.pid().to_string()] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_typing_error_makes_no_document() {
    let home = Home::new();
    for command in [&["export"][..], &["clear", "--yes"], &["doctor"]] {
        let said = home.run(command).expect(4);
        assert!(said.err.contains("there is nothing at"), "{said:?}");
    }
    assert!(home.files().is_empty());
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let home = Home::with(OLD);
    let mut command = home.command(&["export"]);
    command.arg("--file").arg(home.folder());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let output = crate::support::finished(child, &["export"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn f7_clear_makes_an_unreadable_file_readable_again() {
    let home = Home::with(OLD);
    std::fs::write(home.file(), "{ half").expect("written");
    home.run(&["clear"]).expect(8);
    let said = home.run(&["clear", "--yes"]).expect(0);
    assert!(said.err.contains("archive"), "{said:?}");
    let text = std::fs::read_to_string(home.file()).expect("the file");
    let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(file["jobs"], serde_json::json!([]));
    let kept = home
        .files()
        .into_iter()
        .any(|(_, bytes)| bytes == b"{ half");
    assert!(kept, "what was there is kept");
}

/// T4: the certificate need not be one that anybody else trusts, only the server's own.
#[test]
fn t4_commands_reach_a_server_over_https_by_its_own_certificate() {
    let home = Home::with(OLD);
    let made = rcgen::generate_simple_self_signed(vec!["board.example".to_owned()]);
    let made = made.expect("a certificate");
    let (cert, key) = (home.root().join("cert.pem"), home.root().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let paths = [&cert, &key].map(|path| path.to_str().expect("a path"));
    let served = home.serve(&["--tls", paths[0], paths[1]]);
    assert!(served.url.starts_with("https://"), "{}", served.url);
    let said = home.run(&["export"]).expect(0);
    assert_eq!(said.json()["jobs"].as_array().map(Vec::len), Some(2));
}

#[test]
fn commands_wait_for_each_other() {
    let home = Home::with(OLD);
    std::thread::scope(|scope| {
        for nth in 10..14 {
            let home = &home;
            scope.spawn(move || {
                let job = format!("{{\"jobs\": [{{\"id\": \"job-{nth}\", \"prompt\": \"x\"}}]}}");
                home.run_with(&["import", "-"], &job).expect(0);
            });
        }
    });
    let jobs = home.run(&["export"]).expect(0).json()["jobs"].clone();
    assert_eq!(jobs.as_array().map(Vec::len), Some(6));
}

/// Nobody has to wait after the address is said.
#[test]
fn s7_a_server_that_is_stopped_as_soon_as_it_says_its_address_drains() {
    let home = Home::with(OLD);
    for _ in 0..5 {
        let served = home.serve(&[]);
        assert_eq!(served.stop(), Some(0));
    }
}
