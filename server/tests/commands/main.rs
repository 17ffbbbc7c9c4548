//! The commands of the real program: what they print, what they leave alone, how they end.

mod answer;
mod bad_input;
mod doctor;
mod help;
mod history;
mod page;
mod reach;
mod support;
mod transfer;
