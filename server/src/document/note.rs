//! Small notes that say by themselves whether they are whole: a text, and a last line with its
//! sum.
//!
//! ```text
//! whatever the note says, in lines
//! sum 1f0c…      the first 16 digits of the SHA-256 of all before this line
//! ```
//!
//! The private state keeps its small files in this form, and lock files name their holder in it.
//!
//! **Invariant:** a note with one changed byte, wherever it is, is not read as a whole one.

use sha2::{Digest as _, Sha256};

/// What the last line begins with.
const SUM: &str = "sum ";

/// Digits of the sum that are written.
const SUM_DIGITS: usize = 16;

/// Why a note cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It ends otherwise; half of a note does, and one that an older version wrote.
    #[error("its last line is not the sum of the others")]
    NoSum,
    /// What it says is not what was written.
    #[error("its text is not the one that its sum was made of")]
    Changed,
}

/// `text` as a note. A line break at its end is added where there is none.
#[must_use]
pub fn seal(text: &str) -> Vec<u8> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    format!("{text}\n{SUM}{}\n", sum(&format!("{text}\n"))).into_bytes()
}

/// What a note says, without its last line.
///
/// # Errors
///
/// [`NoteError`]: it is not as it was written.
pub fn unseal(bytes: &[u8]) -> Result<&str, NoteError> {
    let text = std::str::from_utf8(bytes).map_err(|_| NoteError::Changed)?;
    let lines = text.strip_suffix('\n').ok_or(NoteError::NoSum)?;
    let start = lines.rfind('\n').map_or(0, |at| at + 1);
    let said = lines[start..].strip_prefix(SUM).ok_or(NoteError::NoSum)?;
    if said == sum(&text[..start]) {
        Ok(&text[..start])
    } else {
        Err(NoteError::Changed)
    }
}

fn sum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..SUM_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_was_written() {
        for (text, said) in [("a\nb\n", "a\nb\n"), ("a", "a\n"), ("", "\n"), ("\n", "\n")] {
            assert_eq!(unseal(&seal(text)), Ok(said), "{text:?}");
        }
    }

    #[test]
    fn no_byte_of_a_note_changes_unnoticed() {
        let note = seal("one line\nand ünother\n");
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut changed = note.clone();
                changed[at] ^= 1 << bit;
                unseal(&changed).expect_err("it is another text");
            }
            unseal(&note[..at]).expect_err("half of it");
        }
        assert_eq!(unseal(b"ab\n"), Err(NoteError::NoSum));
    }
}
