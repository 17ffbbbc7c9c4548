//! Draws what figures carry, grow or share: weapons, shields, wings, horns, eyes, flames.

use super::canvas::{Canvas, Light};
use super::look::{Figure, Look, OffHand, Weapon, Wings, ink};
use super::person::SIDES;

/// Horns that rise from (± `x`, `y`).
pub(super) fn horns(canvas: &mut Canvas, x: f64, y: f64) {
    for side in SIDES {
        canvas.as_one(|c| {
            c.limb(
                ink::WHITE,
                Light::Round,
                (side * x, y),
                (side * (x + 5.0), y - 4.0),
                2.6,
                2.0,
            );
            c.limb(
                ink::WHITE,
                Light::Round,
                (side * (x + 5.0), y - 4.0),
                (side * (x + 5.5), y - 10.0),
                2.0,
                0.6,
            );
        });
    }
}

/// Wings that spread from the back at height `y`.
pub(super) fn wings(canvas: &mut Canvas, look: &Look, y: f64) {
    let membrane = if look.figure == Figure::Dragon {
        ink::SECOND
    } else {
        ink::MAIN
    };
    for side in SIDES {
        match look.wings {
            Wings::None => {}
            Wings::Feathered => {
                for (step, length) in [20.0, 19.0, 16.0, 12.0].into_iter().enumerate() {
                    let drop = step as f64 * 5.0;
                    canvas.limb(
                        ink::WHITE,
                        Light::Round,
                        (side * 6.0, y + drop * 0.5),
                        (side * (8.0 + length), y - 12.0 + drop * 1.5),
                        3.4,
                        2.0,
                    );
                }
            }
            Wings::Leathery => {
                canvas.as_one(|c| {
                    c.polygon(
                        membrane,
                        Light::Round,
                        &[
                            (side * 5.0, y + 6.0),
                            (side * 9.0, y - 6.0),
                            (side * 22.0, y - 17.0),
                            (side * 30.5, y - 8.0),
                            (side * 27.5, y + 1.0),
                            (side * 23.5, y - 1.0),
                            (side * 20.5, y + 6.5),
                            (side * 15.5, y + 2.5),
                            (side * 12.0, y + 10.0),
                        ],
                    );
                });
                let bone = if look.figure == Figure::Dragon {
                    ink::MAIN
                } else {
                    ink::SECOND
                };
                canvas.as_one(|c| {
                    c.limb(
                        bone,
                        Light::Round,
                        (side * 7.0, y - 1.0),
                        (side * 21.5, y - 16.5),
                        1.8,
                        1.3,
                    );
                    c.limb(
                        bone,
                        Light::Round,
                        (side * 21.5, y - 16.5),
                        (side * 30.0, y - 8.0),
                        1.3,
                        0.8,
                    );
                    c.limb(
                        bone,
                        Light::Round,
                        (side * 21.5, y - 16.5),
                        (side * 23.5, y - 2.0),
                        0.9,
                        0.6,
                    );
                    c.limb(
                        bone,
                        Light::Round,
                        (side * 21.5, y - 16.5),
                        (side * 15.8, y + 1.0),
                        0.9,
                        0.6,
                    );
                });
            }
            Wings::Fairy => {
                canvas.ellipse(ink::GLOW, Light::Shiny, side * 17.0, y - 8.0, 10.0, 8.0);
                canvas.ellipse(ink::GLOW, Light::Round, side * 14.0, y + 6.0, 7.0, 6.0);
            }
        }
    }
}

/// Where the right hand (on the picture's left) and the left hand are.
const HAND: (f64, f64) = (-13.2, 47.6);
const OTHER: (f64, f64) = (13.2, 47.6);

/// What is drawn before the body, so that the body covers its middle.
pub(super) fn weapon_behind(canvas: &mut Canvas, look: &Look) {
    if look.weapon == Weapon::Bow {
        // A quiver over the shoulder.
        canvas.limb(
            ink::LEATHER,
            Light::Round,
            (9.0, 36.0),
            (13.5, 27.0),
            2.6,
            2.6,
        );
        for x in [12.0, 14.4, 16.8] {
            canvas.limb(
                ink::WHITE,
                Light::Round,
                (x - 0.6, 26.0),
                (x + 0.8, 22.5),
                0.9,
                1.1,
            );
        }
    }
}

