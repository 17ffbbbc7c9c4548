//! Runs jobs: validates them, asks a generator for the picture, writes the result down.

pub mod generator;
pub mod local;
pub mod pixellab;
pub mod validate;
