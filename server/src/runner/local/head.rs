//! Draws a person's head: face, hair, and what is worn on it.

use super::canvas::{Canvas, Light};
use super::gear;
use super::look::{Hair, Head, Look, ink};
use super::person::SIDES;

/// Draws the head, back to front.
pub(super) fn head(canvas: &mut Canvas, look: &Look) {
    let covered = look.head == Head::Helm;
    if look.pointed_ears && !covered {
        for side in SIDES {
            canvas.polygon(
                ink::SKIN,
                Light::Round,
                &[
                    (side * 11.0, 20.0),
                    (side * 20.5, 16.0),
                    (side * 12.0, 27.0),
                ],
            );
        }
    }
    if look.head == Head::Hood {
        hood_back(canvas);
    }
    if look.horns && look.head != Head::OpenHelm {
        gear::horns(canvas, 8.0, 13.0);
    }
    canvas.ellipse(ink::SKIN, Light::Round, 0.0, 22.5, 12.6, 11.6);
    if !covered && look.head != Head::Skull {
        face(canvas, look);
    }
    match look.head {
        Head::Bare => hair(canvas, look),
        Head::Helm => helm(canvas, look),
        Head::OpenHelm => open_helm(canvas, look),
        Head::WizardHat => {
            hair(canvas, look);
            wizard_hat(canvas);
        }
        Head::Hood => hood(canvas, look),
        Head::Crown => {
            hair(canvas, look);
            crown(canvas);
        }
        Head::Mask => mask(canvas),
        Head::Skull => skull(canvas),
    }
    if look.visor && !covered {
        visor(canvas);
    }
    if look.halo {
        canvas.as_one(|c| {
            c.ellipse(ink::TRIM, Light::Flat(3), 0.0, 5.0, 8.5, 2.6);
            c.ellipse(ink::TRIM, Light::Flat(4), 0.0, 4.7, 8.5, 2.0);
        });
    }
}

/// Eyes, blush, mouth; a beard when there is one.
fn face(canvas: &mut Canvas, look: &Look) {
    for side in SIDES {
        canvas.dot(ink::BLACK, 1, side * 5.2, 25.0, 3.0, 5.0);
        if canvas.scale() >= 0.5 {
            canvas.dot(
                ink::WHITE,
                3,
                side * 5.2 - if side > 0.0 { 0.6 } else { -0.6 },
                23.6,
                1.2,
                1.4,
            );
            canvas.dot(ink::BLUSH, 2, side * 8.4, 28.4, 2.6, 1.4);
        }
        if look.tusks {
            canvas.dot(ink::WHITE, 3, side * 3.0, 30.4, 1.4, 2.6);
        }
    }
    if look.beard {
        canvas.as_one(|c| {
            c.polygon(
                ink::HAIR,
                Light::Round,
                &[
                    (-11.2, 25.5),
                    (-7.0, 29.0),
                    (7.0, 29.0),
                    (11.2, 25.5),
                    (8.5, 36.0),
                    (3.5, 41.0),
                    (0.0, 44.0),
                    (-3.5, 41.0),
                    (-8.5, 36.0),
                ],
            );
            c.ellipse(ink::HAIR, Light::Round, -3.0, 29.6, 3.6, 1.8);
            c.ellipse(ink::HAIR, Light::Round, 3.0, 29.6, 3.6, 1.8);
        });
        canvas.dot(ink::BLUSH, 1, 0.0, 31.6, 2.6, 1.2);
    } else if canvas.scale() >= 0.45 {
        canvas.dot(ink::BLUSH, 0, 0.0, 30.0, 2.4, 1.0);
    }
}

fn hair(canvas: &mut Canvas, look: &Look) {
    match look.hair {
        Hair::Bald => {}
        Hair::Short | Hair::Long => canvas.as_one(|c| {
            c.dome(ink::HAIR, Light::Round, [0.0, 20.0, 13.6, 11.4], 17.5, true);
            for side in SIDES {
                c.limb(
                    ink::HAIR,
                    Light::Round,
                    (side * 12.2, 17.0),
                    (side * 12.0, 25.0),
                    2.4,
                    1.6,
                );
            }
            c.polygon(
                ink::HAIR,
                Light::Flat(2),
                &[
                    (-11.0, 16.0),
                    (3.0, 16.0),
                    (-1.0, 20.5),
                    (-5.0, 18.5),
                    (-9.5, 22.0),
                ],
            );
            c.polygon(
                ink::HAIR,
                Light::Flat(2),
                &[(1.0, 16.0), (11.0, 16.0), (10.0, 21.5), (5.5, 18.5)],
            );
            c.shade(ink::HAIR, 1, -4.0, 12.5, 5.5, 1.6);
        }),
        Hair::Spiky => canvas.as_one(|c| {
            for &(x, y) in &[
                (-15.0, 15.0),
                (-11.0, 7.5),
                (-3.0, 4.0),
                (6.0, 4.5),
                (13.0, 9.0),
                (16.0, 17.0),
            ] {
                c.polygon(
                    ink::HAIR,
                    Light::Round,
                    &[(-9.0, 19.0), (x, y), (9.0, 19.0)],
                );
            }
            c.dome(ink::HAIR, Light::Round, [0.0, 20.0, 13.2, 11.0], 17.0, true);
            c.polygon(
                ink::HAIR,
                Light::Flat(2),
                &[
                    (-11.5, 15.0),
                    (11.5, 15.0),
                    (9.5, 21.5),
                    (5.5, 17.5),
                    (1.5, 21.0),
                    (-2.5, 17.5),
                    (-6.0, 21.5),
                    (-8.0, 18.0),
                    (-11.0, 22.0),
                ],
            );
        }),
    }
}

