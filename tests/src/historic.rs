//! A history as the old dashboard and its server left it: the format, and what years of use put
//! into it.
//!
//! Every seventh job finished with a data URL for its `result`, every other kind of job recurs
//! as often; pictures are real PNGs. Among them stand a label that two jobs claim, a run that
//! never ended, fields that nobody knows and fields that are not there.
//!
//! **Invariant:** the same number of jobs gives the same history.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// The job that says `running` and has not been since the old server stopped.
pub const STALE: &str = "job-9";

/// The label that two jobs claim.
pub const TWICE: &str = "job-5";

/// When the first job was made, in milliseconds since the Unix epoch.
const BEGAN: u64 = 1_650_000_000_000;

/// Between two jobs, in milliseconds.
const PACE: u64 = 61_337;

/// What the old server wrote as `savedAt`.
const SAVED_AT: &str = "2024-05-06T07:08:09Z";

/// A history of `jobs` jobs, at least 20.
#[must_use]
pub fn history(jobs: u64) -> Value {
    let mut list: Vec<Value> = (1..=jobs)
        .map(|number| Value::Object(job(number)))
        .collect();
    // Two browsers gave the same number once; the later job stands elsewhere in the list.
    list[12]["id"] = json!(TWICE);
    json!({"version": "1.0", "savedAt": SAVED_AT, "lastJobId": jobs + 1, "jobs": list})
}

/// The history as it is shown: the later of two jobs with one label has another (D7).
#[must_use]
pub fn shown(history: &Value) -> Value {
    let mut shown = history.clone();
    shown["jobs"][12]["id"] = json!(format!("{TWICE}-2"));
    shown
}

fn job(number: u64) -> Map<String, Value> {
    let created = BEGAN + number * PACE;
    let prompt = prompt(number);
    let (width, height) = (16 + number % 5 * 12, 16 + number % 7 * 8);
    let seed = seed(number);
    let mut job = Map::from_iter([
        ("id".to_owned(), json!(format!("job-{number}"))),
        ("prompt".to_owned(), json!(prompt)),
        ("width".to_owned(), json!(width)),
        ("height".to_owned(), json!(height)),
        ("seed".to_owned(), seed.clone()),
    ]);
    let ran = |status: &str, result: Value, error: Value| {
        json!({"status": status, "result": result, "error": error,
            "startTime": created + 250, "endTime": created + 5_375, "duration": 5.125})
    };
    let picture = data_url(&png(number, width, height));
    let run = match number % 7 {
        0 => ran("success", json!(picture), Value::Null),
        1 | 2 => {
            let mut object = result(&prompt, width, height, &seed);
            object["image_data_url"] = json!(picture);
            ran("success", object, Value::Null)
        }
        // The fifth and twelfth kind: rotations of the job before.
        5 => {
            let from = format!("job-{}", number - 1);
            job.insert("isRotation".to_owned(), json!(true));
            job.insert(
                "rotationData".to_owned(),
                json!({"sourceJobId": from, "imageDataUrl": picture, "toDirection": "north-west", "fromDirection": "south"}),
            );
            ran(
                "success",
                json!(data_url(&png(number + 1, height, width))),
                Value::Null,
            )
        }
        4 => {
            let mut object = result(&prompt, width, height, &seed);
            object["status"] = json!("fail");
            object["error_message"] = json!("Rate limit \"exceeded\"\nretry in 30 s");
            ran(
                "error",
                object,
                json!("Rate limit \"exceeded\"\nretry in 30 s"),
            )
        }
        _ => {
            json!({"status": "idle", "result": null, "error": null, "startTime": null, "endTime": null, "duration": null})
        }
    };
    if let Value::Object(run) = run {
        job.extend(run);
    }
    job.insert("createdAt".to_owned(), json!(created));
    peculiar(number, &mut job);
    job
}

