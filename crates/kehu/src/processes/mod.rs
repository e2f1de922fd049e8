//! Who answers for what (职责分工, RACI): the processes of the company, and which unit or post is responsible (R),
//! approves (A), is consulted (C) and is informed (I). Tasks that name a process are led by it.

mod load;
mod model;
mod save;

pub mod api;
pub mod web;

pub use load::{informing, list, load, parties};
pub use model::{Draft, Duty, MOST_PARTIES, Party, Process};
pub use save::{MOST, create, remove, update};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
