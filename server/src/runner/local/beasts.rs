//! Draws animals: dragons, what has four legs, birds.

use super::canvas::{Canvas, Light};
use super::gear::{self, eyes, flame};
use super::look::{Ears, Look, ink};
use super::person::SIDES;

/// A sitting dragon with spread wings.
pub(super) fn dragon(canvas: &mut Canvas, look: &Look) {
    gear::wings(canvas, look, 33.0);
    canvas.as_one(|c| {
        c.limb(ink::MAIN, Light::Round, (8.0, 55.0), (18.0, 57.5), 5.0, 3.6);
        c.limb(
            ink::MAIN,
            Light::Round,
            (18.0, 57.5),
            (24.5, 52.0),
            3.6,
            2.4,
        );
        c.limb(
            ink::MAIN,
            Light::Round,
            (24.5, 52.0),
            (25.5, 45.5),
            2.4,
            1.2,
        );
    });
    canvas.polygon(
        ink::SECOND,
        Light::Round,
        &[(25.5, 39.0), (29.5, 46.0), (25.5, 48.0), (21.5, 46.0)],
    );
    canvas.ellipse(ink::MAIN, Light::Round, 0.0, 47.5, 12.0, 12.5);
    canvas.as_one(|c| {
        c.ellipse(ink::SECOND, Light::Round, 0.0, 49.5, 7.2, 10.2);
        for row in 0..4 {
            let y = 43.5 + f64::from(row) * 4.0;
            c.limb(ink::SECOND, Light::Flat(1), (-5.6, y), (5.6, y), 0.45, 0.45);
        }
    });
    for side in SIDES {
        canvas.ellipse(ink::MAIN, Light::Round, side * 9.5, 55.0, 4.8, 4.6);
        canvas.as_one(|c| {
            c.ellipse(ink::MAIN, Light::Round, side * 9.0, 59.5, 5.0, 2.8);
            for claw in [-3.0, 0.0, 3.0] {
                c.dot(ink::WHITE, 3, side * (9.0 + claw), 61.0, 1.4, 1.6);
            }
        });
        canvas.limb(
            ink::MAIN,
            Light::Round,
            (side * 9.6, 42.5),
            (side * 8.4, 49.0),
            2.6,
            2.4,
        );
    }
    gear::horns(canvas, 7.0, 13.0);
    for side in SIDES {
        canvas.polygon(
            ink::SECOND,
            Light::Round,
            &[
                (side * 11.0, 20.0),
                (side * 19.0, 16.5),
                (side * 17.0, 22.0),
                (side * 18.5, 27.0),
                (side * 11.0, 26.0),
            ],
        );
    }
    canvas.as_one(|c| {
        c.ellipse(ink::MAIN, Light::Round, 0.0, 21.5, 12.8, 11.2);
        c.ellipse(ink::MAIN, Light::Round, 0.0, 29.0, 9.4, 6.4);
    });
    for (y, size) in [(9.0, 2.6), (13.5, 2.2)] {
        canvas.polygon(
            ink::SECOND,
            Light::Flat(3),
            &[(-size, y + 3.0), (0.0, y - size), (size, y + 3.0)],
        );
    }
    eyes(canvas, 6.4, 22.0, 6.0);
    canvas.ellipse(ink::SECOND, Light::Round, 0.0, 32.4, 6.4, 2.6);
    for side in SIDES {
        canvas.dot(ink::BLACK, 1, side * 3.2, 28.0, 1.6, 1.2);
        canvas.dot(ink::WHITE, 3, side * 4.6, 33.2, 1.3, 2.0);
    }
    if look.fire {
        flame(canvas, -17.0, 33.0, 5.0);
    }
}

