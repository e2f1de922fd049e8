//! Assets on the page of a customer.
use crate::web::Routes;
pub(super) fn routes(routes: Routes) -> Routes {
    routes
}
