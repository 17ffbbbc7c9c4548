use std::path::Path;

use super::*;
use crate::document::disk::RealDisk;
use crate::document::disk::faulty::{FaultyDisk, Operation};

fn record(n: u8) -> Record {
    Record {
        kind: Kind::Changes,
        edits: vec![format!("edit-of-number-{n}")],
        bytes: vec![n; usize::from(n) * 3 + 1],
    }
}

fn open(folder: &Path) -> (Journal, Recovered) {
    open_on(Arc::new(RealDisk), folder)
}

fn open_on(disk: Arc<dyn Disk>, folder: &Path) -> (Journal, Recovered) {
    Journal::open(disk, folder.join("journal")).expect("the journal opens")
}

#[test]
fn s2_what_was_appended_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, recovered) = open(folder.path());
    assert!(recovered.records.is_empty() && recovered.torn.is_none());
    journal.append(&[record(1), record(2)]).expect("appended");
    journal.append(&[record(3)]).expect("appended");
    drop(journal); // Nothing is kept for a tidy end.
    let (_, recovered) = open(folder.path());
    assert_eq!(recovered.records, [record(1), record(2), record(3)]);
    assert_eq!(recovered.torn, None);
}

#[test]
fn s2_a_journal_cut_at_any_byte_gives_its_whole_records_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let disk = FaultyDisk::new(RealDisk).without_syncs();
    let open = |folder: &Path| open_on(Arc::new(disk.clone()), folder);
    let (mut journal, _) = open(folder.path());
    let records: Vec<_> = (1..=4).map(record).collect();
    let mut ends = vec![0];
    for record in &records {
        journal
            .append(std::slice::from_ref(record))
            .expect("appended");
        ends.push(std::fs::metadata(&path).expect("a length").len() as usize);
    }
    drop(journal);
    let whole = std::fs::read(&path).expect("the journal");
    for cut in 0..=whole.len() {
        // The rest may be missing, or zeros that the file system had reserved.
        for padding in [0, 1, 8, 40] {
            let mut bytes = whole[..cut].to_vec();
            bytes.resize(cut + padding, 0);
            std::fs::write(&path, &bytes).expect("a cut journal");
            let count = ends.iter().filter(|end| **end > 0 && **end <= cut).count();
            let (mut journal, recovered) = open(folder.path());
            assert_eq!(
                recovered.records,
                records[..count],
                "cut at {cut}+{padding}"
            );
            let torn = bytes.len() - ends[count];
            assert_eq!(recovered.torn.is_some(), torn > 0, "cut at {cut}+{padding}");
            if let Some(found) = recovered.torn {
                assert_eq!((found.offset, found.len), (ends[count] as u64, torn as u64));
                assert_eq!(
                    std::fs::read(&found.aside).expect("the copy"),
                    &bytes[ends[count]..]
                );
                std::fs::remove_file(&found.aside).expect("removed");
            }
            journal
                .append(&[record(9)])
                .expect("appended after the cut");
            let (_, again) = open(folder.path());
            assert_eq!(again.records.len(), count + 1);
            assert_eq!(again.records.last(), Some(&record(9)));
        }
    }
}

#[test]
fn s2_a_damaged_record_is_not_read_and_those_after_it_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let disk = FaultyDisk::new(RealDisk).without_syncs();
    let open = |folder: &Path| open_on(Arc::new(disk.clone()), folder);
    let (mut journal, _) = open(folder.path());
    let all = [record(1), record(2), record(3)];
    let mut ends = Vec::new();
    for record in &all {
        journal
            .append(std::slice::from_ref(record))
            .expect("appended");
        ends.push(std::fs::metadata(&path).expect("a length").len() as usize);
    }
    drop(journal);
    let whole = std::fs::read(&path).expect("the journal");
    for flipped in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[flipped] ^= 0x10;
        std::fs::write(&path, &bytes).expect("a damaged journal");
        let damaged = ends.iter().filter(|end| **end <= flipped).count();
        let mut expected = all.to_vec();
        expected.remove(damaged);
        let (_, recovered) = open(folder.path());
        assert_eq!(recovered.records, expected, "byte {flipped}");
        let torn = recovered.torn.expect("it was noticed");
        assert_eq!(torn.kept, 2 - damaged, "byte {flipped}");
        std::fs::remove_file(&torn.aside).expect("a copy was made");
        let (_, again) = open(folder.path());
        assert_eq!(
            (again.records, again.torn),
            (expected, None),
            "byte {flipped}"
        );
    }
}

