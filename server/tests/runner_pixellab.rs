//! The PixelLab generator against a stand-in on this machine. Nothing here reaches the real service.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/stand_in.rs"]
mod stand_in;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plainsync::runner::generator::{
    Balance, Direction, Generate as _, GenerateRequest, GeneratorError, RotateRequest,
};
use plainsync::runner::local::Local;
use plainsync::runner::pixellab::{ANSWER_BYTES_MAX, ApiKey, PixelLab, Settings};
use serde_json::json;
use stand_in::{Answer, StandIn};
use std::time::Duration;

fn settings(base_url: &str) -> Settings {
    let mut settings = Settings::new(ApiKey::new(StandIn::KEY), base_url).unwrap();
    settings.waits.first = Duration::from_millis(1);
    settings
}

fn client(stand_in: &StandIn) -> PixelLab {
    PixelLab::new(settings(&stand_in.base_url())).unwrap()
}

fn knight() -> GenerateRequest {
    GenerateRequest {
        prompt: "knight".into(),
        width: 32,
        height: 48,
        seed: Some("7".into()),
    }
}

/// The error's sentence; it never holds the key.
async fn sentence(stand_in: &StandIn, answer: Answer) -> String {
    stand_in.next(answer);
    let error = client(stand_in)
        .generate(knight())
        .await
        .unwrap_err()
        .to_string();
    assert!(!error.contains(StandIn::KEY), "{error}");
    error
}

#[tokio::test]
async fn a_picture_is_asked_for_in_pixellabs_words() {
    let stand_in = StandIn::start().await;
    let picture = client(&stand_in).generate(knight()).await.unwrap();
    assert_eq!(picture, Local::draw(&knight()).unwrap());
    let request = stand_in.requests().remove(0);
    assert_eq!(request.path, "/v1/generate-image-pixflux");
    assert_eq!(
        request.authorization.unwrap(),
        format!("Bearer {}", StandIn::KEY)
    );
    let expected = json!({
        "description": "knight", "image_size": {"width": 32, "height": 48}, "negative_description": "",
        "text_guidance_scale": 8.0, "no_background": true, "seed": 7,
    });
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn no_seed_is_no_seed() {
    let stand_in = StandIn::start().await;
    client(&stand_in)
        .generate(GenerateRequest {
            seed: None,
            ..knight()
        })
        .await
        .unwrap();
    assert!(stand_in.requests()[0].body.get("seed").is_none());
}

#[tokio::test]
async fn a_rotation_sends_the_picture_and_both_directions() {
    let stand_in = StandIn::start().await;
    let image = Local::draw(&knight()).unwrap().bytes;
    let request = RotateRequest {
        image: image.clone(),
        to_direction: Direction::NorthEast,
        from_direction: Direction::South,
        width: 32,
        height: 48,
    };
    let picture = client(&stand_in).rotate(request.clone()).await.unwrap();
    assert_eq!(picture, Local::turn(&request).unwrap());
    let body = stand_in.requests().remove(0).body;
    assert_eq!(body["from_image"]["base64"], STANDARD.encode(&image));
    assert_eq!(
        (&body["from_direction"], &body["to_direction"]),
        (&json!("south"), &json!("north-east"))
    );
    assert_eq!(body["image_guidance_scale"], 3.0);
}

#[tokio::test]
async fn what_is_no_picture_is_not_sent_to_be_turned() {
    let stand_in = StandIn::start().await;
    let request = RotateRequest {
        image: b"<svg/>".to_vec(),
        to_direction: Direction::East,
        from_direction: Direction::South,
        width: 32,
        height: 32,
    };
    let error = client(&stand_in).rotate(request).await.unwrap_err();
    assert!(matches!(error, GeneratorError::BadImage { .. }), "{error}");
    assert!(stand_in.requests().is_empty());
}

#[tokio::test]
async fn the_balance_is_told_or_the_reason_why_not() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    assert_eq!(
        client.balance().await,
        Balance::Known {
            usd: 4.25,
            kind: "usd".into()
        }
    );
    stand_in.next(Answer::status(200, json!({})));
    assert_eq!(
        client.balance().await,
        Balance::Failed {
            message: "PixelLab's answer names no balance".into()
        }
    );
    stand_in.next(Answer::status(401, json!({"detail": "Invalid token"})));
    let Balance::Failed { message } = client.balance().await else {
        panic!("no failure")
    };
    assert!(
        message.starts_with("PixelLab refused the API key (Invalid token)"),
        "{message}"
    );
}

