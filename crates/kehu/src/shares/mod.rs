//! Colleagues who work on one customer beyond their roles (协作), and those who must keep out of its record (回避,
//! FC-03). A share is a bundle granted on the customer until a day; approvals and tasks grant the same way for as long
//! as they are open.

mod exclude;
mod grant;
mod load;

pub mod api;
pub mod web;

pub use exclude::{exclude, include};
pub(crate) use grant::end_grants_of;
pub use grant::{
    FOREVER, MOST_OF_CUSTOMER, NewShare, SHARE, grant_for, require_within_own, revoke, revoke_for, share,
};
pub use load::{Exclusion, Share, bundles, exclusions, may_exclude, may_share, of_customer};

use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}
