//! The generator that asks PixelLab's HTTP API.
//!
//! ```no_run
//! use plainsync::runner::pixellab::{PixelLab, Settings};
//! let settings = Settings::from_environment()?.expect("PIXELLAB_API_KEY is set");
//! let generator = PixelLab::new(settings)?;
//! # Ok::<(), plainsync::runner::generator::GeneratorError>(())
//! ```
//!
//! A request is repeated only when it is certain that nothing was made: the connection was
//! refused, or the service said to wait (429). After a time-out or a broken connection a picture
//! may have been made and paid for, so the job ends with an error that says so.
//!
//! **Invariant:** the key is sent to the configured host and nowhere else: redirects are not
//! followed, and no log line, error or debug output holds it.

mod answer;
mod settings;

pub use settings::{ApiKey, Settings, Waits};

use super::generator::{
    Balance, Generate, GenerateRequest, GeneratorError, Picture, RotateRequest,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{BoxFuture, FutureExt as _};
use plainsync_core::blob::{Mime, sniff};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::error::Error as _;
use std::sync::Once;
use std::time::{Duration, Instant};

/// Most bytes of an answer that are read: an image of the largest size kept, as base64 in JSON.
pub const ANSWER_BYTES_MAX: usize = 12 * 1024 * 1024;

/// How closely a picture follows its description; PixelLab's own default.
const TEXT_GUIDANCE_SCALE: f64 = 8.0;

/// How closely a turned picture follows its source; PixelLab's own default.
const IMAGE_GUIDANCE_SCALE: f64 = 3.0;

/// From where figures are seen; PixelLab requires both views of a rotation.
const VIEW: &str = "side";

/// A connection to PixelLab's API.
pub struct PixelLab {
    client: Client,
    settings: Settings,
    authorization: HeaderValue,
}

impl PixelLab {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`GeneratorError::Unusable`] when the key cannot be sent in a header or no TLS
    /// certificates are found.
    pub fn new(settings: Settings) -> Result<PixelLab, GeneratorError> {
        install_tls_provider();
        let unusable = |detail: &str| GeneratorError::Unusable {
            detail: detail.to_owned(),
        };
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", settings.key.secret()))
            .map_err(|_| unusable("PIXELLAB_API_KEY holds characters that no key has"))?;
        authorization.set_sensitive(true);
        let mut builder = Client::builder()
            .connect_timeout(settings.connect_max)
            .timeout(settings.answer_max)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A kept connection may be closed under a request, and its outcome be unknown.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("plainsync/", env!("CARGO_PKG_VERSION")));
        if settings.is_loopback() {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| unusable(&causes(error)))?;
        Ok(PixelLab {
            client,
            settings,
            authorization,
        })
    }

    async fn picture(&self, path: &str, body: Value) -> Result<Picture, GeneratorError> {
        let answer = self.ask(Method::POST, path, Some(body)).await?;
        answer::picture(&answer)
    }

    /// Sends one request, again only where [`PixelLab`] says so, and returns the answer's JSON.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, GeneratorError> {
        let started = Instant::now();
        let mut waits = self.settings.waits.clone();
        loop {
            let outcome = self.ask_once(&method, path, body.as_ref()).await;
            let (wait, error) = match outcome {
                Err(Failed::Refused(error)) => (waits.after_refusal(), error),
                Err(Failed::Busy(asked)) => (
                    waits.after_busy(asked),
                    GeneratorError::Busy {
                        wait_s: asked.map(|wait| wait.as_secs()),
                    },
                ),
                Err(Failed::Final(error)) => (None, error),
                Ok(answer) => {
                    tracing::debug!(
                        path,
                        ms = started.elapsed().as_millis(),
                        "PixelLab answered"
                    );
                    return Ok(answer);
                }
            };
            let Some(wait) = wait else {
                tracing::warn!(path, ms = started.elapsed().as_millis(), %error, "PixelLab gave no picture");
                return Err(error);
            };
            tracing::info!(path, wait_ms = wait.as_millis(), %error, "asking PixelLab again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn ask_once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failed> {
        let mut request = self
            .client
            .request(method.clone(), self.settings.url(path))
            .header(AUTHORIZATION, self.authorization.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unsent_or_unknown(error))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failed::Busy(retry_after(&response)));
        }
        let bytes = self.read(response).await?;
        if !status.is_success() {
            let detail = answer::complaint(&bytes, self.settings.key.secret());
            return Err(Failed::Final(refusal(status, detail)));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            Failed::Final(GeneratorError::BadAnswer {
                detail: format!(
                    "it is no JSON (line {}, column {})",
                    error.line(),
                    error.column()
                ),
            })
        })
    }

    /// The body, up to [`ANSWER_BYTES_MAX`].
    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Failed> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unsent_or_unknown(error))?
        {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                let detail = format!("it is longer than {ANSWER_BYTES_MAX} bytes");
                return Err(Failed::Final(GeneratorError::BadAnswer { detail }));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn unsent_or_unknown(&self, error: reqwest::Error) -> Failed {
        if error.is_connect() {
            let host = self.settings.host();
            let refused = is_refused(&error);
            let error = GeneratorError::Unreachable {
                host,
                detail: causes(error),
            };
            return if refused {
                Failed::Refused(error)
            } else {
                Failed::Final(error)
            };
        }
        if error.is_timeout() {
            return Failed::Final(GeneratorError::TimedOut {
                limit_s: self.settings.answer_max.as_secs(),
            });
        }
        Failed::Final(GeneratorError::Broken {
            detail: causes(error),
        })
    }
}