#[tokio::test]
async fn refusals_become_plain_sentences() {
    let stand_in = StandIn::start().await;
    for (status, body, expected) in [
        (
            401,
            json!({"detail": format!("Invalid token {}", StandIn::KEY)}),
            "PixelLab refused the API key (Invalid token …); check PIXELLAB_API_KEY and restart the server",
        ),
        (
            402,
            json!({"detail": "Insufficient credits"}),
            "the PixelLab account has no credit left (Insufficient credits); top it up and run the job again",
        ),
        (
            422,
            json!({"detail": [{"loc": ["body", "image_size", "width"], "msg": "must be at most 400"}]}),
            "PixelLab did not accept the request: image_size.width: must be at most 400",
        ),
        (
            500,
            json!({}),
            "PixelLab failed with status 500 (it gave no reason); whether it made a picture is unknown, so it was not asked again",
        ),
        (
            503,
            json!({"detail": "maintenance"}),
            "PixelLab failed with status 503 (maintenance); whether it made a picture is unknown, so it was not asked again",
        ),
    ] {
        assert_eq!(
            sentence(&stand_in, Answer::status(status, body)).await,
            expected
        );
    }
    // Each was asked once: none of these may be repeated.
    assert_eq!(stand_in.requests().len(), 5);
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let stand_in = StandIn::start().await;
    let client =
        PixelLab::new(Settings::new(ApiKey::new("wrong-key"), &stand_in.base_url()).unwrap())
            .unwrap();
    let error = client.generate(knight()).await.unwrap_err().to_string();
    assert!(
        error.starts_with("PixelLab refused the API key") && !error.contains("wrong-key"),
        "{error}"
    );
}

#[tokio::test]
async fn busy_is_waited_for_as_long_as_it_asks() {
    let stand_in = StandIn::start().await;
    stand_in.next(Answer::busy("0"));
    stand_in.next(Answer::busy("Thu, 01 Jan 1970 00:00:00 GMT"));
    stand_in.next(Answer::Status {
        status: 429,
        retry_after: None,
        body: b"slow down".to_vec(),
    });
    assert!(client(&stand_in).generate(knight()).await.is_ok());
    assert_eq!(stand_in.requests().len(), 4);
}

#[tokio::test]
async fn busy_for_an_hour_ends_the_job_at_once() {
    let stand_in = StandIn::start().await;
    let error = sentence(&stand_in, Answer::busy("3600")).await;
    assert_eq!(
        error,
        "PixelLab is busy and asks to wait 3600 s; run the job again later"
    );
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn busy_for_ever_ends_the_job_after_a_few_times() {
    let stand_in = StandIn::start().await;
    for _ in 0..4 {
        stand_in.next(Answer::busy("0"));
    }
    let error = sentence(&stand_in, Answer::busy("0")).await;
    assert_eq!(
        error,
        "PixelLab is busy and asks to wait 0 s; run the job again later"
    );
    assert_eq!(stand_in.requests().len(), 5);
}

/// A port of this machine where nothing listens.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_refused_connection_says_that_nothing_was_sent() {
    let settings = settings(&format!("http://127.0.0.1:{}/v1", free_port()));
    let error = PixelLab::new(settings)
        .unwrap()
        .generate(knight())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("PixelLab cannot be reached at 127.0.0.1:")
            && error.ends_with("; nothing was sent"),
        "{error}"
    );
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let port = free_port();
    let mut settings = settings(&format!("http://127.0.0.1:{port}/v1"));
    settings.waits.first = Duration::from_millis(500);
    let client = PixelLab::new(settings).unwrap();
    let (picture, stand_in) = tokio::join!(client.generate(knight()), StandIn::start_at(port));
    assert!(picture.is_ok(), "{picture:?}");
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn no_answer_in_time_is_never_asked_again() {
    let stand_in = StandIn::start().await;
    stand_in.next(Answer::Hang);
    let mut settings = settings(&stand_in.base_url());
    settings.answer_max = Duration::from_millis(300);
    let error = PixelLab::new(settings)
        .unwrap()
        .generate(knight())
        .await
        .unwrap_err();
    assert!(matches!(error, GeneratorError::TimedOut { .. }), "{error}");
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn a_cut_answer_is_never_asked_again() {
    let stand_in = StandIn::start().await;
    let error = sentence(&stand_in, Answer::Cut).await;
    assert!(
        error.starts_with("the connection to PixelLab broke before its answer was complete"),
        "{error}"
    );
    assert_eq!(stand_in.requests().len(), 1);
}

#[tokio::test]
async fn answers_that_promise_too_much_or_nothing_are_refused() {
    let stand_in = StandIn::start().await;
    let endless = sentence(&stand_in, Answer::Endless).await;
    assert_eq!(
        endless,
        format!("PixelLab's answer cannot be used: it is longer than {ANSWER_BYTES_MAX} bytes")
    );
    let html = Answer::Status {
        status: 200,
        retry_after: None,
        body: b"<html>".to_vec(),
    };
    assert_eq!(
        sentence(&stand_in, html).await,
        "PixelLab's answer cannot be used: it is no JSON (line 1, column 1)"
    );
    let svg = Answer::status(
        200,
        json!({"image": {"type": "base64", "base64": STANDARD.encode("<svg onload='x()'/>")}}),
    );
    assert_eq!(
        sentence(&stand_in, svg).await,
        "PixelLab's answer cannot be used: its image is no PNG, JPEG, WebP or GIF"
    );
    let redirect = Answer::Status {
        status: 302,
        retry_after: None,
        body: Vec::new(),
    };
    assert!(
        sentence(&stand_in, redirect)
            .await
            .starts_with("PixelLab failed with status 302")
    );
}
