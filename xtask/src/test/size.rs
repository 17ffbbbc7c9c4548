//! What a first visit downloads of the engine: the wasm as brotli, against its budget.

use std::{fs, io::Read};

use crate::{
    failure::{Done, Failure, OrAdvise},
    house::House,
    wasm,
};

/// Largest wasm that the browser may have to download, in bytes of brotli.
const WASM_BROTLI_BYTES_MAX: usize = 550_000;

/// How brotli compresses: its best quality, and the largest window that browsers accept by default.
const QUALITY: u32 = 11;
const WINDOW_BITS: u32 = 22;

/// Builds the wasm and measures it.
///
/// # Errors
///
/// Fails when it is over its budget.
pub(super) fn check(house: &House) -> Done {
    let file = wasm::build(house)?;
    let bytes = fs::read(&file).or_advise("Run `cargo xtask wasm` again.")?;
    let packed_bytes = brotli_bytes(&bytes).or_advise("Free some memory and try again.")?;
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

fn brotli_bytes(bytes: &[u8]) -> std::io::Result<usize> {
    let mut packed = Vec::new();
    brotli::CompressorReader::new(bytes, 64 * 1024, QUALITY, WINDOW_BITS)
        .read_to_end(&mut packed)?;
    Ok(packed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_packs_repetition() {
        assert!(brotli_bytes(&[7; 100_000]).expect("memory suffices") < 100);
    }
}
