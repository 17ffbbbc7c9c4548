//! The embedded generator from outside: pictures in, pictures out.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::generator::Direction;
use super::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

fn request(prompt: &str, width: u32, height: u32, seed: Option<&str>) -> GenerateRequest {
    GenerateRequest {
        prompt: prompt.to_owned(),
        width,
        height,
        seed: seed.map(str::to_owned),
    }
}

fn draw(prompt: &str, width: u32, height: u32, seed: Option<&str>) -> Pixels {
    Pixels::from_png(
        &Local::draw(&request(prompt, width, height, seed))
            .unwrap()
            .bytes,
    )
    .unwrap()
}

fn turn(image: &Pixels, from_direction: Direction, to_direction: Direction) -> Pixels {
    let request = RotateRequest {
        image: image.to_png().unwrap(),
        to_direction,
        from_direction,
        width: image.width as u32,
        height: image.height as u32,
    };
    Pixels::from_png(&Local::turn(&request).unwrap().bytes).unwrap()
}

const PRESETS: [&str; 5] = [
    "heroic knight",
    "cyberpunk mage",
    "pixel dragon",
    "warrior",
    "wizard",
];

/// The pixels of every platform and release: a change here changes what people have saved.
#[test]
fn sprites_are_the_same_everywhere() {
    for (prompt, seed, expected) in [
        ("heroic knight", Some("7"), "aed27e9240b20aeb"),
        ("anything at all", None, "d203f9994b2ec5b9"),
    ] {
        let hash = Sha256::digest(draw(prompt, 64, 64, seed).rgba.as_flattened());
        let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected, "{prompt}");
    }
    let knight = draw("heroic knight", 64, 64, Some("7"));
    let hash = Sha256::digest(
        turn(&knight, Direction::South, Direction::East)
            .rgba
            .as_flattened(),
    );
    let hex: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "1a96cc5cedd42314");
}

/// The hue that most of the figure has, in degrees, and how much of the figure has about that.
fn main_hue(prompt: &str, seed: &str) -> (f64, f64) {
    let mut shares = [0_usize; 24];
    let (mut coloured, pixels) = (0_usize, draw(prompt, 64, 64, Some(seed)));
    for [r, g, b, a] in pixels.rgba {
        let (r, g, b) = (f64::from(r), f64::from(g), f64::from(b));
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        if a == 0 || most < 60.0 || most - least < 40.0 {
            continue; // The outline, greys and the brightest lights have no hue to speak of.
        }
        let within = |one: f64, other: f64| (one - other) / (most - least);
        let sixth = if most == r {
            within(g, b)
        } else if most == g {
            2.0 + within(b, r)
        } else {
            4.0 + within(r, g)
        };
        let degrees = (sixth * 60.0 + 360.0) % 360.0;
        shares[(degrees / 15.0) as usize % 24] += 1;
        coloured += 1;
    }
    let around = |at: usize| shares[(at + 23) % 24] + shares[at] + shares[(at + 1) % 24];
    let at = (0..24).max_by_key(|at| around(*at)).unwrap();
    (
        at as f64 * 15.0 + 7.5,
        around(at) as f64 / coloured.max(1) as f64,
    )
}

/// Whatever else a prompt names, the colour that it names is the figure's.
#[test]
fn a_named_colour_decides_the_body() {
    let cases = [
        (
            "small pixel dragon, emerald scales, wings half open, breathing a puff of fire",
            152.0,
        ),
        ("emerald dragon with golden horns", 152.0),
        ("dragon with golden horns and emerald scales", 152.0),
        ("a golden dragon in a dark forest", 43.0),
        ("crimson dragon over the frozen sea", 348.0),
        ("azure dragon breathing fire", 210.0),
        ("azure slime", 210.0),
        ("burning wizard in a blue robe", 216.0),
        ("cyberpunk mage in a green coat", 128.0),
        ("a slime wearing a tiny golden crown", 43.0),
        ("purple cat with green eyes", 274.0),
    ];
    for (prompt, hue) in cases {
        for seed in ["1", "2", "3", "4", "5"] {
            let (found, share) = main_hue(prompt, seed);
            let apart = (found - hue).abs().min(360.0 - (found - hue).abs());
            assert!(
                apart < 30.0 && share > 0.3,
                "{prompt}, {seed}: {found}° ({share:.2} of it), not {hue}°"
            );
        }
    }
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    for prompt in PRESETS {
        let request = request(prompt, 64, 64, Some("a seed in words"));
        assert_eq!(Local::draw(&request), Local::draw(&request));
    }
}

