//! `cargo xtask test`: all of CI in one command, as steps with names, times and a table at the end.
//!
//! The first step that fails ends the run; `--only NAME` runs one by itself.

mod dependencies;
mod rules;
mod size;
mod steps;

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::{
    failure::{Done, Failure},
    house::House,
};

/// Which steps to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Runs this step alone; may be given several times
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Leaves this step out; may be given several times
    #[arg(long, value_name = "STEP")]
    skip: Vec<Step>,
}

/// One step, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// rustfmt finds nothing to change
    Format,
    /// clippy finds nothing, warnings denied, native and wasm
    Lints,
    /// rustdoc finds nothing, warnings denied
    Docs,
    /// SPEC.md calls shown what a test is named after
    Rules,
    /// the dependency arrows of the house hold
    Dependencies,
    /// unit, property, simulator and whole-system tests
    Native,
    /// the wasm of the browser builds and is within its budget
    Size,
    /// the wasm tests pass in Node
    Wasm,
    /// the web packages type-check, and their unit tests pass
    Web,
    /// an unmodified automerge-repo client works with the server
    Interop,
    /// the dashboard passes its tests in Chromium
    Browser,
}

impl Step {
    fn run(self, house: &House) -> Done {
        match self {
            Self::Format => steps::format(house),
            Self::Lints => steps::lints(house),
            Self::Docs => steps::docs(house),
            Self::Rules => rules::check(house),
            Self::Dependencies => dependencies::check(house),
            Self::Native => steps::native(house),
            Self::Size => size::check(house),
            Self::Wasm => steps::wasm(house),
            Self::Web => steps::web(house),
            Self::Interop => steps::interop(house),
            Self::Browser => steps::browser(house),
        }
    }

    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(|| format!("{self:?}"), |value| value.get_name().to_owned())
    }
}

/// Runs the chosen steps in order and prints a table of what they did.
///
/// # Errors
///
/// Fails as the first failing step does, naming it.
pub(crate) fn run(house: &House, options: &Options) -> Done {
    let chosen = |step: &Step| {
        (options.only.is_empty() || options.only.contains(step)) && !options.skip.contains(step)
    };
    let started = Instant::now();
    let mut table = Vec::new();
    let mut failure = None;
    for step in Step::value_variants().iter().copied().filter(chosen) {
        if failure.is_some() {
            table.push((step.name(), "not run", Duration::ZERO));
            continue;
        }
        eprintln!("\n=== {}", step.name());
        let step_started = Instant::now();
        let outcome = step.run(house);
        table.push((
            step.name(),
            if outcome.is_ok() { "passed" } else { "FAILED" },
            step_started.elapsed(),
        ));
        failure = outcome.err().map(|error| {
            Failure::new(format!(
                "the step `{0}` failed: {error} Try it alone with `cargo xtask test --only {0}`.",
                step.name()
            ))
        });
    }
    eprintln!("\nstep          outcome   seconds");
    for (name, outcome, took) in &table {
        eprintln!("{name:<13} {outcome:<8} {:>8.1}", took.as_secs_f64());
    }
    eprintln!(
        "{:<13} {:<8} {:>8.1}",
        "all",
        "",
        started.elapsed().as_secs_f64()
    );
    failure.map_or(Ok(()), Err)
}
