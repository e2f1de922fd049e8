//! Files in the JSON API.
use crate::web::Routes;
pub(super) fn routes(routes: Routes) -> Routes {
    routes
}
