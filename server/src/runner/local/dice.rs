//! Repeatable chance: a stream of numbers that depends on the prompt and the seed alone.

use sha2::{Digest, Sha256};

/// A stream of numbers. Equal inputs give equal streams, on every platform and in every release
/// that keeps [`SALT`].
pub(super) struct Dice {
    key: [u8; 32],
    block: [u8; 32],
    counter: u64,
    used: usize,
}

/// Changes when sprites are meant to change.
const SALT: &[u8] = b"plainsync sprite 1";

impl Dice {
    /// The stream for these words.
    pub(super) fn new(prompt: &str, seed: &str) -> Dice {
        let mut hash = Sha256::new();
        for part in [SALT, prompt.as_bytes(), seed.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Dice {
            key: hash.finalize().into(),
            block: [0; 32],
            counter: 0,
            used: 32,
        }
    }

    /// A number below `bound`; `bound` itself is small, so the bias of the remainder does not show.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        if self.used + 4 > self.block.len() {
            let mut hash = Sha256::new();
            hash.update(self.key);
            hash.update(self.counter.to_le_bytes());
            self.block = hash.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let bytes = &self.block[self.used..self.used + 4];
        self.used += 4;
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) % bound.max(1)
    }

    /// True `percent` times of a hundred.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, which is never empty.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    /// A number from `low` up to `high`, in hundredths of the way.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.below(101)) / 100.0
    }
}
