//! Confidentiality (保密): the register of those who handle customer information, the text they sign in its versions,
//! and the company's switch. What it means for a decision stands in `access::Register`: with the switch on, whoever is
//! not registered or has not signed the text in force reaches no customer anywhere.

mod load;
mod model;
mod publish;
mod register;
mod sign;

pub mod api;
pub mod web;

pub use load::{Standing, list, standing, text_in_force, texts};
pub use model::{Entry, MOST_AT_ONCE, Published, RegisterQuery, SAMPLE, State};
pub use publish::{TextDraft, publish, set_rules};
pub(crate) use register::end_registration_of;
pub use register::{end, register};
pub use sign::{Signing, sign};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
