//! The pages of customers.

mod query;

pub use query::{CHOICE_FILTERS, DEFAULT_LIMIT, list_query};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
}
