//! `doctor` finds what is damaged, wherever it is, and `--repair` loses nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use plainsync::document::examine::{Severity, examine};
use plainsync::document::place::Place;
use proptest::prelude::*;

use crate::support::{Home, OLD, PIXEL};

/// A document with images, a published journal and a kept version.
fn home() -> Home {
    let home = Home::with(&OLD.replace("\"result\": null", &format!("\"result\": \"{PIXEL}\"")));
    home.run(&["doctor"]).expect(0);
    home
}

/// The files that hold the history, apart from the JSON: a byte that changed in any of them must be told.
fn guarded(home: &Home) -> Vec<PathBuf> {
    let is_guarded = |path: &Path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = path.to_string_lossy();
        name == "journal" || name.ends_with(".journal") || text.contains("/blobs/")
    };
    let files = home.files().into_iter().map(|(path, _)| path);
    files.filter(|path| is_guarded(path)).collect()
}

fn place(home: &Home) -> Place {
    Place::find(&home.folder(), &home.state()).expect("a place")
}

#[test]
fn doctor_finds_nothing_where_nothing_is_wrong() {
    let home = home();
    let said = home.run(&["doctor"]).expect(0);
    assert!(said.out.contains("nothing is damaged"), "{said:?}");
    let told = home.run(&["doctor", "--json"]).expect(0).json();
    assert_eq!(
        (&told["damaged"], &told["jobs"]),
        (&false.into(), &2.into())
    );
    assert!(told["images"].as_u64() > Some(0));
    assert!(told["records"].as_u64() > Some(1));
}

#[test]
fn doctor_tells_path_and_offset_of_a_flipped_byte_and_repairs_it() {
    let untouched = home();
    let exported = untouched.run(&["export"]).expect(0).out;
    let count = guarded(&untouched).len();
    assert!(count >= 3, "a journal, a published one, an image");
    for nth in 0..count {
        let home = home();
        let before = home.run(&["export"]).expect(0).json()["jobs"].clone();
        let path = guarded(&home).swap_remove(nth);
        let mut bytes = std::fs::read(&path).expect("the file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        std::fs::write(&path, &bytes).expect("written");
        let said = home.run(&["doctor"]).expect(10);
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        assert!(said.out.contains(&name), "{name}: {said:?}");
        if name.ends_with("journal") {
            assert!(said.out.contains(", byte "), "{said:?}");
        }
        assert_eq!(
            std::fs::read(&path).expect("the file"),
            bytes,
            "looking changes nothing"
        );
        let said = home.run(&["doctor", "--repair"]).expect(0);
        assert!(said.err.contains("copied into"), "{said:?}");
        let kept = home.files().into_iter();
        let kept = kept.filter(|(path, _)| path.to_string_lossy().contains("aside-"));
        assert!(
            kept.map(|(_, kept)| kept).any(|kept| kept == bytes),
            "{name} is kept aside"
        );
        let after = home.run(&["export"]).expect(0).json()["jobs"].clone();
        assert_eq!(after, before, "{name}: nothing is lost");
    }
    assert!(exported.contains("a knight"));
}

#[test]
fn doctor_repairs_what_says_which_document_and_which_device_it_is() {
    for name in ["document", "device"] {
        let home = home();
        let before = home.run(&["export"]).expect(0).json()["jobs"].clone();
        let files = home.files().into_iter();
        let found = files
            .map(|(path, _)| path)
            .find(|path| path.file_name() == Some(name.as_ref()));
        let path = found.expect("it is there");
        std::fs::write(&path, "nonsense").expect("written");
        home.run(&["export"]).expect(4);
        let said = home.run(&["doctor"]).expect(10);
        assert!(said.out.contains(&path.display().to_string()), "{said:?}");
        home.run(&["doctor", "--repair"]).expect(0);
        let after = home.run(&["export"]).expect(0).json()["jobs"].clone();
        assert_eq!(after, before, "{name}");
    }
}

#[test]
fn f2_f7_doctor_repairs_the_json_and_its_backup_from_the_history() {
    let home = home();
    let more = r#"{"jobs": [{"id": "job-9", "prompt": "a dragon"}]}"#;
    home.run_with(&["import", "-"], more).expect(0);
    let before = home.run(&["export"]).expect(0).out;
    for name in ["job_history.json", "job_history.json.backup"] {
        let path = home.folder().join(name);
        let mut bytes = std::fs::read(&path).expect("the file");
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, &bytes).expect("written");
        let said = home.run(&["doctor"]).expect(10);
        assert!(
            said.out.contains("line ") && said.out.contains(name),
            "{said:?}"
        );
        let said = home.run(&["doctor", "--repair"]).expect(0);
        assert!(said.err.contains("copied into"), "{said:?}");
        assert_eq!(home.run(&["export"]).expect(0).out, before, "{name}");
    }
    assert_eq!(
        std::fs::read_to_string(home.file()).expect("the file"),
        before
    );
}

