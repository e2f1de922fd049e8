//! Reports to one's superior (DU-06, 向上级报告): what problems and needs of customers a period brought, what the writer
//! makes of them, and what he suggests to improve. One a person and period; he may correct it until his superior has
//! read it. Both of them read it, nobody else. Its figures stand as they were counted; the needs themselves are read on
//! the page of activities, by whoever may read their customers.

mod correct;
mod load;
mod model;
mod read;
mod send;

pub mod api;
pub mod web;

pub use correct::correct;
pub use load::{Inbox, list, load};
pub use model::{Briefing, Draft, FIELDS, Figures, Period};
pub use read::read;
pub use send::{Ground, ground, send};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
