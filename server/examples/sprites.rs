//! Draws a sheet of sprites with the embedded generator, to look at.
//!
//! `cargo run -p plainsync --example sprites -- OUT.png [SIZE] [PROMPT…]`; with prompts each row is
//! one prompt turned through all eight directions, without them each cell is another prompt.
#![allow(clippy::expect_used, reason = "a tool for people at a desk")]

use plainsync::runner::generator::{Direction, GenerateRequest, RotateRequest};
use plainsync::runner::local::Local;

const PROMPTS: &[&str] = &[
    "heroic knight",
    "cyberpunk mage",
    "pixel dragon",
    "warrior",
    "wizard",
    "witch",
    "archer",
    "ninja",
    "king",
    "elf",
    "red fire dragon",
    "ice dragon",
    "golden paladin",
    "goblin",
    "skeleton",
    "necromancer",
    "angel",
    "demon",
    "fairy",
    "robot",
    "cat",
    "fox",
    "panda",
    "rabbit",
    "tiger",
    "lion",
    "owl",
    "penguin",
    "phoenix",
    "slime",
    "ghost",
    "mushroom",
    "tree",
    "blue potion",
    "rogue",
    "dwarf",
    "hacker",
    "zombie",
    "princess",
    "dog with wings",
    "test",
    "hello world",
    "a thing",
    "sprite 4",
    "monster",
    "alien",
    "creature",
    "sprite 8",
    "hero with sword",
    "orc",
    "druid",
    "priest",
    "black knight",
    "green wizard",
    "vampire",
    "girl with spear",
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let out = arguments
        .next()
        .expect("the first argument is the file to write");
    let size: u32 = arguments.next().map_or(64, |text| {
        text.parse().expect("the second argument is a size")
    });
    let prompts: Vec<String> = arguments.collect();
    let draw = |prompt: &str, seed: u32| {
        let request = GenerateRequest {
            prompt: prompt.to_owned(),
            width: size,
            height: size,
            seed: Some(seed.to_string()),
        };
        Local::draw(&request).expect("draws").bytes
    };
    let mut cells = Vec::new();
    if prompts.is_empty() {
        cells.extend(PROMPTS.iter().map(|prompt| draw(prompt, 1)));
    }
    for prompt in &prompts {
        let image = draw(prompt, 1);
        cells.extend(Direction::ALL.map(|to_direction| {
            let request = RotateRequest {
                image: image.clone(),
                to_direction,
                from_direction: Direction::South,
                width: size,
                height: size,
            };
            Local::turn(&request).expect("turns").bytes
        }));
    }
    let side = size as usize;
    let (columns, zoom) = (8, (128 / side).max(1));
    let rows = cells.len().div_ceil(columns);
    let (width, height) = (columns * side * zoom, rows * side * zoom);
    let mut sheet = vec![[0_u8; 4]; width * height];
    for (at, pixel) in sheet.iter_mut().enumerate() {
        let light = (at % width / 8 + at / width / 8) % 2 == 0;
        *pixel = if light {
            [214, 214, 222, 255]
        } else {
            [196, 196, 206, 255]
        };
    }
    for (index, cell) in cells.iter().enumerate() {
        let mut reader = png::Decoder::new(std::io::Cursor::new(cell))
            .read_info()
            .expect("is a PNG");
        let mut rgba = vec![0; reader.output_buffer_size().expect("fits")];
        reader.next_frame(&mut rgba).expect("decodes");
        for (at, pixel) in rgba
            .chunks_exact(4)
            .enumerate()
            .filter(|(_, pixel)| pixel[3] > 0)
        {
            let (x, y) = (
                (index % columns * side + at % side) * zoom,
                (index / columns * side + at / side) * zoom,
            );
            for down in 0..zoom {
                for across in 0..zoom {
                    sheet[(y + down) * width + x + across].copy_from_slice(pixel);
                }
            }
        }
    }
    let file = std::fs::File::create(&out).expect("the file can be written");
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgba);
    encoder
        .write_header()
        .expect("header")
        .write_image_data(sheet.as_flattened())
        .expect("pixels");
}
