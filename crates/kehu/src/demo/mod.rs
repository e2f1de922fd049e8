//! The demonstration company: what a visitor sees who has no data of his own yet.

pub mod generate;
/// Loads.
pub async fn load(_: &crate::app::App) -> Result<(), crate::error::AppError> {
    Ok(())
}
/// Prints.
pub fn print_log_ins() {}