#[test]
fn doctor_tells_what_else_lies_about() {
    let home = home();
    for name in [
        ".syncthing.job_history.json.tmp",
        ".job_history.json.0011223344556677.plainsync-tmp",
    ] {
        std::fs::write(home.folder().join(name), "half").expect("written");
    }
    std::fs::write(home.file(), OLD).expect("written");
    let said = home.run(&["doctor"]).expect(0);
    for part in ["a folder syncer", "a crash left it", "names no version"] {
        assert!(said.out.contains(part), "{part:?} is not in: {}", said.out);
    }
    std::fs::remove_file(home.file()).expect("removed");
    let said = home.run(&["doctor"]).expect(0);
    assert!(said.out.contains("the file is missing"), "{said:?}");
}

#[test]
fn doctor_repairs_nothing_under_a_server() {
    let home = home();
    let served = home.serve(&[]);
    let path = guarded(&home)
        .into_iter()
        .find(|path| path.to_string_lossy().contains("/blobs/"));
    std::fs::write(path.expect("an image"), "x").expect("damaged");
    home.run(&["doctor"]).expect(10);
    let said = home.run(&["doctor", "--repair"]).expect(5);
    assert!(said.err.contains("stop it first"), "{said:?}");
    drop(served);
    home.run(&["doctor", "--repair"]).expect(0);
}

#[test]
fn doctor_prints_what_git_needs() {
    let home = home();
    let said = home.run(&["doctor", "--git"]).expect(0);
    for part in [
        "job_history.json merge=plainsync",
        "plainsync merge-driver %O %A %B %P",
        "git config",
        ".gitignore",
    ] {
        assert!(said.out.contains(part), "{part:?} is not in: {}", said.out);
    }
}

