//! Compliance (执行情况): how well each clause of a regulation is kept, for administrators and for heads of units over the
//! cases they may read.

mod load;
mod registers;
mod web;

pub use load::{Behind, BehindRow, Figures, MOST_ROWS, Period, behind, figures, may_see};

pub use registers::{Exempted, Refusal, exemptions, refusals};

use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/policies/{id}/compliance", Need::SignedIn, web::show)
        .get("/policies/{id}/compliance/cases", Need::SignedIn, web::list_cases)
        .get("/policies/{id}/compliance/export", Need::SignedIn, web::export)
        .get("/policies/{id}/compliance/paper", Need::SignedIn, web::paper)
        .get("/policies/{id}/compliance/refusals", Need::SignedIn, web::list_refusals)
        .get("/policies/{id}/compliance/refusals/export", Need::SignedIn, web::export_refusals)
        .get("/policies/{id}/compliance/exemptions", Need::SignedIn, web::list_exemptions)
        .get("/policies/{id}/compliance/exemptions/export", Need::SignedIn, web::export_exemptions)
}
