//! Draws people: a large head, a small body, and what they wear and carry.

use super::canvas::{Canvas, Light};
use super::look::{Body, Hair, Head, Look, ink};
use super::{gear, head};

/// Both sides of the axis.
pub(super) const SIDES: [f64; 2] = [-1.0, 1.0];

/// Draws the whole figure, back to front.
pub(super) fn draw(canvas: &mut Canvas, look: &Look) {
    gear::wings(canvas, look, 38.0);
    if look.cape {
        cape(canvas);
    }
    if look.hair == Hair::Long
        && matches!(
            look.head,
            Head::Bare | Head::Crown | Head::WizardHat | Head::OpenHelm
        )
    {
        canvas.as_one(|c| {
            c.ellipse(ink::HAIR, Light::Round, 0.0, 24.0, 14.5, 13.0);
            c.polygon(
                ink::HAIR,
                Light::Round,
                &[(-14.0, 24.0), (14.0, 24.0), (12.0, 42.0), (-12.0, 42.0)],
            );
        });
    }
    gear::weapon_behind(canvas, look);
    match look.body {
        Body::Robe => robe(canvas),
        Body::Armour => armour(canvas),
        Body::Tunic => tunic(canvas),
    }
    arms(canvas, look);
    head::head(canvas, look);
    gear::held(canvas, look);
}

fn cape(canvas: &mut Canvas) {
    canvas.polygon(
        ink::SECOND,
        Light::Round,
        &[
            (-8.0, 33.0),
            (8.0, 33.0),
            (13.0, 46.0),
            (15.5, 58.0),
            (9.0, 56.5),
            (3.0, 58.5),
            (-3.0, 57.0),
            (-9.0, 58.5),
            (-15.5, 57.0),
            (-13.0, 46.0),
        ],
    );
}

fn legs(canvas: &mut Canvas, cloth: super::canvas::Ink, boots: super::canvas::Ink, light: Light) {
    for side in SIDES {
        canvas.limb(
            cloth,
            light,
            (side * 4.2, 48.0),
            (side * 4.6, 57.0),
            3.4,
            3.2,
        );
        canvas.as_one(|c| {
            c.limb(
                boots,
                light,
                (side * 4.8, 55.5),
                (side * 5.0, 59.0),
                3.7,
                3.6,
            );
            c.limb(
                boots,
                light,
                (side * 4.8, 60.0),
                (side * 6.4, 60.2),
                2.6,
                2.6,
            );
        });
    }
}

fn robe(canvas: &mut Canvas) {
    for side in SIDES {
        canvas.limb(
            ink::LEATHER,
            Light::Round,
            (side * 4.0, 59.5),
            (side * 5.5, 60.5),
            2.6,
            2.4,
        );
    }
    canvas.as_one(|c| {
        c.polygon(
            ink::MAIN,
            Light::Round,
            &[
                (-7.0, 33.0),
                (7.0, 33.0),
                (9.5, 45.0),
                (13.0, 60.0),
                (-13.0, 60.0),
                (-9.5, 45.0),
            ],
        );
        c.ellipse(ink::MAIN, Light::Round, 0.0, 36.0, 8.5, 4.5);
    });
    canvas.as_one(|c| {
        c.polygon(
            ink::SECOND,
            Light::Round,
            &[(-2.6, 34.0), (2.6, 34.0), (4.0, 60.0), (-4.0, 60.0)],
        );
    });
    canvas.polygon(
        ink::TRIM,
        Light::Round,
        &[(-12.6, 57.6), (12.6, 57.6), (13.3, 60.4), (-13.3, 60.4)],
    );
    canvas.polygon(
        ink::TRIM,
        Light::Round,
        &[(-9.0, 45.0), (9.0, 45.0), (9.5, 47.4), (-9.5, 47.4)],
    );
    canvas.dot(ink::GLOW, 3, 0.0, 46.2, 2.4, 2.4);
}

fn armour(canvas: &mut Canvas) {
    legs(canvas, ink::METAL, ink::METAL, Light::Shiny);
    canvas.as_one(|c| {
        c.ellipse(ink::METAL, Light::Shiny, 0.0, 40.0, 9.4, 8.4);
        c.polygon(
            ink::METAL,
            Light::Round,
            &[(-8.5, 42.0), (8.5, 42.0), (9.6, 51.0), (-9.6, 51.0)],
        );
    });
    // Tabard with a small emblem.
    canvas.polygon(
        ink::MAIN,
        Light::Round,
        &[
            (-4.8, 35.0),
            (4.8, 35.0),
            (5.4, 52.5),
            (0.0, 55.0),
            (-5.4, 52.5),
        ],
    );
    canvas.dot(ink::TRIM, 2, 0.0, 40.5, 2.0, 6.0);
    canvas.dot(ink::TRIM, 3, 0.0, 39.8, 5.2, 1.8);
    canvas.polygon(
        ink::LEATHER,
        Light::Round,
        &[(-9.2, 45.5), (9.2, 45.5), (9.4, 48.0), (-9.4, 48.0)],
    );
    canvas.dot(ink::TRIM, 3, 0.0, 46.8, 3.0, 2.4);
}

fn tunic(canvas: &mut Canvas) {
    legs(canvas, ink::SECOND, ink::LEATHER, Light::Round);
    canvas.as_one(|c| {
        c.ellipse(ink::MAIN, Light::Round, 0.0, 39.5, 8.6, 7.5);
        c.polygon(
            ink::MAIN,
            Light::Round,
            &[(-8.0, 40.0), (8.0, 40.0), (9.4, 52.0), (-9.4, 52.0)],
        );
    });
    canvas.polygon(
        ink::LEATHER,
        Light::Round,
        &[(-8.8, 45.5), (8.8, 45.5), (9.1, 48.0), (-9.1, 48.0)],
    );
    canvas.dot(ink::TRIM, 3, 0.0, 46.8, 2.8, 2.4);
    canvas.polygon(
        ink::TRIM,
        Light::Flat(2),
        &[(-3.6, 33.5), (3.6, 33.5), (0.0, 38.5)],
    );
}

fn arms(canvas: &mut Canvas, look: &Look) {
    for side in SIDES {
        match look.body {
            Body::Robe => {
                canvas.limb(
                    ink::MAIN,
                    Light::Round,
                    (side * 8.0, 36.5),
                    (side * 12.4, 45.0),
                    2.8,
                    4.0,
                );
                canvas.limb(
                    ink::TRIM,
                    Light::Round,
                    (side * 11.6, 46.2),
                    (side * 14.0, 45.0),
                    1.7,
                    1.7,
                );
            }
            Body::Armour => {
                canvas.limb(
                    ink::METAL,
                    Light::Round,
                    (side * 9.5, 37.0),
                    (side * 12.6, 46.0),
                    2.8,
                    3.0,
                );
                canvas.ellipse(ink::METAL, Light::Shiny, side * 9.8, 36.4, 4.6, 4.0);
            }
            Body::Tunic => {
                canvas.limb(
                    ink::SKIN,
                    Light::Round,
                    (side * 10.0, 39.0),
                    (side * 12.6, 46.0),
                    2.6,
                    2.5,
                );
                canvas.limb(
                    ink::MAIN,
                    Light::Round,
                    (side * 8.2, 36.4),
                    (side * 10.6, 40.0),
                    3.2,
                    3.2,
                );
            }
        }
        let hand = if look.body == Body::Armour {
            ink::LEATHER
        } else {
            ink::SKIN
        };
        canvas.ellipse(hand, Light::Round, side * 13.2, 47.6, 2.9, 2.8);
    }
}
