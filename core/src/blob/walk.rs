//! Data URLs and references inside JSON values.
//!
//! All three walks see the same strings: those at any depth, except what lies under an
//! object field named in `skip`. They keep their own stack, so depth costs memory, not calls.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{Blob, BlobRef, from_data_url, sniff, to_data_url};

/// Replaces each canonical data URL in `value` by its reference, and returns the images.
///
/// Fields named in `skip` (a person's text, such as `prompt`) are left alone, with all that is
/// in them. Each image is returned once, in the order in which it was met.
pub fn externalize(value: &mut Value, skip: &[&str]) -> Vec<Blob> {
    let mut blobs = Vec::new();
    let mut seen = BTreeSet::new();
    strings_mut(value, skip, |text| {
        if let Some(blob) = from_data_url(text) {
            *text = blob.hash.to_string();
            if seen.insert(blob.hash) {
                blobs.push(blob);
            }
        }
    });
    blobs
}

/// Replaces each reference in `value` whose bytes `lookup` gives by their data URL.
///
/// The inverse of [`externalize`] with the same `skip`. A reference whose bytes are not held,
/// or are no image, stays as it is.
pub fn inline<'a>(
    value: &mut Value,
    skip: &[&str],
    lookup: impl Fn(&BlobRef) -> Option<Cow<'a, [u8]>>,
) {
    show(value, skip, &|hash| {
        let bytes = lookup(hash)?;
        Some(to_data_url(sniff(&bytes)?, &bytes))
    });
}

/// Replaces each reference in `value` by the text that `text` gives for it, if it gives one.
pub fn show(value: &mut Value, skip: &[&str], text: &dyn Fn(&BlobRef) -> Option<String>) {
    strings_mut(value, skip, |string| {
        if let Some(shown) = string.parse().ok().and_then(|hash| text(&hash)) {
            *string = shown;
        }
    });
}

/// The references in `value`, each once, in the order in which they are met.
#[must_use]
pub fn refs(value: &Value, skip: &[&str]) -> Vec<BlobRef> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) => {
                if let Ok(hash) = text.parse::<BlobRef>()
                    && seen.insert(hash)
                {
                    found.push(hash);
                }
            }
            // Reversed, because the last one pushed is the next one seen.
            Value::Array(items) => stack.extend(items.iter().rev()),
            Value::Object(fields) => stack.extend(
                fields
                    .iter()
                    .rev()
                    .filter(|(name, _)| !skip.contains(&name.as_str()))
                    .map(|(_, v)| v),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

/// Shows `change` each string of `value` outside the fields named in `skip`, in order.
fn strings_mut(value: &mut Value, skip: &[&str], mut change: impl FnMut(&mut String)) {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) => change(text),
            Value::Array(items) => stack.extend(items.iter_mut().rev()),
            Value::Object(fields) => {
                let at = stack.len();
                let shown = fields
                    .iter_mut()
                    .filter(|(name, _)| !skip.contains(&name.as_str()));
                stack.extend(shown.map(|(_, v)| v));
                stack[at..].reverse();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
