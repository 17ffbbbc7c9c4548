//! The body that a flat picture is blown up into before it is turned.

use super::picture::Pixels;
use super::turn::around;

/// How thick the body is, as a share of how wide it is.
const THICKNESS: f64 = 0.86;

/// Thickness of what is on one side of the body only, in pixels.
const THIN_DEPTH_MAX: f64 = 2.5;

/// A body, standing upright.
pub(super) struct Solid {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Column of the axis it turns about.
    pub(super) axis: f64,
    /// Half the width of its thickest part.
    pub(super) radius: f64,
    /// What is behind the figure: transparent, or the plain colour of all four corners.
    pub(super) ground: [u8; 4],
    /// Whether the picture had a dark outline, which was taken off and is drawn anew.
    pub(super) outlined: bool,
    skin: Vec<Option<Skin>>,
}

/// The body at one pixel of the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skin {
    /// From the picture's plane to the surface, in pixels.
    pub(super) depth: f64,
    pub(super) front: [u8; 4],
    pub(super) back: [u8; 4],
    /// Colour of the outline beside this pixel.
    pub(super) edge: [u8; 4],
}

impl Solid {
    /// Blows up `picture`.
    pub(super) fn of(picture: &Pixels) -> Solid {
        let (width, height) = (picture.width, picture.height);
        let ground = ground(picture);
        let mut inside: Vec<bool> = figure(picture, ground);
        let rim = rim(picture, &inside);
        let dark = rim
            .iter()
            .filter(|&&at| luminance(picture.rgba[at]) < 70)
            .count();
        let outlined = !rim.is_empty() && dark * 10 >= rim.len() * 7;
        let mut edges: Vec<Option<[u8; 4]>> = vec![None; width * height];
        if outlined {
            for &at in &rim {
                if luminance(picture.rgba[at]) < 70 {
                    inside[at] = false;
                    edges[at] = Some(picture.rgba[at]);
                }
            }
        }
        spread(&mut edges, width, height);
        let depths = body_depths(&inside, width, height);
        let (axis, radius) = axis(&depths, width);
        let mut skin: Vec<Option<Skin>> = (0..width * height)
            .map(|at| {
                let front = picture.rgba[at];
                let edge = edges[at].unwrap_or([20, 16, 30, 255]);
                inside[at].then_some(Skin {
                    depth: depths[at].max(0.5) * THICKNESS,
                    front,
                    back: front,
                    edge,
                })
            })
            .collect();
        super::back::paint(&mut skin, width, height, axis);
        Solid {
            width,
            height,
            axis,
            radius,
            ground,
            outlined,
            skin,
        }
    }

    pub(super) fn at(&self, x: usize, y: usize) -> Option<Skin> {
        self.skin[y * self.width + x]
    }
}

fn luminance([r, g, b, _]: [u8; 4]) -> u32 {
    (u32::from(r) * 30 + u32::from(g) * 59 + u32::from(b) * 11) / 100
}

/// The colour of all four corners when it is one opaque colour, else transparent.
fn ground(picture: &Pixels) -> [u8; 4] {
    let (right, bottom) = (picture.width - 1, picture.height - 1);
    let corner = picture.at(0, 0);
    let plain = [(right, 0), (0, bottom), (right, bottom)]
        .iter()
        .all(|&(x, y)| picture.at(x, y) == corner);
    if plain && corner[3] == 255 {
        corner
    } else {
        [0; 4]
    }
}

/// Which pixels belong to the figure: opaque ones that the ground does not reach from the border.
fn figure(picture: &Pixels, ground: [u8; 4]) -> Vec<bool> {
    let (width, height) = (picture.width, picture.height);
    let mut inside: Vec<bool> = picture.rgba.iter().map(|rgba| rgba[3] >= 128).collect();
    if ground[3] == 0 {
        return inside;
    }
    let border = |at: usize| {
        at < width
            || at >= width * (height - 1)
            || at.is_multiple_of(width)
            || at % width == width - 1
    };
    let mut open: Vec<usize> = (0..width * height)
        .filter(|&at| border(at) && picture.rgba[at] == ground)
        .collect();
    for &at in &open {
        inside[at] = false;
    }
    while let Some(at) = open.pop() {
        for beside in around(width, height, at % width, at / width)
            .into_iter()
            .flatten()
        {
            if inside[beside] && picture.rgba[beside] == ground {
                inside[beside] = false;
                open.push(beside);
            }
        }
    }
    inside
}

/// Pixels of the figure that touch the outside.
fn rim(picture: &Pixels, inside: &[bool]) -> Vec<usize> {
    let (width, height) = (picture.width, picture.height);
    (0..width * height)
        .filter(|&at| inside[at])
        .filter(|&at| {
            around(width, height, at % width, at / width)
                .iter()
                .any(|beside| beside.is_none_or(|b| !inside[b]))
        })
        .collect()
}