/// What only some jobs have, or lack.
fn peculiar(number: u64, job: &mut Map<String, Value>) {
    let mut set = |name: &str, value: Value| job.insert(name.to_owned(), value);
    match number {
        9 => {
            set("status", json!("running"));
            set("startTime", json!(BEGAN + 9 * PACE + 10));
        }
        10 => drop(set("status", json!("queued"))),
        // Written by a Python server: floats with nothing behind the point, small and large ones.
        14 => drop(set("duration", json!(12.0))),
        16 => drop(set(
            "measures",
            json!([
                1e300,
                -2.5e-7,
                0.1,
                u64::MAX,
                i64::MIN,
                9_007_199_254_740_993_u64,
                1.0
            ]),
        )),
        17 => drop(set(
            "nested",
            json!({"a": {"b": [[], {}, [{"c": null}]]}, "": "no name", "with space": false}),
        )),
        // Not what they claim to be: texts, and they stay what they are.
        21 => drop(set("result", json!("data:image/png;base64,not base64"))),
        22 => drop(set("result", json!("data:image/svg+xml;base64,PHN2Zy8+"))),
        23 => drop(set(
            "note",
            json!(format!("blob:sha256-{}", "ab".repeat(32))),
        )),
        24 => drop(set("note", json!("data:image/png;base64,"))),
        _ => {}
    }
    let lacks = match number % 50 {
        18 => "seed",
        19 => "error",
        31 => "width",
        32 => "duration",
        33 => "createdAt",
        34 => "prompt",
        35 => "result",
        _ => return,
    };
    job.remove(lacks);
    job.insert("tags".to_owned(), json!(["old", number, null]));
}

fn prompt(number: u64) -> String {
    match number % 11 {
        0 => format!("<img src=x onerror=alert({number})> & \"quotes\" \\ back"),
        1 => format!("ein Ritter, größer als {number} 🐉\u{200d}🔥"),
        2 => format!("two\nlines\tand\u{2028}a separator, {number}"),
        3 => "data:image/png;base64,iVBORw0KGgo=".to_owned(),
        4 => String::new(),
        _ => format!("a heroic knight, number {number}"),
    }
}

fn seed(number: u64) -> Value {
    match number % 5 {
        0 => Value::Null,
        1 => json!("0042"),
        2 => json!("lucky seven"),
        3 => json!("-17"),
        _ => json!(number.to_string()),
    }
}

fn result(prompt: &str, width: u64, height: u64, seed: &Value) -> Value {
    json!({"status": "success", "prompt": prompt, "width": width, "height": height, "duration": 5.125,
        "timestamp": "2024-05-06T07:08:09.123456", "image_path": "generated/knight.png", "image_data_url": null,
        "seed": seed, "error_message": null})
}

/// A picture of its own for each number.
fn png(number: u64, width: u64, height: u64) -> Vec<u8> {
    let mut chance = Chance::new(number);
    let side = |pixels: u64| u32::try_from(pixels).expect("a small picture");
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(width), side(height));
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("a header in memory");
    let colours: Vec<[u8; 8]> = (0..5).map(|_| chance.draw().to_le_bytes()).collect();
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|_| {
            let at = usize::try_from(chance.below(5)).expect("below 5");
            [colours[at][0], colours[at][1], colours[at][2], 255]
        })
        .collect();
    writer.write_image_data(&pixels).expect("all pixels");
    writer.finish().expect("an end in memory");
    bytes
}

/// A picture of its own for each number, as a job holds it.
#[must_use]
pub fn picture(number: u64) -> String {
    data_url(&png(number, 24, 24))
}

fn data_url(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_holds_what_it_promises() {
        let history = history(1000);
        assert_eq!(history, super::history(1000), "the same each time");
        let jobs = history["jobs"].as_array().expect("a list");
        let count = |holds: fn(&Value) -> bool| jobs.iter().filter(|job| holds(job)).count();
        assert_eq!(jobs.len(), 1000);
        assert_eq!(count(|job| job["status"] == "running"), 1);
        assert_eq!(count(|job| job["id"] == TWICE), 2);
        assert!(count(|job| job["result"].is_string()) > 200);
        assert!(count(|job| job["result"]["image_data_url"].is_string()) > 200);
        assert!(count(|job| job["isRotation"] == true) > 100);
        assert!(count(|job| job.get("tags").is_some()) > 100);
    }
}
