//! Runs the tests' stand-in for PixelLab, to try the server against it without an account.
//!
//! `cargo run -p plainsync --example pixellab_stand_in -- PORT`, then start the server with the two
//! variables that it prints.

#[path = "../tests/support/stand_in.rs"]
mod stand_in;

use stand_in::StandIn;

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).map_or(0, |text| {
        text.parse().expect("the first argument is a port")
    });
    let stand_in = StandIn::start_at(port).await;
    eprintln!(
        "PIXELLAB_BASE_URL={} PIXELLAB_API_KEY={}",
        stand_in.base_url(),
        StandIn::KEY
    );
    stand_in.forever().await;
}
