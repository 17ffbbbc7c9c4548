//! What a figure looks like from behind: its front without the face.
//!
//! Eyes are found as dark spots of the right size that face each other across the axis. From the
//! brow above them down to the chin the back shows what is above the brow (hair, hood, helmet,
//! fur). Below, small details such as buttons give way to what surrounds them.

use super::solid::Skin;

/// Luminance below which a spot may be an eye, of 255.
const EYE_LUMINANCE_MAX: u32 = 56;

/// The eyes are in this much of a figure, from its top, in percent of its height.
const FACE_PERCENT: usize = 58;

type Colour = [u8; 4];

struct Grid<'a> {
    skin: &'a [Option<Skin>],
    width: usize,
    height: usize,
    axis: f64,
}

impl Grid<'_> {
    fn front(&self, x: isize, y: isize) -> Option<Colour> {
        let inside = x >= 0 && y >= 0 && x < self.width as isize && y < self.height as isize;
        if inside {
            self.skin[y as usize * self.width + x as usize].map(|skin| skin.front)
        } else {
            None
        }
    }

    fn dark(&self, x: isize, y: isize) -> bool {
        self.front(x, y).is_some_and(|[r, g, b, _]| {
            u32::from(r) * 30 + u32::from(g) * 59 + u32::from(b) * 11 < EYE_LUMINANCE_MAX * 100
        })
    }

    /// The column as far right of the axis as `x` is left of it.
    fn mirrored(&self, x: isize) -> isize {
        (2.0 * self.axis) as isize - 1 - x
    }

    /// First and last row of the figure.
    fn rows(&self) -> Option<(usize, usize)> {
        let filled = |y: &usize| {
            self.skin[y * self.width..(y + 1) * self.width]
                .iter()
                .any(Option::is_some)
        };
        Some((
            (0..self.height).find(filled)?,
            (0..self.height).rev().find(filled)?,
        ))
    }

    /// Height of the dark run through (`x`, `y`) in its column, when `y` is its first row.
    fn dark_run(&self, x: isize, y: isize) -> usize {
        if !self.dark(x, y) || self.dark(x, y - 1) {
            return 0;
        }
        (y..self.height as isize)
            .take_while(|&below| self.dark(x, below))
            .count()
    }

    /// The row in which the eyes begin: where dark spots face each other.
    fn eyes(&self, top: usize, tall: usize) -> Option<usize> {
        let (least, most) = ((tall / 22).max(1), (tall / 4).max(2));
        let reach = (tall / 4) as isize;
        let middle = self.axis as isize;
        let area = |y: usize| -> usize {
            // Beside an eye, towards the ear, there is face: an outline has nothing there.
            (middle - reach..middle - 1)
                .filter(|&x| self.front(x - 2, y as isize).is_some())
                .map(|x| {
                    (
                        self.dark_run(x, y as isize),
                        self.dark_run(self.mirrored(x), y as isize),
                    )
                })
                .filter(|(left, right)| {
                    (least..=most).contains(left) && (least..=most).contains(right)
                })
                .map(|(left, right)| left + right)
                .sum()
        };
        let rows = top + tall / 8..top + tall * FACE_PERCENT / 100;
        let areas: Vec<(usize, usize)> = rows.map(|y| (y, area(y) + area(y + 1))).collect();
        let most = areas
            .iter()
            .map(|(_, area)| *area)
            .max()
            .filter(|most| *most > 0)?;
        // Glasses have two dark rims: the upper one is where the face begins.
        areas
            .into_iter()
            .find(|(_, area)| area * 100 >= most * 40)
            .map(|(y, _)| y)
    }

    /// The commonest colour around (`x`, each of `rows`) and its mirror image; dark lines count
    /// only where there is nothing else.
    fn common(
        &self,
        x: isize,
        rows: std::ops::RangeInclusive<isize>,
        reach: isize,
    ) -> Option<Colour> {
        let mut counts: Vec<(Colour, usize)> = Vec::new();
        for y in rows {
            for column in (x - reach..=x + reach).flat_map(|column| [column, self.mirrored(column)])
            {
                let Some(colour) = self.front(column, y) else {
                    continue;
                };
                let weight = if self.dark(column, y) { 1 } else { 1000 };
                match counts.iter_mut().find(|(known, _)| *known == colour) {
                    Some((_, count)) => *count += weight,
                    None => counts.push((colour, weight)),
                }
            }
        }
        // The first of the commonest: the order is that of the pixels.
        let most = counts.iter().map(|(_, count)| *count).max()?;
        counts
            .into_iter()
            .find(|(_, count)| *count == most)
            .map(|(colour, _)| colour)
    }
}

/// Fills in `back` of every pixel.
pub(super) fn paint(skin: &mut [Option<Skin>], width: usize, height: usize, axis: f64) {
    let grid = Grid {
        skin: &*skin,
        width,
        height,
        axis,
    };
    let Some((top, bottom)) = grid.rows() else {
        return;
    };
    let tall = bottom - top + 1;
    let face = grid.eyes(top, tall).map(|eyes| {
        let brow = eyes.saturating_sub((tall / 30).max(1)).max(top);
        (brow, (eyes + tall / 5).min(bottom))
    });
    let reach = (tall / 11).max(1) as isize;
    let mut backs: Vec<Option<Colour>> = vec![None; skin.len()];
    for y in top..=bottom {
        for x in 0..width {
            let front = grid.front(x as isize, y as isize);
            backs[y * width + x] = match face {
                _ if front.is_none() => None,
                Some((brow, chin)) if (brow..=chin).contains(&y) => {
                    behind_face(&grid, x, brow, tall).or(front)
                }
                _ if y > face.map_or(top + tall * FACE_PERCENT / 100, |(_, chin)| chin) => {
                    grid.common(x as isize, y as isize - 1..=y as isize + 1, reach)
                }
                _ => front,
            };
        }
    }
    for (skin, back) in skin.iter_mut().zip(backs) {
        if let (Some(skin), Some(back)) = (skin, back) {
            skin.back = back;
        }
    }
}

/// What is above the brow in the same column, or nearer to the axis where the head is narrower there.
fn behind_face(grid: &Grid<'_>, x: usize, brow: usize, tall: usize) -> Option<Colour> {
    let (middle, brow) = (grid.axis as isize, brow as isize);
    let filled = |step: &isize| {
        grid.front(middle - step, brow).is_some() && grid.front(middle + step, brow).is_some()
    };
    let half = (0..).take_while(filled).count() as isize;
    let away = x as isize - middle;
    if away.abs() > half + 2 {
        return None;
    }
    let column = middle + away.clamp(1 - half.max(1), half.max(1) - 1);
    grid.common(
        column,
        brow - (tall as isize / 6).max(1)..=brow,
        (tall as isize / 24).max(1),
    )
}
