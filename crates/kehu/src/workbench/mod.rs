//! The workbench: what waits, the figures that matter, and what happened lately, for whoever is signed in. Every
//! number comes from kept counts, so the page costs the same at any size.

mod load;
mod staff;
mod web;

pub use load::{Board, ByClass, PARAMETERS, board, by_class_and_province};
pub use staff::{Leaving, Staff, Taken};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(routes)
}
