//! Rules F4 to F6 as a table: what a hand edit of the file means, whatever else happened.
//!
//! Each row says what the file held, what was edited elsewhere meanwhile, what a person did to
//! the file, and what everybody sees in the end. Every row is played on two replicas: one
//! reads the edited file first and hears of the other edits later, the other has made those
//! edits when it reads the file, which is stale by then. Both must end with the same bytes, from
//! one and the same change, and reading the file again must change nothing.
//!
//! ```text
//! row("a stale copy with one edit changes one field")      what it shows
//!     .before([json, …])      the jobs in the file: record 1, 2, …
//!     .apart([set(1, …), …])  edits made elsewhere, after the file was written
//!     .by_hand([put(…), …])   what a person did to the file
//!     .after([line, …])       every job in the end, defaults left out
//!     .report("1 changed")    what the import says it did, where it found the file stale
//! ```
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking, and its modules are its own"
)]

mod common;
#[path = "hand_edits/fields.rs"]
mod fields;
#[path = "hand_edits/labels.rs"]
mod labels;
#[path = "hand_edits/records.rs"]
mod records;
#[path = "hand_edits/refused.rs"]
mod refused;
#[path = "hand_edits/row.rs"]
mod row;
#[path = "hand_edits/runs.rs"]
mod runs;
#[path = "hand_edits/values.rs"]
mod values;
#[path = "hand_edits/versions.rs"]
mod versions;

use row::Row;

#[track_caller]
fn play(rows: Vec<Row>) {
    let failures: Vec<String> = rows.iter().filter_map(|row| row.play().err()).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

#[test]
fn f4_fields_edited_by_hand() {
    play(fields::rows());
}

#[test]
fn f4_records_added_removed_and_moved_by_hand() {
    play(records::rows());
}

#[test]
fn d5_runs_edited_by_hand() {
    play(runs::rows());
}

#[test]
fn d7_labels_and_references_edited_by_hand() {
    play(labels::rows());
}

#[test]
fn d8_values_of_every_kind_by_hand() {
    play(values::rows());
}

#[test]
fn f6_versions_old_foreign_and_missing() {
    play(versions::rows());
}

#[test]
fn f7_files_that_are_left_alone() {
    play(refused::rows());
}

#[test]
fn f4_the_table_has_sixty_rows_and_more() {
    let tables = [
        fields::rows(),
        records::rows(),
        runs::rows(),
        labels::rows(),
        values::rows(),
        versions::rows(),
        refused::rows(),
    ];
    let rows: usize = tables.iter().map(Vec::len).sum();
    assert!(rows >= 60, "{rows} rows");
}
