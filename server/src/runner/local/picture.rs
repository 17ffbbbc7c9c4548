//! PNG files in and out, as grids of RGBA pixels.

use png::{BitDepth, ColorType, Decoder, Encoder, Limits, Transformations};
use std::io::Cursor;

/// Largest side, in pixels, of a picture that is decoded for turning.
pub(super) const DECODED_SIDE_MAX: u32 = 2048;

/// Memory that decoding one picture may take, in bytes.
const DECODED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Pixels in rows from the top left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgba: Vec<[u8; 4]>,
}

impl Pixels {
    /// A fully transparent grid.
    pub(super) fn clear(width: usize, height: usize) -> Pixels {
        Pixels {
            width,
            height,
            rgba: vec![[0; 4]; width * height],
        }
    }

    /// The pixel at (`x`, `y`), which is inside.
    pub(super) fn at(&self, x: usize, y: usize) -> [u8; 4] {
        self.rgba[y * self.width + x]
    }

    /// Each pixel as a block of `by` × `by`, centred on a transparent `width` × `height`.
    pub(super) fn enlarged(&self, by: usize, width: usize, height: usize) -> Pixels {
        let mut out = Pixels::clear(width, height);
        let left = width.saturating_sub(self.width * by) / 2;
        // What is left over goes above: figures stand on the lower edge.
        let top = height.saturating_sub(self.height * by);
        for y in 0..(self.height * by).min(height) {
            for x in 0..(self.width * by).min(width) {
                out.rgba[(top + y) * width + left + x] = self.at(x / by, y / by);
            }
        }
        out
    }

    /// The same picture at another size, by nearest pixels, with its proportions kept.
    pub(super) fn fitted(&self, width: usize, height: usize) -> Pixels {
        if (self.width, self.height) == (width, height) {
            return self.clone();
        }
        // Compare width/self.width with height/self.height without rounding.
        let wide = width * self.height <= height * self.width;
        let (to_w, to_h) = if wide {
            (width, (self.height * width / self.width).max(1))
        } else {
            ((self.width * height / self.height).max(1), height)
        };
        let (left, top) = ((width - to_w) / 2, height - to_h);
        let mut out = Pixels::clear(width, height);
        for y in 0..to_h {
            for x in 0..to_w {
                out.rgba[(top + y) * width + left + x] =
                    self.at(x * self.width / to_w, y * self.height / to_h);
            }
        }
        out
    }

    /// The file's bytes. Equal pixels give equal bytes.
    pub(super) fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(ColorType::Rgba);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.rgba.as_flattened())?;
        writer.finish()?;
        Ok(bytes)
    }

    /// Decodes a PNG of any kind (the first frame, if it moves).
    ///
    /// # Errors
    ///
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn from_png(bytes: &[u8]) -> Result<Pixels, String> {
        let damaged = |error: png::DecodingError| format!("its PNG data is damaged ({error})");
        let mut decoder = Decoder::new_with_limits(
            Cursor::new(bytes),
            Limits {
                bytes: DECODED_BYTES_MAX,
            },
        );
        decoder.set_transformations(
            Transformations::EXPAND | Transformations::ALPHA | Transformations::STRIP_16,
        );
        let header = decoder.read_header_info().map_err(damaged)?;
        let (width, height) = (header.width, header.height);
        if width > DECODED_SIDE_MAX || height > DECODED_SIDE_MAX {
            return Err(format!(
                "it is {width}×{height} pixels; at most {DECODED_SIDE_MAX} a side are allowed"
            ));
        }
        let mut reader = decoder.read_info().map_err(damaged)?;
        let size = reader
            .output_buffer_size()
            .ok_or_else(|| "it is too large".to_owned())?;
        let mut buffer = vec![0; size];
        let frame = reader.next_frame(&mut buffer).map_err(damaged)?;
        let samples = frame.color_type.samples();
        let rgba = buffer[..frame.buffer_size()]
            .chunks_exact(samples)
            .map(|pixel| match *pixel {
                [grey, alpha] => [grey, grey, grey, alpha],
                [r, g, b, alpha] => [r, g, b, alpha],
                [grey] => [grey, grey, grey, 255],
                [r, g, b] => [r, g, b, 255],
                _ => [0; 4],
            })
            .collect();
        Ok(Pixels {
            width: frame.width as usize,
            height: frame.height as usize,
            rgba,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_its_file() {
        let mut pixels = Pixels::clear(3, 2);
        pixels.rgba[4] = [1, 2, 3, 200];
        let png = pixels.to_png().expect("encodes");
        assert_eq!(Pixels::from_png(&png), Ok(pixels));
    }

    #[test]
    fn damaged_and_huge_files_are_described() {
        let png = Pixels::clear(16, 16).to_png().expect("encodes");
        for cut in 0..png.len() - 12 {
            assert!(Pixels::from_png(&png[..cut]).is_err(), "cut at {cut}");
        }
        let mut huge = png;
        huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        assert!(Pixels::from_png(&huge).is_err());
    }
}
