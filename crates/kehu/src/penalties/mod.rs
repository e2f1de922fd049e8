//! Penalties (罚则): what regulations propose is confirmed or cancelled by those they name, and whoever is hit may appeal
//! in time. A regulation never fines anybody by itself, and nobody decides on his own penalty.
//!
//! Who knows of a penalty: whoever it hits, those who decide on it and who acts for them, his superiors and the heads of
//! his units, and administrators. Its case is named to those only who may read it; whoever has something to decide may,
//! until it is decided.

mod act;
mod load;
mod model;

pub mod api;
pub mod web;

pub use act::{appeal, cancel, confirm, decide_appeal};
pub use load::{ListQuery, MOST_EXPORTED, Place, Sum, all_of, list, load, of_case, sums, waiting_count};
pub use model::{Act, Appeal, Decision, Penalty, State};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
