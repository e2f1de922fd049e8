//! Placeholder until the feature is moved in.
use crate::web::Routes;
/// The kinds of jobs this feature has.
pub const JOBS: &[crate::jobs::Kind] = &[];
/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
}
