//! Draws what is put together: robots, from boxes; mascots, from the dice.

use super::canvas::{Canvas, Ink, Light};
use super::dice::Dice;
use super::gear::{self, eyes};
use super::look::{Look, ink};
use super::person::SIDES;

/// A boxy robot.
pub(super) fn robot(canvas: &mut Canvas, look: &Look) {
    gear::wings(canvas, look, 38.0);
    gear::weapon_behind(canvas, look);
    for side in SIDES {
        canvas.limb(
            ink::METAL,
            Light::Round,
            (side * 5.0, 50.0),
            (side * 5.0, 57.0),
            2.6,
            2.6,
        );
        canvas.polygon(
            ink::SECOND,
            Light::Round,
            &[
                (side * 1.4, 56.0),
                (side * 9.2, 56.0),
                (side * 10.2, 61.4),
                (side * 1.0, 61.4),
            ],
        );
        canvas.limb(
            ink::METAL,
            Light::Round,
            (side * 10.0, 38.0),
            (side * 14.0, 47.0),
            2.2,
            2.2,
        );
        canvas.ellipse(ink::SECOND, Light::Shiny, side * 14.2, 48.4, 3.6, 3.6);
        canvas.ellipse(ink::SECOND, Light::Shiny, side * 10.4, 37.4, 3.4, 3.4);
        canvas.limb(
            ink::SECOND,
            Light::Round,
            (side * 14.0, 19.0),
            (side * 14.0, 25.0),
            2.4,
            2.4,
        );
    }
    canvas.polygon(
        ink::METAL,
        Light::Shiny,
        &[(-9.6, 34.0), (9.6, 34.0), (10.6, 51.0), (-10.6, 51.0)],
    );
    canvas.polygon(
        ink::BLACK,
        Light::Flat(1),
        &[(-5.6, 38.0), (5.6, 38.0), (5.6, 46.0), (-5.6, 46.0)],
    );
    canvas.as_one(|c| {
        for pair in [
            (-4.6, 42.5),
            (-2.0, 42.5),
            (-0.6, 39.6),
            (1.2, 45.0),
            (2.4, 42.5),
            (4.6, 42.5),
        ]
        .windows(2)
        {
            c.limb(ink::GLOW, Light::Flat(3), pair[0], pair[1], 0.6, 0.6);
        }
    });
    canvas.limb(ink::METAL, Light::Round, (0.0, 10.0), (0.0, 4.5), 0.9, 0.9);
    gear::orb(canvas, 0.0, 3.6, 2.6);
    canvas.as_one(|c| {
        c.polygon(
            ink::METAL,
            Light::Shiny,
            &[
                (-13.0, 11.5),
                (-10.5, 9.0),
                (10.5, 9.0),
                (13.0, 11.5),
                (13.0, 30.5),
                (10.5, 33.0),
                (-10.5, 33.0),
                (-13.0, 30.5),
            ],
        );
    });
    canvas.polygon(
        ink::BLACK,
        Light::Flat(1),
        &[(-10.0, 15.0), (10.0, 15.0), (10.0, 29.0), (-10.0, 29.0)],
    );
    for side in SIDES {
        canvas.dot(ink::GLOW, 3, side * 5.0, 20.5, 4.0, 5.0);
        canvas.dot(ink::WHITE, 4, side * 5.0, 19.0, 1.6, 1.6);
    }
    canvas.dot(ink::GLOW, 2, 0.0, 26.4, 7.0, 1.4);
    gear::held(canvas, look);
}

