//! Texts: what stands between double quotes.

use super::error::JsonErrorKind;
use super::parse::{Fault, Parser, fault};
use crate::limits::JSON_TEXT_BYTES_MAX;

impl Parser<'_> {
    /// Steps behind a text, whose opening quote is the next byte.
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        let begins = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let run = self.at;
            let rest = &self.bytes[run..];
            let Some(len) = rest.iter().position(|byte| STOPS[usize::from(*byte)]) else {
                return self.half("a text", begins);
            };
            self.at += len;
            if text.len() + len > JSON_TEXT_BYTES_MAX {
                return fault(begins, JsonErrorKind::TextTooLong);
            }
            let plain = &self.text[run..self.at];
            match rest[len] {
                b'"' => {
                    self.at += 1;
                    // Most texts have no escape: one allocation of just the right size.
                    if text.is_empty() {
                        return Ok(plain.to_owned());
                    }
                    text.push_str(plain);
                    return Ok(text);
                }
                b'\\' => {
                    text.push_str(plain);
                    text.push(self.escape(begins)?);
                }
                0 => return fault(self.at, JsonErrorKind::Nul),
                byte => return fault(self.at, JsonErrorKind::Control { byte }),
            }
        }
    }

    /// Steps behind an escape and gives its character. `begins`: where the text began.
    fn escape(&mut self, begins: usize) -> Result<char, Fault> {
        let at = self.at;
        let plain = match self.bytes.get(at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(begins),
            None => return self.half("a text", begins),
            Some(_) => {
                return fault(
                    at,
                    JsonErrorKind::Escape {
                        found: self.quote(at, 2),
                    },
                );
            }
        };
        self.at += 2;
        Ok(plain)
    }

    /// As `escape`, for `\uXXXX` and pairs of these.
    fn unicode(&mut self, begins: usize) -> Result<char, Fault> {
        let at = self.at;
        let first = self.unit(begins)?;
        // Outside of the surrogates, every unit is a character.
        if let Some(char) = char::from_u32(u32::from(first)) {
            return Ok(char);
        }
        let lone = JsonErrorKind::LoneSurrogate {
            found: self.quote(at, 6),
        };
        match &self.bytes[self.at..] {
            _ if first >= 0xdc00 => return fault(at, lone),
            [] | [b'\\'] => return self.half("a text", begins),
            [b'\\', b'u', ..] => {}
            _ => return fault(at, lone),
        }
        let second = self.unit(begins)?;
        match char::decode_utf16([first, second]).next() {
            Some(Ok(char)) => Ok(char),
            _ => fault(at, lone),
        }
    }

    /// Steps behind one `\uXXXX`.
    fn unit(&mut self, begins: usize) -> Result<u16, Fault> {
        let at = self.at;
        let digits = self.bytes[at + 2..].iter().take(4);
        let good = digits.take_while(|digit| digit.is_ascii_hexdigit()).count();
        if good < 4 {
            if at + 2 + good == self.bytes.len() {
                return self.half("a text", begins);
            }
            return fault(
                at,
                JsonErrorKind::Escape {
                    found: self.quote(at, 6),
                },
            );
        }
        self.at += 6;
        // Four hexadecimal digits are a u16.
        Ok(u16::from_str_radix(&self.text[at + 2..at + 6], 16).unwrap_or_default())
    }
}

/// The bytes at which a run of plain text ends: a quote, a backslash, a control character.
static STOPS: [bool; 256] = {
    let mut stops = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        stops[byte] = true;
        byte += 1;
    }
    stops[b'"' as usize] = true;
    stops[b'\\' as usize] = true;
    stops
};
