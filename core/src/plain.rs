//! Plain JSON ⇄ document.
//!
//! [`export`] writes the file that people read; [`import`] takes an edited file back as
//! edits; [`base`] finds the version that a list without one was made from; [`origin`] tells
//! what a file is before it is taken in; [`json`] is the parser, which knows where each value
//! stands.

pub mod base;
pub mod export;
pub mod file;
pub(crate) mod held;
pub mod import;
pub mod json;
pub mod made_from;
pub mod origin;
