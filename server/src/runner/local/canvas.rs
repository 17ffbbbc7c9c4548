//! A small grid on which figures are drawn from lit shapes.
//!
//! Figures are described in *figure units*: a square of 64 by 64 with its axis at `x = 0` and its
//! top at `y = 0`. The canvas maps them onto however many pixels there are, lights each shape from
//! the upper left in a few flat tones, and finally draws outlines.
//!
//! **Invariant:** only `+ - * /` and `sqrt` touch coordinates, so every platform draws the same.

use super::palette::{Ramp, Rgb};

/// Side of the square that figures are described in.
pub(super) const FIGURE_UNITS: f64 = 64.0;

/// Index of a colour ramp of the canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ink(pub(super) u8);

/// One painted pixel before colours are looked up.
#[derive(Clone, Copy, Debug)]
struct Cell {
    ink: Ink,
    /// 0 deepest shadow … 4 shine.
    tone: u8,
    /// Later parts lie on top and throw a thin shadow on earlier ones.
    part: u16,
}

/// How a shape is lit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Light {
    /// As a ball would be: shadow, base, light.
    Round,
    /// As a ball of metal or glass: with a shine.
    Shiny,
    /// One tone everywhere (0 to 4).
    Flat(u8),
}

/// The grid.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    scale: f64,
    axis: f64,
    top: f64,
    ramps: Vec<Ramp>,
    cells: Vec<Option<Cell>>,
    part: u16,
    parting: bool,
}

impl Canvas {
    /// An empty grid of `width` by `height` pixels with the figure's square standing on its lower edge.
    pub(super) fn new(width: usize, height: usize, ramps: Vec<Ramp>) -> Canvas {
        let scale = width.min(height) as f64 / FIGURE_UNITS;
        Canvas {
            width,
            height,
            scale,
            axis: width as f64 / 2.0,
            // A tall picture shows the figure a little below its middle.
            top: (height as f64 - FIGURE_UNITS * scale) * 0.6,
            ramps,
            cells: vec![None; width * height],
            part: 0,
            parting: true,
        }
    }

    /// Pixels per figure unit.
    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    /// Everything drawn until `f` returns counts as one part: no shadow lines inside it.
    pub(super) fn as_one(&mut self, f: impl FnOnce(&mut Canvas)) {
        self.part += 1;
        let before = std::mem::replace(&mut self.parting, false);
        f(self);
        self.parting = before;
    }

    fn unit(&self, px: usize, py: usize) -> (f64, f64) {
        (
            (px as f64 + 0.5 - self.axis) / self.scale,
            (py as f64 + 0.5 - self.top) / self.scale,
        )
    }

    /// Fills each pixel inside `bounds` for which `lit` gives a tone.
    fn fill(&mut self, bounds: [f64; 4], ink: Ink, lit: impl Fn(f64, f64) -> Option<u8>) {
        if self.parting {
            self.part += 1;
        }
        let [left, top, right, bottom] = bounds;
        let clamp = |value: f64, max: usize| value.max(0.0).min(max as f64) as usize;
        let from_x = clamp(left * self.scale + self.axis - 1.0, self.width);
        let to_x = clamp(right * self.scale + self.axis + 2.0, self.width);
        let from_y = clamp(top * self.scale + self.top - 1.0, self.height);
        let to_y = clamp(bottom * self.scale + self.top + 2.0, self.height);
        for py in from_y..to_y {
            for px in from_x..to_x {
                let (x, y) = self.unit(px, py);
                if let Some(tone) = lit(x, y) {
                    self.cells[py * self.width + px] = Some(Cell {
                        ink,
                        tone,
                        part: self.part,
                    });
                }
            }
        }
    }

    /// An upright ellipse.
    pub(super) fn ellipse(&mut self, ink: Ink, light: Light, cx: f64, cy: f64, rx: f64, ry: f64) {
        self.fill([cx - rx, cy - ry, cx + rx, cy + ry], ink, |x, y| {
            let (nx, ny) = ((x - cx) / rx, (y - cy) / ry);
            (nx * nx + ny * ny <= 1.0).then(|| tone(light, nx, ny))
        });
    }