#[test]
fn s2_after_a_failed_sync_nothing_counts_until_recovered_on_a_new_descriptor() {
    for operation in [Operation::Sync, Operation::Write] {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = FaultyDisk::new(RealDisk);
        let (mut journal, _) = open_on(Arc::new(disk.clone()), folder.path());
        journal.append(&[record(1)]).expect("appended");
        disk.fail_times(operation, "journal", io::ErrorKind::StorageFull, 1);
        journal.append(&[record(2)]).expect_err("the disk fails");
        let closed = journal.append(&[record(3)]).expect_err("still closed");
        assert!(matches!(closed, JournalError::Closed { .. }), "{closed}");
        assert_eq!(journal.recover().expect("recovered"), [record(1)]);
        journal.append(&[record(4)]).expect("appended");
        drop(journal);
        let (_, recovered) = open(folder.path());
        assert_eq!(recovered.records, [record(1), record(4)], "{operation:?}");
        assert_eq!(recovered.torn, None);
    }
}

#[test]
fn s2_a_disk_that_stays_broken_keeps_the_journal_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = FaultyDisk::new(RealDisk);
    let (mut journal, _) = open_on(Arc::new(disk.clone()), folder.path());
    disk.fail(Operation::Sync, "journal", io::ErrorKind::Other);
    journal.append(&[record(1)]).expect_err("the disk fails");
    journal.recover().expect_err("it still fails");
    journal.append(&[record(1)]).expect_err("closed");
    disk.heal();
    assert_eq!(journal.recover().expect("recovered"), []);
}

#[test]
fn f13_a_compacted_journal_holds_one_snapshot_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, _) = open(folder.path());
    journal.append(&[record(1), record(2)]).expect("appended");
    let snapshot = Record {
        kind: Kind::Snapshot,
        edits: vec!["edit-of-number-2".to_owned()],
        bytes: b"saved".to_vec(),
    };
    let refused = journal.compact(&snapshot, |_| Err("other heads".to_owned()));
    let text = refused.expect_err("not faithful").to_string();
    assert!(text.contains("other heads"), "{text}");
    journal
        .append(&[record(3)])
        .expect("the old journal goes on");
    let (_, recovered) = open(folder.path());
    assert_eq!(recovered.records.len(), 3);
    journal
        .compact(&snapshot, |back| {
            assert_eq!(*back, snapshot);
            Ok(())
        })
        .expect("compacted");
    journal.append(&[record(4)]).expect("appended");
    let (_, recovered) = open(folder.path());
    assert_eq!(recovered.records, [snapshot, record(4)]);
    let names = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 1, "no temporary file is left");
}

#[test]
fn f13_a_compaction_that_fails_at_any_step_loses_nothing() {
    for operation in [
        Operation::Open,
        Operation::Write,
        Operation::Sync,
        Operation::Rename,
        Operation::SyncFolder,
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = FaultyDisk::new(RealDisk);
        let (mut journal, _) = open_on(Arc::new(disk.clone()), folder.path());
        journal.append(&[record(1)]).expect("appended");
        disk.fail_times(operation, "", io::ErrorKind::StorageFull, 1);
        let snapshot = Record {
            kind: Kind::Snapshot,
            edits: Vec::new(),
            bytes: b"saved".to_vec(),
        };
        journal
            .compact(&snapshot, |_| Ok(()))
            .expect_err("the disk fails");
        if journal.append(&[record(2)]).is_err() {
            journal.recover().expect("recovered");
            journal.append(&[record(2)]).expect("appended");
        }
        let (_, recovered) = open(folder.path());
        let first = recovered.records.first().expect("a first record");
        assert!(
            *first == record(1) || *first == snapshot,
            "{operation:?}: {first:?}"
        );
        assert_eq!(recovered.records[1..], [record(2)], "{operation:?}");
    }
}

#[test]
fn s2_a_record_of_a_newer_program_is_not_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let bytes = chunk::encode(&[77, 0, 0, 1]).expect("a chunk");
    std::fs::write(&path, &bytes).expect("a journal");
    let refused = Journal::open(Arc::new(RealDisk), path.clone()).map(|_| ());
    let text = refused.expect_err("refused").to_string();
    assert!(text.contains("byte 0") && text.contains("newer"), "{text}");
    assert_eq!(std::fs::read(&path).expect("untouched"), bytes);
}
