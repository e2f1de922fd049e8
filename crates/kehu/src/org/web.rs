//! Placeholder until the pages are moved in.
use crate::web::Routes;
/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
}