/// How one attempt failed, as far as trying again is concerned.
enum Failed {
    /// Nothing was listening: nothing was sent.
    Refused(GeneratorError),
    /// 429: nothing was made. With the time to wait, when the service said one.
    Busy(Option<Duration>),
    /// Anything else.
    Final(GeneratorError),
}

fn refusal(status: StatusCode, detail: String) -> GeneratorError {
    match status.as_u16() {
        401 | 403 => GeneratorError::KeyRefused { detail },
        402 => GeneratorError::NoCredit { detail },
        400 | 404 | 405 | 413 | 415 | 422 => GeneratorError::NotAccepted { detail },
        status => GeneratorError::Status { status, detail },
    }
}

/// `Retry-After`, as seconds or as a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let when = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let seconds = when.as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() == std::io::ErrorKind::ConnectionRefused;
        }
        cause = error.source();
    }
    false
}

/// The innermost cause in words; never the address, which might hold a password.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

/// reqwest is built without a TLS provider of its own: ring serves the whole program.
fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that another part of the program was first, with the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// PixelLab's seeds are whole numbers; ours are texts. A number stays the number that it is.
fn seed_number(seed: &str) -> u32 {
    seed.parse()
        .ok()
        .filter(|number| *number <= SEED_MAX)
        .unwrap_or_else(|| {
            let hash = Sha256::digest(seed.as_bytes());
            u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]) & SEED_MAX
        })
}

/// Largest seed: the service reads a signed 32-bit number.
const SEED_MAX: u32 = 0x7fff_ffff;

impl Generate for PixelLab {
    fn name(&self) -> &'static str {
        "pixellab"
    }

    fn has_key(&self) -> bool {
        true
    }

    fn generate(&self, request: GenerateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        let mut body = json!({
            "description": request.prompt,
            "image_size": {"width": request.width, "height": request.height},
            "negative_description": "",
            "text_guidance_scale": TEXT_GUIDANCE_SCALE,
            "no_background": true,
        });
        if let Some(seed) = request.seed {
            body["seed"] = seed_number(&seed).into();
        }
        self.picture("generate-image-pixflux", body).boxed()
    }

    fn rotate(&self, request: RotateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        async move {
            let mime = sniff(&request.image).ok_or_else(|| GeneratorError::BadImage {
                detail: "it is no PNG, JPEG, WebP or GIF file".to_owned(),
            })?;
            let format = match mime {
                Mime::Png => "png",
                Mime::Jpeg => "jpeg",
                Mime::Webp => "webp",
                Mime::Gif => "gif",
            };
            let body = json!({
                "image_size": {"width": request.width, "height": request.height},
                "from_image": {"type": "base64", "base64": STANDARD.encode(&request.image), "format": format},
                "from_view": VIEW,
                "to_view": VIEW,
                "from_direction": request.from_direction.name(),
                "to_direction": request.to_direction.name(),
                "image_guidance_scale": IMAGE_GUIDANCE_SCALE,
            });
            self.picture("rotate", body).await
        }
        .boxed()
    }

    fn balance(&self) -> BoxFuture<'_, Balance> {
        async {
            match self.ask(Method::GET, "balance", None).await {
                Ok(answer) => answer::balance(&answer),
                Err(error) => Balance::Failed {
                    message: error.to_string(),
                },
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_in_words_become_stable_numbers() {
        assert_eq!(seed_number("42"), 42);
        assert_eq!(seed_number("2147483647"), SEED_MAX);
        assert_eq!(seed_number("cafe"), seed_number("cafe"));
        assert_ne!(seed_number("cafe"), seed_number("Cafe"));
        for seed in ["-1", "4294967295", "99999999999999", "1.5", "λ"] {
            assert!(seed_number(seed) <= SEED_MAX, "{seed}");
        }
    }
}
