//! The S and D rules under a network, disks and clocks that fail, by seed.
//!
//! `PLAINSYNC_SEEDS=10000 cargo test -p plainsync-tests simulator::` runs more; `PLAINSYNC_SEED=…`
//! runs one again. A seed that failed is kept in `seeds.txt`, with its story.

use plainsync_tests::model::Violation;
use plainsync_tests::seeds;
use plainsync_tests::sim::{Breakage, Counts, Sim};

/// Seeds when `PLAINSYNC_SEEDS` names no number.
const SEEDS_DEFAULT: u64 = 60;

/// Seeds among which each breakage must be found.
const SEEDS_TO_FIND: u64 = 60;

fn run(mut sim: Sim) -> Result<Sim, Violation> {
    for _ in 0..3 {
        for _ in 0..150 {
            sim.step()?;
        }
        sim.settle()?;
    }
    Ok(sim)
}

fn run_all(seeds: impl Iterator<Item = u64>) {
    let (mut runs, mut sum) = (0, Counts::default());
    for seed in seeds {
        let sim = run(Sim::new(seed, 3)).unwrap_or_else(|violation| {
            panic!("PLAINSYNC_SEED={seed} fails: {violation}; keep it in tests/tests/seeds.txt")
        });
        let counts = sim.counts();
        runs += 1;
        sum.edits += counts.edits;
        sum.arrivals += counts.arrivals;
        sum.closed += counts.closed;
        sum.crashes += counts.crashes;
        sum.conflicts += counts.conflicts;
        sum.newest_won += counts.newest_won;
        sum.newest_lost += counts.newest_lost;
    }
    eprintln!("{runs} seeds: {sum:?}");
    if runs > 20 {
        let (won, lost) = (sum.newest_won, sum.newest_lost);
        assert!(
            won > 0 && lost > 0,
            "D2: the newest clock won {won} conflicts and lost {lost}"
        );
    }
}

/// S2, S3 and D1 to D7, D9: whatever fails, all replicas end with the same file, which is what the
/// edits say, and nothing that was acknowledged is lost. Half of the seeds in each of two tests, so
/// that two cores share them.
#[test]
fn s3_replicas_converge_whatever_fails() {
    match seeds::only() {
        Some(seed) => run_all([seed].into_iter()),
        None => run_all((0..seeds::count(SEEDS_DEFAULT)).step_by(2)),
    }
}

/// As [`s3_replicas_converge_whatever_fails`].
#[test]
fn s3_more_replicas_converge_whatever_fails() {
    if seeds::only().is_none() {
        let kept = seeds::kept(include_str!("seeds.txt")).into_iter();
        run_all(kept.chain((1..seeds::count(SEEDS_DEFAULT)).step_by(2)));
    }
}

#[test]
fn one_seed_is_one_run() {
    let trace = |seed| run(Sim::new(seed, 3)).expect("it holds").trace();
    assert_eq!(trace(4711), trace(4711));
    assert_ne!(trace(4711), trace(4712));
}

/// Each rule is looked at: when it is broken, the simulator says so.
#[test]
fn s2_s3_d1_to_d9_each_breakage_is_found() {
    for (breakage, rules) in Breakage::ALL {
        let broken = |seed| run(Sim::new(seed, 3).broken(breakage)).err();
        let is_right = |violation: &Violation| rules.contains(&violation.rule);
        let found = (0..SEEDS_TO_FIND).filter_map(broken).find(is_right);
        let found =
            found.unwrap_or_else(|| panic!("{breakage:?} is not found in {SEEDS_TO_FIND} seeds"));
        eprintln!("{breakage:?}: {found}");
    }
}
