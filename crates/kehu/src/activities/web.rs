//! Activities on pages.
use crate::web::Routes;
pub(super) fn routes(routes: Routes) -> Routes {
    routes
}
