//! What a first visit downloads of the engine: the wasm as brotli, against its budget.

use std::fs;

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::House,
    packed, wasm,
};

/// Largest wasm that the browser may have to download, in bytes of brotli. A page shows its cached rows before
/// it has come, and it comes once for each version; so what people find and settle with it may add to it.
const WASM_BROTLI_BYTES_MAX: usize = 600_000;

/// Builds the wasm and measures it.
///
/// # Errors
///
/// Fails when it is over its budget.
pub(super) fn check(house: &House) -> Done {
    let file = wasm::build(house)?;
    let bytes = fs::read(&file).or_advise("Run `cargo xtask wasm` again.")?;
    let packed_bytes = packed::brotli(&bytes)
        .or_advise("Free some memory and try again.")?
        .len();
    eprintln!(
        "wasm: {} bytes, {packed_bytes} as brotli; the budget is {WASM_BROTLI_BYTES_MAX}",
        bytes.len()
    );
    if packed_bytes > WASM_BROTLI_BYTES_MAX {
        return Err(Failure::new(format!(
            "The wasm is {packed_bytes} bytes as brotli; the budget is {WASM_BROTLI_BYTES_MAX}. Look for a new dependency with `cargo tree --package plainsync-wasm --target wasm32-unknown-unknown`."
        )));
    }
    Ok(())
}
