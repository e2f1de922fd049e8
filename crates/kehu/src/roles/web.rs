//! 角色与授权: defining roles, giving them, reviewing who has them, and explaining what somebody may do.

mod accounts;
mod bulk;
mod compare;
mod editor;
mod explained;
mod index;
mod person;
mod posts;
mod review;

use crate::access::{Directory, Object, Verb};
use crate::i18n::Lang;
use crate::ids::UnitId;
use crate::web::{Choice, Need, Routes, Tab};

/// Where the list of roles stands.
const HOME: &str = "/admin/roles";

pub(super) fn routes(routes: Routes) -> Routes {
    let grants = Need::May(Object::Role, Verb::Update);
    routes
        .get(HOME, grants, index::index)
        .post(HOME, grants, editor::add)
        .get("/admin/roles/new", grants, editor::new)
        .get("/admin/roles/units", grants, editor::units)
        .post("/admin/roles/preview", grants, editor::preview)
        .get("/admin/roles/{id}", grants, editor::show)
        .post("/admin/roles/{id}", grants, editor::change)
        .post("/admin/roles/{id}/delete", grants, editor::delete)
        .get("/admin/roles/{id}/reach", grants, editor::reach)
        .get("/admin/post-roles", grants, posts::index)
        .post("/admin/post-roles/{post}", grants, posts::save)
        .get("/admin/people/{id}/roles", grants, person::show)
        .post("/admin/people/{id}/roles", grants, person::give)
        .post("/admin/people/{id}/roles/take", grants, person::take)
        .get("/admin/role-grants", grants, bulk::index)
        .post("/admin/role-grants", grants, bulk::run)
        .get("/admin/role-compare", grants, compare::show)
        .get("/admin/role-review", grants, review::index)
        .post("/admin/role-review", grants, review::run)
        .post("/admin/role-review/rules", Need::Administrator, review::set)
        .get("/admin/role-review/export", grants, review::export)
        .get("/admin/accounts", grants, accounts::index)
        .post("/admin/accounts/sessions/{id}/end", grants, accounts::end_session)
        .post("/admin/accounts/people/{id}/unlock", grants, accounts::unlock)
        .get("/admin/explain", Need::SignedIn, explained::show)
        .get("/admin/explain/customers", Need::SignedIn, explained::find_customers)
}

/// The pages of this corner, as tabs.
fn tabs(l: Lang, here: &str) -> Vec<Tab> {
    [
        ("角色", HOME),
        ("岗位与角色", "/admin/post-roles"),
        ("批量授权", "/admin/role-grants"),
        ("权限对比", "/admin/role-compare"),
        ("授权复核", "/admin/role-review"),
        ("登录与账号", "/admin/accounts"),
        ("权限说明", "/admin/explain"),
    ]
    .into_iter()
    .map(|(title, href)| Tab {
        title: l.t(title).to_owned(),
        href: href.to_owned(),
        active: href == here,
        count: None,
    })
    .collect()
}

fn choice(value: &str, label: &str) -> Choice {
    Choice { value: value.to_owned(), label: label.to_owned() }
}

/// The roles people can have, bundles left out.
fn role_choices(directory: &Directory, l: Lang) -> Vec<Choice> {
    let all = directory.roles().into_iter().filter(|r| !r.is_bundle);
    all.map(|r| choice(&r.id.to_string(), l.t(&r.name))).collect()
}

/// Every open unit, each after the one it stands in, with how deep it stands.
fn unit_rows(directory: &Directory) -> Vec<(usize, UnitId, String)> {
    fn walk(
        directory: &Directory,
        of: Option<UnitId>,
        depth: usize,
        rows: &mut Vec<(usize, UnitId, String)>,
    ) {
        if depth > crate::access::DEEPEST {
            return;
        }
        for unit in directory.children(of).filter(|u| !u.is_closed) {
            rows.push((depth, unit.id, unit.name.clone()));
            walk(directory, Some(unit.id), depth + 1, rows);
        }
    }
    let mut rows = Vec::new();
    walk(directory, None, 0, &mut rows);
    rows
}

/// Every open unit for a select, the deeper ones moved in.
fn unit_choices(directory: &Directory) -> Vec<Choice> {
    let rows = unit_rows(directory).into_iter();
    rows.map(|(depth, id, name)| choice(&id.to_string(), &format!("{}{name}", "\u{3000}".repeat(depth))))
        .collect()
}