    /// The part of an ellipse above (`keep_above`) or below the line `y = cut`.
    pub(super) fn dome(
        &mut self,
        ink: Ink,
        light: Light,
        [cx, cy, rx, ry]: [f64; 4],
        cut: f64,
        keep_above: bool,
    ) {
        self.fill([cx - rx, cy - ry, cx + rx, cy + ry], ink, |x, y| {
            let (nx, ny) = ((x - cx) / rx, (y - cy) / ry);
            let kept = if keep_above { y <= cut } else { y >= cut };
            (kept && nx * nx + ny * ny <= 1.0).then(|| tone(light, nx, ny))
        });
    }

    /// A straight limb of half-width `from_r` at one end and `to_r` at the other, with round ends.
    pub(super) fn limb(
        &mut self,
        ink: Ink,
        light: Light,
        from: (f64, f64),
        to: (f64, f64),
        from_r: f64,
        to_r: f64,
    ) {
        let r = from_r.max(to_r);
        let bounds = [
            from.0.min(to.0) - r,
            from.1.min(to.1) - r,
            from.0.max(to.0) + r,
            from.1.max(to.1) + r,
        ];
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length_squared = (dx * dx + dy * dy).max(1e-9);
        // Thin things must not vanish at small sizes.
        let least = 0.5 / self.scale;
        self.fill(bounds, ink, |x, y| {
            let t = (((x - from.0) * dx + (y - from.1) * dy) / length_squared).clamp(0.0, 1.0);
            let r = (from_r + (to_r - from_r) * t).max(least);
            let (nx, ny) = ((x - from.0 - dx * t) / r, (y - from.1 - dy * t) / r);
            (nx * nx + ny * ny <= 1.0).then(|| tone(light, nx, ny))
        });
    }

