//! Looking for a text in others, whatever the case of its letters.

/// A text that is looked for. Letters of ASCII are compared without making anything; others as
/// Unicode writes them small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needle {
    small: String,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self {
            small: text.to_lowercase(),
        }
    }

    /// Whether it is the whole of `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        if self.small.is_ascii() {
            return self.small.eq_ignore_ascii_case(text);
        }
        text.to_lowercase() == self.small
    }

    /// Whether it stands anywhere in `text`.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.with_small(text, |text| self.places(text).next().is_some())
    }

    /// Whether it stands in `text` and does not begin or end inside a word. Letters, digits, `_`
    /// and `-` make words, so that `job-1` is not in `job-10` or `job-1-2`.
    pub(super) fn is_word_of(&self, text: &str) -> bool {
        if self.small.is_empty() {
            return text.is_empty();
        }
        let first = self.small.chars().next().is_some_and(is_of_word);
        let last = self.small.chars().next_back().is_some_and(is_of_word);
        self.with_small(text, |text| {
            self.places(text).any(|at| {
                let before = text[..at].chars().next_back().is_some_and(is_of_word);
                let after = text[at + self.small.len()..].chars().next();
                let cuts = (first && before) || (last && after.is_some_and(is_of_word));
                !cuts
            })
        })
    }

    /// `text` as it is where [`Needle::places`] can compare it so, else in small letters.
    fn with_small(&self, text: &str, look: impl FnOnce(&str) -> bool) -> bool {
        if self.small.is_ascii() {
            look(text)
        } else {
            look(&text.to_lowercase())
        }
    }

    /// Where it begins in `text`, in bytes; each place is at the border of a character.
    fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = usize> + 't {
        let (text, small) = (text.as_bytes(), self.small.as_bytes());
        let last = (text.len() + 1).saturating_sub(small.len());
        // A needle that is not ASCII meets only texts in small letters; its first byte begins a
        // character, and one of ASCII is a whole one.
        (0..last).filter(move |at| text[*at..*at + small.len()].eq_ignore_ascii_case(small))
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::Needle;

    #[test]
    fn q2_case_does_not_matter_and_words_have_borders() {
        for (needle, text, anywhere, as_word) in [
            ("knight", "A Heroic KNIGHT, tired", true, true),
            ("knight", "knights", true, false),
            ("job-1", "job-10", true, false),
            ("job-1", "job-1-2", true, false),
            ("job-1", "(Job-1)", true, true),
            ("ÄRGER", "kein Ärger!", true, true),
            ("ärger", "Ärgernis", true, false),
            ("drache", "Drachen: drache", true, true),
            ("", "", true, true),
            ("", "anything", true, false),
            ("!", "go!now", true, true),
            ("龍", "赤い龍", true, false),
            ("longer than it", "short", false, false),
        ] {
            let wanted = Needle::new(needle);
            assert_eq!(wanted.is_in(text), anywhere, "{needle:?} in {text:?}");
            assert_eq!(wanted.is_word_of(text), as_word, "{needle:?} of {text:?}");
        }
        assert!(Needle::new("STRASSE").is("strasse") && !Needle::new("a").is("aa"));
    }
}