fn helm(canvas: &mut Canvas, look: &Look) {
    if look.plume {
        canvas.as_one(|c| {
            c.limb(ink::SECOND, Light::Round, (0.0, 11.0), (0.0, 5.0), 2.4, 3.0);
            c.limb(ink::SECOND, Light::Round, (1.0, 4.6), (8.0, 6.5), 3.2, 2.4);
            c.limb(
                ink::SECOND,
                Light::Round,
                (8.0, 6.5),
                (12.5, 12.0),
                2.4,
                1.0,
            );
        });
    }
    canvas.as_one(|c| {
        c.ellipse(ink::METAL, Light::Shiny, 0.0, 21.5, 13.4, 12.4);
        c.polygon(
            ink::METAL,
            Light::Round,
            &[
                (-13.2, 22.0),
                (13.2, 22.0),
                (11.5, 32.0),
                (6.0, 35.0),
                (-6.0, 35.0),
                (-11.5, 32.0),
            ],
        );
    });
    // Visor: a dark slit with two lit eyes, a nose guard, breathing holes.
    canvas.as_one(|c| {
        c.polygon(
            ink::BLACK,
            Light::Flat(1),
            &[(-10.6, 21.0), (10.6, 21.0), (10.0, 26.2), (-10.0, 26.2)],
        )
    });
    let eye = if look.visor { ink::GLOW } else { ink::WHITE };
    for side in SIDES {
        canvas.dot(eye, 3, side * 5.0, 23.7, 2.6, 3.0);
        for row in 0..2 {
            canvas.dot(
                ink::BLACK,
                1,
                side * 4.5,
                29.0 + f64::from(row) * 2.2,
                3.6,
                0.9,
            );
        }
    }
    canvas.as_one(|c| c.limb(ink::TRIM, Light::Round, (0.0, 10.5), (0.0, 33.5), 1.3, 1.3));
    canvas.as_one(|c| {
        c.limb(
            ink::TRIM,
            Light::Round,
            (-10.8, 20.2),
            (10.8, 20.2),
            0.9,
            0.9,
        )
    });
}

fn open_helm(canvas: &mut Canvas, look: &Look) {
    if look.horns {
        gear::horns(canvas, 11.0, 15.0);
    }
    for side in SIDES {
        canvas.limb(
            ink::HAIR,
            Light::Round,
            (side * 12.0, 19.0),
            (side * 11.6, 28.0),
            2.0,
            1.4,
        );
    }
    canvas.dome(
        ink::METAL,
        Light::Shiny,
        [0.0, 19.8, 13.8, 12.2],
        18.6,
        true,
    );
    canvas.limb(
        ink::TRIM,
        Light::Round,
        (-13.0, 18.6),
        (13.0, 18.6),
        1.7,
        1.7,
    );
    canvas.limb(ink::METAL, Light::Round, (0.0, 18.0), (0.0, 25.5), 1.4, 1.1);
    canvas.limb(ink::TRIM, Light::Round, (0.0, 8.6), (0.0, 17.0), 1.2, 1.2);
}

fn wizard_hat(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.polygon(
            ink::MAIN,
            Light::Round,
            &[
                (-11.0, 15.5),
                (-6.5, 7.0),
                (-2.0, 1.0),
                (6.0, -0.5),
                (9.5, 3.0),
                (5.0, 3.6),
                (8.0, 8.5),
                (11.0, 15.5),
            ],
        );
        c.ellipse(ink::MAIN, Light::Round, 0.0, 16.6, 18.0, 4.0);
    });
    canvas.polygon(
        ink::TRIM,
        Light::Round,
        &[
            (-10.6, 12.0),
            (-9.2, 9.8),
            (9.2, 9.8),
            (10.6, 12.0),
            (10.8, 14.2),
            (-10.8, 14.2),
        ],
    );
    canvas.dot(ink::GLOW, 3, 0.0, 12.2, 3.0, 3.0);
    canvas.dot(ink::TRIM, 3, -2.5, 5.6, 1.6, 1.6);
}

