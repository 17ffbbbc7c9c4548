//! The image types we keep, told by their first bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An image type that browsers show without running anything in it.
///
/// SVG is not among them: it can carry script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mime {
    /// `image/png`
    #[serde(rename = "image/png")]
    Png,
    /// `image/jpeg`
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// `image/webp`
    #[serde(rename = "image/webp")]
    Webp,
    /// `image/gif`
    #[serde(rename = "image/gif")]
    Gif,
}

impl Mime {
    /// All types, in no meaningful order.
    pub const ALL: [Mime; 4] = [Mime::Png, Mime::Jpeg, Mime::Webp, Mime::Gif];

    /// The media type, as in a `Content-Type` header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Mime::Png => "image/png",
            Mime::Jpeg => "image/jpeg",
            Mime::Webp => "image/webp",
            Mime::Gif => "image/gif",
        }
    }

    /// The usual file name extension, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Mime::Png => "png",
            Mime::Jpeg => "jpg",
            Mime::Webp => "webp",
            Mime::Gif => "gif",
        }
    }

    /// The type whose media type is exactly `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Mime> {
        Mime::ALL.into_iter().find(|mime| mime.as_str() == name)
    }
}

impl fmt::Display for Mime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What image `bytes` are, by their first bytes alone; `None` if none that we keep.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Option<Mime> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Mime::Png),
        [0xff, 0xd8, 0xff, ..] => Some(Mime::Jpeg),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(Mime::Webp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Mime::Gif),
        _ => None,
    }
}
