//! S2, S3 and D1 under a network and disks that fail, by seed.

use plainsync_tests::sim::Sim;

/// Seeds that once failed, first; then fresh ones in order.
fn seeds() -> impl Iterator<Item = u64> {
    let kept = include_str!("seeds.txt");
    let kept = kept
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    kept.map(|line| line.parse().expect("a seed a line"))
        .chain(0..80)
}

fn run(seed: u64) -> u64 {
    let mut sim = Sim::new(seed, 3);
    for _ in 0..3 {
        for _ in 0..150 {
            sim.step();
        }
        sim.heal();
        sim.assert_converged();
    }
    sim.trace()
}

/// S3: once every link heals, all replicas show the same document; S2: nothing acknowledged is lost.
#[test]
fn s3_replicas_converge_after_cuts_and_crashes() {
    for seed in seeds() {
        if std::panic::catch_unwind(|| run(seed)).is_err() {
            panic!("seed {seed} failed; keep it in tests/tests/seeds.txt");
        }
    }
}

#[test]
fn one_seed_is_one_run() {
    assert_eq!(run(4711), run(4711));
    assert_ne!(run(4711), run(4712));
}
