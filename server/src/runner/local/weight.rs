//! Whose colour a colour is: the body's, or that of something it wears.

use super::words::{FIGURES, THINGS};

/// How surely a colour is that of the whole body, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It says so: "emerald scales", "a blue robe".
    Body,
    /// It names a colour and nothing else that has it: "a golden knight".
    Named,
    /// It belongs to a single thing: "a red plume".
    OfAThing,
    /// It says where or when, more than which colour: "forest", "night".
    Mood,
}

/// What is as large as the body, so that its colour is the body's. By their singulars.
#[rustfmt::skip]
const BODIES: &[&str] = &[
    "scale", "fur", "skin", "feather", "plumage", "hide", "body", "coat", "robe", "tunic", "armor", "armour", "clothe",
    "clothing", "dress", "suit", "plate", "petal",
];

/// What has a colour of its own. By their singulars; what is in [`THINGS`] has one as well.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "eye", "hair", "plume", "collar", "belt", "boot", "glove", "gem", "star", "flower", "claw", "tail", "scarf", "trim",
    "background", "sky", "moon", "sun", "light", "glow", "spot", "stripe", "tip", "tongue", "teeth", "ribbon", "banner",
];

/// Words of the list of colours that say more than a colour.
#[rustfmt::skip]
const MOODS: &[&str] = &[
    "forest", "nature", "poison", "ice", "frost", "frozen", "water", "dark", "shadow", "night", "stone", "sand", "desert",
    "royal",
];

pub(super) fn singular(spoken: &str) -> &str {
    spoken.strip_suffix('s').unwrap_or(spoken)
}

/// How surely the colour `spoken` is the body's, by what follows it.
pub(super) fn weight(spoken: &str, next: &[&str]) -> Weight {
    if MOODS.contains(&spoken) {
        return Weight::Mood;
    }
    let is_in = |list: &[&str], word: &str| list.contains(&word) || list.contains(&singular(word));
    // "golden dragon", "green and gold scales", "red leather boots": the first word that has a colour.
    for word in next.iter().take(3) {
        let is_figure = |(known, _): &(&str, &str)| *known == *word || *known == singular(word);
        if is_in(BODIES, word) {
            return Weight::Body;
        }
        if FIGURES.iter().any(is_figure) {
            break;
        }
        if is_in(PARTS, word) || THINGS.iter().any(is_figure) {
            return Weight::OfAThing;
        }
        if matches!(
            *word,
            "with" | "in" | "on" | "of" | "wearing" | "holding" | "breathing"
        ) {
            break;
        }
    }
    Weight::Named
}
