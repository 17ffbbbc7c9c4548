//! CBOR read one bounded step at a time.

use minicbor::Decoder;
use minicbor::data::Type;

use super::FrameError;
use crate::limits::{FRAME_DEPTH_MAX, FRAME_TEXT_BYTES_MAX, FRAME_VERSIONS_MAX};

/// The tag by which some encoders mark a `Uint8Array`.
const TAG_UINT8_ARRAY: u64 = 64;

/// A CBOR decoder whose every step is bounded and whose errors are ours.
pub(super) struct Reader<'b>(Decoder<'b>);

impl<'b> Reader<'b> {
    /// A reader at the first of `bytes`.
    pub(super) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader(Decoder::new(bytes))
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> usize {
        self.0.position()
    }

    /// A reader at byte `at`, unless there is `null` or `undefined`.
    pub(super) fn present(bytes: &'b [u8], at: usize) -> Result<Option<Reader<'b>>, FrameError> {
        let mut reader = Reader::new(bytes);
        reader.0.set_position(at);
        Ok(match reader.kind()? {
            Type::Null | Type::Undefined => None,
            _ => Some(reader),
        })
    }

    fn malformed(&self, error: &minicbor::decode::Error) -> FrameError {
        FrameError::Malformed {
            at: self.0.position(),
            reason: error.to_string(),
        }
    }

    fn kind(&self) -> Result<Type, FrameError> {
        self.0.datatype().map_err(|error| self.malformed(&error))
    }

    /// Runs one step of the decoder.
    fn read<T>(
        &mut self,
        step: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, FrameError> {
        step(&mut self.0).map_err(|error| self.malformed(&error))
    }

    /// Steps through a map and tells where the values of `names` begin; of two, the last.
    pub(super) fn fields<const N: usize>(
        &mut self,
        names: [&str; N],
        depth: usize,
    ) -> Result<[Option<usize>; N], FrameError> {
        let mut found = [None; N];
        let mut left = self.read(Decoder::map)?;
        while self.more(&mut left)? {
            let key = match self.kind()? {
                Type::String => Some(self.read(Decoder::str)?),
                _ => {
                    self.skip(depth + 1)?;
                    None
                }
            };
            if let Some(index) = key.and_then(|key| names.iter().position(|name| *name == key)) {
                found[index] = Some(self.0.position());
            }
            self.skip(depth + 1)?;
        }
        Ok(found)
    }

    /// Whether another item follows; `left` counts down what a definite length announced.
    fn more(&mut self, left: &mut Option<u64>) -> Result<bool, FrameError> {
        match left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.kind()? == Type::Break => {
                self.0.set_position(self.0.position() + 1);
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// Steps over one value of any type.
    fn skip(&mut self, depth: usize) -> Result<(), FrameError> {
        if depth > FRAME_DEPTH_MAX {
            return Err(FrameError::TooDeep {
                at: self.0.position(),
                max: FRAME_DEPTH_MAX,
            });
        }
        // A length that claims more items than there are bytes ends at the last byte.
        match self.kind()? {
            Type::Array | Type::ArrayIndef => {
                let mut left = self.read(Decoder::array)?;
                while self.more(&mut left)? {
                    self.skip(depth + 1)?;
                }
                Ok(())
            }
            Type::Map | Type::MapIndef => {
                let mut left = self.read(Decoder::map)?;
                while self.more(&mut left)? {
                    self.skip(depth + 1)?;
                    self.skip(depth + 1)?;
                }
                Ok(())
            }
            Type::Tag => {
                self.read(Decoder::tag)?;
                self.skip(depth + 1)
            }
            Type::Bytes | Type::BytesIndef => {
                self.read(|d| d.bytes_iter()?.try_for_each(|part| part.map(drop)))
            }
            Type::String | Type::StringIndef => {
                self.read(|d| d.str_iter()?.try_for_each(|part| part.map(drop)))
            }
            Type::Break | Type::Unknown(_) => Err(FrameError::Malformed {
                at: self.0.position(),
                reason: "no value can begin here".into(),
            }),
            _ => self.read(Decoder::skip),
        }
    }

    /// Refuses a value of the wrong type before it is read.
    pub(super) fn expect(
        &self,
        field: &'static str,
        expected: &'static str,
        allowed: impl FnOnce(Type) -> bool,
    ) -> Result<(), FrameError> {
        let found = self.kind()?;
        if allowed(found) {
            return Ok(());
        }
        Err(FrameError::Field {
            field,
            found: format!("a value of type {found}"),
            expected,
        })
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<String, FrameError> {
        self.expect(field, "text", |found| {
            matches!(found, Type::String | Type::StringIndef)
        })?;
        let mut text = String::new();
        self.read(|d| {
            d.str_iter()?
                .try_for_each(|part| part.map(|part| text.push_str(part)))
        })?;
        if text.len() > FRAME_TEXT_BYTES_MAX {
            let len = text.len();
            return Err(FrameError::FieldTooLong {
                field,
                len,
                max: FRAME_TEXT_BYTES_MAX,
            });
        }
        Ok(text)
    }

    pub(super) fn texts(&mut self, field: &'static str) -> Result<Vec<String>, FrameError> {
        self.expect(field, "an array of texts", |found| {
            matches!(found, Type::Array | Type::ArrayIndef)
        })?;
        let mut left = self.read(Decoder::array)?;
        let mut texts = Vec::new();
        while self.more(&mut left)? {
            if texts.len() == FRAME_VERSIONS_MAX {
                let (len, max) = (FRAME_VERSIONS_MAX + 1, FRAME_VERSIONS_MAX);
                return Err(FrameError::FieldTooLong { field, len, max });
            }
            texts.push(self.text(field)?);
        }
        Ok(texts)
    }

    pub(super) fn data(&mut self, field: &'static str, max: usize) -> Result<Vec<u8>, FrameError> {
        if self.kind()? == Type::Tag {
            let tag = self.read(Decoder::tag)?.as_u64();
            if tag != TAG_UINT8_ARRAY {
                let found = format!("a value tagged {tag}");
                return Err(FrameError::Field {
                    field,
                    found,
                    expected: "a byte string",
                });
            }
        }
        self.expect(field, "a byte string", |found| {
            matches!(found, Type::Bytes | Type::BytesIndef)
        })?;
        let mut data = Vec::new();
        self.read(|d| {
            d.bytes_iter()?
                .try_for_each(|part| part.map(|part| data.extend_from_slice(part)))
        })?;
        if data.len() > max {
            return Err(FrameError::FieldTooLong {
                field,
                len: data.len(),
                max,
            });
        }
        Ok(data)
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, FrameError> {
        self.expect(field, "true or false", |found| found == Type::Bool)?;
        self.read(Decoder::bool)
    }

    /// A whole number that is not negative; JS writes those past 2^32 as floats.
    pub(super) fn whole(&mut self, field: &'static str) -> Result<u64, FrameError> {
        let expected = "a whole number that is not negative";
        self.expect(field, expected, |found| {
            use Type::{F32, F64, U8, U16, U32, U64};
            matches!(found, U8 | U16 | U32 | U64 | F32 | F64)
        })?;
        let number = match self.kind()? {
            Type::F32 => f64::from(self.read(Decoder::f32)?),
            Type::F64 => self.read(Decoder::f64)?,
            _ => return self.read(Decoder::u64),
        };
        // Below 2^64 and without a fraction, the conversion is exact; NaN fails both.
        if (0.0..18_446_744_073_709_551_616.0).contains(&number) && number.fract() == 0.0 {
            return Ok(number as u64);
        }
        Err(FrameError::Field {
            field,
            found: format!("the number {number}"),
            expected,
        })
    }
}
