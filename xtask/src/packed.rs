//! Brotli: what a first visit downloads, packed once at build time and not at each visit.

use std::{fs, io, path::Path};

use brotli::enc::BrotliEncoderParams;

/// Brotli's best quality, and the largest window that browsers accept.
const QUALITY: i32 = 11;
const WINDOW_BITS: i32 = 24;

/// Files that shrink; images are packed already.
const ENDINGS: [&str; 7] = ["css", "html", "js", "json", "svg", "wasm", "webmanifest"];

/// Below this many bytes packing saves nothing worth a file.
const PACK_BYTES_MIN: u64 = 1024;

/// `bytes` as brotli.
///
/// # Errors
///
/// Fails only when memory does.
pub(crate) fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let settings = BrotliEncoderParams {
        quality: QUALITY,
        lgwin: WINDOW_BITS,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut packed = Vec::new();
    let mut rest = bytes;
    brotli::BrotliCompress(&mut rest, &mut packed, &settings)?;
    Ok(packed)
}

/// Writes `x.br` beside every `x` below `folder` that shrinks; the server sends it where it is taken.
///
/// # Errors
///
/// Fails when a file cannot be read or written.
pub(crate) fn siblings(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            siblings(&path)?;
            continue;
        }
        let Some(ending) = path.extension().and_then(|ending| ending.to_str()) else {
            continue;
        };
        if ENDINGS.contains(&ending) && entry.metadata()?.len() >= PACK_BYTES_MIN {
            fs::write(
                path.with_extension(format!("{ending}.br")),
                brotli(&fs::read(&path)?)?,
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_packs_well() {
        assert!(brotli(&[7; 100_000]).expect("memory suffices").len() < 100);
    }
}
