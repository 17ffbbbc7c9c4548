//! Draws what is neither person nor animal: slimes, ghosts, plants, bottles.

use super::canvas::{Canvas, Light};
use super::gear::{eyes, flame};
use super::look::{Look, ink};
use super::person::SIDES;

/// A wobbling drop.
pub(super) fn slime(canvas: &mut Canvas, look: &Look) {
    canvas.as_one(|c| {
        c.ellipse(ink::MAIN, Light::Shiny, 0.0, 45.0, 23.0, 16.0);
        c.ellipse(ink::MAIN, Light::Round, 0.0, 54.0, 26.0, 7.0);
        c.polygon(
            ink::MAIN,
            Light::Round,
            &[
                (-15.0, 36.0),
                (-5.0, 24.0),
                (1.0, 15.0),
                (6.0, 24.0),
                (15.0, 36.0),
            ],
        );
        c.ellipse(ink::MAIN, Light::Shiny, 0.0, 41.0, 18.5, 15.0);
    });
    canvas.shade(ink::MAIN, -1, 0.0, 60.0, 27.0, 5.0);
    eyes(canvas, 7.5, 43.0, 7.0);
    canvas.as_one(|c| c.ellipse(ink::BLACK, Light::Flat(1), 0.0, 50.5, 3.6, 2.6));
    canvas.dot(ink::BLUSH, 2, 0.0, 52.0, 3.0, 1.4);
    for side in SIDES {
        canvas.dot(ink::BLUSH, 2, side * 13.5, 48.5, 4.0, 2.0);
    }
    canvas.dot(ink::WHITE, 4, -9.0, 33.5, 5.0, 2.4);
    canvas.dot(ink::WHITE, 4, -12.5, 37.0, 2.0, 3.0);
    if look.head == super::look::Head::Crown {
        canvas.polygon(
            ink::TRIM,
            Light::Shiny,
            &[
                (-8.0, 22.0),
                (-9.0, 11.0),
                (-4.0, 16.0),
                (0.0, 9.0),
                (4.0, 16.0),
                (9.0, 11.0),
                (8.0, 22.0),
            ],
        );
    }
}

/// A sheet with eyes.
pub(super) fn ghost(canvas: &mut Canvas, look: &Look) {
    canvas.as_one(|c| {
        c.ellipse(ink::MAIN, Light::Round, 0.0, 25.0, 18.0, 18.0);
        c.polygon(
            ink::MAIN,
            Light::Round,
            &[
                (-18.0, 25.0),
                (18.0, 25.0),
                (19.5, 56.0),
                (14.0, 52.0),
                (9.5, 58.0),
                (4.0, 53.0),
                (-1.0, 59.0),
                (-6.0, 53.0),
                (-11.0, 58.0),
                (-15.0, 52.0),
                (-20.0, 56.0),
            ],
        );
        for side in SIDES {
            c.limb(
                ink::MAIN,
                Light::Round,
                (side * 17.0, 36.0),
                (side * 24.0, 32.0),
                4.4,
                2.6,
            );
        }
    });
    canvas.shade(ink::MAIN, -1, 6.0, 56.0, 24.0, 9.0);
    for side in SIDES {
        canvas.as_one(|c| c.ellipse(ink::BLACK, Light::Flat(1), side * 6.5, 26.0, 3.2, 4.8));
        canvas.dot(ink::WHITE, 4, side * 6.5, 24.0, 1.6, 2.0);
        canvas.dot(ink::BLUSH, 3, side * 11.5, 33.0, 4.0, 2.0);
    }
    canvas.as_one(|c| c.ellipse(ink::BLACK, Light::Flat(1), 0.0, 35.5, 2.8, 3.6));
    if look.fire {
        flame(canvas, 26.0, 25.0, 4.5);
    }
}

/// A toadstool with a face.
pub(super) fn mushroom(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.limb(
            ink::WHITE,
            Light::Round,
            (0.0, 40.0),
            (0.0, 53.0),
            10.0,
            11.5,
        );
    });
    eyes(canvas, 5.0, 47.0, 5.5);
    canvas.dot(ink::BLUSH, 1, 0.0, 52.5, 2.6, 1.2);
    for side in SIDES {
        canvas.dot(ink::BLUSH, 2, side * 8.6, 51.0, 2.8, 1.6);
    }
    canvas.dome(ink::MAIN, Light::Round, [0.0, 34.0, 27.0, 28.0], 36.0, true);
    canvas.ellipse(ink::MAIN, Light::Flat(1), 0.0, 36.0, 26.0, 4.0);
    canvas.as_one(|c| {
        for (x, y, r) in [
            (-13.0, 24.0, 4.6),
            (4.0, 16.0, 5.6),
            (16.0, 28.0, 4.0),
            (-2.0, 29.0, 3.0),
            (-20.0, 32.0, 2.4),
        ] {
            c.ellipse(ink::WHITE, Light::Round, x, y, r, r * 0.86);
        }
    });
}

/// A tree with a face in its bark.
pub(super) fn tree(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.limb(
            ink::LEATHER,
            Light::Round,
            (0.0, 38.0),
            (0.0, 58.0),
            5.5,
            7.0,
        );
        for side in SIDES {
            c.limb(
                ink::LEATHER,
                Light::Round,
                (side * 4.0, 57.0),
                (side * 11.0, 61.0),
                3.2,
                1.4,
            );
        }
    });
    for (x, y, r) in [
        (-14.0, 31.0, 11.0),
        (14.0, 31.0, 11.0),
        (0.0, 33.0, 11.0),
        (-9.0, 19.0, 11.5),
        (9.0, 19.0, 11.5),
        (0.0, 14.0, 11.5),
    ] {
        canvas.as_one(|c| c.ellipse(ink::MAIN, Light::Round, x, y, r, r));
    }
    for (x, y) in [(-12.0, 24.0), (10.0, 14.0), (4.0, 30.0), (18.0, 30.0)] {
        canvas.dot(ink::SECOND, 3, x, y, 3.0, 3.0);
    }
    eyes(canvas, 3.2, 49.0, 4.0);
}

/// A bottle of something bubbling.
pub(super) fn potion(canvas: &mut Canvas) {
    canvas.ellipse(ink::WHITE, Light::Round, 0.0, 42.0, 20.0, 19.5);
    canvas.limb(ink::WHITE, Light::Round, (0.0, 24.0), (0.0, 14.0), 6.0, 6.0);
    canvas.as_one(|c| {
        c.dome(
            ink::MAIN,
            Light::Shiny,
            [0.0, 42.0, 17.4, 17.0],
            37.0,
            false,
        );
        c.ellipse(ink::MAIN, Light::Flat(3), 0.0, 37.4, 16.4, 2.6);
    });
    for (x, y, r) in [
        (-6.0, 44.0, 1.6),
        (5.0, 48.0, 2.2),
        (0.0, 53.0, 1.4),
        (8.0, 41.5, 1.3),
    ] {
        canvas.as_one(|c| c.ellipse(ink::MAIN, Light::Flat(4), x, y, r, r));
    }
    canvas.limb(ink::TRIM, Light::Round, (-6.5, 21.5), (6.5, 21.5), 2.0, 2.0);
    canvas.limb(
        ink::LEATHER,
        Light::Round,
        (0.0, 10.0),
        (0.0, 5.0),
        4.8,
        5.2,
    );
    canvas.dot(ink::WHITE, 4, -10.5, 32.0, 3.4, 5.0);
}
