//! Duties (定期职责): what regulations ask for in every period, of the company, of units, of people or about customers.
//!
//! A period of a duty is a *round*: it opens with the period (or when its regulation comes into force), names who owes
//! the duty in batches, is proved by closed cases and events out of the outbox, warns before it is due and closes when
//! that has passed. Whatever is done twice by two servers has an effect once: rounds, occurrences and evidence are unique.
//! Who reads a duty: those who have to do it and those they act for, the heads of its unit and of those above, the
//! superiors of who has to do it, and administrators. The name of a customer is shown to those who may read him.

mod close;
mod evidence;
mod jobs;
mod list;
mod model;
mod open;
mod rounds;
mod teams;

pub mod api;
mod web;

pub use jobs::{JOBS, RECURRING, run_due};
pub use list::{ListQuery, Owed, list};
pub use model::{Per, Standing};
pub use rounds::{Round, counts, rounds};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(api::routes(routes))
}
