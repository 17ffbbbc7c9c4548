//! Every decoder of bytes from outside, given real inputs that were changed as somebody would who
//! knows the format: nothing panics, everything ends soon and in little memory, and what is taken
//! or refused is so as the decoder promises. What each of them promises stands in
//! `tests/fuzz/src/lib.rs`, which the fuzz targets hold as well; the real inputs are their corpus.
//!
//! `PLAINSYNC_MUTATIONS=1000000 cargo test --release -p plainsync-core --test mutations -- --nocapture`
//! tries so many for each and tells what became of them; the name of a test in front of `--nocapture`
//! tries one. `PLAINSYNC_MUTATIONS_SEED` begins elsewhere; a failure prints the number of its case,
//! which is its seed.
#![cfg(feature = "fan-out")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "tests that measure, read their corpus, and are told how long"
)]

#[path = "mutations/bytes.rs"]
mod bytes;
#[path = "mutations/cbor.rs"]
mod cbor;
#[path = "../../tests/src/chance.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod chance;
#[path = "mutations/corpus.rs"]
mod corpus;
#[path = "mutations/decoders.rs"]
mod decoders;
#[path = "guard/documents.rs"]
mod documents;
#[path = "../../tests/src/forge.rs"]
mod forge;
#[path = "../../tests/fuzz/src/lib.rs"]
mod fuzz;
#[path = "mutations/histories.rs"]
mod histories;
#[path = "mutations/json.rs"]
mod json;
#[path = "mutations/run.rs"]
mod run;
#[path = "mutations/scale.rs"]
mod scale;

mod common;
