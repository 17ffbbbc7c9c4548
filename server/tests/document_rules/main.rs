//! A document on a real disk: what its journal keeps, what becomes of its JSON, and what
//! happens when the disk fails. Tests are named after the rules that they show.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test may fail by panicking"
)]

mod companions;
mod every_fault;
mod faults;
mod file;
mod hand_edits;
mod images;
mod journal;
mod peers;
mod power_cut;
mod put_back;
mod shared_folder;
mod story;
mod support;
