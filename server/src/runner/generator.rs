//! What a generator is: it turns a request into the bytes of one image.
//!
//! [`Generate`] is implemented by the embedded [`Local`](super::local::Local) generator and by
//! [`PixelLab`](super::pixellab::PixelLab). Everything that asks for pictures (the queue of run
//! orders, the old paths) goes through it, so neither knows which one answers.
//!
//! **Invariant:** no message in here carries a key, and none carries more than
//! [`DETAIL_CHARS_MAX`] characters of what a service said.

use futures_util::future::BoxFuture;
use plainsync_core::blob::Mime;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Most characters of a service's own words that are repeated to people.
pub const DETAIL_CHARS_MAX: usize = 300;

/// One picture to make from words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerateRequest {
    /// What to draw, in the person's words.
    pub prompt: String,
    /// Pixels across, 16 to 256.
    pub width: u32,
    /// Pixels down, 16 to 256.
    pub height: u32,
    /// Equal seeds (with equal prompts and sizes) give equal pictures. `None`: the generator's choice.
    pub seed: Option<String>,
}

/// One picture to turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateRequest {
    /// The picture's file: PNG, JPEG, WebP or GIF bytes.
    pub image: Vec<u8>,
    /// Where the figure shall look.
    pub to_direction: Direction,
    /// Where it looks now.
    pub from_direction: Direction,
    /// Pixels across, 16 to 256.
    pub width: u32,
    /// Pixels down, 16 to 256.
    pub height: u32,
}

/// Where a figure looks; `South` is towards the viewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards the viewer.
    #[default]
    South,
    /// Towards the viewer and to the right.
    SouthEast,
    /// To the right.
    East,
    /// Away and to the right.
    NorthEast,
    /// Away from the viewer.
    North,
    /// Away and to the left.
    NorthWest,
    /// To the left.
    West,
    /// Towards the viewer and to the left.
    SouthWest,
}

impl Direction {
    /// All eight, counter-clockwise as seen from above, from `South` on.
    pub const ALL: [Direction; 8] = [
        Direction::South,
        Direction::SouthEast,
        Direction::East,
        Direction::NorthEast,
        Direction::North,
        Direction::NorthWest,
        Direction::West,
        Direction::SouthWest,
    ];

    /// The name used in jobs and by PixelLab, such as `south-east`.
    pub fn name(self) -> &'static str {
        match self {
            Direction::South => "south",
            Direction::SouthEast => "south-east",
            Direction::East => "east",
            Direction::NorthEast => "north-east",
            Direction::North => "north",
            Direction::NorthWest => "north-west",
            Direction::West => "west",
            Direction::SouthWest => "south-west",
        }
    }

    /// The direction called `name`, if there is one.
    pub fn from_name(name: &str) -> Option<Direction> {
        Direction::ALL
            .into_iter()
            .find(|direction| direction.name() == name)
    }

    /// Eighths of a turn from `South`, counter-clockwise as seen from above.
    pub fn eighths(self) -> usize {
        self as usize
    }
}

/// What a generator made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// What the bytes themselves say they are.
    pub mime: Mime,
}

/// What remains on the account that pays for pictures.
#[derive(Clone, Debug, PartialEq)]
pub enum Balance {
    /// The service answered.
    Known {
        /// The amount, in US dollars.
        usd: f64,
        /// What the service calls the amount, `usd` so far.
        kind: String,
    },
    /// No key is set: there is no account to ask about.
    Missing,
    /// The service was asked and did not answer properly.
    Failed {
        /// A sentence for people.
        message: String,
    },
}

impl Balance {
    /// The shape that `GET /balance` and `GET /health` have always had.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Balance::Known { usd, kind } => json!({"status": "ok", "usd": usd, "type": kind}),
            Balance::Missing => json!({"status": "missing"}),
            Balance::Failed { message } => json!({"status": "error", "message": message}),
        }
    }
}

/// A maker of pictures.
///
/// Implementations never retry a request whose outcome is unknown: a picture may have been made
/// and paid for.
pub trait Generate: Send + Sync {
    /// A short name for logs and health: `local`, `pixellab`.
    fn name(&self) -> &'static str;

    /// Whether a key for a paying service is set.
    fn has_key(&self) -> bool {
        false
    }

