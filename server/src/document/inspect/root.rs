//! The outermost object of a JSON file, read without keeping anything of its records.
//!
//! **Invariant:** what a record holds is checked for syntax alone, so a number or a string that no
//! program could hold is a matter of that record, not of the file.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::super::way::give_way;

/// Records that are read between two questions whether somebody waits.
const RECORDS: usize = 16;

/// What is kept of the object.
#[derive(Default)]
pub(super) struct Root<'t> {
    pub sync: Option<&'t RawValue>,
    pub saved_at: Option<&'t RawValue>,
}

/// Reads the root of `text`, which begins with its brace.
pub(super) fn read(text: &[u8]) -> serde_json::Result<Root<'_>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let root = deserializer.deserialize_map(RootVisitor { text })?;
    deserializer.end()?;
    Ok(root)
}

struct RootVisitor<'t> {
    text: &'t [u8],
}

impl<'t> Visitor<'t> for RootVisitor<'t> {
    type Value = Root<'t>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<Root<'t>, A::Error> {
        let (mut sync, mut saved_at) = (None, None);
        while let Some(name) = members.next_key_seed(Name { text: self.text })? {
            let (member, name) = match name {
                Named::Sync => (&mut sync, "sync"),
                Named::SavedAt => (&mut saved_at, "savedAt"),
                Named::Other { is_list } => {
                    members.next_value_seed(Skipped { is_list })?;
                    continue;
                }
            };
            if member.is_some() {
                return Err(A::Error::duplicate_field(name));
            }
            *member = Some(members.next_value::<Option<&RawValue>>()?);
        }
        Ok(Root {
            sync: sync.flatten(),
            saved_at: saved_at.flatten(),
        })
    }
}

/// The name of a member.
enum Named {
    Sync,
    SavedAt,
    Other { is_list: bool },
}

struct Name<'t> {
    text: &'t [u8],
}

impl<'t> DeserializeSeed<'t> for Name<'t> {
    type Value = Named;

    fn deserialize<D: Deserializer<'t>>(self, name: D) -> Result<Named, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name<'t> {
    type Value = Named;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'t str) -> Result<Named, E> {
        Ok(known(name).unwrap_or_else(|| Named::Other {
            is_list: is_before_list(self.text, name),
        }))
    }

    // It had an escape, and so has no place in the text.
    fn visit_str<E>(self, name: &str) -> Result<Named, E> {
        Ok(known(name).unwrap_or(Named::Other { is_list: false }))
    }
}

fn known(name: &str) -> Option<Named> {
    match name {
        "sync" => Some(Named::Sync),
        "savedAt" => Some(Named::SavedAt),
        _ => None,
    }
}

/// Whether the value of the member `name`, which is borrowed from `text`, begins a list.
fn is_before_list(text: &[u8], name: &str) -> bool {
    let end = name.as_ptr() as usize - text.as_ptr() as usize + name.len();
    let after = text[end..]
        .strip_prefix(b"\"")
        .map(<[u8]>::trim_ascii_start);
    let value = after.and_then(|after| after.strip_prefix(b":"));
    value.is_some_and(|value| value.trim_ascii_start().starts_with(b"["))
}

/// A value whose syntax alone matters; others go first between the elements of a list.
struct Skipped {
    is_list: bool,
}

impl<'t> DeserializeSeed<'t> for Skipped {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, value: D) -> Result<(), D::Error> {
        match self.is_list {
            true => value.deserialize_seq(self),
            // Asked for by its kind, a number too large for any would be refused.
            false => value.deserialize_ignored_any(IgnoredAny).map(drop),
        }
    }
}

impl<'t> Visitor<'t> for Skipped {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut nth = 0_usize;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            nth += 1;
            if nth.is_multiple_of(RECORDS) {
                give_way();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<(Option<&str>, Option<&str>), String> {
        let root = read(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok((
            root.sync.map(RawValue::get),
            root.saved_at.map(RawValue::get),
        ))
    }

    #[test]
    fn f7_what_only_a_record_holds_does_not_concern_the_file() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for value in [
            r"[1e400, -0]",
            r"1e400",
            r#"["\ud800"]"#,
            r#""\ud800""#,
            &deep,
            "[]",
            "{}",
        ] {
            for name in ["jobs", r"j\u006fbs", "[", "__proto__", ""] {
                for between in ["", " \n\t\r"] {
                    let text = format!(r#"{{"{name}"{between}:{between}{value}, "sync": {{}}}}"#);
                    assert_eq!(told(&text), Ok((Some("{}"), None)), "{text:.80}");
                }
            }
        }
    }

    #[test]
    fn f7_members_are_known_however_their_names_are_written() {
        let text = r#"{"s\u0079nc": [1], "savedAt" : "then"}"#;
        assert_eq!(told(text), Ok((Some("[1]"), Some(r#""then""#))));
        assert_eq!(told(r#"{"sync": null}"#), Ok((None, None)));
        let twice = told(r#"{"sync": null, "sync": 1}"#).expect_err("named twice");
        assert!(twice.contains("duplicate field `sync`"), "{twice}");
    }

    #[test]
    fn f7_a_list_is_read_to_its_end() {
        let many = |last: &str| format!(r#"{{"jobs": [{}{last}"#, "{}, ".repeat(2 * RECORDS));
        assert_eq!(told(&many("{}]}")), Ok((None, None)));
        for (last, cause) in [
            ("]}", "trailing comma"),
            ("{} {}]}", "expected `,` or `]`"),
            ("{}", "EOF while parsing a list"),
            ("{}]", "EOF while parsing an object"),
            ("{}]} 1", "trailing characters"),
        ] {
            let said = told(&many(last)).expect_err(last);
            assert!(said.contains(cause), "{last}: {said}");
        }
    }
}
