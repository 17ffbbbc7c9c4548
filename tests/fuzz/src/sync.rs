//! What a peer's sync message does to a replica.

use plainsync_core::guard::{Limits, check_message};
use plainsync_core::id::PeerId;
use plainsync_core::replica::{Effect, Input, Replica, ReplicaConfig, StepError};
use plainsync_core::schema::Schema;
use plainsync_core::time::Millis;
use plainsync_core::wire::Frame;
use sha2::{Digest as _, Sha256};

use super::document::{document, export, id};
use super::says;

const NOW: Millis = Millis(1_800_000_000_000);

fn peer(name: &str) -> PeerId {
    PeerId::new(name).unwrap()
}

/// A replica of the document, with a peer that has said nothing yet.
fn replica() -> Replica {
    let mut replica = Replica::new(ReplicaConfig {
        document: id(),
        schema: Schema::job_history(),
        device: "0000000000000002".parse().unwrap(),
        author: None,
        actor: [2; 16],
        peer: peer("here"),
    });
    replica.restore(&[document().save()]).unwrap();
    let connected = Input::Connected {
        peer: peer("there"),
        dial: false,
        server: false,
        ahead: 1,
    };
    replica.step(NOW, connected).unwrap();
    replica
}

/// A message that the guard refuses changes nothing and closes the connection. Of any other the
/// replica holds afterwards what it gave to be kept, and shows just that; or the merge library
/// failed on it, and the replica takes no more.
pub fn sync_message(bytes: &[u8]) -> bool {
    let checked = check_message(bytes, &Limits::PEER);
    let mut replica = replica();
    let before = replica.document().heads();
    let frame = Frame::Sync {
        document: id(),
        sender: peer("there"),
        target: peer("here"),
        data: bytes.to_vec(),
    };
    let received = Input::Received {
        peer: peer("there"),
        frame,
    };
    let effects = match replica.step(NOW, received) {
        Ok(effects) => effects,
        Err(error) => {
            assert!(checked.is_ok() && matches!(error, StepError::Poisoned));
            return false;
        }
    };
    let is_closed = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Close { .. }));
    if let Err(error) = checked {
        says(&error);
        assert!(is_closed);
        assert_eq!(replica.document().heads(), before);
        return false;
    }
    let kept: Vec<Vec<u8>> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Persist { bytes, .. } => Some(bytes),
            _ => None,
        })
        .collect();
    let mut again = document().clone();
    again.restore(&kept).unwrap();
    assert_eq!(again.heads(), replica.document().heads());
    assert_eq!(export(&again), export(replica.document()));
    !is_closed
}

/// Where an automerge chunk begins.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// Bytes of magic, checksum and kind.
const HEAD_BYTES: usize = 9;

/// Gives every chunk in `bytes` the checksum that fits what it holds now. A fuzzer never finds
/// one by trying.
pub fn repair(bytes: &mut [u8]) {
    for at in 0..bytes.len() {
        if bytes[at..].starts_with(&MAGIC)
            && let Some(checksum) = checksum(&bytes[at..])
        {
            bytes[at + 4..at + 8].copy_from_slice(&checksum);
        }
    }
}

/// The checksum of the chunk at the start of `bytes`, if it is there to its end.
fn checksum(bytes: &[u8]) -> Option<[u8; 4]> {
    let rest = bytes.get(HEAD_BYTES..)?;
    let digits = 1 + rest
        .iter()
        .take(4)
        .take_while(|byte| **byte & 0x80 != 0)
        .count();
    let number = rest.get(..digits)?;
    let len = number
        .iter()
        .rev()
        .fold(0, |len, byte| (len << 7) | usize::from(byte & 0x7f));
    let hashed = bytes.get(HEAD_BYTES - 1..HEAD_BYTES + digits + len)?;
    Sha256::digest(hashed)[..4].try_into().ok()
}