    /// Draws a picture. The request has been validated.
    fn generate(&self, request: GenerateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>>;

    /// Turns a picture. The request has been validated.
    fn rotate(&self, request: RotateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>>;

    /// Asks for the account's balance.
    fn balance(&self) -> BoxFuture<'_, Balance>;
}

/// Why there is no picture. Each message is a sentence for the person whose job it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// 401 or 403.
    #[error(
        "PixelLab refused the API key ({detail}); check PIXELLAB_API_KEY and restart the server"
    )]
    KeyRefused {
        /// The service's words.
        detail: String,
    },
    /// 402.
    #[error("the PixelLab account has no credit left ({detail}); top it up and run the job again")]
    NoCredit {
        /// The service's words.
        detail: String,
    },
    /// 422 or 400.
    #[error("PixelLab did not accept the request: {detail}")]
    NotAccepted {
        /// The service's list of complaints as one sentence.
        detail: String,
    },
    /// 429, and still 429 after waiting.
    #[error("PixelLab is busy and asks to wait{}; run the job again later", wait_words(*.wait_s))]
    Busy {
        /// How long it asked for, in seconds, when it said.
        wait_s: Option<u64>,
    },
    /// Any other status.
    #[error(
        "PixelLab failed with status {status} ({detail}); whether it made a picture is unknown, so it was not asked again"
    )]
    Status {
        /// The HTTP status.
        status: u16,
        /// The service's words.
        detail: String,
    },
    /// No connection was made, so nothing was sent.
    #[error("PixelLab cannot be reached at {host} ({detail}); nothing was sent")]
    Unreachable {
        /// Host and port.
        host: String,
        /// Why.
        detail: String,
    },
    /// The request was sent and no full answer came in time.
    #[error(
        "PixelLab gave no answer within {limit_s} s; whether it made a picture is unknown, so it was not asked again"
    )]
    TimedOut {
        /// The limit, in seconds.
        limit_s: u64,
    },
    /// The connection broke after the request was sent.
    #[error(
        "the connection to PixelLab broke before its answer was complete ({detail}); whether it made a picture is unknown, so it was not asked again"
    )]
    Broken {
        /// Why.
        detail: String,
    },
    /// The answer is not what the API promises.
    #[error("PixelLab's answer cannot be used: {detail}")]
    BadAnswer {
        /// What was found.
        detail: String,
    },
    /// The source picture of a rotation cannot be used.
    #[error("the picture cannot be turned: {detail}")]
    BadImage {
        /// What was found and what is allowed.
        detail: String,
    },
    /// The generator itself cannot start.
    #[error("the generator cannot be used: {detail}")]
    Unusable {
        /// Why.
        detail: String,
    },
}

fn wait_words(wait_s: Option<u64>) -> String {
    wait_s.map_or_else(String::new, |seconds| format!(" {seconds} s"))
}

/// The historic `result` of a job, and the answer of the two old generating paths.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResultObject {
    /// Whether `image_data_url` or `error_message` is the news.
    pub status: ResultStatus,
    /// The prompt as asked.
    pub prompt: String,
    /// Pixels across, as asked.
    pub width: u32,
    /// Pixels down, as asked.
    pub height: u32,
    /// How long it took, in seconds, to the millisecond.
    pub duration: f64,
    /// When it ended, in milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// Always null here: images are not written to a path of their own.
    pub image_path: Option<String>,
    /// The picture, as a data URL.
    pub image_data_url: Option<String>,
    /// The seed that gives this picture again.
    pub seed: Option<String>,
    /// A sentence, when there is no picture.
    pub error_message: Option<String>,
}

/// How a run ended, in the historic words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultStatus {
    /// There is a picture.
    Success,
    /// There is none.
    Fail,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l1_directions_have_the_historic_names_both_ways() {
        for direction in Direction::ALL {
            assert_eq!(Direction::from_name(direction.name()), Some(direction));
        }
        assert_eq!(Direction::from_name("up"), None);
    }

    #[test]
    fn l1_balance_has_the_three_historic_shapes() {
        let known = Balance::Known {
            usd: 1.5,
            kind: "usd".into(),
        };
        assert_eq!(
            known.to_json(),
            json!({"status": "ok", "usd": 1.5, "type": "usd"})
        );
        assert_eq!(Balance::Missing.to_json(), json!({"status": "missing"}));
        let failed = Balance::Failed {
            message: "no".into(),
        };
        assert_eq!(
            failed.to_json(),
            json!({"status": "error", "message": "no"})
        );
    }
}
