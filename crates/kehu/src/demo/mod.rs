//! The demonstration company: what a visitor sees who has no data of his own yet, and how it goes away again.

mod assign;
mod cases;
mod clear;
pub mod generate;
mod load;
mod organise;
mod rosters;
mod web;

pub use clear::clear;
pub use load::{PASSWORD, fill, load, print_log_ins};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(routes)
}
