//! Where PixelLab is, with which key, and how long to wait for it.

use super::super::generator::GeneratorError;
use reqwest::Url;
use std::fmt;
use std::time::Duration;

/// The service's public address.
pub(super) const BASE_URL: &str = "https://api.pixellab.ai/v1";

/// Names of the environment variables (or lines of `.env`).
const KEY_VARIABLE: &str = "PIXELLAB_API_KEY";
const BASE_URL_VARIABLE: &str = "PIXELLAB_BASE_URL";

/// A key whose text is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes the key as it is.
    #[must_use]
    pub fn new(text: impl Into<String>) -> ApiKey {
        ApiKey(text.into())
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Everything [`PixelLab`](super::PixelLab) needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account's key.
    pub key: ApiKey,
    base: Url,
    /// Longest time to connect.
    pub connect_max: Duration,
    /// Longest time from asking to the last byte of the answer.
    pub answer_max: Duration,
    /// How often and how long to wait before asking again.
    pub waits: Waits,
}

impl Settings {
    /// The usual waits, for this key at this address.
    ///
    /// # Errors
    ///
    /// [`GeneratorError::Unusable`] when `base_url` is no address, or would send the key
    /// unencrypted to another machine.
    pub fn new(key: ApiKey, base_url: &str) -> Result<Settings, GeneratorError> {
        let unusable = |detail: String| GeneratorError::Unusable { detail };
        // The text is not repeated: somebody may have put a password into it.
        let base = Url::parse(base_url.trim_end_matches('/'))
            .ok()
            .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
            .filter(|url| {
                url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none()
            })
            .ok_or_else(|| {
                unusable(format!(
                    "{BASE_URL_VARIABLE} is no address such as {BASE_URL}"
                ))
            })?;
        let settings = Settings {
            key,
            base,
            connect_max: Duration::from_secs(10),
            answer_max: Duration::from_secs(180),
            waits: Waits::default(),
        };
        if settings.base.scheme() == "http" && !settings.is_loopback() {
            return Err(unusable(format!(
                "{BASE_URL_VARIABLE} would send the key unencrypted to another machine; use https"
            )));
        }
        Ok(settings)
    }

    /// From `PIXELLAB_API_KEY` and `PIXELLAB_BASE_URL`; `None` when no key is set.
    ///
    /// # Errors
    ///
    /// As [`Settings::new`].
    pub fn from_environment() -> Result<Option<Settings>, GeneratorError> {
        let read = |name: &str| {
            std::env::var(name)
                .ok()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let Some(key) = read(KEY_VARIABLE) else {
            return Ok(None);
        };
        let base = read(BASE_URL_VARIABLE);
        Settings::new(ApiKey::new(key), base.as_deref().unwrap_or(BASE_URL)).map(Some)
    }

    /// Whether the address is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        match self.base.host_str() {
            Some("localhost") => true,
            Some(host) => host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback()),
            None => false,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Host and port for messages.
    pub(super) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

/// What remains of the patience with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// How often to ask again after 429.
    pub busy_times: u32,
    /// How often to ask again after a refused connection.
    pub refused_times: u32,
    /// The first wait when the service names none; doubled each time.
    pub first: Duration,
    /// Longest wait, all waits of one request together.
    pub total_max: Duration,
}

impl Default for Waits {
    fn default() -> Waits {
        Waits {
            busy_times: 4,
            refused_times: 2,
            first: Duration::from_secs(1),
            total_max: Duration::from_secs(90),
        }
    }
}

impl Waits {
    /// How long to wait after a 429 that asked for `asked`; `None`: give up.
    pub(super) fn after_busy(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.busy_times = self.busy_times.checked_sub(1)?;
        self.spend(asked)
    }

    /// How long to wait after a refused connection; `None`: give up.
    pub(super) fn after_refusal(&mut self) -> Option<Duration> {
        self.refused_times = self.refused_times.checked_sub(1)?;
        self.spend(None)
    }

    fn spend(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = asked.unwrap_or(self.first);
        self.first *= 2;
        self.total_max = self.total_max.checked_sub(wait)?;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_never_shown() {
        let settings = Settings::new(ApiKey::new("secret-key"), BASE_URL).expect("usable");
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn the_key_goes_unencrypted_to_this_machine_only() {
        let usable = |url: &str| Settings::new(ApiKey::new("k"), url).is_ok();
        for url in [
            BASE_URL,
            "https://api.pixellab.ai/v1/",
            "http://127.0.0.1:9/v1",
            "http://localhost:9",
            "http://[::1]:9/v1",
        ] {
            assert!(usable(url), "{url}");
        }
        for url in [
            "",
            "pixellab",
            "file:///etc",
            "http://pixellab.ai/v1",
            "https://user:pw@pixellab.ai",
            "https://pixellab.ai/?a=b",
            "http://127.0.0.1.evil.example/",
        ] {
            assert!(!usable(url), "{url}");
        }
        let error = Settings::new(ApiKey::new("k"), "ftp://me:secret@x").expect_err("refused");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn patience_has_an_end() {
        let mut waits = Waits {
            busy_times: 2,
            refused_times: 1,
            first: Duration::from_secs(1),
            total_max: Duration::from_secs(10),
        };
        assert_eq!(
            waits.clone().after_busy(Some(Duration::from_secs(3600))),
            None
        );
        assert_eq!(waits.after_busy(None), Some(Duration::from_secs(1)));
        assert_eq!(waits.after_busy(None), Some(Duration::from_secs(2)));
        assert_eq!(waits.after_busy(None), None);
        assert_eq!(waits.after_refusal(), Some(Duration::from_secs(4)));
        assert_eq!(waits.after_refusal(), None);
    }
}