/// What is held in front of the body.
pub(super) fn held(canvas: &mut Canvas, look: &Look) {
    weapon(canvas, look);
    match look.off_hand {
        OffHand::None => {}
        OffHand::Shield => shield(canvas),
        OffHand::Orb => orb(canvas, OTHER.0 + 3.0, OTHER.1 - 7.5, 4.6),
        OffHand::Book => {
            canvas.polygon(
                ink::SECOND,
                Light::Round,
                &[(9.5, 40.5), (20.5, 42.5), (19.5, 52.0), (8.5, 50.0)],
            );
            canvas.polygon(
                ink::WHITE,
                Light::Flat(3),
                &[(19.6, 43.5), (21.4, 43.9), (20.4, 52.4), (18.8, 52.0)],
            );
            canvas.dot(ink::TRIM, 3, 14.5, 46.4, 3.6, 3.6);
        }
    }
    // The hand closes over the grip.
    if look.weapon != Weapon::None && look.figure == Figure::Person {
        let hand = if look.body == super::look::Body::Armour {
            ink::LEATHER
        } else {
            ink::SKIN
        };
        canvas.ellipse(hand, Light::Round, HAND.0, HAND.1, 2.9, 2.6);
    }
}

fn weapon(canvas: &mut Canvas, look: &Look) {
    let (x, y) = HAND;
    match look.weapon {
        Weapon::None => {}
        Weapon::Sword | Weapon::Dagger => {
            let reach = if look.weapon == Weapon::Sword {
                27.0
            } else {
                12.0
            };
            let blade = if look.fire || look.visor {
                ink::GLOW
            } else {
                ink::METAL
            };
            canvas.as_one(|c| {
                c.polygon(
                    blade,
                    Light::Flat(2),
                    &[
                        (x - 3.4, y - 5.0),
                        (x - 4.6 - reach * 0.16, y - reach),
                        (x - 2.4 - reach * 0.2, y - reach - 3.5),
                        (x - reach * 0.16, y - reach + 0.6),
                        (x + 1.6, y - 5.0),
                    ],
                );
                c.polygon(
                    blade,
                    Light::Flat(4),
                    &[
                        (x - 3.4, y - 5.0),
                        (x - 4.6 - reach * 0.16, y - reach),
                        (x - 2.4 - reach * 0.2, y - reach - 3.5),
                        (x - 1.2, y - 5.0),
                    ],
                );
            });
            canvas.limb(
                ink::TRIM,
                Light::Round,
                (x - 5.6, y - 4.0),
                (x + 3.8, y - 5.2),
                1.5,
                1.5,
            );
            canvas.limb(
                ink::LEATHER,
                Light::Round,
                (x - 0.6, y - 3.0),
                (x + 0.6, y + 3.0),
                1.3,
                1.3,
            );
            canvas.ellipse(ink::TRIM, Light::Shiny, x + 0.8, y + 4.4, 1.7, 1.7);
        }
        Weapon::Staff | Weapon::Wand => {
            let (top, low) = if look.weapon == Weapon::Staff {
                (y - 30.0, y + 12.0)
            } else {
                (y - 11.0, y + 3.0)
            };
            let x = x - 2.0;
            canvas.limb(
                ink::LEATHER,
                Light::Round,
                (x, top),
                (x + 1.0, low),
                1.5,
                1.4,
            );
            if look.weapon == Weapon::Staff {
                canvas.as_one(|c| {
                    c.limb(
                        ink::LEATHER,
                        Light::Round,
                        (x, top + 1.0),
                        (x - 4.4, top - 3.0),
                        1.3,
                        0.9,
                    );
                    c.limb(
                        ink::LEATHER,
                        Light::Round,
                        (x, top + 1.0),
                        (x + 4.4, top - 3.0),
                        1.3,
                        0.9,
                    );
                });
                orb(canvas, x, top - 5.0, 4.0);
            } else {
                star(canvas, x, top - 2.0, 4.6);
            }
        }
        Weapon::Axe => {
            let x = x - 1.5;
            canvas.limb(
                ink::LEATHER,
                Light::Round,
                (x, y - 24.0),
                (x + 1.0, y + 8.0),
                1.5,
                1.5,
            );
            canvas.as_one(|c| {
                c.polygon(
                    ink::METAL,
                    Light::Shiny,
                    &[
                        (x - 1.5, y - 23.0),
                        (x - 9.5, y - 26.0),
                        (x - 11.5, y - 19.0),
                        (x - 9.0, y - 11.5),
                        (x - 1.5, y - 15.0),
                    ],
                );
                c.polygon(
                    ink::METAL,
                    Light::Flat(3),
                    &[
                        (x - 9.5, y - 26.0),
                        (x - 11.5, y - 19.0),
                        (x - 9.0, y - 11.5),
                        (x - 8.6, y - 19.0),
                    ],
                );
            });
            canvas.polygon(
                ink::METAL,
                Light::Round,
                &[
                    (x + 1.5, y - 21.5),
                    (x + 6.0, y - 19.0),
                    (x + 1.5, y - 16.5),
                ],
            );
        }
        Weapon::Bow => {
            let x = x - 1.0;
            canvas.as_one(|c| {
                c.limb(
                    ink::WHITE,
                    Light::Flat(2),
                    (x + 3.6, y - 17.0),
                    (x + 3.6, y + 14.0),
                    0.4,
                    0.4,
                );
                let bend = [
                    (4.0, -17.5),
                    (-1.5, -13.0),
                    (-4.0, -5.0),
                    (-4.0, 3.0),
                    (-1.5, 10.5),
                    (4.0, 14.5),
                ];
                for pair in bend.windows(2) {
                    c.limb(
                        ink::LEATHER,
                        Light::Round,
                        (x + pair[0].0, y + pair[0].1),
                        (x + pair[1].0, y + pair[1].1),
                        1.4,
                        1.4,
                    );
                }
            });
        }
        Weapon::Spear => {
            let x = x - 2.0;
            canvas.limb(
                ink::LEATHER,
                Light::Round,
                (x - 1.5, y - 26.0),
                (x + 1.0, y + 13.0),
                1.4,
                1.3,
            );
            canvas.polygon(
                ink::METAL,
                Light::Shiny,
                &[
                    (x - 5.0, y - 27.0),
                    (x - 2.0, y - 39.0),
                    (x + 1.5, y - 27.0),
                    (x - 1.6, y - 24.0),
                ],
            );
            canvas.limb(
                ink::SECOND,
                Light::Round,
                (x - 3.6, y - 23.4),
                (x + 0.8, y - 23.4),
                1.2,
                1.2,
            );
        }
    }
}

