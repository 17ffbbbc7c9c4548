//! Every single operation that changes a disk fails once, as a full or broken disk does; a write
//! that fails has written half.

use std::io::ErrorKind;

use plainsync::document::disk::RealDisk;
use plainsync::document::disk::faulty::FaultyDisk;

use crate::story::Story;

fn story() -> Story<FaultyDisk> {
    Story::new(|_| FaultyDisk::new(RealDisk).without_syncs())
}

#[test]
fn s2_whichever_operation_fails_nothing_that_was_acknowledged_is_lost() {
    let mut unharmed = story();
    unharmed.tell().unwrap();
    let operations = unharmed.disk.changes();
    unharmed.check("nothing");
    assert!(operations > 150, "{operations} operations are hardly all");
    for nth in 1..=operations {
        let kind = [ErrorKind::StorageFull, ErrorKind::Other][nth % 2];
        let mut story = story();
        story.disk.fail_nth(nth, kind);
        story.tell();
        story.disk.heal();
        story.check(&format!("{kind:?} at operation {nth} of {operations}"));
    }
    eprintln!("each of {operations} operations failed once");
}
