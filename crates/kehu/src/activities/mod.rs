//! Activities: what happened with a customer and what he needs (VF-05, VF-06, VF-12, CI-03) – calls, visits, letters,
//! needs, major changes – and the one timeline of a customer.

mod create;
mod list;
mod load;
mod model;
mod remove;
mod report;
mod timeline;
mod update;

pub mod api;
pub mod web;

pub use create::create;
pub use list::{ListQuery, list};
pub use load::load;
pub use model::{Activity, ActivityKind, Draft};
pub use remove::{remove, restore};
pub use report::{Report, report};
pub use timeline::{Line, Timeline, timeline};
pub use update::update;

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
