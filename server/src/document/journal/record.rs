//! One record of a journal: what became durable together.
//!
//! ```text
//! record = kind: u8 | count: u16 LE | count × (len: u16 LE | edit id) | automerge bytes
//! kind   = 1 changes (raw, one after another) | 2 snapshot (a whole saved document)
//!        | 3 header of a published journal (JSON; never in the private one)
//! ```
//!
//! The edit ids stand in the same record as the changes that the edits made: either both are
//! on disk or neither, so a repeated edit is recognised exactly when its change is there.

/// What the bytes of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Raw changes, one after another.
    Changes,
    /// A whole saved document.
    Snapshot,
    /// What a published journal is of.
    Header,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Kind::Changes => 1,
            Kind::Snapshot => 2,
            Kind::Header => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Kind::Changes),
            2 => Some(Kind::Snapshot),
            3 => Some(Kind::Header),
            _ => None,
        }
    }
}

/// What became durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What `bytes` are.
    pub kind: Kind,
    /// The edits that made these changes; for a snapshot, the latest edits in it.
    pub edits: Vec<String>,
    /// What automerge reads.
    pub bytes: Vec<u8>,
}

impl Record {
    /// The record's own bytes, without the frame around them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // An edit id is short and a batch small; what does not fit would only be
        // unrecognised when repeated, so it is left out rather than refused.
        let edits: Vec<_> = self
            .edits
            .iter()
            .filter_map(|edit| Some((u16::try_from(edit.len()).ok()?, edit)))
            .take(usize::from(u16::MAX))
            .collect();
        let ids_len: usize = edits.iter().map(|(_, edit)| 2 + edit.len()).sum();
        let mut out = Vec::with_capacity(3 + ids_len + self.bytes.len());
        out.push(self.kind.code());
        let count = u16::try_from(edits.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&count.to_le_bytes());
        for (len, edit) in edits {
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(edit.as_bytes());
        }
        out.extend_from_slice(&self.bytes);
        out
    }

    /// Reads what [`Record::encode`] wrote; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, mut rest) = bytes.split_first()?;
        let kind = Kind::from_code(kind)?;
        let count = take_u16(&mut rest)?;
        let mut edits = Vec::new();
        for _ in 0..count {
            let len = usize::from(take_u16(&mut rest)?);
            let (edit, after) = rest.split_at_checked(len)?;
            edits.push(std::str::from_utf8(edit).ok()?.to_owned());
            rest = after;
        }
        Some(Self {
            kind,
            edits,
            bytes: rest.to_vec(),
        })
    }
}

fn take_u16(rest: &mut &[u8]) -> Option<u16> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u16::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s2_a_record_comes_back_as_it_was_and_half_of_it_does_not() {
        let record = Record {
            kind: Kind::Changes,
            edits: vec!["edit-0001".to_owned(), "ünïcode".to_owned()],
            bytes: vec![1, 2, 3],
        };
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Some(record));
        let header = bytes.len() - 3;
        for cut in 0..header {
            assert_eq!(Record::decode(&bytes[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Record::decode(&[9, 0, 0]), None, "an unknown kind");
    }
}