/// A document that has all that can lie beside a JSON: images, linked and not, kept versions, a
/// backup, an archive, an offer, and what an old client holds.
fn rich() -> Home {
    let home = home();
    let more = r#"{"jobs": [{"id": "job-9", "prompt": "a dragon"}]}"#;
    home.run_with(&["import", "-"], more).expect(0);
    home.run(&["backup", "create", "named"]).expect(0);
    std::fs::write(home.file(), "{ half").expect("written");
    home.run(&["answer", "keep"]).expect(0);
    let older = std::fs::read(home.file()).expect("the file");
    {
        let served = home.serve(&["--images", "files"]);
        let address = served
            .url
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let mut socket = TcpStream::connect(address).expect("it listens");
        let request =
            format!("GET /load-jobs HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("asked");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    } // kill -9: its word for commands stays.
    home.run(&["backup", "create"]).expect(0);
    std::fs::write(home.file(), older).expect("put back");
    home.run(&["backup", "create"]).expect(0);
    let said = home.run(&["doctor"]).expect(0);
    assert!(said.out.contains("nothing is damaged"), "{said:?}");
    home
}

/// Everything but the JSON, which people edit.
fn beside(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = home.files();
    files.retain(|(path, bytes)| *path != home.file() && !bytes.is_empty());
    files
}

/// What is written anew by whoever opens the folder, and until then counts for nothing.
fn is_hint(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["lock", "server", "projected", "projected.next", "written"].contains(&&*name)
}

/// Whether doctor tells of `path` while it holds `bytes`, and as what.
fn told(home: &Home, path: &Path, bytes: &[u8]) -> Option<Severity> {
    let before = std::fs::read(path).expect("the file");
    std::fs::write(path, bytes).expect("written");
    let examined = examine(&place(home));
    std::fs::write(path, before).expect("written back");
    let findings = examined.findings.iter();
    let of_it = findings.filter(|finding| finding.path == *path);
    of_it.map(|finding| finding.severity).max()
}

#[test]
fn f2_everything_beside_the_json_is_looked_at() {
    let home = rich();
    let files: Vec<PathBuf> = beside(&home).into_iter().map(|(path, _)| path).collect();
    for part in [
        "job_history.json.backup",
        "job_history.images/",
        "/blobs/",
        "named.json",
        ".hourly.json",
        "/archive/",
        ".plainsync/lock",
        ".journal",
        "/device",
        "/document",
        "/journal",
        "/projected",
        "/projected.next",
        "/written",
        "/offered",
        "/offer",
        "/clients",
        "/server",
    ] {
        let is_there = |path: &PathBuf| path.to_string_lossy().contains(part);
        assert!(files.iter().any(is_there), "{part} is not in {files:#?}");
    }
    // At a few places of each, whatever its size; the property below draws the rest.
    for (path, bytes) in beside(&home) {
        for at in [0, bytes.len() / 3, bytes.len() - 2, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let expected = if is_hint(&path) {
                Severity::Note
            } else {
                Severity::Damage
            };
            let found = told(&home, &path, &flipped);
            assert_eq!(found, Some(expected), "{} at {at}", path.display());
        }
    }
}

#[test]
fn f2_doctor_repairs_whatever_is_damaged_and_loses_nothing() {
    let home = rich();
    let before = home.run(&["export"]).expect(0).out;
    for (path, bytes) in beside(&home) {
        let is_archived = path.to_string_lossy().contains("/archive/");
        if is_hint(&path) || is_archived || !path.exists() {
            continue; // Harmless, or nothing that could be made again.
        }
        let bytes = std::fs::read(&path).unwrap_or(bytes);
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 0x04;
        std::fs::write(&path, &flipped).expect("written");
        home.run(&["doctor"]).expect(10);
        let said = home.run(&["doctor", "--repair"]).expect(0);
        assert!(said.err.contains("copied into"), "{said:?}");
        let mut kept = home.files().into_iter();
        let is_kept =
            kept.any(|(at, kept)| at.to_string_lossy().contains("aside-") && kept == flipped);
        assert!(is_kept, "{} is kept aside", path.display());
        assert_eq!(
            home.run(&["export"]).expect(0).out,
            before,
            "{}",
            path.display()
        );
    }
}

#[test]
fn f2_what_the_history_gives_is_written_again_byte_for_byte() {
    let home = rich();
    for part in [".hourly.json", "named.json", "job_history.images/"] {
        let mut found = beside(&home).into_iter();
        let found = found.rfind(|(path, _)| path.to_string_lossy().contains(part));
        let (path, bytes) = found.expect("it is there");
        let word = b"knight";
        let at = bytes.windows(word.len()).position(|window| window == word);
        let at = at.unwrap_or(bytes.len() / 2);
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).expect("written");
        let said = home.run(&["doctor"]).expect(10);
        if part.ends_with(".json") {
            assert!(said.out.contains(&format!(", byte {at}: ")), "{said:?}");
        }
        home.run(&["doctor", "--repair"]).expect(0);
        assert!(
            std::fs::read(&path).expect("the file") == bytes,
            "{}",
            path.display()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// One byte changed anywhere beside the JSON or in the state: never a panic, and always told.
    #[test]
    fn doctor_tells_of_every_flipped_byte(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        thread_local!(static RICH: (Home, Vec<(PathBuf, Vec<u8>)>) = {
            let home = rich();
            let files = beside(&home);
            (home, files)
        });
        RICH.with(|(home, files)| {
            let (path, bytes) = &files[which.index(files.len())];
            let mut flipped = bytes.clone();
            let at = at.index(flipped.len());
            flipped[at] ^= 1 << bit;
            let found = told(home, path, &flipped);
            let is_told = found == Some(Severity::Damage) || (is_hint(path) && found.is_some());
            prop_assert!(is_told, "{} at {at}, bit {bit}: {found:?}", path.display());
            Ok(())
        })?;
    }
}