/// A creature grown from the dice: random lumps, mirrored, with eyes, ears and feet.
pub(super) fn mascot(canvas: &mut Canvas, look: &Look, dice: &mut Dice) {
    let (wide, high) = (dice.between(13.0, 19.0), dice.between(14.0, 19.0));
    let middle = 40.0;
    let crest: Ink = dice.pick(&[ink::SECOND, ink::HAIR, ink::TRIM]);
    gear::wings(canvas, look, middle);
    for side in SIDES {
        canvas.limb(
            ink::MAIN,
            Light::Round,
            (side * wide * 0.5, middle + high * 0.7),
            (side * wide * 0.55, 58.5),
            3.6,
            3.8,
        );
    }
    let arm = dice.between(-8.0, 8.0);
    for side in SIDES {
        canvas.limb(
            ink::MAIN,
            Light::Round,
            (side * wide * 0.85, middle),
            (side * (wide + 7.0), middle + arm),
            3.2,
            3.0,
        );
    }
    match dice.below(4) {
        0 => gear::horns(canvas, wide * 0.5, middle - high * 0.8),
        1 => {
            for side in SIDES {
                canvas.limb(
                    ink::MAIN,
                    Light::Round,
                    (side * wide * 0.4, middle - high * 0.8),
                    (side * wide * 0.7, middle - high - 9.0),
                    1.1,
                    1.1,
                );
                gear::orb(canvas, side * wide * 0.72, middle - high - 10.0, 2.8);
            }
        }
        2 => {
            for side in SIDES {
                canvas.polygon(
                    ink::MAIN,
                    Light::Round,
                    &[
                        (side * wide * 0.15, middle - high * 0.85),
                        (side * wide * 0.8, middle - high - 10.0),
                        (side * wide * 0.95, middle - high * 0.3),
                    ],
                );
            }
        }
        _ => {
            for x in [-5.0, 0.0, 5.0] {
                canvas.polygon(
                    crest,
                    Light::Round,
                    &[
                        (x - 4.0, middle - high * 0.85),
                        (x * 1.4, middle - high - 8.0),
                        (x + 4.0, middle - high * 0.85),
                    ],
                );
            }
        }
    }
    // Lumps on both sides make each one's outline its own.
    let lumps: Vec<(f64, f64, f64)> = (0..3)
        .map(|_| {
            (
                dice.between(0.35, 0.8),
                dice.between(-0.6, 0.8),
                dice.between(0.35, 0.6),
            )
        })
        .collect();
    canvas.as_one(|c| {
        for (x, y, r) in lumps {
            for side in SIDES {
                c.ellipse(
                    ink::MAIN,
                    Light::Round,
                    side * wide * x,
                    middle + high * y,
                    wide * r,
                    high * r,
                );
            }
        }
        c.ellipse(ink::MAIN, Light::Round, 0.0, middle, wide, high);
    });
    canvas.ellipse(
        ink::SECOND,
        Light::Round,
        0.0,
        middle + high * 0.42,
        wide * 0.58,
        high * 0.5,
    );
    if dice.chance(25) {
        canvas.as_one(|c| {
            c.ellipse(
                ink::WHITE,
                Light::Round,
                0.0,
                middle - high * 0.25,
                6.5,
                6.5,
            )
        });
        canvas.as_one(|c| {
            c.ellipse(
                ink::GLOW,
                Light::Flat(1),
                0.0,
                middle - high * 0.25,
                4.0,
                4.2,
            )
        });
        eyes_single(canvas, middle - high * 0.25);
    } else {
        eyes(canvas, wide * 0.42, middle - high * 0.25, 6.5);
    }
    let mouth = middle + high * 0.16;
    canvas.dot(ink::BLACK, 1, 0.0, mouth, dice.between(3.0, 8.0), 1.8);
    if dice.chance(60) {
        for side in SIDES {
            canvas.dot(ink::WHITE, 4, side * 1.8, mouth + 1.0, 1.4, 1.8);
        }
    }
    for side in SIDES {
        canvas.dot(ink::BLUSH, 2, side * wide * 0.66, middle - 0.5, 3.0, 1.8);
    }
    if look.head == super::look::Head::Crown {
        let top = middle - high;
        canvas.polygon(
            ink::TRIM,
            Light::Shiny,
            &[
                (-7.0, top + 4.0),
                (-8.0, top - 6.0),
                (-3.5, top - 1.5),
                (0.0, top - 7.0),
                (3.5, top - 1.5),
                (8.0, top - 6.0),
                (7.0, top + 4.0),
            ],
        );
    }
    gear::held(canvas, look);
}

fn eyes_single(canvas: &mut Canvas, y: f64) {
    canvas.dot(ink::BLACK, 1, 0.0, y, 3.4, 4.6);
    canvas.dot(ink::WHITE, 4, -1.0, y - 1.4, 1.4, 1.6);
}
