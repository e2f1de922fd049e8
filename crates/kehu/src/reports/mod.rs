//! Reports of regulations (报表): figures and registers counted from the cases of a period, made by whom the regulation
//! names, reviewed one after the other, and locked when the last has agreed. What was made stands still: it is kept as it
//! was counted. A report counts all cases of its form, whoever may read them one by one, so only its makers, its reviewers
//! and administrators see it, each without what is kept from him (`withhold`).

mod due;
mod model;
mod review;
mod sheet;
mod withhold;

pub mod web;

pub use due::{JOBS, RECURRING, remind};
pub use model::{Figure, Group, Made, Place, Register, Row, Sheet, Step};
pub use review::{make, may_see, review};
pub use sheet::count;

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(routes)
}
