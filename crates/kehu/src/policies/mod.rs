//! The company's regulations (制度): the library of their versions, drafts, publishing, and who has taken note of them.
//! What a regulation says and does is the crate `policy`'s; here it is kept, put in force and shown.

mod acknowledge;
mod library;
mod model;
mod publish;
mod shipped;
mod vocabulary;

pub mod api;

pub use acknowledge::{acknowledge, acknowledgements, has_acknowledged, unread};
pub use library::{
    compile, in_force, in_force_at, list, load, load_version, policy_of, require_manager, test, versions,
};
pub use model::{LONGEST_NOTE, State, Version};
pub use publish::{Draft, create, discard, publish, save};
pub use shipped::{Shipped, shipped};
pub use vocabulary::{EVENTS, facts_of, vocabulary};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(routes)
}
