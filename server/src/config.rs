//! What a server is told at its start, checked and in types that cannot be wrong.
//!
//! **Invariant:** a [`Token`] never shows its text, in logs or in debug output.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use crate::runner::generator::Generate;
use crate::runner::local::Local;

/// How many jobs run at once when nothing else is said.
pub const PARALLEL_JOBS_DEFAULT: NonZeroUsize = NonZeroUsize::new(3).expect("3 is not 0");

/// A token shorter than this works, with a warning: it can be guessed.
pub const TOKEN_CHARS_GOOD: usize = 16;

/// Everything [`crate::serve::run`] needs to know, apart from the socket.
#[derive(Clone)]
pub struct Config {
    /// The JSON file that is served.
    pub file: PathBuf,
    /// Where the journal is kept; `None`: the user's state folder.
    pub state_dir: Option<PathBuf>,
    /// Names, beside the loopback ones, by which browsers reach this server.
    pub allow_hosts: Vec<AllowedHost>,
    /// Origins of other pages that may use this server.
    pub allow_origins: Vec<Origin>,
    /// The secret every request must carry, if any.
    pub token: Option<Token>,
    /// Certificate and key when https is served.
    pub tls: Option<TlsFiles>,
    /// Whether the file links to images from now on, or has them inside; `None`: as before.
    pub link_images: Option<bool>,
    /// How many jobs run at once.
    pub parallel_jobs_max: NonZeroUsize,
    /// Who makes pictures.
    pub generator: Arc<dyn Generate>,
}

impl fmt::Debug for Config {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Config")
            .field("file", &self.file)
            .field("state_dir", &self.state_dir)
            .field("allow_hosts", &self.allow_hosts)
            .field("allow_origins", &self.allow_origins)
            .field("token", &self.token)
            .field("tls", &self.tls)
            .field("link_images", &self.link_images)
            .field("parallel_jobs_max", &self.parallel_jobs_max)
            .field("generator", &self.generator.name())
            .finish()
    }
}

impl Config {
    /// The defaults for serving `file` to this machine alone.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            state_dir: None,
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            token: None,
            tls: None,
            link_images: None,
            parallel_jobs_max: PARALLEL_JOBS_DEFAULT,
            generator: Arc::new(Local),
        }
    }
}

/// The PEM files of an https server.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key of that certificate.
    pub key: PathBuf,
}

/// Why a value of the command line is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Not an origin.
    #[error(
        "found {0:?}; an origin is scheme://host or scheme://host:port, such as http://localhost:3000"
    )]
    Origin(String),
    /// Every origin at once.
    #[error(
        "found {0:?}; every origin that may use this server is named on its own, such as http://localhost:3000"
    )]
    AnyOrigin(String),
    /// Not a host name.
    #[error(
        "found {0:?}; a host is a name or an address, with :PORT if it differs from --port, such as box.local"
    )]
    Host(String),
    /// An empty token.
    #[error(
        "the token is empty; use a long random text, such as the output of `openssl rand -hex 32`"
    )]
    EmptyToken,
    /// A token that cannot travel in a header.
    #[error(
        "the token holds a space, a control or a non-ASCII character; use letters, digits and punctuation"
    )]
    TokenCharacter,
}

/// A web origin in its serialised form: lower case, no default port, no path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin as browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let bad = || ConfigError::Origin(text.to_owned());
        if text == "*" || text == "null" {
            return Err(ConfigError::AnyOrigin(text.to_owned()));
        }
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or_else(bad)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !scheme_fits || !is_authority(authority) {
            return Err(bad());
        }
        let default_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let authority = match authority.strip_suffix(default_port) {
            Some(stripped) if !default_port.is_empty() => stripped,
            _ => authority,
        };
        Ok(Self(format!("{scheme}://{authority}")))
    }
}

/// A host that browsers may name in `Host`, with or without a port of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedHost(String);

impl AllowedHost {
    /// `host:port`, with `port` where the name has none of its own; an IPv6 address in brackets.
    #[must_use]
    pub fn authority(&self, port: u16) -> String {
        if split_port(&self.0).1.is_some() {
            self.0.clone()
        } else {
            format!("{}:{port}", self.0)
        }
    }
}

impl FromStr for AllowedHost {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let lower = text.to_ascii_lowercase();
        // A bare IPv6 address has colons of its own: it gets the brackets a browser writes.
        let lower = match lower.parse::<std::net::Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => lower,
        };
        if is_authority(&lower) {
            Ok(Self(lower))
        } else {
            Err(ConfigError::Host(text.to_owned()))
        }
    }
}

/// The secret that requests carry when the server is not for this machine alone.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Whether `offered` is this token; the time taken does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }

    /// Whether the token is long enough not to be guessed.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.0.len() >= TOKEN_CHARS_GOOD
    }

    /// The secret itself: only for deriving keys and for showing its owner the first URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        if text.is_empty() {
            return Err(ConfigError::EmptyToken);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::TokenCharacter);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Splits `host:port`; the port is `None` where there is none.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// A host name, an IPv4 address or an IPv6 one in brackets, with an optional port.
fn is_authority(text: &str) -> bool {
    let (host, port) = split_port(text);
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
    let host_fits = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        }
    };
    port_fits && host_fits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn t1_origins_are_normalised() {
        for (given, expected) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("HTTP://LocalHost:3000/", "http://localhost:3000"),
            ("http://example.org:80", "http://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(given.parse::<Origin>().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn t1_hosts_get_the_port_unless_they_name_one() {
        for (given, expected) in [
            ("Box.local", "box.local:1"),
            ("box.local:99", "box.local:99"),
            ("::1", "[::1]:1"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(given.parse::<AllowedHost>().unwrap().authority(1), expected);
        }
        for bad in ["", "a b", "a/b", "a:b", "a:70000", "[a]", "user@host"] {
            assert!(bad.parse::<AllowedHost>().is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn t4_a_token_never_shows_itself() {
        let token: Token = "correct-horse".parse().unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(
            token.matches("correct-horse") && !token.matches("correct-horsf") && !token.matches("")
        );
        assert!("".parse::<Token>().is_err() && "a b".parse::<Token>().is_err());
    }
}
