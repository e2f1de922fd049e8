//! The company's regulations (制度): the library of their versions, drafts, publishing, and who has taken note of them.
//! What a regulation says and does is the crate `policy`'s; here it is kept, put in force and shown.

mod acknowledge;
mod folder;
mod library;
mod model;
mod publish;
mod shipped;
mod vocabulary;
mod words;

pub mod api;
pub(crate) mod web;

pub use acknowledge::{acknowledge, acknowledged_by, acknowledgements, has_acknowledged, unread};
pub use folder::read_folder;
pub use library::{
    compile, current, in_force, in_force_at, list, load, load_version, meant, modules, policy_of,
    require_manager, test, versions,
};
pub use model::{LONGEST_NOTE, State, Version};
pub use publish::{Draft, Examined, adopt_shipped, create, discard, examine, examine_shipped, publish, save};
pub use shipped::{Shipped, shipped};
pub use vocabulary::{EVENTS, facts_of, vocabulary};
pub use words::{differences, people_words, setting_words, step_kind, step_people, step_ways, value_words};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    web::routes(api::routes(routes))
}
