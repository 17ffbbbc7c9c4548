//! Turns a picture of a figure by eighths of a circle.
//!
//! The flat picture is blown up like a balloon: the further a pixel is from the silhouette's edge,
//! the thicker the body there. The body is then turned about its upright axis and painted again:
//! the front carries the picture, the back carries it without the face. So any sprite turns, not
//! only those drawn here.
//!
//! **Invariant:** only `+ - * /` and `sqrt` touch coordinates, so every platform draws the same.

use super::super::generator::Direction;
use super::picture::Pixels;
use super::solid::Solid;

/// `(cosine, sine)` of each eighth of a turn. They are not true eighths: a figure seen from the
/// side is turned by 74° so that one eye stays in view, as in drawn sprite sheets.
const TURNS: [(f64, f64); 8] = [
    (1.0, 0.0),
    (0.8, 0.6),
    (0.28, 0.96),
    (-0.8, 0.6),
    (-1.0, 0.0),
    (-0.8, -0.6),
    (0.28, -0.96),
    (0.8, -0.6),
];

/// Largest pixel block that is recognised as one pixel of an enlarged picture.
const BLOCK_SIDE_MAX: usize = 16;

/// `source`, in which the figure looks `from`, as it looks `to`.
pub(super) fn turned(source: &Pixels, from: Direction, to: Direction) -> Pixels {
    let eighths = (to.eighths() + 8 - from.eighths()) % 8;
    if eighths == 0 {
        return source.clone();
    }
    let (by, left, top) = blocks(source);
    let small = shrunk(source, by, left, top);
    let painted = paint(&Solid::of(&small), TURNS[eighths]);
    placed(&painted, by, left, top, source)
}

/// The side of the blocks that `source` is made of and where the first whole block starts.
fn blocks(source: &Pixels) -> (usize, usize, usize) {
    for by in (2..=BLOCK_SIDE_MAX).rev() {
        // Enlarged pictures are centred across and stand on the lower edge.
        let left = (source.width % by) / 2;
        let top = source.height % by;
        let uniform = (0..source.height).all(|y| {
            (0..source.width).all(|x| {
                let inside = x >= left && y >= top && (x - left) / by < (source.width - left) / by;
                let corner = if inside {
                    source.at(left + (x - left) / by * by, top + (y - top) / by * by)
                } else {
                    [0; 4]
                };
                source.at(x, y) == corner
            })
        });
        if uniform && source.width / by >= 12 && source.height / by >= 12 {
            return (by, left, top);
        }
    }
    (1, 0, 0)
}

fn shrunk(source: &Pixels, by: usize, left: usize, top: usize) -> Pixels {
    let mut out = Pixels::clear((source.width - left) / by, (source.height - top) / by);
    for y in 0..out.height {
        for x in 0..out.width {
            out.rgba[y * out.width + x] = source.at(left + x * by, top + y * by);
        }
    }
    out
}

fn placed(small: &Pixels, by: usize, left: usize, top: usize, like: &Pixels) -> Pixels {
    let mut out = Pixels::clear(like.width, like.height);
    for y in 0..small.height * by {
        for x in 0..small.width * by {
            out.rgba[(top + y) * out.width + left + x] = small.at(x / by, y / by);
        }
    }
    out
}

/// What is nearest to the viewer at one pixel of the turned picture.
#[derive(Clone, Copy)]
struct Seen {
    nearness: f64,
    rgba: [u8; 4],
    edge: [u8; 4],
}

fn paint(solid: &Solid, (cos, sin): (f64, f64)) -> Pixels {
    let (width, height) = (solid.width, solid.height);
    let mut seen: Vec<Option<Seen>> = vec![None; width * height];
    for y in 0..height {
        for x in 0..width {
            let Some(skin) = solid.at(x, y) else { continue };
            // Two samples a pixel each way leave no holes at any eighth of a turn.
            let layers = (skin.depth * 2.0) as i32;
            for across in [-0.25, 0.25] {
                let from_axis = x as f64 + 0.5 + across - solid.axis;
                for layer in -layers..=layers {
                    let z = f64::from(layer) / 2.0;
                    let column = solid.axis + from_axis * cos + z * sin;
                    let nearness = z * cos - from_axis * sin;
                    if column < 0.0 || column >= width as f64 {
                        continue;
                    }
                    let place = &mut seen[y * width + column as usize];
                    if place.is_some_and(|there| there.nearness >= nearness) {
                        continue;
                    }
                    let rgba = if z >= -skin.depth * 0.15 {
                        skin.front
                    } else {
                        skin.back
                    };
                    *place = Some(Seen {
                        nearness,
                        rgba: shaded(rgba, column - solid.axis, solid.radius, cos),
                        edge: skin.edge,
                    });
                }
            }
        }
    }
    outlined(solid, &seen)
}

/// The light stays where it is while the figure turns: the far right grows darker, and so does a back.
fn shaded(rgba: [u8; 4], from_axis: f64, radius: f64, cos: f64) -> [u8; 4] {
    let mut keep = 100;
    if from_axis > radius * 0.5 {
        keep -= 10;
    }
    if cos < -0.5 {
        keep -= 6;
    }
    let dim = |value: u8| (u32::from(value) * keep / 100) as u8;
    [dim(rgba[0]), dim(rgba[1]), dim(rgba[2]), rgba[3]]
}

fn outlined(solid: &Solid, seen: &[Option<Seen>]) -> Pixels {
    let (width, height) = (solid.width, solid.height);
    let mut out = Pixels::clear(width, height);
    for y in 0..height {
        for x in 0..width {
            let here = y * width + x;
            out.rgba[here] = match seen[here] {
                Some(there) => there.rgba,
                None if solid.outlined => around(width, height, x, y)
                    .into_iter()
                    .flatten()
                    .find_map(|beside| seen[beside])
                    .map_or(solid.ground, |there| there.edge),
                None => solid.ground,
            };
        }
    }
    out
}

/// Indices of the pixels above, left, right and below, where they are inside.
pub(super) fn around(width: usize, height: usize, x: usize, y: usize) -> [Option<usize>; 4] {
    let here = y * width + x;
    [
        (y > 0).then(|| here - width),
        (x > 0).then(|| here - 1),
        (x + 1 < width).then_some(here + 1),
        (y + 1 < height).then_some(here + width),
    ]
}
