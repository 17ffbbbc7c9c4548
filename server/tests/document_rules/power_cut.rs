//! The power goes before every single operation that changes a disk, and what was not synced is
//! gone, torn, or there without what came before it.
//!
//! `PLAINSYNC_POWER_CUTS=16 cargo test -p plainsync --test document_rules power_cut` tries more
//! states of the disk after each cut.

use std::env;

use plainsync::document::disk::power::PowerDisk;

use crate::story::Story;

/// How many states the disk may be in after each cut, unless asked for more.
const STATES: u64 = 2;

fn story() -> Story<PowerDisk> {
    Story::new(|root| PowerDisk::new(root).unwrap())
}

/// The first state after each cut is the one with the least in it; others follow from `seed`
/// (splitmix64, Steele and others 2014).
fn chance(state: u64, seed: u64) -> impl FnMut(usize) -> usize {
    let mut now = seed;
    move |below| {
        now = now.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = now;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn ^= drawn >> 31;
        if state == 0 {
            0
        } else {
            (drawn % below as u64) as usize
        }
    }
}

#[test]
fn s2_whenever_the_power_goes_nothing_that_was_acknowledged_is_lost() {
    let states = env::var("PLAINSYNC_POWER_CUTS").map_or(STATES, |text| text.parse().unwrap());
    let mut unharmed = story();
    unharmed.tell().unwrap();
    let operations = unharmed.disk.operations();
    unharmed.check("nothing");
    for nth in 1..=operations {
        for state in 0..states {
            let mut story = story();
            story.disk.goes_at(nth);
            story.tell();
            let seed = nth as u64 * 1_000 + state;
            story.disk.restart(&mut chance(state, seed)).unwrap();
            story.check(&format!("power cut {nth} of {operations}, state {state}"));
        }
    }
    eprintln!("{operations} power cuts, {states} states of the disk after each");
}