    /// A polygon, lit as if it bulged within its bounding box.
    pub(super) fn polygon(&mut self, ink: Ink, light: Light, points: &[(f64, f64)]) {
        let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for &(x, y) in points {
            bounds = [
                bounds[0].min(x),
                bounds[1].min(y),
                bounds[2].max(x),
                bounds[3].max(y),
            ];
        }
        let (cx, cy) = ((bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0);
        let (rx, ry) = (
            (bounds[2] - bounds[0]).max(1e-6) / 2.0,
            (bounds[3] - bounds[1]).max(1e-6) / 2.0,
        );
        self.fill(bounds, ink, |x, y| {
            inside(points, x, y).then(|| tone(light, (x - cx) / rx * 0.85, (y - cy) / ry * 0.6))
        });
    }

    /// A rectangle of whole pixels around (`cx`, `cy`), at least one pixel in size: for eyes and
    /// other details that must stay crisp and present at every size.
    pub(super) fn dot(&mut self, ink: Ink, tone: u8, cx: f64, cy: f64, w: f64, h: f64) {
        let wide = ((w * self.scale + 0.5) as usize).max(1);
        let high = ((h * self.scale + 0.5) as usize).max(1);
        let center_y = cy * self.scale + self.top;
        let start_y = (center_y - high as f64 / 2.0 + 0.5).max(0.0) as usize;
        // Mirror images of each other on both sides of the axis.
        let distance = cx.abs() * self.scale - wide as f64 / 2.0;
        let start_x = if cx > 0.0 {
            (self.axis + distance + 0.5) as usize
        } else if cx < 0.0 {
            let mirrored = (self.axis + distance + 0.5) as usize;
            self.width.saturating_sub(mirrored + wide)
        } else {
            (self.axis - wide as f64 / 2.0 + 0.5).max(0.0) as usize
        };
        if self.parting {
            self.part += 1;
        }
        for py in start_y..(start_y + high).min(self.height) {
            for px in start_x..(start_x + wide).min(self.width) {
                // The part below is kept, so that details throw no shadow.
                let part = self.cells[py * self.width + px].map_or(self.part, |cell| cell.part);
                self.cells[py * self.width + px] = Some(Cell { ink, tone, part });
            }
        }
    }

    /// The tone of every painted pixel of `ink` inside the ellipse moves by `by`.
    pub(super) fn shade(&mut self, ink: Ink, by: i8, cx: f64, cy: f64, rx: f64, ry: f64) {
        for py in 0..self.height {
            for px in 0..self.width {
                let (x, y) = self.unit(px, py);
                let (nx, ny) = ((x - cx) / rx, (y - cy) / ry);
                if let Some(cell) = &mut self.cells[py * self.width + px]
                    && cell.ink == ink
                    && nx * nx + ny * ny <= 1.0
                {
                    cell.tone = cell.tone.saturating_add_signed(by).min(4);
                }
            }
        }
    }

    /// Draws outlines and shadow lines and returns RGBA, four bytes a pixel.
    pub(super) fn finish(&self) -> Vec<[u8; 4]> {
        let at = |x: isize, y: isize| -> Option<Cell> {
            let inside = x >= 0 && y >= 0 && x < self.width as isize && y < self.height as isize;
            if inside {
                self.cells[y as usize * self.width + x as usize]
            } else {
                None
            }
        };
        let mut out = vec![[0; 4]; self.width * self.height];
        for y in 0..self.height as isize {
            for x in 0..self.width as isize {
                let around = [at(x, y - 1), at(x - 1, y), at(x + 1, y), at(x, y + 1)];
                let rgb = match at(x, y) {
                    Some(cell) => Some(self.inner(cell, around)),
                    // The outline takes the colour of the nearest part, nearly black.
                    None => around
                        .into_iter()
                        .flatten()
                        .max_by_key(|cell| cell.part)
                        .map(|cell| self.ramp(cell.ink).outline),
                };
                if let Some(Rgb(r, g, b)) = rgb {
                    out[y as usize * self.width + x as usize] = [r, g, b, 255];
                }
            }
        }
        out
    }

    fn inner(&self, cell: Cell, around: [Option<Cell>; 4]) -> Rgb {
        let covered = around
            .into_iter()
            .flatten()
            .any(|other| other.part > cell.part && other.ink != cell.ink);
        let beside = around
            .into_iter()
            .flatten()
            .any(|other| other.part > cell.part);
        let ramp = self.ramp(cell.ink);
        // Small pictures have no room for lines between parts.
        if self.scale >= 0.7 && covered && cell.tone < 5 {
            ramp.tones[0]
        } else if beside && cell.tone < 5 {
            ramp.tones[usize::from(cell.tone.saturating_sub(1).min(1))]
        } else {
            ramp.tones[usize::from(cell.tone.min(4))]
        }
    }

    fn ramp(&self, ink: Ink) -> &Ramp {
        &self.ramps[usize::from(ink.0)]
    }
}

/// Light from the upper left, in flat steps.
fn tone(light: Light, nx: f64, ny: f64) -> u8 {
    if let Light::Flat(tone) = light {
        return tone;
    }
    let nz = (1.0 - nx * nx - ny * ny).max(0.0).sqrt();
    let lit = -0.48 * nx - 0.62 * ny + 0.62 * nz;
    match (light, lit) {
        (_, lit) if lit < 0.02 => 1,
        (Light::Shiny, lit) if lit > 0.93 => 4,
        (_, lit) if lit > 0.74 => 3,
        _ => 2,
    }
}

fn inside(points: &[(f64, f64)], x: f64, y: f64) -> bool {
    let mut within = false;
    let mut previous = points.len() - 1;
    for current in 0..points.len() {
        let ((ax, ay), (bx, by)) = (points[current], points[previous]);
        if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            within = !within;
        }
        previous = current;
    }
    within
}
