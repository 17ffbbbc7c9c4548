//! Which seeds a test runs, and how one of them is run again.
//!
//! `PLAINSYNC_SEEDS=…` runs more, `PLAINSYNC_SEED=…` one only.

/// A number from the environment, if one is there.
///
/// # Panics
///
/// What stands there is no number.
#[must_use]
pub fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// How many seeds are asked for: `PLAINSYNC_SEEDS`, else `default`.
#[must_use]
pub fn count(default: u64) -> u64 {
    number_from("PLAINSYNC_SEEDS").unwrap_or(default)
}

/// The seed that alone is asked for, if one is.
#[must_use]
pub fn only() -> Option<u64> {
    number_from("PLAINSYNC_SEED")
}

/// The seeds kept in a text that has one a line, with stories after `#`.
///
/// # Panics
///
/// A line is neither.
#[must_use]
pub fn kept(text: &str) -> Vec<u64> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.parse().expect("a seed a line"))
        .collect()
}
