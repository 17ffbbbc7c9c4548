//! Files that change back, or come again, while the server is busy with what they were.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use plainsync::document::disk::faulty::Operation;
use plainsync::document::stepped::Stepped;
use plainsync::document::{FileCondition, OfferKind};

use crate::support::{Bench, add, insert, prompts, until, until_state};

/// A document with one record, and the text that its file holds.
fn written(bench: &Bench) -> (Stepped, String) {
    let mut machine = Stepped::open(&bench.config()).unwrap();
    machine.edit(insert("one")).unwrap();
    turns(&mut machine);
    let text = bench.text();
    assert!(text.contains("\"one\""), "{text}");
    (machine, text)
}

/// Enough turns for a file to be seen twice, taken in and written.
fn turns(machine: &mut Stepped) {
    for _ in 0..8 {
        machine.turn();
    }
}

/// Enough looks for a file to be offered.
fn looks(machine: &mut Stepped) {
    machine.look();
    machine.look();
}

fn state(machine: &Stepped) -> FileCondition {
    machine.handle().info().file_state.state
}

/// Puts `text` back as `mv` does: with the time that it had.
fn put_back(bench: &Bench, text: &str) {
    bench.save(text);
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    let file = File::options().write(true).open(bench.file()).unwrap();
    file.set_modified(long_ago).unwrap();
}

/// F9, F11: what was put back in that moment is an older version, and holds the file up for nobody.
#[test]
fn f9_a_version_put_back_while_a_hand_edit_is_taken_in_is_offered() {
    let bench = Bench::new();
    let (mut machine, old) = written(&bench);
    bench.save(old.replace("\"one\"", "\"one by hand\""));
    looks(&mut machine);
    put_back(&bench, &old);
    machine.look();
    turns(&mut machine);
    machine.edit(insert("two")).unwrap();
    turns(&mut machine);
    assert_eq!(state(&machine), FileCondition::Ok);
    let offer = machine.handle().info().offer.expect("it is offered");
    assert_eq!(offer.kind, OfferKind::OlderVersion);
    let text = bench.text();
    assert!(
        text.contains("\"one by hand\"") && text.contains("\"two\""),
        "{text}"
    );
}

/// The one word that a hand edit changes.
fn by_hand(text: &str) -> String {
    text.replace("\"one\"", "\"one by hand\"")
}

/// A document whose file is saved by hand in the very moment in which it is replaced, and its text before.
fn saved_in_the_moment(bench: &Bench, edit: impl Fn(&str) -> String) -> (Stepped, String) {
    let (mut machine, old) = written(bench);
    let (file, first) = (bench.file(), edit(&old));
    let saved = first.clone();
    bench
        .disk
        .before(Operation::Exchange, "job_history.json", move || {
            fs::write(file, saved).unwrap();
        });
    machine.edit(insert("two")).unwrap();
    for _ in 0..8 {
        machine.turn();
        if bench.text() == first {
            break;
        }
    }
    assert_eq!(bench.text(), first, "it is theirs again");
    (machine, old)
}

/// F7: a hand edit like any other, and no older version that was put back (F9).
#[test]
fn f7_a_save_in_the_moment_of_a_replacement_is_a_hand_edit() {
    let bench = Bench::new();
    let (mut machine, _) = saved_in_the_moment(&bench, by_hand);
    turns(&mut machine);
    let info = machine.handle().info();
    assert_eq!(
        (info.file_state.state, info.offer),
        (FileCondition::Ok, None)
    );
    let told = info.last_import.expect("it is told");
    assert_eq!(told.report.changed, 1);
    let text = bench.text();
    assert!(
        text.contains("\"one by hand\"") && text.contains("\"two\""),
        "{text}"
    );
}

/// F7: it stood there, so it counts, although the file was never looked at while it did.
#[test]
fn f7_a_save_in_the_moment_of_a_replacement_counts_though_it_is_saved_over() {
    let bench = Bench::new();
    let (mut machine, old) = saved_in_the_moment(&bench, by_hand);
    // By somebody who has not seen it.
    bench.save(old.replacen("\"width\": ", "\"by hand\": true, \"width\": ", 1));
    turns(&mut machine);
    let info = machine.handle().info();
    assert_eq!(
        (info.file_state.state, info.offer),
        (FileCondition::Ok, None)
    );
    let text = bench.text();
    for part in ["\"one by hand\"", "\"by hand\": true", "\"two\""] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// F7: half a save is left to be found whole.
#[test]
fn f7_half_a_save_in_the_moment_of_a_replacement_is_waited_for() {
    let bench = Bench::new();
    let half = |text: &str| text[..text.len() / 2].to_owned();
    let (mut machine, old) = saved_in_the_moment(&bench, half);
    bench.save(by_hand(&old));
    turns(&mut machine);
    assert_eq!(state(&machine), FileCondition::Ok);
    assert!(bench.text().contains("\"one by hand\""));
}

/// F7: the trouble is told for as long as it is there, and for no longer.
#[test]
fn f7_what_was_refused_and_comes_again_is_refused_again() {
    let bench = Bench::new();
    let (mut machine, good) = written(&bench);
    let bad = &good[..good.len() / 2];
    // Taken back before the refusal is heard of.
    bench.save(bad);
    looks(&mut machine);
    put_back(&bench, &good);
    machine.look();
    turns(&mut machine);
    assert_eq!(state(&machine), FileCondition::Ok);
    put_back(&bench, bad);
    turns(&mut machine);
    assert_eq!(state(&machine), FileCondition::Unparsable);
    // Gone, and there again before the file is written anew.
    fs::remove_file(bench.file()).unwrap();
    looks(&mut machine);
    put_back(&bench, bad);
    turns(&mut machine);
    let told = machine.handle().info().file_state;
    assert_eq!(told.state, FileCondition::Unparsable);
    assert!(told.detail.unwrap_or_default().contains("line "));
    assert_eq!(bench.text(), bad);
    machine.edit(insert("two")).unwrap();
    put_back(&bench, &good);
    turns(&mut machine);
    assert_eq!(state(&machine), FileCondition::Ok);
    assert!(bench.text().contains("\"two\""));
}

/// F9: a crash left a hand edit in the file that was taken in and not yet written again.
#[tokio::test]
async fn f9_a_hand_edit_that_a_crash_left_in_the_file_is_no_version_put_back() {
    let bench = Bench::new();
    let documents = bench.open_with(&["one"]).await;
    let document = documents.default();
    bench.disk.fail(
        Operation::Write,
        "dashboards/.job_history",
        std::io::ErrorKind::StorageFull,
    );
    let edited = bench.text().replace("\"one\"", "\"one by hand\"");
    bench.save(&edited);
    until("it is taken in", || {
        (prompts(document) == ["one by hand"]).then_some(())
    })
    .await;
    add(document, &["two"]).await;
    until_state(document, FileCondition::NotWritten).await;
    drop(documents);
    bench.disk.heal();
    let documents = bench.open().await;
    let document = documents.default();
    bench.until_written(document).await;
    assert_eq!(prompts(document), ["one by hand", "two"]);
    assert_eq!(document.info().offer, None);
    documents.shutdown().await;

    // What was replaced then is put back while nobody serves it: that is one.
    bench.save(&edited);
    let documents = bench.open().await;
    let offer = until("it is offered", || documents.default().info().offer).await;
    assert_eq!(offer.kind, OfferKind::OlderVersion);
}
