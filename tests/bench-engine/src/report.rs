//! What a bench says: one line for each figure, with its bound and whether that holds.
#![expect(
    clippy::print_stdout,
    reason = "this is how a measuring program speaks"
)]

use crate::samples::Samples;

/// How wide the words before a figure are.
const WORDS_WIDTH: usize = 66;

/// Counts the bounds as lines are printed.
#[derive(Debug, Default)]
pub struct Report {
    held: usize,
    missed: Vec<String>,
}

impl Report {
    /// Begins a section.
    pub fn title(&self, title: &str) {
        println!("\n{title}");
    }

    /// A sentence between the figures.
    pub fn note(&self, note: &str) {
        println!("  {note}");
    }

    /// A figure that nothing is promised of.
    pub fn figure(&self, words: &str, value: f64, unit: &str) {
        println!("  {words:<WORDS_WIDTH$} {} {unit}", number(value));
    }

    /// A part of the figure above it.
    pub fn part(&self, words: &str, samples: &Samples) {
        let words = format!("  of it {words}");
        self.figure(&words, samples.median(), "ms");
    }

    /// Median and p99 of times that nothing is promised of.
    pub fn spread(&self, words: &str, samples: &Samples) {
        println!(
            "  {words:<WORDS_WIDTH$} {} ms   p99 {} ms   of {}",
            number(samples.median()),
            number(samples.p99()),
            samples.len()
        );
    }

    /// A figure that may be at most `bound`.
    pub fn bounded(&mut self, words: &str, value: f64, bound: f64, unit: &str) {
        let holds = value <= bound;
        println!(
            "  {words:<WORDS_WIDTH$} {} {unit:<2}   bound {bound} {unit}   {}",
            number(value),
            if holds { "holds" } else { "MISSED" }
        );
        if holds {
            self.held += 1;
        } else {
            self.missed.push(words.to_owned());
        }
    }

    /// A line of columns, each as wide as a figure.
    pub fn row(&self, words: &str, cells: &[String]) {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>11}")).collect();
        println!("  {words:<34}{cells}");
    }

    /// Says how many bounds held, and which did not.
    pub fn end(self) {
        println!(
            "\n{} bounds hold, {} are missed",
            self.held,
            self.missed.len()
        );
        for words in self.missed {
            println!("  MISSED: {}", words.trim());
        }
    }
}

/// A figure in few digits.
#[must_use]
pub fn number(value: f64) -> String {
    match value {
        _ if value >= 1_000.0 => format!("{value:>9.0}"),
        _ if value >= 10.0 => format!("{value:>9.1}"),
        _ if value >= 0.1 => format!("{value:>9.2}"),
        _ => format!("{value:>9.4}"),
    }
}
