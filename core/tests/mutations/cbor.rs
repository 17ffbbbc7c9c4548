//! CBOR as a tree that can be changed and written in every way that the format allows, and in some
//! that it does not.

use crate::bytes::{Draw as _, mutate};
use crate::chance::Chance;

/// One data item: what its first byte and the number after it say, and what follows.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// 0 and 1 numbers, 2 bytes, 3 text, 4 list, 5 map, 6 tag, 7 simple values and floats.
    major: u8,
    /// The number in the head; of bytes, lists and so on it follows from what they hold.
    number: u64,
    /// How many bytes the number takes: it tells floats apart.
    width: usize,
    bytes: Vec<u8>,
    /// A map's keys and values in turn.
    items: Vec<Item>,
}

/// Names and values that mean something in a frame.
const WORDS: [&str; 24] = [
    "type",
    "senderId",
    "targetId",
    "peerMetadata",
    "supportedProtocolVersions",
    "selectedProtocolVersion",
    "documentId",
    "data",
    "count",
    "sessionId",
    "message",
    "storageId",
    "isEphemeral",
    "join",
    "peer",
    "request",
    "sync",
    "doc-unavailable",
    "ephemeral",
    "leave",
    "error",
    "remote-heads-changed",
    "1",
    "",
];

impl Item {
    /// Reads the item at the start of `rest`, which is well formed and of definite length.
    pub(crate) fn read(rest: &mut &[u8]) -> Option<Self> {
        let (first, after) = rest.split_first()?;
        *rest = after;
        let (major, low) = (first >> 5, first & 0x1f);
        let width = match low {
            0..=23 => 0,
            24..=27 => 1 << (low - 24),
            _ => return None,
        };
        let (number, after) = rest.split_at_checked(width)?;
        *rest = after;
        let number = match width {
            0 => u64::from(low),
            _ => number
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte)),
        };
        let mut item = Self {
            major,
            number,
            width,
            bytes: Vec::new(),
            items: Vec::new(),
        };
        let len = usize::try_from(number).ok()?;
        let items = match major {
            2 | 3 => {
                let (bytes, after) = rest.split_at_checked(len)?;
                (item.bytes, *rest) = (bytes.to_vec(), after);
                0
            }
            4 => len,
            5 => len.checked_mul(2)?,
            6 => 1,
            _ => 0,
        };
        for _ in 0..items {
            item.items.push(Self::read(rest)?);
        }
        Some(item)
    }

    fn of(major: u8, number: u64) -> Self {
        Self {
            major,
            number,
            width: 0,
            bytes: Vec::new(),
            items: Vec::new(),
        }
    }

    /// How many items it and what it holds are.
    fn count(&self) -> usize {
        1 + self.items.iter().map(Self::count).sum::<usize>()
    }

    /// The `nth` of them.
    fn nth(&mut self, mut nth: usize) -> &mut Self {
        if nth == 0 {
            return self;
        }
        nth -= 1;
        let mut at = 0;
        while nth >= self.items[at].count() {
            nth -= self.items[at].count();
            at += 1;
        }
        self.items[at].nth(nth)
    }

    /// Changes one item in it.
    pub(crate) fn change(&mut self, chance: &mut Chance) {
        let (from, to) = (chance.index(self.count()), chance.index(self.count()));
        let other = self.nth(from).clone();
        let item = self.nth(to);
        match chance.below(12) {
            0 => item.major = u8::try_from(chance.below(8)).unwrap(),
            1 => item.number = chance.number(),
            2 => (item.number, item.width) = (chance.draw(), *chance.one_of(&[0, 1, 2, 4, 8])),
            3 => *item = other,
            4 => {
                let at = chance.index(item.items.len() + 1);
                item.items.insert(at, other);
            }
            5 if !item.items.is_empty() => {
                let at = chance.index(item.items.len());
                item.items.remove(at);
            }
            6 if !item.items.is_empty() => {
                let (a, b) = (
                    chance.index(item.items.len()),
                    chance.index(item.items.len()),
                );
                item.items.swap(a, b);
            }
            7 => {
                let word = chance.one_of(&WORDS);
                (item.major, item.bytes) = (3, word.as_bytes().to_vec());
            }
            8 => mutate(&mut item.bytes, chance),
            9 => {
                let (depth, major) = (chance.below(40), *chance.one_of(&[4, 6]));
                for _ in 0..depth {
                    let inner = std::mem::replace(item, Self::of(major, 64));
                    item.items.push(inner);
                }
            }
            10 => {
                let len = usize::try_from(chance.below(9_000)).unwrap();
                item.bytes = vec![chance.byte() & 0x7f; len];
            }
            _ => {
                *item = Self {
                    width: *chance.one_of(&[2, 4, 8]),
                    ..Self::of(7, chance.draw())
                }
            }
        }
    }

    /// Writes it. Of `oddities` each is what `odd` in so many items are: a head wider than it
    /// need be, an indefinite length, a length that is a lie.
    pub(crate) fn write(&self, out: &mut Vec<u8>, odd: u64, chance: &mut Chance) {
        let entries = match self.major {
            4 | 6 => self.items.len(),
            5 => self.items.len() / 2,
            _ => self.bytes.len(),
        };
        let mut number = match self.major {
            2..=5 => u64::try_from(entries).unwrap(),
            _ => self.number,
        };
        let (mut width, mut indefinite) = (self.width, false);
        if odd > 0 && chance.once_in(odd) {
            match chance.below(4) {
                0 => width = *chance.one_of(&[1, 2, 4, 8]),
                1 => number = chance.number(),
                2 => number = number.wrapping_add(chance.below(3)).wrapping_sub(1),
                _ => indefinite = matches!(self.major, 2..=5),
            }
        }
        if indefinite {
            out.push(self.major << 5 | 0x1f);
        } else {
            head(self.major, number, width, out);
        }
        if matches!(self.major, 2 | 3) && indefinite {
            for part in self.bytes.chunks(1 + chance.index(9)) {
                head(self.major, u64::try_from(part.len()).unwrap(), 0, out);
                out.extend(part);
            }
        } else if matches!(self.major, 2 | 3) {
            out.extend(&self.bytes);
        }
        if matches!(self.major, 4..=6) {
            self.items
                .iter()
                .for_each(|item| item.write(out, odd, chance));
        }
        if indefinite && !chance.once_in(20) {
            out.push(0xff);
        }
    }
}

/// A head of at least `width` bytes after the first.
fn head(major: u8, number: u64, width: usize, out: &mut Vec<u8>) {
    let needed = match number {
        0..24 => 0,
        24..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 4,
        _ => 8,
    };
    let width = width.max(needed);
    let low = match width {
        0 => u8::try_from(number).unwrap(),
        width => 24 + u8::try_from(width.trailing_zeros()).unwrap(),
    };
    out.push(major << 5 | low);
    out.extend(&number.to_be_bytes()[8 - width..]);
}
