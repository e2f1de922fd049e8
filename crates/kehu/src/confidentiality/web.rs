//! 客户信息人员: the register with its switch and texts for those who keep it, and the page where everybody reads and
//! signs.

mod own;
mod register;
mod texts;

use crate::access::{Object, Verb};
use crate::web::{Need, Routes};

/// Where the register stands.
const HOME: &str = "/admin/handlers";

pub(super) fn routes(routes: Routes) -> Routes {
    let grants = Need::May(Object::Role, Verb::Update);
    routes
        .get("/confidentiality", Need::SignedIn, own::show)
        .post("/confidentiality", Need::SignedIn, own::submit)
        .get(HOME, grants, register::index)
        .post(HOME, grants, register::add)
        .post("/admin/handlers/{id}/end", grants, register::end)
        .get("/admin/handlers/export", grants, register::export)
        .post("/admin/handlers/rules", Need::Administrator, register::set)
        .get("/admin/handlers/texts", grants, texts::index)
        .post("/admin/handlers/texts", Need::Administrator, texts::publish)
}
