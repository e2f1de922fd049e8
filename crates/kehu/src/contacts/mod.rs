//! Contacts: the people one talks to at a customer (DS-07, AM-05). A customer has several, at most one of them primary.

mod create;
mod load;
mod model;
mod remove;
mod update;

pub mod api;
pub(crate) mod api_parts;
pub(crate) mod page_parts;
pub mod web;

pub use create::create;
pub use load::{list, load, of_customer};
pub use model::{Contact, Draft, FIELDS};
pub use remove::{remove, restore};
pub use update::update;

use crate::web::Routes;

/// Contacts of one customer at the most.
pub const MOST: i64 = 500;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
