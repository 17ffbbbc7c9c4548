//! From words to a look: which figure, in which colours, wearing what.
//!
//! The first word of the prompt that names a figure decides its kind ("knight", "dragon", "cat");
//! every further word adds to it ("with wings", "red", "cyberpunk"). What no word decides, the
//! dice do.

use super::dice::Dice;
use super::palette::{Hsl, Ramp};
use super::weight::Weight;
use super::words::{self, Word};

/// What stands in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Person,
    Dragon,
    Beast(Ears),
    Bird,
    Slime,
    Ghost,
    Mushroom,
    Tree,
    Potion,
    Robot,
    /// Nothing we know by name: a small made-up creature.
    Mascot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ears {
    Pointed,
    Round,
    Long,
    Floppy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Bare,
    Helm,
    OpenHelm,
    WizardHat,
    Hood,
    Crown,
    Mask,
    Skull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Armour,
    Robe,
    Tunic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hair {
    Short,
    Long,
    Spiky,
    Bald,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weapon {
    None,
    Sword,
    Staff,
    Axe,
    Bow,
    Wand,
    Spear,
    Dagger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffHand {
    None,
    Shield,
    Orb,
    Book,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wings {
    None,
    Feathered,
    Leathery,
    Fairy,
}

/// Base colours, one for each ink of the canvas.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colours {
    pub(super) skin: Hsl,
    pub(super) hair: Hsl,
    pub(super) main: Hsl,
    pub(super) second: Hsl,
    pub(super) trim: Hsl,
    pub(super) metal: Hsl,
    pub(super) leather: Hsl,
    pub(super) glow: Hsl,
}

/// Names of the canvas's inks, in the order of [`Look::ramps`].
pub(super) mod ink {
    use super::super::canvas::Ink;
    pub(in super::super) const SKIN: Ink = Ink(0);
    pub(in super::super) const HAIR: Ink = Ink(1);
    pub(in super::super) const MAIN: Ink = Ink(2);
    pub(in super::super) const SECOND: Ink = Ink(3);
    pub(in super::super) const TRIM: Ink = Ink(4);
    pub(in super::super) const METAL: Ink = Ink(5);
    pub(in super::super) const LEATHER: Ink = Ink(6);
    pub(in super::super) const GLOW: Ink = Ink(7);
    pub(in super::super) const WHITE: Ink = Ink(8);
    pub(in super::super) const BLACK: Ink = Ink(9);
    pub(in super::super) const BLUSH: Ink = Ink(10);
}

/// Everything that the drawing code needs to know.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) figure: Figure,
    pub(super) head: Head,
    pub(super) body: Body,
    pub(super) hair: Hair,
    pub(super) weapon: Weapon,
    pub(super) off_hand: OffHand,
    pub(super) wings: Wings,
    pub(super) cape: bool,
    pub(super) beard: bool,
    pub(super) visor: bool,
    pub(super) horns: bool,
    pub(super) halo: bool,
    pub(super) pointed_ears: bool,
    pub(super) tusks: bool,
    pub(super) fire: bool,
    pub(super) plume: bool,
    pub(super) stripes: bool,
    pub(super) mane: bool,
    pub(super) colours: Colours,
}

const SKINS: [Hsl; 6] = [
    Hsl(27.0, 0.72, 0.80),
    Hsl(24.0, 0.62, 0.72),
    Hsl(26.0, 0.50, 0.60),
    Hsl(22.0, 0.45, 0.46),
    Hsl(20.0, 0.42, 0.36),
    Hsl(30.0, 0.80, 0.84),
];
const HAIRS: [Hsl; 7] = [
    Hsl(25.0, 0.45, 0.28),
    Hsl(42.0, 0.72, 0.58),
    Hsl(14.0, 0.70, 0.42),
    Hsl(250.0, 0.12, 0.20),
    Hsl(210.0, 0.10, 0.78),
    Hsl(190.0, 0.55, 0.50),
    Hsl(325.0, 0.55, 0.60),
];
const MAINS: [Hsl; 8] = [
    Hsl(217.0, 0.62, 0.52),
    Hsl(355.0, 0.62, 0.50),
    Hsl(145.0, 0.42, 0.42),
    Hsl(272.0, 0.48, 0.52),
    Hsl(28.0, 0.72, 0.52),
    Hsl(186.0, 0.52, 0.44),
    Hsl(330.0, 0.52, 0.56),
    Hsl(48.0, 0.72, 0.54),
];
const GOLD: Hsl = Hsl(43.0, 0.82, 0.55);

/// The colour of the body, if the prompt names one: of the surest the first.
fn surest(found: &[Word]) -> Option<(Hsl, Weight)> {
    let colours = found.iter().filter_map(|word| match word {
        Word::Colour(colour, weight) => Some((*colour, *weight)),
        _ => None,
    });
    colours.min_by_key(|(_, weight)| *weight)
}

impl Look {
    /// Reads the prompt; `dice` decides what it leaves open.
    pub(super) fn from_prompt(prompt: &str, dice: &mut Dice) -> Look {
        let found = words::in_prompt(prompt);
        let main = dice.pick(&MAINS);
        let turn = dice.pick(&[150.0, 180.0, 200.0, 32.0, -32.0]);
        let mut look = Look {
            figure: Figure::Mascot,
            head: Head::Bare,
            body: dice.pick(&[Body::Tunic, Body::Tunic, Body::Robe, Body::Armour]),
            hair: dice.pick(&[Hair::Short, Hair::Long, Hair::Spiky]),
            weapon: Weapon::None,
            off_hand: OffHand::None,
            wings: Wings::None,
            cape: dice.chance(25),
            beard: false,
            visor: false,
            horns: false,
            halo: false,
            pointed_ears: false,
            tusks: false,
            fire: false,
            plume: dice.chance(70),
            stripes: false,
            mane: false,
            colours: Colours {
                skin: dice.pick(&SKINS),
                hair: dice.pick(&HAIRS),
                main,
                second: main.turned(turn).scaled(0.8, dice.between(0.8, 1.1)),
                trim: GOLD,
                metal: Hsl(
                    dice.between(205.0, 225.0),
                    dice.between(0.08, 0.2),
                    dice.between(0.62, 0.70),
                ),
                leather: Hsl(dice.between(18.0, 32.0), 0.42, dice.between(0.26, 0.34)),
                glow: main
                    .turned(dice.pick(&[60.0, 120.0, 180.0]))
                    .scaled(1.5, 1.2),
            },
        };
        // Figures first, then what they wear: words later in the prompt win. Then one colour, the
        // surest: no fire and no neon changes what the prompt names.
        if let Some(Word::Figure(name)) = found.iter().find(|word| matches!(word, Word::Figure(_)))
        {
            words::dress(&mut look, name, dice);
        }
        for word in &found {
            match word {
                Word::Thing(name) => words::add(&mut look, name, dice),
                Word::Colour(..) | Word::Figure(_) => {}
            }
        }
        if let Some((colour, _)) = surest(&found) {
            words::paint(&mut look, colour);
        }
        look
    }

    /// Colour ramps in the order of [`ink`].
    pub(super) fn ramps(&self) -> Vec<Ramp> {
        let Colours {
            skin,
            hair,
            main,
            second,
            trim,
            metal,
            leather,
            glow,
        } = self.colours;
        let white = Hsl(225.0, 0.25, 0.93);
        let black = Hsl(250.0, 0.30, 0.13);
        let blush = Hsl(
            skin.0 - 18.0 + if skin.0 < 18.0 { 360.0 } else { 0.0 },
            skin.1.min(0.75),
            skin.2 * 0.86,
        );
        [
            skin, hair, main, second, trim, metal, leather, glow, white, black, blush,
        ]
        .map(Hsl::ramp)
        .into()
    }
}
