//! Background jobs.
use crate::app::App;
/// The running worker.
pub struct Running;
impl Running {
    /// Ends it.
    pub async fn stop(self) {}
}
/// Starts it.
pub fn start(_: &App) -> Running {
    Running
}
