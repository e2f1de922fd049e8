//! Service strategies (服务策略, GM-03): how the customers of a group are served. A group is a nature, a class, a level
//! or several of them together; a customer is served by the most specific strategy that fits.

mod create;
mod load;
mod model;
mod remove;
mod update;

pub mod api;
pub mod web;

pub use create::create;
pub use load::{Fit, fitting, list, load};
pub use model::{Draft, FIELDS, Strategy};
pub use remove::remove;
pub use update::update;

use crate::web::Routes;

/// Strategies of a company at the most.
pub const MOST: i64 = 200;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
