//! Old clients: what is remembered of each, for how long, and after damage.

use super::*;
use crate::document::disk::RealDisk;

fn version(n: usize) -> Handed {
    Handed {
        heads: vec![format!("{n:064x}")],
        fingerprint: None,
    }
}

fn open(folder: &tempfile::TempDir) -> Clients {
    Clients::open(Arc::new(RealDisk), folder.path().join("clients"), 1_000)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn l2_a_save_replaces_what_its_client_had_and_a_load_adds_to_it() {
    let folder = folder();
    let (a, b) = (OldClient::named("a"), OldClient::named("b"));
    let mut clients = open(&folder);
    clients.gave(&a, &version(1), 3, 1_000);
    clients.gave(&a, &version(2), 4, 1_001);
    clients.gave(&b, &version(1), 3, 1_001);
    assert_eq!(clients.of(&a).holds, [version(1), version(2)]);
    clients.took(&a, Some(&version(3)), None, (4, "digest".to_owned()), 1_002);
    clients.keep();
    for clients in [clients, open(&folder)] {
        let held = clients.of(&a);
        assert_eq!((held.holds, held.records), (vec![version(3)], 4));
        assert_eq!(held.before, [version(1), version(2)]);
        assert_eq!(held.posted.as_deref(), Some("digest"));
        assert_eq!(clients.of(&b).holds, [version(1)], "after a restart, too");
        assert_eq!(clients.of(&OldClient::named("c")), Held::default());
    }
}

#[test]
fn l2_who_is_given_a_name_is_known_by_it_and_without() {
    let folder = folder();
    let mut clients = open(&folder);
    let first = OldClient::named("by address").or("by cookie");
    clients.gave(&first, &version(1), 3, 1_000);
    for name in ["by address", "by cookie"] {
        assert_eq!(clients.of(&OldClient::named(name)).holds, [version(1)]);
    }
}

#[test]
fn l2_versions_clients_and_their_age_are_bounded() {
    let folder = folder();
    let mut clients = open(&folder);
    let a = OldClient::named("a");
    for n in 0..BASE_VERSIONS_MAX + 5 {
        clients.gave(&a, &version(n), 3, 1_000);
        clients.took(&a, Some(&version(n + 100)), None, (3, String::new()), 1_000);
    }
    let held = clients.of(&a);
    assert_eq!(held.holds.len() + held.before.len(), BASE_VERSIONS_MAX);
    for n in 0..OLD_CLIENTS_MAX {
        clients.gave(
            &OldClient::named(format!("client {n}")),
            &version(n),
            3,
            1_001,
        );
    }
    assert_eq!(
        clients.of(&a),
        Held::default(),
        "heard of longest ago: forgotten"
    );
    assert_eq!(clients.known.len(), OLD_CLIENTS_MAX);
    clients.keep();
    let path = folder.path().join("clients");
    let late = 1_001 + OLD_CLIENT_AGE_SECONDS_MAX;
    assert!(
        Clients::open(Arc::new(RealDisk), path, late)
            .known
            .is_empty()
    );
    let long = OldClient::named("x".repeat(CLIENT_NAME_BYTES_MAX + 1));
    clients.gave(&long, &version(1), 3, 1_002);
    assert_eq!(clients.of(&long), Held::default());
}

#[test]
fn l2_a_file_that_has_grown_is_written_anew() {
    let folder = folder();
    let mut clients = open(&folder);
    let a = OldClient::named("a");
    let mut largest = 0;
    for n in 0..600 {
        clients.gave(&a, &version(n), 3, 1_000);
        clients.keep();
        largest = largest.max(clients.bytes);
    }
    assert!(
        (REWRITE_BYTES_MIN..REWRITE_BYTES_MIN + 10_000).contains(&largest),
        "{largest}"
    );
    assert_eq!(open(&folder).of(&a), clients.of(&a));
}

#[test]
fn l2_what_is_damaged_is_forgotten_and_never_an_error() {
    let folder = folder();
    let mut clients = open(&folder);
    let a = OldClient::named("a");
    for n in 0..3 {
        clients.gave(&a, &version(n), 3, 1_000);
        clients.keep();
    }
    let path = folder.path().join("clients");
    let whole = std::fs::read(&path).expect("it is there");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&path, &damaged).expect("it is written");
        let held = open(&folder).of(&a);
        assert!(
            held == Held::default() || held == clients.of(&a),
            "byte {at}: {held:?}"
        );
        std::fs::write(&path, &whole[..at]).expect("it is written");
        open(&folder);
    }
}