fn shield(canvas: &mut Canvas) {
    let (x, y) = (OTHER.0 + 1.5, OTHER.1 - 1.5);
    let rim = [
        (-8.0, -8.0),
        (0.0, -9.8),
        (8.0, -8.0),
        (7.6, 1.5),
        (4.5, 7.0),
        (0.0, 10.6),
        (-4.5, 7.0),
        (-7.6, 1.5),
    ];
    let scaled = |by: f64| rim.map(|(px, py)| (x + px * by, y + py * by));
    canvas.polygon(ink::TRIM, Light::Shiny, &scaled(1.0));
    canvas.polygon(ink::MAIN, Light::Round, &scaled(0.76));
    canvas.as_one(|c| {
        c.limb(
            ink::TRIM,
            Light::Flat(3),
            (x, y - 5.4),
            (x, y + 5.4),
            1.0,
            1.0,
        );
        c.limb(
            ink::TRIM,
            Light::Flat(3),
            (x - 4.4, y - 1.6),
            (x + 4.4, y - 1.6),
            1.0,
            1.0,
        );
    });
}

/// A glowing ball with a halo of sparks.
pub(super) fn orb(canvas: &mut Canvas, x: f64, y: f64, r: f64) {
    canvas.ellipse(ink::GLOW, Light::Shiny, x, y, r, r);
    canvas.dot(ink::WHITE, 4, x - r * 0.35, y - r * 0.4, r * 0.4, r * 0.4);
}

fn star(canvas: &mut Canvas, x: f64, y: f64, r: f64) {
    canvas.as_one(|c| {
        c.polygon(
            ink::TRIM,
            Light::Flat(3),
            &[
                (x, y - r),
                (x + r * 0.3, y - r * 0.3),
                (x + r, y),
                (x + r * 0.3, y + r * 0.3),
                (x, y + r),
                (x - r * 0.3, y + r * 0.3),
                (x - r, y),
                (x - r * 0.3, y - r * 0.3),
            ],
        );
        c.dot(ink::WHITE, 4, x, y, r * 0.4, r * 0.4);
    });
}

/// Two bright eyes at (± `x`, `y`), `h` high.
pub(super) fn eyes(canvas: &mut Canvas, x: f64, y: f64, h: f64) {
    for side in SIDES {
        canvas.dot(ink::BLACK, 1, side * x, y, h * 0.66, h);
        if canvas.scale() >= 0.5 {
            canvas.dot(ink::WHITE, 4, side * x, y - h * 0.26, h * 0.3, h * 0.32);
        }
    }
}

/// A flame that stands on (`x`, `y`).
pub(super) fn flame(canvas: &mut Canvas, x: f64, y: f64, r: f64) {
    canvas.as_one(|c| {
        c.polygon(
            ink::GLOW,
            Light::Flat(1),
            &[
                (x - r, y),
                (x - r * 1.1, y - r),
                (x - r * 0.3, y - r * 0.9),
                (x, y - r * 2.6),
                (x + r * 0.6, y - r * 1.2),
                (x + r * 1.1, y - r * 1.4),
                (x + r, y),
            ],
        );
        c.ellipse(ink::GLOW, Light::Flat(2), x, y - r * 0.3, r * 0.8, r * 0.9);
        c.ellipse(ink::GLOW, Light::Flat(4), x, y, r * 0.45, r * 0.6);
    });
}
