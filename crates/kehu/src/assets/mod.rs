//! Assets: what a customer has that we look after – vehicles, rooms, meters, products (DS-07). Each kind has its own
//! fields, checked by kind and kept as JSON.

mod create;
mod load;
mod model;
mod remove;
mod update;

pub mod api;
pub mod web;

pub use create::create;
pub use load::{Twin, list, load, of_customer, twins};
pub use model::{Asset, AssetKind, Draft};
pub use remove::{remove, restore};
pub use update::update;

use crate::web::Routes;

/// Assets of one customer at the most.
pub const MOST: i64 = 500;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
