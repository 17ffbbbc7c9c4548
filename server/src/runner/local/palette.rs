//! Colours: ramps of five tones and an outline, made from one hue.
//!
//! Shadows lean towards violet and lights towards yellow, as pixel artists paint them.
//!
//! **Invariant:** only `+ - * /` touch colours, so every platform computes the same bytes.

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

/// One material's colours.
#[derive(Clone, Debug)]
pub(super) struct Ramp {
    /// Deepest shadow, shadow, base, light, shine.
    pub(super) tones: [Rgb; 5],
    /// Around the figure.
    pub(super) outline: Rgb,
}

/// Hue in degrees, saturation and lightness from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hsl(pub(super) f64, pub(super) f64, pub(super) f64);

impl Hsl {
    /// The same colour with another hue, in degrees.
    pub(super) fn turned(self, degrees: f64) -> Hsl {
        Hsl(wrap(self.0 + degrees), self.1, self.2)
    }

    /// The same hue with saturation and lightness multiplied.
    pub(super) fn scaled(self, saturation: f64, lightness: f64) -> Hsl {
        Hsl(
            self.0,
            (self.1 * saturation).min(1.0),
            (self.2 * lightness).min(0.95),
        )
    }

    /// Five tones and an outline around this base.
    pub(super) fn ramp(self) -> Ramp {
        let Hsl(hue, saturation, lightness) = self;
        let dark = |share: f64, turn: f64| {
            Hsl(
                towards(hue, 265.0, turn),
                (saturation * 1.06).min(1.0),
                lightness * share,
            )
            .rgb()
        };
        let bright = |share: f64, turn: f64| {
            Hsl(
                towards(hue, 55.0, turn),
                saturation * (1.0 - share * 0.25),
                lightness + (1.0 - lightness) * share,
            )
            .rgb()
        };
        Ramp {
            tones: [
                dark(0.42, 26.0),
                dark(0.70, 14.0),
                self.rgb(),
                bright(0.30, 10.0),
                bright(0.68, 16.0),
            ],
            outline: Hsl(
                towards(hue, 265.0, 40.0),
                (saturation * 0.7).min(0.55),
                0.09 + lightness * 0.06,
            )
            .rgb(),
        }
    }

    fn rgb(self) -> Rgb {
        let Hsl(hue, saturation, lightness) = self;
        let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
        let sector = wrap(hue) / 60.0;
        let within = sector - 2.0 * f64::from((sector / 2.0) as u32);
        let second = chroma * (1.0 - (within - 1.0).abs());
        let (r, g, b) = match sector as u32 {
            0 => (chroma, second, 0.0),
            1 => (second, chroma, 0.0),
            2 => (0.0, chroma, second),
            3 => (0.0, second, chroma),
            4 => (second, 0.0, chroma),
            _ => (chroma, 0.0, second),
        };
        let base = lightness - chroma / 2.0;
        let byte = |value: f64| ((value + base) * 255.0 + 0.5).clamp(0.0, 255.0) as u8;
        Rgb(byte(r), byte(g), byte(b))
    }
}

fn wrap(degrees: f64) -> f64 {
    if degrees < 0.0 {
        degrees + 360.0
    } else if degrees >= 360.0 {
        degrees - 360.0
    } else {
        degrees
    }
}

/// `from` moved towards `to` by at most `step` degrees, the short way round.
fn towards(from: f64, to: f64, step: f64) -> f64 {
    let mut gap = to - from;
    if gap > 180.0 {
        gap -= 360.0;
    }
    if gap < -180.0 {
        gap += 360.0;
    }
    wrap(from + gap.clamp(-step, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_colours_come_out_exactly() {
        assert_eq!(Hsl(0.0, 1.0, 0.5).rgb(), Rgb(255, 0, 0));
        assert_eq!(Hsl(120.0, 1.0, 0.5).rgb(), Rgb(0, 255, 0));
        assert_eq!(Hsl(240.0, 1.0, 0.5).rgb(), Rgb(0, 0, 255));
        assert_eq!(Hsl(0.0, 0.0, 1.0).rgb(), Rgb(255, 255, 255));
    }

    #[test]
    fn ramps_grow_lighter() {
        let luminance = |Rgb(r, g, b): Rgb| u32::from(r) * 3 + u32::from(g) * 6 + u32::from(b);
        for hue in 0..36 {
            let ramp = Hsl(f64::from(hue) * 10.0, 0.6, 0.5).ramp();
            assert!(
                ramp.tones
                    .windows(2)
                    .all(|pair| luminance(pair[0]) < luminance(pair[1])),
                "hue {hue}0"
            );
            assert!(
                luminance(ramp.outline) < luminance(ramp.tones[0]),
                "hue {hue}0"
            );
        }
    }
}
