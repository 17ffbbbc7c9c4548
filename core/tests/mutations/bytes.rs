//! Changes to bytes, whatever they mean.

use crate::chance::Chance;
use crate::forge::unsigned;

/// What is drawn to change something.
pub(crate) trait Draw {
    /// A place in something of this length; 0 if it is empty.
    fn index(&mut self, len: usize) -> usize;
    /// A byte.
    fn byte(&mut self) -> u8;
    /// One of `all`.
    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }
    /// A number, small ones as often as large ones.
    fn number(&mut self) -> u64;
}

impl Draw for Chance {
    fn index(&mut self, len: usize) -> usize {
        let end = u64::try_from(len.max(1)).unwrap();
        usize::try_from(self.below(end)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.draw().to_le_bytes()[0]
    }

    fn number(&mut self) -> u64 {
        let bits = self.below(64);
        self.draw() >> bits
    }
}

/// Changes the bytes of `data` a few times.
pub(crate) fn mutate(data: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.index(3) {
        let at = chance.index(data.len() + 1);
        let end = (at + 1 + chance.index(6)).min(data.len());
        match chance.below(9) {
            0 if at < data.len() => data[at] ^= 1 << chance.below(8),
            1 if at < data.len() => data[at] = chance.byte(),
            2 if at < data.len() => {
                data[at] = *chance.one_of(&[0, 1, 2, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0xff]);
            }
            3 => data.insert(at, chance.byte()),
            4 if at < end => drop(data.drain(at..end)),
            5 => {
                let copy = data[at.min(end)..end].to_vec();
                let to = chance.index(data.len() + 1);
                data.splice(to..to, copy);
            }
            6 if at < data.len() => drop(data.splice(at..=at, unsigned(chance.number()))),
            7 if at < data.len() => data[at] = data[at].wrapping_add(1),
            8 if at < data.len() => data[at] = data[at].wrapping_sub(1),
            _ => {}
        }
    }
}

/// Cuts `data` somewhere, or puts a piece of it elsewhere, or a piece of one of `others` into it.
pub(crate) fn rearrange(data: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    let (from, to) = (chance.index(data.len() + 1), chance.index(data.len() + 1));
    let (from, to) = (from.min(to), from.max(to));
    match chance.below(4) {
        0 => data.truncate(from),
        1 => data.rotate_left(from),
        2 => drop(data.drain(from..to)),
        _ => {
            let other = chance.one_of(others);
            let at = chance.index(other.len() + 1);
            let end = (at + (to - from)).min(other.len());
            data.splice(from..to, other[at..end].iter().copied());
        }
    }
}
