//! How history is told on a terminal: times, people, values, colours.
//!
//! **Invariant:** text that comes from data reaches a terminal with its control characters
//! written out.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use serde::Deserialize;
use serde_json::Value;

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 100;

/// Characters of a device's id that are shown.
const DEVICE_CHARS: usize = 8;

/// Whether and how to colour.
#[derive(Clone, Copy)]
pub(super) struct Paint(bool);

/// The colours of signs.
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
    Faint = 2,
}

impl Paint {
    /// Colours for a terminal, and for nothing else.
    pub(super) fn of_stdout() -> Self {
        let is_asked = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        Self(is_asked && io::stdout().is_terminal())
    }

    pub(super) fn with(self, colour: Colour, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }
}

/// Who did something, and when.
#[derive(Deserialize)]
pub(super) struct By {
    pub(super) at: Option<u64>,
    pub(super) device: Option<String>,
    pub(super) author: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

impl By {
    /// The time in UTC, as `--at` takes it.
    pub(super) fn time(&self) -> String {
        let seconds = i64::try_from(self.at.unwrap_or_default() / 1000).unwrap_or(i64::MAX);
        let text = plainsync_core::time::rfc3339(seconds);
        text.trim_end_matches('Z').replace('T', " ")
    }

    /// `restore by anna`, `file`, `1f2e3d4c`.
    pub(super) fn who(&self) -> String {
        let device = self.device.as_deref();
        let device = device.map(|device| device.chars().take(DEVICE_CHARS).collect());
        let person = self.author.clone().or(device);
        let words = match (&self.message, person) {
            (Some(message), Some(person)) => format!("{message} by {person}"),
            (Some(message), None) => message.clone(),
            (None, Some(person)) => person,
            (None, None) => "-".to_owned(),
        };
        plain(&words)
    }
}

/// A field of a record in two versions.
#[derive(Deserialize)]
pub(super) struct Field {
    field: String,
    #[serde(default, deserialize_with = "there")]
    before: Option<Value>,
    #[serde(default, deserialize_with = "there")]
    after: Option<Value>,
}

/// Tells null from nothing.
fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Field {
    /// One line: `prompt: "a knight" → "a king"`.
    pub(super) fn told(&self, paint: Paint) -> String {
        let before = self.before.as_ref().map(value);
        let after = self.after.as_ref().map(value);
        let red = |text: &str| paint.with(Colour::Red, text);
        let green = |text: &str| paint.with(Colour::Green, text);
        let what = match (before, after) {
            (Some(before), Some(after)) => format!("{} → {}", red(&before), green(&after)),
            (Some(before), None) => format!("{} → (none)", red(&before)),
            (None, Some(after)) => green(&after),
            (None, None) => String::new(),
        };
        format!("    {}: {what}", plain(&self.field))
    }

    /// Whether it tells anything of a record that is new: most fields start empty.
    pub(super) fn is_worth_telling(&self) -> bool {
        !matches!(self.after, None | Some(Value::Null))
    }

    /// The text in the first version, if this is the field `name`.
    pub(super) fn was(&self, name: &str) -> Option<String> {
        let before = self.before.as_ref().filter(|_| self.field == name)?;
        Some(value(before))
    }
}

/// A value on one line, cut where it is long.
pub(super) fn value(value: &Value) -> String {
    let text = plain(&value.to_string());
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Text as it may reach a terminal.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Also those that turn the direction of what follows.
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// `2 added, 1 removed`; none if nothing was.
pub(super) fn counts(counted: &[(usize, &str)]) -> Option<String> {
    let some = counted.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = some
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn t3_what_data_says_never_moves_the_cursor() {
        assert_eq!(
            plain("a\u{1b}[31m\u{9b}b\u{202e}"),
            "a\\u{1b}[31m\\u{9b}b\\u{202e}"
        );
        assert_eq!(value(&json!("a\u{1b}\n")), "\"a\\u001b\\n\"");
        assert_eq!(
            value(&json!("x".repeat(500))).chars().count(),
            VALUE_CHARS_MAX + 1
        );
    }
}