/// Gives every pixel the value of a nearest one that has one.
fn spread(values: &mut [Option<[u8; 4]>], width: usize, height: usize) {
    let mut ring: Vec<usize> = (0..values.len())
        .filter(|&at| values[at].is_some())
        .collect();
    while !ring.is_empty() {
        let mut next = Vec::new();
        for &at in &ring {
            for beside in around(width, height, at % width, at / width)
                .into_iter()
                .flatten()
            {
                if values[beside].is_none() {
                    values[beside] = values[at];
                    next.push(beside);
                }
            }
        }
        ring = next;
    }
}

/// Depth of every pixel: a body is what is the same on both sides of the middle; what is on one
/// side only (a sword, a shield, a tail) is a thin thing of its own.
fn body_depths(inside: &[bool], width: usize, height: usize) -> Vec<f64> {
    let core: Vec<bool> = (0..inside.len())
        .map(|at| inside[at] && inside[at - at % width + (width - 1 - at % width)])
        .collect();
    let rest: Vec<bool> = (0..inside.len())
        .map(|at| inside[at] && !core[at])
        .collect();
    // The body goes on below the ground, so that feet do not end in points.
    let Some(lowest) = (0..height)
        .rev()
        .find(|y| core[y * width..(y + 1) * width].contains(&true))
    else {
        return depths(&distances(inside, width, height), width, height);
    };
    let below = height / 3;
    let mut longer = core.clone();
    longer.resize(width * (height + below), false);
    for y in lowest + 1..height + below {
        longer.copy_within(
            (lowest.saturating_sub(1)) * width..lowest.max(1) * width,
            y * width,
        );
    }
    let whole = depths(
        &distances(&longer, width, height + below),
        width,
        height + below,
    );
    let thin = depths(&distances(&rest, width, height), width, height);
    (0..inside.len())
        .map(|at| {
            if core[at] {
                whole[at]
            } else {
                thin[at].min(THIN_DEPTH_MAX)
            }
        })
        .collect()
}

/// How far each inside pixel is from the nearest outside one, in pixels.
fn distances(inside: &[bool], width: usize, height: usize) -> Vec<f64> {
    let far = (width + height) as i64;
    // First along columns, then along rows: exact, and quick enough for 256 × 256.
    let mut down: Vec<i64> = vec![0; inside.len()];
    for x in 0..width {
        let mut since = 0;
        for y in 0..height {
            since = if inside[y * width + x] { since + 1 } else { 0 };
            down[y * width + x] = since.min(far);
        }
        since = 0;
        for y in (0..height).rev() {
            since = if inside[y * width + x] { since + 1 } else { 0 };
            down[y * width + x] = down[y * width + x].min(since);
        }
    }
    let mut out = vec![0.0; inside.len()];
    for y in 0..height {
        let row = &down[y * width..(y + 1) * width];
        for x in 0..width {
            let border = (x + 1).min(width - x) as i64;
            let mut best = (row[x] * row[x]).min(border * border);
            for step in 1..border {
                if step * step >= best {
                    break;
                }
                let s = step as usize;
                let nearer = row[x - s].min(row[x + s]);
                best = best.min(step * step + nearer * nearer);
            }
            out[y * width + x] = (best as f64).sqrt();
        }
    }
    out
}

/// The surface of all the balls that fit into the silhouette.
fn depths(distances: &[f64], width: usize, height: usize) -> Vec<f64> {
    let mut squared = vec![0.0_f64; distances.len()];
    for y in 0..height {
        for x in 0..width {
            let r = distances[y * width + x];
            // A ball inside a neighbour's ball adds nothing.
            let swallowed = around(width, height, x, y)
                .into_iter()
                .flatten()
                .any(|beside| distances[beside] >= r + 0.99);
            if r <= 0.0 || swallowed {
                continue;
            }
            let reach = r as usize;
            for py in y.saturating_sub(reach)..=(y + reach).min(height - 1) {
                for px in x.saturating_sub(reach)..=(x + reach).min(width - 1) {
                    let (dx, dy) = (px.abs_diff(x) as f64, py.abs_diff(y) as f64);
                    let left = r * r - dx * dx - dy * dy;
                    let here = &mut squared[py * width + px];
                    *here = here.max(left);
                }
            }
        }
    }
    squared.into_iter().map(f64::sqrt).collect()
}

/// Where the thickest parts are, on average, and how thick the thickest is.
fn axis(depths: &[f64], width: usize) -> (f64, f64) {
    let (mut sum, mut weight, mut radius) = (0.0, 0.0, 1.0_f64);
    for (at, depth) in depths.iter().enumerate() {
        let mass = depth * depth * depth;
        sum += mass * ((at % width) as f64 + 0.5);
        weight += mass;
        radius = radius.max(*depth);
    }
    let middle = width as f64 / 2.0;
    let found = if weight > 0.0 { sum / weight } else { middle };
    // Most sprites are meant to stand in the middle, whatever they hold in one hand.
    let axis = if (found - middle).abs() <= width as f64 * 0.08 {
        middle
    } else {
        found
    };
    (axis, radius)
}
