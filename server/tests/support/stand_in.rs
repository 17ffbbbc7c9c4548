//! A stand-in for PixelLab: speaks its HTTP API on this machine, draws with the embedded
//! generator, and fails as asked.
//!
//! ```ignore
//! let stand_in = StandIn::start().await;
//! stand_in.next(Answer::status(402, json!({"detail": "no credit"})));
//! // … ask it at stand_in.base_url() with StandIn::KEY …
//! assert_eq!(stand_in.requests().len(), 1);
//! ```
#![allow(dead_code, reason = "each test file uses another part")]
#![allow(clippy::unwrap_used, reason = "test support")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plainsync::runner::generator::{Direction, GenerateRequest, RotateRequest};
use plainsync::runner::local::Local;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// What the stand-in does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// What PixelLab would do.
    Work,
    /// This status and body.
    Status {
        status: u16,
        retry_after: Option<String>,
        body: Vec<u8>,
    },
    /// No answer, ever.
    Hang,
    /// A good status and half of a body, then the connection breaks.
    Cut,
    /// A body without end.
    Endless,
}

impl Answer {
    pub(crate) fn status(status: u16, body: Value) -> Answer {
        Answer::Status {
            status,
            retry_after: None,
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn busy(retry_after: &str) -> Answer {
        Answer::Status {
            status: 429,
            retry_after: Some(retry_after.to_owned()),
            body: Vec::new(),
        }
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Inner {
    script: Mutex<VecDeque<Answer>>,
    received: Mutex<Vec<Received>>,
}

/// The running stand-in; it stops when dropped.
pub(crate) struct StandIn {
    port: u16,
    inner: Arc<Inner>,
    task: tokio::task::JoinHandle<()>,
}

impl StandIn {
    /// The only key it accepts.
    pub(crate) const KEY: &str = "stand-in-key";

    /// Listens on a free port.
    pub(crate) async fn start() -> StandIn {
        StandIn::start_at(0).await
    }

    /// Listens on this port of the loopback address.
    pub(crate) async fn start_at(port: u16) -> StandIn {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner::default());
        let router = Router::new().fallback(handle).with_state(inner.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        StandIn { port, inner, task }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Decides the next answer that is not decided yet; after that it works normally.
    pub(crate) fn next(&self, answer: Answer) {
        self.inner.script.lock().unwrap().push_back(answer);
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap().clone()
    }

    /// Runs until the process ends.
    pub(crate) async fn forever(mut self) {
        (&mut self.task).await.unwrap();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn handle(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned());
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let received = Received {
        method,
        path: uri.path().to_owned(),
        authorization,
        body,
    };
    inner.received.lock().unwrap().push(received.clone());
    let answer = inner
        .script
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Answer::Work);
    match answer {
        Answer::Work => work(&received),
        Answer::Status {
            status,
            retry_after,
            body,
        } => {
            let mut builder = Response::builder()
                .status(status)
                .header(header::CONTENT_TYPE, "application/json");
            if let Some(wait) = retry_after {
                builder = builder.header(header::RETRY_AFTER, wait);
            }
            builder.body(body.into()).unwrap()
        }
        Answer::Hang => std::future::pending().await,
        Answer::Cut => {
            let cut = futures_util::stream::iter([
                Ok(Bytes::from("{\"image\":")),
                Err(std::io::Error::other("cut")),
            ]);
            Response::new(Body::from_stream(cut))
        }
        Answer::Endless => {
            let block = Bytes::from(vec![b' '; 64 * 1024]);
            Response::new(Body::from_stream(futures_util::stream::repeat_with(
                move || Ok::<_, Infallible>(block.clone()),
            )))
        }
    }
}

fn reply(status: u16, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into())
        .unwrap()
}

fn work(request: &Received) -> Response {
    if request.authorization.as_deref() != Some(&format!("Bearer {}", StandIn::KEY)) {
        return reply(401, &json!({"detail": "Invalid token"}));
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/v1/balance") => reply(200, &json!({"type": "usd", "usd": 4.25})),
        ("POST", "/v1/generate-image-pixflux") => generate(&request.body),
        ("POST", "/v1/rotate") => rotate(&request.body),
        _ => reply(404, &json!({"detail": "Not Found"})),
    }
}

fn sides(body: &Value) -> Result<(u32, u32), Box<Response>> {
    let side = |name: &str| {
        body["image_size"][name]
            .as_u64()
            .and_then(|side| u32::try_from(side).ok())
    };
    match (side("width"), side("height")) {
        (Some(width @ 16..=400), Some(height @ 16..=400)) => Ok((width, height)),
        _ => Err(Box::new(reply(
            422,
            &json!({"detail": [{"loc": ["body", "image_size"], "msg": "sides must be 16 to 400", "type": "value_error"}]}),
        ))),
    }
}

fn picture(bytes: &[u8]) -> Response {
    let image = json!({"type": "base64", "base64": STANDARD.encode(bytes), "format": "png"});
    reply(
        200,
        &json!({"image": image, "usage": {"type": "usd", "usd": 0.01}}),
    )
}

fn generate(body: &Value) -> Response {
    let (width, height) = match sides(body) {
        Ok(sides) => sides,
        Err(refusal) => return *refusal,
    };
    let Some(prompt) = body["description"].as_str() else {
        return reply(
            422,
            &json!({"detail": [{"loc": ["body", "description"], "msg": "field required", "type": "missing"}]}),
        );
    };
    let seed = body["seed"].as_u64().map(|seed| seed.to_string());
    picture(
        &Local::draw(&GenerateRequest {
            prompt: prompt.to_owned(),
            width,
            height,
            seed,
        })
        .unwrap()
        .bytes,
    )
}

fn rotate(body: &Value) -> Response {
    let (width, height) = match sides(body) {
        Ok(sides) => sides,
        Err(refusal) => return *refusal,
    };
    let direction = |name: &str| body[name].as_str().and_then(Direction::from_name);
    let image = body["from_image"]["base64"]
        .as_str()
        .and_then(|text| STANDARD.decode(text).ok());
    let (Some(image), Some(from_direction), Some(to_direction)) = (
        image,
        direction("from_direction"),
        direction("to_direction"),
    ) else {
        return reply(
            422,
            &json!({"detail": [{"loc": ["body"], "msg": "field required", "type": "missing"}]}),
        );
    };
    picture(
        &Local::turn(&RotateRequest {
            image,
            to_direction,
            from_direction,
            width,
            height,
        })
        .unwrap()
        .bytes,
    )
}