#[test]
fn presets_and_seeds_give_different_pictures() {
    let mut seen = BTreeSet::new();
    for prompt in PRESETS {
        for seed in ["1", "2", "3"] {
            assert!(
                seen.insert(draw(prompt, 64, 64, Some(seed)).rgba),
                "{prompt} {seed}"
            );
        }
    }
}

/// Every allowed size gives a picture of exactly that size with something in it and air around it.
#[test]
fn every_size_is_drawn() {
    let sizes = [
        (16, 16),
        (17, 31),
        (16, 256),
        (256, 16),
        (64, 64),
        (95, 96),
        (100, 180),
        (128, 64),
        (255, 255),
        (256, 256),
    ];
    for (width, height) in sizes {
        for prompt in ["knight", "dragon", "cat", "what is this"] {
            let pixels = draw(prompt, width, height, None);
            assert_eq!(
                (pixels.width, pixels.height),
                (width as usize, height as usize)
            );
            let opaque = pixels.rgba.iter().filter(|rgba| rgba[3] == 255).count();
            let clear = pixels.rgba.iter().filter(|rgba| rgba[3] == 0).count();
            assert_eq!(
                opaque + clear,
                pixels.rgba.len(),
                "no half-transparent pixels"
            );
            assert!(
                opaque > 60 && clear > 40,
                "{prompt} {width}×{height}: {opaque} of {}",
                pixels.rgba.len()
            );
        }
    }
}

#[test]
fn any_prompt_is_drawn() {
    let long = "knight ".repeat(500);
    for prompt in [
        "",
        " ",
        "\u{0}\u{7f}",
        "<script>alert(1)</script>",
        "ドラゴン",
        "🐉🐉🐉",
        "S",
        long.as_str(),
    ] {
        assert_eq!(draw(prompt, 32, 32, None).width, 32);
    }
}

#[test]
fn the_eight_directions_differ_and_keep_the_size() {
    for prompt in PRESETS {
        let front = draw(prompt, 64, 64, Some("1"));
        let seen: BTreeSet<_> = Direction::ALL
            .iter()
            .map(|to| turn(&front, Direction::South, *to).rgba)
            .collect();
        assert_eq!(seen.len(), 8, "{prompt}");
    }
}

#[test]
fn a_turn_depends_on_the_difference_of_the_directions() {
    let front = draw("wizard", 64, 64, None);
    assert_eq!(turn(&front, Direction::West, Direction::West), front);
    assert_eq!(
        turn(&front, Direction::North, Direction::NorthWest),
        turn(&front, Direction::South, Direction::SouthEast)
    );
}

/// A turn of an enlarged sprite is the enlarged turn: pixels stay whole.
#[test]
fn enlarged_pixels_stay_whole_when_turned() {
    let large = draw("pixel dragon", 256, 256, None);
    let turned = turn(&large, Direction::South, Direction::East);
    for y in 0..256 {
        for x in 0..256 {
            assert_eq!(
                turned.at(x, y),
                turned.at(x / 4 * 4, y / 4 * 4),
                "at {x}, {y}"
            );
        }
    }
}

#[test]
fn pictures_of_any_kind_turn() {
    let mut noise = Pixels::clear(40, 24);
    let mut dice = Dice::new("noise", "");
    for rgba in &mut noise.rgba {
        *rgba = [
            dice.below(256) as u8,
            dice.below(256) as u8,
            dice.below(256) as u8,
            dice.below(256) as u8,
        ];
    }
    let mut plain = Pixels::clear(17, 16);
    plain.rgba.fill([9, 200, 30, 255]);
    for source in [Pixels::clear(16, 16), plain, noise] {
        for to in Direction::ALL {
            assert_eq!(
                turn(&source, Direction::South, to).rgba.len(),
                source.rgba.len()
            );
        }
    }
}

#[test]
fn what_is_no_png_is_refused_in_plain_words() {
    let request = RotateRequest {
        image: b"GIF89a".to_vec(),
        to_direction: Direction::East,
        from_direction: Direction::South,
        width: 64,
        height: 64,
    };
    let error = Local::turn(&request).expect_err("no PNG").to_string();
    assert!(
        error.starts_with(
            "the picture cannot be turned: it is image/gif; the embedded generator turns PNG only"
        ),
        "{error}"
    );
}
