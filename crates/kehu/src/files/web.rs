//! Files on the page of a customer, and their download.
use crate::web::Routes;
pub(super) fn routes(routes: Routes) -> Routes {
    routes
}
