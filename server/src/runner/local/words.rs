//! The vocabulary: which words of a prompt mean something to the drawing.
//!
//! A word that is not here still matters: the dice are rolled from the whole prompt.

use super::dice::Dice;
use super::look::{Body, Ears, Figure, Hair, Head, Look, OffHand, Weapon, Wings};
use super::palette::Hsl;
use super::weight::{Weight, singular, weight};

/// One known word of a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Word {
    /// Names a figure; the first one decides.
    Figure(&'static str),
    /// Adds or changes something.
    Thing(&'static str),
    /// Colours the clothes, scales or fur, more or less surely.
    Colour(Hsl, Weight),
}

/// Spoken word, then the name that [`dress`] knows. Kept as a table that one can take in at a glance.
#[rustfmt::skip]
pub(super) const FIGURES: &[(&str, &str)] = &[
    ("knight", "knight"), ("paladin", "paladin"), ("soldier", "knight"), ("guard", "knight"), ("templar", "paladin"),
    ("warrior", "warrior"), ("viking", "warrior"), ("barbarian", "warrior"), ("fighter", "warrior"), ("gladiator", "warrior"),
    ("dwarf", "dwarf"), ("mage", "mage"), ("sorcerer", "mage"), ("sorceress", "mage"), ("warlock", "mage"),
    ("wizard", "wizard"), ("witch", "witch"), ("druid", "druid"), ("priest", "priest"), ("cleric", "priest"),
    ("monk", "priest"), ("healer", "priest"), ("necromancer", "necromancer"), ("archer", "archer"), ("ranger", "archer"),
    ("hunter", "archer"), ("elf", "elf"), ("rogue", "rogue"), ("thief", "rogue"), ("assassin", "rogue"),
    ("ninja", "ninja"), ("samurai", "warrior"), ("pirate", "rogue"), ("king", "king"), ("queen", "queen"),
    ("prince", "king"), ("princess", "queen"), ("orc", "orc"), ("goblin", "goblin"), ("troll", "orc"), ("ogre", "orc"),
    ("zombie", "zombie"), ("skeleton", "skeleton"), ("lich", "skeleton"), ("vampire", "vampire"), ("demon", "demon"),
    ("devil", "demon"), ("angel", "angel"), ("fairy", "fairy"), ("pixie", "fairy"), ("hero", "hero"), ("heroine", "hero"),
    ("adventurer", "hero"), ("villager", "person"), ("farmer", "person"), ("merchant", "person"), ("girl", "girl"),
    ("woman", "girl"), ("boy", "person"), ("man", "person"), ("child", "person"), ("person", "person"),
    ("character", "person"), ("human", "person"), ("hacker", "hacker"), ("robot", "robot"), ("android", "robot"),
    ("golem", "robot"), ("mech", "robot"), ("cyborg", "robot"), ("dragon", "dragon"), ("wyvern", "dragon"),
    ("drake", "dragon"), ("dinosaur", "dragon"), ("lizard", "dragon"), ("cat", "cat"), ("kitten", "cat"), ("fox", "fox"),
    ("wolf", "wolf"), ("dog", "dog"), ("puppy", "dog"), ("bear", "bear"), ("panda", "panda"), ("mouse", "mouse"),
    ("rat", "mouse"), ("rabbit", "rabbit"), ("bunny", "rabbit"), ("tiger", "tiger"), ("lion", "lion"), ("pig", "pig"),
    ("monkey", "bear"), ("bird", "bird"), ("owl", "bird"), ("chicken", "chicken"), ("duck", "chicken"),
    ("penguin", "penguin"), ("parrot", "bird"), ("phoenix", "phoenix"), ("raven", "raven"), ("slime", "slime"),
    ("blob", "slime"), ("jelly", "slime"), ("ghost", "ghost"), ("spirit", "ghost"), ("spectre", "ghost"),
    ("mushroom", "mushroom"), ("toadstool", "mushroom"), ("tree", "tree"), ("treant", "tree"), ("oak", "tree"),
    ("potion", "potion"), ("bottle", "potion"), ("elixir", "potion"),
];

#[rustfmt::skip]
pub(super) const THINGS: &[(&str, &str)] = &[
    ("sword", "sword"), ("blade", "sword"), ("katana", "sword"), ("staff", "staff"), ("axe", "axe"), ("hammer", "axe"),
    ("bow", "bow"), ("wand", "wand"), ("spear", "spear"), ("lance", "spear"), ("trident", "spear"), ("dagger", "dagger"),
    ("knife", "dagger"), ("unarmed", "unarmed"), ("shield", "shield"), ("orb", "orb"), ("book", "book"), ("tome", "book"),
    ("spellbook", "book"), ("hat", "hat"), ("hood", "hood"), ("hooded", "hood"), ("helmet", "helmet"), ("helm", "helmet"),
    ("crown", "crown"), ("mask", "mask"), ("masked", "mask"), ("cape", "cape"), ("cloak", "cape"), ("robe", "robe"),
    ("armor", "armour"), ("armour", "armour"), ("armored", "armour"), ("armoured", "armour"), ("wing", "wings"),
    ("winged", "wings"), ("flying", "wings"), ("beard", "beard"), ("bearded", "beard"), ("horn", "horns"),
    ("horned", "horns"), ("halo", "halo"), ("holy", "halo"), ("cyberpunk", "cyberpunk"), ("cyber", "cyberpunk"),
    ("neon", "cyberpunk"), ("futuristic", "cyberpunk"), ("scifi", "cyberpunk"), ("goggle", "visor"), ("visor", "visor"),
    ("heroic", "heroic"), ("royal", "crown"), ("elven", "ears"), ("fire", "fire"), ("flame", "fire"), ("flaming", "fire"),
    ("burning", "fire"), ("lava", "fire"), ("bald", "bald"), ("long", "long"), ("spiky", "spiky"), ("undead", "undead"),
];

#[rustfmt::skip]
const COLOURS: &[(&str, Hsl)] = &[
    ("red", Hsl(356.0, 0.68, 0.48)), ("crimson", Hsl(348.0, 0.72, 0.42)), ("scarlet", Hsl(5.0, 0.75, 0.50)),
    ("ruby", Hsl(345.0, 0.75, 0.46)), ("orange", Hsl(26.0, 0.85, 0.54)), ("yellow", Hsl(48.0, 0.85, 0.56)),
    ("gold", Hsl(43.0, 0.82, 0.55)), ("golden", Hsl(43.0, 0.82, 0.55)), ("green", Hsl(128.0, 0.45, 0.42)),
    ("emerald", Hsl(152.0, 0.62, 0.40)), ("forest", Hsl(118.0, 0.38, 0.34)), ("nature", Hsl(105.0, 0.42, 0.42)),
    ("poison", Hsl(88.0, 0.62, 0.45)), ("lime", Hsl(84.0, 0.70, 0.50)), ("teal", Hsl(178.0, 0.55, 0.40)),
    ("cyan", Hsl(186.0, 0.75, 0.50)), ("turquoise", Hsl(174.0, 0.60, 0.48)), ("blue", Hsl(216.0, 0.66, 0.52)),
    ("azure", Hsl(210.0, 0.75, 0.52)), ("indigo", Hsl(246.0, 0.55, 0.44)), ("jade", Hsl(158.0, 0.45, 0.46)),
    ("amber", Hsl(38.0, 0.85, 0.52)), ("copper", Hsl(20.0, 0.58, 0.46)), ("ivory", Hsl(48.0, 0.40, 0.86)),
    ("navy", Hsl(222.0, 0.55, 0.32)), ("sapphire", Hsl(220.0, 0.75, 0.48)), ("ice", Hsl(196.0, 0.62, 0.68)),
    ("frost", Hsl(200.0, 0.58, 0.70)), ("frozen", Hsl(198.0, 0.60, 0.70)), ("water", Hsl(205.0, 0.70, 0.54)),
    ("purple", Hsl(274.0, 0.52, 0.50)), ("violet", Hsl(266.0, 0.55, 0.56)), ("magenta", Hsl(312.0, 0.65, 0.52)),
    ("pink", Hsl(336.0, 0.70, 0.68)), ("brown", Hsl(25.0, 0.48, 0.36)), ("black", Hsl(245.0, 0.16, 0.22)),
    ("dark", Hsl(258.0, 0.22, 0.26)), ("shadow", Hsl(265.0, 0.28, 0.26)), ("night", Hsl(238.0, 0.40, 0.30)),
    ("white", Hsl(220.0, 0.20, 0.86)), ("silver", Hsl(212.0, 0.14, 0.70)), ("grey", Hsl(215.0, 0.08, 0.52)),
    ("gray", Hsl(215.0, 0.08, 0.52)), ("stone", Hsl(35.0, 0.08, 0.50)), ("bronze", Hsl(28.0, 0.55, 0.44)),
    ("sand", Hsl(40.0, 0.50, 0.62)), ("desert", Hsl(38.0, 0.52, 0.58)), ("royal", Hsl(262.0, 0.55, 0.45)),
];

/// The known words of `prompt`, in order. A plural is known by its singular.
pub(super) fn in_prompt(prompt: &str) -> Vec<Word> {
    let lower = prompt.to_lowercase();
    let mut found = Vec::new();
    let spoken: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    for (at, &spoken_word) in spoken.iter().enumerate() {
        let (spoken, next) = (spoken_word, spoken.get(at + 1..).unwrap_or_default());
        let singular = singular(spoken);
        let is = |known: &str| known == spoken || known == singular;
        if let Some((_, name)) = FIGURES.iter().find(|(known, _)| is(known)) {
            found.push(Word::Figure(name));
        }
        if let Some((_, name)) = THINGS.iter().find(|(known, _)| is(known)) {
            found.push(Word::Thing(name));
        }
        if let Some((_, colour)) = COLOURS.iter().find(|(known, _)| is(known)) {
            found.push(Word::Colour(*colour, weight(spoken, next)));
        }
    }
    found
}

/// Gives the look of the figure called `name`.
pub(super) fn dress(look: &mut Look, name: &str, dice: &mut Dice) {
    look.figure = Figure::Person;
    let colours = &mut look.colours;
    match name {
        "knight" => {
            (look.head, look.body, look.weapon, look.off_hand) =
                (Head::Helm, Body::Armour, Weapon::Sword, OffHand::Shield);
        }
        "paladin" => {
            (look.head, look.body, look.weapon, look.off_hand) =
                (Head::Helm, Body::Armour, Weapon::Sword, OffHand::Shield);
            (look.cape, colours.metal) = (true, Hsl(44.0, 0.45, 0.72));
        }
        "warrior" | "dwarf" => {
            (look.head, look.body, look.weapon) = (Head::OpenHelm, Body::Tunic, Weapon::Axe);
            (look.horns, look.beard, look.cape) = (true, name == "dwarf" || dice.chance(60), true);
            look.off_hand = if dice.chance(50) {
                OffHand::Shield
            } else {
                OffHand::None
            };
            colours.main = Hsl(dice.between(8.0, 30.0), 0.50, 0.42);
        }
        "mage" => {
            (look.head, look.body, look.weapon) = (Head::Hood, Body::Robe, Weapon::Staff);
            look.off_hand = dice.pick(&[OffHand::Orb, OffHand::Book]);
            colours.main = dice.pick(&[
                Hsl(272.0, 0.48, 0.46),
                Hsl(230.0, 0.50, 0.46),
                Hsl(300.0, 0.42, 0.42),
            ]);
        }
        "wizard" | "witch" => {
            (look.head, look.body) = (Head::WizardHat, Body::Robe);
            (look.weapon, look.beard) = if name == "wizard" {
                (Weapon::Staff, true)
            } else {
                (Weapon::Wand, false)
            };
            colours.main = if name == "wizard" {
                Hsl(dice.between(222.0, 262.0), 0.55, 0.46)
            } else {
                Hsl(275.0, 0.35, 0.30)
            };
            if name == "wizard" {
                colours.hair = Hsl(215.0, 0.18, 0.86);
            } else {
                look.hair = Hair::Long;
            }
        }
        "druid" => {
            (look.head, look.body, look.weapon, look.horns) =
                (Head::Hood, Body::Robe, Weapon::Staff, true);
            colours.main = Hsl(110.0, 0.38, 0.36);
        }
        "priest" => {
            (look.head, look.body, look.weapon, look.off_hand) =
                (Head::Hood, Body::Robe, Weapon::Staff, OffHand::Book);
            colours.main = Hsl(42.0, 0.35, 0.84);
        }
        "necromancer" => {
            (look.head, look.body, look.weapon, look.off_hand) =
                (Head::Hood, Body::Robe, Weapon::Staff, OffHand::Orb);
            (colours.main, colours.glow, colours.skin) = (
                Hsl(262.0, 0.25, 0.24),
                Hsl(108.0, 0.85, 0.60),
                Hsl(95.0, 0.18, 0.68),
            );
        }
        "archer" | "elf" => {
            (look.body, look.weapon) = (Body::Tunic, Weapon::Bow);
            (look.head, look.pointed_ears, look.hair) = if name == "elf" {
                (Head::Bare, true, Hair::Long)
            } else {
                (Head::Hood, false, look.hair)
            };
            colours.main = Hsl(dice.between(95.0, 150.0), 0.42, 0.38);
        }
        "rogue" => {
            (look.head, look.body, look.weapon, look.cape) =
                (Head::Hood, Body::Tunic, Weapon::Dagger, true);
            colours.main = dice.pick(&[
                Hsl(225.0, 0.20, 0.30),
                Hsl(345.0, 0.38, 0.32),
                Hsl(160.0, 0.25, 0.28),
            ]);
        }
        "ninja" => {
            (look.head, look.body, look.weapon) = (Head::Mask, Body::Tunic, Weapon::Dagger);
            colours.main = Hsl(240.0, 0.20, 0.26);
        }
        "king" | "queen" => {
            (look.head, look.body, look.cape) = (Head::Crown, Body::Robe, true);
            (look.beard, look.hair) = (
                name == "king" && dice.chance(70),
                if name == "queen" {
                    Hair::Long
                } else {
                    look.hair
                },
            );
            look.weapon = if name == "king" {
                Weapon::Staff
            } else {
                Weapon::Wand
            };
        }
        "orc" | "goblin" => {
            (look.hair, look.body, look.tusks, look.pointed_ears) =
                (Hair::Bald, Body::Tunic, true, true);
            look.weapon = if name == "orc" {
                Weapon::Axe
            } else {
                Weapon::Dagger
            };
            (colours.skin, colours.main) = (
                Hsl(dice.between(85.0, 125.0), 0.42, 0.46),
                Hsl(28.0, 0.40, 0.34),
            );
        }
        "zombie" => (colours.skin, look.body) = (Hsl(105.0, 0.24, 0.56), Body::Tunic),
        "skeleton" => {
            (look.head, look.body, look.weapon) = (Head::Skull, Body::Tunic, Weapon::Sword);
            (colours.skin, colours.main) = (Hsl(45.0, 0.28, 0.86), Hsl(260.0, 0.14, 0.30));
        }
        "vampire" => {
            (look.body, look.cape, look.hair) = (Body::Tunic, true, Hair::Short);
            (colours.skin, colours.hair, colours.main) = (
                Hsl(250.0, 0.18, 0.84),
                Hsl(250.0, 0.2, 0.18),
                Hsl(348.0, 0.6, 0.34),
            );
        }
        "demon" => {
            (look.horns, look.wings, look.body, look.hair) =
                (true, Wings::Leathery, Body::Tunic, Hair::Short);
            (colours.skin, colours.main, colours.second) = (
                Hsl(2.0, 0.58, 0.50),
                Hsl(260.0, 0.20, 0.26),
                Hsl(350.0, 0.6, 0.36),
            );
        }
        "angel" => {
            (look.halo, look.wings, look.body, look.hair) =
                (true, Wings::Feathered, Body::Robe, Hair::Long);
            colours.main = Hsl(215.0, 0.35, 0.86);
        }
        "fairy" => {
            (
                look.wings,
                look.body,
                look.weapon,
                look.hair,
                look.pointed_ears,
            ) = (Wings::Fairy, Body::Robe, Weapon::Wand, Hair::Long, true);
        }
        "hero" => {
            (look.weapon, look.off_hand, look.cape, look.body) =
                (Weapon::Sword, OffHand::Shield, true, Body::Tunic)
        }
        "hacker" => {
            (look.head, look.body) = (Head::Hood, Body::Tunic);
            add(look, "cyberpunk", dice);
        }
        "girl" => look.hair = Hair::Long,
        "robot" => look.figure = Figure::Robot,
        "dragon" => {
            (look.figure, look.wings, look.horns) = (Figure::Dragon, Wings::Leathery, true);
            colours.main = dice.pick(&[
                Hsl(135.0, 0.48, 0.42),
                Hsl(2.0, 0.62, 0.48),
                Hsl(205.0, 0.58, 0.48),
                Hsl(280.0, 0.42, 0.50),
            ]);
            colours.second = Hsl(45.0, 0.70, 0.74);
        }
        "slime" => look.figure = Figure::Slime,
        "ghost" => (look.figure, colours.main) = (Figure::Ghost, Hsl(220.0, 0.40, 0.88)),
        "mushroom" => {
            (look.figure, colours.main) = (
                Figure::Mushroom,
                dice.pick(&[
                    Hsl(358.0, 0.70, 0.50),
                    Hsl(270.0, 0.45, 0.52),
                    Hsl(30.0, 0.65, 0.48),
                ]),
            )
        }
        "tree" => {
            (look.figure, colours.main) = (Figure::Tree, Hsl(dice.between(95.0, 140.0), 0.45, 0.40))
        }
        "potion" => look.figure = Figure::Potion,
        "bird" | "chicken" | "penguin" | "phoenix" | "raven" => {
            look.figure = Figure::Bird;
            match name {
                "chicken" => colours.main = Hsl(46.0, 0.75, 0.72),
                "penguin" => colours.main = Hsl(222.0, 0.30, 0.28),
                "phoenix" => (colours.main, look.fire) = (Hsl(18.0, 0.85, 0.52), true),
                "raven" => colours.main = Hsl(250.0, 0.20, 0.24),
                _ => {}
            }
            colours.second = Hsl(45.0, 0.45, 0.88);
        }
        "cat" | "fox" | "wolf" | "dog" | "bear" | "panda" | "mouse" | "rabbit" | "tiger"
        | "lion" | "pig" => animal(look, name, dice),
        _ => look.weapon = Weapon::None,
    }
}

fn animal(look: &mut Look, name: &str, dice: &mut Dice) {
    let cream = Hsl(38.0, 0.55, 0.88);
    let (ears, fur, belly) = match name {
        "cat" => (
            Ears::Pointed,
            dice.pick(&[
                Hsl(30.0, 0.72, 0.56),
                Hsl(225.0, 0.10, 0.38),
                Hsl(28.0, 0.25, 0.50),
                Hsl(220.0, 0.15, 0.82),
            ]),
            cream,
        ),
        "fox" => (Ears::Pointed, Hsl(20.0, 0.80, 0.52), cream),
        "wolf" => (
            Ears::Pointed,
            Hsl(220.0, 0.12, 0.50),
            Hsl(220.0, 0.15, 0.84),
        ),
        "dog" => (
            Ears::Floppy,
            dice.pick(&[
                Hsl(28.0, 0.55, 0.48),
                Hsl(38.0, 0.62, 0.66),
                Hsl(22.0, 0.40, 0.32),
            ]),
            cream,
        ),
        "panda" => (Ears::Round, Hsl(220.0, 0.15, 0.92), Hsl(220.0, 0.15, 0.92)),
        "mouse" => (Ears::Round, Hsl(220.0, 0.10, 0.62), Hsl(345.0, 0.45, 0.84)),
        "rabbit" => (
            Ears::Long,
            dice.pick(&[
                Hsl(30.0, 0.25, 0.88),
                Hsl(28.0, 0.35, 0.58),
                Hsl(220.0, 0.08, 0.66),
            ]),
            cream,
        ),
        "tiger" => (Ears::Round, Hsl(30.0, 0.85, 0.56), cream),
        "lion" => (Ears::Round, Hsl(40.0, 0.72, 0.60), cream),
        "pig" => (Ears::Floppy, Hsl(345.0, 0.65, 0.78), Hsl(345.0, 0.70, 0.86)),
        _ => (Ears::Round, Hsl(25.0, 0.45, 0.40), Hsl(32.0, 0.45, 0.66)),
    };
    look.figure = Figure::Beast(ears);
    (look.colours.main, look.colours.second) = (fur, belly);
    (look.stripes, look.mane) = (
        name == "tiger" || (name == "cat" && dice.chance(50)),
        name == "lion",
    );
    look.colours.hair = if name == "panda" {
        Hsl(250.0, 0.15, 0.18)
    } else {
        fur.turned(-10.0).scaled(1.0, 0.62)
    };
}

/// Adds what the word `name` says.
pub(super) fn add(look: &mut Look, name: &str, dice: &mut Dice) {
    match name {
        "sword" => look.weapon = Weapon::Sword,
        "staff" => look.weapon = Weapon::Staff,
        "axe" => look.weapon = Weapon::Axe,
        "bow" => look.weapon = Weapon::Bow,
        "wand" => look.weapon = Weapon::Wand,
        "spear" => look.weapon = Weapon::Spear,
        "dagger" => look.weapon = Weapon::Dagger,
        "unarmed" => (look.weapon, look.off_hand) = (Weapon::None, OffHand::None),
        "shield" => look.off_hand = OffHand::Shield,
        "orb" => look.off_hand = OffHand::Orb,
        "book" => look.off_hand = OffHand::Book,
        "hat" => look.head = Head::WizardHat,
        "hood" => look.head = Head::Hood,
        "helmet" => {
            look.head = if look.head == Head::OpenHelm {
                Head::OpenHelm
            } else {
                Head::Helm
            }
        }
        "crown" => look.head = Head::Crown,
        "mask" => look.head = Head::Mask,
        "cape" => look.cape = true,
        "robe" => look.body = Body::Robe,
        "armour" => look.body = Body::Armour,
        "wings" if look.wings == Wings::None => {
            look.wings = dice.pick(&[Wings::Feathered, Wings::Feathered, Wings::Leathery])
        }
        "beard" => look.beard = true,
        "horns" => look.horns = true,
        "halo" => look.halo = true,
        "visor" => look.visor = true,
        "heroic" => (look.cape, look.plume) = (true, true),
        "ears" => look.pointed_ears = true,
        "bald" => look.hair = Hair::Bald,
        "long" => look.hair = Hair::Long,
        "spiky" => look.hair = Hair::Spiky,
        "undead" => look.colours.skin = Hsl(105.0, 0.20, 0.58),
        "fire" => {
            look.fire = true;
            (look.colours.main, look.colours.glow) = (Hsl(12.0, 0.78, 0.48), Hsl(40.0, 1.0, 0.60));
        }
        "cyberpunk" => {
            look.visor = true;
            let colours = &mut look.colours;
            (colours.main, colours.second) = (
                Hsl(258.0, 0.34, 0.30),
                Hsl(dice.pick(&[318.0, 286.0, 340.0]), 0.80, 0.56),
            );
            (colours.trim, colours.glow) = (
                colours.second,
                Hsl(dice.pick(&[184.0, 168.0, 150.0]), 0.95, 0.58),
            );
            colours.hair = Hsl(dice.pick(&[318.0, 186.0, 85.0, 275.0]), 0.75, 0.58);
        }
        _ => {}
    }
}

/// Colours what is most visible of the figure.
pub(super) fn paint(look: &mut Look, colour: Hsl) {
    look.colours.main = colour;
    if look.body == Body::Armour && look.figure == Figure::Person {
        look.colours.metal = Hsl(colour.0, colour.1 * 0.55, colour.2 * 0.5 + 0.28);
    }
    if look.figure == Figure::Robot {
        look.colours.metal = colour;
    }
}
