//! The program itself: exit codes and sentences for what cannot be served.

use std::process::{Command, Output};

fn serve(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plainsync"))
        .arg("serve")
        .args(arguments)
        .env_remove("PLAINSYNC_TOKEN")
        .output()
        .unwrap()
}

fn sentence(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn t4_an_open_host_without_a_token_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job_history.json");
    let output = serve(&[file.to_str().unwrap(), "--host", "0.0.0.0", "--port", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        sentence(&output).contains("--token"),
        "{}",
        sentence(&output)
    );
    assert!(output.stdout.is_empty());
    assert!(!file.exists());
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = serve(&[folder.path().to_str().unwrap(), "--port", &port]);
    assert_eq!(output.status.code(), Some(3));
    let said = sentence(&output);
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
    assert!(
        std::fs::read_dir(folder.path()).unwrap().next().is_none(),
        "nothing was touched"
    );
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain");
    std::fs::write(&file, "not a folder").unwrap();
    let below = file.join("job_history.json");
    let output = serve(&[
        below.to_str().unwrap(),
        "--port",
        "0",
        "--state",
        folder.path().join("state").to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(4), "{}", sentence(&output));
    assert!(sentence(&output).contains("plain"), "{}", sentence(&output));
    assert!(
        output.stdout.is_empty(),
        "no address is printed for what is not served"
    );
}

#[test]
fn t1_unusable_origins_and_hosts_are_refused_at_the_start() {
    for arguments in [
        ["--allow-origin", "*"],
        ["--allow-host", "a/b"],
        ["--token", ""],
        ["--max-parallel-jobs", "0"],
        ["--log", "=,="],
    ] {
        let output = serve(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!sentence(&output).is_empty());
    }
}

#[test]
fn t4_a_certificate_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("cert.pem");
    std::fs::write(&pem, "nothing").unwrap();
    let (path, pem) = (folder.path().to_str().unwrap(), pem.to_str().unwrap());
    let output = serve(&[path, "--port", "0", "--tls", pem, pem]);
    assert_eq!(output.status.code(), Some(2), "{}", sentence(&output));
    assert!(
        sentence(&output).contains("cert.pem"),
        "{}",
        sentence(&output)
    );
}
