//! Counts what the columns of a chunk claim, run by run.
//!
//! ```text
//!  number of columns, then of each: specification, length in bytes; after all of these, their bytes
//!
//!  specification = id << 4 | 8 if it is compressed | kind
//!  kinds: 0 group  1 actor  2 integer  3 delta  4 boolean  5 text  6 lengths of values  7 values
//! ```
//!
//! Booleans are the lengths of runs in turn. Values are bytes. All other kinds are runs: a
//! signed number above 0 says how often the one value after it repeats, one below 0 how many
//! values follow, and 0 is followed by how many are missing.

use std::io::Read as _;

use flate2::bufread::DeflateDecoder;

use super::reader::{Damaged, Reader};
use super::{Bounds, Claim, Fault, Part};

/// Most columns in one list of them. Automerge knows 16; later versions may add some.
const COLUMNS_MAX: u64 = 64;

const COMPRESSED: u32 = 8;

/// The column with one row for each operation of a change: what it does.
pub(super) const OPS_OF_CHANGE: u32 = 4 << 4 | 2;
/// The column with one row for each operation of a document: who made it.
pub(super) const OPS: u32 = 2 << 4 | 1;
/// The column with one row for each change of a document: who made it.
pub(super) const CHANGES: u32 = 1;

/// A column as the list of them describes it.
pub(super) struct Column {
    spec: u32,
    len_bytes: u64,
}

/// What columns may claim.
pub(super) struct Allowed {
    pub(super) bounds: Bounds,
    /// How many actors the chunk lists: no column may refer to others.
    pub(super) actors: u64,
    /// Columns may be compressed.
    pub(super) compressed: bool,
}

/// Reads a list of columns.
pub(super) fn list(reader: &mut Reader<'_>) -> Result<Vec<Column>, Fault> {
    let damaged = |_: Damaged| Fault::Damaged {
        part: Part::Columns,
    };
    let found = reader.unsigned().map_err(damaged)?;
    if found > COLUMNS_MAX {
        return Err(Fault::TooMany {
            claim: Claim::Columns,
            found,
            max: COLUMNS_MAX,
        });
    }
    let mut columns = Vec::new();
    for _ in 0..found {
        let spec = reader.unsigned().map_err(damaged)?;
        let spec = u32::try_from(spec).map_err(|_| damaged(Damaged))?;
        let len_bytes = reader.unsigned().map_err(damaged)?;
        columns.push(Column { spec, len_bytes });
    }
    Ok(columns)
}

/// Counts what `columns`, whose bytes `reader` reads next, claim; returns the rows of the column
/// `counted`. What they unpack to is added to `unpacked_bytes`.
pub(super) fn count(
    columns: &[Column],
    counted: u32,
    reader: &mut Reader<'_>,
    allowed: &Allowed,
    unpacked_bytes: &mut u64,
) -> Result<u64, Fault> {
    let mut rows = 0;
    let mut inflated = Vec::new();
    let mut values: Option<(u32, u64)> = None;
    for column in columns {
        let spec = column.spec & !COMPRESSED;
        let damaged = |_: Damaged| Fault::Damaged {
            part: Part::Column(spec),
        };
        let mut bytes = reader.take(column.len_bytes).map_err(damaged)?;
        if column.spec & COMPRESSED != 0 {
            if !allowed.compressed {
                return Err(Fault::CompressedColumn);
            }
            inflate(bytes, &mut inflated, &allowed.bounds, unpacked_bytes)?;
            bytes = &inflated;
        }
        let claims = Claims::of(spec, bytes).map_err(damaged)?;
        if let Some((_, claimed_bytes)) =
            values.take_if(|(id, _)| *id != spec >> 4 || spec & 7 == 7)
        {
            let is_here = spec & 7 == 7;
            let have_bytes = if is_here { len_of(bytes) } else { 0 };
            values_fit(claimed_bytes, have_bytes)?;
        }
        match spec & 7 {
            0 => allowed.row_count(claims.sum)?,
            1 => {
                if let Some(index) = claims.highest.filter(|index| *index >= allowed.actors) {
                    let actors = allowed.actors;
                    return Err(Fault::Actor { index, actors });
                }
            }
            6 => values = Some((spec >> 4, claims.sum)),
            _ => {}
        }
        allowed.row_count(claims.rows)?;
        unpack(claims.copied_bytes, &allowed.bounds, unpacked_bytes)?;
        if spec == counted {
            rows = claims.rows;
        }
    }
    if let Some((_, claimed_bytes)) = values {
        values_fit(claimed_bytes, 0)?;
    }
    Ok(rows)
}

