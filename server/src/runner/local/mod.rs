//! The embedded generator: draws a sprite from words alone, on this machine, at once.
//!
//! [`Local`] implements [`Generate`]. The same prompt, size and seed always give the same bytes:
//! the words choose figure, colours and gear; what they leave open is decided by a hash of prompt
//! and seed, never by chance or clock. Rotations are derived from the given picture alone.
//!
//! Sides of 96 pixels and more are drawn on a coarser grid and enlarged by a whole factor, so that
//! pixels stay square and crisp.
//!
//! **Invariant:** nothing here opens a socket, reads a file, a clock or a random number.

mod back;
mod beasts;
mod canvas;
mod dice;
mod gear;
mod head;
mod look;
mod made_up;
mod palette;
mod person;
mod picture;
mod solid;
mod things;
mod turn;
mod weight;
mod words;

use self::canvas::Canvas;
use self::dice::Dice;
use self::look::{Figure, Look};
use self::picture::Pixels;
use super::generator::{
    Balance, Generate, GenerateRequest, GeneratorError, Picture, RotateRequest,
};
use futures_util::future::{BoxFuture, FutureExt};
use plainsync_core::blob::{Mime, sniff};

/// The embedded generator. It keeps no state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

/// Side, in pixels, of the grid that large pictures are drawn on.
const GRID_SIDE: u32 = 64;

impl Local {
    /// Draws at once, on the calling thread (about a millisecond).
    ///
    /// # Errors
    ///
    /// [`GeneratorError::Unusable`] when the picture cannot be encoded.
    pub fn draw(request: &GenerateRequest) -> Result<Picture, GeneratorError> {
        let (width, height) = (request.width, request.height);
        let by = ((width.min(height) + GRID_SIDE / 2) / GRID_SIDE).max(1);
        let (grid_w, grid_h) = ((width / by) as usize, (height / by) as usize);
        let mut dice = Dice::new(&request.prompt, request.seed.as_deref().unwrap_or_default());
        let look = Look::from_prompt(&request.prompt, &mut dice);
        let mut canvas = Canvas::new(grid_w, grid_h, look.ramps());
        match look.figure {
            Figure::Person => person::draw(&mut canvas, &look),
            Figure::Dragon => beasts::dragon(&mut canvas, &look),
            Figure::Beast(ears) => beasts::beast(&mut canvas, &look, ears),
            Figure::Bird => beasts::bird(&mut canvas, &look),
            Figure::Slime => things::slime(&mut canvas, &look),
            Figure::Ghost => things::ghost(&mut canvas, &look),
            Figure::Mushroom => things::mushroom(&mut canvas),
            Figure::Tree => things::tree(&mut canvas),
            Figure::Potion => things::potion(&mut canvas),
            Figure::Robot => made_up::robot(&mut canvas, &look),
            Figure::Mascot => made_up::mascot(&mut canvas, &look, &mut dice),
        }
        let grid = Pixels {
            width: grid_w,
            height: grid_h,
            rgba: canvas.finish(),
        };
        encode(&grid.enlarged(by as usize, width as usize, height as usize))
    }

    /// Turns at once, on the calling thread.
    ///
    /// # Errors
    ///
    /// [`GeneratorError::BadImage`] when the source is not a PNG that can be decoded.
    pub fn turn(request: &RotateRequest) -> Result<Picture, GeneratorError> {
        match sniff(&request.image) {
            Some(Mime::Png) => {}
            Some(other) => {
                let detail = format!("it is {other}; the embedded generator turns PNG only");
                return Err(GeneratorError::BadImage { detail });
            }
            None => {
                let detail = "it is no PNG, JPEG, WebP or GIF file".to_owned();
                return Err(GeneratorError::BadImage { detail });
            }
        }
        let source = Pixels::from_png(&request.image)
            .map_err(|detail| GeneratorError::BadImage { detail })?;
        let fitted = source.fitted(request.width as usize, request.height as usize);
        encode(&turn::turned(
            &fitted,
            request.from_direction,
            request.to_direction,
        ))
    }
}

fn encode(pixels: &Pixels) -> Result<Picture, GeneratorError> {
    let bytes = pixels.to_png().map_err(|error| GeneratorError::Unusable {
        detail: error.to_string(),
    })?;
    Ok(Picture {
        bytes,
        mime: Mime::Png,
    })
}

impl Generate for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn generate(&self, request: GenerateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        in_background(move || Local::draw(&request))
    }

    fn rotate(&self, request: RotateRequest) -> BoxFuture<'_, Result<Picture, GeneratorError>> {
        in_background(move || Local::turn(&request))
    }

    fn balance(&self) -> BoxFuture<'_, Balance> {
        async { Balance::Missing }.boxed()
    }
}

/// Runs `work` off the async threads; a panic in it becomes an error.
fn in_background(
    work: impl FnOnce() -> Result<Picture, GeneratorError> + Send + 'static,
) -> BoxFuture<'static, Result<Picture, GeneratorError>> {
    async {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
            Err(GeneratorError::Unusable {
                detail: "drawing stopped unexpectedly".to_owned(),
            })
        })
    }
    .boxed()
}

#[cfg(test)]
mod tests;
