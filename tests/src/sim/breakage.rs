//! Ways to break a rule on purpose, to see that the simulator finds it.
//!
//! Each stands in the harness or around a replica: the engine has no switch for it.

use std::collections::BTreeMap;

use automerge::Change;
use automerge::sync::{ChunkList, Message};
use plainsync_core::edit::Edit;
use plainsync_core::wire::Frame;
use serde_json::{Map, Value};

use crate::model::{Shown, ShownRow};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// The server's disk says that it has what it only began to write.
    AcknowledgesBeforeSync,
    /// A crash of the server takes back what its disk had confirmed last.
    ForgetsWhatWasSynced,
    /// A frame is lost now and then, and nobody learns that the connection is broken.
    LosesFramesSilently,
    /// Of what arrives, changes older than what is there by their clock are left out.
    NewerClockWins,
    /// An edit that was handed over again is applied once more, under another id.
    AppliesEditsTwice,
    /// Of two fields in one edit the second is dropped.
    DropsSecondField,
    /// A removal holds, whatever was edited apart from it.
    RemovalBeatsEdits,
    /// The fields of one run are shown with the result of another.
    MixesRuns,
    /// Values that lost are not listed.
    ForgetsConflicts,
    /// The export holds the time of the machine that writes it.
    ExportsOwnClock,
    /// A number that was given is given again.
    GivesNumbersTwice,
}

impl Breakage {
    /// Each, with the rules of which one is found broken.
    pub const ALL: [(Self, &[&str]); 11] = [
        (Self::AcknowledgesBeforeSync, &["S2"]),
        (Self::ForgetsWhatWasSynced, &["S2"]),
        (Self::LosesFramesSilently, &["S3"]),
        (Self::NewerClockWins, &["S3"]),
        (Self::AppliesEditsTwice, &["D7"]),
        (Self::DropsSecondField, &["D3"]),
        (Self::RemovalBeatsEdits, &["D6"]),
        (Self::MixesRuns, &["D5"]),
        (Self::ForgetsConflicts, &["D4"]),
        (Self::ExportsOwnClock, &["D1"]),
        (Self::GivesNumbersTwice, &["D9"]),
    ];

    /// What is shown in place of `shown`.
    pub(super) fn show(self, shown: &mut Shown) {
        match self {
            Self::RemovalBeatsEdits => {
                for row in shown.rows.values_mut().filter(|row| row.kept_by_edit) {
                    (row.in_bin, row.kept_by_edit) = (true, false);
                }
            }
            Self::MixesRuns => {
                for row in shown.rows.values_mut() {
                    if let Some(Value::Object(other)) = other_run(row) {
                        let result = other.get("result").cloned();
                        row.job
                            .insert("result".to_owned(), result.unwrap_or(Value::Null));
                    }
                }
            }
            Self::ForgetsConflicts => {
                for row in shown.rows.values_mut() {
                    row.conflicts = BTreeMap::new();
                }
            }
            Self::GivesNumbersTwice => {
                let listed = shown.rows.values().filter(|row| !row.in_bin);
                let numbers = listed.filter_map(|row| row.label.split('-').nth(1)?.parse().ok());
                shown.next_number = numbers.max().unwrap_or(0) + 1;
            }
            _ => {}
        }
    }

    /// What arrives in place of `frame`, where the newest change is of the second `newest`.
    pub(super) fn frame(self, mut frame: Frame, newest: i64) -> Frame {
        if self == Self::NewerClockWins
            && let Frame::Sync { data, .. } = &mut frame
            && let Ok(mut message) = Message::decode(data)
        {
            let is_newer = |chunk: &&[u8]| {
                let change = Change::from_bytes(chunk.to_vec());
                change.is_ok_and(|change| change.timestamp() >= newest)
            };
            let kept = message.changes.iter().filter(is_newer);
            let kept: Vec<Vec<u8>> = kept.map(<[u8]>::to_vec).collect();
            message.changes = ChunkList::from(kept);
            *data = message.encode();
        }
        frame
    }

    /// What is applied in place of `edit`.
    pub(super) fn edit(self, edit: &mut Edit) {
        if let (Self::DropsSecondField, Edit::Change { set, .. }) = (self, edit)
            && set.len() > 1
        {
            *set = std::mem::take(set)
                .into_iter()
                .take(1)
                .collect::<Map<_, _>>();
        }
    }
}

fn other_run(row: &ShownRow) -> Option<Value> {
    row.conflicts.get("run")?.first().cloned()
}
