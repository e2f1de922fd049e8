//! Tasks people give to people and units (交办, DS-04, SD-12): given with a due date, taken, done with a reply,
//! returned with a reason or withdrawn. One about a customer grants its receiver a right on that customer for as long
//! as it is open (see `shares`); one that names a process goes to whoever is responsible there (see `processes`).

mod act;
mod give;
mod grant;
mod hand_over;
mod list;
mod load;
mod model;
mod rules;
mod sight;
mod statistics;

pub mod api;
pub mod web;

pub use act::{finish, send_back, take, withdraw};
pub use give::{give, give_again, update};
pub use grant::{SOURCE, may_grant};
pub use hand_over::{Handed, hand_over, open_of};
pub use list::{ListQuery, Place, count_about, list};
pub use load::{Step, counts, find, require_seen, right_of, steps, waiting};
pub use model::{
    Again, Assignment, Counts, Draft, Due, Ground, Patch, Priority, Right, State, Target, read_due,
};
pub use rules::{Rules, rules, set_rules};
pub use sight::Sight;
pub use statistics::{Figures, Statistics, statistics};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
