//! What a new actor's first edit and its later ones cost, where few and where many have written
//! before: every start of a server or a tab that edits is one.

use plainsync_bench_engine::fixed::{Failed, ROUNDS};
use plainsync_bench_engine::jobs;
use plainsync_bench_engine::report::Report;
use plainsync_bench_engine::samples::{Samples, timed};
use plainsync_core::document::Document;

/// Jobs of both histories.
const JOBS: usize = 10_000;

/// Actors of the one and of the other.
const ACTORS: [usize; 2] = [10, 10_000];

/// Edits that each new actor makes after its first.
const LATER_EDITS: usize = 20;

/// A later edit may take so many times what it takes among few actors.
const LATER_RATIO_MAX: f64 = 3.0;

/// Measures both histories, by turns.
pub(crate) fn measure(report: &mut Report) -> Result<(), Failed> {
    report.title(&format!(
        "A new actor's edits, {JOBS} jobs, {} and {} actors before it",
        ACTORS[0], ACTORS[1]
    ));
    let [few, many] = ACTORS;
    let mut histories = [(few, history(few)?), (many, history(many)?)];
    let (mut first, mut later) = (<[Samples; 2]>::default(), <[Samples; 2]>::default());
    for round in 0..ROUNDS {
        for (nth, (actors, document)) in histories.iter_mut().enumerate() {
            let actor = *actors + round;
            jobs::act_as(document, name(actor))?;
            first[nth].push(edit(document, actor, 0)?);
            for edits in 1..=LATER_EDITS {
                later[nth].push(edit(document, actor, edits)?);
            }
        }
    }
    for (nth, actors) in ACTORS.iter().enumerate() {
        report.spread(&format!("first edit, {actors} actors"), &first[nth]);
        report.spread(&format!("later edit, {actors} actors"), &later[nth]);
    }
    let ratio = |samples: &[Samples; 2]| samples[1].median() / samples[0].median();
    report.figure("first edit, ratio", ratio(&first), "x");
    report.bounded("later edit, ratio", ratio(&later), LATER_RATIO_MAX, "x");
    Ok(())
}

/// A history in which so many actors have made one edit each.
fn history(actors: usize) -> Result<Document, Failed> {
    let mut document = jobs::document(JOBS)?;
    for actor in 0..actors {
        jobs::act_as(&mut document, name(actor))?;
        edit(&mut document, actor, 0)?;
    }
    Ok(document)
}

fn edit(document: &mut Document, actor: usize, nth: usize) -> Result<std::time::Duration, Failed> {
    let at = (actor * 31 + nth) % JOBS;
    let key = document.view().rows().nth(at).ok_or("no such job")?;
    let key = key.key.clone();
    let edit = jobs::set_height(&format!("{actor}-{nth}"), &key, 1_000 + actor + nth);
    let (edited, took) = timed(|| document.edit(&edit));
    edited?;
    Ok(took)
}

fn name(actor: usize) -> [u8; 16] {
    let mut name = [0xee; 16];
    name[..8].copy_from_slice(&(actor as u64).to_be_bytes());
    name
}
