//! Plain JSON ⇄ document.
//!
//! [`export`] writes the file that people read; [`import`] takes an edited file back as
//! edits; [`json`] is the parser, which knows where each value stands.

pub mod export;
pub mod file;
pub(crate) mod held;
pub mod import;
pub mod json;
