//! stub
use clap::Args;
/// What
#[derive(Debug, Args)]
pub struct DoctorArgs {}
pub(super) async fn run(_args: DoctorArgs) -> super::Outcome {
    Ok(0)
}
