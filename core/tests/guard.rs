//! The guard: what real histories look like passes and is counted right, what lies is refused.
#![cfg(feature = "fan-out")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "guard/documents.rs"]
mod documents;
#[path = "../../tests/src/forge.rs"]
mod forge;
#[path = "guard/hazards.rs"]
mod hazards;
#[path = "guard/nesting.rs"]
mod nesting;
#[path = "guard/real.rs"]
mod real;

mod common;
