//! Runs jobs: validates them, asks a generator for the picture, writes the result down.
//!
//! [`queue::Queue`] starts what was ordered; a [`generator::Generate`] makes the pictures:
//! [`pixellab::PixelLab`] when a key is set, else the embedded [`local::Local`]; see
//! [`generator_from_environment`].
//!
//! **Invariant:** only an order that names this server starts anything.

pub mod board;
mod document_board;
pub mod generator;
pub mod local;
pub mod pixellab;
pub mod queue;
pub mod source;
pub mod validate;

use std::sync::Arc;

/// PixelLab when `PIXELLAB_API_KEY` is set (at `PIXELLAB_BASE_URL`, if that is set too), else the
/// embedded generator.
///
/// # Errors
///
/// [`generator::GeneratorError::Unusable`]: a key is set, but cannot be used; a server that went
/// on with the embedded generator would surprise whoever set it.
pub fn generator_from_environment()
-> Result<Arc<dyn generator::Generate>, generator::GeneratorError> {
    Ok(match pixellab::Settings::from_environment()? {
        Some(settings) => Arc::new(pixellab::PixelLab::new(settings)?),
        None => Arc::new(local::Local),
    })
}
