//! What a tab says of itself while its page may sleep, and how much of what others say reaches the page.
//!
//! A presence message is CBOR, `{"__presence": {"type": "snapshot" | "update" | "heartbeat" | "goodbye", …}}`,
//! as automerge-repo's clients send it. The page writes and reads them (`web/client/src/presence.ts`): who is
//! there, and what they say, is decided there. Nothing here looks into a message.

use plainsync_core::time::Millis;

/// How often we say that we are here, in milliseconds.
pub const HEARTBEAT_MS: u32 = 15_000;
/// One of so many messages says all again, for those who lost it; the others say only that we are here.
pub const REPEAT_EVERY: u64 = 4;
/// Largest message that is passed to the page, in bytes; of a larger one it hears only the sender.
pub const PRESENCE_BYTES_MAX: usize = 8 * 1024;
/// Messages that are passed to the page in one second; what comes beyond is dropped. Each KiB counts as one more.
pub const PRESENCE_PER_SECOND_MAX: usize = 500;

/// What is said before the page has said something: `{"__presence": {"type": "snapshot", "state": {}}}`
pub const NOTHING: &[u8] = b"\xa1\x6a__presence\xa2\x64type\x68snapshot\x65state\xa0";
/// `{"__presence": {"type": "heartbeat"}}`
pub const HEARTBEAT: &[u8] = b"\xa1\x6a__presence\xa1\x64type\x69heartbeat";
/// `{"__presence": {"type": "goodbye"}}`
pub const GOODBYE: &[u8] = b"\xa1\x6a__presence\xa1\x64type\x67goodbye";

/// What was passed to the page in this second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    second: u64,
    count: usize,
}

impl Heard {
    /// A message came that is to be passed on with so many bytes. Returns whether the page may have it.
    pub fn one_more(&mut self, now: Millis, len_bytes: usize) -> bool {
        let second = now.0 / 1_000;
        if second != self.second {
            *self = Self { second, count: 0 };
        }
        self.count += 1 + len_bytes / 1024;
        self.count <= PRESENCE_PER_SECOND_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b9_a_flood_does_not_reach_the_page() {
        let mut heard = Heard::default();
        let passed = |heard: &mut Heard, at, len| {
            (0..2_000)
                .filter(|_| heard.one_more(Millis(at), len))
                .count()
        };
        assert_eq!(passed(&mut heard, 5_000, 100), PRESENCE_PER_SECOND_MAX);
        assert_eq!(passed(&mut heard, 5_999, 0), 0);
        assert_eq!(passed(&mut heard, 6_000, 100), PRESENCE_PER_SECOND_MAX);
        let large = passed(&mut heard, 7_000, PRESENCE_BYTES_MAX);
        assert_eq!(large, PRESENCE_PER_SECOND_MAX / 9);
    }
}
