//! Reads numbers and lengths off untrusted bytes, and never past their end.

/// The bytes end too early, or a number has more than 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// Bytes, and how far they are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Damaged> {
        let byte = *self.bytes.get(self.at).ok_or(Damaged)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], Damaged> {
        let len = usize::try_from(len).map_err(|_| Damaged)?;
        let end = self.at.checked_add(len).ok_or(Damaged)?;
        let taken = self.bytes.get(self.at..end).ok_or(Damaged)?;
        self.at = end;
        Ok(taken)
    }

    /// As many bytes as a number before them says.
    pub(super) fn prefixed(&mut self) -> Result<&'a [u8], Damaged> {
        let len = self.unsigned()?;
        self.take(len)
    }

    /// An unsigned LEB128 number: 7 bits a byte, the lowest first.
    pub(super) fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Damaged);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged)
    }

    /// A signed LEB128 number: the highest bit that is written is its sign.
    pub(super) fn signed(&mut self) -> Result<i64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = byte & 0x7f;
            if shift == 63 && bits != 0 && bits != 0x7f {
                return Err(Damaged);
            }
            number |= i64::from(bits) << shift;
            if byte & 0x80 == 0 {
                let is_negative = byte & 0x40 != 0;
                return Ok(if is_negative && shift < 57 {
                    number | (-1 << (shift + 7))
                } else {
                    number
                });
            }
        }
        Err(Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_automerge_writes_them() {
        for (bytes, expected) in [
            (&[0x00][..], Ok(0)),
            (&[0x7f], Ok(127)),
            (&[0x80, 0x01], Ok(128)),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                Ok(u64::MAX),
            ),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
                Err(Damaged),
            ),
            (&[0x80; 11], Err(Damaged)),
            (&[0x80], Err(Damaged)),
            (&[], Err(Damaged)),
        ] {
            assert_eq!(Reader::new(bytes).unsigned(), expected, "{bytes:x?}");
        }
        for (bytes, expected) in [
            (&[0x00][..], Ok(0)),
            (&[0x7f], Ok(-1)),
            (&[0x3f], Ok(63)),
            (&[0x40], Ok(-64)),
            (&[0x80, 0x40], Ok(-8192)),
            (&[0xff, 0x3f], Ok(8191)),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
                Ok(i64::MAX),
            ),
            (
                &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
                Ok(i64::MIN),
            ),
            (
                &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e],
                Err(Damaged),
            ),
            (&[0xff], Err(Damaged)),
        ] {
            assert_eq!(Reader::new(bytes).signed(), expected, "{bytes:x?}");
        }
        let mut reader = Reader::new(&[2, 1, 2, 3]);
        assert_eq!(reader.prefixed(), Ok(&[1, 2][..]));
        assert_eq!(
            (reader.take(2), reader.take(u64::MAX)),
            (Err(Damaged), Err(Damaged))
        );
        assert_eq!((reader.at(), reader.is_empty()), (3, false));
    }
}
