//! Placeholder until the feature is moved in.
use crate::web::Routes;
/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
}
