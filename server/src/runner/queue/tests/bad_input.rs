//! Jobs that cannot be performed, and rotations.

use super::super::super::generator::{Direction, GenerateRequest};
use super::super::super::local::Local;
use super::super::sentences;
use super::support::{HERE, Scene, key, knight};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plainsync_core::edit::Edit;
use serde_json::{Value, json};

/// What this job's error says, and that no generator was asked.
async fn error_of(job: Value) -> String {
    let scene = Scene::new(1_000);
    let _queue = scene.queue(1);
    scene.desk.adds(1, job, HERE);
    scene.desk.until(1, "error").await;
    assert!(scene.asked().is_empty() && scene.studio.turned.lock().unwrap().is_empty());
    assert!(scene.desk.job(1)["result"].is_null() && scene.desk.job(1)["endTime"].is_u64());
    scene.desk.error(1)
}

#[tokio::test]
async fn wrong_parameters_become_the_jobs_error() {
    for (width, found) in [
        (json!(0), "0"),
        (json!(1e9), "1000000000.0"),
        (json!("64"), "the text \"64\""),
    ] {
        let error = error_of(json!({"prompt": "knight", "width": width, "height": 64})).await;
        assert_eq!(
            error,
            format!("width is {found}; allowed is a whole number from 16 to 256")
        );
    }
    let error = error_of(json!({"prompt": "", "width": 64, "height": 64})).await;
    assert_eq!(
        error,
        "prompt is empty; allowed is a text of 1 to 2000 characters"
    );
}

#[tokio::test]
async fn markup_in_a_prompt_is_a_prompt() {
    let scene = Scene::new(1_000);
    let _queue = scene.queue(1);
    scene.desk.adds(
        1,
        json!({"prompt": "<img src=x onerror=alert(1)>", "width": 16, "height": 16}),
        HERE,
    );
    scene.desk.until(1, "success").await;
}

#[tokio::test]
async fn a_generators_refusal_is_the_jobs_error() {
    for (prompt, expected) in [
        (
            "no credit",
            "the PixelLab account has no credit left (0 left); top it up and run the job again",
        ),
        ("panic", sentences::BROKE),
    ] {
        let scene = Scene::new(1_000);
        let _queue = scene.queue(1);
        scene.desk.adds(
            1,
            json!({"prompt": prompt, "width": 16, "height": 16}),
            HERE,
        );
        scene.desk.until(1, "error").await;
        assert_eq!(scene.desk.error(1), expected);
        // The queue goes on.
        scene.desk.adds(2, knight(), HERE);
        scene.desk.until(2, "success").await;
    }
}

fn sprite() -> Vec<u8> {
    Local::draw(&GenerateRequest {
        prompt: "knight".into(),
        width: 32,
        height: 48,
        seed: None,
    })
    .unwrap()
    .bytes
}

fn rotation(data: Value) -> Value {
    json!({"prompt": "knight", "isRotation": true, "rotationData": data})
}

#[tokio::test]
async fn a_rotation_turns_the_picture_that_is_named_in_any_way() {
    let scene = Scene::new(1_000);
    let _queue = scene.queue(1);
    scene.desk.adds(1, knight(), HERE);
    scene.desk.until(1, "success").await;
    let hash = scene.desk.holds(&sprite()).to_string();
    let data_url = format!("data:image/png;base64,{}", STANDARD.encode(sprite()));
    let source_key = key(1).0;
    for (number, data, side) in [
        (
            2,
            json!({"sourceJobId": "job-1", "imageDataUrl": hash, "toDirection": "east", "fromDirection": "south"}),
            32,
        ),
        (
            3,
            json!({"imageDataUrl": data_url, "toDirection": "east"}),
            32,
        ),
        (
            4,
            json!({"sourceJobId": "job-1", "toDirection": "east", "fromDirection": null}),
            16,
        ),
        (
            5,
            json!({"sourceJobId": source_key, "imageDataUrl": null, "toDirection": "east"}),
            16,
        ),
    ] {
        scene.desk.adds(number, rotation(data), HERE);
        scene.desk.until(number, "success").await;
        let request = scene.studio.turned.lock().unwrap().pop().unwrap();
        assert_eq!(
            (request.from_direction, request.to_direction),
            (Direction::South, Direction::East),
            "job {number}"
        );
        assert_eq!(request.width, side, "the picture's own size");
        assert_eq!(scene.desk.job(number)["result"]["prompt"], "knight");
    }
}

#[tokio::test]
async fn a_rotation_waits_for_a_picture_that_is_on_its_way() {
    let scene = Scene::new(1_000);
    let _queue = scene.queue(1);
    let hash = plainsync_core::blob::BlobRef::of(&sprite()).to_string();
    scene.desk.adds(
        1,
        rotation(json!({"imageDataUrl": hash, "toDirection": "north"})),
        HERE,
    );
    scene.desk.until(1, "running").await;
    scene.desk.does(Edit::Insert {
        key: key(9),
        record: serde_json::Map::new(),
        order: None,
    });
    scene.desk.holds(&sprite());
    scene.desk.until(1, "success").await;
}

#[tokio::test]
async fn wrong_rotations_become_the_jobs_error() {
    let svg = format!(
        "data:image/svg+xml;base64,{}",
        STANDARD.encode("<svg onload='alert(1)'/>")
    );
    let lying = format!(
        "data:image/png;base64,{}",
        STANDARD.encode("<svg onload='alert(1)'/>")
    );
    let allowed = "allowed is a PNG, JPEG, WebP or GIF as a data URL or its blob: reference";
    for (data, expected) in [
        (json!({"imageDataUrl": svg, "toDirection": "east"}), format!("the picture to turn is image/svg+xml; {allowed}")),
        (json!({"imageDataUrl": lying, "toDirection": "east"}), format!("the picture to turn is damaged image/png, or larger than 8388608 bytes; {allowed}")),
        (json!({"imageDataUrl": "hello", "toDirection": "east"}), format!("the picture to turn is no image; {allowed}")),
        (json!({"imageDataUrl": "hello"}), "toDirection is missing; allowed is one of south, south-east, east, north-east, north, north-west, west, south-west".to_owned()),
        (json!({"sourceJobId": "job-77", "toDirection": "east"}), "imageDataUrl is missing; allowed is a picture as a data URL or its blob: reference".to_owned()),
        (json!("job-1"), "rotationData is the text \"job-1\"; allowed is an object with imageDataUrl, toDirection and fromDirection".to_owned()),
    ] {
        assert_eq!(error_of(rotation(data)).await, expected);
    }
}

/// The embedded generator turns PNG only, and says so.
#[tokio::test]
async fn a_picture_of_another_kind_is_refused_by_the_embedded_generator() {
    let scene = Scene::new(1_000);
    let _queue = scene.queue(1);
    let gif = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
    scene.desk.adds(
        1,
        rotation(json!({"imageDataUrl": gif, "toDirection": "east"})),
        HERE,
    );
    scene.desk.until(1, "error").await;
    assert_eq!(
        scene.desk.error(1),
        "the picture cannot be turned: it is image/gif; the embedded generator turns PNG only"
    );
}
