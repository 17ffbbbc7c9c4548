use std::fs;

use super::*;
use crate::document::disk::RealDisk;
use crate::document::disk::faulty::{FaultyDisk, Operation};

/// A folder with a JSON file in it, and a disk that can be made to fail.
struct Bench {
    folder: tempfile::TempDir,
    disk: FaultyDisk,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            disk: FaultyDisk::new(RealDisk),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn projection(&self) -> Projection {
        let document = DocumentId::from_random([5; 16]);
        Projection::new(Arc::new(self.disk.clone()), self.path("a.json"), document)
    }

    /// A projection that has written `text`.
    fn written(&self, text: &str) -> Projection {
        let mut projection = self.projection();
        assert_eq!(replace(&mut projection, text), Replaced::Written);
        projection
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .expect("a folder")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

fn replace(projection: &mut Projection, text: &str) -> Replaced {
    projection
        .replace(text.as_bytes(), &["h2".to_owned()])
        .expect("the disk works")
}

#[test]
fn f1_the_file_is_replaced_and_nothing_is_left_beside_it() {
    let bench = Bench::new();
    let mut projection = bench.written(r#"{"jobs": [1]}"#);
    assert_eq!(bench.names(), ["a.json"]);
    assert_eq!(
        replace(&mut projection, r#"{"jobs": [2]}"#),
        Replaced::Written
    );
    assert_eq!(bench.text("a.json"), r#"{"jobs": [2]}"#);
    assert_eq!(bench.names(), ["a.json", "a.json.backup"]);
    assert_eq!(replace(&mut projection, r#"{"jobs": [2]}"#), Replaced::Same);
}

#[test]
fn f2_the_backup_is_the_version_before_and_says_what_replaced_it() {
    let bench = Bench::new();
    let mut projection = bench.written(r#"{"jobs": [1]}"#);
    for n in 2..5 {
        replace(&mut projection, &format!(r#"{{"jobs": [{n}]}}"#));
        let backup: serde_json::Value =
            serde_json::from_str(&bench.text("a.json.backup")).expect("it parses");
        assert_eq!(backup["jobs"][0], n - 1);
        assert_eq!(backup["sync"]["replacedBy"][0], "h2");
    }
}

#[test]
fn f4_content_of_somebody_else_is_not_replaced_until_it_is_settled() {
    let bench = Bench::new();
    let mut projection = bench.written(r#"{"jobs": [1]}"#);
    let theirs = r#"{"jobs": ["theirs"]}"#;
    fs::write(bench.path("a.json"), theirs).expect("an edit");
    assert_eq!(
        replace(&mut projection, r#"{"jobs": [2]}"#),
        Replaced::Other
    );
    assert_eq!(bench.text("a.json"), theirs);
    let Ok(Found::Other(found)) = projection.find() else {
        panic!("it is found");
    };
    projection.settle(ContentHash::of(&found));
    assert_eq!(
        replace(&mut projection, r#"{"jobs": [2]}"#),
        Replaced::Written
    );
    assert!(bench.text("a.json.backup").contains("theirs"));
}

#[test]
fn f7_what_is_saved_in_the_moment_of_the_exchange_stays() {
    for theirs in [r#"{"jobs": ["theirs"]}"#, r#"{"jobs": ["half"#, ""] {
        let bench = Bench::new();
        let mut projection = bench.written(r#"{"jobs": [1]}"#);
        let path = bench.path("a.json");
        bench.disk.before(Operation::Exchange, "a.json", move || {
            fs::write(path, theirs).expect("an edit in the last moment");
        });
        assert_eq!(
            replace(&mut projection, r#"{"jobs": [2]}"#),
            Replaced::Other
        );
        assert_eq!(bench.text("a.json"), theirs);
        assert_eq!(bench.names(), ["a.json", "a.json.backup"]);
        assert_eq!(projection.take_displaced(), [theirs.as_bytes()]);
        assert!(projection.take_displaced().is_empty(), "it is told once");
    }
}

#[test]
fn f7_a_file_that_appears_where_none_was_is_not_replaced() {
    let bench = Bench::new();
    let path = bench.path("a.json");
    bench.disk.before(Operation::Rename, "a.json", move || {
        fs::write(path, "theirs").expect("a file in the last moment");
    });
    assert_eq!(replace(&mut bench.projection(), "{}"), Replaced::Other);
    assert_eq!(bench.text("a.json"), "theirs");
    assert_eq!(bench.names(), ["a.json"]);
}

#[cfg(unix)]
#[test]
fn f1_mode_and_symlink_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let bench = Bench::new();
    fs::create_dir(bench.path("real")).expect("a folder");
    symlink("real/b.json", bench.path("a.json")).expect("a link");
    let mut projection = bench.written("{}");
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(bench.path("real/b.json"), mode).expect("a mode");
    assert_eq!(
        replace(&mut projection, r#"{"jobs": []}"#),
        Replaced::Written
    );
    let link = fs::read_link(bench.path("a.json")).expect("still a link");
    assert_eq!(link, Path::new("real/b.json"));
    for name in ["real/b.json", "real/b.json.backup"] {
        let mode = fs::metadata(bench.path(name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
    assert_eq!(bench.text("real/b.json"), r#"{"jobs": []}"#);
    assert_eq!(bench.names(), ["a.json", "real"]);
}

#[test]
fn f1_when_any_step_fails_the_old_file_is_whole_and_the_next_attempt_works() {
    for (operation, part) in [
        (Operation::Read, "a.json"),
        (Operation::Open, "backup"),
        (Operation::Write, "backup"),
        (Operation::Sync, "backup"),
        (Operation::Rename, "backup"),
        (Operation::Open, ".a.json."),
        (Operation::Write, ".plainsync-tmp"),
        (Operation::Read, ".plainsync-tmp"),
        (Operation::Sync, ".plainsync-tmp"),
        (Operation::Rename, ".plainsync-swap"),
        (Operation::Exchange, "a.json"),
    ] {
        let bench = Bench::new();
        let mut projection = bench.written(r#"{"jobs": [1]}"#);
        bench
            .disk
            .fail_times(operation, part, io::ErrorKind::StorageFull, 1);
        let error = projection
            .replace(br#"{"jobs": [2]}"#, &[])
            .expect_err("it fails");
        assert!(error.to_string().contains("a.json"), "{error}");
        assert_eq!(bench.disk.failures(), 1, "{operation:?} of {part}");
        assert_eq!(
            bench.text("a.json"),
            r#"{"jobs": [1]}"#,
            "{operation:?} of {part}"
        );
        assert!(
            bench.names().iter().all(|name| !name.starts_with('.')),
            "{operation:?}: {:?}",
            bench.names()
        );
        assert_eq!(
            replace(&mut projection, r#"{"jobs": [2]}"#),
            Replaced::Written
        );
    }
}

#[test]
fn f1_a_folder_that_could_not_be_synced_is_synced_by_the_next_attempt() {
    let bench = Bench::new();
    let mut projection = bench.projection();
    let operation = Operation::SyncFolder;
    bench
        .disk
        .fail_times(operation, "", io::ErrorKind::Other, 2);
    projection
        .replace(b"{}", &[])
        .expect_err("renamed, not synced");
    projection
        .replace(b"{}", &[])
        .expect_err("still not synced");
    assert_eq!(bench.disk.failures(), 2);
    assert_eq!(replace(&mut projection, "{}"), Replaced::Same);
}

#[test]
fn f1_without_an_exchange_a_rename_does() {
    let bench = Bench::new();
    let mut projection = bench.written(r#"{"jobs": [1]}"#);
    bench
        .disk
        .fail(Operation::Exchange, "", io::ErrorKind::Unsupported);
    let replaced = replace(&mut projection, r#"{"jobs": [2]}"#);
    assert_eq!(replaced, Replaced::Written);
    assert_eq!(bench.text("a.json"), r#"{"jobs": [2]}"#);
}

#[test]
fn f7_leftovers_of_a_crash_are_told_apart() {
    let bench = Bench::new();
    let projection = bench.written("{}");
    let digits = "0123456789abcdef";
    for (name, text) in [
        (format!(".a.json.{digits}.plainsync-tmp"), "ours, half"),
        (
            format!(".a.json.backup.{digits}.plainsync-tmp"),
            "ours, half",
        ),
        (format!(".a.json.{digits}.plainsync-swap"), "theirs"),
        (
            format!(".other.json.{digits}.plainsync-tmp"),
            "another file's",
        ),
        (".a.json.swp".to_owned(), "an editor's"),
    ] {
        fs::write(bench.path(&name), text).expect("a leftover");
    }
    let strays = projection.strays().expect("listed");
    let swap = bench.path(&format!(".a.json.{digits}.plainsync-swap"));
    assert_eq!(strays, [(swap, b"theirs".to_vec())]);
    let kept = [
        format!(".a.json.{digits}.plainsync-swap"),
        ".a.json.swp".to_owned(),
        format!(".other.json.{digits}.plainsync-tmp"),
        "a.json".to_owned(),
    ];
    assert_eq!(bench.names(), kept);
}

#[test]
fn f1_what_does_not_parse_is_never_written() {
    let bench = Bench::new();
    let mut projection = bench.written("{}");
    let error = projection.replace(b"{\"jobs\": [", &[]).expect_err("half");
    assert!(
        matches!(error, ProjectionError::Unfaithful { .. }),
        "{error}"
    );
    assert_eq!(bench.text("a.json"), "{}");
}

#[test]
fn f7_what_somebody_saved_is_known_before_a_text_is_made_to_replace_it() {
    let bench = Bench::new();
    let version = |head: &str, more: &str| {
        format!(
            "{{\"jobs\": []{more}, \"sync\": {{\"document\": \"d\", \"heads\": [\"{head}\"]}}}}"
        )
    };
    let ours = bench.written(&version("h1", ""));
    let next = ["h2".to_owned()];
    assert!(!ours.is_other(&next), "what we wrote may be replaced");
    fs::write(bench.path("a.json"), version("h1", ", \"by\": 1")).expect("saved");
    assert!(ours.is_other(&next), "a hand edit is not");
    fs::write(bench.path("a.json"), "half a fi").expect("saved");
    assert!(ours.is_other(&next), "nor is what does not parse");
    fs::write(bench.path("a.json"), version("h2", "")).expect("saved");
    assert!(!ours.is_other(&next), "another machine wrote this version");
    fs::remove_file(bench.path("a.json")).expect("removed");
    assert!(!ours.is_other(&next), "nothing is there to be kept");
}
