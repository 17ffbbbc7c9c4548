//! Numbers that the benches share, and their error.

/// Why a bench stopped: something that cannot happen to made-up data did.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// How often what varies is measured.
pub const ROUNDS: usize = 9;