fn hood_back(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.ellipse(ink::MAIN, Light::Round, 0.0, 21.5, 15.4, 14.2);
        c.polygon(
            ink::MAIN,
            Light::Round,
            &[(-4.0, 9.0), (3.0, 4.0), (8.0, 12.0)],
        );
    });
}

fn hood(canvas: &mut Canvas, look: &Look) {
    // A shadow on the brow, a fringe of hair, then the rim.
    canvas.shade(ink::SKIN, -1, 0.0, 13.5, 13.0, 5.5);
    canvas.as_one(|c| {
        c.polygon(
            ink::HAIR,
            Light::Flat(2),
            &[
                (-10.5, 14.0),
                (10.5, 14.0),
                (10.0, 21.0),
                (6.0, 17.6),
                (1.0, 20.0),
                (-4.0, 17.4),
                (-9.6, 21.5),
            ],
        );
    });
    canvas.as_one(|c| {
        c.dome(ink::MAIN, Light::Round, [0.0, 20.5, 15.2, 13.2], 15.4, true);
        for side in SIDES {
            c.limb(
                ink::MAIN,
                Light::Round,
                (side * 13.4, 15.0),
                (side * 12.8, 28.0),
                2.2,
                2.0,
            );
            c.limb(
                ink::MAIN,
                Light::Round,
                (side * 12.4, 28.0),
                (side * 5.0, 34.6),
                2.2,
                2.0,
            );
        }
    });
    let edge = if look.visor { ink::GLOW } else { ink::TRIM };
    canvas.as_one(|c| {
        c.limb(edge, Light::Flat(2), (-11.0, 16.0), (11.0, 16.0), 0.8, 0.8);
        for side in SIDES {
            c.limb(
                edge,
                Light::Flat(2),
                (side * 11.4, 16.0),
                (side * 11.2, 27.0),
                0.8,
                0.8,
            );
        }
    });
}

fn crown(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.polygon(
            ink::TRIM,
            Light::Shiny,
            &[
                (-10.0, 15.0),
                (-11.5, 4.5),
                (-5.6, 9.0),
                (0.0, 2.5),
                (5.6, 9.0),
                (11.5, 4.5),
                (10.0, 15.0),
            ],
        );
        c.ellipse(ink::TRIM, Light::Round, 0.0, 14.6, 10.2, 2.0);
    });
    canvas.dot(ink::GLOW, 3, 0.0, 11.4, 2.4, 2.8);
    for side in SIDES {
        canvas.dot(ink::MAIN, 3, side * 6.6, 12.0, 1.8, 2.0);
    }
}

fn mask(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.dome(ink::MAIN, Light::Round, [0.0, 22.0, 13.4, 12.4], 20.4, true);
        c.dome(
            ink::MAIN,
            Light::Round,
            [0.0, 22.0, 13.4, 12.6],
            28.2,
            false,
        );
        c.limb(
            ink::MAIN,
            Light::Flat(1),
            (-12.6, 20.0),
            (-12.0, 29.0),
            1.4,
            1.2,
        );
        c.limb(
            ink::MAIN,
            Light::Flat(1),
            (12.6, 20.0),
            (12.0, 29.0),
            1.4,
            1.2,
        );
    });
    canvas.limb(
        ink::SECOND,
        Light::Round,
        (-13.0, 17.0),
        (13.0, 17.0),
        1.9,
        1.9,
    );
    canvas.limb(
        ink::SECOND,
        Light::Round,
        (13.0, 17.5),
        (18.5, 22.0),
        1.7,
        1.1,
    );
    canvas.limb(
        ink::SECOND,
        Light::Round,
        (13.0, 17.5),
        (17.5, 26.0),
        1.5,
        0.9,
    );
}

fn skull(canvas: &mut Canvas) {
    for side in SIDES {
        canvas.dot(ink::BLACK, 1, side * 5.0, 23.5, 5.0, 5.6);
        canvas.dot(ink::GLOW, 3, side * 5.0, 24.0, 1.8, 1.8);
    }
    canvas.dot(ink::BLACK, 1, 0.0, 28.4, 1.8, 1.8);
    for tooth in [-4.5, -1.5, 1.5, 4.5] {
        canvas.dot(ink::BLACK, 1, tooth, 32.0, 0.9, 2.6);
    }
}

fn visor(canvas: &mut Canvas) {
    canvas.as_one(|c| {
        c.limb(
            ink::BLACK,
            Light::Flat(1),
            (-11.0, 24.6),
            (11.0, 24.6),
            4.2,
            4.2,
        )
    });
    canvas.as_one(|c| {
        c.limb(
            ink::GLOW,
            Light::Flat(2),
            (-9.8, 24.6),
            (9.8, 24.6),
            2.0,
            2.0,
        )
    });
    canvas.dot(ink::GLOW, 4, -5.0, 23.8, 5.0, 1.4);
    canvas.dot(ink::WHITE, 4, 6.4, 25.2, 2.0, 1.4);
}