impl Allowed {
    fn row_count(&self, found: u64) -> Result<(), Fault> {
        within(Claim::Rows, found, self.bounds.rows)
    }
}

/// Refuses more of `claim` than `max`.
pub(super) fn within(claim: Claim, found: u64, max: u64) -> Result<(), Fault> {
    if found > max {
        return Err(Fault::TooMany { claim, found, max });
    }
    Ok(())
}

fn values_fit(claimed_bytes: u64, have_bytes: u64) -> Result<(), Fault> {
    if claimed_bytes > have_bytes {
        return Err(Fault::Values {
            claimed_bytes,
            have_bytes,
        });
    }
    Ok(())
}

fn unpack(more: u64, bounds: &Bounds, unpacked_bytes: &mut u64) -> Result<(), Fault> {
    *unpacked_bytes = unpacked_bytes.saturating_add(more);
    if *unpacked_bytes > bounds.unpacked_bytes {
        return Err(Fault::Unpacks {
            max: bounds.unpacked_bytes,
        });
    }
    Ok(())
}

/// Inflates `bytes` into `out`, replacing what was there, and stops at what `bounds` leave.
pub(super) fn inflate(
    bytes: &[u8],
    out: &mut Vec<u8>,
    bounds: &Bounds,
    unpacked_bytes: &mut u64,
) -> Result<(), Fault> {
    out.clear();
    let left = bounds.unpacked_bytes.saturating_sub(*unpacked_bytes);
    DeflateDecoder::new(bytes)
        .take(left.saturating_add(1))
        .read_to_end(out)
        .map_err(|_| Fault::Deflate)?;
    unpack(len_of(out), bounds, unpacked_bytes)
}

pub(super) fn len_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// What one column claims.
#[derive(Default)]
struct Claims {
    rows: u64,
    /// Of a group: rows of its members. Of lengths of values: bytes of values.
    sum: u64,
    /// The highest number in it.
    highest: Option<u64>,
    /// Bytes of the copies that repeated texts make.
    copied_bytes: u64,
}

impl Claims {
    fn of(spec: u32, bytes: &[u8]) -> Result<Self, Damaged> {
        let mut claims = Self::default();
        let mut reader = Reader::new(bytes);
        match spec & 7 {
            3 => claims.runs(&mut reader, |reader, _, _| reader.signed().map(drop))?,
            4 => {
                while !reader.is_empty() {
                    claims.rows = claims.rows.saturating_add(reader.unsigned()?);
                }
            }
            5 => claims.runs(&mut reader, |reader, claims, count| {
                let copies = count.saturating_sub(1);
                let copied = len_of(reader.prefixed()?).saturating_mul(copies);
                claims.copied_bytes = claims.copied_bytes.saturating_add(copied);
                Ok(())
            })?,
            7 => {}
            kind => claims.runs(&mut reader, |reader, claims, count| {
                let number = reader.unsigned()?;
                claims.highest = claims.highest.max(Some(number));
                // The lowest four bits of a length are the kind of its value.
                let each = if kind == 6 { number >> 4 } else { number };
                claims.sum = claims.sum.saturating_add(each.saturating_mul(count));
                Ok(())
            })?,
        }
        Ok(claims)
    }

    /// Reads runs; `value` reads the value of one, and hears how often it stands there.
    fn runs<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        value: impl Fn(&mut Reader<'a>, &mut Self, u64) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        while !reader.is_empty() {
            let head = reader.signed()?;
            let count = if head == 0 {
                reader.unsigned()?
            } else {
                head.unsigned_abs()
            };
            self.rows = self.rows.saturating_add(count);
            if head > 0 {
                value(reader, self, count)?;
            } else if head < 0 {
                for _ in 0..count {
                    value(reader, self, 1)?; // Takes a byte at least, so this ends with them.
                }
            }
        }
        Ok(())
    }
}