/// A sitting animal with ears.
pub(super) fn beast(canvas: &mut Canvas, look: &Look, ears: Ears) {
    let [fur, belly, dark] = [ink::MAIN, ink::SECOND, ink::HAIR];
    gear::wings(canvas, look, 40.0);
    canvas.as_one(|c| {
        c.limb(fur, Light::Round, (9.0, 56.0), (19.0, 54.0), 3.2, 3.4);
        c.limb(fur, Light::Round, (19.0, 54.0), (21.0, 43.0), 3.4, 2.8);
    });
    canvas.ellipse(
        if ears == Ears::Pointed { belly } else { dark },
        Light::Round,
        21.2,
        41.5,
        3.0,
        3.6,
    );
    canvas.ellipse(fur, Light::Round, 0.0, 48.5, 11.6, 12.0);
    canvas.ellipse(belly, Light::Round, 0.0, 49.0, 6.2, 8.4);
    for side in SIDES {
        canvas.ellipse(fur, Light::Round, side * 9.0, 55.0, 4.8, 5.4);
        canvas.ellipse(belly, Light::Round, side * 8.6, 59.6, 4.4, 2.6);
        canvas.limb(
            fur,
            Light::Round,
            (side * 4.2, 45.5),
            (side * 4.0, 57.0),
            2.7,
            2.7,
        );
    }
    if look.mane {
        for step in 0..12 {
            let (x, y) = [
                (0.0, 1.0),
                (0.5, 0.87),
                (0.87, 0.5),
                (1.0, 0.0),
                (0.87, -0.5),
                (0.5, -0.87),
                (0.0, -1.0),
                (-0.5, -0.87),
                (-0.87, -0.5),
                (-1.0, 0.0),
                (-0.87, 0.5),
                (-0.5, 0.87),
            ][step];
            canvas.as_one(|c| c.ellipse(dark, Light::Round, x * 14.5, 24.0 + y * 12.5, 5.2, 5.2));
        }
    }
    for side in SIDES {
        match ears {
            Ears::Pointed => {
                canvas.polygon(
                    fur,
                    Light::Round,
                    &[(side * 3.0, 14.5), (side * 12.5, 2.5), (side * 15.0, 20.0)],
                );
                canvas.polygon(
                    ink::BLUSH,
                    Light::Flat(2),
                    &[(side * 6.8, 13.0), (side * 11.6, 6.6), (side * 12.8, 15.5)],
                );
            }
            Ears::Round => {
                canvas.ellipse(
                    if look.mane { fur } else { dark },
                    Light::Round,
                    side * 11.5,
                    12.0,
                    5.2,
                    5.2,
                );
                canvas.ellipse(belly, Light::Round, side * 11.5, 12.4, 2.8, 2.8);
            }
            Ears::Long => {
                canvas.limb(
                    fur,
                    Light::Round,
                    (side * 5.0, 15.0),
                    (side * 7.5, 1.5),
                    3.6,
                    3.0,
                );
                canvas.limb(
                    ink::BLUSH,
                    Light::Flat(2),
                    (side * 5.4, 13.0),
                    (side * 7.3, 2.5),
                    1.4,
                    1.3,
                );
            }
            Ears::Floppy => {}
        }
    }
    canvas.ellipse(fur, Light::Round, 0.0, 23.5, 15.0, 12.6);
    if look.stripes {
        canvas.as_one(|c| {
            for (x, length) in [(-4.5, 4.0), (0.0, 6.0), (4.5, 4.0)] {
                c.limb(
                    dark,
                    Light::Flat(2),
                    (x, 11.8),
                    (x * 0.8, 12.0 + length),
                    1.1,
                    0.6,
                );
            }
            for side in SIDES {
                for y in [23.0, 27.0] {
                    c.limb(
                        dark,
                        Light::Flat(2),
                        (side * 14.5, y),
                        (side * 10.4, y + 0.5),
                        0.9,
                        0.5,
                    );
                }
            }
        });
    }
    if ears == Ears::Floppy {
        for side in SIDES {
            canvas.as_one(|c| {
                c.limb(
                    dark,
                    Light::Round,
                    (side * 11.0, 14.5),
                    (side * 15.6, 23.0),
                    3.4,
                    4.2,
                );
                c.limb(
                    dark,
                    Light::Round,
                    (side * 15.6, 23.0),
                    (side * 15.0, 27.0),
                    4.0,
                    3.0,
                );
            });
        }
    }
    if ears == Ears::Round && !look.mane && !look.stripes {
        for side in SIDES {
            canvas.as_one(|c| c.ellipse(dark, Light::Flat(2), side * 6.2, 23.4, 3.7, 4.3));
        }
    }
    canvas.as_one(|c| {
        for side in SIDES {
            c.ellipse(belly, Light::Round, side * 3.2, 30.0, 4.6, 4.0);
        }
    });
    eyes(canvas, 6.2, 23.4, 5.0);
    canvas.dot(ink::BLACK, 1, 0.0, 28.0, 3.6, 2.2);
    canvas.dot(ink::BLACK, 1, 0.0, 30.4, 0.9, 2.6);
    for side in SIDES {
        canvas.dot(ink::BLUSH, 2, side * 10.6, 28.6, 2.8, 1.6);
    }
}

/// A round bird.
pub(super) fn bird(canvas: &mut Canvas, look: &Look) {
    for side in SIDES {
        canvas.as_one(|c| {
            for toe in [-2.6, 0.0, 2.6] {
                c.limb(
                    ink::TRIM,
                    Light::Round,
                    (side * 5.0, 58.0),
                    (side * 5.0 + toe, 61.0),
                    1.0,
                    0.9,
                );
            }
        });
    }
    for (x, y) in [(-4.0, 5.0), (0.0, 2.5), (4.0, 4.0)] {
        canvas.limb(ink::MAIN, Light::Round, (x * 0.4, 13.0), (x, y), 1.6, 1.2);
    }
    canvas.as_one(|c| {
        c.ellipse(ink::MAIN, Light::Round, 0.0, 40.0, 16.5, 19.0);
        c.ellipse(ink::MAIN, Light::Round, 0.0, 24.0, 13.5, 13.0);
    });
    canvas.as_one(|c| {
        c.ellipse(ink::SECOND, Light::Round, 0.0, 45.5, 10.0, 12.5);
        for side in SIDES {
            c.ellipse(ink::SECOND, Light::Round, side * 5.4, 25.0, 5.6, 6.4);
        }
    });
    for side in SIDES {
        canvas.as_one(|c| {
            c.limb(
                ink::MAIN,
                Light::Round,
                (side * 15.0, 35.0),
                (side * 19.0, 49.0),
                4.6,
                2.2,
            );
            c.shade(ink::MAIN, -1, side * 19.0, 50.0, 4.0, 5.0);
        });
    }
    eyes(canvas, 5.6, 25.0, 5.4);
    canvas.polygon(
        ink::TRIM,
        Light::Round,
        &[(-3.6, 27.6), (3.6, 27.6), (0.0, 34.0)],
    );
    if look.fire {
        flame(canvas, -22.0, 30.0, 5.0);
        flame(canvas, 22.0, 30.0, 5.0);
        flame(canvas, 0.0, 5.0, 5.5);
    }
}
